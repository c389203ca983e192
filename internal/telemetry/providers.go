package telemetry

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

const succeeded = "OK"

// kindOf is an error's kind as a label.
func kindOf(err error) string {
	if err == nil {
		return succeeded
	}
	if kind := lending.KindOf(err); kind.Valid() {
		return string(kind)
	}
	return string(lending.KindInternal)
}

type attemptKey struct{}

// Calls is the interceptor around whatever sends a provider's call again: it lets attempts be told apart.
func (t *Telemetry) Calls(ctx context.Context, _ provider.Call, next func(ctx context.Context) error) error {
	return next(context.WithValue(ctx, attemptKey{}, new(atomic.Int32)))
}

// Attempts is the interceptor around each attempt at a provider's call: the trace, the metrics and the account of it.
// It knows neither what is asked nor what is answered.
func (t *Telemetry) Attempts(ctx context.Context, call provider.Call, next func(ctx context.Context) error) (err error) {
	attempt := 1
	if earlier, ok := ctx.Value(attemptKey{}).(*atomic.Int32); ok {
		attempt = int(earlier.Add(1))
	}
	var span trace.Span
	if t.tracing != nil {
		ctx, span = t.tracing.begin(ctx, call.Provider.Slug()+" "+call.Operation, trace.SpanKindClient,
			attribute.String("creditgraph.provider", string(call.Provider)), attribute.String("creditgraph.call", call.Operation),
			attribute.String("creditgraph.class", call.Class.String()), attribute.Int("creditgraph.attempt", attempt))
	}
	began := time.Now()
	ended := false
	defer func() {
		if !ended { // it panicked
			err = errors.New("panic")
		}
		t.attempted(ctx, call, attempt, time.Since(began), err, span)
	}()
	err = next(ctx)
	ended = true
	return err
}

func (t *Telemetry) attempted(ctx context.Context, call provider.Call, attempt int, took time.Duration, err error, span trace.Span) {
	kind := kindOf(err)
	name, class := string(call.Provider), call.Class.String()
	t.metrics.calls.WithLabelValues(name, call.Operation, class, kind).Inc()
	t.metrics.callTook.WithLabelValues(name, call.Operation, class).Observe(took.Seconds())
	t.balance(call, err)
	told := UpstreamCall{Provider: call.Provider, Operation: call.Operation, Class: class, Attempt: attempt, TookMS: milliseconds(took)}
	if err != nil {
		told.Kind = lending.ErrorKind(kind)
	}
	tallyOf(ctx).called(told)
	if span != nil {
		if err != nil {
			span.SetAttributes(attribute.String("creditgraph.error.kind", kind))
			span.SetStatus(codes.Error, kind)
		}
		span.End()
	}
}

// balance watches the prepaid balance: a provider that takes an order has one again.
func (t *Telemetry) balance(call provider.Call, err error) {
	exhausted := lending.KindOf(err) == lending.KindBalanceExhausted
	if !exhausted && (err != nil || call.Class == provider.Read) {
		return
	}
	name := string(call.Provider)
	t.metrics.exhausted.WithLabelValues(name).Set(number(exhausted))
	t.conditions.set(BalanceExhausted, name, exhausted, "")
}

// Retried counts a call that is sent again.
func (t *Telemetry) Retried(call provider.Call) {
	t.metrics.retries.WithLabelValues(string(call.Provider), call.Operation, call.Class.String()).Inc()
}

// Refused counts a call that was not sent. reason is a word of whoever held it back.
func (t *Telemetry) Refused(call provider.Call, reason string) {
	t.metrics.refusals.WithLabelValues(string(call.Provider), call.Operation, call.Class.String(), word(reason)).Inc()
}

// CircuitChanged tells the state of the circuit of a provider's class of calls.
func (t *Telemetry) CircuitChanged(name lending.Provider, class provider.Class, state provider.CircuitState) {
	for _, each := range []provider.CircuitState{provider.CircuitClosed, provider.CircuitHalfOpen, provider.CircuitOpen} {
		t.metrics.circuits.WithLabelValues(string(name), class.String(), string(each)).Set(number(each == state))
	}
	t.conditions.set(CircuitOpen, string(name)+" "+class.String(), state != provider.CircuitClosed, "")
}

// number is a truth as a metric has it.
func number(truth bool) float64 {
	if truth {
		return 1
	}
	return 0
}
