package cached

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func fifty() []string {
	keys := make([]string, 50)
	for i := range keys {
		keys[i] = fmt.Sprintf("+2348030000%03d", i)
	}
	return keys
}

func all(status lending.SourceStatus, n int) []lending.SourceStatus {
	return slices.Repeat([]lending.SourceStatus{status}, n)
}

func TestABatchIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		log := &tripLog{}
		b := newBench(t, s.on(t, log), func(_ *Config, s *Spec[person]) { s.Concurrency = 50 })
		b.read(fifty()...)
		b.settle(t)
		trips := log.take()
		if trips[0] != "mget×1" || len(trips) > 20 {
			t.Errorf("cold: round trips %v, want one MGET and a few pipelines", trips)
		}
		if diff := cmp.Diff(all(lending.SourceCached, 50), statuses(b.read(fifty()...))); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"mget×1"}, log.take()); diff != "" {
			t.Errorf("warm: round trips (-want +got):\n%s", diff)
		}
		b.reader.Evict(t.Context(), fifty()...)
		if diff := cmp.Diff([]string{"set×50 del×50 publish×1"}, log.take()); diff != "" {
			t.Errorf("eviction: round trips (-want +got):\n%s", diff)
		}
	})
}

func TestWritesThatGatherShareAPipeline(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		log := &tripLog{}
		b := newBench(t, s.on(t, log))
		b.cache.mu.Lock()
		b.cache.flushing = true // somebody is on the way
		b.cache.mu.Unlock()
		b.read(fifty()...)
		log.take()
		if diff := cmp.Diff(all(lending.SourceCached, 50), statuses(b.read(fifty()...))); diff != "" {
			t.Errorf("entries on their way to Redis are not known (-want +got):\n%s", diff)
		}
		b.cache.flush()
		if diff := cmp.Diff([]string{"set×50"}, log.take()); diff != "" {
			t.Errorf("round trips (-want +got):\n%s", diff)
		}
	})
}

func TestReplicasShareEntriesAndEvictions(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		a, b := newBench(t, s.on(t, nil)), newBench(t, s.on(t, nil))
		a.read("k")
		a.settle(t)
		expect(t, b.read("k")[0], lending.SourceCached, "k v1", "")
		b.reader.Evict(t.Context(), "k")
		expect(t, a.read("k")[0], lending.SourceFresh, "k v2", "")
		a.settle(t)
		expect(t, b.read("k")[0], lending.SourceCached, "k v2", "")
		if b.upstream.total() != 0 {
			t.Error("the second replica asked the provider")
		}
	})
}

func TestManyReadsOfOneMissingKeyMakeOneLoadAndOneLook(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		log := &tripLog{}
		b := newBench(t, s.on(t, log))
		started, gate := b.upstream.hold()
		var group sync.WaitGroup
		first := make(chan struct{}, 10_000)
		for range 10_000 {
			group.Go(func() {
				first <- struct{}{}
				if got := b.read("k")[0]; got.Value.Name != "k v1" || got.Err != nil {
					t.Errorf("got %s %q: %v", got.Status, got.Value.Name, got.Err)
				}
			})
		}
		<-started
		for range 10_000 {
			<-first
		}
		close(gate)
		group.Wait()
		b.settle(t)
		if b.upstream.total() != 1 {
			t.Errorf("the provider was asked %d times, want once", b.upstream.total())
		}
		if trips := len(log.take()); trips > 500 { // one in twenty, on a machine that is busy
			t.Errorf("10,000 reads of one key made %d round trips", trips)
		}
	})
}

func TestReadsDuringALookShareIt(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		log := &tripLog{}
		b := newBench(t, s.on(t, log))
		slots := []slot{b.reader.slot("k")}
		open := &sweep{done: make(chan struct{})}
		b.cache.mu.Lock()
		b.cache.sweeps[slots[0].id] = open
		b.cache.mu.Unlock()
		if joined := b.cache.joinSweeps(t.Context(), slots, []int{0}, b.cache.now()); joined[0] != open {
			t.Error("a look that is under way is not shared")
		}
		b.cache.finishSweep(open, slots, make([]finding, 1), nil)
		<-open.done
		if trips := log.take(); len(trips) != 0 {
			t.Errorf("a second look was made: %v", trips)
		}
		<-b.cache.joinSweeps(t.Context(), slots, []int{0}, b.cache.now())[0].done
		if trips := log.take(); len(trips) != 1 {
			t.Errorf("a read after a look is over made round trips %v, want one", trips)
		}
	})
}

