package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// algorithms are those under which an identity provider may sign: with a private key that it alone has. Under
// HMAC its public keys would be secrets that anybody knows.
func algorithms() []string {
	return []string{jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg()}
}

// IdentityConfig says which identity provider's tokens are taken.
type IdentityConfig struct {
	JWKSURL  string
	Issuer   string // as its tokens name it, letter by letter
	Audience string // whom its tokens have to be for
	// CustomerClaim names the claim that binds a token to one customer, by the customer's global id.
	CustomerClaim string
	Clock         func() time.Time
	Logger        *slog.Logger
	// Client fetches the keys; one of its own where nil.
	Client *http.Client
	// RefreshEvery is how often the keys are fetched again, every 10 minutes where 0.
	RefreshEvery time.Duration
}

// IdentityProvider verifies the tokens of somebody else's identity provider, with the keys that it publishes.
type IdentityProvider struct {
	issuer        string
	customerClaim string
	keys          *keySet
	parse         *jwt.Parser
}

var _ Verifier = (*IdentityProvider)(nil)

// NewIdentityProvider makes one. Start begins to keep its keys; without it they are fetched when they are
// first needed.
func NewIdentityProvider(c IdentityConfig) *IdentityProvider {
	return &IdentityProvider{
		issuer: c.Issuer, customerClaim: c.CustomerClaim, keys: newKeySet(c),
		parse: newParser(c.Clock, c.Issuer, c.Audience, algorithms()...),
	}
}

// Start keeps the keys current, behind. It waits for nothing.
func (p *IdentityProvider) Start() { p.keys.start() }

// Stop ends what Start began. It is safe to call twice.
func (p *IdentityProvider) Stop() { p.keys.stop() }

// Verify implements [Verifier].
func (p *IdentityProvider) Verify(text string) (*Principal, error) {
	c := jwt.MapClaims{}
	_, err := p.parse.ParseWithClaims(text, c, p.keys.key)
	if errors.Is(err, errNoKeys) {
		return nil, &lending.Error{
			Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true, Err: err,
			Message: "Tokens cannot be checked at the moment: the identity provider's keys cannot be fetched. Try again later.",
		}
	}
	if err != nil {
		return nil, notGood(err)
	}
	principal, err := p.principal(c)
	if err != nil {
		return nil, notGood(err)
	}
	return principal, nil
}

// principal reads whom a good token stands for.
func (p *IdentityProvider) principal(c jwt.MapClaims) (*Principal, error) {
	subject, err := c.GetSubject()
	if err != nil || !isID(subject) {
		return nil, errors.New("the subject is no id")
	}
	if isClientID(subject) { // what clients did is found by their ids: nobody else may take one
		return nil, errors.New("the subject is a client of the built-in endpoint")
	}
	end, err := c.GetExpirationTime()
	if err != nil || end == nil {
		return nil, errors.New("the end cannot be read")
	}
	principal := &Principal{ClientID: subject, ExpiresAt: end.Time}
	if principal.Scopes, err = foreignScopes(c); err != nil {
		return nil, err
	}
	if plan, ok := c["plan"].(string); ok && slices.Contains(Plans(), plan) {
		principal.Plan = plan
	}
	if claim, bound := c[p.customerClaim]; bound {
		if principal.Customer, err = customerOf(claim); err != nil {
			return nil, err
		}
	}
	return principal, nil
}

// foreignScopes are the scopes that a token names in scope (RFC 8693) or scp, as text or as a list. Words that
// are no scopes here are those of other services, and open nothing.
func foreignScopes(c jwt.MapClaims) ([]Scope, error) {
	var scopes []Scope
	for _, name := range []string{"scope", "scp"} {
		words, err := wordsOf(c[name])
		if err != nil {
			return nil, fmt.Errorf("the claim %s: %w", name, err)
		}
		for _, word := range words {
			if scope := Scope(word); slices.Contains(Scopes(), scope) && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes, nil
}

// wordsOf takes a claim apart that is text with spaces, a list of texts, or not there.
func wordsOf(claim any) ([]string, error) {
	switch claim := claim.(type) {
	case nil:
		return nil, nil
	case string:
		return strings.Fields(claim), nil
	case []any:
		var words []string
		for _, one := range claim {
			word, ok := one.(string)
			if !ok {
				return nil, errors.New("not a list of texts")
			}
			words = append(words, word)
		}
		return words, nil
	}
	return nil, errors.New("neither text nor a list")
}
