package event_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestAThousandFollowersRenderEachEventOnce(t *testing.T) {
	t.Parallel()
	const followers, events = 1000, 100
	l := &logbook{}
	h := hub(t, l, time.Hour)
	feeds := event.NewFeeds()
	var rendered atomic.Int64
	render := func(ctx context.Context, e *lending.Event) ([]byte, error) {
		rendered.Add(1)
		return number(ctx, e)
	}
	var all sync.WaitGroup
	for range followers {
		feed, leave := feeds.Join("same", render)
		s := event.NewStream(h, feed, lending.EventFilter{}, 0, false)
		all.Go(func() {
			defer leave()
			if err := hears(t.Context(), h, s, 1, events); err != nil {
				t.Error(err)
			}
		})
	}
	if feeds.Len() != 1 || feeds.Followers() != followers {
		t.Errorf("%d feeds with %d followers", feeds.Len(), feeds.Followers())
	}
	for range events {
		l.write(1, lending.EventNACH)
		h.Publish()
	}
	all.Wait()
	if n := rendered.Load(); n != events {
		t.Errorf("%d events were rendered %d times", events, n)
	}
	if feeds.Len() != 0 || feeds.Followers() != 0 {
		t.Errorf("%d feeds are left", feeds.Len())
	}
}

func TestAStreamHasNoGoroutine(t *testing.T) {
	l := &logbook{}
	h := hub(t, l, time.Hour)
	feed, leave := event.NewFeeds().Join("all", number)
	defer leave()
	eventually(t, "the hub has looked", func() bool { return l.read() > 0 })
	before := runtime.NumGoroutine()
	streams := make([]*event.Stream, 1000)
	for i := range streams {
		streams[i] = event.NewStream(h, feed, lending.EventFilter{}, 0, false)
		if _, ok, err := streams[i].Next(t.Context()); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if more := runtime.NumGoroutine() - before; more > 0 {
		t.Errorf("%d goroutines for %d streams", more, len(streams))
	}
}

func TestAFeedKeepsALimitedNumberOfFrames(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.write(1000, lending.EventNACH)
	h := hub(t, l, time.Hour)
	for name, test := range map[string]struct{ size, kept int }{
		"small ones":      {10, 256},
		"large ones":      {16 << 10, 16}, // 256 KiB together
		"one beyond that": {1 << 20, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var rendered atomic.Int64
			feed, leave := event.NewFeeds().Join("all", func(context.Context, *lending.Event) ([]byte, error) {
				rendered.Add(1)
				return bytes.Repeat([]byte("x"), test.size), nil
			})
			defer leave()
			read := func(from int) int64 {
				before, s := rendered.Load(), event.NewStream(h, feed, lending.EventFilter{}, int64(from), false)
				for range 1000 - from {
					if _, err := next(t.Context(), h, s); err != nil {
						t.Fatal(err)
					}
				}
				return rendered.Load() - before
			}
			if n := read(0); n != 1000 {
				t.Errorf("at first %d were rendered", n)
			}
			if n := read(1000 - test.kept); n != 0 {
				t.Errorf("of the last %d, %d were rendered again", test.kept, n)
			}
			if n := read(1000 - test.kept - 1); n == 0 {
				t.Errorf("more than %d are kept", test.kept)
			}
		})
	}
}

func TestARenderingThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.write(3, lending.EventNACH)
	h := hub(t, l, time.Hour)
	tries := 0
	feed, leave := event.NewFeeds().Join("all", func(ctx context.Context, e *lending.Event) ([]byte, error) {
		if tries++; tries%3 != 0 {
			return []byte("a part"), errors.New("away")
		}
		return number(ctx, e)
	})
	defer leave()
	s := event.NewStream(h, feed, lending.EventFilter{}, 0, false)
	for want := int64(1); want <= 3; want++ {
		for range 2 {
			if frame, ok, err := s.Next(t.Context()); err == nil || ok || s.Place() != want-1 {
				t.Fatalf("gave %v at %d", frame, s.Place())
			}
		}
		if err := hears(t.Context(), h, s, want, want); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheFirstWhoLeavesTakesNothingFromTheOthers(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.write(1, lending.EventNACH)
	h := hub(t, l, time.Hour)
	feeds := event.NewFeeds()
	begun, finish := make(chan struct{}), make(chan struct{})
	render := func(ctx context.Context, e *lending.Event) ([]byte, error) {
		close(begun) // a second rendering would panic
		<-finish
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, limited := ctx.Deadline(); !limited {
			return nil, errors.New("the rendering may take for ever")
		}
		return number(ctx, e)
	}
	first, leaveFirst := feeds.Join("all", render)
	second, leaveSecond := feeds.Join("all", render)
	defer leaveSecond()
	gone, goes := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		_, _, _ = event.NewStream(h, first, lending.EventFilter{}, 0, false).Next(gone) // nobody is left to tell
		leaveFirst()
	})
	<-begun
	impatient, stops := context.WithCancel(t.Context())
	stops()
	if _, _, err := event.NewStream(h, second, lending.EventFilter{}, 0, false).Next(impatient); !errors.Is(err, context.Canceled) {
		t.Errorf("who did not wait: %v", err)
	}
	goes()
	all.Go(func() {
		if err := hears(t.Context(), h, event.NewStream(h, second, lending.EventFilter{}, 0, false), 1, 1); err != nil {
			t.Error(err)
		}
	})
	close(finish)
	all.Wait()
}

func TestAStreamLooksThroughWhatItDoesNotFollow(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.write(5000, lending.EventNACH)
	l.write(1, lending.EventLoanApproved)
	h := hub(t, l, time.Hour)
	feed, leave := event.NewFeeds().Join("loans", number)
	defer leave()
	s := event.NewStream(h, feed, lending.EventFilter{Types: []lending.EventType{lending.EventLoanApproved}}, 0, false)
	for at, page := int64(0), 0; at < 5000; page++ {
		frame, ok, err := s.Next(t.Context())
		if err != nil || !ok || frame.Body != nil || frame.Place <= at || frame.Place > at+200 {
			t.Fatalf("at %d: %v %v %v", at, frame, ok, err) // a page at a time, so that others have their turn
		}
		at = frame.Place
	}
	if err := hears(t.Context(), h, s, 5001, 5001); err != nil {
		t.Error(err)
	}
}

func TestAStreamBeginsWithThePresentState(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.write(2, lending.EventNACH)
	h := hub(t, l, time.Hour)
	fails := true
	feed, leave := event.NewFeeds().Join("loan", func(ctx context.Context, e *lending.Event) ([]byte, error) {
		if _, limited := ctx.Deadline(); fails || !limited {
			return nil, fmt.Errorf("fails, or may take for ever")
		}
		return number(ctx, e)
	})
	defer leave()
	s := event.NewStream(h, feed, lending.EventFilter{}, 1, true)
	if _, _, err := s.Next(t.Context()); err == nil {
		t.Error("it did not fail")
	}
	fails = false
	if frame, ok, err := s.Next(t.Context()); err != nil || !ok || string(frame.Body) != "now" || frame.Place != 1 {
		t.Errorf("at first: %v %v %v", frame, ok, err)
	}
	if err := hears(t.Context(), h, s, 2, 2); err != nil {
		t.Error(err)
	}
}
