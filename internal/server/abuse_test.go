//go:build unix

package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
)

// abuseBudget is the most CPU that an abusive request may cost.
const abuseBudget = 20 * time.Millisecond * slowdown

// abuse is a request that wants to cost more than it is worth.
type abuse struct {
	body    string
	headers map[string]string
	method  string
	address string
}

// asking is an abuse by its document alone.
func asking(query string) abuse { return asked(map[string]any{"query": query}) }

func asked(request any) abuse {
	body, err := json.Marshal(request)
	if err != nil {
		panic(err) // it was written below
	}
	return abuse{body: string(body)}
}

func repeated(text string, n int) string { return strings.Repeat(text, n) }

// numbered repeats a text with its number.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// doubling is a chain of fragments each of which spreads the next one twice, through a field or beside it.
func doubling(n int, link string) string {
	var b strings.Builder
	b.WriteString("{ viewer { clientId } customers { ...F0 } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on CustomerConnection { "+link+" }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on CustomerConnection { totalCount }", n)
	return b.String()
}

// circling is introspection that goes in a circle, n rounds deep.
func circling(n int) string {
	return "{ __schema { types { " + repeated("fields { type { ", n) + "name" + repeated(" } }", n) + " } } }"
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // it is in memory
	}
	return b.String()
}

