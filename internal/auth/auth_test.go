package auth_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// now is when every test takes place.
func now() time.Time { return time.Date(2026, 4, 16, 12, 0, 0, 0, time.UTC) }

func dataKey() []byte { return bytes.Repeat([]byte{7}, 32) }

func issuer(t *testing.T, key []byte, at time.Time) *auth.Issuer {
	t.Helper()
	i, err := auth.NewIssuer(key, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// clients are known by their id; an error stands for a database that does not answer.
type clients struct {
	known map[string]auth.Client
	err   error
}

func (c clients) Client(_ context.Context, id string) (auth.Client, error) {
	if c.err != nil {
		return auth.Client{}, c.err
	}
	client, ok := c.known[id]
	if !ok {
		return auth.Client{}, lending.NotFound("client")
	}
	return client, nil
}

func registered() clients {
	return clients{known: map[string]auth.Client{
		"web":  {ID: "web", SecretHash: auth.HashSecret("s3cret"), Scopes: []auth.Scope{auth.ReadCustomers, auth.ReadLoans}},
		"gone": {ID: "gone", SecretHash: auth.HashSecret("s3cret"), Scopes: auth.Scopes(), Revoked: true},
	}}
}

// ask sends a form to the token endpoint; change may alter the request.
func ask(t *testing.T, c auth.ClientFinder, form url.Values, change ...func(*http.Request)) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range change {
		f(request)
	}
	answer := httptest.NewRecorder()
	auth.TokenEndpoint(issuer(t, dataKey(), now()), c, gateOf(nil), slog.New(slog.DiscardHandler)).ServeHTTP(answer, request)
	var body map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v: %q", err, answer.Body)
	}
	return answer, body
}

func form(pairs ...string) url.Values {
	v := url.Values{"grant_type": {"client_credentials"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func TestATokenIsGivenForCredentials(t *testing.T) {
	t.Parallel()
	basic := func(r *http.Request) { r.SetBasicAuth("web", "s3cret") }
	for name, test := range map[string]struct {
		form   url.Values
		change []func(*http.Request)
		scope  string
	}{
		"in the form":           {form("client_id", "web", "client_secret", "s3cret"), nil, "read:customers read:loans"},
		"by Basic":              {form(), []func(*http.Request){basic}, "read:customers read:loans"},
		"by Basic, encoded":     {form(), []func(*http.Request){func(r *http.Request) { r.SetBasicAuth("we%62", "s3%63ret") }}, "read:customers read:loans"},
		"by Basic and its id":   {form("client_id", "web", "client_secret", ""), []func(*http.Request){basic}, "read:customers read:loans"},
		"for one of its scopes": {form("client_id", "web", "client_secret", "s3cret", "scope", "read:loans read:loans"), nil, "read:loans"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, body := ask(t, registered(), test.form, test.change...)
			want := map[string]any{"access_token": body["access_token"], "token_type": "Bearer", "expires_in": 3600.0, "scope": test.scope}
			if diff := cmp.Diff(want, body); diff != "" || answer.Code != http.StatusOK {
				t.Fatalf("%d (-want +got):\n%s", answer.Code, diff)
			}
			if h := answer.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" {
				t.Errorf("headers: %v", h)
			}
			p, err := issuer(t, dataKey(), now()).Verify(body["access_token"].(string))
			if err != nil || p.ClientID != "web" || auth.FormatScopes(p.Scopes) != test.scope || !p.ExpiresAt.Equal(now().Add(time.Hour)) {
				t.Errorf("the token is for %+v: %v", p, err)
			}
		})
	}
}

func TestATokenIsRefused(t *testing.T) {
	t.Parallel()
	good := form("client_id", "web", "client_secret", "s3cret")
	with := func(pairs ...string) url.Values {
		v := form("client_id", "web", "client_secret", "s3cret")
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	down := clients{err: &lending.Error{Kind: lending.KindUnavailable, Err: errors.New("secret-9f")}}
	for name, test := range map[string]struct {
		clients clients
		form    url.Values
		change  func(*http.Request)
		status  int
		code    string
	}{
		"another grant":            {registered(), with("grant_type", "password"), nil, 400, "unsupported_grant_type"},
		"no grant":                 {registered(), url.Values{"client_id": {"web"}}, nil, 400, "invalid_request"},
		"no form at all":           {registered(), good, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 400, "invalid_request"},
		"a form that is too large": {registered(), with("x", strings.Repeat("x", 20<<10)), nil, 400, "invalid_request"},
		"a wrong secret":           {registered(), with("client_secret", "S3cret"), nil, 401, "invalid_client"},
		"no secret":                {registered(), with("client_secret", ""), nil, 401, "invalid_client"},
		"the secret's hash":        {registered(), with("client_secret", auth.HashSecret("s3cret")), nil, 401, "invalid_client"},
		"nobody":                   {registered(), with("client_id", "nobody"), nil, 401, "invalid_client"},
		"nobody, no secret":        {registered(), with("client_id", "", "client_secret", ""), nil, 401, "invalid_client"},
		"a revoked client":         {registered(), with("client_id", "gone"), nil, 401, "invalid_client"},
		"both ways at once":        {registered(), good, func(r *http.Request) { r.SetBasicAuth("web", "s3cret") }, 400, "invalid_request"},
		"two ids":                  {registered(), form("client_id", "gone"), func(r *http.Request) { r.SetBasicAuth("web", "s3cret") }, 400, "invalid_request"},
		"a wrong secret by Basic":  {registered(), form(), func(r *http.Request) { r.SetBasicAuth("web", "wrong") }, 401, "invalid_client"},
		"Basic that is none":       {registered(), good, func(r *http.Request) { r.Header.Set("Authorization", "Basic §") }, 401, "invalid_client"},
		"Basic that is not encoded": {
			registered(), form(), func(r *http.Request) { r.SetBasicAuth("web", "100%") }, 401, "invalid_client",
		},
		"another scheme": {registered(), good, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 401, "invalid_client"},
		"a scope twice":  {registered(), url.Values{"grant_type": {"client_credentials"}, "client_id": {"web"}, "client_secret": {"s3cret"}, "scope": {"read:loans", "read:customers"}}, nil, 400, "invalid_request"},
		"an id that is no text": {
			clients{err: errors.New("it was asked for")}, with("client_id", "we\x00b"), nil, 401, "invalid_client",
		},
		"credentials in the address": {
			registered(), form(), func(r *http.Request) { r.URL.RawQuery = good.Encode() }, 401, "invalid_client",
		},
		"a scope that is not its own": {registered(), with("scope", "read:loans write:loans"), nil, 400, "invalid_scope"},
		"a scope that is none":        {registered(), with("scope", "admin"), nil, 400, "invalid_scope"},
		"clients that cannot be read": {down, good, nil, 503, "temporarily_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var change []func(*http.Request)
			if test.change != nil {
				change = append(change, test.change)
			}
			answer, body := ask(t, test.clients, test.form, change...)
			if answer.Code != test.status || body["error"] != test.code || body["error_description"] == "" || body["access_token"] != nil {
				t.Errorf("answered %d %v, want %d %s", answer.Code, body, test.status, test.code)
			}
			if (answer.Header().Get("WWW-Authenticate") != "") != (test.status == 401) || answer.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("headers: %v", answer.Header())
			}
			if strings.Contains(answer.Body.String(), "secret-9f") {
				t.Error("the cause was told")
			}
		})
	}
}

