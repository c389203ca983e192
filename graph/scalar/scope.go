package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/graph/model"
)

var errScope = invalid("must be a value of the enum Scope")

// MarshalScope writes the enum Scope.
func MarshalScope(v model.Scope) graphql.Marshaler { return MarshalText(v.EnumValue()) }

// UnmarshalScope reads the enum Scope.
func UnmarshalScope(v any) (model.Scope, error) {
	for _, scope := range model.Scopes() {
		if v == scope.EnumValue() {
			return scope, nil
		}
	}
	return "", errScope
}
