package event_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

const patience = 10 * time.Second // until a test gives up on what has to come

// logbook is an event log in memory, which fails and forgets as a test says.
type logbook struct {
	mu     sync.Mutex
	events []*lending.Event // those that are kept, in order
	last   int64
	pages  int // times that a page was read
	looks  int // times that anything was
	fail   error
}

// write appends events of one type.
func (l *logbook) write(n int, kind lending.EventType) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		l.last++
		l.events = append(l.events, &lending.Event{ID: lending.EventID(fmt.Sprint(l.last)), Sequence: l.last, Type: kind})
	}
}

// prune forgets all events up to one.
func (l *logbook) prune(upTo int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.events) > 0 && l.events[0].Sequence <= upTo {
		l.events = l.events[1:]
	}
}

// breaks makes reading fail; nil mends it.
func (l *logbook) breaks(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

func (l *logbook) read() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pages
}

func (l *logbook) looked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.looks
}

func (l *logbook) LastSequence(context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks++
	return l.last, l.fail
}

func (l *logbook) EventsAfter(_ context.Context, sequence int64, limit int) ([]*lending.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages++
	l.looks++
	first := l.last - int64(len(l.events))
	switch {
	case l.fail != nil:
		return nil, l.fail
	case sequence < 0 || sequence > l.last:
		return nil, lending.Invalid()
	case sequence < first:
		return nil, &lending.Error{Kind: lending.KindCursorExpired}
	}
	rest := l.events[sequence-first:]
	return append([]*lending.Event(nil), rest[:min(limit, len(rest))]...), nil
}

var errAway = &lending.Error{Kind: lending.KindUnavailable, Err: errors.New("the database is away")}

// hub starts one that looks so often.
func hub(t *testing.T, l event.Log, poll time.Duration) *event.Hub {
	t.Helper()
	h := event.NewHub(l, poll, slog.New(slog.NewTextHandler(io.Discard, nil)))
	h.Start()
	t.Cleanup(h.Stop)
	return h
}

// number renders an event as its sequence number, and the present state as "now".
func number(_ context.Context, e *lending.Event) ([]byte, error) {
	if e == nil {
		return []byte("now"), nil
	}
	return fmt.Append(nil, e.Sequence), nil
}

// everything follows a feed of its own from a place.
func everything(h *event.Hub, place int64) *event.Stream {
	feed, _ := event.NewFeeds().Join("all", number)
	return event.NewStream(h, feed, lending.EventFilter{}, place, false)
}

// next waits for the next frame that has something to send.
func next(ctx context.Context, h *event.Hub, s *event.Stream) (event.Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		changed := h.Changed()
		frame, ok, err := s.Next(ctx)
		if err != nil || ok && frame.Body != nil {
			return frame, err
		}
		if ok {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return frame, ctx.Err()
		}
	}
}

// hears reads numbers from one to another.
func hears(ctx context.Context, h *event.Hub, s *event.Stream, from, to int64) error {
	for want := from; want <= to; want++ {
		frame, err := next(ctx, h, s)
		if err != nil {
			return fmt.Errorf("waiting for %d: %w", want, err)
		}
		if frame.Place != want || string(frame.Body) != fmt.Sprint(want) {
			return fmt.Errorf("%d %q came, not %d", frame.Place, frame.Body, want)
		}
	}
	return nil
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !ok(); {
		if time.Now().After(until) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
