package graph_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

const examples = "../examples/operations"

// example is one operation that users send, with the fragments that it uses.
type example struct {
	name string
	file string
	text string
}

// loadExamples takes the documents apart into single operations, by name.
func loadExamples(t *testing.T) map[string]example {
	t.Helper()
	all := map[string]example{}
	for _, file := range []string{"mobile.graphql", "web.graphql", "analyst.graphql"} {
		text, err := os.ReadFile(filepath.Join(examples, file))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := parser.ParseQuery(&ast.Source{Name: file, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range doc.Operations {
			all[op.Name] = example{name: op.Name, file: file, text: cut(string(text), doc, op)}
		}
	}
	return all
}

// cut is the text of one operation and of the fragments that it uses.
func cut(text string, doc *ast.QueryDocument, op *ast.OperationDefinition) string {
	used := map[string]bool{}
	collectFragments(doc, op.SelectionSet, used)
	starts := []int{len(text)}
	for _, o := range doc.Operations {
		starts = append(starts, byteOffset(text, o.Position.Start))
	}
	for _, f := range doc.Fragments {
		starts = append(starts, byteOffset(text, f.Position.Start))
	}
	slices.Sort(starts)
	piece := func(start int) string {
		at, _ := slices.BinarySearch(starts, start)
		return text[start:starts[at+1]] + "\n"
	}
	result := piece(byteOffset(text, op.Position.Start))
	for _, f := range doc.Fragments {
		if used[f.Name] {
			result += piece(byteOffset(text, f.Position.Start))
		}
	}
	return result
}

// byteOffset turns a position in characters, as gqlparser counts, into one in bytes.
func byteOffset(text string, runes int) int { return len(string([]rune(text)[:runes])) }

func collectFragments(doc *ast.QueryDocument, set ast.SelectionSet, used map[string]bool) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			collectFragments(doc, s.SelectionSet, used)
		case *ast.InlineFragment:
			collectFragments(doc, s.SelectionSet, used)
		case *ast.FragmentSpread:
			if !used[s.Name] {
				used[s.Name] = true
				collectFragments(doc, doc.Fragments.ForName(s.Name).SelectionSet, used)
			}
		}
	}
}

// loadVariables reads what users send with each operation. A key may name a case: "LinkCustomer (bureau)".
func loadVariables(t *testing.T) map[string]map[string]any {
	t.Helper()
	file, err := os.Open(filepath.Join(examples, "variables.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	var all map[string]map[string]any
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, variables := range all {
		if input, ok := variables["input"].(map[string]any); ok && input["file"] == "<upload>" {
			input["file"] = graphql.Upload{File: strings.NewReader("%PDF"), Filename: "invoice.pdf", Size: 4, ContentType: "application/pdf"}
		}
	}
	return all
}

func TestEveryExampleIsValid(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	operations := loadExamples(t)
	if len(operations) < 24 {
		t.Fatalf("only %d operations were found", len(operations))
	}
	for name, e := range operations {
		doc, err := parser.ParseQuery(&ast.Source{Name: e.file, Input: e.text})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if errs := validator.ValidateWithRules(s, doc, rules.NewDefaultRules()); len(errs) > 0 {
			t.Errorf("%s in %s: %v", name, e.file, errs)
		}
	}
}

func TestVariablesOfEveryExampleAreValid(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	operations, sent := loadExamples(t), map[string]bool{}
	for label, variables := range loadVariables(t) {
		name, _, _ := strings.Cut(label, " ")
		sent[name] = true
		doc, err := parser.ParseQuery(&ast.Source{Input: operations[name].text})
		if err != nil || len(doc.Operations) != 1 {
			t.Errorf("%s: no such operation", label)
			continue
		}
		if errs := validator.ValidateWithRules(s, doc, rules.NewDefaultRules()); len(errs) > 0 {
			t.Errorf("%s: %v", label, errs)
			continue
		}
		if _, err := validator.VariableValues(s, doc.Operations[0], variables); err != nil {
			t.Errorf("%s: %v", label, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		if !sent[name] {
			t.Errorf("%s has no variables in variables.json", name)
		}
	}
}
