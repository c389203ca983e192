package server_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/creditgraph/creditgraph/internal/auth"
)

// operationFiles are the documents that this service's own clients send, with their variables.
func operationFiles(t *testing.T) (texts map[string]string, variables map[string]map[string]any) {
	t.Helper()
	folder := filepath.Join("..", "..", "examples", "operations")
	paths, err := filepath.Glob(filepath.Join(folder, "*.graphql"))
	if err != nil || len(paths) == 0 {
		t.Fatal(err, paths)
	}
	texts = map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(path)] = string(text)
	}
	text, err := os.ReadFile(filepath.Join(folder, "variables.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &variables); err != nil {
		t.Fatal(err)
	}
	return texts, variables
}

// cost is what an answer says of its operation's cost.
func (a answer) cost() (requested, limit float64) {
	told, _ := a.Extensions["cost"].(map[string]any)
	requested, _ = told["requested"].(float64)
	limit, _ = told["limit"].(float64)
	return requested, limit
}

func TestOurClientsOperationsStayFarBelowTheLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	texts, variables := operationFiles(t)
	for path, text := range texts {
		doc, err := parser.ParseQuery(&ast.Source{Input: text})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range doc.Operations {
			if op.Operation == ast.Subscription {
				continue
			}
			body, err := json.Marshal(map[string]any{"query": text, "operationName": op.Name, "variables": variables[op.Name]})
			if err != nil {
				t.Fatal(err)
			}
			got := b.send(b.post(strings.NewReader(string(body))))
			if requested, limit := got.cost(); requested == 0 || requested > limit/3 {
				t.Errorf("%s %s costs %v of %v: %.300s", path, op.Name, requested, limit, got.text)
			}
		}
	}
}

func TestTheCostGrowsWithTheLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const pages = `query($n: Int = 3, $ids: [ID!] = []) { %s }`
	for query, test := range map[string]struct {
		variables map[string]any
		want      float64
	}{
		`viewer { clientId }`:                                                              {nil, 2},
		`customers(first: 10) { edges { node { id } } }`:                                   {nil, 1 + 10*3},
		`customers { edges { node { id } } }`:                                              {nil, 1 + 20*3},
		`customers(last: 10) { edges { node { id } } }`:                                    {nil, 1 + 10*3},
		`customers(first: $n) { edges { node { id } } }`:                                   {nil, 1 + 3*3},
		`customers(first: $n) { edges { node { id }  } totalCount }`:                       {map[string]any{"n": 50}, 1 + 50*4},
		`customers(first: 10) { edges { node { loans(first: 5) { edges { cursor } } } } }`: {nil, 1 + 10*(2+1+5*2)},
		`nodes(ids: ["a", "b", "c"]) { id }`:                                               {nil, 1 + 3},
		`nodes(ids: $ids) { id }`:                                                          {map[string]any{"ids": []string{"a", "b"}}, 1 + 2},
		`... { ... on Query { viewer { ... on Viewer { clientId } } } }`:                   {nil, 2},
	} {
		text := fmt.Sprintf(pages, query)
		if !strings.Contains(query, "$n") {
			text = strings.Replace(text, "$n: Int = 3, ", "", 1)
		}
		if !strings.Contains(query, "$ids") {
			text = strings.Replace(strings.Replace(text, "$ids: [ID!] = []", "", 1), "()", "", 1)
			text = strings.Replace(text, ", )", ")", 1)
		}
		for range 2 { // the document is known the second time
			got := b.ask(text, test.variables)
			if requested, _ := got.cost(); requested != test.want {
				t.Errorf("%s costs %v, want %v: %.300s", text, requested, test.want, got.text)
			}
		}
	}
}

func TestAnOperationMayCostSoMuch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := `query($n: Int) { customers(first: $n) { edges { node { loans(first: 100) { edges { cursor } } } } } }`
	for n, refused := range map[int]bool{40: false, 60: true} {
		got := b.ask(page, map[string]any{"n": n})
		requested, limit := got.cost()
		if (got.code() == "COMPLEXITY_LIMIT") != refused || (requested > limit) != refused || (got.Data == nil) != refused {
			t.Errorf("%d: %v of %v: %.300s", n, requested, limit, got.text)
		}
	}
}

func TestTheSchemaIsForThoseWhoExplore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for scope, may := range map[auth.Scope]bool{auth.ReadLoans: false, auth.ReadPII: false, auth.ReadEvents: true, auth.Operate: true} {
		ask := func(query string, variables map[string]any) answer {
			r := b.request(query, variables)
			r.Header.Set("Authorization", "Bearer "+b.token(scope))
			return b.send(r)
		}
		for _, query := range []string{
			`{ __schema { types { name } } }`, `{ a: __type(name: "Loan") { name } }`,
			`{ viewer { clientId } ...F } fragment F on Query { ... { __schema { queryType { name } } } }`,
		} {
			got := ask(query, nil)
			if may != (len(got.Errors) == 0) || !may && (got.code() != "FORBIDDEN" || got.Data != nil) {
				t.Errorf("%s: %s: answered %.300s", scope, query, got.text)
			}
		}
		for query, variables := range map[string]map[string]any{
			`{ viewer { clientIt } }`:                                            nil,
			`{ viewe { clientId } }`:                                             nil,
			`{ viewer }`:                                                         nil,
			`{ customers(firsd: 1) { totalCount } }`:                             nil,
			`{ viewer { clientId @skip(iff: true) } }`:                           nil,
			`query($f: CustomerFiltr) { viewer { clientId } }`:                   {"f": nil},
			`{ node(id: "x") { ... on Custome { id } } }`:                        nil,
			`{ customers(filter: {serch: "x"}) { totalCount } }`:                 nil,
			`{ customers(filter: {status: [ACTVE]}) { totalCount } }`:            nil,
			`{ customers(filter: {status: ["ACTIVE"]}) { totalCount } }`:         nil,
			`query($f: CustomerFilter) { customers(filter: $f) { totalCount } }`: {"f": map[string]any{"serch": "x"}},
		} {
			got := ask(query, variables)
			if hinted := strings.Contains(got.text, "id you mean"); len(got.Errors) == 0 || hinted && !may {
				t.Errorf("%s: %s: answered %.300s", scope, query, got.text)
			}
		}
		if got := ask(`{ viewer { clientIt } }`, nil); strings.Contains(got.text, "id you mean") != may {
			t.Errorf("%s: answered %.300s", scope, got.text)
		}
	}
}

