package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/schema"
)

var update = flag.Bool("update", false, "write what comes out as what is expected")

// role is one kind of user, by the scopes of the tokens they have. Among them they have each scope, and lack it.
type role struct {
	name   string
	scopes []auth.Scope
}

func roles() []role {
	return []role{
		{"frontend", []auth.Scope{
			auth.ReadCustomers, auth.WriteCustomers, auth.ReadLoans, auth.WriteLoans, auth.ReadPayments, auth.WritePayments, auth.ReadScores,
			auth.WriteScores, auth.ReadReports, auth.WriteReports, auth.ReadSuppliers, auth.WriteSuppliers, auth.ReadEvents,
		}},
		{"mobile", []auth.Scope{auth.ReadCustomers, auth.ReadLoans, auth.WriteLoans, auth.ReadScores, auth.ReadReports, auth.WriteScores, auth.ReadPayments, auth.ReadPII}},
		{"analyst", []auth.Scope{auth.ReadCustomers, auth.ReadLoans, auth.ReadEvents}},
		{"operator", []auth.Scope{auth.Operate, auth.ReadEvents, auth.ReadPII, auth.WriteCustomers, auth.WriteLoans, auth.WritePayments, auth.WriteReports, auth.WriteSuppliers}},
	}
}

// walker asks for every field of the schema, by every root field, as one role.
type walker struct {
	*bench
	schema  *ast.Schema
	ids     map[string]string // of the node of each type
	as      role
	verdict map[string]map[string]bool // by "Type.field": data, masked, null, FORBIDDEN
}

// step is a field on the way, of a type that the object there may have.
type step struct{ on, field string }

// place is an object that a walk has reached.
type place struct {
	path []step
	typ  *ast.Definition
}

const golden = "testdata/scopes.golden"

func TestEveryFieldPathIsOpenToTheRightRolesAlone(t *testing.T) {
	t.Parallel()
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	parsed, gqlErr := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if gqlErr != nil {
		t.Fatal(gqlErr)
	}
	b := setup(t)
	all := b.fullWorld("1")
	b.handler = b.serving(canned{b.root, all})
	ids := map[string]string{
		"Customer": all.Customer.NodeID(), "Loan": all.Loan.NodeID(), "Payment": all.Payment.NodeID(), "CreditScore": all.Score.NodeID(),
		"CreditReport": all.Report.NodeID(), "Supplier": all.Supplier.NodeID(), "Document": all.Document.NodeID(), "Webhook": all.Webhook.NodeID(),
		"Operation": all.Operation.NodeID(), "Event": lending.GlobalID(lending.EventNode, lending.EventID("e1")),
		"Provider": lending.GlobalID(lending.ProviderNode, lending.Carbon),
	}
	fields := map[string][]string{}
	for _, as := range roles() {
		w := &walker{bench: b, schema: parsed, ids: ids, as: as, verdict: map[string]map[string]bool{}}
		w.walk()
		for field, verdict := range w.verdict {
			fields[field] = append(fields[field], as.name+" "+w.told(field, verdict))
		}
	}
	compare(t, parsed, fields)
}

// compare compares what each role was shown of each field with the table that was reviewed.
func compare(t *testing.T, s *ast.Schema, fields map[string][]string) {
	t.Helper()
	var table strings.Builder
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&table, "%s: %s\n", field, strings.Join(fields[field], ", "))
	}
	for _, def := range s.Types {
		if def.Name == "RateLimit" { // no provider tells one, and what limits the viewer is not part of this bench
			continue
		}
		for _, field := range def.Fields {
			name := def.Name + "." + field.Name
			if def.Kind == ast.Object && !def.BuiltIn && !strings.HasPrefix(field.Name, "__") && field.Type.Name() != "Node" && fields[name] == nil {
				t.Errorf("nobody reached %s", name)
			}
		}
	}
	if *update {
		if err := os.WriteFile(filepath.FromSlash(golden), []byte(table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.FromSlash(golden))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(table.String(), "\n")); diff != "" {
		t.Errorf("who sees what has changed; look at each line, then run with -update (-want +got):\n%s", diff)
	}
}

