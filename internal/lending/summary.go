package lending

import "time"

// SourceStatus is how fresh one provider's part of an answer is.
type SourceStatus string

// The source statuses.
const (
	SourceFresh       SourceStatus = "FRESH"       // asked for just now
	SourceCached      SourceStatus = "CACHED"      // kept from before, and within its time
	SourceStale       SourceStatus = "STALE"       // older than it should be; nothing newer is to be had
	SourcePending     SourceStatus = "PENDING"     // ordered, and not there yet
	SourceNone        SourceStatus = "NONE"        // the provider was never asked, or knows nothing
	SourceNotLinked   SourceStatus = "NOT_LINKED"  // it is not known who the customer is there
	SourceUnavailable SourceStatus = "UNAVAILABLE" // the provider could not be asked
	SourceUnknownWord SourceStatus = "UNKNOWN"
)

// Valid reports whether s is a known status.
func (s SourceStatus) Valid() bool {
	switch s {
	case SourceFresh, SourceCached, SourceStale, SourcePending, SourceNone, SourceNotLinked,
		SourceUnavailable:
		return true
	}
	return false
}

// Freshness is how old an answer may be.
type Freshness struct {
	// MaxAge is the oldest answer to take without asking again; nil leaves it to the cache's own policy.
	MaxAge *time.Duration
	// RefuseStale asks for an error rather than old data when the provider cannot be asked.
	RefuseStale bool
}

// Fetched is an answer of a provider with its age. Either Err is nil, or Status is STALE (there is an old
// Value, and Err says why there is none newer) or UNAVAILABLE (there is no Value).
type Fetched[T any] struct {
	Value  T
	Status SourceStatus
	AsOf   time.Time
	Err    error
}

// Has reports whether there is a Value.
func (f Fetched[T]) Has() bool {
	return f.Status == SourceFresh || f.Status == SourceCached || f.Status == SourceStale
}

// Source says what became of one provider's part of a summary.
type Source struct {
	Provider Provider
	Status   SourceStatus
	AsOf     time.Time
	Failure  *Failure
	// Err is the whole error behind Failure; nil where there is none.
	Err *Error
}

// CreditSummary is a customer's standing over all providers at one moment.
type CreditSummary struct {
	CustomerID CustomerID
	AsOf       time.Time
	// Scores is the newest score of each provider, valid ones first.
	Scores      []*CreditScore
	Exposure    []Exposure // one for each currency
	CreditLines []*CreditLine
	Bureau      *BureauSummary
	Sources     []Source // one for each provider, in the order of Providers
}

// BestScore is the valid score with the highest normalised value; nil where there is none. A score that
// cannot be normalised is no candidate.
func (s *CreditSummary) BestScore() *CreditScore {
	var best *CreditScore
	for _, score := range s.Scores {
		if score.Normalized == nil || !score.ValidAt(s.AsOf) {
			continue
		}
		if best == nil || score.Normalized.Cmp(*best.Normalized) > 0 {
			best = score
		}
	}
	return best
}
