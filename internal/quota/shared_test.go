package quota

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"
)

func TestReplicasShareAPlanExactly(t *testing.T) {
	t.Parallel()
	onEachRedis(t, func(t *testing.T, address string) {
		secret := []byte(rand.Text())
		var replicas []*Limiter
		for range 2 {
			replicas = append(replicas, limiter(t, func(c *Config) {
				c.Redis, c.KeySecret = client(t, address), secret
				// Only what was not asked of Redis is counted here.
				c.Clock = func() time.Time { t.Error("it counted here"); return noon }
			}))
		}
		// A plan by the day, which does not end while the test runs: 120 units, and no other limit near.
		plan := Plan{Name: "test", Minute: 60_000_000, Burst: 1_000_000, Day: 120}
		var allowed atomic.Int64
		var group sync.WaitGroup
		before := time.Now().UTC().YearDay()
		for i := range 50 {
			group.Go(func() {
				for range 10 {
					v, err := replicas[i%2].shared.take(t.Context(), replicas[i%2].key("web"), plan, 1, 0)
					if err != nil {
						t.Error(err)
					} else if v.Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		group.Wait()
		if time.Now().UTC().YearDay() == before && allowed.Load() != 120 {
			t.Errorf("%d of 500 requests at two replicas were let through, want exactly 120", allowed.Load())
		}
	})
}

func TestFiftyClientsEachHaveTheirOwn(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	c := &clock{mini: mini}
	c.set(noon)
	for name, l := range map[string]*Limiter{
		"Redis": limiter(t, func(cfg *Config) { cfg.Redis = client(t, mini.Addr()) }),
		"here":  limiter(t, func(cfg *Config) { cfg.Clock = c.now }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var group sync.WaitGroup
			for i := range 50 {
				var allowed atomic.Int64
				id := strings.Repeat("x", i)
				var own sync.WaitGroup
				for range 15 {
					own.Go(func() {
						if l.Take(t.Context(), id, "").Allowed {
							allowed.Add(1)
						}
					})
				}
				group.Go(func() {
					if own.Wait(); allowed.Load() != 10 {
						t.Errorf("client %d: %d of 15 were let through, want 10", i, allowed.Load())
					}
				})
			}
			group.Wait()
		})
	}
}

func TestRedisHoldsNoClientInClear(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	l := limiter(t, func(c *Config) { c.Redis = client(t, mini.Addr()) })
	l.Take(t.Context(), "client-of-note", "")
	if dump := mini.Dump(); strings.Contains(dump, "client-of-note") || !strings.Contains(dump, "inMinute") {
		t.Errorf("Redis holds:\n%s", dump)
	}
	for _, key := range mini.Keys() {
		if ttl := mini.TTL(key); ttl <= 0 || ttl > 25*time.Hour {
			t.Errorf("%s stays for %s", key, ttl)
		}
	}
}

// deadlines notes how long commands were given.
type deadlines struct {
	mu    sync.Mutex
	given []time.Duration
}

func (d *deadlines) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d *deadlines) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		at, ok := ctx.Deadline()
		if cmd.Name() != "evalsha" { // what a connection begins with
			return next(ctx, cmd)
		}
		d.mu.Lock()
		if ok {
			d.given = append(d.given, time.Until(at))
		} else {
			d.given = append(d.given, time.Hour)
		}
		d.mu.Unlock()
		return next(ctx, cmd)
	}
}

