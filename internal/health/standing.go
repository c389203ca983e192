package health

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

const (
	// downAfter faults in a row a provider does not work.
	downAfter = 3
	// problemAge is how long a problem is remembered that nobody has met again.
	problemAge = 24 * time.Hour
)

// Standing is how a provider stands, from the measurements of some replicas.
type Standing struct {
	All      Tally  // of the [Window]
	Lately   Counts // of the minute before the last call
	CalledAt time.Time
	// Down says that the provider does not answer; Shaky that some are answered, and others have lost it.
	Down  bool
	Shaky bool
	// Failure is the newest fault of all; nil where there was none, or it is long over.
	Failure *Failure
	// Problem is the one that was met last of those that stand, nil where there is none.
	Problem *Problem
	// Circuit is the worst of all.
	Circuit provider.CircuitState
	Limit   *Limit
}

// Stand puts together what replicas measured of one provider.
func Stand(now time.Time, measured []*Measurement) Standing {
	var s Standing
	var answered time.Time
	for _, m := range measured {
		s.All.Merge(&m.Reads)
		s.All.Merge(&m.Writes)
		s.CalledAt, answered = later(s.CalledAt, m.CalledAt), later(answered, m.AnsweredAt)
		if m.Failure != nil && (s.Failure == nil || m.Failure.At.After(s.Failure.At)) {
			s.Failure = m.Failure
		}
		if badness(m.Circuit) > badness(s.Circuit) {
			s.Circuit = m.Circuit
		}
		s.Limit = tighter(s.Limit, m.Limit, now)
	}
	for _, m := range measured {
		if s.CalledAt.Sub(m.CalledAt) < lately*slice { // others were not called since
			s.Lately.Calls += m.Lately.Calls
			s.Lately.Faults += m.Lately.Faults
		}
		if !m.Streak.breaks(now) || answered.After(m.Streak.Last) {
			continue // somebody was answered since
		}
		if answered.Before(m.Streak.Since) {
			s.Down = true
		} else {
			s.Shaky = true
		}
	}
	s.Shaky = s.Shaky && !s.Down
	if s.Failure != nil && answered.After(s.Failure.At) && now.Sub(s.Failure.At) > Window {
		s.Failure = nil // it is over, and long ago
	}
	s.Problem = standing(now, measured)
	return s
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// breaks reports whether a row of faults says that the provider does not work. What failed longer ago than the
// window says nothing of today.
func (s Streak) breaks(now time.Time) bool {
	return (s.Faults >= downAfter || s.Probe) && now.Sub(s.Last) <= Window
}

func badness(c provider.CircuitState) int {
	switch c {
	case provider.CircuitClosed:
		return 1
	case provider.CircuitHalfOpen:
		return 2
	case provider.CircuitOpen:
		return 3
	}
	return 0
}

// tighter is the newer of what was told of a limit: all replicas draw on one, so that within one of its
// windows the least that is left is the newest. What was told of a window that is over says nothing any more.
func tighter(a, b *Limit, now time.Time) *Limit {
	if b == nil || !b.ResetsAt.IsZero() && b.ResetsAt.Before(now) {
		return a
	}
	if a == nil {
		return b
	}
	if apart := b.ResetsAt.Sub(a.ResetsAt); apart > time.Second || apart >= -time.Second && b.Remaining < a.Remaining {
		return b
	}
	return a
}

// standing is the problem that was met last of those that no later success has shown to be over.
func standing(now time.Time, measured []*Measurement) *Problem {
	var found *Problem
	for _, m := range measured {
		for of, p := range m.Problems {
			if now.Sub(p.Last) > problemAge || isOver(of, p, measured) {
				continue
			}
			if found == nil || p.Last.After(found.Last) {
				found = &p
			}
		}
	}
	if found == nil {
		return nil
	}
	for _, m := range measured { // others may know of it for longer
		for of, p := range m.Problems {
			if p.Kind == found.Kind && p.Since.Before(found.Since) && !isOver(of, p, measured) && now.Sub(p.Last) <= problemAge {
				found.Since = p.Since
			}
		}
	}
	return found
}

func isOver(of string, p Problem, measured []*Measurement) bool {
	for _, m := range measured {
		for name, at := range m.Succeeded {
			if at.After(p.Last) && proves(name, of, p) {
				return true
			}
		}
	}
	return false
}

// Error is the failure as an error. Of one that happened elsewhere no more is known than its kind.
func (f *Failure) Error(name lending.Provider) *lending.Error {
	if f.Err != nil {
		return f.Err
	}
	return &lending.Error{Kind: f.Kind, Provider: name, Retryable: f.Retryable, Outcome: lending.NotExecuted, ProviderCode: f.Code}
}

// Error is the problem as an error.
func (p *Problem) Error(name lending.Provider) *lending.Error {
	return &lending.Error{Kind: p.Kind, Provider: name, Outcome: lending.NotExecuted, ProviderCode: p.Code}
}
