package telemetry

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// records tells the backlog that a test says.
type records struct {
	mu      sync.Mutex
	backlog service.Backlog
	err     error
	looks   int
}

func (r *records) Backlog(ctx context.Context) (service.Backlog, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks++
	if r.err != nil {
		return service.Backlog{}, r.err
	}
	return r.backlog, ctx.Err()
}

func (r *records) set(change func(*records)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// waiting is a backlog in which everything waits too long.
func waiting(since time.Time) service.Backlog {
	return service.Backlog{
		Operations: map[lending.OperationStatus]service.Waiting{lending.OpOutcomeUnknown: {Count: 2, Oldest: since}},
		Deliveries: map[service.DeliveryState]service.Waiting{
			service.DeliveryReceived: {Count: 5, Oldest: since}, service.DeliverySetAside: {Count: 1, Oldest: since},
		},
		LastSequence: 40,
	}
}

// TestWhatWaitsIsMetricsAndAlerts plays an hour with its beginning, its trouble and its end.
func TestWhatWaitsIsMetricsAndAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := traced(t, nil)
		r := &records{}
		var outage atomic.Pointer[lending.Error]
		var seen atomic.Int64
		seen.Store(40)
		w := b.NewWatch(Watched{
			Backlog: r, Seen: seen.Load, Outage: func(lending.Provider) *lending.Error { return outage.Load() },
			Providers: []lending.Provider{lending.Carbon}, UnknownAfter: 15 * time.Minute, Clock: time.Now,
		})
		w.Start()
		w.Start()
		t.Cleanup(w.Stop)
		synctest.Wait()
		b.wantLines(t, "creditgraph_store_up 1", `creditgraph_provider_up{provider="CARBON"} 1`, `creditgraph_open_operations{status="OUTCOME_UNKNOWN"} 0`)
		if text := b.log.String(); text != "" {
			t.Fatalf("nothing is wrong, and the log says %s", text)
		}

		r.set(func(r *records) { r.backlog = waiting(time.Now()) })
		seen.Store(37)
		outage.Store(&lending.Error{Kind: lending.KindTimeout})
		w.look(t.Context())
		for _, early := range []Condition{OutcomeUnknownOld, InboxBacklog, EventLag} {
			if strings.Contains(b.log.String(), string(early)) {
				t.Errorf("%s is told at once", early)
			}
		}
		time.Sleep(20 * time.Minute) // of the bubble's clock
		synctest.Wait()
		b.wantLines(t, `creditgraph_open_operations{status="OUTCOME_UNKNOWN"} 2`, `creditgraph_open_operation_oldest_seconds{status="OUTCOME_UNKNOWN"} 1200`,
			`creditgraph_webhook_inbox_deliveries{state="RECEIVED"} 5`, `creditgraph_webhook_inbox_oldest_seconds{state="SET_ASIDE"} 1200`,
			"creditgraph_event_log_last_sequence 40", "creditgraph_event_lag_events 3", `creditgraph_provider_up{provider="CARBON"} 0`)
		for _, c := range []Condition{OutcomeUnknownOld, InboxBacklog, WebhookSetAside, EventLag, ProviderDown} {
			if n := b.begun(t, c); n != 1 {
				t.Errorf("%s was told %d times, want once", c, n)
			}
		}

		r.set(func(r *records) { r.backlog = service.Backlog{LastSequence: 40} })
		seen.Store(40)
		outage.Store(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		b.wantLines(t, "creditgraph_event_lag_events 0", `creditgraph_provider_up{provider="CARBON"} 1`, `creditgraph_open_operation_oldest_seconds{status="OUTCOME_UNKNOWN"} 0`)
		if over := b.log.lines(t, "a condition is over"); len(over) != 5 {
			t.Errorf("%d conditions are over, want 5", len(over))
		}
	})
}

// begun is how often a condition was told to begin.
func (b *bench) begun(t *testing.T, c Condition) (n int) {
	t.Helper()
	for _, line := range b.log.lines(t, "a condition needs attention") {
		if line["condition"] == string(c) {
			n++
		}
	}
	return n
}