// signingKey is the key that the issuer derives, for tokens that are forged with all that an attacker may know.
func signingKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	seed, err := hkdf.Key(sha256.New, dataKey(), nil, "creditgraph token signing v1", ed25519.SeedSize)
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

// sign makes a token of good claims, with changes.
func sign(t *testing.T, method jwt.SigningMethod, key any, changes map[string]any) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": "creditgraph", "aud": "creditgraph", "sub": "web", "scope": "read:loans",
		"iat": now().Unix(), "nbf": now().Unix(), "exp": now().Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokens(t *testing.T) {
	t.Parallel()
	key := signingKey(t)
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	good := sign(t, jwt.SigningMethodEdDSA, key, nil)
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	more := base64.RawURLEncoding.EncodeToString(bytes.Replace(payload, []byte("read:loans"), []byte("operate"), 1))
	for name, test := range map[string]struct {
		token string
		good  bool
	}{
		"good":                      {good, true},
		"of the issuer itself":      {issued(t), true},
		"ending within the leeway":  {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"exp": now().Add(-20 * time.Second).Unix()}), true},
		"expired":                   {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"exp": now().Add(-time.Minute).Unix()}), false},
		"without an end":            {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"exp": nil}), false},
		"not yet":                   {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"nbf": now().Add(time.Hour).Unix()}), false},
		"made tomorrow":             {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"iat": now().Add(24 * time.Hour).Unix()}), false},
		"for somebody else":         {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"aud": "bank"}), false},
		"for nobody":                {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"aud": nil}), false},
		"by somebody else":          {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"iss": "bank"}), false},
		"of nobody":                 {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"sub": nil}), false},
		"with a scope that is none": {sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"scope": "read:loans admin"}), false},
		"under another key":         {sign(t, jwt.SigningMethodEdDSA, other, nil), false},
		"under no algorithm":        {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil), false},
		"under HS256 with our public key": {
			sign(t, jwt.SigningMethodHS256, []byte(key.Public().(ed25519.PublicKey)), nil), false,
		},
		"with more scopes than signed": {parts[0] + "." + more + "." + parts[2], false},
		"without its signature":        {parts[0] + "." + parts[1] + ".", false},
		"cut off":                      {good[:len(good)-2], false},
		"no token":                     {"abc", false},
		"nothing":                      {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := issuer(t, dataKey(), now()).Verify(test.token)
			if (err == nil) != test.good {
				t.Fatalf("%+v, %v", p, err)
			}
			if err != nil && lending.KindOf(err) != lending.KindUnauthenticated {
				t.Errorf("refused as %s", lending.KindOf(err))
			}
			if told := name == "expired"; err != nil && told != strings.Contains(err.Error(), "expired") {
				t.Errorf("the reason given is %q", err)
			}
		})
	}
	if _, err := issuer(t, bytes.Repeat([]byte{8}, 32), now()).Verify(good); err == nil {
		t.Error("a token holds under another data key")
	}
}

