package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
)

func callersHeader() http.Header {
	return http.Header{
		"Traceparent": {"00-" + callersTrace + "-" + callersSpan + "-01"},
		"Tracestate":  {"vendor=canary-state"}, "Baggage": {"person=canary-baggage"},
	}
}

// disburse is a call of a provider.
func disburse() provider.Call {
	return provider.Call{Provider: lending.Kredete, Operation: "Disburse", Class: provider.Write}
}

// redisClient is one whose commands are watched.
func (b *bench) redisClient(t *testing.T) redis.UniversalClient {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	client.AddHook(b.RedisHook())
	return client
}

// TestOneRequestIsOneTrace plays a request through all hooks, and looks at what a collector would be sent.
func TestOneRequestIsOneTrace(t *testing.T) {
	t.Parallel()
	b := traced(t, nil)
	client := b.redisClient(t)
	if err := client.Ping(t.Context()).Err(); err != nil { // it is connected before anybody asks
		t.Fatal(err)
	}
	ctx, answered := b.Request(t.Context(), "POST", "/graphql", callersHeader())
	ctx, ended := b.Operation(ctx, "web", "Summary", "query")
	batch, fetched := b.Batch(ctx, "customers", 3)
	b.Statement(batch, "select customers", time.Millisecond, nil)
	fetched(nil)
	if err := client.Set(ctx, "canary-key", "canary-value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	_, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Get(ctx, "canary-key")
		return pipe.Get(ctx, "canary-missing").Err()
	})
	if !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	refusal := &lending.Error{Kind: lending.KindUpstreamRejected, Provider: lending.Kredete, Message: "canary-message", Err: errors.New("canary-cause")}
	attempts := 0
	err = b.Calls(ctx, disburse(), func(ctx context.Context) error {
		for range 2 {
			err = b.Attempts(ctx, disburse(), func(context.Context) error {
				if attempts++; attempts == 1 {
					return refusal
				}
				return nil
			})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ended(OutcomePartial)
	answered(200, false)

	spans := b.spans.GetSpans()
	names := map[string]tracetest.SpanStub{}
	for _, span := range spans {
		if span.SpanContext.TraceID().String() != callersTrace {
			t.Errorf("%s is not in the caller's trace", span.Name)
		}
		if span.SpanContext.TraceState().Len() != 0 {
			t.Errorf("%s carries the caller's state", span.Name)
		}
		names[span.Name] = span
	}
	for child, parent := range map[string]string{
		"query Summary": "POST /graphql", "batch customers": "query Summary", "sql select customers": "batch customers",
		"redis set": "query Summary", "redis pipeline": "query Summary", "kredete Disburse": "query Summary",
	} {
		if names[child].Parent.SpanID() != names[parent].SpanContext.SpanID() || !names[child].Parent.IsValid() {
			t.Errorf("%q is not below %q", child, parent)
		}
	}
	if names["POST /graphql"].Parent.SpanID().String() != callersSpan {
		t.Error("the request is not below the caller's span")
	}
	if len(spans) != 8 {
		t.Errorf("%d spans, want 8: %v", len(spans), slices.Sorted(maps.Keys(names)))
	}
	text := fmt.Sprintf("%+v", spans)
	for _, want := range []string{"creditgraph.attempt", "UPSTREAM_REJECTED", "creditgraph.keys", "db.operation.batch.size"} {
		if !strings.Contains(text, want) {
			t.Errorf("the spans lack %s", want)
		}
	}
	if strings.Contains(text+b.scrape(), "canary") {
		t.Errorf("a value is told:\n%s", text)
	}
}

// TestStepsThatNobodyAskedForMakeNoTrace keeps polls of the database out of the collector.
func TestStepsThatNobodyAskedForMakeNoTrace(t *testing.T) {
	t.Parallel()
	b := traced(t, nil)
	b.Statement(t.Context(), "select events", time.Millisecond, nil)
	for _, route := range []string{"/healthz", "/readyz", "/metrics"} {
		_, answered := b.Request(t.Context(), "GET", route, callersHeader())
		answered(200, false)
	}
	_, ended := b.Batch(t.Context(), "customers", 1)
	ended(nil)
	if err := b.redisClient(t).Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if spans := b.spans.GetSpans(); len(spans) != 0 {
		t.Errorf("%d spans", len(spans))
	}
	if err := b.Attempts(t.Context(), disburse(), func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if spans := b.spans.GetSpans(); len(spans) != 1 {
		t.Errorf("%d spans of an action that the service finishes by itself", len(spans))
	}
}

// TestWithoutACollectorNothingIsTraced checks that tracing that is off makes no span and takes no memory.
func TestWithoutACollectorNothingIsTraced(t *testing.T) {
	b := traced(t, func(c *Config) { c.Tracing.Endpoint = "" })
	ctx, answered := b.Request(t.Context(), "POST", "/graphql", callersHeader())
	b.Statement(ctx, "select customers", time.Millisecond, nil)
	answered(200, false)
	if spans := b.spans.GetSpans(); len(spans) != 0 {
		t.Fatalf("%d spans", len(spans))
	}
	plain := context.Background()
	for name, step := range map[string]func(){
		"statement": func() { b.Statement(plain, "select customers", time.Millisecond, nil) },
		"batch":     func() { _, ended := b.Batch(plain, "customers", 3); ended(nil) },
		"cache":     func() { b.Answered(plain, "kredete.profile", lending.SourceCached, 1) },
	} {
		step() // the first makes the counters
		most := 0.0
		if name == "batch" {
			most = 1 // what it gives to be told how the batch went
		}
		if n := testing.AllocsPerRun(200, step); n > most {
			t.Errorf("a %s takes %v allocations, want at most %v", name, n, most)
		}
	}
}

// BenchmarkRequest measures all hooks of a request that makes three batches, four statements and two calls of providers.
func BenchmarkRequest(b *testing.B) {
	for name, endpoint := range map[string]string{"untraced": "", "traced": "http://collector.invalid"} {
		b.Run(name, func(b *testing.B) {
			told := traced(b, func(c *Config) {
				if c.Tracing = (TracingConfig{Endpoint: endpoint}); endpoint != "" {
					c.Tracing.Processor = sdktrace.NewBatchSpanProcessor(tracetest.NewNoopExporter())
				}
			})
			b.ReportAllocs()
			for b.Loop() {
				ctx, answered := told.Request(context.Background(), "POST", "/graphql", nil)
				ctx, ended := told.Operation(ctx, "web", "Summary", "query")
				for range 3 {
					batch, fetched := told.Batch(ctx, "customers", 3)
					told.Statement(batch, "select customers", time.Millisecond, nil)
					fetched(nil)
				}
				told.Statement(ctx, "select loans", time.Millisecond, nil)
				for range 2 {
					if err := told.Attempts(ctx, disburse(), func(context.Context) error { return nil }); err != nil {
						b.Fatal(err)
					}
				}
				ended(OutcomeOK)
				answered(200, false)
			}
		})
	}
}

// collector is one that takes traces as a test says.
func collector(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL + "/v1/traces"
}

// TestTracesAreFlushedWhenTheServiceStops sends over real HTTP.
func TestTracesAreFlushedWhenTheServiceStops(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 8)
	address := collector(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- r.URL.Path + string(body)
	})
	b := traced(t, func(c *Config) {
		c.Tracing = TracingConfig{Endpoint: address}
		c.Version = Version{Version: "v1.2.3"}
	})
	_, answered := b.Request(t.Context(), "POST", "/graphql", http.Header{})
	answered(200, false)
	if err := b.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case body := <-bodies:
		for _, want := range []string{"/v1/traces", "POST /graphql", "creditgraph", "v1.2.3"} {
			if !strings.Contains(body, want) {
				t.Errorf("what was sent lacks %q", want)
			}
		}
	default:
		t.Error("nothing was sent before the service had stopped")
	}
}

