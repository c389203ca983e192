package health

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

const (
	// probe is the name of the call that asks for nothing but a sign of life.
	probe = "Ping"
	// maxNames is how many names of calls are kept for a provider; the port has fewer.
	maxNames = 32
)

// Meter measures calls of providers as they end. It is safe for concurrent use, and takes the same memory however
// many calls there are.
type Meter struct {
	now func() time.Time

	mu     sync.Mutex
	tracks map[lending.Provider]*track
}

// track is what is known of one provider.
type track struct {
	window window
	last   Measurement // without what the window and others know
}

// NewMeter makes a meter that knows of no call yet.
func NewMeter(clock func() time.Time) *Meter {
	return &Meter{now: clock, tracks: map[lending.Provider]*track{}}
}

// Now is the time by the meter's clock.
func (m *Meter) Now() time.Time { return m.now() }

// Observe takes note of a call that has just ended. It is a [provider.Observer]. A call that its caller gave up says
// nothing of the provider.
func (m *Meter) Observe(o provider.Observation) {
	if o.Err != nil && errors.Is(o.Err, context.Canceled) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	t := m.tracks[o.Provider]
	if t == nil {
		t = &track{last: Measurement{Problems: map[string]Problem{}, Succeeded: map[string]time.Time{}}}
		m.tracks[o.Provider] = t
	}
	fault := isFault(o.Err)
	t.window.add(now, o.Class, o.Took, fault)
	t.last.CalledAt = now
	t.noteProblem(o, now)
	if fault {
		t.last.Failure = &Failure{Kind: o.Err.Kind, Code: codeOf(o.Err), Retryable: o.Err.Retryable, At: now, Err: o.Err}
	}
	if fault && !isProblem(o.Err.Kind) {
		t.noteFault(o, now)
		return
	}
	t.last.AnsweredAt, t.last.Streak = now, Streak{} // a refusal is an answer too
}

func (t *track) noteFault(o provider.Observation, now time.Time) {
	s := &t.last.Streak
	if s.Faults == 0 {
		s.Since = now
	}
	s.Faults++
	s.Last, s.Probe = now, o.Operation == probe
}

// noteProblem remembers what the provider refuses at all, until the same goes well.
func (t *track) noteProblem(o provider.Observation, now time.Time) {
	name := o.Operation
	switch {
	case o.Err == nil:
		if _, known := t.last.Succeeded[name]; known || len(t.last.Succeeded) < maxNames {
			t.last.Succeeded[name] = now
		}
		maps.DeleteFunc(t.last.Problems, func(of string, p Problem) bool { return proves(name, of, p) })
	case isProblem(o.Err.Kind):
		p, known := t.last.Problems[name]
		if !known && len(t.last.Problems) == maxNames {
			return
		}
		if p.Kind != o.Err.Kind {
			p = Problem{Kind: o.Err.Kind, Since: now}
		}
		p.Code, p.Last = codeOf(o.Err), now
		t.last.Problems[name] = p
	}
}

// proves reports whether a success of one call shows that a problem with another is over. A balance is used up for
// orders, whatever else still goes; credentials that are taken for one call are good, but a sign of life may
// need none.
func proves(succeeded, of string, p Problem) bool {
	return succeeded == of || p.Kind == lending.KindUpstreamAuth && succeeded != probe
}

// codeOf is the provider's code of an error, as far as it is shared.
func codeOf(e *lending.Error) string {
	if len(e.ProviderCode) > maxCode {
		return ""
	}
	return e.ProviderCode
}

// isFault reports whether an error is the provider's failing rather than its answer.
func isFault(e *lending.Error) bool {
	if e == nil {
		return false
	}
	switch e.Kind {
	case lending.KindUpstreamUnavailable, lending.KindTimeout, lending.KindUpstreamProtocol, lending.KindOutcomeUnknown:
		return true
	}
	return isProblem(e.Kind)
}

// isProblem reports whether a kind of error is one that somebody has to mend with the provider.
func isProblem(kind lending.ErrorKind) bool {
	switch kind {
	case lending.KindBalanceExhausted, lending.KindProviderDisabled, lending.KindUpstreamAuth:
		return true
	}
	return false
}

// Report is what is known now. It belongs to the caller.
func (m *Meter) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, all := m.now(), make(Report, len(m.tracks))
	for name, t := range m.tracks {
		all[name] = t.measured(now)
	}
	return all
}

// Measured is what is known of one provider now; nil where it was not called yet.
func (m *Meter) Measured(name lending.Provider) *Measurement {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.tracks[name]; t != nil {
		return t.measured(m.now())
	}
	return nil
}

func (t *track) measured(now time.Time) *Measurement {
	measured := t.last
	measured.Problems, measured.Succeeded = maps.Clone(t.last.Problems), maps.Clone(t.last.Succeeded)
	t.window.sum(now, &measured)
	return &measured
}