func issued(t *testing.T) string {
	t.Helper()
	token, err := issuer(t, dataKey(), now()).Issue("web", []auth.Scope{auth.ReadLoans}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAnyChangeSpoilsAToken(t *testing.T) {
	t.Parallel()
	good, check := issued(t), issuer(t, dataKey(), now())
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(good)-2).Draw(t, "at") // the last character has bits that mean nothing
		c := rapid.SampledFrom([]byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")).Draw(t, "character")
		if good[at] == c {
			return
		}
		if p, err := check.Verify(good[:at] + string(c) + good[at+1:]); err == nil {
			t.Fatalf("it holds all the same: %+v", p)
		}
	})
}

func TestOnlyGoodTokensComeThrough(t *testing.T) {
	t.Parallel()
	reached := func(w http.ResponseWriter, r *http.Request) {
		if p := auth.From(r.Context()); p == nil || p.ClientID != "web" {
			t.Errorf("it is %+v who asks", p)
		}
		w.WriteHeader(http.StatusTeapot)
	}
	for name, test := range map[string]struct {
		header string
		status int
		hint   string
	}{
		"a good one":           {"Bearer " + issued(t), http.StatusTeapot, ""},
		"in small letters":     {"bearer " + issued(t), http.StatusTeapot, ""},
		"none":                 {"", http.StatusUnauthorized, `Bearer realm="creditgraph"`},
		"of another scheme":    {"Basic " + issued(t), http.StatusUnauthorized, `Bearer realm="creditgraph"`},
		"the scheme alone":     {"Bearer", http.StatusUnauthorized, `Bearer realm="creditgraph"`},
		"one that is not good": {"Bearer abc", http.StatusUnauthorized, `Bearer realm="creditgraph", error="invalid_token"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequest(http.MethodPost, "/graphql", nil)
			request.Header.Set("Authorization", test.header)
			answer := httptest.NewRecorder()
			gateOf(issuer(t, dataKey(), now())).Authenticate(http.HandlerFunc(reached)).ServeHTTP(answer, request)
			if answer.Code != test.status || answer.Header().Get("WWW-Authenticate") != test.hint {
				t.Errorf("answered %d, %q", answer.Code, answer.Header().Get("WWW-Authenticate"))
			}
			if answer.Code == http.StatusUnauthorized && !strings.Contains(answer.Body.String(), `"code":"UNAUTHENTICATED"`) {
				t.Errorf("answered %s", answer.Body)
			}
		})
	}
}

func TestScopesAreReadAndRequired(t *testing.T) {
	t.Parallel()
	all, err := auth.ParseScopes(auth.FormatScopes(auth.Scopes()))
	if err != nil || !slices.Equal(all, auth.Scopes()) {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := auth.ParseScopes("read:loans \xff" + strings.Repeat("x", 100)); lending.KindOf(err) != lending.KindValidation || len(err.Error()) > 80 {
		t.Errorf("an unknown scope: %v", err)
	}
	ctx := auth.With(t.Context(), &auth.Principal{Scopes: []auth.Scope{auth.ReadLoans}})
	for name, test := range map[string]struct {
		ctx   context.Context
		scope auth.Scope
		want  lending.ErrorKind
	}{
		"one that it has":   {ctx, auth.ReadLoans, ""},
		"one that it lacks": {ctx, auth.WriteLoans, lending.KindForbidden},
		"of nobody":         {t.Context(), auth.ReadLoans, lending.KindUnauthenticated},
	} {
		if got := lending.KindOf(auth.Require(test.ctx, test.scope)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestSecretsAreLongAndNeverTheSame(t *testing.T) {
	t.Parallel()
	one, two := auth.NewSecret(), auth.NewSecret()
	if one == two || len(one) < 43 || auth.HashSecret(one) == auth.HashSecret(two) || strings.Contains(auth.HashSecret(one), one) {
		t.Errorf("%q, %q", one, two)
	}
}
