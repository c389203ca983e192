//go:build unix

package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/auth"
)

// toolQuery is the query with which tools read the schema, with what they may ask for beside.
func toolQuery(descriptions, specifiedBy, repeatable, schemaDescription, deprecatedInputs, oneOf bool, wrappings int) string {
	when := func(on bool, text string) string {
		if on {
			return text
		}
		return ""
	}
	description, deprecated := when(descriptions, "description "), when(deprecatedInputs, "(includeDeprecated: true) ")
	return fmt.Sprintf(`query IntrospectionQuery { __schema { %[1]s queryType { name kind } mutationType { name kind } subscriptionType { name kind }
		types { ...FullType } directives { name %[2]s %[3]s locations args%[4]s { ...InputValue } } } }
		fragment FullType on __Type { kind name %[2]s %[5]s %[6]s
			fields(includeDeprecated: true) { name %[2]s args%[4]s { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
			inputFields%[4]s { ...InputValue } interfaces { ...TypeRef }
			enumValues(includeDeprecated: true) { name %[2]s isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
		fragment InputValue on __InputValue { name %[2]s type { ...TypeRef } defaultValue %[7]s }
		fragment TypeRef on __Type { kind name %[8]s }`,
		when(descriptions && schemaDescription, "description"), description, when(repeatable, "isRepeatable"), deprecated,
		when(specifiedBy, "specifiedByURL"), when(oneOf, "isOneOf"), when(deprecatedInputs, "isDeprecated deprecationReason"),
		strings.Repeat("ofType { kind name ", wrappings)+strings.Repeat("}", wrappings))
}

// executed is what the executor itself answers.
func executed(t testing.TB, query string, variables map[string]any) any {
	t.Helper()
	exec := executor.New(graph.NewExecutableSchema(graph.Config{}))
	exec.Use(extension.Introspection{})
	ctx := graphql.StartOperationTrace(context.Background())
	op, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if len(errs) > 0 {
		t.Fatalf("%v: %s", errs, query)
	}
	respond, ctx := exec.DispatchOperation(ctx, op)
	var data any
	if err := json.Unmarshal(respond(ctx).Data, &data); err != nil {
		t.Fatal(err)
	}
	return data
}

// introspect asks for the schema, and wants the executor's answer in the time that no document may take more than.
func (b *bench) introspect(query string, variables map[string]any, token string) {
	b.Helper()
	var w *httptest.ResponseRecorder
	took := cheapest(b, abuseBudget, func() { w = b.recorded(asked(map[string]any{"query": query, "variables": variables}), token) })
	if took > abuseBudget {
		b.Errorf("it took %v: %s", took, query)
	}
	var got answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		b.Fatal(err)
	}
	if w.Code != http.StatusOK || got.Data == nil || got.Extensions["cost"] == nil {
		b.Fatalf("%d %.300s: %s", w.Code, w.Body, query)
	}
	if diff := cmp.Diff(executed(b, query, variables), any(got.Data)); diff != "" {
		b.Errorf("%s (-executor +here):\n%.2000s", query, diff)
	}
}

// TestToolsReadTheSchema does not run beside other tests: it measures the CPU of the whole program.
func TestToolsReadTheSchema(t *testing.T) {
	b := setup(t)
	token := b.token(auth.ReadEvents)
	for _, options := range []int{0, 1, 2, 4, 8, 16, 32, 63} { // none, each alone, and all
		on := func(bit int) bool { return options>>bit&1 == 1 }
		b.introspect(toolQuery(on(0), on(1), on(2), on(3), on(4), on(5), 9), nil, token)
	}
	b.introspect(toolQuery(true, true, true, true, true, true, 7), nil, token)
	for _, query := range []string{
		`{ __schema { __typename types { __typename name } directives { __typename args { __typename } } } __typename again: __typename }`,
		`query($n: String!, $all: Boolean) { a: __type(name: $n) { name fields(includeDeprecated: $all) { n: name type { name ofType { name } } } } none: __type(name: "None") { name } }`,
		`query($no: Boolean = false) { ... on Query { __schema { queryType { name kind @include(if: $no) } ...S } } } fragment S on __Schema { mutationType { name @skip(if: $no) } types { ... on __Type { kind } enumValues { name } } }`,
	} {
		variables := map[string]any{}
		if strings.Contains(query, "$n:") {
			variables = map[string]any{"n": "Loan", "all": true}
		}
		b.introspect(query, variables, token)
	}
}

