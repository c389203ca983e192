// Package quota counts what each client asks for, and refuses what goes beyond its plan. The count is shared by
// all replicas through Redis; without Redis each replica counts by itself. What this service asks of a provider is
// counted in the same way, by the plan that it has there.
package quota

import (
	"cmp"
	"time"
)

// Plan is how much a client may ask for, in units: a plain request is one unit, a costly one several.
type Plan struct {
	Name   string
	Minute int // units in one minute of the clock; 0 for a plan that limits nothing
	Day    int // units in one day, in UTC; 0 where only the minute counts
	Burst  int // units at once; they come back evenly, as many a minute as Refill says
	Refill int // Minute where 0
}

// Smooth is the plan with a refill that together with the burst is what a minute has, wherever that begins: who keeps
// to it is within the plan by any clock.
func (p Plan) Smooth() Plan {
	p.Refill = max(p.Minute-p.Burst, 1)
	return p
}

// Unlimited is the plan that limits nothing, for services that stand behind a gateway which counts.
const Unlimited = "unlimited"

// Plans are Kredete's (seed 000, "API Rate Limits"), so that a client has one table to look at.
func Plans() []Plan {
	return []Plan{
		{Name: "sandbox", Minute: 60, Day: 10_000, Burst: 10},
		{Name: "starter", Minute: 300, Day: 100_000, Burst: 50},
		{Name: "professional", Minute: 1000, Day: 500_000, Burst: 100},
		{Name: "enterprise", Minute: 5000, Burst: 500},
		{Name: Unlimited},
	}
}

// PlanOf finds a plan by its name; false where there is none.
func PlanOf(name string) (Plan, bool) {
	for _, p := range Plans() {
		if p.Name == name {
			return p, true
		}
	}
	return Plan{}, false
}

// mostTold is the largest limit of a minute that is kept to: beyond it nobody is held up by it.
const mostTold = 100_000

// PlanOfLimit is the plan that a provider's own limit of calls in a minute means: Kredete's of that size, else one
// whose burst is as large a part as in the least of Kredete's. False for a limit that holds nobody up.
func PlanOfLimit(minute int) (Plan, bool) {
	if minute <= 0 || minute > mostTold {
		return Plan{}, false
	}
	for _, p := range Plans() {
		if p.Minute == minute {
			return p, true
		}
	}
	return Plan{Name: "told", Minute: minute, Burst: (minute + 5) / 6}, true
}

// limited reports whether the plan limits anything.
func (p Plan) limited() bool { return p.Minute > 0 }

// share is what one of several replicas may let through by itself. It is at least one unit of each, so that no
// client is shut out.
func (p Plan) share(replicas int) Plan {
	if replicas <= 1 || !p.limited() {
		return p
	}
	p.Minute, p.Burst, p.Refill = max(1, p.Minute/replicas), max(1, p.Burst/replicas), p.Refill/replicas
	if p.Day > 0 {
		p.Day = max(1, p.Day/replicas)
	}
	return p
}

// most is the most that one request may take. One that would take more than there can ever be takes all there is.
func (p Plan) most(n int) int {
	n = min(n, p.Burst, p.Minute)
	if p.Day > 0 {
		n = min(n, p.Day)
	}
	return n
}

// spare is how many units have to be left after one is taken. At least one can always be taken.
func (p Plan) spare(n int) int { return max(p.most(n+1)-1, 0) }

// interval is how long one unit of the burst takes to come back, in microseconds.
func (p Plan) interval() int64 {
	refill := int64(cmp.Or(p.Refill, p.Minute))
	return (minute + refill - 1) / refill
}

// Verdict is what becomes of a request, and what its client has left.
type Verdict struct {
	Plan    string
	Limited bool // whether the plan limits anything; nothing below means anything otherwise
	Allowed bool
	// Limit, Remaining and ResetsAt are the minute's; the day's where that has less left. In a refusal Remaining
	// is what could be taken at once, and ResetsAt is when the request may be sent again.
	Limit      int
	Remaining  int
	ResetsAt   time.Time
	RetryAfter time.Duration // in a refusal: how long until ResetsAt
}
