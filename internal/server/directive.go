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

// requires lets a field through for tokens with a scope.
func requires(ctx context.Context, _ any, next graphql.Resolver, scope model.Scope) (any, error) {
	if err := auth.Require(ctx, auth.Scope(scope)); err != nil {
		return nil, err
	}
	return next(ctx)
}

// personal masks a personal identifier unless the token may see it.
func personal(ctx context.Context, object any, next graphql.Resolver, keep int) (any, error) {
	value, err := next(ctx)
	if err != nil || auth.From(ctx).May(auth.ReadPII) || isHandle(object) {
		return value, err
	}
	switch text := value.(type) {
	case string:
		return mask(text, keep), nil
	case *string:
		if text == nil {
			return value, nil
		}
		return new(mask(*text, keep)), nil
	}
	return nil, nil // of another type than text nothing may show
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
// would tell it is hidden wholly.
func mask(text string, keep int) string {
	runes := []rune(text)
	if len(runes) < 2*keep {
		return strings.Repeat("*", len(runes))
	}
	return strings.Repeat("*", len(runes)-keep) + string(runes[len(runes)-keep:])
}
