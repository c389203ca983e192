// Package auth knows who asks: it issues and verifies bearer tokens, and carries the asker with the
// request. What a scope opens is written in the schema, by directive.
package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Scope is a permission.
type Scope string

// The scopes.
const (
	ReadCustomers  Scope = "read:customers"
	WriteCustomers Scope = "write:customers"
	ReadLoans      Scope = "read:loans"
	WriteLoans     Scope = "write:loans"
	ReadPayments   Scope = "read:payments"
	WritePayments  Scope = "write:payments"
	ReadScores     Scope = "read:scores"
	WriteScores    Scope = "write:scores"
	ReadReports    Scope = "read:reports"
	WriteReports   Scope = "write:reports"
	ReadSuppliers  Scope = "read:suppliers"
	WriteSuppliers Scope = "write:suppliers"
	ReadEvents     Scope = "read:events"
	ReadPII        Scope = "read:pii" // unmasked personal identifiers
	Operate        Scope = "operate"  // operators: operations of all, settling by hand, webhooks
)

// Scopes lists every scope.
func Scopes() []Scope {
	return []Scope{
		ReadCustomers, WriteCustomers, ReadLoans, WriteLoans, ReadPayments, WritePayments, ReadScores, WriteScores,
		ReadReports, WriteReports, ReadSuppliers, WriteSuppliers, ReadEvents, ReadPII, Operate,
	}
}

// The plans say how much a client may ask for. The names are those of Kredete's table (seed 000).
const (
	SandboxPlan      = "sandbox"
	StarterPlan      = "starter"
	ProfessionalPlan = "professional"
	EnterprisePlan   = "enterprise"
)

// Plans lists every plan, the smallest first.
func Plans() []string {
	return []string{SandboxPlan, StarterPlan, ProfessionalPlan, EnterprisePlan}
}

// ParseScopes reads scopes separated by spaces. A word that is no scope is an error that names it.
func ParseScopes(text string) ([]Scope, error) {
	var scopes []Scope
	for _, word := range strings.Fields(text) {
		scope := Scope(word)
		if !slices.Contains(Scopes(), scope) {
			return nil, &lending.Error{Kind: lending.KindValidation, Outcome: lending.NotExecuted, Message: "There is no scope " + clip(word) + "."}
		}
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, nil
}

func clip(word string) string {
	if len(word) > 40 {
		word = word[:40]
	}
	return strings.ToValidUTF8(word, "")
}

// FormatScopes writes scopes as OAuth does: separated by spaces.
func FormatScopes(scopes []Scope) string {
	words := make([]string, len(scopes))
	for i, scope := range scopes {
		words[i] = string(scope)
	}
	return strings.Join(words, " ")
}

// Principal is who asks.
type Principal struct {
	ClientID string
	Scopes   []Scope
	// Customer is the only customer whose data the principal may see; "" for one who may see all that the
	// scopes open.
	Customer lending.CustomerID
	// Plan is how much the principal may ask for, one of [Plans]; "" where the token names none.
	Plan      string
	ExpiresAt time.Time
}

// May reports whether the principal has a scope.
func (p *Principal) May(scope Scope) bool { return p != nil && slices.Contains(p.Scopes, scope) }

type contextKey struct{}

// With carries a principal with a request.
func With(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From is who asks; nil when nobody was authenticated.
func From(ctx context.Context) *Principal {
	p, _ := ctx.Value(contextKey{}).(*Principal)
	return p
}

// Require is nil when who asks has the scope; UNAUTHENTICATED or FORBIDDEN otherwise.
func Require(ctx context.Context, scope Scope) error {
	p := From(ctx)
	switch {
	case p == nil:
		return &lending.Error{Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: "Send a bearer token."}
	case !p.May(scope):
		return &lending.Error{Kind: lending.KindForbidden, Outcome: lending.NotExecuted, Message: "This needs the scope " + string(scope) + "."}
	}
	return nil
}
