package cached

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestFailuresAreOfAClosedKind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		load func(ctx context.Context, key string) (person, error)
		kind lending.ErrorKind
	}{
		{"an error of a kind stays", func(context.Context, string) (person, error) { return person{}, errDown }, lending.KindUpstreamUnavailable},
		{"a wrapped one stays", func(context.Context, string) (person, error) { return person{}, fmt.Errorf("call: %w", errDown) }, lending.KindUpstreamUnavailable},
		{"another is internal", func(context.Context, string) (person, error) { return person{}, errors.New("boom") }, lending.KindInternal},
		{"a panic is internal", func(context.Context, string) (person, error) { panic("boom") }, lending.KindInternal},
		{"an exit is internal", func(context.Context, string) (person, error) { runtime.Goexit(); return person{}, nil }, lending.KindInternal},
		{"a value that is no JSON is internal", func(context.Context, string) (person, error) {
			return person{Since: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
		}, lending.KindInternal},
		{"the deadline", func(ctx context.Context, _ string) (person, error) { <-ctx.Done(); return person{}, ctx.Err() }, lending.KindTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(_ *Config, s *Spec[person]) { s.Load = test.load })
				got := b.read("k")[0]
				expect(t, got, lending.SourceUnavailable, "", test.kind)
				e, ok := errors.AsType[*lending.Error](got.Err)
				if !ok || e.Provider != lending.Kredete || e.Outcome != lending.NotExecuted {
					t.Errorf("the error is %#v, want one of Kredete that executed nothing", got.Err)
				}
				if b.tally.loaded[test.kind] != 1 {
					t.Errorf("loads were counted as %v", b.tally.loaded)
				}
				if _, kept := b.cache.near.Get(b.reader.slot("k").id); kept {
					t.Error("an error was kept")
				}
			})
		})
	}
}

func TestALoadThatIgnoresItsDeadlineIsLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := newBench(t, func(_ *Config, s *Spec[person]) {
			s.Deadline = time.Second
			s.Load = func(context.Context, string) (person, error) { <-gate; return person{}, nil }
		})
		began := time.Now()
		expect(t, b.read("k")[0], lending.SourceUnavailable, "", lending.KindTimeout)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %s, want the deadline of 1s", took)
		}
		close(gate)
	})
}

func TestManyReadsOfOneMissingKeyMakeOneLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, gate := b.upstream.hold()
		var group sync.WaitGroup
		for range 10_000 {
			group.Go(func() { expect(t, b.read("k")[0], lending.SourceFresh, "k v1", "") })
		}
		synctest.Wait()
		close(gate)
		group.Wait()
		if b.upstream.total() != 1 {
			t.Errorf("the provider was asked %d times, want once", b.upstream.total())
		}
	})
}

func TestALateReadTakesALoadThatHasJustEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	began := b.cache.now() // a read has looked, and found nothing
	b.clock.advance(time.Second)
	b.read("k")
	for _, maxAge := range []*time.Duration{nil, new(time.Duration(0))} {
		f, mine := b.cache.join(b.reader.slot("k"), began, maxAge)
		if mine || !f.landed() || f.env == nil {
			t.Error("the late read loads again")
		}
	}
}

func TestALateReadTakesALoadThatEndedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, gate := b.upstream.hold()
		go b.read("k")
		synctest.Wait()
		b.clock.advance(time.Second)
		began := b.cache.now()
		close(gate)
		synctest.Wait()
		if f, mine := b.cache.join(b.reader.slot("k"), began, nil); mine || !f.landed() {
			t.Error("the late read loads again")
		}
	})
}

func TestACallerWhoLeavesIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		old    bool
		end    func(context.Context) (context.Context, context.CancelFunc)
		status lending.SourceStatus
		value  string
		kind   lending.ErrorKind
	}{
		{"its time ran out and there is nothing", false, inASecond, lending.SourceUnavailable, "", lending.KindTimeout},
		{"its time ran out and there is old data", true, inASecond, lending.SourceStale, "k v1", lending.KindTimeout},
		{"it hung up", false, hangingUp, lending.SourceUnavailable, "", lending.KindUpstreamUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				calls := 1
				if test.old {
					b.read("k")
					b.clock.advance(hard)
					calls++
				}
				_, gate := b.upstream.hold()
				ctx, cancel := test.end(t.Context())
				defer cancel()
				began := time.Now()
				got := b.reader.Read(ctx, []string{"k"}, lending.Freshness{})[0]
				expect(t, got, test.status, test.value, test.kind)
				if took := time.Since(began); took != time.Second {
					t.Errorf("it took %s, want the caller's second", took)
				}
				close(gate)
				synctest.Wait()
				expect(t, b.read("k")[0], lending.SourceCached, fmt.Sprintf("k v%d", calls), "")
				if b.upstream.total() != calls {
					t.Errorf("the provider was asked %d times, want %d", b.upstream.total(), calls)
				}
			})
		})
	}
}

