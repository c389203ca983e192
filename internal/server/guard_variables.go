package server

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

const (
	// maxValues is how many values the variables of one request may have, one in another counted too.
	maxValues = 2000
	// maxNesting is how deep the JSON of a request may nest, the request itself included.
	maxNesting = maxValueDepth + 4
)

// tooManyValues reports whether JSON nests deeper or holds more than a request may, before anything is made of it.
// It counts what opens and separates, outside of texts; whether it is JSON is for the decoder to say.
func tooManyValues(body []byte) bool {
	depth, separators, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			separators++
		case c == ']' || c == '}':
			depth--
		case c == ',':
			separators++
		}
		if depth > maxNesting || separators > 2*maxValues {
			return true
		}
	}
	return false
}

// checkValues refuses variables that are larger than they may be, or hold text that no database keeps.
func checkValues(variables map[string]any) error {
	left := maxValues
	for name, value := range variables {
		if err := checkValue(value, 1, &left); err != nil {
			return err
		}
		if !isText(name) {
			return errNotText
		}
	}
	return nil
}

var errNotText = invalid("The variables have a text with a NUL character, or one that is not UTF-8.")

func isText(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

func checkValue(value any, depth int, left *int) error {
	*left--
	switch {
	case *left < 0:
		return tooMuch("The variables have more than %d values.", maxValues)
	case depth > maxValueDepth:
		return tooMuch("The variables nest deeper than %d levels.", maxValueDepth)
	}
	switch value := value.(type) {
	case string:
		if !isText(value) {
			return errNotText
		}
	case []any:
		if len(value) > maxListed {
			return tooMuch("A list in the variables has more than %d entries.", maxListed)
		}
		for _, entry := range value {
			if err := checkValue(entry, depth+1, left); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, entry := range value {
			if !isText(name) {
				return errNotText
			}
			if err := checkValue(entry, depth+1, left); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkVariables holds variables to the specification where gqlparser does not: Int has 32 bits and is no text,
// Float is no text, enum values are written as in the schema, and @oneOf has one field that is not null.
func checkVariables(schema *ast.Schema, op *graphql.OperationContext) gqlerror.List {
	for _, definition := range op.Operation.VariableDefinitions {
		value, given := op.Variables[definition.Variable]
		if !given {
			continue
		}
		if says := misfit(schema, definition.Type, value); says != "" {
			return told(invalid("$%s: %s", definition.Variable, says))
		}
	}
	return nil
}

// misfit says what is wrong with a value for a type; "" where nothing is.
func misfit(schema *ast.Schema, t *ast.Type, value any) string {
	if value == nil {
		return "" // where it may not be null gqlparser has refused it
	}
	if t.Elem != nil {
		list := reflect.ValueOf(value) // of any type: gqlparser makes one of a value that stands alone
		if list.Kind() != reflect.Slice {
			return misfit(schema, t.Elem, value)
		}
		for i := range list.Len() {
			if says := misfit(schema, t.Elem, list.Index(i).Interface()); says != "" {
				return strconv.Itoa(i) + ": " + says
			}
		}
		return ""
	}
	definition := schema.Types[t.NamedType]
	switch {
	case definition.Kind == ast.InputObject:
		return misfitObject(schema, definition, value)
	case definition.Kind == ast.Enum:
		if text, ok := value.(string); !ok || definition.EnumValues.ForName(text) == nil {
			return "there is no such value of " + definition.Name + "."
		}
	case definition.Name == "Int" && !isInt(value):
		return "give a whole number of 32 bits, without quotes."
	case definition.Name == "Float" && isPlainText(value):
		return "give a number, without quotes."
	}
	return ""
}

func misfitObject(schema *ast.Schema, definition *ast.Definition, value any) string {
	object, ok := value.(map[string]any)
	if !ok {
		return "" // gqlparser has refused it
	}
	given := 0
	for _, field := range definition.Fields {
		entry, ok := object[field.Name]
		if !ok {
			continue
		}
		given++
		if says := misfit(schema, field.Type, entry); says != "" {
			return field.Name + ": " + says
		}
		if entry == nil {
			given++ // for @oneOf as wrong as two
		}
	}
	if definition.Directives.ForName("oneOf") != nil && given != 1 {
		return "give exactly one field of " + definition.Name + "."
	}
	return ""
}

func isInt(value any) bool {
	switch n := value.(type) {
	case json.Number:
		_, err := strconv.ParseInt(n.String(), 10, 32)
		return err == nil
	case int64:
		return n >= math.MinInt32 && n <= math.MaxInt32
	case int:
		return n >= math.MinInt32 && n <= math.MaxInt32
	}
	return false
}

func isPlainText(value any) bool {
	_, ok := value.(string)
	return ok
}

// intsHave32Bits is a rule of validation: a whole number in the document has to fit where it stands.
func intsHave32Bits(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Kind != ast.IntValue || value.Definition == nil || value.Definition.Name != "Int" {
			return
		}
		if _, err := strconv.ParseInt(value.Raw, 10, 32); err != nil {
			addError(core.Message("Int cannot represent a whole number of more than 32 bits."), core.At(value.Position))
		}
	})
}
