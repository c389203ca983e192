package cached

import (
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// impatient is a replica with the budgets of production, and a breaker that stays open for the test.
func impatient(cfg *Config, _ *Spec[person]) {
	cfg.ReadBudget, cfg.WriteBudget, cfg.BreakerDelay = 20*time.Millisecond, 50*time.Millisecond, time.Hour
}

func refusing(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}()
	return "redis://" + listener.Addr().String()
}

func TestTheServiceGoesOnWithoutRedis(t *testing.T) {
	t.Parallel()
	hung := silent(t)
	for name, url := range map[string]string{"refused": refusing(t), "hung": hung} {
		t.Run(name, func(t *testing.T) {
			log := &tripLog{}
			b := newBench(t, server{url: url, prefix: "test"}.on(t, log), impatient)
			b.cache.Start()
			for _, key := range []string{"a", "b", "c"} {
				began := time.Now()
				expect(t, b.read(key)[0], lending.SourceFresh, key+" v1", "")
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("a read took %s", took)
				}
				b.settle(t)
			}
			if !b.cache.far.resting() {
				t.Fatal("the breaker is not open after three failures")
			}
			log.take()
			expect(t, b.read("a")[0], lending.SourceCached, "a v1", "")
			b.reader.Evict(t.Context(), "a")
			expect(t, b.read("a")[0], lending.SourceFresh, "a v2", "")
			b.clock.advance(soft)
			expect(t, b.read("b")[0], lending.SourceCached, "b v1", "")
			b.settle(t)
			eventually(t, "the refresh", func() bool { return b.read("b")[0].Value.Name == "b v2" })
			if trips := log.take(); len(trips) != 0 {
				t.Errorf("Redis was asked while it is left alone: %v", trips)
			}
			b.tally.mu.Lock()
			defer b.tally.mu.Unlock()
			if diff := cmp.Diff([]bool{false}, b.tally.usable); diff != "" {
				t.Errorf("what the observer was told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAHungRedisCostsItsBudget(t *testing.T) {
	t.Parallel()
	url := silent(t)
	b := newBench(t, server{url: url, prefix: "test"}.on(t, nil), impatient)
	began := time.Now()
	if _, err := b.cache.far.read(t.Context(), []slot{b.reader.slot("k")}, nil); err == nil {
		t.Fatal("a server that never answers, answered")
	}
	if took := time.Since(began); took < 15*time.Millisecond || took > 5*time.Second {
		t.Errorf("it cost %s, want some 20ms", took)
	}
}

func TestASlowLookFallsBackOnTheProcess(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	b := newBench(t, server{url: "redis://" + mini.Addr(), prefix: "test"}.on(t, nil))
	b.read("k")
	b.settle(t)
	mini.SetError("LOADING")
	expect(t, b.read("k")[0], lending.SourceCached, "k v1", "")
}

func TestRedisIsTriedAgain(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	log := &tripLog{}
	b := newBench(t, server{url: "redis://" + mini.Addr(), prefix: "test"}.on(t, log), func(cfg *Config, _ *Spec[person]) {
		cfg.BreakerDelay = time.Hour
	})
	b.read("a", "b")
	b.settle(t)
	mini.SetError("LOADING")
	for !b.cache.far.resting() {
		b.read("a")
	}
	b.reader.Evict(t.Context(), "a") // Redis does not hear of it
	mini.SetError("")
	expect(t, b.read("b")[0], lending.SourceCached, "b v1", "")
	log.take()

	b.cache.far.breaker.HalfOpen() // as it does itself after its delay
	if b.cache.far.breaker.State() != circuitbreaker.HalfOpenState {
		t.Fatal("the breaker takes no probe")
	}
	expect(t, b.read("a")[0], lending.SourceFresh, "a v2", "")
	b.settle(t)
	if trips := log.take(); len(trips) == 0 || trips[0] != "set×1 del×1 publish×1 mget×1" {
		t.Errorf("round trips %v, want the eviction ahead of the first read", trips)
	}
	if !b.cache.far.breaker.IsClosed() {
		t.Error("the breaker did not close after a success")
	}
	if n := len(b.cache.pendingEvictions()); n != 0 {
		t.Errorf("%d evictions are still to be sent", n)
	}
	expect(t, b.read("b")[0], lending.SourceCached, "b v1", "")
	b.tally.mu.Lock()
	defer b.tally.mu.Unlock()
	if diff := cmp.Diff([]bool{false, true}, b.tally.usable); diff != "" {
		t.Errorf("what the observer was told (-want +got):\n%s", diff)
	}
}

func TestAnEvictionThatRedisDoesNotKnowCountsHere(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	b := newBench(t, server{url: "redis://" + mini.Addr(), prefix: "test"}.on(t, nil))
	b.read("k")
	b.settle(t)
	s := b.reader.slot("k")
	replies, err := b.cache.far.read(t.Context(), []slot{s}, nil)
	if err != nil || b.cache.trusted(s, replies[0]).env == nil {
		t.Fatalf("the entry is not in Redis: %v", err)
	}
	b.cache.mu.Lock()
	b.cache.unsent[s.id] = eviction{slot: s, mark: newMark()}
	b.cache.mu.Unlock()
	if b.cache.trusted(s, replies[0]).env != nil {
		t.Error("an evicted entry is believed")
	}
}

func TestTooManyEvictionsVoidAllThatIsInRedis(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	b := newBench(t, server{url: "redis://" + mini.Addr(), prefix: "test"}.on(t, nil))
	b.read("k")
	b.settle(t)
	b.clock.advance(time.Second)
	b.cache.mu.Lock()
	for range maxUnsent + 1 {
		b.cache.unsent[newMark()] = eviction{}
	}
	b.cache.boundUnsent()
	left := len(b.cache.unsent)
	b.cache.mu.Unlock()
	if left != 0 {
		t.Errorf("%d evictions are remembered, want none", left)
	}
	expect(t, b.read("k")[0], lending.SourceFresh, "k v2", "")
	b.settle(t)
	expect(t, b.read("k")[0], lending.SourceCached, "k v2", "")
}

func TestManyEvictionsGoInSeveralPipelines(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	log := &tripLog{}
	b := newBench(t, server{url: "redis://" + mini.Addr(), prefix: "test"}.on(t, log))
	keys := make([]string, evictionsAtOnce+1)
	for i := range keys {
		keys[i] = newMark()
	}
	b.reader.Evict(t.Context(), keys...)
	if diff := cmp.Diff([]string{"set×256 del×256 publish×1", "set×1 del×1 publish×1"}, log.take()); diff != "" {
		t.Errorf("round trips (-want +got):\n%s", diff)
	}
}

func TestStopWritesWhatIsQueued(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	b := newBench(t, server{url: "redis://" + mini.Addr(), prefix: "test"}.on(t, nil))
	b.read("k")
	b.cache.Stop()
	if len(mini.Keys()) != 1 {
		t.Errorf("Redis holds %v, want the entry", mini.Keys())
	}
	expect(t, b.read("k")[0], lending.SourceCached, "k v1", "")
}
