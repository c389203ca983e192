package health

import (
	"encoding/json"
	"errors"
	"math"
	"math/bits"
	"time"
)

// Bins of latencies, in microseconds: 16 to each doubling, so that a bin is at most 1/16 wider than what it holds
// is long. What takes longer than the last one reaches, two minutes, is counted in it.
const (
	steps     = 16
	stepBits  = 4
	binCount  = 384
	longestIn = 1<<27 - 1 // microseconds
)

// Tally is how many calls there were, how many of them failed, and how long they took. The zero value is empty.
type Tally struct {
	Calls  uint64
	Faults uint64
	// Shortest and Longest are exact; what lies between is known by its bin.
	Shortest time.Duration
	Longest  time.Duration

	bins [binCount]uint32
}

// binOf is the bin of a latency.
func binOf(took time.Duration) int {
	us := uint64(min(max(took.Microseconds(), 0), longestIn))
	if us < steps {
		return int(us)
	}
	shift := bits.Len64(us) - stepBits - 1
	return shift*steps + int(us>>shift)
}

// upper is what all latencies that a bin holds are below.
func upper(bin int) time.Duration {
	if bin < 2*steps {
		return time.Duration(bin+1) * time.Microsecond
	}
	shift := bin/steps - 1
	return time.Duration((bin%steps+steps+1)<<shift) * time.Microsecond
}

// add counts one call.
func (t *Tally) add(took time.Duration, fault bool) {
	took = max(took, 0)
	if t.Calls == 0 || took < t.Shortest {
		t.Shortest = took
	}
	t.Longest = max(t.Longest, took)
	t.Calls++
	if fault {
		t.Faults++
	}
	count(&t.bins[binOf(took)], 1)
}

// count adds to a bin, which says "very many" sooner than it begins anew.
func count(bin *uint32, n uint32) { *bin += min(n, math.MaxUint32-*bin) }

// Merge counts all that other counted too.
func (t *Tally) Merge(other *Tally) {
	if other.Calls == 0 {
		return
	}
	if t.Calls == 0 || other.Shortest < t.Shortest {
		t.Shortest = other.Shortest
	}
	t.Longest = max(t.Longest, other.Longest)
	t.Calls += other.Calls
	t.Faults += other.Faults
	for i, n := range other.bins {
		count(&t.bins[i], n)
	}
}

// Quantile is how long the given part of the calls took at most, from 0 to 1: at most 1/16 more than it was. 0
// where there were no calls.
func (t *Tally) Quantile(part float64) time.Duration {
	var total uint64
	for _, n := range t.bins {
		total += uint64(n)
	}
	rank := max(uint64(math.Ceil(part*float64(total))), 1)
	var seen uint64
	for i, n := range t.bins {
		if seen += uint64(n); seen >= rank {
			if i == binCount-1 {
				return t.Longest
			}
			return max(min(upper(i), t.Longest), t.Shortest)
		}
	}
	return t.Longest
}

// wireTally is a tally on its way: of the bins those alone that hold something, as pairs of bin and count.
type wireTally struct {
	Calls    uint64      `json:"calls"`
	Faults   uint64      `json:"faults,omitempty"`
	Shortest int64       `json:"shortest"` // microseconds
	Longest  int64       `json:"longest"`
	Bins     [][2]uint32 `json:"bins,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (t Tally) MarshalJSON() ([]byte, error) {
	w := wireTally{Calls: t.Calls, Faults: t.Faults, Shortest: t.Shortest.Microseconds(), Longest: t.Longest.Microseconds()}
	for i, n := range t.bins {
		if n > 0 {
			w.Bins = append(w.Bins, [2]uint32{uint32(i), n})
		}
	}
	return json.Marshal(w)
}

var errTally = errors.New("health: a tally that does not add up")

// UnmarshalJSON implements json.Unmarshaler.
func (t *Tally) UnmarshalJSON(text []byte) error {
	var w wireTally
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	if w.Faults > w.Calls || w.Calls > math.MaxUint32 || w.Shortest < 0 || w.Longest < w.Shortest || w.Longest > int64(math.MaxInt64/time.Microsecond) {
		return errTally
	}
	read := Tally{
		Calls: w.Calls, Faults: w.Faults,
		Shortest: time.Duration(w.Shortest) * time.Microsecond, Longest: time.Duration(w.Longest) * time.Microsecond,
	}
	var total uint64
	for _, pair := range w.Bins {
		if pair[0] >= binCount {
			return errTally
		}
		count(&read.bins[pair[0]], pair[1])
		total += uint64(pair[1])
	}
	if total != w.Calls {
		return errTally
	}
	*t = read
	return nil
}
