package cached

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestALookThatWasOvertakenIsNotKept(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		b := newBench(t, s.on(t, nil))
		b.read("k")
		b.settle(t)
		mine := b.reader.slot("k")
		look := func() (*sweep, []reply, []finding) {
			replies, err := b.cache.far.read(t.Context(), []slot{mine}, nil)
			if err != nil {
				t.Fatal(err)
			}
			own := &sweep{moment: b.cache.near.moment(), done: make(chan struct{})}
			b.cache.mu.Lock()
			b.cache.sweeps[mine.id] = own
			b.cache.mu.Unlock()
			return own, replies, []finding{b.cache.trusted(mine, replies[0])}
		}

		own, replies, found := look()
		b.reader.Evict(t.Context(), "k")
		b.cache.finishSweep(own, []slot{mine}, found, replies)
		if _, ok := b.cache.near.Get(mine.id); ok {
			t.Error("a look from before an eviction was kept")
		}

		b.read("k")
		b.settle(t)
		own, replies, found = look()
		b.cache.mu.Lock()
		delete(b.cache.sweeps, mine.id)
		b.cache.mu.Unlock()
		b.within(0, "k") // a load that the look does not know of
		b.cache.finishSweep(own, []slot{mine}, found, replies)
		if value, err := b.reader.decode(own.found[mine.id].env); err != nil || value.Name != "k v3" {
			t.Errorf("the look found %q, %v; want what was loaded meanwhile", value.Name, err)
		}
	})
}

func TestAnEvictionVoidsWhatIsOnItsWayToAndFromRedis(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		b := newBench(t, s.on(t, nil))
		id := b.reader.slot("k").id
		b.cache.mu.Lock()
		b.cache.flushing = true // nothing leaves
		b.cache.mu.Unlock()
		b.read("k")
		b.cache.mu.Lock()
		b.cache.sweeps[id] = &sweep{} // a look that never ends
		b.cache.mu.Unlock()
		b.reader.Evict(t.Context(), "k")
		expect(t, b.read("k")[0], lending.SourceFresh, "k v2", "")
		b.cache.flush()
	})
}

func TestALoadFromBeforeAnEvictionElsewhereIsNotBelieved(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		a, b := newBench(t, s.on(t, nil)), newBench(t, s.on(t, nil))
		a.read("other")
		started, gate := a.upstream.hold()
		old := make(chan lending.Fetched[person], 1)
		go func() { old <- a.read("k")[0] }()
		<-started
		b.reader.Evict(t.Context(), "k") // a has not heard of it
		close(gate)
		expect(t, <-old, lending.SourceFresh, "k v1", "")
		a.settle(t)
		expect(t, b.read("k")[0], lending.SourceFresh, "k v1", "") // its own load
		if b.upstream.total() != 1 || b.tally.discards(DiscardEvicted) != 1 {
			t.Error("the entry of a load from before the eviction was believed")
		}
		b.settle(t)
		expect(t, a.read("k")[0], lending.SourceCached, "k v1", "")
	})
}

func TestReplicasHearOfEvictions(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		near := func(cfg *Config, _ *Spec[person]) { cfg.LocalFresh = time.Second }
		a, b := newBench(t, s.on(t, nil), near), newBench(t, s.on(t, nil), near)
		a.cache.Start()
		b.cache.Start()
		eventually(t, "both to listen", func() bool {
			counts, err := a.cache.far.client.PubSubNumSub(t.Context(), a.cache.far.channel()).Result()
			return err == nil && counts[a.cache.far.channel()] == 2
		})
		a.read("k")
		a.settle(t)
		b.read("k")
		id := a.reader.slot("k").id
		if _, ok := b.cache.near.Get(id); !ok {
			t.Fatal("the replica does not hold the entry, so the test says nothing")
		}
		a.reader.Evict(t.Context(), "k")
		a.read("k")
		eventually(t, "the other replica to drop the entry", func() bool {
			_, ok := b.cache.near.Get(id)
			return !ok
		})
		a.settle(t)
		expect(t, b.read("k")[0], lending.SourceCached, "k v2", "")
	})
}

func TestAReplicaDoesNotHeedItsOwnNews(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	b := newBench(t, server{url: "redis://" + mini.Addr(), prefix: "test"}.on(t, nil))
	b.read("k")
	id := b.reader.slot("k").id
	b.cache.hear(b.cache.far.self + " " + id)
	if _, ok := b.cache.near.Get(id); !ok {
		t.Error("its own news dropped a newer entry")
	}
	for _, empty := range []string{"", " ", "another"} {
		b.cache.hear(empty)
	}
	b.cache.hear("another " + id)
	if _, ok := b.cache.near.Get(id); ok {
		t.Error("another's news was not heeded")
	}
}

func TestAnInterruptedReplicaDropsWhatItHolds(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	s := server{url: "redis://" + mini.Addr(), prefix: "test"}
	b := newBench(t, s.on(t, nil))
	b.cache.Start()
	listening := func() bool { return mini.PubSubNumSub("test:evictions")["test:evictions"] == 1 }
	eventually(t, "it to listen", listening)
	b.read("k")
	b.settle(t)
	mini.Close()
	if err := mini.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it to drop what it holds", func() bool {
		_, ok := b.cache.near.Get(b.reader.slot("k").id)
		return !ok
	})
}
