package server

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/creditgraph/creditgraph/graph"
)

var updatePage = flag.Bool("update", false, "write docs/operations.md instead of comparing it")

// TestOperationsPage holds docs/operations.md to the schema and to the operations in examples.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "operations.md")
	want := newOperationsPage(t).text()
	if *updatePage {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the page is not what the schema says; run make docs\n%s", diff)
	}
}

// TestOperationsPageIsWhole wants the page to have each field of the roots, and each operation of examples once.
func TestOperationsPageIsWhole(t *testing.T) {
	t.Parallel()
	page := newOperationsPage(t)
	text := page.text()
	for _, root := range []*ast.Definition{page.guard.schema.Query, page.guard.schema.Mutation, page.guard.schema.Subscription} {
		for _, field := range root.Fields {
			if heading := "### " + field.Name + "\n"; !strings.HasPrefix(field.Name, "__") && !strings.Contains(text, heading) {
				t.Errorf("%s.%s is missing", root.Name, field.Name)
			}
		}
	}
	if len(page.sent) != 27 {
		t.Errorf("there are %d operations, want the contract's 27", len(page.sent))
	}
	for _, sent := range page.sent {
		if line := "| `" + sent.op.Name + "` |"; strings.Count(text, line) != 1 {
			t.Errorf("%s is there %d times, want once", sent.op.Name, strings.Count(text, line))
		}
	}
}

// operationsPage is what the page is made of.
type operationsPage struct {
	guard *guard
	sent  []sentOperation
	b     strings.Builder
}

// sentOperation is an operation of examples with the variables that it is sent with.
type sentOperation struct {
	file string
	op   *ast.OperationDefinition
	cost int
}

// newOperationsPage reads, validates and prices the operations.
func newOperationsPage(t *testing.T) *operationsPage {
	t.Helper()
	page := &operationsPage{guard: newGuard(graph.NewExecutableSchema(graph.Config{}).Schema(), nil)}
	folder := filepath.Join("..", "..", "examples", "operations")
	variables := readVariables(t, filepath.Join(folder, "variables.json"))
	files, err := filepath.Glob(filepath.Join(folder, "*.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := parser.ParseQuery(&ast.Source{Name: file, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		if errs := validator.ValidateWithRules(page.guard.schema, doc, nil); len(errs) > 0 {
			t.Fatal(errs)
		}
		for _, op := range doc.Operations {
			given, known := variables[op.Name]
			if !known {
				t.Errorf("%s: variables.json has nothing for %s", file, op.Name)
			}
			c, err := page.guard.price(doc, op, given)
			if err != nil {
				t.Errorf("%s: %v", op.Name, err)
			}
			page.sent = append(page.sent, sentOperation{filepath.Base(file), op, c.requested})
		}
	}
	slices.SortFunc(page.sent, func(a, b sentOperation) int { return cmp.Compare(a.op.Name, b.op.Name) })
	return page
}

func readVariables(t *testing.T, path string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var variables map[string]map[string]any
	if err := json.Unmarshal(text, &variables); err != nil {
		t.Fatal(err)
	}
	return variables
}

const operationsPageHead = `# Operations

<!-- Made from schema/ and examples/operations by the tests of internal/server. Change them there and run: make docs -->

Every query, mutation and subscription of the graph: what it does, what it takes, and the scope that a token has to have
for it. Fields below may need scopes of their own; ` + "`creditgraph schema`" + ` prints all of them with ` + "`@requires`" + `.

A field costs 1, and what is below a list costs as many times as the list may have entries: ` + "`first` or `last`" + `, or %d where
neither is given. A mutation costs %d more. An operation may cost %d; ` + "`extensions.cost`" + ` of each answer says what it did.
The costs below are those of the operations in [examples/operations](../examples/operations), with the variables that stand there.
`

func (p *operationsPage) text() string {
	p.b.Reset()
	fmt.Fprintf(&p.b, operationsPageHead, defaultPage, mutationCost, maxCost)
	schema := p.guard.schema
	p.section("Queries", ast.Query, schema.Query)
	p.section("Mutations", ast.Mutation, schema.Mutation)
	p.section("Subscriptions", ast.Subscription, schema.Subscription)
	return p.b.String()
}

func (p *operationsPage) section(title string, kind ast.Operation, root *ast.Definition) {
	fmt.Fprintf(&p.b, "\n## %s\n\n%s\n", title, oneLine(root.Description))
	fields := slices.SortedFunc(slices.Values(root.Fields), func(a, b *ast.FieldDefinition) int { return cmp.Compare(a.Name, b.Name) })
	for _, field := range fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		fmt.Fprintf(&p.b, "\n### %s\n\n%s\n\nIt answers `%s` and needs %s.\n", field.Name, oneLine(field.Description), field.Type, scopeNeeded(field))
		p.arguments(field)
		p.sentAs(kind, field.Name)
	}
}

// arguments lists them; an input stands there with its fields, for nobody needs its name alone.
func (p *operationsPage) arguments(field *ast.FieldDefinition) {
	if len(field.Arguments) == 0 {
		return
	}
	p.b.WriteString("\n| argument | type | |\n|---|---|---|\n")
	for _, argument := range field.Arguments {
		p.argument(argument.Name, argument.Type, argument.DefaultValue, argument.Description)
		if argument.Name != "input" {
			continue
		}
		for _, part := range p.guard.schema.Types[argument.Type.Name()].Fields {
			p.argument("input."+part.Name, part.Type, part.DefaultValue, part.Description)
		}
	}
}

func (p *operationsPage) argument(name string, kind *ast.Type, otherwise *ast.Value, description string) {
	text := "`" + kind.String() + "`"
	if otherwise != nil {
		text += " = `" + otherwise.String() + "`"
	}
	fmt.Fprintf(&p.b, "| `%s` | %s | %s |\n", name, text, strings.ReplaceAll(oneLine(description), "|", "\\|"))
}

// sentAs lists the operations of examples that begin with a field.
func (p *operationsPage) sentAs(kind ast.Operation, field string) {
	head := "\n| sent as | in | cost |\n|---|---|---|\n"
	for _, sent := range p.sent {
		first, ok := sent.op.SelectionSet[0].(*ast.Field)
		if !ok || sent.op.Operation != kind || first.Name != field {
			continue
		}
		fmt.Fprintf(&p.b, "%s| `%s` | [%s](../examples/operations/%s) | %d |\n", head, sent.op.Name, sent.file, sent.file, sent.cost)
		head = ""
	}
}

// scopeNeeded says the scope in the words that stand in tokens.
func scopeNeeded(field *ast.FieldDefinition) string {
	requires := field.Directives.ForName("requires")
	if requires == nil {
		return "a token, whatever its scopes"
	}
	scope := strings.ToLower(requires.Arguments.ForName("scope").Value.Raw)
	return "`" + strings.Replace(scope, "_", ":", 1) + "`"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
