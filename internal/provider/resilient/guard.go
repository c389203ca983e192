package resilient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// lane is what the calls of one class have to themselves at a provider.
type lane struct {
	limit   time.Duration // of one attempt
	least   time.Duration // what an attempt is given: a write that is cut short is one of unknown outcome
	circuit *circuit
	slots   *slots
	latency latency
}

// guard stands around the calls of one provider.
type guard struct {
	name   lending.Provider
	cfg    Config
	reads  *lane
	writes *lane
	pace   *pace
	extra  allowance
	// limited knows what limit the provider told last; nil where none does.
	limited rateLimited
}

func newGuard(name lending.Provider, cfg Config) *guard {
	g := &guard{name: name, cfg: cfg, pace: newPace(name, cfg), extra: allowance{most: mostRetries}}
	g.reads = &lane{limit: cfg.Limits.Read, slots: newSlots(cfg.Reads), circuit: newCircuit(cfg.Circuit, g.teller(provider.Read))}
	g.writes = &lane{limit: cfg.Limits.Write, least: cfg.Limits.Write / 2, slots: newSlots(cfg.Writes), circuit: newCircuit(cfg.Circuit, g.teller(provider.Write))}
	return g
}

// teller tells of a circuit's changes. What goes on during an outage is for those who look closely.
func (g *guard) teller(class provider.Class) func(was, is provider.CircuitState) {
	return func(was, is provider.CircuitState) {
		level, what := slog.LevelDebug, "the circuit of a provider's calls changed"
		switch {
		case is == provider.CircuitClosed:
			level, what = slog.LevelInfo, "a provider's calls are let through again"
		case was == provider.CircuitClosed:
			level, what = slog.LevelWarn, "a provider's calls are not let through, as too many failed"
		}
		g.cfg.Logger.Log(context.Background(), level, what, "provider", g.name, "class", class.String(), "circuit", string(is))
		g.cfg.Events.CircuitChanged(g.name, class, is)
	}
}

// lane is that of a class of calls, with that of the others.
func (g *guard) lane(class provider.Class) (own, other *lane) {
	if class == provider.Read {
		return g.reads, g.writes
	}
	return g.writes, g.reads
}

// call implements [provider.Interceptor].
func (g *guard) call(ctx context.Context, call provider.Call, next func(ctx context.Context) error) error {
	if call.Operation == "Ping" {
		return g.ping(ctx, next)
	}
	g.extra.earn()
	e, refused := g.attempt(ctx, call, next)
	for tries := 0; e != nil && refused == "" && g.again(ctx, call, e, tries); tries++ {
		g.cfg.Events.Retried(call)
		later, turned := g.attempt(ctx, call, next)
		switch {
		case later == nil:
			return nil
		case turned != "":
			return e // what the provider said tells more
		case e.Outcome == lending.OutcomeUnknown && later.Outcome == lending.NotExecuted:
			return e // the refusal is of the later one; the earlier one may have been taken
		}
		e = later
	}
	if e == nil {
		return nil
	}
	return e
}

// ping asks for a sign of life, whatever the circuits say: it costs the provider next to nothing, and shows when
// calls can be tried again.
func (g *guard) ping(ctx context.Context, next func(ctx context.Context) error) error {
	_ = g.pace.next(ctx, provider.Read) // it is counted, and goes out whatever the plan says
	if err := next(ctx); err != nil {
		return err
	}
	g.reads.circuit.awaken()
	g.writes.circuit.awaken()
	return nil
}

