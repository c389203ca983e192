package quota

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Config is what a limiter is made of.
type Config struct {
	Redis     redis.UniversalClient // nil: this replica counts alone
	KeySecret []byte                // hides clients' ids in Redis
	Default   string                // plan of clients that have none that is known
	Replicas  int                   // how many share a plan where Redis does not count; 1 where 0
	Budget    time.Duration         // [DefaultBudget] where 0
	Clock     func() time.Time      // for what is counted here; Redis has its own
	Logger    *slog.Logger

	mostLocal int // for tests; maxLocal where 0
}

// Limiter says whether clients may ask.
type Limiter struct {
	standard Plan
	replicas int
	secret   []byte
	shared   *shared // nil without Redis
	local    *local
	logger   *slog.Logger
}

// New makes a limiter. It makes no connection, and has nothing to stop.
func New(c Config) (*Limiter, error) {
	standard, ok := PlanOf(c.Default)
	if !ok {
		return nil, fmt.Errorf("there is no plan %q", c.Default)
	}
	c.Budget = cmp.Or(c.Budget, DefaultBudget)
	l := &Limiter{standard: standard, replicas: max(c.Replicas, 1), secret: c.KeySecret, logger: c.Logger}
	if c.Redis != nil {
		l.shared = newShared(c)
	}
	var err error
	l.local, err = newLocal(c.Clock, cmp.Or(c.mostLocal, maxLocal))
	return l, err
}

// Take takes one unit, for a request that is only just known to have come.
func (l *Limiter) Take(ctx context.Context, client, plan string) Verdict {
	return l.ask(ctx, client, plan, func(Plan) int { return 1 })
}

// Raise takes what a request weighs beyond the one unit that [Limiter.Take] took for it. A request that is refused
// has taken nothing in the end, so that one which is sent again in time finds all that it needs.
func (l *Limiter) Raise(ctx context.Context, client, plan string, weight int) Verdict {
	v := l.ask(ctx, client, plan, func(p Plan) int { return max(p.most(weight)-1, 0) })
	if !v.Allowed {
		l.ask(ctx, client, plan, func(Plan) int { return -1 })
		v.Remaining++
	}
	return v
}

// Look is what a client has left. It takes nothing.
func (l *Limiter) Look(ctx context.Context, client, plan string) Verdict {
	return l.ask(ctx, client, plan, func(Plan) int { return 0 })
}

// ask counts in Redis by the whole plan, or else here by this replica's share of it.
func (l *Limiter) ask(ctx context.Context, client, planName string, units func(Plan) int) Verdict {
	plan, ok := PlanOf(planName)
	if !ok || !plan.limited() { // no token can say that its client is not limited
		plan = l.standard
	}
	if !plan.limited() {
		return Verdict{Plan: plan.Name, Allowed: true}
	}
	return l.count(ctx, client, plan, units, 0)
}

// count counts what units says of the plan, or of the share of it, by which the client is held.
func (l *Limiter) count(ctx context.Context, client string, plan Plan, units func(Plan) int, spare int) Verdict {
	key := l.key(client)
	if l.shared != nil {
		v, err := l.shared.take(ctx, key, plan, units(plan), plan.spare(spare))
		if err == nil {
			return v
		}
		l.logger.DebugContext(ctx, "a plan is kept by this replica's share of it", "error", err.Error())
	}
	share := plan.share(l.replicas)
	return l.local.take(key, share, units(share), share.spare(spare))
}

// key names a client in Redis to nobody but us.
func (l *Limiter) key(client string) string {
	mac := hmac.New(sha256.New, l.secret)
	mac.Write([]byte(client))
	return "creditgraph:quota:" + hex.EncodeToString(mac.Sum(nil)[:16])
}
