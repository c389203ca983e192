package resilient

import (
	"context"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/quota"
)

// longestPause bounds how long a provider can make us pause: plans are counted by the minute.
const longestPause = time.Minute

// pace keeps the calls of one provider to the plan that we have there, and to the pauses that it asks for.
type pace struct {
	name  lending.Provider
	quota *quota.Limiter                      // nil where nothing counts
	told  func(minute int) (quota.Plan, bool) // the plan that a provider's own limit means; nil where it is set
	rand  func(n int64) int64

	mu    sync.Mutex
	plan  quota.Plan // of no minute: none
	until time.Time  // no call before it
}

func newPace(name lending.Provider, cfg Config) *pace {
	return &pace{name: name, quota: cfg.Quota, told: cfg.Told[name], rand: cfg.Rand, plan: cfg.Plans[name]}
}

// current is the plan in force, and how long the pause still is that the provider asked for.
func (p *pace) current() (plan quota.Plan, paused time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quota == nil {
		return quota.Plan{}, time.Until(p.until)
	}
	return p.plan, time.Until(p.until)
}

// learn takes over the plan that the provider's own limit means, where none is set.
func (p *pace) learn(minute int) {
	if p.told == nil {
		return
	}
	plan, ok := p.told(minute)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
}

// hasLearned reports whether a plan is kept to that the provider told.
func (p *pace) hasLearned() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told != nil && p.plan.Minute > 0
}

// spare is how much of a plan's burst a call leaves to more urgent ones: a fifth for writes, and half for all that
// somebody waits for.
func spare(ctx context.Context, plan quota.Plan, class provider.Class) int {
	switch {
	case provider.IsBackground(ctx):
		return (plan.Burst + 1) / 2
	case class == provider.Read:
		return (plan.Burst + 4) / 5
	}
	return 0
}

// take waits until the call may be sent, no longer than patience. wait is 0 when it may, and else how long it would
// have to wait still.
func (p *pace) take(ctx context.Context, class provider.Class, patience time.Duration) (wait time.Duration, err error) {
	for end := time.Now().Add(patience); ; {
		if wait = p.next(ctx, class); wait <= 0 {
			return 0, nil
		}
		// Those who wait do not all come back at the same moment.
		wait += time.Duration(p.rand(int64(wait/4) + 1))
		if wait > time.Until(end) {
			return wait, nil
		}
		if !pause(ctx, wait) {
			return wait, ctx.Err()
		}
	}
}

// next takes a unit of the plan, or tells how long until there is one.
func (p *pace) next(ctx context.Context, class provider.Class) time.Duration {
	plan, paused := p.current()
	if paused > 0 || plan.Minute == 0 {
		return paused
	}
	if v := p.quota.Draw(ctx, string(p.name), plan, spare(ctx, plan, class)); !v.Allowed {
		return max(v.RetryAfter, time.Millisecond)
	}
	return 0
}

// heed pauses, here and by the shared count everywhere, where the provider refused a call for its rate.
func (p *pace) heed(ctx context.Context, e *lending.Error) {
	span := min(e.RetryAfter, longestPause)
	if e.Kind != lending.KindRateLimited || span <= 0 {
		return
	}
	p.mu.Lock()
	first := time.Now().Add(span).After(p.until.Add(time.Second)) // one of many says enough
	if until := time.Now().Add(span); until.After(p.until) {
		p.until = until
	}
	p.mu.Unlock()
	if plan, _ := p.current(); first && plan.Minute > 0 {
		p.quota.Hold(ctx, string(p.name), plan, span)
	}
}
