package event

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a log in memory.
type memory struct {
	mu     sync.Mutex
	events []*lending.Event
	err    error
}

func (m *memory) add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		m.events = append(m.events, &lending.Event{Sequence: int64(len(m.events) + 1)})
	}
}

func (m *memory) EventsAfter(_ context.Context, sequence int64, limit int) ([]*lending.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.events[min(int(sequence), len(m.events)):]
	return rest[:min(limit, len(rest))], m.err
}

func (m *memory) LastSequence(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.events)), m.err
}

var errEnough = errors.New("enough")

func TestFollowReplaysAndGoesLiveWithoutASeam(t *testing.T) {
	log := &memory{}
	log.add(3 * batch)
	tail := NewTail(log, time.Hour) // hints alone
	var got []int64
	err := tail.Follow(t.Context(), 10, func(e *lending.Event) error {
		got = append(got, e.Sequence)
		switch len(got) {
		case 3*batch - 10: // the last of the old ones: new ones arrive while it is handed over
			log.add(5)
			tail.Publish()
		case 3*batch - 5:
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	for i, sequence := range got {
		if sequence != int64(11+i) {
			t.Fatalf("event %d has sequence %d, want %d", i, sequence, 11+i)
		}
	}
}

func TestALostHintCostsOnePoll(t *testing.T) {
	log := &memory{}
	tail := NewTail(log, time.Millisecond)
	go log.add(1)
	err := tail.Follow(t.Context(), 0, func(*lending.Event) error { return errEnough })
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
}

func TestFollowEndsWithItsContextAndWithTheLog(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewTail(&memory{}, time.Hour).Follow(ctx, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
	broken := errors.New("no database")
	if err := NewTail(&memory{err: broken}, time.Hour).Follow(t.Context(), 0, nil); !errors.Is(err, broken) {
		t.Errorf("got %v, want the log's error", err)
	}
}
