package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	foreignIssuer   = "https://id.example/"
	foreignAudience = "credit"
)

// idp is an identity provider on this machine, and a clock.
type idp struct {
	*testing.T
	address string
	gate    chan struct{} // nil lets every look at the keys through at once

	mu      sync.Mutex
	at      time.Time
	keys    map[string]crypto.Signer
	body    string // in place of the keys
	status  int
	fetches int
	arrived chan struct{} // one for each look at the keys
}

func newIDP(t *testing.T, keys map[string]crypto.Signer) *idp {
	t.Helper()
	p := &idp{T: t, at: now(), keys: keys, status: http.StatusOK, arrived: make(chan struct{}, 1000)}
	s := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(s.Close)
	p.address = s.URL + "/jwks"
	return p
}

func (p *idp) serve(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	p.fetches++
	status, body, gate := p.status, p.body, p.gate
	if body == "" {
		body = keySetOf(p.T, p.keys)
	}
	p.mu.Unlock()
	p.arrived <- struct{}{}
	if gate != nil {
		<-gate
	}
	if status == http.StatusFound {
		w.Header().Set("Location", p.address)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// set changes something while the provider runs.
func (p *idp) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *idp) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetches
}

func (p *idp) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *idp) config() auth.IdentityConfig {
	return auth.IdentityConfig{
		JWKSURL: p.address, Issuer: foreignIssuer, Audience: foreignAudience, CustomerClaim: "creditgraph_customer",
		Clock: p.clock, Logger: slog.New(slog.DiscardHandler),
	}
}

// sources takes the provider's tokens and the built-in ones.
func (p *idp) sources() *auth.Sources {
	p.Helper()
	identity := auth.NewIdentityProvider(p.config())
	p.Cleanup(identity.Stop)
	return auth.NewSources(issuer(p.T, dataKey(), now()), identity)
}