// TestTheSchemaIsAskedForAlone has the whole of it refused beside other fields, where the executor would answer it, and
// small parts let through.
func TestTheSchemaIsAskedForAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	whole := toolQuery(true, true, true, true, true, false, 9)
	if got := b.ask(strings.Replace(whole, "{ __schema", "{ viewer { clientId } __schema", 1), nil); got.code() != "COMPLEXITY_LIMIT" {
		t.Errorf("answered %.300s", got.text)
	}
	got := b.ask(`{ viewer { clientId } __type(name: "Loan") { name fields { name } } }`, nil)
	if got.code() != "" || !strings.Contains(got.text, `"clientId":"web"`) || !strings.Contains(got.text, `"principal"`) {
		t.Errorf("answered %.300s", got.text)
	}
}

// FuzzIntrospection does not run beside other tests: it measures the CPU of the whole program. What is answered is
// answered in time, and as the executor answers it.
func FuzzIntrospection(f *testing.F) {
	for seed := range uint64(150) {
		f.Add(seed)
	}
	b := setup(f)
	token := b.token(auth.ReadEvents)
	loaded := grammar(f)
	answered := 0
	f.Cleanup(func() { f.Logf("%d documents were answered", answered) })
	f.Fuzz(func(t *testing.T, seed uint64) {
		b := *b
		b.TB = t
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 1)), schema: loaded}
		w.left, w.greed, w.again = pick(w, 10, 30, 60), pick(w, 1, 2, 5), pick(w, 0, 1, 3)
		w.out.WriteString("{ __schema { ")
		w.selections(loaded.Types["__Schema"], 1)
		w.out.WriteString("} }")
		for i := 0; i < len(w.fragments); i++ {
			fmt.Fprintf(&w.out, " fragment F%d on %s { ", i, w.fragments[i].Name)
			w.selections(w.fragments[i], 4)
			w.out.WriteString("}")
		}
		text := w.out.String()
		if answer := b.recorded(asking(text), token); answer.Code == http.StatusOK && strings.HasPrefix(answer.Body.String(), `{"data"`) {
			answered++
			b.introspect(text, nil, token)
			return
		}
		if took := cheapest(t, abuseBudget, func() { b.recorded(asking(text), token) }); took > abuseBudget {
			t.Errorf("it took %v to refuse: %s", took, text)
		}
	})
}

// TestTheDearestIntrospectionIsInTime does not run beside other tests: it measures the CPU of the whole program. It asks
// for one thing again and again, under names of its own, as often as is still answered.
func TestTheDearestIntrospectionIsInTime(t *testing.T) {
	b := setup(t)
	token := b.token(auth.ReadEvents)
	for name, link := range map[string]string{
		"types":        "a%d: types { description name }",
		"fields":       "a%d: types { fields(includeDeprecated: true) { description name } }",
		"arguments":    "a%d: types { fields { args { description defaultValue name } } }",
		"enum values":  "a%d: types { enumValues { description } }",
		"input fields": "a%d: types { inputFields { description defaultValue type { ofType { kind name } } } }",
		"interfaces":   "a%d: types { interfaces { name description } }",
		"possible":     "a%d: types { possibleTypes { name description } }",
		"wrappings":    "a%d: types { fields { type { kind ofType { kind ofType { kind ofType { kind } } } } } }",
		"a circle":     "a%d: types { fields { type { fields { name } } } }",
		"a way back":   "a%d: types { interfaces { possibleTypes { fields { name } } } }",
		"a way around": "a%d: types { possibleTypes { interfaces { possibleTypes { name description } } } }",
		"roots":        "a%d: queryType { fields { name description args { name description } } }",
		"directives":   "a%d: directives { name description args { name description type { name } } locations }",
	} {
		most, worst := 0, time.Duration(0)
		for n := 1; n <= 512; n *= 2 {
			var w *httptest.ResponseRecorder
			took := cheapest(t, abuseBudget, func() { w = b.recorded(asking("{ __schema {"+numbered(link+" ", n)+"} }"), token) })
			if worst = max(worst, took); took > abuseBudget {
				t.Errorf("%s, %d times: it took %v for %d bytes", name, n, took, w.Body.Len())
			}
			if strings.HasPrefix(w.Body.String(), `{"data"`) {
				most = n
			}
		}
		t.Logf("%s: at most %d times, in %v", name, most, worst)
	}
}
