package telemetry

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var update = flag.Bool("update", false, "write docs/metrics.md instead of comparing it")

const pageHead = `# Metrics

<!-- Made from internal/telemetry by its tests. Change the metrics there and run: make docs -->

` + "`GET /metrics`" + ` answers in the format of Prometheus. A scrape reads what is in memory: it asks neither the database nor Redis nor a
provider. What waits (open operations, the inbox, the event log) is looked at every 15 seconds, whether somebody scrapes or not;
` + "`creditgraph_backlog_sampled_timestamp_seconds`" + ` says when that last succeeded. The page needs no token and holds no personal data:
let the proxy in front keep it from the internet all the same.

Labels are words of closed lists. The name of an operation is one that a client makes up: with trusted documents
(` + "`CREDITGRAPH_TRUSTED_DOCUMENTS`" + `) only their names are labels, and otherwise the first 100, of which one client brings in at most 25. All
others are ` + "`other`" + `, and operations without a name ` + "`anonymous`" + `. Names beyond these cost no memory.

[monitoring](monitoring) has alerts and a dashboard, and [runbook.md](runbook.md) says what to do.

| metric | type | labels | what it is |
|---|---|---|---|
`

const pageTail = `
## Of the Go runtime and the process

The collectors of Prometheus' own client for Go. The runtime's limit of memory is that of ` + "`GOMEMLIMIT`" + `, or nine tenths of what the
container has.

| metric | type | what it is |
|---|---|---|
`

// metricsPage is the text of docs/metrics.md.
func metricsPage(t *testing.T, m *metrics) string {
	t.Helper()
	var page strings.Builder
	page.WriteString(pageHead)
	for _, e := range m.entries {
		labels := strings.Join(e.Labels, ", ")
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", e.Name, e.Type, labels, e.Help)
	}
	page.WriteString(pageTail)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), namespace) {
			fmt.Fprintf(&page, "| `%s` | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.TrimSpace(f.GetHelp()))
		}
	}
	return page.String()
}

var describedName = regexp.MustCompile(`fqName: "([a-z_]+)"`)

// TestEveryMetricIsDescribed holds docs/metrics.md to the metrics that there are.
func TestEveryMetricIsDescribed(t *testing.T) {
	t.Parallel()
	told := Quiet()
	path := filepath.Join("..", "..", "docs", "metrics.md")
	want := metricsPage(t, told.metrics)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the page is not what the metrics say; run make docs\n%s", diff)
	}
	descriptions := make(chan *prometheus.Desc, 1000)
	told.metrics.registry.Describe(descriptions)
	close(descriptions)
	n := 0
	for d := range descriptions {
		name := describedName.FindStringSubmatch(d.String())
		if name == nil || !strings.HasPrefix(name[1], namespace) {
			continue
		}
		n++
		if !strings.Contains(string(got), "| `"+name[1]+"` |") {
			t.Errorf("%s is registered and not described", name[1])
		}
	}
	if n != len(told.metrics.entries) {
		t.Errorf("%d metrics are registered, %d described", n, len(told.metrics.entries))
	}
}

// TestClientsCannotMakeMetricsGrow sends more names than there is memory for.
func TestClientsCannotMakeMetricsGrow(t *testing.T) {
	t.Parallel()
	told := Quiet()
	for client := range 20 {
		for i := range 100 {
			_, ended := told.Operation(t.Context(), fmt.Sprint("client", client), fmt.Sprintf("Name%dOf%d", i, client), "query")
			ended(OutcomeOK)
		}
	}
	series := strings.Count(told.scrape(), "\n"+namespace+"graphql_operations_total{")
	if series != maxNames+1 {
		t.Errorf("%d series, want %d", series, maxNames+1)
	}
	told.wantLines(t, `creditgraph_graphql_operations_total{operation="other",outcome="ok",type="query"} 1900`)
	if len(told.names.byClient) > maxNames {
		t.Errorf("%d clients are remembered", len(told.names.byClient))
	}
	if told.names.Label("late", "Name3Of1") != "Name3Of1" || told.names.Label("late", "") != anonymous {
		t.Error("a known name, or none, is taken for another")
	}
}

func TestOneClientLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	names := NewNames(nil)
	for i := range 1000 {
		names.Label("greedy", fmt.Sprint("n", i))
	}
	if got := names.Label("web", "Summary"); got != "Summary" {
		t.Errorf("another client's operation is %q", got)
	}
}

func TestOnlyTrustedNamesAreLabelsWhereThereAreSome(t *testing.T) {
	t.Parallel()
	names := NewNames([]string{"Summary"})
	for name, want := range map[string]string{"Summary": "Summary", "Other": other, "": anonymous} {
		if got := names.Label("web", name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// TestRequestsAreCountedByRouteStatusAndTime checks that neither a client's method nor a strange status becomes a label.
func TestRequestsAreCountedByRouteStatusAndTime(t *testing.T) {
	t.Parallel()
	b := traced(t, nil)
	for _, r := range []struct {
		status int
		stream bool
	}{{200, false}, {999, false}, {200, true}} {
		_, ended := b.Request(t.Context(), "CANARY", "/graphql", nil)
		ended(r.status, r.stream)
	}
	b.wantLines(t, `creditgraph_http_requests_total{route="/graphql",status="200"} 2`, `creditgraph_http_requests_total{route="/graphql",status="other"} 1`,
		`creditgraph_http_request_duration_seconds_count{route="/graphql"} 2`)
	if text := fmt.Sprintf("%+v", b.spans.GetSpans()) + b.scrape(); strings.Contains(text, "CANARY") {
		t.Error("a client's word is told")
	}
}

func TestSlowOperationsAreToldWithWhatTheyDid(t *testing.T) {
	t.Parallel()
	b := traced(t, func(c *Config) { c.SlowAfter = 1 })
	ctx, ended := b.Operation(WithRequestID(t.Context(), "r-1"), "web", "Summary", "query")
	b.Statement(ctx, "select loans", 1, nil)
	b.Answered(ctx, "kredete.profile", lending.SourceStale, 2)
	ended(OutcomeOK)
	lines := b.log.lines(t, "slow operation")
	if len(lines) != 1 || lines[0]["name"] != "Summary" || lines[0]["sqlStatements"] != 1.0 || lines[0]["requestId"] != "r-1" || lines[0]["traceId"] == nil {
		t.Errorf("the log says %v", lines)
	}
	account, ok := AccountOf(ctx, 7)
	if !ok || account.Cache.Stale != 2 || account.SQLStatements != 1 || account.Cost != 7 || account.UpstreamCalls == nil {
		t.Errorf("the account is %+v", account)
	}
	quiet := traced(t, nil)
	_, ended = quiet.Operation(t.Context(), "web", "Summary", "query")
	ended(OutcomeOK)
	if text := quiet.log.String(); text != "" {
		t.Errorf("without a limit the log says %s", text)
	}
}

// TestAnAccountIsBounded makes more calls than an account lists.
func TestAnAccountIsBounded(t *testing.T) {
	t.Parallel()
	account := &tally{}
	for range 2 * maxCalls {
		account.called(UpstreamCall{})
	}
	if len(account.calls) != maxCalls {
		t.Errorf("%d calls are kept", len(account.calls))
	}
	var none *tally
	none.called(UpstreamCall{})
	none.answered(lending.SourceFresh, 1)
	if _, ok := AccountOf(t.Context(), 0); ok {
		t.Error("what belongs to no operation has an account")
	}
}

// BenchmarkScrape measures a scrape of a service that knows as many names, statements and calls as it ever will.
func BenchmarkScrape(b *testing.B) {
	told := Quiet()
	for i := range maxNames {
		_, ended := told.Operation(b.Context(), fmt.Sprint("client", i%10), fmt.Sprint("Name", i), "query")
		ended(OutcomeOK)
	}
	for _, verb := range []string{"select", "insert", "update", "delete"} {
		for i := range 25 {
			told.Statement(b.Context(), fmt.Sprint(verb, " table", i), 1, nil)
		}
	}
	for b.Loop() {
		told.scrape()
	}
}

func TestConditionsAreListed(t *testing.T) {
	t.Parallel()
	runbook, err := os.ReadFile(filepath.Join("..", "..", "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Conditions() {
		if !strings.Contains(string(runbook), "\n## "+string(c)+"\n") {
			t.Errorf("the runbook has no section %s", c)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(Conditions())))) < 9 {
		t.Error("conditions are missing")
	}
}