// keySetOf is what a provider publishes of its keys.
func keySetOf(t *testing.T, keys map[string]crypto.Signer) string {
	set := jwkset.NewMemoryStorage()
	for _, kid := range slices.Sorted(maps.Keys(keys)) {
		key, err := jwkset.NewJWKFromKey(keys[kid].Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid, USE: jwkset.UseSig}})
		if err != nil {
			t.Error(err)
		}
		if err := set.KeyWrite(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	text, err := set.JSONPublic(t.Context())
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func curveKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func edKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// change is what a token has other than a good one: claims, and headers by "header …". nil leaves out.
type change map[string]any

// foreign makes a token of good claims, with changes.
func foreign(t *testing.T, method jwt.SigningMethod, kid string, key any, changes change) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims{
		"iss": foreignIssuer, "aud": []string{"other", foreignAudience}, "sub": "auth0|ada", "scope": "openid read:loans",
		"iat": now().Unix(), "nbf": now().Unix(), "exp": now().Add(time.Hour).Unix(),
	})
	token.Header["kid"] = kid
	for name, value := range changes {
		into := map[string]any(token.Claims.(jwt.MapClaims))
		if header, ok := strings.CutPrefix(name, "header "); ok {
			into, name = token.Header, header
		}
		into[name] = value
		if value == nil {
			delete(into, name)
		}
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTokensOfAnIdentityProvider(t *testing.T) {
	t.Parallel()
	r, e, d := rsaKey(t, 2048), curveKey(t, elliptic.P256()), edKey(t)
	weak, p384, stranger := rsaKey(t, 1024), curveKey(t, elliptic.P384()), rsaKey(t, 2048)
	p := newIDP(t, map[string]crypto.Signer{"r": r, "e": e, "d": d, "weak": weak, "p384": p384})
	check := p.sources()
	rs := func(c change) string { return foreign(t, jwt.SigningMethodRS256, "r", r, c) }
	der, err := x509.MarshalPKIXPublicKey(r.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	parts := strings.Split(rs(nil), ".")
	own := map[string]any{"kty": "RSA", "kid": "r", "n": base64.RawURLEncoding.EncodeToString(stranger.N.Bytes()), "e": "AQAB"}
	at := func(d time.Duration) int64 { return now().Add(d).Unix() }
	for name, test := range map[string]struct {
		token string
		good  bool
	}{
		"RS256":                            {rs(nil), true},
		"ES256":                            {foreign(t, jwt.SigningMethodES256, "e", e, nil), true},
		"EdDSA":                            {foreign(t, jwt.SigningMethodEdDSA, "d", d, nil), true},
		"of the built-in issuer":           {issued(t), true},
		"expired within the leeway":        {rs(change{"exp": at(-20 * time.Second)}), true},
		"from a clock a little ahead":      {rs(change{"nbf": at(20 * time.Second), "iat": at(20 * time.Second)}), true},
		"without a beginning":              {rs(change{"nbf": nil, "iat": nil}), true},
		"expired":                          {rs(change{"exp": at(-time.Minute)}), false},
		"without an end":                   {rs(change{"exp": nil}), false},
		"with an end that is none":         {rs(change{"exp": "tomorrow"}), false},
		"not yet":                          {rs(change{"nbf": at(time.Minute)}), false},
		"made tomorrow":                    {rs(change{"iat": at(24 * time.Hour)}), false},
		"of another issuer":                {rs(change{"iss": "https://id.example"}), false},
		"of no issuer":                     {rs(change{"iss": nil}), false},
		"of two issuers":                   {rs(change{"iss": []string{foreignIssuer, auth.BuiltInIssuer}}), false},
		"that calls itself built-in":       {rs(change{"iss": auth.BuiltInIssuer, "aud": auth.BuiltInIssuer}), false},
		"built-in, under its issuer":       {sign(t, jwt.SigningMethodEdDSA, signingKey(t), map[string]any{"iss": foreignIssuer, "aud": foreignAudience}), false},
		"for others":                       {rs(change{"aud": "other"}), false},
		"for nobody":                       {rs(change{"aud": nil}), false},
		"of nobody":                        {rs(change{"sub": nil}), false},
		"of nobody who can be named":       {rs(change{"sub": "a\nb"}), false},
		"of a client of ours":              {rs(change{"sub": auth.NewClientID()}), false},
		"that names no key":                {rs(change{"header kid": nil}), false},
		"that names the empty key":         {rs(change{"header kid": ""}), false},
		"that names no text as key":        {rs(change{"header kid": 1}), false},
		"that names another's key":         {rs(change{"header kid": "e"}), false},
		"under no algorithm":               {foreign(t, jwt.SigningMethodNone, "r", jwt.UnsafeAllowNoneSignatureType, nil), false},
		"under no algorithm, spelt oddly":  {foreign(t, jwt.SigningMethodNone, "r", jwt.UnsafeAllowNoneSignatureType, change{"header alg": "nOnE"}), false},
		"under HS256 with the public key":  {foreign(t, jwt.SigningMethodHS256, "r", public, nil), false},
		"under HS256 with its DER":         {foreign(t, jwt.SigningMethodHS256, "r", der, nil), false},
		"under HS256 with the modulus":     {foreign(t, jwt.SigningMethodHS256, "r", r.N.Bytes(), nil), false},
		"under HS256, called RS256":        {foreign(t, jwt.SigningMethodHS256, "r", public, change{"header alg": "RS256"}), false},
		"under HS256 with the Ed25519 key": {foreign(t, jwt.SigningMethodHS256, "d", []byte(d.Public().(ed25519.PublicKey)), nil), false},
		"under PS256":                      {foreign(t, jwt.SigningMethodPS256, "r", r, nil), false},
		"under RS512":                      {foreign(t, jwt.SigningMethodRS512, "r", r, nil), false},
		"under ES384":                      {foreign(t, jwt.SigningMethodES384, "p384", p384, nil), false},
		"under a weak key":                 {foreign(t, jwt.SigningMethodRS256, "weak", weak, nil), false},
		"under a stranger's key":           {foreign(t, jwt.SigningMethodRS256, "r", stranger, nil), false},
		"that brings its own key":          {foreign(t, jwt.SigningMethodRS256, "r", stranger, change{"header jwk": own}), false},
		"that says where its key is":       {foreign(t, jwt.SigningMethodRS256, "mine", stranger, change{"header jku": p.address}), false},
		"with extensions to understand":    {rs(change{"header crit": []string{"b64"}, "header b64": true}), false},
		"with changed claims":              {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+foreignIssuer+`"}`)) + "." + parts[2], false},
		"without its signature":            {parts[0] + "." + parts[1] + ".", false},
		"with scopes that are a number":    {rs(change{"scope": 1}), false},
		"with a scope that is no text":     {rs(change{"scope": nil, "scp": []any{"read:loans", 1}}), false},
		"as long as a book":                {rs(change{"book": strings.Repeat("x", 20<<10)}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := check.Verify(test.token)
			if (err == nil) != test.good {
				t.Fatalf("%+v, %v", got, err)
			}
			if err == nil {
				if auth.FormatScopes(got.Scopes) != "read:loans" || got.Customer != "" || got.ExpiresAt.Before(now().Add(-time.Minute)) {
					t.Errorf("it stands for %+v", got)
				}
				return
			}
			if lending.KindOf(err) != lending.KindUnauthenticated || strings.Contains(err.Error(), "example") || strings.Contains(err.Error(), "key") {
				t.Errorf("refused as %s: %s", lending.KindOf(err), err)
			}
		})
	}
}