// walk goes from each root field to each type that can be reached behind it.
func (w *walker) walk() {
	w.Helper()
	for _, root := range []*ast.Definition{w.schema.Query, w.schema.Mutation, w.schema.Subscription} {
		for _, field := range root.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			ids := []string{w.ids[field.Type.Name()]}
			if field.Type.Name() == "Node" {
				ids = slices.Sorted(maps.Values(w.ids))
			}
			for _, id := range ids {
				w.behind(root, field, id)
			}
		}
	}
}

// behind asks for all that can be reached behind one root field.
func (w *walker) behind(root *ast.Definition, field *ast.FieldDefinition, id string) {
	w.Helper()
	first := []step{{root.Name, field.Name + w.arguments(field, id)}}
	seen := map[string]bool{}
	queue := []place{}
	key := root.Name + "." + field.Name
	if field.Type.Name() == "Node" {
		kind, _, err := lending.ParseGlobalID(id)
		w.must(err)
		key += "(" + string(kind) + ")"
	}
	if got := w.fetch(root, first, "__typename"); w.record(key, field, got, got.Data) {
		queue = w.places(first, field.Type.Name())
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if seen[at.typ.Name] {
			continue
		}
		got := w.fetch(root, at.path, w.selection(at.typ))
		object, ok := dig(got.Data, len(at.path))
		if !ok || object["__typename"] != at.typ.Name {
			continue // of an interface, another type
		}
		seen[at.typ.Name] = true
		for _, field := range at.typ.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			there := w.record(at.typ.Name+"."+field.Name, field, got, object)
			if there && isObject(w.schema, field) {
				queue = append(queue, w.places(append(slices.Clone(at.path), step{at.typ.Name, field.Name}), field.Type.Name())...)
			}
		}
	}
}

// places are what a field may lead to: each type that is possible there.
func (w *walker) places(path []step, typ string) []place {
	def := w.schema.Types[typ]
	if def.Kind != ast.Interface {
		return []place{{path, def}}
	}
	var list []place
	for _, possible := range w.schema.GetPossibleTypes(def) {
		list = append(list, place{path, possible})
	}
	return list
}

// record notes what became of a field; true when something is there.
func (w *walker) record(key string, field *ast.FieldDefinition, got answer, object map[string]any) bool {
	value, verdict := object[field.Name], "data"
	if list, ok := value.([]any); ok && (len(list) == 0 || list[0] == nil) {
		value = nil
	}
	if value == nil {
		verdict = "null"
		for _, e := range got.Errors {
			if lastName(e.Path) == field.Name {
				verdict = fmt.Sprint(e.Extensions["code"])
			}
		}
	}
	if text, ok := value.(string); ok && strings.Contains(text, "***") {
		verdict = "masked"
	}
	if w.verdict[key] == nil {
		w.verdict[key] = map[string]bool{}
	}
	w.verdict[key][verdict] = true
	return value != nil
}

// told is what became of a field wherever it was reached: the same everywhere, but that it may be empty in one
// place and not in another.
func (w *walker) told(field string, verdicts map[string]bool) string {
	w.Helper()
	if len(verdicts) > 1 {
		delete(verdicts, "null")
	}
	list := slices.Sorted(maps.Keys(verdicts))
	if len(list) > 1 {
		w.Errorf("%s is %v for %s: it depends on the way there", field, list, w.as.name)
	}
	return strings.Join(list, " or ")
}

func lastName(path []any) string {
	for _, step := range slices.Backward(path) {
		if name, ok := step.(string); ok {
			return name
		}
	}
	return ""
}

