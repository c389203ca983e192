package board

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/health"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// trips counts the commands that a replica sends, those that a connection begins with left out.
type trips struct {
	mu   sync.Mutex
	list []string
}

func (l *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name == "evalsha" || name == "hdel" {
			l.mu.Lock()
			l.list = append(l.list, name)
			l.mu.Unlock()
		}
		return next(ctx, cmd)
	}
}

func (l *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l *trips) take() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.list)
	l.list = nil
	return n
}

// replica is a board with a meter, under a clock that tests move.
type replica struct {
	*Board
	meter *health.Meter
	trips *trips
	log   *bytes.Buffer

	mu sync.Mutex
	at time.Time
}

func (r *replica) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *replica) advance(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(by)
}

// newReplica is one of a deployment that has a secret.
func newReplica(t *testing.T, address, secret string) *replica {
	t.Helper()
	r := &replica{at: noon, trips: &trips{}, log: &bytes.Buffer{}}
	client := redis.NewClient(&redis.Options{Addr: address, Protocol: 2, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true})
	client.AddHook(r.trips)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	r.meter = health.NewMeter(r.now)
	r.Board = New(Config{Redis: client, KeySecret: []byte(secret), Budget: 10 * time.Second, Clock: r.now, Logger: slog.New(slog.NewTextHandler(r.log, nil))})
	return r
}

// call lets a call of Carbon's end.
func (r *replica) call() {
	r.meter.Observe(provider.Observation{Provider: lending.Carbon, Operation: "Apply", Class: provider.Write, Took: time.Second})
}

func (r *replica) publish(t *testing.T) { r.Publish(t.Context(), r.meter.Report()) }

// calls is how many calls each of the others has measured, as this replica reads it anew.
func (r *replica) calls(t *testing.T) (list []uint64) {
	t.Helper()
	r.advance(freshFor)
	for _, report := range r.Others(t.Context()) {
		list = append(list, report[lending.Carbon].Writes.Calls)
	}
	return list
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

func TestReplicasTellEachOther(t *testing.T) {
	t.Parallel()
	onEachRedis(t, func(t *testing.T, address string) {
		secret := rand.Text()
		a, b, stranger := newReplica(t, address, secret), newReplica(t, address, secret), newReplica(t, address, rand.Text())
		b.advance(time.Hour) // its clock is wrong
		a.call()
		a.publish(t)
		b.call()
		b.call()
		b.publish(t)
		if got := a.calls(t); len(got) != 1 || got[0] != 2 {
			t.Errorf("one is told %v", got)
		}
		if got := b.calls(t); len(got) != 1 || got[0] != 1 {
			t.Errorf("the other is told %v", got)
		}
		if got := stranger.calls(t); got != nil {
			t.Errorf("another deployment is told %v", got)
		}
		// By its own clock the other was called no more than the time ago that Redis says.
		called := b.Others(t.Context())[0][lending.Carbon].CalledAt
		if ago := b.now().Sub(called); ago < 0 || ago > 5*time.Minute {
			t.Errorf("the other's call was %s ago", ago)
		}
		b.Withdraw(t.Context())
		if got := a.calls(t); got != nil {
			t.Errorf("one that has left is told of: %v", got)
		}
	})
}

// aged is a stand-in for Redis under a clock that a test moves.
func aged(t *testing.T) (mini *miniredis.Miniredis, pass func(d time.Duration)) {
	mini, at := miniredis.RunT(t), noon
	mini.SetTime(at)
	return mini, func(d time.Duration) {
		at = at.Add(d)
		mini.SetTime(at)
		mini.FastForward(d)
	}
}

func TestTimesAreToldByTheReadersClock(t *testing.T) {
	t.Parallel()
	mini, pass := aged(t)
	a, b := newReplica(t, mini.Addr(), "s"), newReplica(t, mini.Addr(), "s")
	b.advance(time.Hour)
	a.call()
	a.advance(2 * time.Second)
	a.publish(t)
	pass(4 * time.Second)
	b.advance(time.Minute)
	if ago := b.now().Sub(b.Others(t.Context())[0][lending.Carbon].CalledAt); ago != 6*time.Second {
		t.Errorf("the call was %s ago, want 6s", ago)
	}
}

func TestWhoIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	mini, pass := aged(t)
	a, b, c := newReplica(t, mini.Addr(), "s"), newReplica(t, mini.Addr(), "s"), newReplica(t, mini.Addr(), "s")
	a.publish(t)
	a.call()
	a.publish(t)
	pass(staleAfter - time.Second)
	b.call()
	b.publish(t)
	if got := c.calls(t); len(got) != 2 {
		t.Errorf("told %v, want both", got)
	}
	pass(time.Second + time.Millisecond)
	if got := c.calls(t); len(got) != 1 {
		t.Errorf("told %v, want the one that lives", got)
	}
	b.call()
	b.publish(t)
	if fields, err := mini.HKeys(a.key); err != nil || len(fields) != 1 {
		t.Errorf("Redis keeps %d reports: %v", len(fields), err)
	}
	pass(staleAfter + time.Second)
	if keys := mini.Keys(); len(keys) != 0 {
		t.Errorf("Redis keeps %v for ever", keys)
	}
}

