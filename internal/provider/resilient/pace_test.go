package resilient

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/quota"
)

// planned holds Carbon to 60 calls a minute, ten of them at once.
func planned(t *testing.T, change func(*quota.Config)) func(*Config) {
	t.Helper()
	c := quota.Config{Default: quota.Unlimited, KeySecret: []byte("secret"), Clock: time.Now, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	limiter, err := quota.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) {
		c.Retries, c.Quota = 0, limiter
		c.Plans = map[lending.Provider]quota.Plan{lending.Carbon: {Name: "plan", Minute: 60, Burst: 10}}
	}
}

func TestReadsLeaveAPartOfThePlanToWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(t, nil))
		hurried := func() context.Context { return provider.WithBudget(t.Context(), 10*time.Millisecond) }
		behind, cancel := context.WithTimeout(provider.InBackground(t.Context()), 10*time.Millisecond)
		defer cancel()
		for range 20 {
			b.read(behind)
		}
		if b.total() != 5 {
			t.Errorf("the background had %d of a burst of ten, want 5", b.total())
		}
		for range 20 {
			b.read(hurried())
		}
		if b.total() != 8 {
			t.Errorf("reads had %d of a burst of ten, want 8", b.total())
		}
		refusedHere(t, b.read(hurried()), lending.KindRateLimited)
		for range 2 {
			if e := b.disburse(hurried()); e != nil {
				t.Errorf("a write found nothing left: %s", e.Detail())
			}
		}
		refusedHere(t, b.disburse(hurried()), lending.KindRateLimited)
		if b.heard.refusals(ReasonPlan) != 20-5+20-3+1+1 {
			t.Errorf("%d refusals are told", b.heard.refusals(ReasonPlan))
		}
	})
}

func TestACallWaitsForThePlanWithinItsBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(t, nil))
		for range 8 {
			b.read(t.Context())
		}
		began := time.Now()
		if e := b.read(t.Context()); e != nil {
			t.Error(e.Detail())
		}
		if waited := time.Since(began); waited < time.Second || waited > 1250*time.Millisecond {
			t.Errorf("it waited for %s, want a second and a little", waited)
		}
		gone, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if e := b.read(gone); e == nil || e.Outcome != lending.NotExecuted || b.total() != 9 {
			t.Errorf("a caller who left got %v, after %d calls", e, b.total())
		}
	})
}

// TestWhatTheCircuitRefusesTakesNothingOfThePlan while a call is out to try.
func TestWhatTheCircuitRefusesTakesNothingOfThePlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(t, nil), quick)
		b.fail(errDown)
		for range 5 {
			b.read(t.Context())
		}
		time.Sleep(1100 * time.Millisecond)
		hang := make(chan struct{})
		b.answer(func(_ context.Context, n int) error {
			if n == 6 {
				<-hang
			}
			return nil
		})
		var all sync.WaitGroup
		all.Go(func() { b.read(t.Context()) })
		synctest.Wait()
		b.storm(t, 20)
		if got := b.heard.refusals(ReasonCircuit); got != 20 {
			t.Errorf("%d of 20 were refused by the circuit", got)
		}
		for range 4 {
			if e := b.disburse(provider.WithBudget(t.Context(), time.Millisecond)); e != nil {
				t.Errorf("a write found nothing left of the plan: %s", e.Detail())
			}
		}
		close(hang)
		all.Wait()
	})
}

// TestAWriteIsNotSentWithLittleTime: cut short, its outcome would not be known.
func TestAWriteIsNotSentWithLittleTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(t, nil), func(c *Config) {
			c.Plans[lending.Carbon] = quota.Plan{Name: "five seconds", Minute: 12, Burst: 1}
		})
		began := time.Now()
		b.disburse(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		refusedHere(t, b.disburse(ctx), lending.KindRateLimited)
		if b.total() != 1 || time.Since(began) != 0 {
			t.Errorf("%d calls in %s: it waited for what does not fit", b.total(), time.Since(began))
		}
	})
}

// TestNoMoreThanThePlanAllows asks five times as often as the plan allows, for three minutes.
func TestNoMoreThanThePlanAllows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(t, nil))
		var all sync.WaitGroup
		for range 3 * 60 * 5 {
			all.Go(func() { b.read(t.Context()) })
			time.Sleep(200 * time.Millisecond)
		}
		all.Wait()
		for i := range b.began {
			if i >= 60 && b.began[i].Sub(b.began[i-60]) < 50*time.Second {
				t.Fatalf("61 calls within %s", b.began[i].Sub(b.began[i-60]))
			}
		}
		if b.total() < 3*60-15 || b.total() > 3*60+10 {
			t.Errorf("%d calls in three minutes, want what the plan allows", b.total())
		}
	})
}

