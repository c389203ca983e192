package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// examples is where the operations lie that users send.
const examples = "../../examples/operations"

// document is the text of one operation of the examples, with the fragments that it uses.
func document(t *testing.T, operation string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(examples, "*.graphql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseQuery(&ast.Source{Name: file, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		if op := parsed.Operations.ForName(operation); op != nil {
			alone := &ast.QueryDocument{Operations: ast.OperationList{op}}
			addFragments(alone, parsed, op.SelectionSet)
			var out strings.Builder
			formatter.NewFormatter(&out).FormatQueryDocument(alone)
			return out.String()
		}
	}
	t.Fatalf("no example is called %s", operation)
	return ""
}

// addFragments takes over the fragments that a selection uses, and those that they use.
func addFragments(to, from *ast.QueryDocument, selections ast.SelectionSet) {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			addFragments(to, from, s.SelectionSet)
		case *ast.InlineFragment:
			addFragments(to, from, s.SelectionSet)
		case *ast.FragmentSpread:
			if to.Fragments.ForName(s.Name) != nil {
				continue
			}
			fragment := from.Fragments.ForName(s.Name)
			to.Fragments = append(to.Fragments, fragment)
			addFragments(to, from, fragment.SelectionSet)
		}
	}
}

// variables are those that the examples send with an operation ("LinkCustomer (bureau)"), with ids in the
// place of "<customer>" and the like.
func variables(t *testing.T, example string, ids map[string]string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(examples, "variables.json"))
	if err != nil {
		t.Fatal(err)
	}
	for placeholder, id := range ids {
		text = bytes.ReplaceAll(text, []byte("<"+placeholder+">"), []byte(id))
	}
	var all map[string]map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	found, ok := all[example]
	if !ok {
		t.Fatalf("the examples have no variables for %s", example)
	}
	return found
}

// input gives the input of an operation's variables, to change it.
func input(variables map[string]any) map[string]any { return variables["input"].(map[string]any) }

// answer is what came back for one request.
type answer struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct {
			Code, Provider, Outcome, RequestID string
			Retryable                          bool
		}
	}
	status int
	text   string
	took   time.Duration
}

// ask sends an operation of the examples. The request itself has to come through; what is in the answer is
// the test's to judge.
func (p *program) ask(t *testing.T, operation string, variables map[string]any) *answer {
	t.Helper()
	return p.query(t, document(t, operation), variables)
}

// mustAsk is ask for what has to succeed: without errors, and without user errors in a payload.
func (p *program) mustAsk(t *testing.T, operation string, variables map[string]any) *answer {
	t.Helper()
	a := p.ask(t, operation, variables)
	a.mustBeClean(t, operation)
	return a
}

func (a *answer) mustBeClean(t *testing.T, operation string) {
	t.Helper()
	if len(a.Errors) > 0 || a.Data == nil {
		t.Fatalf("%s failed: %s", operation, a.text)
	}
	for _, payload := range a.Data {
		if fields, ok := payload.(map[string]any); ok && fields["userErrors"] != nil && len(fields["userErrors"].([]any)) > 0 {
			t.Fatalf("%s was refused: %s", operation, a.text)
		}
	}
}

// query sends any text.
func (p *program) query(t *testing.T, text string, variables map[string]any) *answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.post(t.Context(), "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// upload sends an operation with one file, which stands for the variable at input.file.
func (p *program) upload(t *testing.T, operation string, variables map[string]any, name string, content []byte) *answer {
	t.Helper()
	input(variables)["file"] = nil
	operations, err := json.Marshal(map[string]any{"query": document(t, operation), "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range [][2]string{{"operations", string(operations)}, {"map", `{"0":["variables.input.file"]}`}} {
		if err := form.WriteField(field[0], field[1]); err != nil {
			t.Fatal(err)
		}
	}
	file, err := form.CreateFormFile("0", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := p.post(t.Context(), form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// post sends a body to the graph.
func (p *program) post(ctx context.Context, contentType string, body io.Reader) (*answer, error) {
	base := p.base
	if base == "" {
		base = p.address()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/graphql", body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("GraphQL-Require-Preflight", "1")
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{status: response.StatusCode, text: string(text), took: time.Since(began)}
	if err := json.Unmarshal(text, a); err != nil {
		return nil, fmt.Errorf("%d: %s: %w", response.StatusCode, text, err)
	}
	return a, nil
}

// at finds a value in the answer's data by its path: "customer.creditSummary.sources.0.status". Nothing is
// there where the path leads nowhere.
func (a *answer) at(path string) any { return at(a.Data, path) }

func at(value any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// text is a value at a path, where it is text; "" otherwise.
func (a *answer) textAt(path string) string {
	s, _ := a.at(path).(string)
	return s
}

// list is the values at a path; none where there is no list.
func (a *answer) list(path string) []any {
	l, _ := a.at(path).([]any)
	return l
}

// want compares a value at a path, in the form that JSON gives it: numbers are float64.
func (a *answer) want(t *testing.T, path string, want any) {
	t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := a.at(path); got != want {
		t.Errorf("%s is %v, want %v", path, got, want)
	}
}

// sources is the status of each provider's part of a customer's summary.
func (a *answer) sources() map[string]string {
	statuses := map[string]string{}
	for _, source := range a.list("customer.creditSummary.sources") {
		provider, _ := at(source, "provider").(string)
		statuses[provider], _ = at(source, "status").(string)
	}
	return statuses
}
