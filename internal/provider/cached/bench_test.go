package cached

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// realRedisVariable names a URL of a real server. Where it is set, the tests on Redis run there too.
const realRedisVariable = "CREDITGRAPH_TEST_REDIS"

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{})
	goleak.VerifyTestMain(m)
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

var testSecret = []byte("a secret of this test deployment")

// person is a value with all that is awkward to keep: exact money, a date, a time, a slice.
type person struct {
	Name  string         `json:"name"`
	Limit *lending.Money `json:"limit"`
	Born  lending.Date   `json:"born"`
	Since time.Time      `json:"since"`
	Tags  []string       `json:"tags"`
}

func personOf(key string, version int) person {
	limit := lending.NewMoney(9_007_199_254_740_993, lending.NGN)
	return person{
		Name: fmt.Sprintf("%s v%d", key, version), Limit: &limit, Born: lending.NewDate(1990, 2, 28),
		Since: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Tags: []string{"a", "b"},
	}
}

// upstream is a provider that counts how often it is asked.
type upstream struct {
	mu      sync.Mutex
	calls   map[string]int
	started chan string // each call, where it is set
	gate    chan struct{}
	err     error
}

func newUpstream() *upstream { return &upstream{calls: map[string]int{}} }

func (u *upstream) load(ctx context.Context, key string) (person, error) {
	u.mu.Lock()
	u.calls[key]++
	version, started, gate := u.calls[key], u.started, u.gate
	u.mu.Unlock()
	if started != nil {
		started <- key
	}
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return person{}, ctx.Err()
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return personOf(key, version), u.err
}

func (u *upstream) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err = err
}

// hold makes calls wait until the gate is closed, and tells of each that waits.
func (u *upstream) hold() (started chan string, gate chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.started, u.gate = make(chan string, 100), make(chan struct{})
	return u.started, u.gate
}

func (u *upstream) total() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, calls := range u.calls {
		n += calls
	}
	return n
}

// fakeClock is moved by hand.
type fakeClock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *fakeClock { return &fakeClock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// tally is an Observer that adds up.
type tally struct {
	mu        sync.Mutex
	answered  map[lending.SourceStatus]int
	loaded    map[lending.ErrorKind]int
	discarded map[Discard]int
	usable    []bool
}

func newTally() *tally {
	return &tally{answered: map[lending.SourceStatus]int{}, loaded: map[lending.ErrorKind]int{}, discarded: map[Discard]int{}}
}

func (o *tally) Answered(_ context.Context, _ string, status lending.SourceStatus, count int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answered[status] += count
}

func (o *tally) Loaded(_ string, kind lending.ErrorKind, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loaded[kind]++
}

func (o *tally) Discarded(_ string, reason Discard) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.discarded[reason]++
}

func (o *tally) RedisUsable(usable bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.usable = append(o.usable, usable)
}

func (o *tally) discards(reason Discard) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.discarded[reason]
}

// bench is one replica under test.
type bench struct {
	cache    *Cache
	reader   *Reader[person]
	upstream *upstream
	clock    *fakeClock
	tally    *tally
}

const (
	soft     = 10 * time.Minute
	hard     = time.Hour
	negative = time.Minute
	staleFor = 24 * time.Hour
)

// newBench makes a replica whose ages are exact, as its dice always fall on the middle.
func newBench(t *testing.T, adjust ...func(*Config, *Spec[person])) *bench {
	t.Helper()
	b := &bench{upstream: newUpstream(), clock: newClock(), tally: newTally()}
	cfg := Config{
		KeySecret: testSecret, StaleFor: staleFor, Clock: b.clock.now, Observer: b.tally,
		Rand:       func(n int64) int64 { return n / 2 },
		ReadBudget: 20 * time.Second, WriteBudget: 20 * time.Second,
	}
	spec := Spec[person]{
		Name: "kredete.profile", Provider: lending.Kredete, Soft: soft, Hard: hard, Negative: negative,
		Load: b.upstream.load,
	}
	for _, change := range adjust {
		change(&cfg, &spec)
	}
	cache, err := NewCache(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cache.Stop)
	b.cache, b.reader = cache, NewReader(cache, spec)
	return b
}

func (b *bench) read(keys ...string) []lending.Fetched[person] {
	return b.reader.Read(context.Background(), keys, lending.Freshness{})
}

