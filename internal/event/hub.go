// Package event follows the event log for those who wait for news. The log in the database is the truth; a
// hint only says that it is time to look, and a poll makes up for hints that are lost.
//
// A [Hub] looks at the log once for the whole process. A [Feed] renders each event once for all who made the
// same selection. A [Stream] is one subscriber's place in the log: it holds a number and no events, so a
// subscriber who is slow costs nothing and is served from the database.
package event

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Log is the event log, as far as following it needs.
type Log interface {
	// EventsAfter gives up to limit events behind a sequence number, in order and without gaps.
	// CURSOR_EXPIRED when some of them are no longer kept.
	EventsAfter(ctx context.Context, sequence int64, limit int) ([]*lending.Event, error)
	// LastSequence is the sequence number of the newest event, 0 when there is none.
	LastSequence(ctx context.Context) (int64, error)
}

const (
	batch  = 200  // events in one look at the log
	window = 2000 // newest events that are kept in memory for those who follow closely

	readDeadline = 10 * time.Second // of one read of the log
)

// Hub looks at the log for all who follow it.
type Hub struct {
	log  Log
	poll time.Duration
	out  *slog.Logger

	hints chan struct{} // holds one: it is time to look
	stop  context.CancelFunc
	ended chan struct{}

	mu      sync.Mutex
	newest  []*lending.Event // contiguous, up to last
	last    int64            // the newest event that was seen; -1 until the end of the log is known
	changed chan struct{}    // closed when last grows
}

// NewHub makes a hub that looks at the log at each hint, and at least once every poll. It has to be started.
func NewHub(log Log, poll time.Duration, logger *slog.Logger) *Hub {
	return &Hub{log: log, poll: poll, out: logger, hints: make(chan struct{}, 1), last: -1, changed: make(chan struct{})}
}

// Start begins to look.
func (h *Hub) Start() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop, h.ended = stop, make(chan struct{})
	go func() {
		defer close(h.ended)
		h.run(ctx)
	}()
}

// Stop ends it. It is safe to call twice, and without a start.
func (h *Hub) Stop() {
	if h.stop != nil {
		h.stop()
		<-h.ended
	}
}

// Publish is the hint that the log has grown.
func (h *Hub) Publish() {
	select {
	case h.hints <- struct{}{}:
	default: // a look is due already
	}
}

// Changed is closed when the log grows beyond what it is now. Take it before a look, so that nothing which
// comes during the look is slept through.
func (h *Hub) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

// Seen is the newest event that followers were offered; below 0 until the end of the log is known.
func (h *Hub) Seen() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// End is the place behind the newest event: following from there gives what is yet to come.
func (h *Hub) End(ctx context.Context) (int64, error) { return h.log.LastSequence(ctx) }

// After gives some of the events behind a place, in order and without gaps; none when there are none yet. It
// asks the database only for those that are no longer in memory. The caller does not change them.
func (h *Hub) After(ctx context.Context, place int64) ([]*lending.Event, error) {
	if events, known := h.recent(place); known {
		return events, nil
	}
	return h.log.EventsAfter(ctx, place, batch)
}

// recent is After for places that memory reaches back to.
func (h *Hub) recent(place int64) (events []*lending.Event, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	oldest := h.last - int64(len(h.newest))
	if h.last < 0 || place < oldest || place > h.last { // the log knows whether there is such a place
		return nil, false
	}
	return h.newest[place-oldest:], true
}

func (h *Hub) run(ctx context.Context) {
	poll := time.NewTicker(h.poll)
	defer poll.Stop()
	failing := false
	for {
		err := h.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			h.out.WarnContext(ctx, "the event log cannot be read; subscribers wait", "error", lending.AsError(err).Detail())
		case err == nil && failing:
			h.out.InfoContext(ctx, "the event log can be read again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-h.hints:
		case <-poll.C:
		}
	}
}

// look takes in what the log has grown by.
func (h *Hub) look(ctx context.Context) error {
	err := h.takeAll(ctx)
	if kind := lending.KindOf(err); kind == lending.KindCursorExpired || kind == lending.KindValidation {
		// It slept for longer than events are kept, or the database was put back to an earlier state.
		h.forget()
		return h.takeAll(ctx)
	}
	return err
}

func (h *Hub) takeAll(ctx context.Context) error {
	last, err := h.seen(ctx)
	for err == nil {
		var events []*lending.Event
		if events, err = h.page(ctx, last); err != nil {
			return err
		}
		if len(events) > 0 {
			last = h.take(events)
		}
		if len(events) < batch {
			return nil
		}
	}
	return err
}

// page reads a page of the log. A database that hangs is asked again.
func (h *Hub) page(ctx context.Context, last int64) ([]*lending.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	return h.log.EventsAfter(ctx, last, batch)
}

var errNegative = errors.New("event: the log ends before its beginning")

// seen is the newest event that was taken in; at first the end of the log.
func (h *Hub) seen(ctx context.Context) (int64, error) {
	h.mu.Lock()
	last := h.last
	h.mu.Unlock()
	if last >= 0 {
		return last, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	last, err := h.log.LastSequence(ctx)
	if err != nil {
		return 0, err
	}
	if last < 0 {
		return 0, errNegative
	}
	h.grow(nil, last)
	return last, nil
}

func (h *Hub) take(events []*lending.Event) int64 {
	last := events[len(events)-1].Sequence
	h.grow(events, last)
	return last
}

func (h *Hub) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest, h.last = nil, -1
}

// grow adds events at the end. Slices that were handed out before stay as they are.
func (h *Hub) grow(events []*lending.Event, last int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest, h.last = append(h.newest, events...), last
	if len(h.newest) > 2*window {
		h.newest = append([]*lending.Event(nil), h.newest[len(h.newest)-window:]...)
	}
	close(h.changed)
	h.changed = make(chan struct{})
}