func isObject(s *ast.Schema, field *ast.FieldDefinition) bool {
	kind := s.Types[field.Type.Name()].Kind
	return kind == ast.Object || kind == ast.Interface
}

// dig follows a path of fields into data, into the first of each list.
func dig(data any, steps int) (map[string]any, bool) {
	for {
		switch at := data.(type) {
		case []any:
			if len(at) == 0 {
				return nil, false
			}
			data = at[0]
		case map[string]any:
			if steps == 0 {
				return at, true
			}
			data = at["next"]
			if data == nil {
				for name, only := range at { // the root field has its own name
					if name != "__typename" {
						data = only
					}
				}
			}
			steps--
		default:
			return nil, false
		}
	}
}

// selection asks for all fields of a type, and of objects for no more than that they are there.
func (w *walker) selection(typ *ast.Definition) string {
	var out strings.Builder
	out.WriteString("__typename")
	if typ.Kind == ast.Interface {
		return out.String()
	}
	fmt.Fprintf(&out, " ... on %s {", typ.Name)
	for _, field := range typ.Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		out.WriteString(" " + field.Name)
		if isObject(w.schema, field) {
			out.WriteString(" { __typename }")
		}
	}
	return out.String() + " }"
}

// fetch asks for a selection at the end of a path.
func (w *walker) fetch(root *ast.Definition, path []step, selection string) answer {
	w.Helper()
	query := selection
	for i, step := range slices.Backward(path) {
		query = step.field + " { " + query + " }"
		if i > 0 {
			query = "... on " + step.on + " { next: " + query + " }"
		}
	}
	query = strings.ToLower(root.Name) + " { " + query + " }"
	switch {
	case root == w.schema.Subscription:
		return w.firstOf(query)
	case strings.Contains(query, "uploadDocument"):
		return w.upload(query)
	}
	return w.ask(query, nil, w.as.scopes...)
}

// firstOf is the first that a subscription sends.
func (w *walker) firstOf(query string) answer {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	r := w.request(query, nil, w.as.scopes...).WithContext(ctx)
	r.Header.Set("Accept", "text/event-stream")
	first := &firstFrame{ResponseRecorder: httptest.NewRecorder(), enough: cancel}
	w.handler.ServeHTTP(first, r)
	for line := range strings.Lines(first.Body.String()) {
		if data, found := strings.CutPrefix(line, "data: "); found && len(data) > 2 {
			a := answer{text: data}
			w.must(json.Unmarshal([]byte(data), &a))
			return a
		}
	}
	w.Fatalf("nothing came for %s: %s", query, first.Body.String())
	return answer{}
}

// firstFrame hangs up when the first event has come.
type firstFrame struct {
	*httptest.ResponseRecorder
	enough context.CancelFunc
}

func (f *firstFrame) Write(p []byte) (int, error) {
	n, err := f.ResponseRecorder.Write(p)
	if bytes.Contains(f.Body.Bytes(), []byte("data: {")) {
		f.enough()
	}
	return n, err
}

// upload sends a mutation whose input has a file.
func (w *walker) upload(query string) answer {
	w.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	operations, err := json.Marshal(map[string]any{
		"query": strings.NewReplacer("mutation {", "mutation($file: Upload!) {", `"UPLOAD"`, "$file").Replace(query), "variables": map[string]any{"file": nil},
	})
	w.must(err)
	w.must(form.WriteField("operations", string(operations)))
	w.must(form.WriteField("map", `{"0": ["variables.file"]}`))
	part, err := form.CreateFormFile("0", "i.pdf")
	w.must(err)
	_, err = part.Write([]byte("%PDF-1.4"))
	w.must(err)
	w.must(form.Close())
	r := w.request(query, nil, w.as.scopes...)
	sent := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "/graphql", &body)
	sent.Header = r.Header
	sent.Header.Set("Content-Type", form.FormDataContentType())
	sent.Header.Set("GraphQL-Require-Preflight", "1")
	return w.send(sent)
}
