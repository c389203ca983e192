package server

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// directives are what the schema's directives do while a query runs.
func directives() graph.DirectiveRoot {
	return graph.DirectiveRoot{Requires: requires, Personal: personal}
}

// requires lets a field through for tokens with a scope. That a mutation was asked for is written down.
func requires(ctx context.Context, _ any, next graphql.Resolver, scope model.Scope) (any, error) {
	if graphql.GetFieldContext(ctx).Object != "Mutation" {
		return permitted(ctx, next, scope)
	}
	ended := bookOf(ctx).runs(ctx)
	value, err := permitted(ctx, owned(next), scope)
	ended(value, err)
	return value, err
}

// owned refuses a mutation to a customer's own token unless the schema lets such tokens send it.
func owned(next graphql.Resolver) graphql.Resolver {
	return func(ctx context.Context) (any, error) {
		mutation := graphql.GetFieldContext(ctx).Field.Definition
		if auth.From(ctx).Customer != "" && mutation.Directives.ForName("ownToken") == nil {
			return nil, notTheirs()
		}
		return next(ctx)
	}
}

// notTheirs is how a customer's own token is refused what is the lender's.
func notTheirs() error {
	return &lending.Error{Kind: lending.KindForbidden, Outcome: lending.NotExecuted, Message: "This is not open to a customer's own token."}
}

func permitted(ctx context.Context, next graphql.Resolver, scope model.Scope) (any, error) {
	if err := auth.Require(ctx, auth.Scope(scope)); err != nil {
		return nil, err
	}
	if scope == model.Operate && auth.From(ctx).Customer != "" {
		return nil, notTheirs()
	}
	return next(ctx)
}

// personal masks a personal identifier unless the token may see it. Showing it in full is written down.
func personal(ctx context.Context, object any, next graphql.Resolver, keep int, toOwner bool) (any, error) {
	value, err := next(ctx)
	if err != nil || isHandle(object) {
		return value, err
	}
	text, isText := textOf(value)
	if isText && text == "" {
		return value, nil
	}
	if auth.From(ctx).May(auth.ReadPII) || toOwner && isOwner(ctx) {
		bookOf(ctx).saw(ctx, object)
		return value, nil
	}
	if !isText || keep == 0 {
		return nil, nil // of another type than text nothing may show
	}
	if _, pointer := value.(*string); pointer {
		return new(mask(text, keep)), nil
	}
	return mask(text, keep), nil
}

// isOwner reports whether a field is shown to the customer's own token, which reaches nobody else's, or stands in the
// payload of a mutation that was sent just now: in the payload itself, or in what that holds.
func isOwner(ctx context.Context) bool {
	if auth.From(ctx).Customer != "" {
		return true
	}
	at := graphql.GetFieldContext(ctx).Parent
	for range 2 {
		if at != nil && at.Object == "Mutation" {
			return true
		}
		if at != nil {
			at = at.Parent
		}
	}
	return false
}

// textOf is what a field shows, where it is text; "" where it is null.
func textOf(value any) (text string, ok bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case *string:
		if value == nil {
			return "", true
		}
		return *value, true
	}
	return "", false
}

// isHandle reports whether an object is an identity that only names a customer's record at a provider. The
// bureau's is a BVN and Kredmint's a mobile number: those are personal.
func isHandle(object any) bool {
	var of lending.Provider
	switch identity := object.(type) {
	case *lending.Identity:
		of = identity.Provider
	case lending.Identity:
		of = identity.Provider
	}
	return of == lending.Kredete || of == lending.Carbon || of == lending.OnePipe
}

// mask hides all but the last keep characters: 22370756505 becomes *******6505. Text so short that the rest
// would tell it is hidden wholly. Of an e-mail address it leaves the first character and the domain.
func mask(text string, keep int) string {
	runes := []rune(text)
	if name, domain, found := strings.Cut(text, "@"); found && name != "" {
		return string(runes[0]) + "***@" + domain
	}
	if len(runes) < 2*keep {
		return strings.Repeat("*", len(runes))
	}
	return strings.Repeat("*", len(runes)-keep) + string(runes[len(runes)-keep:])
}