func TestWhomAnIdentityProvidersTokenStandsFor(t *testing.T) {
	t.Parallel()
	key := edKey(t)
	p := newIDP(t, map[string]crypto.Signer{"d": key})
	check := p.sources()
	ada := lending.GlobalID(lending.CustomerNode, lending.CustomerID("ada"))
	for name, test := range map[string]struct {
		claims   change
		scopes   string
		customer lending.CustomerID
		plan     string
		refused  bool
	}{
		"scopes of others":              {claims: change{"scope": "email read:loans admin read:loans"}, scopes: "read:loans"},
		"no scopes":                     {claims: change{"scope": nil}},
		"scp as text":                   {claims: change{"scope": nil, "scp": "read:loans read:pii"}, scopes: "read:loans read:pii"},
		"scp as a list":                 {claims: change{"scope": nil, "scp": []string{"read:loans", "operate"}}, scopes: "read:loans operate"},
		"a customer":                    {claims: change{"creditgraph_customer": ada}, scopes: "read:loans", customer: "ada"},
		"a plan":                        {claims: change{"plan": "professional"}, scopes: "read:loans", plan: "professional"},
		"a plan of something else":      {claims: change{"plan": "gold"}, scopes: "read:loans"},
		"a plan that is no text":        {claims: change{"plan": 7}, scopes: "read:loans"},
		"a customer that is none":       {claims: change{"creditgraph_customer": "ada"}, refused: true},
		"an empty customer":             {claims: change{"creditgraph_customer": ""}, refused: true},
		"a loan in place of a customer": {claims: change{"creditgraph_customer": lending.GlobalID(lending.LoanNode, lending.LoanID("x"))}, refused: true},
		"customers":                     {claims: change{"creditgraph_customer": []string{ada}}, refused: true},
		"null in place of a customer":   {claims: change{"creditgraph_customer": json.RawMessage("null")}, refused: true},
		"the number of a customer":      {claims: change{"creditgraph_customer": 1}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := check.Verify(foreign(t, jwt.SigningMethodEdDSA, "d", key, test.claims))
			if (err != nil) != test.refused {
				t.Fatalf("%+v, %v", got, err)
			}
			if err == nil && (got.ClientID != "auth0|ada" || auth.FormatScopes(got.Scopes) != test.scopes || got.Customer != test.customer || got.Plan != test.plan) {
				t.Errorf("it stands for %+v", got)
			}
		})
	}
}

func TestABuiltInTokenCarriesItsClientsBondAndPlan(t *testing.T) {
	t.Parallel()
	i := issuer(t, dataKey(), now())
	for _, client := range []auth.Client{{ID: "web", Plan: "starter"}, {ID: "app", Customer: "ada", Plan: "sandbox"}} {
		token, err := i.IssueTo(client, []auth.Scope{auth.ReadLoans}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		p, err := auth.NewSources(i, nil).Verify(token)
		if err != nil || p.ClientID != client.ID || p.Customer != client.Customer || p.Plan != client.Plan {
			t.Errorf("of %+v it makes %+v: %v", client, p, err)
		}
	}
	broken := sign(t, jwt.SigningMethodEdDSA, signingKey(t), map[string]any{"creditgraph_customer": "ada"})
	if p, err := i.Verify(broken); err == nil {
		t.Errorf("a bond that cannot be read makes %+v", p)
	}
}
