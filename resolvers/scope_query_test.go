package resolvers_test

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// arguments are those that a root field needs, of values that its types allow.
func (w *walker) arguments(field *ast.FieldDefinition, id string) string {
	var given []string
	for _, arg := range field.Arguments {
		switch {
		case arg.Name == "id":
			given = append(given, fmt.Sprintf("id: %q", id))
		case arg.Name == "ids":
			given = append(given, fmt.Sprintf("ids: [%q]", id))
		case field.Name == "events" && arg.Name == "after" && field.Type.Name() == "EventEnvelope":
			given = append(given, fmt.Sprintf("after: %q", w.store.EventCursor(0)))
		case arg.Type.NonNull:
			given = append(given, arg.Name+": "+w.literal(arg.Type))
		}
	}
	if len(given) == 0 {
		return ""
	}
	return "(" + strings.Join(given, ", ") + ")"
}

// literal is a value of a type: of an input its required fields alone.
func (w *walker) literal(typ *ast.Type) string {
	if typ.Elem != nil {
		return "[" + w.literal(typ.Elem) + "]"
	}
	def := w.schema.Types[typ.NamedType]
	switch def.Kind {
	case ast.Enum:
		return def.EnumValues[0].Name
	case ast.InputObject:
		var fields []string
		for _, field := range def.Fields {
			if field.Type.NonNull {
				fields = append(fields, field.Name+": "+w.literal(field.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	if known := map[string]string{
		"Int": "1", "Decimal": `"1"`, "Date": `"2026-01-01"`, "DateTime": `"2026-01-01T00:00:00Z"`, "PhoneNumber": `"+2348012345678"`,
		"CurrencyCode": `"NGN"`, "Upload": `"UPLOAD"`,
	}[def.Name]; known != "" {
		return known
	}
	return `"x"`
}
