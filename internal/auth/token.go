package auth

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// TokenLifetime is how long a token of the built-in endpoint is good for (seed 000: expires_in 3600).
const TokenLifetime = time.Hour

// BuiltInIssuer is the issuer that the built-in endpoint's tokens name, and whom they are for.
const BuiltInIssuer = "creditgraph"

// leeway is by how much clocks may differ.
const leeway = 30 * time.Second

// Issuer signs and verifies the tokens of the built-in endpoint: JWTs under Ed25519, with a key that all
// replicas derive from the data key.
type Issuer struct {
	key   ed25519.PrivateKey
	mark  []byte // see [Issuer.Recognizes]
	now   func() time.Time
	parse *jwt.Parser
}

var _ Verifier = (*Issuer)(nil)

// NewIssuer makes an issuer from the data key.
func NewIssuer(dataKey []byte, clock func() time.Time) (*Issuer, error) {
	seed, err := hkdf.Key(sha256.New, dataKey, nil, "creditgraph token signing v1", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive the token key: %w", err)
	}
	mark, err := hkdf.Key(sha256.New, dataKey, nil, "creditgraph token mark v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key of marks: %w", err)
	}
	return &Issuer{
		key: ed25519.NewKeyFromSeed(seed), mark: mark, now: clock,
		parse: newParser(clock, BuiltInIssuer, BuiltInIssuer, jwt.SigningMethodEdDSA.Alg()),
	}, nil
}

// newParser checks all that a token has to say, whoever signed it.
func newParser(clock func() time.Time, issuer, audience string, algorithms ...string) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods(algorithms), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(clock),
	)
}

type claims struct {
	jwt.RegisteredClaims
	Scope    string `json:"scope"`
	Plan     string `json:"plan,omitempty"`
	Customer string `json:"creditgraph_customer,omitempty"` // a global id
}

// Issue makes a token that is bound to no customer and no plan.
func (i *Issuer) Issue(clientID string, scopes []Scope, lifetime time.Duration) (string, error) {
	return i.IssueTo(Client{ID: clientID}, scopes, lifetime)
}

// IssueTo makes a token for a client, with these of its scopes.
func (i *Issuer) IssueTo(client Client, scopes []Scope, lifetime time.Duration) (string, error) {
	now := i.now()
	c := claims{
		Scope: FormatScopes(scopes), Plan: client.Plan,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: BuiltInIssuer, Audience: jwt.ClaimStrings{BuiltInIssuer}, Subject: client.ID,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
		},
	}
	if client.Customer != "" {
		c.Customer = lending.GlobalID(lending.CustomerNode, client.Customer)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write a token: %w", err)
	}
	token.Header[markHeader] = i.markOf(token.EncodeSegment(payload))
	signed, err := token.SignedString(i.key)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

// markHeader names the part of a token's head that holds its mark.
const markHeader = "mrk"

// Recognizes reports whether a token carries our mark. That is no proof that it is good, and takes a hundredth of the
// time: tokens of ours can be told from made-up ones while somebody sends many of those.
func (i *Issuer) Recognizes(token string) bool {
	head, rest, _ := strings.Cut(token, ".")
	payload, _, ok := strings.Cut(rest, ".")
	if !ok || len(head) > maxHead {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return false
	}
	var marked struct {
		Mark string `json:"mrk"`
	}
	return json.Unmarshal(text, &marked) == nil && hmac.Equal([]byte(marked.Mark), []byte(i.markOf(payload)))
}

// maxHead is more than the head of a token of ours has.
const maxHead = 200

// markOf is the mark of a token with this payload.
func (i *Issuer) markOf(payload string) string {
	mac := hmac.New(sha256.New, i.mark)
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Verify implements [Verifier].
func (i *Issuer) Verify(text string) (*Principal, error) {
	var c claims
	_, err := i.parse.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return i.key.Public(), nil })
	if err == nil && c.Subject == "" {
		err = errors.New("no subject")
	}
	if err != nil {
		return nil, notGood(err)
	}
	p := &Principal{ClientID: c.Subject, Plan: c.Plan, ExpiresAt: c.ExpiresAt.Time}
	if p.Scopes, err = ParseScopes(c.Scope); err != nil {
		return nil, notGood(err)
	}
	if c.Customer != "" {
		if p.Customer, err = customerOf(c.Customer); err != nil {
			return nil, notGood(err)
		}
	}
	return p, nil
}

// customerOf reads the customer whom a token is bound to. What cannot be read is an error: without its bond
// the token would open everybody's data.
func customerOf(claim any) (lending.CustomerID, error) {
	text, ok := claim.(string)
	if !ok {
		return "", errors.New("the customer is not text")
	}
	id, err := lending.ParseID[lending.CustomerID](lending.CustomerNode, text)
	if err != nil {
		return "", fmt.Errorf("the customer: %w", err)
	}
	return id, nil
}

// notGood is how a token is refused. The cause is for our own log.
func notGood(cause error) error {
	message := "The token is not valid."
	if errors.Is(cause, jwt.ErrTokenExpired) {
		message = "The token has expired. Get a new one."
	}
	return &lending.Error{Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: message, Err: cause}
}
