package auth

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// TokenLifetime is how long a token of the built-in endpoint is good for (seed 000: expires_in 3600).
const TokenLifetime = time.Hour

// audience is whom the tokens are for.
const audience = "creditgraph"

// Issuer signs and verifies the tokens of the built-in endpoint: JWTs under Ed25519, with a key that all
// replicas derive from the data key.
type Issuer struct {
	key   ed25519.PrivateKey
	now   func() time.Time
	parse *jwt.Parser
}

// NewIssuer makes an issuer from the data key.
func NewIssuer(dataKey []byte, clock func() time.Time) (*Issuer, error) {
	seed, err := hkdf.Key(sha256.New, dataKey, nil, "creditgraph token signing v1", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive the token key: %w", err)
	}
	return &Issuer{
		key: ed25519.NewKeyFromSeed(seed), now: clock,
		parse: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithAudience(audience), jwt.WithIssuer(audience),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(30*time.Second), jwt.WithTimeFunc(clock),
		),
	}, nil
}

type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

// Issue makes a token for a client.
func (i *Issuer) Issue(clientID string, scopes []Scope, lifetime time.Duration) (string, error) {
	now := i.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		Scope: FormatScopes(scopes),
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: audience, Audience: jwt.ClaimStrings{audience}, Subject: clientID,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
		},
	}).SignedString(i.key)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}

// Verify reads a token; UNAUTHENTICATED, with a reason for people, when it is not good.
func (i *Issuer) Verify(text string) (*Principal, error) {
	var c claims
	_, err := i.parse.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return i.key.Public(), nil })
	if err == nil && c.Subject == "" {
		err = errors.New("no subject")
	}
	if err != nil {
		message := "The token is not valid."
		if errors.Is(err, jwt.ErrTokenExpired) {
			message = "The token has expired. Get a new one."
		}
		return nil, &lending.Error{Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: message, Err: err}
	}
	scopes, err := ParseScopes(c.Scope)
	if err != nil {
		return nil, &lending.Error{Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: "The token is not valid.", Err: err}
	}
	return &Principal{ClientID: c.Subject, Scopes: scopes, ExpiresAt: c.ExpiresAt.Time}, nil
}
