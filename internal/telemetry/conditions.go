package telemetry

import (
	"log/slog"
	"sync"
)

// Condition is a state of affairs that somebody has to know of. docs/runbook.md says of each what it means and what to do.
type Condition string

// The conditions.
const (
	OutcomeUnknownOld Condition = "outcome_unknown_old" // an action's outcome has been unknown for too long
	ProviderDown      Condition = "provider_down"
	CircuitOpen       Condition = "circuit_open"
	BalanceExhausted  Condition = "balance_exhausted"
	InboxBacklog      Condition = "inbox_backlog"
	WebhookSetAside   Condition = "webhook_set_aside"
	EventLag          Condition = "event_lag"
	RedisResting      Condition = "redis_resting"
	StoreUnavailable  Condition = "store_unavailable"
)

// Conditions lists every condition.
func Conditions() []Condition {
	return []Condition{
		OutcomeUnknownOld, ProviderDown, CircuitOpen, BalanceExhausted, InboxBacklog, WebhookSetAside, EventLag, RedisResting, StoreUnavailable,
	}
}

// conditions remembers which conditions hold, so that each is logged when it begins and when it is over, once.
type conditions struct {
	log *slog.Logger

	mu    sync.Mutex
	holds map[conditionOf]bool
}

type conditionOf struct {
	condition Condition
	of        string
}

func newConditions(logger *slog.Logger) *conditions {
	return &conditions{log: logger, holds: map[conditionOf]bool{}}
}

// set tells whether a condition holds of something: a provider, or "" for the service. detail is a figure for people.
func (c *conditions) set(condition Condition, of string, holds bool, detail string) {
	key := conditionOf{condition, of}
	c.mu.Lock()
	held := c.holds[key]
	c.holds[key] = holds
	c.mu.Unlock()
	switch {
	case holds && !held:
		c.log.Error("a condition needs attention", "condition", string(condition), "of", of, "detail", detail, "see", "docs/runbook.md#"+string(condition))
	case held && !holds:
		c.log.Info("a condition is over", "condition", string(condition), "of", of)
	}
}
