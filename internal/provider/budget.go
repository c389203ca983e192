package provider

import (
	"context"
	"sync"
	"time"
)

type (
	budgetKey     struct{}
	backgroundKey struct{}
)

// budget is the time that one request has for the reads of providers, however many it makes one after the other.
type budget struct {
	span  time.Duration
	begin sync.Once
	end   time.Time
}

func (b *budget) until() time.Time {
	b.begin.Do(func() { b.end = time.Now().Add(b.span) })
	return b.end
}

// WithBudget gives a request one span of time for all that it reads of providers. The span begins with the first
// read, so that what our own database takes is not counted.
func WithBudget(ctx context.Context, span time.Duration) context.Context {
	return context.WithValue(ctx, budgetKey{}, &budget{span: span})
}

// BudgetEnd is when the request's budget is used up; false where it has none. Asking begins the span.
func BudgetEnd(ctx context.Context) (end time.Time, ok bool) {
	b, _ := ctx.Value(budgetKey{}).(*budget)
	if b == nil {
		return time.Time{}, false
	}
	return b.until(), true
}

// WithinBudget ends ctx after a span, or with the request's budget where that ends earlier.
func WithinBudget(ctx context.Context, span time.Duration) (context.Context, context.CancelFunc) {
	end := time.Now().Add(span)
	if until, ok := BudgetEnd(ctx); ok && until.Before(end) {
		end = until
	}
	return context.WithDeadline(ctx, end)
}

// InBackground marks work that no request waits for: it has no budget, and yields to work that one waits for.
func InBackground(ctx context.Context) context.Context {
	return context.WithValue(context.WithValue(ctx, budgetKey{}, (*budget)(nil)), backgroundKey{}, true)
}

// IsBackground reports whether no request waits for the work.
func IsBackground(ctx context.Context) bool {
	marked, _ := ctx.Value(backgroundKey{}).(bool)
	return marked
}