func TestADatabaseThatIsAwayIsToldAndScrapesGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := traced(t, nil)
		r := &records{backlog: service.Backlog{LastSequence: 7}}
		w := b.NewWatch(Watched{Backlog: r, Seen: func() int64 { return 7 }, UnknownAfter: time.Minute, Clock: time.Now})
		w.Start()
		t.Cleanup(w.Stop)
		synctest.Wait()
		r.set(func(r *records) { r.err = errors.New("away") })
		time.Sleep(sampleEvery)
		synctest.Wait()
		b.wantLines(t, "creditgraph_store_up 0", "creditgraph_event_log_last_sequence 7")
		looks := r.looks
		for range 50 {
			b.scrape()
		}
		if r.looks != looks {
			t.Error("a scrape asks the database")
		}
		r.set(func(r *records) { r.err = nil })
		time.Sleep(sampleEvery)
		synctest.Wait()
		b.wantLines(t, "creditgraph_store_up 1")
		if b.begun(t, StoreUnavailable) != 1 {
			t.Error("that the database was away was not told once")
		}
	})
}

func TestConditionsThatAreToldByOthers(t *testing.T) {
	t.Parallel()
	b := traced(t, nil)
	b.CircuitChanged(lending.Carbon, provider.Read, provider.CircuitOpen)
	b.CircuitChanged(lending.Carbon, provider.Read, provider.CircuitHalfOpen)
	b.RedisUsable(false)
	order := provider.Call{Provider: lending.TrustDecision, Operation: "OrderReport", Class: provider.Write}
	fetch := provider.Call{Provider: lending.TrustDecision, Operation: "FetchReport", Class: provider.Read}
	exhausted := &lending.Error{Kind: lending.KindBalanceExhausted, Provider: lending.TrustDecision}
	make := func(call provider.Call, err error) {
		if got := b.Attempts(t.Context(), call, func(context.Context) error { return err }); !errors.Is(got, err) {
			t.Errorf("the call gave %v", got)
		}
	}
	make(order, exhausted)
	make(fetch, nil) // free, and so no sign of a balance
	b.wantLines(t, `creditgraph_provider_circuit_state{class="read",provider="CARBON",state="HALF_OPEN"} 1`,
		`creditgraph_provider_circuit_state{class="read",provider="CARBON",state="OPEN"} 0`, "creditgraph_redis_usable 0",
		`creditgraph_provider_balance_exhausted{provider="TRUST_DECISION"} 1`,
		`creditgraph_provider_calls_total{class="write",kind="PROVIDER_BALANCE_EXHAUSTED",operation="OrderReport",provider="TRUST_DECISION"} 1`)
	for _, c := range []Condition{CircuitOpen, RedisResting, BalanceExhausted} {
		if n := b.begun(t, c); n != 1 {
			t.Errorf("%s was told %d times, want once", c, n)
		}
	}
	make(order, nil)
	b.RedisUsable(true)
	b.CircuitChanged(lending.Carbon, provider.Read, provider.CircuitClosed)
	b.wantLines(t, `creditgraph_provider_balance_exhausted{provider="TRUST_DECISION"} 0`, "creditgraph_redis_usable 1")
	if over := b.log.lines(t, "a condition is over"); len(over) != 3 {
		t.Errorf("%d conditions are over, want 3", len(over))
	}
	b.Retried(fetch)
	b.Refused(fetch, "bulkhead")
	b.wantLines(t, `creditgraph_provider_retries_total{class="read",operation="FetchReport",provider="TRUST_DECISION"} 1`,
		`creditgraph_provider_refusals_total{class="read",operation="FetchReport",provider="TRUST_DECISION",reason="bulkhead"} 1`)
}

func TestAPanicOfADriverIsCountedAndGoesOn(t *testing.T) {
	t.Parallel()
	b := traced(t, nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = b.Attempts(t.Context(), disburse(), func(context.Context) error { panic("driver") })
	}()
	b.wantLines(t, `creditgraph_provider_calls_total{class="write",kind="INTERNAL",operation="Disburse",provider="KREDETE"} 1`)
}