func TestWhatIsKnownIsNotToldAgainAtOnce(t *testing.T) {
	t.Parallel()
	a := newReplica(t, miniredis.RunT(t).Addr(), "s")
	a.call()
	for _, step := range []struct {
		pass  time.Duration
		calls int
		told  bool
	}{{0, 0, true}, {time.Second, 0, false}, {time.Second, 1, true}, {repeatAfter - 1, 0, false}, {1, 0, true}} {
		a.advance(step.pass)
		for range step.calls {
			a.call()
		}
		a.publish(t)
		if got := a.trips.take() > 0; got != step.told {
			t.Errorf("after %s and %d calls: told %t", step.pass, step.calls, got)
		}
	}
}

func TestManyWhoAskAskRedisOnce(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	a, b := newReplica(t, mini.Addr(), "s"), newReplica(t, mini.Addr(), "s")
	b.call()
	b.publish(t)
	a.calls(t) // the script is known
	a.trips.take()
	a.advance(freshFor)
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			if got := a.Others(context.Background()); len(got) != 1 {
				t.Errorf("told of %d", len(got))
			}
		})
	}
	group.Wait()
	if n := a.trips.take(); n != 1 {
		t.Errorf("Redis was asked %d times", n)
	}
}

func TestWithoutRedisAReplicaIsAlone(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()                            // takes connections into its backlog, and never answers
	refusing, err := net.Listen("tcp", "127.0.0.1:0") // takes none
	if err != nil {
		t.Fatal(err)
	}
	if err := refusing.Close(); err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{"hung": listener.Addr().String(), "refused": refusing.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			a := newReplica(t, address, "s")
			a.budget = 20 * time.Millisecond
			for range 5 {
				if got := a.Others(t.Context()); got != nil {
					t.Errorf("told %v", got)
				}
			}
			if n := a.trips.take(); n != 1 {
				t.Errorf("Redis was asked %d times within a second", n)
			}
			a.advance(freshFor)
			a.Others(t.Context())
			if n := a.trips.take(); n != 1 {
				t.Errorf("Redis was asked %d times after a second", n)
			}
			a.call()
			a.publish(t)
			a.call()
			a.publish(t)
			if n := strings.Count(a.log.String(), "Redis does not answer"); n != 2 {
				t.Errorf("it was told %d times, want once for hearing and once for telling:\n%s", n, a.log)
			}
		})
	}
}

func TestAnAnswerThatIsLateForgetsNobodyAtOnce(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	a, b := newReplica(t, mini.Addr(), "s"), newReplica(t, mini.Addr(), "s")
	b.call()
	b.publish(t)
	if got := a.calls(t); len(got) != 1 {
		t.Fatalf("told %v", got)
	}
	mini.SetError("LOADING")
	if got := a.calls(t); len(got) != 1 {
		t.Errorf("after one failure told %v", got)
	}
	a.advance(staleAfter)
	if got := a.calls(t); got != nil {
		t.Errorf("long after told %v", got)
	}
	mini.SetError("")
	if got := a.calls(t); len(got) != 1 || !strings.Contains(a.log.String(), "Redis answers again") {
		t.Errorf("when Redis is back: told %v; the log:\n%s", got, a.log)
	}
}

func TestWhatCannotBeReadIsPassedBy(t *testing.T) {
	t.Parallel()
	onEachRedis(t, func(t *testing.T, address string) {
		a, b := newReplica(t, address, rand.Text()), newReplica(t, address, "")
		b.key = a.key
		b.call()
		b.publish(t)
		at := fmt.Sprint(time.Now().UnixMilli(), ":")
		for i, odd := range []string{
			"", "abc", at, at + "{", at + `{"version":2,"providers":{}}`, at + `{"version":1,"providers":{"ACME":{}}}`,
			at + `{"version":1,"providers":{"CARBON":null}}`, at + `{"version":1,"providers":{"CARBON":{"writes":{"calls":9}}}}`,
			at + `{"version":1,"providers":{"CARBON":{"failure":{"kind":"ODD"}}}}`,
			at + `{"version":1,"providers":{},"more":"` + strings.Repeat("x", 2*maxReport) + `"}`,
		} {
			if err := a.client.HSet(t.Context(), a.key, fmt.Sprint("odd", i), odd).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if got := a.calls(t); len(got) != 1 || got[0] != 1 {
			t.Errorf("told %v, want the good one", got)
		}
		if strings.Contains(a.log.String(), "level=WARN") {
			t.Errorf("the log tells:\n%s", a.log)
		}
	})
}

func TestReplicasWithoutEndAreNotReadWithoutEnd(t *testing.T) {
	t.Parallel()
	address := miniredis.RunT(t).Addr()
	a := newReplica(t, address, "s")
	for range maxReplicas + 5 {
		b := newReplica(t, address, "s")
		b.call()
		b.publish(t)
	}
	if got := a.calls(t); len(got) != maxReplicas {
		t.Errorf("%d replicas are read", len(got))
	}
}

func TestAReportHoldsFiguresAndCodesAlone(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	a := newReplica(t, mini.Addr(), "s")
	a.meter.Observe(provider.Observation{Provider: lending.Carbon, Operation: "Apply", Class: provider.Write, Err: &lending.Error{
		Kind: lending.KindTimeout, Message: "told to Ada", ProviderCode: "E1", Err: fmt.Errorf("of +2348012345678"),
	}})
	a.publish(t)
	if text := mini.HGet(a.key, a.replica); strings.Contains(text, "Ada") || strings.Contains(text, "234801") || !strings.Contains(text, "TIMEOUT") || len(text) > 1000 {
		t.Errorf("Redis holds:\n%s", text)
	}
}
