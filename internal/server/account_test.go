package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/server"
	"github.com/creditgraph/creditgraph/internal/store"
	"github.com/creditgraph/creditgraph/internal/telemetry"
)

// watchedBench is a bench whose server tells a telemetry, and its store too.
func watchedBench(t *testing.T, change func(*server.Config)) *bench {
	t.Helper()
	told, err := telemetry.New(telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return setupWatched(t, func(c *server.Config) {
		c.Telemetry = told
		change(c)
	}, store.WithObserver(told.Statement))
}

func unchanged(*server.Config) {}

// metric is a line of /metrics without its value, and that; "" where there is none.
func (b *bench) metric(line string) string {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.url+"/metrics", nil)
	if err != nil {
		b.Fatal(err)
	}
	page := b.send(r).text
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(line) + ` (.*)$`).FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return found[1]
}

// wantMetrics checks values of metrics, which may have to settle behind an answer.
func (b *bench) wantMetrics(want map[string]string) {
	b.Helper()
	for line, value := range want {
		b.until(fmt.Sprintf("%s is %q", line, value), func() bool { return b.metric(line) == value })
	}
}

// until waits for what is true behind an answer.
func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	end := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(end) {
			b.Fatalf("it did not come about that %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestRequestsAreCountedByNameAndOutcome(t *testing.T) {
	t.Parallel()
	b := watchedBench(t, unchanged)
	b.ask(`query Mine($s: String) { customers(filter: {search: $s}) { edges { node { id } } } }`, map[string]any{"s": "canary-variable"})
	b.ask(`query Mine { customers(filter: {search: "canary-literal"}) { totalCount } }`, nil)
	b.ask(`{ canaryField }`, nil)
	b.ask(`query Gone { customer(id: "canary") { id } }`, nil)
	wrong := b.request(`{ viewer { clientId } }`, nil)
	wrong.Header.Set("Authorization", "Bearer canary-token")
	b.send(wrong)
	form, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/oauth/token", strings.NewReader("grant_type=client_credentials&client_id=canary&client_secret=canary"))
	if err != nil {
		t.Fatal(err)
	}
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.send(form)
	stray, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/canary/path", nil)
	if err != nil {
		t.Fatal(err)
	}
	b.send(stray)
	b.wantMetrics(map[string]string{
		`creditgraph_graphql_operations_total{operation="Mine",outcome="ok",type="query"}`:    "2",
		`creditgraph_graphql_operation_duration_seconds_count{operation="Mine",type="query"}`: "2",
		`creditgraph_graphql_errors_total{code="VALIDATION"}`:                                 "1",
		`creditgraph_http_requests_total{route="/graphql",status="200"}`:                      "4",
		`creditgraph_http_requests_total{route="/graphql",status="401"}`:                      "1",
		`creditgraph_http_requests_total{route="other",status="404"}`:                         "1",
		`creditgraph_auth_failures_total{at="graphql"}`:                                       "1",
		`creditgraph_auth_failures_total{at="token"}`:                                         "1",
	})
	page := b.send(mustGet(t, b.url+"/metrics"))
	if page.status != http.StatusOK || strings.Contains(page.text, "canary") {
		t.Errorf("a client's word stands in the metrics:\n%s", page.text)
	}
}

func mustGet(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSubscribersAndRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	limits, _ := limitsFrom(t)
	b := watchedBench(t, func(c *server.Config) { c.Limits = limits })
	s := b.follow(b.get(`subscription { events { cursor } }`, ""))
	p := b.connect()
	b.following(p, "one")
	b.wantMetrics(map[string]string{`creditgraph_subscribers{transport="sse"}`: "1", `creditgraph_subscribers{transport="websocket"}`: "1"})
	if err := s.response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	p.say(`{"id":"one","type":"complete"}`)
	b.wantMetrics(map[string]string{`creditgraph_subscribers{transport="sse"}`: "0", `creditgraph_subscribers{transport="websocket"}`: "0"})
	if got := b.metric(`creditgraph_http_request_duration_seconds_count{route="/graphql"}`); got != "" {
		t.Errorf("streams are timed: %s", got)
	}
	for b.ask(light, nil).status != http.StatusTooManyRequests {
	}
	b.wantMetrics(map[string]string{`creditgraph_rate_limited_total{plan="sandbox"}`: "1"})
}

func TestOnlyTrustedOperationsAreNamedInMetrics(t *testing.T) {
	t.Parallel()
	var queries, entries []string // more than one client could bring in
	for i := range 30 {
		query := fmt.Sprintf(`query Known%d { viewer { clientId } }`, i)
		queries = append(queries, query)
		entries = append(entries, fmt.Sprintf(`%q: %q`, hashed(query), query))
	}
	trusted, err := server.ReadTrustedDocuments(strings.NewReader("{" + strings.Join(entries, ",") + "}"))
	if err != nil {
		t.Fatal(err)
	}
	b := watchedBench(t, func(c *server.Config) { c.Trusted = trusted })
	for _, query := range queries {
		b.ask(query, nil)
	}
	b.wantMetrics(map[string]string{`creditgraph_graphql_operations_total{operation="Known29",outcome="ok",type="query"}`: "1"})
}

// TestAnOperationTellsWhatItDid asks for the account in each way, as those who may know and as others.
func TestAnOperationTellsWhatItDid(t *testing.T) {
	t.Parallel()
	b := watchedBench(t, unchanged)
	b.approved("loan-1")
	const query = `{ loans(first: 5) { edges { node { id customer { id } } } } }`
	ask := func(extensions, header string, scopes ...auth.Scope) answer {
		r := b.post(bytes.NewReader(fmt.Appendf(nil, `{"query": %q %s}`, query, extensions)))
		r.Header.Set("Authorization", "Bearer "+b.token(scopes...))
		if header != "" {
			r.Header.Set("X-Trace", header)
		}
		return b.send(r)
	}
	for name, got := range map[string]answer{
		"by extension": ask(`, "extensions": {"trace": true}`, ""), "by header": ask("", "true"),
	} {
		account, ok := got.Extensions["trace"].(map[string]any)
		if !ok {
			t.Fatalf("%s: %s", name, got.text)
		}
		if account["sqlStatements"].(float64) < 2 || account["batches"] != 1.0 || account["tookMs"].(float64) <= 0 {
			t.Errorf("%s: %v", name, account)
		}
		cost := got.Extensions["cost"].(map[string]any)["requested"]
		if account["cost"] != cost || cost == 0.0 {
			t.Errorf("%s: the cost is %v and %v", name, account["cost"], cost)
		}
		for _, part := range []string{"upstreamCalls", "cache", "redisRoundTrips"} {
			if _, ok := account[part]; !ok {
				t.Errorf("%s: it lacks %s", name, part)
			}
		}
	}
	for name, got := range map[string]answer{
		"nobody asked": ask("", ""), "asked for something else": ask(`, "extensions": {"trace": "true"}`, "no"),
	} {
		if got.Extensions["trace"] != nil {
			t.Errorf("%s, and is told %v", name, got.Extensions["trace"])
		}
	}
	refused := ask(`, "extensions": {"trace": true}`, "", auth.ReadLoans, auth.ReadCustomers)
	want := map[string]any{"unavailable": "This needs the scope operate."}
	if diff := cmp.Diff(want, refused.Extensions["trace"]); diff != "" || refused.Data == nil {
		t.Error(diff)
	}
	if refused := b.send(b.post(strings.NewReader(`{"query": "{ nothing }", "extensions": {"trace": true}}`))); refused.Extensions["trace"] != nil {
		t.Errorf("an operation that did not begin has the account %v", refused.Extensions["trace"])
	}
}

// TestAServerThatStopsIsNotReady has load balancers send no more.
func TestAServerThatStopsIsNotReady(t *testing.T) {
	t.Parallel()
	b := watchedBench(t, unchanged)
	if got := b.send(mustGet(t, b.url+"/readyz")); got.status != http.StatusOK {
		t.Fatalf("before: %d", got.status)
	}
	if err := b.handler.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.send(mustGet(t, b.url+"/readyz")); got.status != http.StatusServiceUnavailable {
		t.Errorf("while it stops: %d", got.status)
	}
	if got := b.send(mustGet(t, b.url+"/healthz")); got.status != http.StatusOK {
		t.Errorf("it lives, and says %d", got.status)
	}
}

// TestAllLinesOfARequestNameIt looks at what a failing request logs.
func TestAllLinesOfARequestNameIt(t *testing.T) {
	t.Parallel()
	b := watchedBench(t, unchanged)
	b.records.listLoans = func() error { return fmt.Errorf("broken") }
	r := b.request(`query Broken { loans { totalCount } }`, nil)
	r.Header.Set("X-Request-Id", "mine-1")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	b.send(r)
	lines := 0
	for line := range strings.Lines(b.log.String()) {
		lines++
		if strings.Count(line, "requestId=mine-1") != 1 || !strings.Contains(line, "traceId=4bf92f3577b34da6a3ce929d0e0e4736") {
			t.Errorf("a line says %s", line)
		}
	}
	if lines < 2 {
		t.Errorf("only %d lines", lines)
	}
}