// attempt makes one attempt, unless it is refused, for a reason.
func (g *guard) attempt(ctx context.Context, call provider.Call, next func(ctx context.Context) error) (e *lending.Error, refused string) {
	own, other := g.lane(call.Class)
	if through, wait := own.circuit.lets(); !through {
		return g.refuse(call, ReasonCircuit, wait)
	}
	leave, err := own.slots.enter(ctx, provider.IsBackground(ctx), min(own.patience(ctx), own.limit/4))
	if err != nil {
		return g.turnedAway(call, err)
	}
	defer leave()
	wait, err := g.pace.take(ctx, call.Class, own.patience(ctx))
	if err != nil {
		return g.turnedAway(call, err)
	}
	if wait > 0 {
		return g.refuse(call, ReasonPlan, wait)
	}
	permit, ok := own.circuit.enter()
	if !ok { // others tried before it had its turn
		_, wait := own.circuit.lets()
		return g.refuse(call, ReasonCircuit, max(wait, tryTime))
	}
	said := nothing
	defer func() { g.conclude(own, other, permit, said, e) }()
	had, began := min(rest(ctx), own.limit), time.Now()
	if err = next(ctx); err != nil {
		e = lending.AsError(err)
		g.pace.heed(ctx, e)
	}
	own.learn(e, time.Since(began))
	g.heedLimit(e)
	said = judge(e, had*2 >= own.limit)
	return e, ""
}

// heedLimit learns our plan from the limit that the provider tells, once it has refused a call for its rate: a limit
// that is told and not kept must hold nobody up.
func (g *guard) heedLimit(e *lending.Error) {
	if g.limited == nil || (e == nil || e.Kind != lending.KindRateLimited) && !g.pace.hasLearned() {
		return
	}
	if limit, _, _, ok := g.limited.RateLimit(); ok {
		g.pace.learn(limit)
	}
}

// conclude settles a call's leave. What keeps all calls from a provider closes the way to both classes, and opens it
// for both.
func (g *guard) conclude(own, other *lane, p permit, said verdict, e *lending.Error) {
	opened, closed := p.settle(said)
	switch {
	case opened && e != nil && provider.Unsent(e):
		other.circuit.trip()
	case closed:
		other.circuit.awaken()
	}
}

// patience is how long a call may wait for its turn: the caller's time, but for what the call itself takes as a
// rule, and no longer than its own limit.
func (l *lane) patience(ctx context.Context) time.Duration {
	return min(rest(ctx), l.limit) - max(l.latency.typical(), l.least)
}

// learn notes how long a call took, where it is the provider that took the time: not where it was refused in no time.
func (l *lane) learn(e *lending.Error, took time.Duration) {
	if e == nil || e.Kind == lending.KindTimeout {
		l.latency.note(took)
	}
}

// judge is what a call says of its provider. fair says that it was given time enough for its running out to mean
// anything.
func judge(e *lending.Error, fair bool) verdict {
	if e == nil {
		return well
	}
	if errors.Is(e, context.Canceled) {
		return nothing
	}
	switch e.Kind {
	case lending.KindTimeout:
		if !fair {
			return nothing
		}
		return ill
	case lending.KindUpstreamUnavailable, lending.KindOutcomeUnknown, lending.KindRateLimited, lending.KindUpstreamAuth,
		lending.KindProviderDisabled, lending.KindBalanceExhausted:
		return ill
	case lending.KindInternal:
		return nothing // ours
	}
	return well // it answered
}

// turnedAway is the refusal of a call that waited in vain.
func (g *guard) turnedAway(call provider.Call, err error) (*lending.Error, string) {
	if errors.Is(err, errFull) {
		return g.refuse(call, ReasonBulkhead, time.Second)
	}
	e, reason := g.refuse(call, ReasonBudget, 0)
	e.Err = err
	if errors.Is(err, context.DeadlineExceeded) {
		e.Kind = lending.KindTimeout
	}
	return e, reason
}

// refuse makes the error of a call for which nothing was sent.
func (g *guard) refuse(call provider.Call, reason string, after time.Duration) (*lending.Error, string) {
	g.cfg.Events.Refused(call, reason)
	e := &lending.Error{
		Kind: lending.KindUpstreamUnavailable, Provider: g.name, Retryable: true, Outcome: lending.NotExecuted, RetryAfter: after,
		Err: fmt.Errorf("resilient: %s was not sent: %s", call.Operation, reason),
	}
	switch reason {
	case ReasonBulkhead:
		e.Message = "Too many requests to " + g.name.Title() + " are under way. Try again shortly."
	case ReasonPlan:
		e.Kind = lending.KindRateLimited
	}
	return e, reason
}