func inASecond(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Second)
}

func hangingUp(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(time.Second, cancel)
	return ctx, cancel
}

func TestNothingIsLoadedForACallerWhoHasLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	expect(t, b.reader.Read(ctx, []string{"k"}, lending.Freshness{})[0], lending.SourceUnavailable, "", lending.KindUpstreamUnavailable)
	b.settle(t)
	if b.upstream.total() != 0 {
		t.Error("the provider was asked for nobody")
	}
}

func TestAReadOutlivesTheCallerWhoStartedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, gate := b.upstream.hold()
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { b.reader.Read(ctx, []string{"k"}, lending.Freshness{}) })
		synctest.Wait()
		group.Go(func() { expect(t, b.read("k")[0], lending.SourceFresh, "k v1", "") })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(gate)
		group.Wait()
	})
}

type traceKey struct{}

func TestALoadHasTheCallersValues(t *testing.T) {
	t.Parallel()
	seen := make(chan any, 1)
	b := newBench(t, func(_ *Config, s *Spec[person]) {
		s.Load = func(ctx context.Context, key string) (person, error) {
			seen <- ctx.Value(traceKey{})
			return person{}, nil
		}
	})
	b.reader.Read(context.WithValue(context.Background(), traceKey{}, "trace"), []string{"k"}, lending.Freshness{})
	if got := <-seen; got != "trace" {
		t.Errorf("the load saw %v, want the caller's trace", got)
	}
}

func TestOneReadStartsSoManyLoadsAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ *Config, s *Spec[person]) { s.Concurrency = 3 })
		started, gate := b.upstream.hold()
		done := make(chan []lending.Fetched[person])
		go func() { done <- b.read("a", "b", "c", "d", "e", "f", "g") }()
		synctest.Wait()
		if len(started) != 3 {
			t.Errorf("%d loads at a time, want 3", len(started))
		}
		close(gate)
		for i, got := range <-done {
			expect(t, got, lending.SourceFresh, string(rune('a'+i))+" v1", "")
		}
	})
}

func TestARefreshIsMadeOnceAndRestsAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.read("k")
		b.clock.advance(soft)
		_, gate := b.upstream.hold()
		b.upstream.fail(errDown)
		for range 100 {
			b.read("k")
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
		b.read("k")
		synctest.Wait()
		if b.upstream.total() != 2 {
			t.Errorf("the provider was asked %d times, want twice: it had just failed", b.upstream.total())
		}
		b.upstream.fail(nil)
		b.clock.advance(b.reader.space.lease)
		b.read("k")
		synctest.Wait()
		expect(t, b.read("k")[0], lending.SourceCached, "k v3", "")
		b.clock.advance(soft)
		b.read("k")
		synctest.Wait()
		expect(t, b.read("k")[0], lending.SourceCached, "k v4", "")
	})
}

// TestARefreshIsBackgroundWork: it takes nothing of the request's budget, and yields to requests.
func TestARefreshIsBackgroundWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var background, budget []bool
		b := newBench(t, func(_ *Config, s *Spec[person]) {
			load := s.Load
			s.Load = func(ctx context.Context, key string) (person, error) {
				_, bounded := provider.BudgetEnd(ctx)
				background, budget = append(background, provider.IsBackground(ctx)), append(budget, bounded)
				return load(ctx, key)
			}
		})
		ctx := provider.WithBudget(t.Context(), time.Second)
		b.reader.Read(ctx, []string{"k"}, lending.Freshness{})
		b.clock.advance(soft)
		b.reader.Read(ctx, []string{"k"}, lending.Freshness{})
		synctest.Wait()
		if !slices.Equal(background, []bool{false, true}) || !slices.Equal(budget, []bool{true, false}) {
			t.Errorf("a load and a refresh are in the background: %v; they have a budget: %v", background, budget)
		}
	})
}

func TestARefreshThatSucceededMayBeFollowedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ *Config, s *Spec[person]) { s.Soft = 5 * time.Second }) // shorter than a lease
		b.read("k")
		for range 3 {
			b.clock.advance(5 * time.Second)
			b.read("k")
			synctest.Wait()
		}
		if b.upstream.total() != 4 {
			t.Errorf("the provider was asked %d times, want 4", b.upstream.total())
		}
	})
}

func TestStopEndsLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.upstream.hold()
		got := make(chan lending.Fetched[person], 1)
		go func() { got <- b.read("k")[0] }()
		synctest.Wait()
		b.cache.Stop()
		expect(t, <-got, lending.SourceUnavailable, "", lending.KindUpstreamUnavailable)
	})
}
