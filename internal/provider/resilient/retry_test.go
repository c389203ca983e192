package resilient

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	read, deduped, write := (*bench).read, (*bench).apply, (*bench).disburse
	rejected := &lending.Error{Kind: lending.KindUpstreamRejected, Outcome: lending.NotExecuted}
	for name, test := range map[string]struct {
		call  func(*bench, context.Context) *lending.Error
		err   *lending.Error
		calls int
	}{
		"a read that failed":           {read, errDown, 3},
		"a read that was never sent":   {read, errRefused, 3},
		"a deduped write":              {deduped, errDown, 3},
		"a write":                      {write, errDown, 1},
		"a write that was never sent":  {write, errRefused, 1},
		"a read that stays broken":     {read, &lending.Error{Kind: lending.KindUpstreamUnavailable}, 1},
		"a read that was refused":      {read, rejected, 1},
		"a read of what is not there":  {read, &lending.Error{Kind: lending.KindNotFound}, 1},
		"a read that is under way":     {read, &lending.Error{Kind: lending.KindInProgress, Retryable: true}, 1},
		"a read that makes no sense":   {read, &lending.Error{Kind: lending.KindUpstreamProtocol}, 1},
		"a read without our money":     {read, &lending.Error{Kind: lending.KindBalanceExhausted, Retryable: true}, 1},
		"a deduped write of no sense":  {deduped, &lending.Error{Kind: lending.KindUpstreamProtocol, Retryable: true, Outcome: lending.OutcomeUnknown}, 1},
		"a deduped write without word": {deduped, &lending.Error{Kind: lending.KindTimeout, Retryable: true, Outcome: lending.OutcomeUnknown}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.save(t, 5)
				before := b.total()
				b.fail(test.err)
				e := test.call(b, t.Context())
				if calls := b.total() - before; calls != test.calls || b.heard.retried != test.calls-1 {
					t.Errorf("%d calls, %d retries told; want %d calls", calls, b.heard.retried, test.calls)
				}
				if e == nil || e.Kind != test.err.Kind {
					t.Errorf("it failed with %v", e)
				}
			})
		})
	}
}

func TestARetryThatSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.save(t, 1)
		before := b.total()
		b.answer(func(_ context.Context, n int) error {
			if n == before+1 {
				return errDown
			}
			return nil
		})
		profile, err := b.guarded.Profiles.Profile(t.Context(), "id")
		if err != nil || profile.FirstName != "told" || b.total() != before+2 || b.observed.kinds[lending.KindUpstreamUnavailable] != 1 {
			t.Errorf("%v, %v after %d calls, observed %v", profile, err, b.total()-before, b.observed.kinds)
		}
	})
}

// TestRetriesAreATenthAtMost has 10,000 calls fail, whose retries no budget of time holds back.
func TestRetriesAreATenthAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Retries = 5 })
		b.fail(errDown)
		const offered = 10_000
		for range offered {
			b.read(t.Context())
		}
		if extra := b.total() - offered; extra > offered/10 || extra < offered/20 {
			t.Errorf("%d retries of %d calls, want up to a tenth", extra, offered)
		}
		// Calls that succeed save up no more than one, however many they are.
		b.answer(nil)
		b.save(t, mostRetries)
		b.save(t, mostRetries)
		b.fail(errDown)
		before := b.total()
		for range callsPerRetry - 1 {
			b.read(t.Context())
		}
		if extra := b.total() - before - (callsPerRetry - 1); extra != mostRetries {
			t.Errorf("%d retries were saved up, want %d", extra, mostRetries)
		}
	})
}

func TestBackoffHasFullJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throws := []int64{}
		b := newBench(t, func(c *Config) {
			c.Retries = 3
			c.Rand = func(n int64) int64 { throws = append(throws, n-1); return (n - 1) / 2 }
		})
		b.save(t, 5)
		b.fail(errDown)
		began := time.Now()
		b.read(t.Context())
		want := []int64{int64(100 * time.Millisecond), int64(200 * time.Millisecond), int64(400 * time.Millisecond)}
		if !slices.Equal(throws, want) {
			t.Errorf("waits are drawn from up to %v, want %v", throws, want)
		}
		if took := time.Since(began); took != 350*time.Millisecond {
			t.Errorf("the waits took %s, want 350ms", took)
		}
	})
}

