package scalar

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// unknown is what every enum of an answer has for a value that the schema does not name.
const unknown = "UNKNOWN"

// maxListed is the most values that an error lists; of more, the schema is the better place to look.
const maxListed = 20

// enum carries one enum of the schema between GraphQL and a Go type whose values are the same names.
type enum[T ~string] struct {
	name   string
	values []T
}

// marshal writes a value; "" is null, and what the schema does not name is UNKNOWN.
func (e enum[T]) marshal(v T) graphql.Marshaler {
	switch {
	case v == "":
		return graphql.Null
	case slices.Contains(e.values, v):
		return graphql.MarshalString(string(v))
	}
	return graphql.MarshalString(unknown)
}

// unmarshal reads a value by its exact name; null is "". gqlparser lets a variable pass in any mixture
// of capital and small letters, and this does not.
func (e enum[T]) unmarshal(v any) (T, error) {
	if v == nil {
		return "", nil
	}
	if text, ok := v.(string); ok && slices.Contains(e.values, T(text)) {
		return T(text), nil
	}
	if len(e.values) > maxListed {
		return "", invalid("must be a value of the enum " + e.name)
	}
	names := make([]string, len(e.values))
	for i, value := range e.values {
		names[i] = string(value)
	}
	return "", invalid("must be one of " + strings.Join(names, ", "))
}
