package health

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/provider"
)

const (
	slice      = 10 * time.Second // how finely time is cut
	sliceCount = 30
	// Window is how far figures reach back.
	Window = sliceCount * slice
	// lately are the slices up to the last call, which say whether calls fail at present.
	lately = 6
)

// window is the calls of the last few minutes, by slices of time. It takes the same memory however many calls
// there are, and forgets none of them before its time.
type window struct {
	spans [sliceCount]*span
}

// span is the calls of one slice of time.
type span struct {
	number int64 // of the slice, since the epoch
	reads  Tally
	writes Tally
}

// numberOf is the slice that a moment is in.
func numberOf(at time.Time) int64 { return at.UnixNano() / int64(slice) }

// add counts a call that ended at a moment.
func (w *window) add(at time.Time, class provider.Class, took time.Duration, fault bool) {
	number := numberOf(at)
	place := &w.spans[((number%sliceCount)+sliceCount)%sliceCount]
	if *place == nil {
		*place = &span{number: number}
	}
	if (*place).number != number {
		**place = span{number: number}
	}
	if class == provider.Read {
		(*place).reads.add(took, fault)
		return
	}
	(*place).writes.add(took, fault)
}

// sum puts what is in the window at a moment into a measurement that knows when the last call was. Silence after it
// is no news.
func (w *window) sum(now time.Time, into *Measurement) {
	newest, called := numberOf(now), numberOf(into.CalledAt)
	for _, s := range w.spans {
		if s == nil || s.number > newest || newest-s.number >= sliceCount {
			continue
		}
		into.Reads.Merge(&s.reads)
		into.Writes.Merge(&s.writes)
		if called-s.number < lately {
			into.Lately.Calls += s.reads.Calls + s.writes.Calls
			into.Lately.Faults += s.reads.Faults + s.writes.Faults
		}
	}
}
