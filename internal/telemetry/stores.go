package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/cached"
)

const (
	outcomeOK    = "ok"
	outcomeError = "error"
)

func outcome(err error) string {
	if err != nil {
		return outcomeError
	}
	return outcomeOK
}

// Statement is the observer of the database's statements. statement is a verb and a table: the text of a statement holds
// values, and is never told.
func (t *Telemetry) Statement(ctx context.Context, statement string, took time.Duration, err error) {
	t.metrics.statements.WithLabelValues(statement, outcome(err)).Inc()
	t.metrics.statementTook.WithLabelValues(statement).Observe(took.Seconds())
	if account := tallyOf(ctx); account != nil {
		account.statements.Add(1)
	}
	if t.tracing.inside(ctx) {
		t.tracing.after(ctx, "sql "+statement, took, err != nil, attribute.String("db.query.summary", statement))
	}
}

// Batch is the observer of batches of look-ups: how many keys, and of which loader. ended is told how it went.
func (t *Telemetry) Batch(ctx context.Context, loader string, keys int) (_ context.Context, ended func(err error)) {
	t.metrics.batchKeys.WithLabelValues(loader).Observe(float64(keys))
	if account := tallyOf(ctx); account != nil {
		account.batches.Add(1)
	}
	var span trace.Span
	if t.tracing.inside(ctx) {
		ctx, span = t.tracing.begin(ctx, "batch "+loader, trace.SpanKindInternal,
			attribute.String("creditgraph.loader", loader), attribute.Int("creditgraph.keys", keys))
	}
	return ctx, func(err error) {
		if err != nil {
			t.metrics.batchFailures.WithLabelValues(loader).Inc()
		}
		if span != nil {
			if err != nil {
				span.SetStatus(codes.Error, kindOf(err))
			}
			span.End()
		}
	}
}

var _ cached.Observer = (*Telemetry)(nil)

// Answered implements cached.Observer.
func (t *Telemetry) Answered(ctx context.Context, read string, status lending.SourceStatus, count int) {
	t.metrics.cacheAnswers.WithLabelValues(read, string(status)).Add(float64(count))
	tallyOf(ctx).answered(status, count)
}

// Loaded implements cached.Observer.
func (t *Telemetry) Loaded(read string, kind lending.ErrorKind, _ time.Duration) {
	label := string(kind)
	if kind == "" {
		label = succeeded
	}
	t.metrics.cacheLoads.WithLabelValues(read, label).Inc()
}

// Discarded implements cached.Observer.
func (t *Telemetry) Discarded(read string, reason cached.Discard) {
	t.metrics.cacheDiscards.WithLabelValues(read, word(reason)).Inc()
}

// RedisUsable implements cached.Observer.
func (t *Telemetry) RedisUsable(usable bool) {
	t.metrics.redisUsable.WithLabelValues().Set(number(usable))
	t.conditions.set(RedisResting, "", !usable, "")
}