func TestReplicasShareAPlan(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	mini.SetTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) // it stands still
	client := redis.NewClient(&redis.Options{Addr: mini.Addr(), Protocol: 2, MaxRetries: -1, DisableIdentity: true})
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	shared := func(c *quota.Config) { c.Redis, c.Budget = client, 20*time.Second }
	one, other := newBench(t, planned(t, shared)), newBench(t, planned(t, shared))
	hurried := func() context.Context { return provider.WithBudget(t.Context(), time.Millisecond) }
	for range 20 {
		one.disburse(hurried())
		other.disburse(hurried())
	}
	if sum := one.total() + other.total(); sum != 10 || one.total() == 0 || other.total() == 0 {
		t.Errorf("two replicas made %d and %d calls of ten", one.total(), other.total())
	}
}

func TestWithoutRedisEachReplicaHasItsShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(t, func(c *quota.Config) { c.Replicas = 5 }))
		for range 20 {
			b.disburse(provider.WithBudget(t.Context(), time.Millisecond))
		}
		if b.total() != 2 {
			t.Errorf("one of five replicas made %d calls of a burst of ten, want 2", b.total())
		}
	})
}

// TestAPauseIsForAllReplicas has one replica told that the limit is reached.
func TestAPauseIsForAllReplicas(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	mini.SetTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	client := redis.NewClient(&redis.Options{Addr: mini.Addr(), Protocol: 2, MaxRetries: -1, DisableIdentity: true})
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	shared := func(c *quota.Config) { c.Redis, c.Budget = client, 20*time.Second }
	one, other := newBench(t, planned(t, shared)), newBench(t, planned(t, shared))
	one.fail(&lending.Error{Kind: lending.KindRateLimited, Retryable: true, Outcome: lending.NotExecuted, RetryAfter: 30 * time.Second})
	one.read(t.Context())
	e := other.disburse(provider.WithBudget(t.Context(), time.Millisecond))
	refusedHere(t, e, lending.KindRateLimited)
	if e != nil && e.RetryAfter < 30*time.Second || other.total() != 0 {
		t.Errorf("the other replica was told to wait for %s, and made %d calls", e.RetryAfter, other.total())
	}
}

// TestThePauseNeedsNoPlan has a provider without a plan ask for a pause.
func TestThePauseNeedsNoPlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, noRetries)
		b.fail(&lending.Error{Kind: lending.KindRateLimited, Retryable: true, Outcome: lending.NotExecuted, RetryAfter: 30 * time.Second})
		b.storm(t, 20)
		before := b.total()
		b.answer(nil)
		refusedHere(t, b.read(t.Context()), lending.KindRateLimited)
		if err := b.guarded.Pinger.Ping(t.Context()); err != nil || b.total() != before+1 {
			t.Errorf("a sign of life waits for no pause: %v", err)
		}
		time.Sleep(30 * time.Second)
		if e := b.read(t.Context()); e != nil {
			t.Error(e.Detail())
		}
	})
}

// TestAPlanIsLearnedFromARefusal has a provider tell a limit of 60 calls a minute.
func TestAPlanIsLearnedFromARefusal(t *testing.T) {
	t.Parallel()
	tell := func(set map[lending.Provider]quota.Plan) func(*Config) {
		return func(c *Config) {
			planned(t, nil)(c)
			c.Plans, c.Retries = set, 0
			c.Told = map[lending.Provider]func(int) (quota.Plan, bool){lending.Carbon: quota.PlanOfLimit}
		}
	}
	hurried := func(t *testing.T, b *bench) { b.read(provider.WithBudget(t.Context(), time.Millisecond)) }
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tell(nil))
		b.limit = 60
		for range 100 {
			hurried(t, b)
		}
		if b.total() != 100 {
			t.Errorf("%d of 100 calls were made while the provider took them all", b.total())
		}
		b.fail(&lending.Error{Kind: lending.KindRateLimited, Retryable: true, Outcome: lending.NotExecuted, RetryAfter: 10 * time.Second})
		hurried(t, b)
		b.answer(nil)
		time.Sleep(time.Minute)
		before := b.total()
		for range 100 {
			hurried(t, b)
		}
		if made := b.total() - before; made == 0 || made > 10 {
			t.Errorf("%d calls were made at once by a plan whose burst is ten", made)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tell(nil))
		b.limit = 1_000_000 // of which nobody would see anything
		b.fail(&lending.Error{Kind: lending.KindRateLimited, Retryable: true, Outcome: lending.NotExecuted})
		hurried(t, b)
		b.answer(nil)
		before := b.total()
		for range 100 {
			hurried(t, b)
		}
		if b.total()-before != 100 {
			t.Errorf("%d of 100 calls were made", b.total()-before)
		}
	})
}
