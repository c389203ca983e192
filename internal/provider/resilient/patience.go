package resilient

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/creditgraph/creditgraph/internal/provider"
)

// latency is how long calls usually take: a mean in which each new one has a fifth of the weight.
type latency struct{ nanoseconds atomic.Int64 }

func (l *latency) note(took time.Duration) {
	for {
		before := l.nanoseconds.Load()
		after := int64(took)
		if before != 0 {
			after = before + (int64(took)-before)/5
		}
		if l.nanoseconds.CompareAndSwap(before, after) {
			return
		}
	}
}

// typical is 0 while nothing is known.
func (l *latency) typical() time.Duration { return time.Duration(l.nanoseconds.Load()) }

// rest is how long the caller still waits: until its context ends, or its request's budget.
func rest(ctx context.Context) time.Duration {
	left := time.Duration(math.MaxInt64)
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	if end, ok := provider.BudgetEnd(ctx); ok {
		left = min(left, time.Until(end))
	}
	return left
}

// pause waits for a span; false where ctx ended before.
func pause(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
