package cached

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	rediscache "github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Config is what a [Cache] is made of. The zero value of each field but KeySecret is of use.
type Config struct {
	// Redis is shared by the replicas; nil keeps all in the process. [NewRedis] makes one with options
	// under which a budget is a budget. The cache does not close it.
	Redis redis.UniversalClient
	// KeySecret, of 16 bytes or more, is the same on all replicas. Whoever changes it empties the cache.
	KeySecret []byte
	// Prefix stands before every key in Redis; "creditgraph:cache" where empty.
	Prefix string
	// LocalEntries is how many entries the process keeps; 10,000 where 0.
	LocalEntries int
	// LocalFresh is how long an entry of the process's own is answered without a look into Redis, at most
	// a second. 0 always looks, which keeps the replicas of one mind. Without Redis it has no meaning.
	LocalFresh time.Duration
	// StaleFor is how long beyond its hard time an entry is kept for when the provider fails; 24 h where 0.
	StaleFor time.Duration
	// ReadBudget and WriteBudget bound each step with Redis; 20 ms and 50 ms where 0.
	ReadBudget, WriteBudget time.Duration
	// BreakerFailures in a row let Redis be left alone for BreakerDelay; 3 and 1 s where 0.
	BreakerFailures uint
	BreakerDelay    time.Duration

	Clock    func() time.Time    // time.Now where nil; ages alone follow it, deadlines are real
	Logger   *slog.Logger        // silent where nil
	Rand     func(n int64) int64 // uniform in [0, n), for jitter; math/rand/v2 where nil
	Observer Observer            // nobody where nil
}

// Observer counts what a cache does. Its methods are called from many goroutines, and must not block.
type Observer interface {
	// Answered counts answers of one status. ctx is that of who asked.
	Answered(ctx context.Context, read string, status lending.SourceStatus, count int)
	// Loaded tells of one call of a provider. kind is "" for a success.
	Loaded(read string, kind lending.ErrorKind, took time.Duration)
	// Discarded counts an entry that was found and could not be used.
	Discarded(read string, reason Discard)
	// RedisUsable tells that Redis is left alone (false), and that it answers again (true).
	RedisUsable(usable bool)
}

// Discard is why an entry was not used.
type Discard string

// The reasons to discard an entry.
const (
	DiscardOtherOwner Discard = "other_owner" // it belongs to another key: a reply for somebody else
	DiscardDamaged    Discard = "damaged"     // it does not open, or does not read
	DiscardEvicted    Discard = "evicted"     // its load began before an eviction
)

type nobody struct{}

func (nobody) Answered(context.Context, string, lending.SourceStatus, int) {}
func (nobody) Loaded(string, lending.ErrorKind, time.Duration)             {}
func (nobody) Discarded(string, Discard)                                   {}
func (nobody) RedisUsable(bool)                                            {}

var _ Observer = nobody{}

// Cache keeps the entries of all [Reader]s. It is safe for concurrent use.
type Cache struct {
	cfg    Config
	keys   *keyring
	codec  *codec
	near   *local
	box    *rediscache.Cache // sets and deletes in near
	far    *remote           // nil without Redis
	leases *leases
	work   *background
	start  sync.Once

	mu        sync.Mutex
	sweeps    map[string]*sweep   // looks into Redis that are under way, by slot id
	flights   map[string]*flight  // loads that are under way
	unwritten map[string]*write   // entries on their way to Redis
	flushing  bool                // whether somebody is taking them there
	unsent    map[string]eviction // evictions that Redis does not know of
	// distrust is the time before which loads in Redis may have been evicted without a mark.
	distrust time.Time
}

// NewCache makes a cache. It works at once; Start lets it hear what other replicas evict.
func NewCache(cfg Config) (*Cache, error) {
	if cfg.LocalFresh < 0 || cfg.LocalFresh > time.Second {
		return nil, errors.New("cached: LocalFresh is at most one second")
	}
	if cfg.LocalEntries < 0 {
		return nil, errors.New("cached: LocalEntries is negative")
	}
	cfg = cfg.withDefaults()
	keys, err := newKeyring(cfg.KeySecret)
	if err != nil {
		return nil, err
	}
	near, err := newLocal(cfg.LocalEntries, cfg.Clock)
	if err != nil {
		return nil, err
	}
	held, err := newLeases(cfg.LocalEntries)
	if err != nil {
		return nil, err
	}
	box := rediscache.New(&rediscache.Options{LocalCache: near})
	c := &Cache{
		cfg: cfg, keys: keys, codec: &codec{keys: keys, pack: box}, near: near, box: box, leases: held,
		work: newBackground(), sweeps: map[string]*sweep{}, flights: map[string]*flight{},
		unwritten: map[string]*write{}, unsent: map[string]eviction{},
	}
	if cfg.Redis != nil {
		c.far = newRemote(cfg)
	}
	return c, nil
}

func (cfg Config) withDefaults() Config {
	orDefault(&cfg.Prefix, "creditgraph:cache")
	orDefault(&cfg.LocalEntries, 10_000)
	orDefault(&cfg.StaleFor, 24*time.Hour)
	orDefault(&cfg.ReadBudget, 20*time.Millisecond)
	orDefault(&cfg.WriteBudget, 50*time.Millisecond)
	orDefault(&cfg.BreakerFailures, 3)
	orDefault(&cfg.BreakerDelay, time.Second)
	orDefault(&cfg.Observer, Observer(nobody{}))
	orDefault(&cfg.Logger, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Int64N
	}
	return cfg
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Start begins to listen for what other replicas evict. Calling it again does nothing.
func (c *Cache) Start() {
	if c.far != nil {
		c.start.Do(func() { c.work.start(c.listen) })
	}
}

// Stop ends the loads and refreshes that are under way and waits for what runs behind. Reads after it
// are answered from what there is. Calling it again does nothing.
func (c *Cache) Stop() { c.work.stop() }

// jittered is a duration within a tenth of d, so that entries which were made together do not end
// together. Two durations that are to keep their order take the same dice.
func jittered(d time.Duration, dice int64) time.Duration { return d / 1000 * time.Duration(900+dice) }

// throw is a die for jittered.
func (c *Cache) throw() int64 { return c.cfg.Rand(201) }

// background runs what goes on behind the answers, until it is stopped.
type background struct {
	ctx    context.Context // ends with stop
	cancel context.CancelFunc
	mu     sync.Mutex
	ended  bool
	group  sync.WaitGroup
}

func newBackground() *background {
	ctx, cancel := context.WithCancel(context.Background())
	return &background{ctx: ctx, cancel: cancel}
}

// start runs a job beside the caller; false after stop.
func (b *background) start(job func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return false
	}
	b.group.Go(job)
	return true
}

func (b *background) stop() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.cancel()
	b.group.Wait()
}

// unending is a context for what is to be finished after stop, too.
func (b *background) unending() context.Context { return context.WithoutCancel(b.ctx) }

// detach is a context with ctx's values that ends when the background does, and not when ctx does.
func (b *background) detach(ctx context.Context) (context.Context, context.CancelFunc) {
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(b.ctx, cancel)
	return detached, func() { unhook(); cancel() }
}
