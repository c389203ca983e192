package resilient

import (
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/creditgraph/creditgraph/internal/provider"
)

// circuit lets the calls of one class through, or not.
//
// A result counts for the state in which its call was let through: one of before the circuit opened is no answer of
// the call that tries whether the provider is well again.
type circuit struct {
	tell func(was, is provider.CircuitState)

	mu      sync.Mutex
	breaker circuitbreaker.CircuitBreaker[any]
	era     int  // changes with the state
	trying  bool // a call is out to see whether the provider is well again
	changes [][2]provider.CircuitState
}

func newCircuit(cfg Circuit, tell func(was, is provider.CircuitState)) *circuit {
	c := &circuit{tell: tell}
	c.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(cfg.FailureRate, uint(cfg.MinimumCalls), cfg.Window).
		WithSuccessThreshold(1).
		WithDelay(cfg.Delay).
		WithJitterFactor(0.1).
		OnStateChanged(func(change circuitbreaker.StateChangedEvent) { // mu is held
			c.era++
			c.trying = false
			c.changes = append(c.changes, [2]provider.CircuitState{stateOf(change.OldState), stateOf(change.NewState)})
		}).
		Build()
	return c
}

func stateOf(s circuitbreaker.State) provider.CircuitState {
	switch s {
	case circuitbreaker.OpenState:
		return provider.CircuitOpen
	case circuitbreaker.HalfOpenState:
		return provider.CircuitHalfOpen
	}
	return provider.CircuitClosed
}

// do does something to the breaker, and tells of what that changed.
func (c *circuit) do(something func()) {
	c.mu.Lock()
	something()
	changes := c.changes
	c.changes = nil
	c.mu.Unlock()
	for _, change := range changes {
		c.tell(change[0], change[1])
	}
}

// state is the state as the next call finds it: a circuit whose delay is over is half open.
func (c *circuit) state() (state provider.CircuitState) {
	c.do(func() {
		state = stateOf(c.breaker.State())
		if state == provider.CircuitOpen && c.breaker.RemainingDelay() == 0 {
			state = provider.CircuitHalfOpen
		}
	})
	return state
}

// tryTime is how long the call that tries is given before it is worth while to ask again.
const tryTime = time.Second

// lets reports whether a call would be let through, and how long it takes at least until one is.
func (c *circuit) lets() (through bool, wait time.Duration) {
	c.do(func() {
		if wait = c.breaker.RemainingDelay(); c.trying {
			wait = tryTime
		}
	})
	return wait <= 0, wait
}

// permit is the leave of one call. It has to be settled.
type permit struct {
	circuit *circuit
	era     int
}

// enter lets a call through; false where it is refused.
func (c *circuit) enter() (p permit, ok bool) {
	c.do(func() {
		ok = c.breaker.TryAcquirePermit()
		p = permit{circuit: c, era: c.era}
		c.trying = c.breaker.State() == circuitbreaker.HalfOpenState
	})
	return p, ok
}

// verdict is what a call says of its provider.
type verdict int

const (
	nothing verdict = iota // it was given up, or had too little time
	well
	ill
)

// settle counts what came of the call, and tells whether that opened the circuit, or closed it.
func (p permit) settle(v verdict) (opened, closed bool) {
	c := p.circuit
	c.do(func() {
		if p.era != c.era {
			return
		}
		before := c.breaker.State()
		switch {
		case v == well:
			c.breaker.RecordSuccess()
		case v == ill:
			c.breaker.RecordFailure()
		case before == circuitbreaker.HalfOpenState:
			c.breaker.Open() // the one that tried found out nothing: another will, later
		}
		after := c.breaker.State()
		opened = before != after && after == circuitbreaker.OpenState
		closed = before != after && after == circuitbreaker.ClosedState
	})
	return opened, closed
}

// trip opens the circuit for a reason that it has not seen itself.
func (c *circuit) trip() {
	c.do(func() {
		if c.breaker.State() == circuitbreaker.ClosedState {
			c.breaker.Open()
		}
	})
}

// awaken lets the next call try at once, where none was let through.
func (c *circuit) awaken() {
	c.do(func() {
		if c.breaker.State() == circuitbreaker.OpenState {
			c.breaker.HalfOpen()
		}
	})
}
