package telemetry

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// maxCalls is how many calls of providers an account lists.
const maxCalls = 200

// UpstreamCall is one call of a provider in the account of an operation.
type UpstreamCall struct {
	Provider  lending.Provider  `json:"provider"`
	Operation string            `json:"operation"`
	Class     string            `json:"class"`
	Attempt   int               `json:"attempt"`
	TookMS    float64           `json:"tookMs"`
	Kind      lending.ErrorKind `json:"kind,omitempty"` // "" for a success
}

// CacheAccount counts the answers of the cache to an operation.
type CacheAccount struct {
	Fresh  int64 `json:"fresh"`
	Cached int64 `json:"cached"`
	Stale  int64 `json:"stale"`
	Missed int64 `json:"missed"` // nothing, or nothing that could be told
}

// Account is what an operation made the service do. It holds no personal data: no ids, no keys, no values.
type Account struct {
	UpstreamCalls   []UpstreamCall `json:"upstreamCalls"`
	Cache           CacheAccount   `json:"cache"`
	SQLStatements   int64          `json:"sqlStatements"`
	RedisRoundTrips int64          `json:"redisRoundTrips"`
	Batches         int64          `json:"batches"`
	Cost            int            `json:"cost"`
	TookMS          float64        `json:"tookMs"`
}

// tally counts for one operation. What goes on behind the answer counts too, for nobody.
type tally struct {
	began                                                         time.Time
	fresh, cached, stale, missed, statements, redisTrips, batches atomic.Int64

	mu    sync.Mutex
	calls []UpstreamCall
}

type tallyKey struct{}

// tallyOf is the tally of the operation that ctx belongs to; nil outside of any.
func tallyOf(ctx context.Context) *tally {
	t, _ := ctx.Value(tallyKey{}).(*tally)
	return t
}

func (t *tally) called(c UpstreamCall) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.calls) < maxCalls {
		t.calls = append(t.calls, c)
	}
}

func (t *tally) answered(status lending.SourceStatus, count int) {
	if t == nil {
		return
	}
	switch status {
	case lending.SourceFresh:
		t.fresh.Add(int64(count))
	case lending.SourceCached:
		t.cached.Add(int64(count))
	case lending.SourceStale:
		t.stale.Add(int64(count))
	default:
		t.missed.Add(int64(count))
	}
}

// AccountOf is what the operation of ctx has made the service do so far; false outside of any.
func AccountOf(ctx context.Context, cost int) (Account, bool) {
	t := tallyOf(ctx)
	if t == nil {
		return Account{}, false
	}
	t.mu.Lock()
	calls := slices.Clone(t.calls)
	t.mu.Unlock()
	if calls == nil {
		calls = []UpstreamCall{}
	}
	return Account{
		UpstreamCalls: calls, SQLStatements: t.statements.Load(), RedisRoundTrips: t.redisTrips.Load(), Batches: t.batches.Load(),
		Cache: CacheAccount{Fresh: t.fresh.Load(), Cached: t.cached.Load(), Stale: t.stale.Load(), Missed: t.missed.Load()},
		Cost:  cost, TookMS: milliseconds(time.Since(t.began)),
	}, true
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