func abuses() map[string]abuse {
	search := `query($s: String, $f: CustomerFilter, $ids: [ID!] = []) { customers(filter: {search: $s}) { totalCount } b: customers(filter: $f) { totalCount } nodes(ids: $ids) { id } }`
	variables := func(v any) abuse { return asked(map[string]any{"query": search, "variables": v}) }
	deep := any("x")
	for range 500 {
		deep = []any{deep}
	}
	return map[string]abuse{
		"aliases":                          asking("{" + numbered("a%d: viewer { clientId } ", 300) + "}"),
		"aliases below one field":          asking("{ viewer {" + numbered("a%d: clientId ", 600) + "} }"),
		"one alias again and again":        asking("{ viewer {" + repeated("a: clientId ", 660) + "} }"),
		"aliases of introspection":         asking("{" + numbered("a%d: __schema { types { name } } ", 150) + "}"),
		"aliases within introspection":     asking("{ __schema { types {" + numbered("a%d: fields { name args { name } } ", 90) + "} } }"),
		"directives on one field":          asking("{ viewer { clientId" + repeated(" @skip(if: false)", 290) + " } }"),
		"unknown directives":               asking("{ viewer { clientId" + repeated(" @a", 990) + " } }"),
		"directives on many fields":        asking("{ viewer { " + repeated("clientId @skip(if: false) @include(if: true) ", 140) + " } }"),
		"one field again and again":        asking("{ viewer { " + repeated("clientId ", 1900) + "} }"),
		"one field with a set, again":      asking("{" + repeated("viewer { clientId } ", 480) + "}"),
		"one field with sets, nested":      asking("{" + repeated("customers { edges { node { id } } edges { node { id } } } ", 80) + "}"),
		"unknown fields":                   asking("{ viewer {" + numbered("clientIx%d ", 1900) + "} }"),
		"more tokens than may be":          asking("{ viewer {" + repeated(" clientId", 20_000) + "} }"),
		"fragments":                        asking("{ viewer { ...F0 } }" + numbered(" fragment F%d on Viewer { clientId }", 200)),
		"fragments that are all spread":    asking("{ viewer {" + numbered(" ...F%d", 120) + "} }" + numbered(" fragment F%d on Viewer { clientId }", 120)),
		"spreads of one fragment":          asking("{ viewer {" + repeated(" ...F", 900) + "} } fragment F on Viewer { clientId }"),
		"doubling spreads":                 asking(doubling(30, "...F%d ...F%d")),
		"doubling fields":                  asking(doubling(14, "edges { cursor } ...F%d pageInfo { hasNextPage } ...F%d")),
		"doubling through fields":          asking("{ node(id: \"x\") { ...F0 } }" + doublingThroughFields(20)),
		"inline fragments":                 asking("{ viewer " + repeated("{ ... on Viewer ", 450) + "{ clientId }" + repeated(" }", 450) + " }"),
		"a circle of fragments":            asking("{ viewer { ...A } } fragment A on Viewer { clientId ...B } fragment B on Viewer { ...A }"),
		"a fragment in itself":             asking("{ viewer { ...A } } fragment A on Viewer { ...A }"),
		"a circle that nothing spreads":    asking("{ viewer { clientId } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }"),
		"two fragments of one name":        asking("{ viewer { ...A } }" + repeated(" fragment A on Viewer { clientId }", 40)),
		"nested fields":                    asking(repeated("{ viewer ", 900) + "{ clientId }" + repeated(" }", 900)),
		"nested lists":                     asking(`{ nodes(ids: ` + repeated("[", 900) + `"x"` + repeated("]", 900) + `) { id } }`),
		"nested lists that do not end":     asking(`{ nodes(ids: ` + repeated("[", 60_000)),
		"nested objects":                   asking(`{ customers(filter: ` + repeated("{search: ", 450) + `"x"` + repeated("}", 450) + `) { totalCount } }`),
		"nested types of a variable":       asking(`query($x: ` + repeated("[", 900) + "ID" + repeated("]", 900) + `) { nodes(ids: $x) { id } }`),
		"nested connections":               asking(`{ customers(first: 100) { edges { node { loans(first: 100) { edges { node { payments(first: 100) { edges { node { id loan { id } } } } } } } } } } }`),
		"introspection in a circle":        asking(circling(3)),
		"introspection in many circles":    asking(circling(200)),
		"a long list of ids":               asking(`{ nodes(ids: [` + repeated(`"x", `, 1900) + `]) { id } }`),
		"a page of two billion":            asking(`{ customers(first: 2147483647) { edges { cursor } } }`),
		"a page beyond all numbers":        asking(`{ customers(first: 99999999999999999999999999) { edges { cursor } } }`),
		"a page of a variable":             asked(map[string]any{"query": `query($n: Int) { customers(first: $n) { edges { cursor } } }`, "variables": map[string]any{"n": 1_000_000}}),
		"a page of a default":              asking(`query($n: Int = 1000000) { customers(last: $n) { edges { cursor } } }`),
		"operations":                       asking(numbered("query Q%d { viewer { clientId } } ", 250)),
		"operations with one fragment":     asking(numbered("query Q%d { viewer { ...F } } ", 120) + "fragment F on Viewer { clientId }"),
		"variables of an operation":        asking("query(" + numbered("$v%d: Int ", 480) + ") { viewer { clientId } }"),
		"arguments of a field":             asking("{ customers(" + numbered("a%d: 1 ", 600) + ") { totalCount } }"),
		"an argument again and again":      asking("{ customers(" + repeated("first: 1 ", 600) + ") { totalCount } }"),
		"fields of an object":              asking(`{ customers(filter: {` + numbered("a%d: 1 ", 600) + `}) { totalCount } }`),
		"a long name":                      asking("{ " + repeated("a", 60_000) + " }"),
		"a long type":                      asking("{ node(id: 1) { ... on " + repeated("a", 60_000) + " { id } } }"),
		"a long enum value":                asking("{ loans(orderBy: {field: " + repeated("A", 60_000) + ", direction: ASC}) { totalCount } }"),
		"a long operation name":            asked(map[string]any{"query": "{ viewer { clientId } }", "operationName": repeated("a", 200_000)}),
		"a long string":                    asking(`{ node(id: "` + repeated("x", 200_000) + `") { id } }`),
		"a long block string":              asking(`{ node(id: """` + repeated("x\n", 100_000) + `""") { id } }`),
		"a string that does not end":       asking(`{ node(id: "` + repeated(`\\`, 30_000)),
		"a long number":                    asking(`{ customers(first: ` + repeated("1", 60_000) + `) { totalCount } }`),
		"a long comment":                   asking("#" + repeated("x", 200_000) + "\n{ viewer { clientId } }"),
		"comments":                         asking(repeated("#\n", 30_000) + "{ viewer { clientId } }"),
		"commas":                           asking(repeated(",", 65_530) + "{ viewer { clientId } }"),
		"a document of NUL":                asking("{ viewer { clientId\x00 } }"),
		"deferred parts":                   asking("{ viewer { ... @defer { clientId } } }"),
		"a variable of NUL":                variables(map[string]any{"s": "\x00"}),
		"a variable of NUL deep inside":    variables(map[string]any{"f": map[string]any{"search": "a\x00"}}),
		"many variables":                   variables(map[string]any{"ids": strings.Split(repeated("x,", 5000), ",")}),
		"deep variables":                   variables(map[string]any{"s": deep}),
		"large variables":                  variables(map[string]any{"s": repeated("x", 300_000)}),
		"variables that do not end":        {body: `{"query":"{ viewer { clientId } }","variables":{"a":` + repeated("[", 200_000)},
		"empty lists":                      {body: `{"query":"{ viewer { clientId } }","variables":{"a":[` + repeated("[],", 60_000) + `[]]}}`},
		"unknown extensions":               {body: `{"query":"{ viewer { clientId } }","extensions":{"a":[` + repeated("{},", 60_000) + `{}]}}`},
		"a batch":                          {body: "[" + repeated(`{"query":"{ viewer { clientId } }"},`, 1000) + `{"query":"{ viewer { clientId } }"}]`},
		"a small batch":                    {body: `[{"query":"{ viewer { clientId } }"}]`},
		"two requests in a body":           {body: repeated(`{"query":"{ viewer { clientId } }"}`, 2)},
		"a body of 2 MB":                   asking("{ viewer { clientId } }" + repeated(" ", 2<<20)),
		"a body of zeros":                  {body: repeated("\x00", 200_000)},
		"a gzip bomb":                      {body: gzipped(`{"query":"{ viewer { clientId } }` + repeated(" ", 100<<20) + `"}`), headers: map[string]string{"Content-Encoding": "gzip"}},
		"a body that is not UTF-8":         {body: "{\"query\":\"{ viewer { clientId } } #\xff\xfe\"}"},
		"a variable that is not UTF-8":     {body: "{\"query\":\"query($s: String) { customers(filter: {search: $s}) { totalCount } }\",\"variables\":{\"s\":\"\xc3\x28\"}}"},
		"another charset":                  {body: `{"query":"{ viewer { clientId } }"}`, headers: map[string]string{"Content-Type": "application/json; charset=utf-16"}},
		"an address with a long query":     {method: http.MethodGet, address: "/graphql?query=" + repeated("%7B", 8000)},
		"an address with deep variables":   {method: http.MethodGet, address: "/graphql?query=%7Bviewer%7BclientId%7D%7D&variables=" + repeated("%5B", 8000)},
		"a form with large operations":     form(asking("{ viewer { clientId } }" + repeated(" ", 2<<20)).body),
		"a form with deep operations":      form(`{"query":"{ viewer { clientId } }","variables":{"a":` + repeated("[", 200_000)),
		"a form without an end":            form(`{"query":"{ viewer { clientId } }"}`),
		"a form for a stream":              streamed(form(`{"query":"{ viewer { clientId } }"}`)),
		"a mutation that waits for itself": asking("mutation {" + numbered(`a%d: rejectLoan(input: {idempotencyKey: "k", loanId: "x", reason: ""}) { userErrors { code } } `, 60) + "}"),
	}
}

