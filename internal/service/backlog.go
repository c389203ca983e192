package service

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Backlog is what waits: a look at the whole database that is cheap enough to be taken every some seconds.
type Backlog struct {
	// Operations are those that are not settled, by status.
	Operations map[lending.OperationStatus]Waiting
	// Deliveries are the webhooks that are not applied, by state.
	Deliveries map[DeliveryState]Waiting
	// LastSequence is the sequence number of the newest event, 0 when there is none.
	LastSequence int64
}

// Waiting is how many of something there are, and since when the oldest.
type Waiting struct {
	Count  int
	Oldest time.Time // zero for none
}

// Age is how old the oldest is; 0 for none.
func (w Waiting) Age(now time.Time) time.Duration {
	if w.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(w.Oldest), 0)
}

// BacklogReader tells what waits.
type BacklogReader interface {
	Backlog(ctx context.Context) (Backlog, error)
}
