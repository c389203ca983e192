package quota

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is a time at which no window begins or ends for a while.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move, of this process and of its Redis.
type clock struct {
	mu   sync.Mutex
	at   time.Time
	mini *miniredis.Miniredis // nil without one
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mini != nil {
		c.mini.SetTime(at)
		if passed := at.Sub(c.at); passed > 0 {
			c.mini.FastForward(passed)
		}
	}
	c.at = at
}

func (c *clock) advance(by time.Duration) { c.set(c.now().Add(by)) }

// limiter makes one with a secret of its own, so that tests on one Redis do not meet.
func limiter(t *testing.T, change func(*Config)) *Limiter {
	t.Helper()
	c := Config{KeySecret: []byte(rand.Text()), Default: "sandbox", Clock: time.Now, Budget: 10 * time.Second, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	change(&c)
	l, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// client of a Redis, closed with the test. Failures are told at once.
func client(t *testing.T, address string) redis.UniversalClient {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: address, Protocol: 2, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// onEachCount runs a test on a count that is in the process, and on one in Redis, under a clock that it moves.
func onEachCount(t *testing.T, test func(t *testing.T, c *clock, change func(*Config))) {
	t.Run("here", func(t *testing.T) {
		t.Parallel()
		c := &clock{at: noon}
		test(t, c, func(cfg *Config) { cfg.Clock = c.now })
	})
	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		mini := miniredis.RunT(t)
		c := &clock{mini: mini}
		c.set(noon)
		test(t, c, func(cfg *Config) {
			cfg.Redis = client(t, mini.Addr())
			cfg.Clock = func() time.Time { t.Error("it counted here"); return noon }
		})
	})
}

// onEachRedis runs a test on a stand-in for Redis and, where a server is named, on a real one.
func onEachRedis(t *testing.T, test func(t *testing.T, address string)) {
	t.Run("stand-in", func(t *testing.T) {
		t.Parallel()
		test(t, miniredis.RunT(t).Addr())
	})
	if url := os.Getenv("CREDITGRAPH_TEST_REDIS"); url != "" {
		t.Run("Redis", func(t *testing.T) {
			t.Parallel()
			options, err := redis.ParseURL(url)
			if err != nil {
				t.Fatal(err)
			}
			test(t, options.Addr)
		})
	}
}

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

// hung is a server that takes connections and never answers.
func hung(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var open []net.Conn
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open = append(open, conn)
		}
	}()
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		<-done
		for _, conn := range open {
			conn.Close() // the peer has hung up already
		}
	})
	return listener.Addr().String()
}

// takes counts how many of n requests are let through.
func takes(t *testing.T, l *Limiter, n int) (allowed int, last Verdict) {
	t.Helper()
	for range n {
		if last = l.Take(t.Context(), "web", ""); last.Allowed {
			allowed++
		}
	}
	return allowed, last
}
