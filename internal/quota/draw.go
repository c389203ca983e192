package quota

import (
	"context"
	"time"
)

// Draw takes one unit of a plan that is told with each call: that of this service at somebody else's. It is refused
// unless spare more are left, so that who names a spare leaves those to others.
func (l *Limiter) Draw(ctx context.Context, name string, plan Plan, spare int) Verdict {
	if !plan.limited() {
		return Verdict{Plan: plan.Name, Allowed: true}
	}
	return l.count(ctx, name, plan, func(Plan) int { return 1 }, spare)
}

// Hold lets nothing be drawn for a span, on all replicas. After it the burst comes back evenly. Where Redis does not
// answer, this replica alone pauses.
func (l *Limiter) Hold(ctx context.Context, name string, plan Plan, span time.Duration) {
	if !plan.limited() || span <= 0 {
		return
	}
	key := l.key(name)
	if l.shared != nil {
		err := l.shared.hold(ctx, key, plan, span)
		if err == nil {
			return
		}
		l.logger.DebugContext(ctx, "a pause is this replica's own", "error", err.Error())
	}
	l.local.hold(key, plan.share(l.replicas), span)
}
