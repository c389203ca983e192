package resilient

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

const (
	// firstBackoff is the longest wait before the first retry; each further one may be twice as long, up to
	// longestBackoff.
	firstBackoff   = 100 * time.Millisecond
	longestBackoff = 2 * time.Second
)

// again waits until a failed call may be tried once more, and reports whether it may.
func (g *guard) again(ctx context.Context, call provider.Call, e *lending.Error, tries int) bool {
	if tries >= g.cfg.Retries || !repeatable(call.Class, e) {
		return false
	}
	own, _ := g.lane(call.Class)
	wait := g.backoff(e, tries)
	if rest(ctx) < wait+own.latency.typical() || !g.extra.spend() {
		return false
	}
	return pause(ctx, wait)
}

// repeatable reports whether a call may be sent again after a failure: only where that changes nothing twice, and
// the failure may pass. A refusal of our own is not one of these, but told as it is.
func repeatable(class provider.Class, e *lending.Error) bool {
	if class == provider.Write || !e.Retryable {
		return false
	}
	switch e.Kind {
	case lending.KindUpstreamUnavailable, lending.KindTimeout, lending.KindRateLimited:
		return true
	}
	return false
}

// backoff is anything up to a bound that doubles, so that those who failed together do not come back together; after
// the time that the provider named, where it named one.
func (g *guard) backoff(e *lending.Error, tries int) time.Duration {
	bound := min(firstBackoff<<min(tries, 10), longestBackoff)
	return min(e.RetryAfter, longestPause) + time.Duration(g.cfg.Rand(int64(bound)+1))
}