func TestToolsReadTheWholeSchema(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.ask(`query IntrospectionQuery { __schema { queryType { name } types { ...F } directives { name args { ...I } } } }
		fragment F on __Type { kind name description fields(includeDeprecated: true) { name description args { ...I } type { ...T } } inputFields { ...I } interfaces { ...T } enumValues { name description } possibleTypes { ...T } }
		fragment I on __InputValue { name description type { ...T } defaultValue }
		fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`, nil)
	if len(got.Errors) != 0 || !strings.Contains(got.text, `"CustomerConnection"`) {
		t.Errorf("answered %.300s", got.text)
	}
}

func TestVariablesAreWhatTheirTypesSay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const (
		page   = `query($v: Int) { customers(first: $v) { totalCount } }`
		filter = `query($v: CustomerFilter) { customers(filter: $v) { totalCount } }`
	)
	for name, test := range map[string]struct {
		query, variable string
		good            bool
	}{
		"a number":                {page, `5`, true},
		"nothing":                 {page, `null`, true},
		"2^31":                    {page, `2147483648`, false},
		"a number in quotes":      {page, `"1"`, false},
		"a fraction":              {page, `1.5`, false},
		"a whole fraction":        {page, `1.0`, false},
		"true":                    {page, `true`, false},
		"an enum value":           {filter, `{"status": ["ACTIVE"]}`, true},
		"one for a list":          {filter, `{"status": "ACTIVE"}`, true},
		"in small letters":        {filter, `{"status": ["active"]}`, false},
		"a number for a name":     {filter, `{"status": [1]}`, false},
		"a text for an object":    {filter, `"x"`, false},
		"NUL":                     {filter, `{"search": "a\u0000"}`, false},
		"a field that is unknown": {filter, `{"x": 1}`, false},
	} {
		got := b.send(b.post(strings.NewReader(fmt.Sprintf(`{"query":%q,"variables":{"v":%s}}`, test.query, test.variable))))
		if test.good != (len(got.Errors) == 0) || !test.good && (got.code() != "VALIDATION" || got.Data != nil) {
			t.Errorf("%s: answered %s", name, got.text)
		}
	}
	if got := b.ask(`{ customers(first: 2147483648) { totalCount } }`, nil); got.code() != "VALIDATION" || got.Data != nil {
		t.Errorf("2^31 in the document: answered %s", got.text)
	}
}

func TestErrorsAreFew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var query strings.Builder
	for i := range 500 {
		fmt.Fprintf(&query, " x%d", i)
	}
	if got := b.ask("{"+query.String()+"}", nil); len(got.Errors) == 0 || len(got.Errors) > 10 {
		t.Errorf("%d errors were told: %.200s", len(got.Errors), got.text)
	}
	long := strings.Repeat("a", 10_000)
	if got := b.ask("{"+long+"}", nil); len(got.text) > 2000 {
		t.Errorf("the query was repeated: %d bytes", len(got.text))
	}
}

func TestEachLimitIsToldByItsName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	deep := strings.Repeat("[", 12) + strings.Repeat("]", 12)
	for query, says := range map[string]string{
		"{ viewer { ...F0 } }" + doublingViewer(12):        "with its fragments written out",
		`{ nodes(ids: ` + deep + `) { id } }`:              "levels in a value",
		"{ __schema { types {" + manyFields(12) + " } } }": "The operation costs",
		"{ a: __schema { queryType { name } } b: __schema { queryType { name } } c: __schema { queryType { name } } }":                  "introspections",
		"{ viewer { clientId @skip(if: false) @skip(if: false) @skip(if: false) @skip(if: false) @skip(if: false) @skip(if: false) } }": "directives in one place",
		"{ viewer { ... @defer { clientId } } }": "@defer",
	} {
		got := b.ask(query, nil)
		if !strings.Contains(got.text, says) || got.Data != nil {
			t.Errorf("%.80s: answered %.300s, want %q", query, got.text, says)
		}
	}
}

// manyFields asks for the fields of a type so many times.
func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d: fields { name description args { name description type { kind name ofType { kind name } } } type { kind name ofType { kind name } } }", i)
	}
	return b.String()
}

// doublingViewer is a chain of fragments that doubles at each step, and costs little otherwise.
func doublingViewer(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Viewer { ...F%d ...F%d }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Viewer { clientId }", n)
	return b.String()
}
