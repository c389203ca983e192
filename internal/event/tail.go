// Package event follows the event log for those who wait for news. The log in the database is the truth;
// a hint only says that it is time to look, and a poll makes up for hints that are lost.
package event

import (
	"context"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Log is the event log, as far as following it needs.
type Log interface {
	// EventsAfter gives up to limit events behind a sequence number, in order and without gaps.
	EventsAfter(ctx context.Context, sequence int64, limit int) ([]*lending.Event, error)
	// LastSequence is the sequence number of the newest event, 0 when there is none.
	LastSequence(ctx context.Context) (int64, error)
}

// batch is how many events one look at the log takes.
const batch = 200

// Tail wakes the followers of a log.
type Tail struct {
	log  Log
	poll time.Duration

	mu    sync.Mutex
	fresh chan struct{} // closed at the next hint
}

// NewTail makes a tail that looks at the log at each hint, and at least once every poll.
func NewTail(log Log, poll time.Duration) *Tail {
	return &Tail{log: log, poll: poll, fresh: make(chan struct{})}
}

// Publish wakes all followers.
func (t *Tail) Publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.fresh)
	t.fresh = make(chan struct{})
}

func (t *Tail) hint() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fresh
}

// End is the place behind the newest event: following from there gives what is yet to come.
func (t *Tail) End(ctx context.Context) (int64, error) { return t.log.LastSequence(ctx) }

// Follow hands every event behind a sequence number to deliver, in order, first from the log and then as
// they come, until ctx ends or deliver fails. It does not return nil.
func (t *Tail) Follow(ctx context.Context, after int64, deliver func(*lending.Event) error) error {
	poll := time.NewTicker(t.poll)
	defer poll.Stop()
	for {
		hint := t.hint() // taken before the look, so that what comes during it is not slept through
		events, err := t.log.EventsAfter(ctx, after, batch)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := deliver(e); err != nil {
				return err
			}
			after = e.Sequence
		}
		if len(events) == batch {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-hint:
		case <-poll.C:
		}
	}
}
