package twin

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Plan is a rate limit: at most so many requests in a calendar minute and a day (UTC), and Burst at once.
type Plan struct {
	Name      string
	PerMinute int
	PerDay    int // 0 for no limit
	Burst     int
}

// Limits are the rate limits of a provider.
type Limits struct {
	// Plans are the plans that can be put in force; the first one is.
	Plans []Plan
	// Credential names who asks, from a small set; each has its own allowance.
	Credential func(*http.Request) string
	// Tell writes the provider's rate limit headers.
	Tell func(http.Header, Standing)
}

// Standing is what is left of an allowance, the request at hand included.
type Standing struct {
	Limit     int       // per minute
	Remaining int       // requests that would pass now
	Reset     time.Time // when the minute (or, when it is used up, the day) is over
	Refused   bool
}

// ErrPlan says that there is no plan of a name.
var ErrPlan = errors.New("no such plan")

type limiter struct {
	limits Limits
	mu     sync.Mutex
	plan   Plan
	used   map[string]*usage
}

type usage struct {
	minute, day             time.Time
	usedInMinute, usedInDay int
	bucket                  *rate.Limiter
}

func newLimiter(limits Limits) *limiter {
	l := &limiter{limits: limits, used: map[string]*usage{}}
	if len(limits.Plans) > 0 {
		l.plan = limits.Plans[0]
	}
	return l
}

// choose puts a plan in force, with all allowances fresh.
func (l *limiter) choose(name string) error {
	for _, plan := range l.limits.Plans {
		if plan.Name == name {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.plan, l.used = plan, map[string]*usage{}
			return nil
		}
	}
	return ErrPlan
}

func (l *limiter) take(r *http.Request, now time.Time) Standing {
	if len(l.limits.Plans) == 0 {
		return Standing{}
	}
	who := l.limits.Credential(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	now = now.UTC()
	u := l.used[who]
	if u == nil {
		u = &usage{bucket: rate.NewLimiter(rate.Limit(l.plan.PerMinute)/60, l.plan.Burst)}
		l.used[who] = u
	}
	u.enter(now)
	dayLeft := l.plan.PerDay == 0 || u.usedInDay < l.plan.PerDay
	passed := dayLeft && u.usedInMinute < l.plan.PerMinute && u.bucket.AllowN(now, 1)
	if passed {
		u.usedInMinute++
		u.usedInDay++
	}
	return u.standing(l.plan, now, passed)
}

// enter begins a new minute and day where the clock has reached them.
func (u *usage) enter(now time.Time) {
	if minute := now.Truncate(time.Minute); minute != u.minute {
		u.minute, u.usedInMinute = minute, 0
	}
	if day := now.Truncate(24 * time.Hour); day != u.day {
		u.day, u.usedInDay = day, 0
	}
}

func (u *usage) standing(plan Plan, now time.Time, passed bool) Standing {
	s := Standing{Limit: plan.PerMinute, Reset: u.minute.Add(time.Minute), Refused: !passed}
	s.Remaining = max(0, min(plan.PerMinute-u.usedInMinute, int(u.bucket.TokensAt(now))))
	if plan.PerDay > 0 {
		s.Remaining = min(s.Remaining, plan.PerDay-u.usedInDay)
		if u.usedInDay >= plan.PerDay {
			s.Reset = u.day.Add(24 * time.Hour)
		}
	}
	return s
}

// exhausted is the standing of somebody who has used up the minute.
func (l *limiter) exhausted(now time.Time) Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	reset := now.UTC().Truncate(time.Minute).Add(time.Minute)
	return Standing{Limit: l.plan.PerMinute, Reset: reset, Refused: true}
}

func (l *limiter) tell(header http.Header, s Standing) {
	if len(l.limits.Plans) > 0 && l.limits.Tell != nil {
		l.limits.Tell(header, s)
	}
}
