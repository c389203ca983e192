//go:build unix

package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/schema"
)

// writer makes documents out of the schema's grammar: valid ones mostly, of the kinds that cost much. It asks for
// fields again and again, under names of their own or not, through fragments that spread fragments, in lists of
// lists, with directives and arguments, or with something wrong here and there.
type writer struct {
	*rand.Rand
	schema    *ast.Schema
	out       strings.Builder
	left      int // selections that may still be written
	greed     int // how many fields a set has at most
	again     int // how often one field is asked for at most
	fragments []*ast.Definition
}

func (w *writer) chance(percent int) bool { return w.IntN(100) < percent }

func (w *writer) upTo(n int) int { return w.IntN(n + 1) }

func pick[T any](w *writer, from ...T) T { return from[w.IntN(len(from))] }

// document writes one operation and the fragments that it uses.
func (w *writer) document() string {
	root := pick(w, w.schema.Query, w.schema.Query, w.schema.Mutation)
	w.out.WriteString(strings.ToLower(root.Name) + " Q { ")
	for range 1 + w.upTo(w.greed) {
		w.field(root, pick(w, root.Fields...), 1)
	}
	w.out.WriteString("}")
	for i := 0; i < len(w.fragments); i++ { // writing one may ask for more
		fmt.Fprintf(&w.out, " fragment F%d on %s { ", i, w.fragments[i].Name)
		w.selections(w.fragments[i], 4)
		w.out.WriteString("}")
	}
	return w.out.String()
}

func (w *writer) selections(of *ast.Definition, depth int) {
	w.out.WriteString("__typename ")
	for range 1 + w.upTo(w.greed) {
		w.left--
		switch {
		case w.left <= 0:
			return
		case w.chance(15) && of.Kind != ast.Union:
			w.out.WriteString("... on " + of.Name + " { ")
			w.selections(of, depth+1)
			w.out.WriteString("} ")
		case w.chance(25):
			w.spread(of)
		case len(of.Fields) > 0:
			field := pick(w, of.Fields...)
			for range 1 + w.upTo(w.again) {
				w.field(of, field, depth)
			}
		}
	}
}

// spread spreads a fragment on a type: one that there is, which may make a circle, or a new one.
func (w *writer) spread(of *ast.Definition) {
	for i, known := range w.fragments {
		if known == of && w.chance(60) {
			fmt.Fprintf(&w.out, "...F%d ", i)
			return
		}
	}
	if len(w.fragments) < 12 {
		w.fragments = append(w.fragments, of)
		fmt.Fprintf(&w.out, "...F%d ", len(w.fragments)-1)
	}
}

func (w *writer) field(of *ast.Definition, f *ast.FieldDefinition, depth int) {
	below := w.schema.Types[f.Type.Name()]
	composite := below.IsCompositeType()
	if composite && depth > 14 || w.left <= 0 || of.Name == "Mutation" && w.chance(50) {
		return
	}
	w.left--
	if w.chance(20) {
		fmt.Fprintf(&w.out, "a%d: ", w.upTo(80))
	}
	w.out.WriteString(f.Name)
	w.arguments(f)
	if w.chance(5) {
		w.out.WriteString(" @include(if: true)")
	}
	if composite {
		w.out.WriteString(" { ")
		w.selections(below, depth+1)
		w.out.WriteString("}")
	}
	w.out.WriteString(" ")
}

func (w *writer) arguments(f *ast.FieldDefinition) {
	var given []string
	for _, a := range f.Arguments {
		if a.Type.NonNull || w.chance(40) {
			given = append(given, a.Name+": "+w.value(a.Type, 0))
		}
	}
	if len(given) > 0 {
		w.out.WriteString("(" + strings.Join(given, ", ") + ")")
	}
}

func (w *writer) value(t *ast.Type, depth int) string {
	if w.chance(2) {
		return pick(w, "null", "1e9", `""`, "[]", "{}", "X", "[[[]]]", "9999999999")
	}
	if t.Elem != nil {
		var entries []string
		for range w.upTo(pick(w, 2, 100)) {
			entries = append(entries, w.value(t.Elem, depth+1))
		}
		return "[" + strings.Join(entries, ", ") + "]"
	}
	of := w.schema.Types[t.NamedType]
	switch {
	case of.Kind == ast.Enum:
		return pick(w, of.EnumValues...).Name
	case of.Kind == ast.InputObject:
		var fields []string
		for _, f := range of.Fields {
			if depth < 5 && (f.Type.NonNull || w.chance(30)) {
				fields = append(fields, f.Name+": "+w.value(f.Type, depth+1))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	return map[string]string{
		"Int": fmt.Sprint(pick(w, 1, 2, 20, 50, 100, 101)), "Float": "1.5", "Boolean": "true",
		"Date": `"2026-04-16"`, "DateTime": `"2026-04-16T00:00:00Z"`, "Duration": `"PT5M"`, "PhoneNumber": `"+2348012345678"`,
		"Decimal": `"1.00"`, "CurrencyCode": `"NGN"`, "Int64": `"1"`, "ID": `"Q3VzdG9tZXI6YzE"`, "String": `"x"`, "JSON": `"x"`, "Upload": `"x"`,
	}[of.Name]
}

// grammar is the schema as the service has it.
func grammar(t testing.TB) *ast.Schema {
	t.Helper()
	files, err := schema.Files()
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, file := range files {
		sources = append(sources, &ast.Source{Name: file.Name, Input: file.Text})
	}
	loaded, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range []*ast.Definition{loaded.Query, loaded.Mutation} { // what is on every root by itself
		var fields ast.FieldList
		for _, f := range root.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				fields = append(fields, f)
			}
		}
		root.Fields = fields
	}
	return loaded
}

// FuzzDocumentsOfTheGrammar does not run beside other tests: it measures the CPU of the whole program. What a document
// costs is measured from its request to its answer, over records that have nothing.
func FuzzDocumentsOfTheGrammar(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	b := setup(f)
	token := b.token(auth.ReadCustomers, auth.ReadLoans, auth.ReadPayments, auth.ReadScores, auth.ReadReports, auth.ReadSuppliers, auth.Operate)
	loaded := grammar(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		b := *b
		b.TB = t
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 0)), schema: loaded}
		w.left, w.greed, w.again = pick(w, 30, 300, 1500), pick(w, 2, 5, 12), pick(w, 0, 2, 30)
		text := w.document()
		var answer *httptest.ResponseRecorder
		took := cheapest(t, abuseBudget, func() { answer = b.recorded(asking(text), token) })
		if took > abuseBudget {
			t.Errorf("it took %v: %s", took, text)
		}
		if answer.Code >= 500 {
			t.Errorf("it broke something: %s: %s", answer.Body, text)
		}
	})
}