// doublingThroughFields has each fragment ask for the next one in two fields: written out it doubles at each step.
func doublingThroughFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Loan { customer { loans(first: 1) { edges { node { ...F%d } } } } a: customer { loans(first: 1) { edges { node { ...F%d } } } } }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Loan { id }", n)
	return b.String()
}

// form is a body with files that begins with some operations, and ends before its end.
func form(operations string) abuse {
	return abuse{
		body:    "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + operations + "\r\n--x\r\n",
		headers: map[string]string{"Content-Type": "multipart/form-data; boundary=x"},
	}
}

func streamed(a abuse) abuse {
	a.headers["Accept"] = "text/event-stream"
	return a
}

// recorded has the handler answer on this very goroutine.
func (b *bench) recorded(a abuse, token string) *httptest.ResponseRecorder {
	method, address := a.method, a.address
	if method == "" {
		method, address = http.MethodPost, "/graphql"
	}
	r := httptest.NewRequestWithContext(b.Context(), method, address, strings.NewReader(a.body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	for name, value := range a.headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

// cpu is the time that the program has spent computing.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// cheapest is the least CPU that doing something took in some tries: what else runs on the machine makes it look
// dearer, and never cheaper.
func cheapest(t testing.TB, budget time.Duration, do func()) time.Duration {
	t.Helper()
	least := time.Hour
	for range 10 {
		began := cpu(t)
		do()
		if least = min(least, cpu(t)-began); least < budget/2 {
			break
		}
	}
	return least
}

// TestAbuseIsRefusedAtOnce does not run beside other tests: it measures the CPU of the whole program.
func TestAbuseIsRefusedAtOnce(t *testing.T) {
	b := setup(t)
	b.records.listLoans = func() error {
		t.Error("the records were asked")
		return nil
	}
	all, none := b.token(), b.token(auth.ReadCustomers)
	for name, test := range abuses() {
		t.Run(name, func(t *testing.T) {
			for _, token := range []string{all, none} {
				var answer *httptest.ResponseRecorder
				took := cheapest(t, abuseBudget, func() { answer = b.recorded(test, token) })
				text := answer.Body.String()
				if took > abuseBudget {
					t.Errorf("it took %v", took)
				}
				if !strings.Contains(text, `"errors"`) || strings.Contains(text, `"data"`) {
					t.Errorf("it was answered: %d %.300s", answer.Code, text)
				}
				if len(text) > 16<<10 {
					t.Errorf("the answer has %d bytes", len(text))
				}
				if strings.Contains(text, "INTERNAL") || answer.Code >= 500 {
					t.Errorf("it broke something: %.300s", text)
				}
			}
		})
	}
	if b.lender.moved != 0 {
		t.Error("a provider was asked")
	}
}

// TestAbuseLeavesNothingBehind does not run beside other tests: it measures the memory of the whole program.
func TestAbuseLeavesNothingBehind(t *testing.T) {
	b := setup(t)
	token := b.token()
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	all := func() {
		for _, test := range abuses() {
			b.recorded(test, token)
		}
	}
	all()
	before := heap()
	for range 5 {
		all()
	}
	b.log.clear()
	if after := heap(); after > before+4<<20 {
		t.Errorf("%d bytes were kept", after-before)
	}
}
