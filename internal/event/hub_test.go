package event_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestReplayGoesLiveWithoutASeam(t *testing.T) {
	t.Parallel()
	const total, readers = 6000, 20
	l := &logbook{}
	l.write(500, lending.EventNACH)
	h := hub(t, l, time.Hour)
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() { // they begin at places all over the log while it grows
			place := int64(i * 25)
			if err := hears(t.Context(), h, everything(h, place), place+1, total); err != nil {
				t.Errorf("from %d: %v", place, err)
			}
		})
	}
	all.Go(func() {
		for range (total - 500) / 50 {
			l.write(50, lending.EventNACH)
			h.Publish()
		}
	})
	all.Wait()
}

func TestAHintThatIsLostIsMadeUpFor(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	h := hub(t, l, 10*time.Millisecond)
	s := everything(h, 0)
	for i := range int64(5) {
		l.write(1, lending.EventNACH) // and nobody says so
		if err := hears(t.Context(), h, s, i+1, i+1); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHintIsQuickerThanThePoll(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	h := hub(t, l, time.Hour)
	l.write(1, lending.EventNACH)
	h.Publish()
	if err := hears(t.Context(), h, everything(h, 0), 1, 1); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseThatComesBackHasLostNothing(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.breaks(errAway) // from the beginning
	h := hub(t, l, 5*time.Millisecond)
	s := everything(h, 0)
	if _, _, err := s.Next(t.Context()); lending.KindOf(err) != lending.KindUnavailable {
		t.Fatalf("failed with %v", err)
	}
	l.write(10, lending.EventNACH)
	l.breaks(nil)
	if err := hears(t.Context(), h, s, 1, 10); err != nil {
		t.Fatal(err)
	}
	for round := range int64(3) {
		l.breaks(errAway)
		looked := l.looked()
		eventually(t, "the log is looked at in vain", func() bool { return l.looked() > looked })
		l.write(10, lending.EventNACH)
		l.breaks(nil)
		if err := hears(t.Context(), h, s, 11+round*10, 20+round*10); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoFollowsCloselyIsServedFromMemory(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	h := hub(t, l, time.Hour)
	eventually(t, "the end of the log is known", func() bool { return l.read() > 0 })
	l.write(100, lending.EventNACH)
	h.Publish()
	if err := hears(t.Context(), h, everything(h, 0), 1, 100); err != nil {
		t.Fatal(err)
	}
	read := l.read()
	for range 1000 {
		if err := hears(t.Context(), h, everything(h, 50), 51, 60); err != nil {
			t.Fatal(err)
		}
	}
	if more := l.read() - read; more != 0 {
		t.Errorf("the log was read %d times", more)
	}
}

func TestWhoIsFarBehindIsServedFromTheLog(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	h := hub(t, l, time.Hour)
	eventually(t, "the end of the log is known", func() bool { return l.read() > 0 })
	slow := everything(h, 0)
	l.write(10_000, lending.EventNACH) // several times what is kept in memory
	h.Publish()
	if err := hears(t.Context(), h, everything(h, 9_999), 10_000, 10_000); err != nil {
		t.Fatal(err)
	}
	if err := hears(t.Context(), h, slow, 1, 10_000); err != nil {
		t.Error(err)
	}
}

func TestWhoFallsOutOfTheLogIsTold(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.write(10, lending.EventNACH)
	h := hub(t, l, 5*time.Millisecond)
	s := everything(h, 0)
	if err := hears(t.Context(), h, s, 1, 10); err != nil {
		t.Fatal(err)
	}
	l.breaks(errAway) // for so long that events come and go
	looked := l.looked()
	eventually(t, "the log is looked at in vain", func() bool { return l.looked() > looked+1 })
	l.write(100, lending.EventNACH)
	l.prune(60)
	l.breaks(nil)
	if _, err := next(t.Context(), h, s); lending.KindOf(err) != lending.KindCursorExpired {
		t.Errorf("ended with %v", err)
	}
	l.write(1, lending.EventNACH)
	if err := hears(t.Context(), h, everything(h, 60), 61, 111); err != nil { // the hub goes on
		t.Error(err)
	}
}

func TestAPlaceThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	h := hub(t, l, time.Hour)
	eventually(t, "the end of the log is known", func() bool { return l.read() > 0 })
	l.write(10, lending.EventNACH)
	h.Publish()
	if err := hears(t.Context(), h, everything(h, 0), 1, 10); err != nil {
		t.Fatal(err)
	}
	for _, place := range []int64{11, math.MaxInt64, -1, math.MinInt64} {
		if events, err := h.After(t.Context(), place); lending.KindOf(err) != lending.KindValidation {
			t.Errorf("%d: %d events, %v", place, len(events), err)
		}
	}
}

func TestADatabaseThatIsPutBackIsFollowedAgain(t *testing.T) {
	t.Parallel()
	l := &logbook{}
	l.write(50, lending.EventNACH)
	h := hub(t, l, 5*time.Millisecond)
	s := everything(h, 0)
	if err := hears(t.Context(), h, s, 1, 50); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.events, l.last = l.events[:20], 20
	l.mu.Unlock()
	if _, err := next(t.Context(), h, s); lending.KindOf(err) != lending.KindValidation {
		t.Errorf("who was ahead: %v", err)
	}
	l.write(5, lending.EventNACH)
	if err := hears(t.Context(), h, everything(h, 18), 19, 25); err != nil {
		t.Error(err)
	}
}

func TestAHubStopsTwiceAndWithoutAStart(t *testing.T) {
	t.Parallel()
	event.NewHub(&logbook{}, time.Hour, nil).Stop()
	h := hub(t, &logbook{}, time.Hour)
	h.Stop()
	h.Stop()
}