func (b *bench) within(maxAge time.Duration, keys ...string) []lending.Fetched[person] {
	return b.reader.Read(context.Background(), keys, lending.Freshness{MaxAge: &maxAge})
}

// settle waits until nothing is under way behind the answers.
func (b *bench) settle(t *testing.T) {
	t.Helper()
	eventually(t, "the cache to come to rest", func() bool {
		b.cache.mu.Lock()
		defer b.cache.mu.Unlock()
		return !b.cache.flushing && len(b.cache.flights) == 0 && len(b.cache.sweeps) == 0
	})
}

// eventually waits for what another goroutine or server brings about.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func statuses[V any](answers []lending.Fetched[V]) []lending.SourceStatus {
	list := make([]lending.SourceStatus, len(answers))
	for i, a := range answers {
		list[i] = a.Status
	}
	return list
}

func expect(t *testing.T, got lending.Fetched[person], status lending.SourceStatus, name string, kind lending.ErrorKind) {
	t.Helper()
	if got.Status != status || got.Value.Name != name || lending.KindOf(got.Err) != kind {
		t.Errorf("got %s %q (%s), want %s %q (%s)", got.Status, got.Value.Name, lending.KindOf(got.Err), status, name, kind)
	}
}

// server is a Redis for one test: its URL, and a prefix of keys that are the test's own.
type server struct {
	url    string
	prefix string
	mini   *miniredis.Miniredis // nil for a real one
}

// onRedis runs a test on miniredis and, where there is one, on a real server.
func onRedis(t *testing.T, test func(t *testing.T, s server)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		t.Parallel()
		mini := miniredis.RunT(t)
		test(t, server{url: "redis://" + mini.Addr(), prefix: "test", mini: mini})
	})
	if url := os.Getenv(realRedisVariable); url != "" {
		t.Run("real", func(t *testing.T) {
			t.Parallel()
			s := server{url: url, prefix: "creditgraph-test:" + rand.Text()}
			t.Cleanup(func() { s.sweepUp(t) })
			test(t, s)
		})
	}
}

func (s server) client(t *testing.T) redis.UniversalClient {
	t.Helper()
	separator := "?"
	if strings.Contains(s.url, "?") {
		separator = "&"
	}
	// The machine may be slow: only the tests of failures go by the time that Redis takes.
	const patience = "read_timeout=30s&write_timeout=30s&dial_timeout=30s&pool_timeout=30s"
	client, err := NewRedis(s.url + separator + patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeClient(t, client) })
	return client
}

func closeClient(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	if err := client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		t.Error(err)
	}
}

func (s server) keys(t *testing.T, client redis.UniversalClient) []string {
	t.Helper()
	keys, err := client.Keys(context.Background(), s.prefix+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

func (s server) sweepUp(t *testing.T) {
	client, err := NewRedis(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer closeClient(t, client)
	if keys := s.keys(t, client); len(keys) > 0 {
		if err := client.Del(context.Background(), keys...).Err(); err != nil {
			t.Error(err)
		}
	}
}

// on makes a replica share a server.
func (s server) on(t *testing.T, log *tripLog) func(*Config, *Spec[person]) {
	client := s.client(t)
	if log != nil {
		client.AddHook(log)
	}
	return func(cfg *Config, _ *Spec[person]) { cfg.Redis, cfg.Prefix = client, s.prefix }
}

// tripLog writes down each round trip to Redis as the names of its commands.
type tripLog struct {
	mu    sync.Mutex
	trips []string
}

var _ redis.Hook = (*tripLog)(nil)

func (l *tripLog) add(cmds ...redis.Cmder) {
	counts := map[string]int{}
	var order []string
	for _, cmd := range cmds {
		name := cmd.Name()
		if !slices.Contains([]string{"mget", "get", "set", "del", "publish"}, name) {
			return // of the connection's own making
		}
		if counts[name]++; counts[name] == 1 {
			order = append(order, name)
		}
	}
	for i, name := range order {
		order[i] = fmt.Sprintf("%s×%d", name, counts[name])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trips = append(l.trips, strings.Join(order, " "))
}

func (l *tripLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	trips := l.trips
	l.trips = nil
	return trips
}

// DialHook leaves connecting as it is.
func (l *tripLog) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook writes down a single command.
func (l *tripLog) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		l.add(cmd)
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook writes down a pipeline.
func (l *tripLog) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		l.add(cmds...)
		return next(ctx, cmds)
	}
}
