package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

type requestKey struct{}

// WithRequestID carries the id by which a request is found in the log.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID is the id of the request that ctx belongs to; "" outside of any.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Request begins a request over HTTP, in the trace of the caller where there is one. route is a word of ours and not the
// path. ended has to be told the status; streams, which last as long as they are followed, are counted and not timed.
func (t *Telemetry) Request(ctx context.Context, method, route string, header http.Header) (_ context.Context, ended func(status int, stream bool)) {
	began := time.Now()
	ctx = joined(ctx, header)
	var span trace.Span
	if t.tracing != nil && !isProbe(route) {
		method = knownMethod(method)
		ctx, span = t.tracing.begin(ctx, method+" "+route, trace.SpanKindServer,
			attribute.String("http.request.method", method), attribute.String("http.route", route))
	}
	return ctx, func(status int, stream bool) {
		t.metrics.requests.WithLabelValues(route, knownStatus(status)).Inc()
		if !stream {
			t.metrics.requestTook.WithLabelValues(route).Observe(time.Since(began).Seconds())
		}
		if span != nil {
			span.SetAttributes(attribute.Int("http.response.status_code", status))
			if status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}
	}
}

// isProbe reports whether a route is asked again and again by machines that watch: each would be a trace of nothing.
func isProbe(route string) bool {
	return route == "/healthz" || route == "/readyz" || route == "/metrics"
}

// knownMethod is a method as it may stand in a trace: a client may send any word as one.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "_OTHER"
}

func knownStatus(status int) string {
	if http.StatusText(status) == "" {
		return other
	}
	return strconv.Itoa(status)
}

// Outcome is how an operation of the graph ended.
type Outcome string

// The outcomes.
const (
	OutcomeOK      Outcome = "ok"
	OutcomePartial Outcome = "partial" // errors beside data
	OutcomeFailed  Outcome = "failed"
)

// Operation begins an operation of the graph of a client, and its account. kind is query, mutation or subscription, or event
// for one of a subscription. The document and its variables are not told. ended may be called once.
func (t *Telemetry) Operation(ctx context.Context, client, name, kind string) (_ context.Context, ended func(Outcome)) {
	name = t.names.Label(client, name)
	account := &tally{began: time.Now()}
	ctx = context.WithValue(ctx, tallyKey{}, account)
	var span trace.Span
	if t.tracing != nil {
		ctx, span = t.tracing.begin(ctx, kind+" "+name, trace.SpanKindInternal,
			attribute.String("graphql.operation.name", name), attribute.String("graphql.operation.type", kind))
	}
	return ctx, func(outcome Outcome) {
		took := time.Since(account.began)
		t.metrics.operations.WithLabelValues(name, kind, string(outcome)).Inc()
		t.metrics.operationTook.WithLabelValues(name, kind).Observe(took.Seconds())
		if span != nil {
			if outcome != OutcomeOK {
				span.SetStatus(codes.Error, string(outcome))
			}
			span.End()
		}
		if t.slowAfter > 0 && took > t.slowAfter {
			t.tellSlow(ctx, name, kind, took)
		}
	}
}

// tellSlow writes down what made an operation slow.
func (t *Telemetry) tellSlow(ctx context.Context, name, kind string, took time.Duration) {
	t.metrics.slow.WithLabelValues(kind).Inc()
	account, _ := AccountOf(ctx, 0)
	slowest := UpstreamCall{}
	for _, call := range account.UpstreamCalls {
		if call.TookMS > slowest.TookMS {
			slowest = call
		}
	}
	t.log.WarnContext(ctx, "slow operation", "type", kind, "name", name, "took", took.Round(time.Microsecond).String(),
		"upstreamCalls", len(account.UpstreamCalls), "slowestProvider", string(slowest.Provider), "slowestCall", slowest.Operation,
		"slowestTookMs", slowest.TookMS, "sqlStatements", account.SQLStatements, "redisRoundTrips", account.RedisRoundTrips, "batches", account.Batches)
}

// Failed counts an error in an answer, by its code. Codes that are none of ours are counted together.
func (t *Telemetry) Failed(code string) { t.metrics.errors.WithLabelValues(code).Inc() }

// RateLimited counts a request that a client's plan did not allow.
func (t *Telemetry) RateLimited(plan string) { t.metrics.rateLimited.WithLabelValues(word(plan)).Inc() }

// Unauthenticated counts a request without a good token or secret: at graphql, token or websocket.
func (t *Telemetry) Unauthenticated(at string) { t.metrics.authFailures.WithLabelValues(at).Inc() }

// Subscribed counts a follower over a transport, until it ended.
func (t *Telemetry) Subscribed(transport string) (ended func()) {
	followers := t.metrics.subscribers.WithLabelValues(transport)
	followers.Inc()
	return followers.Dec
}
