package event_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// counter is a state that a test moves.
type counter struct{ version atomic.Int64 }

func (*counter) Join(func()) func() { return func() {} }

func (c *counter) Version() int64 { return c.version.Load() }

func TestAStateIsToldAsItIsNow(t *testing.T) {
	t.Parallel()
	state := &counter{}
	rendered := 0
	feed, leave := event.NewFeeds().Join("state", func(_ context.Context, e *lending.Event) ([]byte, error) {
		rendered++
		if e != nil {
			t.Errorf("it is told of event %d", e.Sequence)
		}
		if rendered == 3 {
			return nil, &lending.Error{Kind: lending.KindUnavailable}
		}
		return fmt.Append(nil, state.Version()), nil
	})
	defer leave()
	one, other := event.NewStateStream(state, feed), event.NewStateStream(state, feed)
	for _, step := range []struct {
		version int64
		who     *event.StateStream
		want    string // "" for nothing
		renders int
	}{
		{0, one, "", 0},
		{4, one, "4", 1},
		{4, one, "", 1},
		{9, one, "9", 2},
		{9, other, "9", 2}, // who comes later is told once, and what was rendered for the first
		{9, other, "", 2},
		{10, other, "", 3}, // it failed,
		{10, other, "10", 4},
	} {
		state.version.Store(step.version)
		frame, ok, err := step.who.Next(t.Context())
		if string(frame.Body) != step.want || ok != (step.want != "") || (err != nil) != (rendered == 3 && step.renders == 3) || rendered != step.renders {
			t.Errorf("at %d: %q, %t, %v after %d renderings", step.version, frame.Body, ok, err, rendered)
		}
	}
}

func TestAThousandWhoFollowAStateRenderItOnce(t *testing.T) {
	t.Parallel()
	state, feeds := &counter{}, event.NewFeeds()
	var rendered atomic.Int64
	var all sync.WaitGroup
	state.version.Store(1)
	for range 1000 {
		feed, leave := feeds.Join("same", func(context.Context, *lending.Event) ([]byte, error) {
			rendered.Add(1)
			return []byte("{}"), nil
		})
		s := event.NewStateStream(state, feed)
		defer leave()
		all.Go(func() {
			if _, ok, err := s.Next(t.Context()); !ok || err != nil {
				t.Error(ok, err)
			}
		})
	}
	if all.Wait(); rendered.Load() != 1 {
		t.Errorf("rendered %d times", rendered.Load())
	}
}
