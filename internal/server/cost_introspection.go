package server

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// usualCost is what the introspection query costs that tools send. What asks for half as much again costs
// as much more, and is refused.
const usualCost = 8000

// usualIntrospection is the query with which tools read the whole schema.
const usualIntrospection = `query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations args(includeDeprecated: true) { ...InputValue } isRepeatable }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL
  fields(includeDeprecated: true) {
    name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
  } } } } }
}`

// introspectionSizes are how many entries the lists of introspection have, on the average.
type introspectionSizes struct {
	entries map[string]float64
	usual   float64 // what the usual query asks for
}

func newIntrospectionSizes(schema *ast.Schema) *introspectionSizes {
	types := float64(len(schema.Types))
	var fields, arguments, inputs, values float64
	for _, t := range schema.Types {
		switch t.Kind {
		case ast.Object, ast.Interface:
			fields += float64(len(t.Fields))
			for _, f := range t.Fields {
				arguments += float64(len(f.Arguments))
			}
		case ast.InputObject:
			inputs += float64(len(t.Fields))
		case ast.Enum:
			values += float64(len(t.EnumValues))
		}
	}
	s := &introspectionSizes{entries: map[string]float64{
		"types": types, "directives": float64(len(schema.Directives)), "fields": fields / types,
		"args": arguments / max(fields, 1), "inputFields": inputs / types, "enumValues": values / types,
		"interfaces": 0.3, "possibleTypes": 0.3,
		"ofType": 0.5, // of most types nothing is wrapped
	}}
	usual, err := parser.ParseQuery(&ast.Source{Input: usualIntrospection})
	if err != nil {
		panic(err) // it stands above
	}
	s.usual = s.set(usual, usual.Operations[0].SelectionSet, map[string]float64{})
	return s
}

// price is the cost of one introspection. Among other fields it is the executor that answers it, in three times the time:
// the whole schema is to be asked for alone.
func (s *introspectionSizes) price(doc *ast.QueryDocument, f *ast.Field, among bool) int {
	asked := s.set(doc, ast.SelectionSet{f}, map[string]float64{})
	if among {
		asked *= 3
	}
	return int(min(1+asked*usualCost/s.usual, maxCost*1000))
}

// set counts what a selection set asks for. Each fragment is counted once.
func (s *introspectionSizes) set(doc *ast.QueryDocument, selections ast.SelectionSet, known map[string]float64) float64 {
	var sum float64
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			entries, isList := s.entries[it.Name]
			if !isList {
				entries = 1
			}
			sum += 1 + entries*s.set(doc, it.SelectionSet, known)
		case *ast.InlineFragment:
			sum += s.set(doc, it.SelectionSet, known)
		case *ast.FragmentSpread:
			if _, counted := known[it.Name]; !counted {
				if definition := doc.Fragments.ForName(it.Name); definition != nil {
					known[it.Name] = s.set(doc, definition.SelectionSet, known)
				}
			}
			sum += known[it.Name]
		}
	}
	return sum
}