func TestAnEntryEndsByItsOwnClock(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		b := newBench(t, s.on(t, nil))
		b.read("k")
		b.settle(t)
		b.upstream.fail(errDown)
		b.clock.advance(hard + staleFor - 1)
		expect(t, b.read("k")[0], lending.SourceStale, "k v1", lending.KindUpstreamUnavailable)
		b.clock.advance(1)
		expect(t, b.read("k")[0], lending.SourceUnavailable, "", lending.KindUpstreamUnavailable)
	})
}

func TestALookThatMissedAWriteKnowsWhatWasLoaded(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		b := newBench(t, s.on(t, nil))
		began := b.cache.now() // a read has looked in the process, and found nothing
		b.cache.mu.Lock()
		b.cache.flushing = true // nothing leaves
		b.cache.mu.Unlock()
		b.read("k")
		slots := []slot{b.reader.slot("k")}
		own := b.cache.joinSweeps(t.Context(), slots, []int{0}, began)[0]
		<-own.done
		if own.found[slots[0].id].env == nil {
			t.Error("who joins the look loads again")
		}
		b.cache.flush()
	})
}

func TestOneReplicaRefreshes(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		replicas := []*bench{newBench(t, s.on(t, nil)), newBench(t, s.on(t, nil)), newBench(t, s.on(t, nil))}
		replicas[0].read("k")
		replicas[0].settle(t)
		shared := newUpstream()
		started, gate := shared.hold()
		for _, b := range replicas {
			b.clock.advance(soft)
			b.reader.spec.Load = shared.load
			expect(t, b.read("k")[0], lending.SourceCached, "k v1", "")
		}
		<-started
		for _, b := range replicas {
			slots := b.cache.leaseFar(t.Context(), []slot{b.reader.slot("k")})
			if len(slots) != 0 {
				t.Error("a lease was given twice")
			}
		}
		close(gate)
		for _, b := range replicas {
			b.settle(t)
		}
		if shared.total() != 1 {
			t.Errorf("%d replicas refreshed, want one", shared.total())
		}
		expect(t, replicas[2].read("k")[0], lending.SourceCached, "k v1", "")
		if got := replicas[2].read("k")[0]; !got.AsOf.Equal(replicas[2].clock.now()) {
			t.Errorf("as of %s, want that of the refresh", got.AsOf)
		}
	})
}

func TestTheLocalTierIsBrief(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		log := &tripLog{}
		b := newBench(t, s.on(t, log), func(cfg *Config, _ *Spec[person]) { cfg.LocalFresh = time.Second })
		b.read("k")
		b.settle(t)
		log.take()
		b.clock.advance(time.Second - 1)
		b.read("k")
		if trips := log.take(); len(trips) != 0 {
			t.Errorf("within its time it looked into Redis: %v", trips)
		}
		b.clock.advance(1)
		b.read("k")
		if diff := cmp.Diff([]string{"mget×1"}, log.take()); diff != "" {
			t.Errorf("past its time (-want +got):\n%s", diff)
		}
	})
}

func TestAWipedRedisIsFilledAgain(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		b := newBench(t, s.on(t, nil))
		b.read("k")
		b.settle(t)
		s.sweepUp(t)
		expect(t, b.read("k")[0], lending.SourceFresh, "k v2", "")
		b.settle(t)
		expect(t, b.read("k")[0], lending.SourceCached, "k v2", "")
	})
}

func TestNodesOfAShardedRedisAreReadInAPipeline(t *testing.T) {
	t.Parallel()
	one, two := miniredis.RunT(t), miniredis.RunT(t)
	ring := redis.NewRing(&redis.RingOptions{
		Addrs: map[string]string{"one": one.Addr(), "two": two.Addr()}, Protocol: 2, HeartbeatFrequency: time.Hour,
	})
	t.Cleanup(func() { closeClient(t, ring) })
	b := newBench(t, func(cfg *Config, _ *Spec[person]) { cfg.Redis = ring })
	b.read(fifty()...)
	b.settle(t)
	if len(one.Keys()) == 0 || len(two.Keys()) == 0 {
		t.Fatal("the keys lie on one node, so the test says nothing")
	}
	log := &tripLog{}
	ring.AddHook(log)
	if diff := cmp.Diff(all(lending.SourceCached, 50), statuses(b.read(fifty()...))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"get×100"}, log.take()); diff != "" {
		t.Errorf("round trips (-want +got):\n%s", diff)
	}
	b.reader.Evict(t.Context(), "+2348030000000")
	expect(t, b.read("+2348030000000")[0], lending.SourceFresh, "+2348030000000 v2", "")
}