func (d *deadlines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestWithoutRedisEachReplicaHasItsShare(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{"refused": refusing(t), "hung": hung(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{at: noon}
			asked, log := &deadlines{}, &bytes.Buffer{}
			far := client(t, address)
			far.AddHook(asked)
			l := limiter(t, func(cfg *Config) {
				cfg.Redis, cfg.Clock, cfg.Budget, cfg.Replicas = far, c.now, 0, 2
				cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
			})
			began := time.Now()
			if allowed, last := takes(t, l, 8); allowed != 5 || last.Limit != 30 {
				t.Errorf("%d of 8 at once, with %+v; want half of the 10 and of the 60", allowed, last)
			}
			// Three look-ups within 20 ms each, and then none; the rest is room for a busy machine.
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if len(asked.given) != restAfter {
				t.Errorf("Redis was asked %d times, want %d and then left alone", len(asked.given), restAfter)
			}
			for _, given := range asked.given {
				if given > 20*time.Millisecond {
					t.Errorf("Redis was given %s to answer", given)
				}
			}
			if strings.Count(log.String(), "Redis does not answer") != 1 {
				t.Errorf("the log tells:\n%s", log)
			}
		})
	}
}

func TestRedisIsAskedAgainWhenItIsBack(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	c := &clock{at: noon, mini: mini}
	c.set(noon)
	log := &bytes.Buffer{}
	l := limiter(t, func(cfg *Config) {
		cfg.Redis, cfg.Clock = client(t, mini.Addr()), c.now
		cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	takes(t, l, 9)
	mini.SetError("LOADING")
	if allowed, _ := takes(t, l, 3); allowed != 3 || !l.shared.breaker.IsOpen() {
		t.Fatalf("%d of 3 without Redis, want all; the breaker is open: %t", allowed, l.shared.breaker.IsOpen())
	}
	mini.SetError("")
	l.shared.breaker.HalfOpen() // as it does itself after a second
	if allowed, _ := takes(t, l, 2); allowed != 1 || !l.shared.breaker.IsClosed() {
		t.Errorf("%d of 2 with Redis back, want the one that was left there", allowed)
	}
	if !strings.Contains(log.String(), "Redis answers again") {
		t.Errorf("the log tells:\n%s", log)
	}
}

func TestARequestThatIsGivenUpIsCountedNevertheless(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	l := limiter(t, func(c *Config) { c.Redis = client(t, mini.Addr()) })
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the client has gone"))
	for range 5 {
		l.Take(gone, "web", "")
	}
	if v := l.Look(t.Context(), "web", ""); v.Remaining != 55 || !l.shared.breaker.IsClosed() {
		t.Errorf("%+v, the breaker closed: %t", v, l.shared.breaker.IsClosed())
	}
}

// TestRedisCountsAsWeDo sends the same requests to the script and to our own code.
func TestRedisCountsAsWeDo(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	far := newShared(Config{Redis: client(t, mini.Addr()), Budget: 10 * time.Second, Logger: slog.New(slog.DiscardHandler)})
	rapid.Check(t, func(t *rapid.T) {
		c := &clock{mini: mini}
		c.set(noon)
		here, err := newLocal(c.now, 10)
		if err != nil {
			t.Fatal(err)
		}
		plan := rapid.SampledFrom([]Plan{
			Plans()[0], Plans()[3], Plans()[1].Smooth(), {Name: "odd", Minute: 7, Burst: 3, Day: 11}, {Name: "tight", Minute: 1, Burst: 1, Day: 1},
		}).Draw(t, "plan")
		key := rand.Text()
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			c.advance(time.Duration(rapid.SampledFrom([]int64{0, 1, 999_999, 1_000_000, 61_000_000, 3_600_000_000, 90_000_000_000}).Draw(t, "passed")) * time.Microsecond)
			if span := rapid.SampledFrom([]time.Duration{0, 0, 0, time.Microsecond, 90 * time.Second}).Draw(t, "pause"); span > 0 {
				here.hold(key, plan, span)
				if err := far.hold(context.Background(), key, plan, span); err != nil {
					t.Fatal(err)
				}
			}
			n, spare := plan.most(rapid.IntRange(-2, 12).Draw(t, "units")), 0
			if n > 0 {
				spare = rapid.IntRange(0, 3).Draw(t, "spare")
			}
			want := here.take(key, plan, n, spare)
			got, err := far.take(context.Background(), key, plan, n, spare)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%d units at %s (-ours +Redis's):\n%s", n, c.now(), diff)
			}
		}
	})
}
