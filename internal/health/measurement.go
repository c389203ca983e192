// Package health measures how providers do, from the calls that are made to them, and puts together what several
// replicas measured. What the figures mean, up or down, is for others to judge.
package health

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// Report is what one replica has measured of all providers. It holds figures and codes, and nothing of what was
// asked for or answered.
type Report map[lending.Provider]*Measurement

// Measurement is what one replica has measured of one provider. Times are zero where there is none.
type Measurement struct {
	// Reads and Writes are the calls within the [Window].
	Reads  Tally `json:"reads"`
	Writes Tally `json:"writes"`
	// Lately are the calls of the minute before the last one.
	Lately Counts `json:"lately"`
	// CalledAt is when the last call ended, and AnsweredAt the last one that the provider answered, be it with a refusal.
	CalledAt   time.Time `json:"calledAt,omitzero"`
	AnsweredAt time.Time `json:"answeredAt,omitzero"`
	// Streak are the faults since the last answer.
	Streak Streak `json:"streak,omitzero"`
	// Failure is the last fault; it stays when calls succeed again.
	Failure *Failure `json:"failure,omitempty"`
	// Problems are what the provider refuses to do for us at all, by the name of the call.
	Problems map[string]Problem `json:"problems,omitempty"`
	// Succeeded is when each call last went well, by its name.
	Succeeded map[string]time.Time `json:"succeeded,omitempty"`
	// Circuit is whether this replica lets calls through; "" where nothing guards them.
	Circuit provider.CircuitState `json:"circuit,omitempty"`
	// Limit is what the provider last told this replica of its limit on requests.
	Limit *Limit `json:"limit,omitempty"`
}

// Counts is a number of calls.
type Counts struct {
	Calls  uint64 `json:"calls"`
	Faults uint64 `json:"faults,omitempty"`
}

// Streak is a row of faults with no answer between them.
type Streak struct {
	Faults int       `json:"faults,omitempty"`
	Probe  bool      `json:"probe,omitempty"` // the last of them was a probe
	Since  time.Time `json:"since,omitzero"`
	Last   time.Time `json:"last,omitzero"`
}

// Failure is a call that failed.
type Failure struct {
	Kind      lending.ErrorKind `json:"kind"`
	Code      string            `json:"code,omitempty"` // the provider's own
	Retryable bool              `json:"retryable,omitempty"`
	At        time.Time         `json:"at"`
	// Err is the whole error, where it happened here.
	Err *lending.Error `json:"-"`
}

// Problem is that a provider refuses something to us that trying again does not mend: the balance is used up, the
// product is not ours, the credentials are not taken.
type Problem struct {
	Kind  lending.ErrorKind `json:"kind"`
	Code  string            `json:"code,omitempty"` // the provider's own
	Since time.Time         `json:"since"`
	Last  time.Time         `json:"last"`
}

// Limit is what a provider tells of its limit on requests.
type Limit struct {
	Limit     int       `json:"limit"`
	Remaining int       `json:"remaining"`
	ResetsAt  time.Time `json:"resetsAt,omitzero"`
}

// maxCode is the longest code of a provider that is shared.
const maxCode = 40

// Valid reports whether a measurement that came from elsewhere can be taken in.
func (m *Measurement) Valid() bool {
	if m == nil || m.Failure != nil && (!m.Failure.Kind.Valid() || len(m.Failure.Code) > maxCode) {
		return false
	}
	for name, p := range m.Problems {
		if !isProblem(p.Kind) || len(p.Code) > maxCode || len(name) > maxCode {
			return false
		}
	}
	return len(m.Problems) <= maxNames && len(m.Succeeded) <= maxNames && m.Streak.Faults >= 0
}

// Shift moves all times, from another replica's clock to ours.
func (m *Measurement) Shift(by time.Duration) {
	times := []*time.Time{&m.CalledAt, &m.AnsweredAt, &m.Streak.Since, &m.Streak.Last}
	if m.Failure != nil {
		times = append(times, &m.Failure.At)
	}
	for _, at := range times {
		if !at.IsZero() {
			*at = at.Add(by)
		}
	}
	for name, p := range m.Problems {
		p.Since, p.Last = p.Since.Add(by), p.Last.Add(by)
		m.Problems[name] = p
	}
	for name, at := range m.Succeeded {
		m.Succeeded[name] = at.Add(by)
	}
}
