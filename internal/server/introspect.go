package server

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/vektah/gqlparser/v2/ast"
)

// introspected answers operations that ask for the schema and for nothing else, in one walk. The executor gives the
// same answer, and resolves each of its tens of thousands of fields as if it had to be waited for.
func introspected(schema *ast.Schema) graphql.OperationMiddleware {
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		op := graphql.GetOperationContext(ctx)
		if op.Operation == nil || op.Operation.Operation != ast.Query || !introspectsAlone(op.Doc, op.Operation.SelectionSet) {
			return next(ctx)
		}
		return graphql.OneShot(reportCost(ctx, func(context.Context) *graphql.Response {
			w := &schemaWriter{op: op}
			w.query(introspection.WrapSchema(schema), schema, w.plan(op.Operation.SelectionSet, "Query"))
			return &graphql.Response{Data: w.out.Bytes()}
		}))
	}
}

// introspectsAlone reports whether a selection of the root has fields of introspection and no others. That fragments
// make no circle was seen when the document was measured.
func introspectsAlone(doc *ast.QueryDocument, selections ast.SelectionSet) bool {
	for _, selection := range selections {
		alone := false
		switch it := selection.(type) {
		case *ast.Field:
			alone = strings.HasPrefix(it.Name, "__")
		case *ast.InlineFragment:
			alone = introspectsAlone(doc, it.SelectionSet)
		case *ast.FragmentSpread:
			definition := doc.Fragments.ForName(it.Name)
			alone = definition != nil && introspectsAlone(doc, definition.SelectionSet)
		}
		if !alone {
			return false
		}
	}
	return true
}

// schemaField is a field to write. Which fields an object of introspection has is known beforehand, as no type there is
// an interface: each set is collected once and written for all objects.
type schemaField struct {
	name       string
	of         string // the type that it is asked of
	key        []byte // its alias in quotes, with a colon
	typ        string // the name that a __type is asked for by
	deprecated bool   // deprecated entries are wanted too
	below      []schemaField
}

// schemaWriter writes the answer to one operation.
type schemaWriter struct {
	op  *graphql.OperationContext
	out bytes.Buffer
}

// plan collects the fields of a selection of a type, and of all below it.
func (w *schemaWriter) plan(selections ast.SelectionSet, of string) []schemaField {
	var plan []schemaField
	for _, field := range graphql.CollectFields(w.op, selections, []string{of}) {
		f := schemaField{name: field.Name, of: of, key: append(quoted(field.Alias), ':')}
		arguments := field.ArgumentMap(w.op.Variables)
		f.typ, _ = arguments["name"].(string)
		f.deprecated, _ = arguments["includeDeprecated"].(bool)
		if len(field.Selections) > 0 {
			f.below = w.plan(field.Selections, field.Definition.Type.Name())
		}
		plan = append(plan, f)
	}
	return plan
}

// quoted is a text as JSON has it.
func quoted(text string) []byte {
	written, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return written
}

// object writes an object, whose fields write puts out.
func (w *schemaWriter) object(plan []schemaField, write func(f schemaField)) {
	w.out.WriteByte('{')
	for i, f := range plan {
		if i > 0 {
			w.out.WriteByte(',')
		}
		w.out.Write(f.key)
		if f.name == "__typename" {
			w.text(f.of)
		} else {
			write(f)
		}
	}
	w.out.WriteByte('}')
}

// all writes a list.
func all[T any](w *schemaWriter, list []T, write func(*T)) {
	w.out.WriteByte('[')
	for i := range list {
		if i > 0 {
			w.out.WriteByte(',')
		}
		write(&list[i])
	}
	w.out.WriteByte(']')
}

func (w *schemaWriter) text(text string) { w.out.Write(quoted(text)) }

// perhaps writes a text that may be missing.
func (w *schemaWriter) perhaps(text *string) {
	if text == nil {
		w.out.WriteString("null")
		return
	}
	w.text(*text)
}

func (w *schemaWriter) bool(b bool) {
	if b {
		w.out.WriteString("true")
		return
	}
	w.out.WriteString("false")
}