// TestACollectorThatFailsHarmsNobody traces thousands of requests for a collector that does not answer. The requests are not
// held up, and stopping takes no longer than it is given.
func TestACollectorThatFailsHarmsNobody(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := New(Config{Tracing: TracingConfig{Endpoint: "http://" + listener.Addr().String() + "/v1/traces"}})
	if err != nil {
		t.Fatal(err)
	}
	traced := make(chan struct{})
	go func() {
		defer close(traced)
		for range 20_000 { // ten times what is kept for the collector
			_, answered := b.Request(context.Background(), "POST", "/graphql", http.Header{})
			answered(200, false)
		}
	}()
	select {
	case <-traced:
	case <-time.After(time.Minute):
		t.Fatal("requests wait for the collector")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := b.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopping gave %v", err)
	}
}

// TestErrorsOfTheExporterAreCountedAndRarelyTold is about what OpenTelemetry would write to standard error.
func TestErrorsOfTheExporterAreCountedAndRarelyTold(t *testing.T) {
	address := collector(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	b := traced(t, func(c *Config) { c.Tracing = TracingConfig{Endpoint: address} })
	RouteExporterErrors(b.Telemetry)
	for range 3 {
		_, answered := b.Request(t.Context(), "POST", "/graphql", http.Header{})
		answered(200, false)
		if err := b.tracing.provider.ForceFlush(t.Context()); err == nil {
			t.Error("a collector that refuses is taken for one that takes")
		}
	}
	otel.Handle(errors.New("one more"))
	otel.Handle(errors.New("and another"))
	if lines := b.log.lines(t, "traces could not be exported"); len(lines) != 1 {
		t.Errorf("%d lines, want 1", len(lines))
	}
	// There is one handler in a process, and another test's exporter may still be failing.
	if page := b.scrape(); regexp.MustCompile(`(?m)^creditgraph_trace_export_failures_total [01]$`).MatchString(page) {
		t.Error("two errors are not counted")
	}
}
