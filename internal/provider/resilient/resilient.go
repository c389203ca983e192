package resilient

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/quota"
)

// Config is what guards are made of. Zero values take the defaults that are named.
type Config struct {
	// Limits are those of one attempt, which [provider.Observe] keeps.
	Limits provider.Limits
	// Retries is how often a call that may be repeated is tried again at most; 0 is never.
	Retries int
	// Reads and Writes are how many calls of a class are under way at one provider at a time; 128 and 32.
	Reads, Writes int
	Circuit       Circuit
	// Plans are what we may ask of providers. One that is not listed is asked as often as need be.
	Plans map[lending.Provider]quota.Plan
	// Told are what the limits mean that providers tell with their answers, in calls a minute, where our plan is not
	// set; false for a limit that means none.
	Told map[lending.Provider]func(minute int) (quota.Plan, bool)
	// Quota counts by the plans; nil keeps to none.
	Quota  *quota.Limiter
	Events Events // nobody where nil
	Logger *slog.Logger
	// Rand is uniform in [0, n), for jitter; math/rand/v2 where nil.
	Rand func(n int64) int64
}

// Circuit says when calls stop to be let through, and for how long.
type Circuit struct {
	// FailureRate is the part of the calls in Window, from 0 to 1, that have to fail, MinimumCalls being the least
	// that tells anything; 0.5, 10 s and 20.
	FailureRate  float64
	Window       time.Duration
	MinimumCalls int
	// Delay is how long nothing is let through before one call tries, more or less a tenth; 5 s.
	Delay time.Duration
}

// Events is told what the guards do. Its methods are called from many goroutines and must not block.
type Events interface {
	// Retried tells that a call is tried once more.
	Retried(call provider.Call)
	// Refused tells that nothing was sent for a call, and why: one of the reasons of this package.
	Refused(call provider.Call, reason string)
	// CircuitChanged tells the state of a circuit on this replica. Writes of both classes have one circuit, which
	// is told as that of [provider.Write].
	CircuitChanged(name lending.Provider, class provider.Class, state provider.CircuitState)
}

// The reasons of refusals.
const (
	ReasonCircuit  = "circuit"  // too many calls failed
	ReasonBulkhead = "bulkhead" // too many are under way
	ReasonPlan     = "plan"     // the plan at the provider is used up, or the provider asked for a pause
	ReasonBudget   = "budget"   // the caller's time was over while it waited for its turn
)

type nobody struct{}

func (nobody) Retried(provider.Call)                                                  {}
func (nobody) Refused(provider.Call, string)                                          {}
func (nobody) CircuitChanged(lending.Provider, provider.Class, provider.CircuitState) {}

var _ Events = nobody{}

// Guards are what stands around the calls of all providers. They are safe for concurrent use, and have nothing to
// stop.
type Guards struct {
	cfg    Config
	mu     sync.Mutex
	guards map[lending.Provider]*guard
}

var _ provider.Circuits = (*Guards)(nil)

// New makes guards that know of no call yet.
func New(cfg Config) *Guards {
	return &Guards{cfg: cfg.withDefaults(), guards: map[lending.Provider]*guard{}}
}

func (cfg Config) withDefaults() Config {
	orDefault(&cfg.Reads, 128)
	orDefault(&cfg.Writes, 32)
	orDefault(&cfg.Limits.Read, 2*time.Second)
	orDefault(&cfg.Limits.Write, 8*time.Second)
	orDefault(&cfg.Circuit.FailureRate, 0.5)
	orDefault(&cfg.Circuit.Window, 10*time.Second)
	orDefault(&cfg.Circuit.MinimumCalls, 20)
	orDefault(&cfg.Circuit.Delay, 5*time.Second)
	orDefault(&cfg.Logger, slog.New(slog.DiscardHandler))
	orDefault(&cfg.Events, Events(nobody{}))
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

// rateLimited is a provider's Pinger that knows what limit the provider told last.
type rateLimited interface {
	RateLimit() (limit, remaining int, resetsAt time.Time, ok bool)
}

// Around guards the calls of a provider, which [provider.Observe] has been put around. It is called once for each
// provider.
func (g *Guards) Around(p *provider.Provider) *provider.Provider {
	made := newGuard(p.Name, g.cfg)
	if limited, ok := p.Pinger.(rateLimited); ok {
		made.limited = limited
	}
	g.mu.Lock()
	g.guards[p.Name] = made
	g.mu.Unlock()
	return provider.Intercept(p, made.call)
}

// Circuit implements [provider.Circuits].
func (g *Guards) Circuit(name lending.Provider) provider.CircuitState {
	g.mu.Lock()
	guarded := g.guards[name]
	g.mu.Unlock()
	if guarded == nil {
		return ""
	}
	worst := provider.CircuitClosed
	for _, l := range []*lane{guarded.reads, guarded.writes} {
		switch state := l.circuit.state(); {
		case state == provider.CircuitOpen:
			return state
		case state == provider.CircuitHalfOpen:
			worst = state
		}
	}
	return worst
}