func TestTheProvidersTimeIsHeeded(t *testing.T) {
	t.Parallel()
	limited := &lending.Error{Kind: lending.KindRateLimited, Retryable: true, Outcome: lending.NotExecuted, RetryAfter: 700 * time.Millisecond}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.save(t, 5)
		before := b.total()
		b.answer(func(_ context.Context, n int) error {
			if n == before+1 {
				return limited
			}
			return nil
		})
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if e := b.read(ctx); e != nil || time.Since(began) < limited.RetryAfter {
			t.Errorf("%v after %s, want a success after 700ms", e, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) { // 503 names a time too
		b := newBench(t)
		b.save(t, 5)
		busy := *errDown
		busy.RetryAfter = 900 * time.Millisecond
		b.fail(&busy)
		began := time.Now()
		if b.read(t.Context()); time.Since(began) < 1800*time.Millisecond {
			t.Errorf("two retries took %s, where the provider asked for 900ms before each", time.Since(began))
		}
		b.answer(nil)
		began = time.Now()
		if e := b.read(t.Context()); e != nil || time.Since(began) != 0 {
			t.Errorf("another call came back with %v after %s: one that fails holds up no other", e, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) { // others wait as well, writes too
		b := newBench(t, noRetries)
		b.fail(limited)
		b.read(t.Context())
		b.answer(nil)
		began := time.Now()
		if e := b.disburse(t.Context()); e != nil || time.Since(began) < limited.RetryAfter {
			t.Errorf("%v after %s, want a success after 700ms", e, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.save(t, 5)
		absurd := *limited
		absurd.RetryAfter = 24 * time.Hour
		b.fail(&absurd)
		before := b.total()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if e := b.read(ctx); e == nil || b.total() != before+1 {
			t.Errorf("%v after %d calls, want one: the time does not fit", e, b.total()-before)
		}
		b.answer(nil)
		refusedHere(t, b.read(ctx), lending.KindRateLimited)
		time.Sleep(longestPause)
		if e := b.read(t.Context()); e != nil {
			t.Errorf("after the longest pause: %s", e.Detail())
		}
	})
}

// TestNoRetryThatDoesNotFit gives a read less time than an attempt usually takes beyond the first one.
func TestNoRetryThatDoesNotFit(t *testing.T) {
	t.Parallel()
	slowly := func(respond error) func(ctx context.Context, n int) error {
		return func(context.Context, int) error {
			time.Sleep(400 * time.Millisecond)
			return respond
		}
	}
	bounds := map[string]func(context.Context, time.Duration) (context.Context, context.CancelFunc){
		"deadline": context.WithTimeout,
		"budget": func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
			ctx = provider.WithBudget(ctx, d)
			provider.BudgetEnd(ctx) // it begins
			return ctx, func() {}
		},
	}
	for name, bounded := range bounds {
		for _, test := range []struct {
			budget time.Duration
			calls  int
		}{{700 * time.Millisecond, 1}, {1100 * time.Millisecond, 2}, {1400 * time.Millisecond, 3}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, func(c *Config) { c.Rand = func(int64) int64 { return 0 } })
					b.answer(slowly(nil))
					b.save(t, 5)
					before := b.total()
					b.answer(slowly(errDown))
					ctx, cancel := bounded(t.Context(), test.budget)
					defer cancel()
					began := time.Now()
					b.read(ctx)
					if calls := b.total() - before; calls != test.calls {
						t.Errorf("%d calls in %s, want %d", calls, test.budget, test.calls)
					}
					if took := time.Since(began); took > test.budget {
						t.Errorf("it took %s of %s", took, test.budget)
					}
				})
			})
		}
	}
}

// TestQuickFailuresDoNotMakeCallsLookQuick has calls that take long succeed, and then fail at once.
func TestQuickFailuresDoNotMakeCallsLookQuick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer(func(context.Context, int) error { time.Sleep(time.Second); return nil })
		b.save(t, 5)
		b.fail(errDown)
		hurried := func() context.Context { return provider.WithBudget(t.Context(), 500*time.Millisecond) }
		before := b.total()
		for range 50 {
			b.read(hurried())
		}
		if b.total() != before+50 {
			t.Errorf("%d retries, where a call takes a second and there is half of one", b.total()-before-50)
		}
	})
}

// TestAnEarlierDoubtStays sends an application twice: first the answer is lost, then it is refused.
func TestAnEarlierDoubtStays(t *testing.T) {
	t.Parallel()
	lost := &lending.Error{Kind: lending.KindTimeout, Retryable: true, Outcome: lending.OutcomeUnknown}
	for name, later := range map[string]*lending.Error{
		"never sent": errRefused,
		"refused":    {Kind: lending.KindValidation, Outcome: lending.NotExecuted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.save(t, 5)
				before := b.total()
				b.answer(func(_ context.Context, n int) error {
					if n == before+1 {
						return lost
					}
					return later
				})
				if e := b.apply(t.Context()); e == nil || e.Outcome != lending.OutcomeUnknown || b.total() != before+2 {
					t.Errorf("after a lost answer and a refusal: %v in %d calls", e, b.total()-before)
				}
			})
		})
	}
}

func TestACallerWhoGoesIsNotTriedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Rand = func(n int64) int64 { return n - 1 } })
		b.save(t, 5)
		before := b.total()
		b.fail(errDown)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if e := b.read(ctx); !errors.Is(e, errDown.Err) || b.total() != before+1 {
			t.Errorf("%v after %d calls", e, b.total()-before)
		}
	})
}
