package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
)

// taken is what was sent somewhere.
type taken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (k *taken) add(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.text.WriteString(text)
}

// String is all of it.
func (k *taken) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.String()
}

// collector takes traces and keeps them as they come.
func collector(t *testing.T) (address string, traces *taken) {
	t.Helper()
	traces = &taken{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		traces.add(r.URL.Path + string(body))
	}))
	t.Cleanup(server.Close)
	return server.URL, traces
}

// heads keeps the heads of the requests that reach providers.
func heads(t *testing.T, settings [][2]string) ([][2]string, *taken) {
	t.Helper()
	seen, settings := &taken{}, slices.Clone(settings)
	for i, setting := range settings {
		target, err := url.Parse(setting[1])
		if err != nil || !strings.HasSuffix(setting[0], "_URL") || target.Host == "" {
			continue
		}
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
		proxy.Transport = &http.Transport{DisableKeepAlives: true}
		listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen.add(fmt.Sprintln(r.Method, r.Header))
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(listening.Close)
		settings[i][1] = listening.URL + target.Path
	}
	return settings, seen
}

// watchedProgram is a program that has a collector and Redis, and its twins behind proxies.
func watchedProgram(t *testing.T) (p *program, seen *visited, traces, providers *taken) {
	t.Helper()
	twins, err := sandbox.Start(sandbox.Options{Customers: 3, Logger: slog.New(slog.DiscardHandler), ReportDelay: time.Millisecond, WebhookStep: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := twins.Stop(); err != nil {
			t.Error(err)
		}
	})
	address, traces := collector(t)
	seen = &visited{}
	seen.stand(t, twins.Settings())
	settings, providers := heads(t, seen.settings)
	p = boot(t, setup{redis: "redis://" + miniredis.RunT(t).Addr(), real: settings, adjust: func(c *config.Config) {
		c.Tracing.Endpoint, c.ReportPollAfter = address, time.Second
	}})
	p.sandbox = twins
	twins.SendWebhooksTo(p.address())
	if _, err := p.service.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
		t.Fatal(lending.AsError(err).Detail())
	}
	return p, seen, traces, providers
}

// metrics is the text of /metrics.
func (p *program) metrics(t *testing.T) string {
	t.Helper()
	response, err := http.Get(p.address() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d: %v", response.StatusCode, err)
	}
	return string(text)
}

// TestTelemetryTellsAllAndNothingPersonal plays everything that takes in personal data on a program whose collector and
// metrics are looked into, and stops it.
func TestTelemetryTellsAllAndNothingPersonal(t *testing.T) {
	t.Parallel()
	p, seen, traces, providers := watchedProgram(t)
	p.playCanaries(t, seen)
	if err := p.quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	joinTrace(t, p)
	page, all := p.metrics(t), canaries(p)
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`creditgraph_graphql_operations_total{operation="CreateCustomer",outcome="ok",type="mutation"}`,
		`creditgraph_provider_calls_total{class="write",kind="OK",operation="CreateCustomer",provider="KREDETE"}`,
		`creditgraph_provider_call_duration_seconds_bucket{class="read",operation="Profile",provider="KREDETE"`,
		`creditgraph_cache_answers_total{read="kredete.profile",status="FRESH"}`, `creditgraph_cache_loads_total{kind="OK",read="kredete.profile"}`,
		`creditgraph_loader_batch_keys_bucket{loader="customers"`, `creditgraph_loader_batch_keys_bucket{loader="overviews"`,
		`creditgraph_sql_statements_total{outcome="ok",statement="insert operations"}`, `creditgraph_redis_commands_total{command="pipeline",outcome="ok"}`,
		`creditgraph_http_requests_total{route="/webhooks/trustdecision"`, `creditgraph_open_operations{status="OUTCOME_UNKNOWN"}`,
		`creditgraph_event_log_last_sequence`, "creditgraph_store_up 1", "go_goroutines", "process_resident_memory_bytes", "creditgraph_build_info{",
	} {
		if !strings.Contains(page, "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	sent := traces.String()
	for _, want := range []string{"/v1/traces", "POST /graphql", "mutation CreateCustomer", "batch customers", "sql insert operations", "redis ", "kredete CreateCustomer", "creditgraph.attempt"} {
		if !strings.Contains(sent, want) {
			t.Errorf("no span tells of %q", want)
		}
	}
	for what, canary := range all {
		if strings.Contains(page, canary) {
			t.Errorf("the %s is in the metrics", what)
		}
		if strings.Contains(sent, canary) {
			t.Errorf("the %s is in a trace", what)
		}
	}
	for _, header := range []string{"Traceparent", "Tracestate", "Baggage", joinedTrace, "canary-baggage"} {
		if strings.Contains(providers.String(), header) {
			t.Errorf("a provider was sent %s", header)
		}
	}
	if strings.Contains(sent, "canary-baggage") || strings.Contains(sent, "canary-state") {
		t.Error("a caller's own words are in a trace")
	}
}

const joinedTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// joinTrace asks, within a trace of the caller's, for what a provider has to be asked for.
func joinTrace(t *testing.T, p *program) {
	t.Helper()
	body := fmt.Sprintf(`{"query": "{ customer(id: \"%s\") { creditSummary(freshness: {maxAge: \"PT0S\"}) { sources { provider status } } } }", "extensions": {"trace": true}}`, p.person(t, 0))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.address()+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + p.operatorToken(t), "Content-Type": "application/json", "Traceparent": "00-" + joinedTrace + "-00f067aa0ba902b7-01",
		"Tracestate": "vendor=canary-state", "Baggage": "person=canary-baggage",
	} {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"upstreamCalls":[{"provider":"`, `"class":"read","attempt":1`, `"redisRoundTrips":`, `"sqlStatements":`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the account lacks %s: %s", want, text)
		}
	}
	if strings.Contains(string(text), `"redisRoundTrips":0`) || strings.Contains(string(text), `"sqlStatements":0`) {
		t.Errorf("nothing was counted: %s", text)
	}
}

// operatorToken is one with all scopes.
func (p *program) operatorToken(t *testing.T) string {
	t.Helper()
	token, err := p.issuer.Issue("operator", auth.Scopes(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestProfilesHaveAnAddressOfTheirOwn checks that profiles are served there, and not where clients come.
func TestProfilesHaveAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	p := bootEarly(t, setup{customers: 1, adjust: func(c *config.Config) { c.DebugListen = "127.0.0.1:0" }})
	var address string
	for line := range strings.Lines(p.log.String()) {
		if _, rest, ok := strings.Cut(line, `"msg":"profiles are served","address":"`); ok {
			address, _, _ = strings.Cut(rest, `"`)
		}
	}
	for url, want := range map[string]int{
		"http://" + address + "/debug/pprof/heap": 200, "http://" + address + "/graphql": 404, p.address() + "/debug/pprof/heap": 404,
	} {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close() != nil || response.StatusCode != want {
			t.Errorf("%s is %d, want %d", url, response.StatusCode, want)
		}
	}
}

// TestVersionSaysWhichBuildThisIs runs the command.
func TestVersionSaysWhichBuildThisIs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Main(t.Context(), []string{"version"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.HasPrefix(text, "creditgraph ") || !strings.Contains(text, "\ngo1.") {
		t.Errorf("it says %q", text)
	}
}
