package resilient

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// upstream is a provider that does what the test says, and counts.
type upstream struct {
	mu      sync.Mutex
	calls   int
	most    int // under way at a time
	now     int
	began   []time.Time
	limit   int                                    // what it tells of its own; 0 for nothing
	respond func(ctx context.Context, n int) error // n counts from 1; nil succeeds
}

func (u *upstream) RateLimit() (limit, remaining int, resetsAt time.Time, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.limit, u.limit, time.Time{}, u.limit > 0
}

func (u *upstream) call(ctx context.Context) error {
	u.mu.Lock()
	u.calls++
	u.now++
	u.most = max(u.most, u.now)
	u.began = append(u.began, time.Now())
	n, respond := u.calls, u.respond
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.now--
	}()
	if respond == nil {
		return nil
	}
	return respond(ctx, n)
}

func (u *upstream) answer(respond func(ctx context.Context, n int) error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.respond = respond
}

func (u *upstream) fail(e *lending.Error) {
	u.answer(func(context.Context, int) error {
		own := *e
		return &own
	})
}

func (u *upstream) total() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.calls
}

func (u *upstream) Profile(ctx context.Context, _ string) (lending.Profile, error) {
	return lending.Profile{FirstName: "told"}, u.call(ctx)
}

func (u *upstream) Check(provider.LoanApplication) []lending.Problem { return nil }

func (u *upstream) Apply(ctx context.Context, _ provider.LoanApplication) (provider.LoanResult, error) {
	return provider.LoanResult{}, u.call(ctx)
}

func (u *upstream) Approve(ctx context.Context, _ string) (provider.LoanResult, error) {
	return provider.LoanResult{}, u.call(ctx)
}

func (u *upstream) Reject(ctx context.Context, _, _ string) (provider.LoanResult, error) {
	return provider.LoanResult{}, u.call(ctx)
}

func (u *upstream) Disburse(ctx context.Context, _ string) (provider.LoanResult, error) {
	return provider.LoanResult{}, u.call(ctx)
}

func (u *upstream) Ping(ctx context.Context) error { return u.call(ctx) }

// heard is what the guards told.
type heard struct {
	mu      sync.Mutex
	retried int
	refused map[string]int
	states  map[provider.Class][]provider.CircuitState
}

func (h *heard) Retried(provider.Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retried++
}

func (h *heard) Refused(_ provider.Call, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused[reason]++
}

func (h *heard) CircuitChanged(_ lending.Provider, class provider.Class, state provider.CircuitState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.states[class] = append(h.states[class], state)
}

func (h *heard) refusals(reason string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused[reason]
}

// observed counts attempts by their errors' kinds, as [provider.Observe] tells them.
type observed struct {
	mu    sync.Mutex
	kinds map[lending.ErrorKind]int
}

func (o *observed) Observe(seen provider.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var kind lending.ErrorKind
	if seen.Err != nil {
		kind = seen.Err.Kind
	}
	o.kinds[kind]++
}

// bench is one guarded provider.
type bench struct {
	*upstream
	guarded  *provider.Provider
	guards   *Guards
	heard    *heard
	observed *observed
	log      *bytes.Buffer // to be read when nothing is under way
}

// newBench makes a guarded provider whose circuits never open by themselves, unless the test says otherwise. It
// dedupes applications.
func newBench(_ testing.TB, change ...func(*Config)) *bench {
	b := &bench{
		upstream: &upstream{}, log: &bytes.Buffer{}, observed: &observed{kinds: map[lending.ErrorKind]int{}},
		heard: &heard{refused: map[string]int{}, states: map[provider.Class][]provider.CircuitState{}},
	}
	cfg := Config{
		Limits: provider.Limits{Read: 2 * time.Second, Write: 8 * time.Second}, Retries: 2, Events: b.heard,
		Circuit: Circuit{MinimumCalls: 1_000_000}, Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	b.guards = New(cfg)
	plain := &provider.Provider{
		Name: lending.Carbon, Profiles: b.upstream, Applications: b.upstream, Decisions: b.upstream, Pinger: b.upstream,
		Recovery: map[lending.OperationKind]provider.Recovery{lending.OpApplyForLoan: provider.RecoverByRepeating},
	}
	b.guarded = b.guards.Around(provider.Observe(plain, cfg.Limits, b.observed))
	return b
}

// quick makes circuits that open at the fifth of five failures, for a second.
func quick(c *Config) {
	c.Circuit = Circuit{FailureRate: 0.5, MinimumCalls: 5, Window: 10 * time.Second, Delay: time.Second}
}

func noRetries(c *Config) { c.Retries = 0 }

func (b *bench) read(ctx context.Context) *lending.Error {
	_, err := b.guarded.Profiles.Profile(ctx, "id")
	return lending.AsError(err)
}

func (b *bench) apply(ctx context.Context) *lending.Error {
	_, err := b.guarded.Applications.Apply(ctx, provider.LoanApplication{})
	return lending.AsError(err)
}

func (b *bench) disburse(ctx context.Context) *lending.Error {
	_, err := b.guarded.Decisions.Disburse(ctx, "id")
	return lending.AsError(err)
}

// save lets the provider succeed often enough for so many retries, more than are saved up otherwise.
func (b *bench) save(t *testing.T, retries int) {
	t.Helper()
	b.guards.guards[lending.Carbon].extra.most = retries
	for range retries * callsPerRetry {
		if e := b.read(t.Context()); e != nil {
			t.Fatal(e.Detail())
		}
	}
}

// unsent is a transport's failure before anything was sent.
type unsent struct{}

func (unsent) Error() string { return "refused" }
func (unsent) Sent() bool    { return false }
func (unsent) Timeout() bool { return false }

var (
	errDown    = &lending.Error{Kind: lending.KindUpstreamUnavailable, Retryable: true, Outcome: lending.NotExecuted, Err: errors.New("HTTP status 503")}
	errRefused = &lending.Error{Kind: lending.KindUpstreamUnavailable, Retryable: true, Outcome: lending.NotExecuted, Err: unsent{}}
)

// refusedHere checks that a call was refused by the guard.
func refusedHere(t *testing.T, e *lending.Error, kind lending.ErrorKind) {
	t.Helper()
	if e == nil || e.Kind != kind || e.Outcome != lending.NotExecuted || !e.Retryable || e.Provider != lending.Carbon || e.RetryAfter <= 0 {
		t.Errorf("the refusal is %#v", e)
	}
}

// waits hangs until the caller's time is over.
func waits(ctx context.Context, _ int) error {
	<-ctx.Done()
	return provider.TransportFailure(lending.Carbon, provider.Read, ctx.Err())
}
