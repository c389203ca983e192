package resilient

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func narrow(c *Config) { c.Reads, c.Writes, c.Retries = 8, 2, 0 }

func TestAFullBulkheadRefusesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, narrow)
		hang := make(chan struct{})
		b.answer(func(context.Context, int) error { <-hang; return nil })
		var all sync.WaitGroup
		for range 16 { // eight under way, eight wait
			all.Go(func() { b.read(t.Context()) })
		}
		synctest.Wait()
		began := time.Now()
		refusedHere(t, b.read(t.Context()), lending.KindUpstreamUnavailable)
		if took := time.Since(began); took != 0 || b.heard.refusals(ReasonBulkhead) != 1 {
			t.Errorf("refused after %s, %d refusals told", took, b.heard.refusals(ReasonBulkhead))
		}
		// Those who wait do so for a quarter of an attempt's time.
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if got := b.heard.refusals(ReasonBulkhead); got != 9 || b.total() != 8 {
			t.Errorf("after the wait %d are refused, and %d went out", got, b.total())
		}
		began = time.Now()
		if b.read(t.Context()); time.Since(began) != 500*time.Millisecond {
			t.Errorf("with room to wait it was refused after %s", time.Since(began))
		}
		// A write has slots of its own.
		all.Go(func() { b.disburse(t.Context()) })
		synctest.Wait()
		if b.total() != 9 {
			t.Error("slow reads hold up a write")
		}
		close(hang)
		all.Wait()
		if b.most != 9 {
			t.Errorf("%d were under way at a time", b.most)
		}
		if e := b.read(t.Context()); e != nil {
			t.Errorf("a slot was lost: %s", e.Detail())
		}
	})
}

func TestAWaitForASlotEndsWithTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, narrow)
		hang := make(chan struct{})
		b.answer(func(context.Context, int) error { <-hang; return nil })
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { b.read(t.Context()) })
		}
		synctest.Wait()
		ctx := provider.WithBudget(t.Context(), 100*time.Millisecond)
		began := time.Now()
		refusedHere(t, b.read(ctx), lending.KindUpstreamUnavailable)
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("it waited for %s of 100ms", took)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		time.Sleep(2 * time.Millisecond)
		if e := b.read(gone); e == nil || e.Kind != lending.KindTimeout || e.Outcome != lending.NotExecuted || b.heard.refusals(ReasonBudget) != 1 {
			t.Errorf("a caller without time got %v", e)
		}
		close(hang)
		all.Wait()
	})
}

func TestTheBackgroundLeavesSlotsToRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, narrow)
		hang := make(chan struct{})
		b.answer(func(context.Context, int) error { <-hang; return nil })
		behind := provider.InBackground(t.Context())
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { b.read(behind) })
		}
		synctest.Wait()
		if b.total() != 2 {
			t.Errorf("%d of eight slots are taken by the background, want 2", b.total())
		}
		for range 6 {
			all.Go(func() { b.read(t.Context()) })
		}
		synctest.Wait()
		if b.total() != 8 {
			t.Errorf("%d calls are under way: the background keeps requests out", b.total())
		}
		close(hang)
		all.Wait()
		hang = make(chan struct{})
		before := b.total()
		for range 8 {
			all.Go(func() { b.read(t.Context()) })
		}
		synctest.Wait()
		for range 5 {
			b.read(behind) // in vain
		}
		close(hang)
		all.Wait()
		hang = make(chan struct{})
		for range 2 {
			all.Go(func() { b.read(behind) })
		}
		synctest.Wait()
		if got := b.total() - before; got != 8+2 {
			t.Errorf("a slot of the background was lost: %d of 10 calls went out", got)
		}
		close(hang)
		all.Wait()
	})
}

// TestASlowProviderHoldsUpNoOther counts the calls that are under way, as the time that one takes is the machine's.
func TestASlowProviderHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := newBench(t, narrow)
		fast := &upstream{}
		other := slow.guards.Around(provider.Observe(&provider.Provider{Name: lending.Kredete, Profiles: fast}, provider.Limits{Read: time.Second, Write: time.Second}, slow.observed))
		hang := make(chan struct{})
		slow.answer(func(context.Context, int) error { <-hang; return nil })
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { slow.read(t.Context()) })
		}
		synctest.Wait()
		began := time.Now()
		for range 100 {
			if _, err := other.Profiles.Profile(t.Context(), "id"); err != nil {
				t.Error(err)
			}
		}
		if time.Since(began) != 0 || fast.total() != 100 || slow.most > 8 {
			t.Errorf("100 calls of another provider took %s; %d of the slow one are under way", time.Since(began), slow.most)
		}
		close(hang)
		all.Wait()
	})
}