func (w *schemaWriter) query(s *introspection.Schema, types *ast.Schema, plan []schemaField) {
	w.object(plan, func(f schemaField) {
		if f.name == "__type" {
			w.typ(introspection.WrapTypeFromDef(types, types.Types[f.typ]), f.below)
			return
		}
		w.schema(s, f.below)
	})
}

func (w *schemaWriter) schema(s *introspection.Schema, plan []schemaField) {
	w.object(plan, func(f schemaField) {
		switch f.name {
		case "description":
			w.perhaps(s.Description())
		case "types":
			all(w, s.Types(), func(t *introspection.Type) { w.typ(t, f.below) })
		case "queryType":
			w.typ(s.QueryType(), f.below)
		case "mutationType":
			w.typ(s.MutationType(), f.below)
		case "subscriptionType":
			w.typ(s.SubscriptionType(), f.below)
		case "directives":
			all(w, s.Directives(), func(d *introspection.Directive) { w.directive(d, f.below) })
		}
	})
}

func (w *schemaWriter) typ(t *introspection.Type, plan []schemaField) {
	if t == nil {
		w.out.WriteString("null")
		return
	}
	w.object(plan, func(f schemaField) {
		switch f.name {
		case "kind":
			w.text(t.Kind())
		case "name":
			w.perhaps(t.Name())
		case "description":
			w.perhaps(t.Description())
		case "specifiedByURL":
			w.perhaps(t.SpecifiedByURL())
		case "isOneOf":
			w.bool(t.IsOneOf())
		case "ofType":
			w.typ(t.OfType(), f.below)
		case "fields":
			all(w, t.Fields(f.deprecated), func(field *introspection.Field) { w.field(field, f.below) })
		case "inputFields":
			all(w, t.InputFields(), func(v *introspection.InputValue) { w.input(v, f.below) })
		case "enumValues":
			all(w, t.EnumValues(f.deprecated), func(v *introspection.EnumValue) { w.enumValue(v, f.below) })
		case "interfaces":
			all(w, t.Interfaces(), func(t *introspection.Type) { w.typ(t, f.below) })
		case "possibleTypes":
			all(w, t.PossibleTypes(), func(t *introspection.Type) { w.typ(t, f.below) })
		}
	})
}

func (w *schemaWriter) field(field *introspection.Field, plan []schemaField) {
	w.object(plan, func(f schemaField) {
		switch f.name {
		case "name":
			w.text(field.Name)
		case "description":
			w.perhaps(field.Description())
		case "args":
			all(w, field.Args, func(v *introspection.InputValue) { w.input(v, f.below) })
		case "type":
			w.typ(field.Type, f.below)
		case "isDeprecated":
			w.bool(field.IsDeprecated())
		case "deprecationReason":
			w.perhaps(field.DeprecationReason())
		}
	})
}

func (w *schemaWriter) input(v *introspection.InputValue, plan []schemaField) {
	w.object(plan, func(f schemaField) {
		switch f.name {
		case "name":
			w.text(v.Name)
		case "description":
			w.perhaps(v.Description())
		case "type":
			w.typ(v.Type, f.below)
		case "defaultValue":
			w.perhaps(v.DefaultValue)
		case "isDeprecated":
			w.bool(v.IsDeprecated())
		case "deprecationReason":
			w.perhaps(v.DeprecationReason())
		}
	})
}

func (w *schemaWriter) enumValue(v *introspection.EnumValue, plan []schemaField) {
	w.object(plan, func(f schemaField) {
		switch f.name {
		case "name":
			w.text(v.Name)
		case "description":
			w.perhaps(v.Description())
		case "isDeprecated":
			w.bool(v.IsDeprecated())
		case "deprecationReason":
			w.perhaps(v.DeprecationReason())
		}
	})
}

func (w *schemaWriter) directive(d *introspection.Directive, plan []schemaField) {
	w.object(plan, func(f schemaField) {
		switch f.name {
		case "name":
			w.text(d.Name)
		case "description":
			w.perhaps(d.Description())
		case "locations":
			all(w, d.Locations, func(location *string) { w.text(*location) })
		case "args":
			all(w, d.Args, func(v *introspection.InputValue) { w.input(v, f.below) })
		case "isRepeatable":
			w.bool(d.IsRepeatable)
		}
	})
}
