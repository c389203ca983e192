package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// TracingConfig says where traces go. What else OpenTelemetry's variables may set (headers, timeouts, certificates, the
// sampler, attributes of the resource) its own packages read.
type TracingConfig struct {
	// Endpoint is the collector's whole address for traces, by OTLP over HTTP; nothing is traced where it is empty.
	Endpoint string
	// Processor takes the spans in place of the exporter: for tests. Endpoint has to be set all the same.
	Processor sdktrace.SpanProcessor
}

const (
	tracerName  = "github.com/creditgraph/creditgraph"
	serviceName = "creditgraph"

	// exportRest is how long the log is silent after it told of an error of the exporter.
	exportRest = time.Minute
)

// tracing makes spans and exports them.
type tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
	exporter sdktrace.SpanExporter // nil where a test takes the spans
	stopping sync.Once
	stopErr  error
}

func newTracing(c TracingConfig, v Version, logger *slog.Logger) (*tracing, error) {
	processor, exporter := c.Processor, sdktrace.SpanExporter(nil)
	if processor == nil {
		made, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(c.Endpoint))
		if err != nil {
			return nil, fmt.Errorf("the exporter of traces: %w", err)
		}
		// It keeps a bounded number of spans and drops what is more: who is traced never waits for a collector.
		processor, exporter = sdktrace.NewBatchSpanProcessor(made), made
	}
	about, err := resource.New(context.Background(),
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", serviceName), attribute.String("service.version", v.Version)),
		resource.WithFromEnv()) // the last wins: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES
	if err != nil {
		logger.Warn("OTEL_RESOURCE_ATTRIBUTES is read in part", "error", err.Error())
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(processor), sdktrace.WithResource(about))
	return &tracing{tracer: provider.Tracer(tracerName), provider: provider, exporter: exporter}, nil
}

func (t *tracing) stop(ctx context.Context) error {
	t.stopping.Do(func() {
		err := t.provider.Shutdown(ctx)
		if err == nil {
			return
		}
		t.stopErr = fmt.Errorf("traces are left: %w", err)
		if t.exporter != nil { // it would go on trying
			t.stopErr = errors.Join(t.stopErr, t.exporter.Shutdown(ctx))
		}
	})
	return t.stopErr
}

// RouteExporterErrors has t told of the errors of the exporter of traces, which go to standard error otherwise.
// OpenTelemetry has one place for them in a process: call this once, before anything is traced.
func RouteExporterErrors(t *Telemetry) {
	last := time.Time{}
	var mu sync.Mutex
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		t.metrics.exportFailures.WithLabelValues().Inc()
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) >= exportRest {
			last = now
			t.log.Warn("traces could not be exported", "error", err.Error())
		}
	}))
}

// traceparent is the header by which a caller's trace goes on here.
const traceparent = "traceparent"

// joined puts the trace of a caller into a context. What else W3C's headers may carry, tracestate and baggage, is
// left alone: it is text of the caller's, and would leave with our spans.
func joined(ctx context.Context, header http.Header) context.Context {
	parent := header.Get(traceparent)
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parent})
}

// begin starts a span; it must not be called where nothing is traced.
func (t *tracing) begin(ctx context.Context, name string, kind trace.SpanKind, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...))
}

// inside reports whether there is a trace that a step may be part of: steps that nobody asked for make none of their own.
func (t *tracing) inside(ctx context.Context) bool {
	return t != nil && trace.SpanFromContext(ctx).IsRecording()
}

// after makes the span of a step that has ended just now.
func (t *tracing) after(ctx context.Context, name string, took time.Duration, failed bool, attrs ...attribute.KeyValue) {
	now := time.Now()
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...), trace.WithTimestamp(now.Add(-took)))
	if failed {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(now))
}
