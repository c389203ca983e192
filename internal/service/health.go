package service

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// HealthStatus is whether a provider works, from the calls that were made to it.
type HealthStatus string

// The health statuses.
const (
	HealthUp            HealthStatus = "UP"
	HealthDegraded      HealthStatus = "DEGRADED"
	HealthDown          HealthStatus = "DOWN"
	HealthNotConfigured HealthStatus = "NOT_CONFIGURED"
	HealthUnknown       HealthStatus = "UNKNOWN" // nothing was called of late
)

// Valid reports whether s is a known status.
func (s HealthStatus) Valid() bool {
	switch s {
	case HealthUp, HealthDegraded, HealthDown, HealthNotConfigured:
		return true
	}
	return false
}

// RateLimit is what a provider, or this service, last said of a limit on requests.
type RateLimit struct {
	Limit     int
	Remaining int
	ResetsAt  time.Time
}

// RateLimited is implemented by a provider's Pinger that knows its rate limit.
type RateLimited interface {
	RateLimit() (limit, remaining int, resetsAt time.Time, ok bool)
}

// ProviderHealth is one provider as an operator sees it.
type ProviderHealth struct {
	Provider     lending.Provider
	Capabilities []lending.Capability
	Status       HealthStatus
	P50, P99     time.Duration // of the calls in the window; 0 where there were none
	ErrorRate    *lending.Decimal
	RateLimit    *RateLimit
	Calls        int // in the window
	LastCallAt   time.Time
	LastFailure  *lending.Failure
}

const (
	healthWindow  = 5 * time.Minute
	healthSamples = 512 // for each provider
	downAfter     = 3   // faults in a row
	probeAge      = 5 * time.Second
	probeTimeout  = 2 * time.Second
)

// Health judges providers by what became of the calls made to them. It is safe for concurrent use.
type Health struct {
	now func() time.Time

	mu     sync.Mutex
	tracks map[lending.Provider]*track
}

type track struct {
	samples []sample // a ring, the newest last
	faults  int      // in a row
	probe   bool     // the last call was a probe that failed
	failure *lending.Error
}

type sample struct {
	at    time.Time
	took  time.Duration
	fault bool
}

// NewHealth makes a Health that knows of no call yet.
func NewHealth(clock func() time.Time) *Health {
	return &Health{now: clock, tracks: map[lending.Provider]*track{}}
}

// Observe takes note of a call. It is a [provider.Observer]. A call that its caller gave up says nothing of the
// provider.
func (h *Health) Observe(o provider.Observation) {
	if o.Err != nil && errors.Is(o.Err, context.Canceled) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tracks[o.Provider]
	if t == nil {
		t = &track{}
		h.tracks[o.Provider] = t
	}
	fault := isFault(o.Err)
	if len(t.samples) == healthSamples {
		t.samples = slices.Delete(t.samples, 0, healthSamples/4)
	}
	t.samples = append(t.samples, sample{at: o.Began.Add(o.Took), took: o.Took, fault: fault})
	t.probe = fault && o.Operation == "Ping"
	if !fault {
		t.faults, t.failure = 0, nil
		return
	}
	t.faults++
	t.failure = o.Err
}

// isFault reports whether an error is the provider's failing rather than its answer.
func isFault(e *lending.Error) bool {
	if e == nil {
		return false
	}
	switch e.Kind {
	case lending.KindUpstreamUnavailable, lending.KindTimeout, lending.KindUpstreamProtocol,
		lending.KindOutcomeUnknown, lending.KindUpstreamAuth, lending.KindProviderDisabled,
		lending.KindBalanceExhausted:
		return true
	}
	return false
}

// Outage is why a provider counts as down; nil when it does not.
func (h *Health) Outage(name lending.Provider) *lending.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.tracks[name]; t != nil && t.down(h.now()) {
		return t.failure
	}
	return nil
}

// down reports whether the latest calls say that the provider does not work. What they said longer ago than
// the window says nothing of today.
func (t *track) down(now time.Time) bool {
	return (t.faults >= downAfter || t.probe) && now.Sub(t.samples[len(t.samples)-1].at) <= healthWindow
}

// recent are the samples within the window.
func (t *track) recent(now time.Time) []sample {
	from := slices.IndexFunc(t.samples, func(s sample) bool { return now.Sub(s.at) <= healthWindow })
	if from < 0 {
		return nil
	}
	return t.samples[from:]
}

// view is a provider's health now, from the samples.
func (h *Health) view(name lending.Provider) ProviderHealth {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := ProviderHealth{Provider: name, Status: HealthUnknown}
	t := h.tracks[name]
	if t == nil || len(t.samples) == 0 {
		return v
	}
	v.LastCallAt = t.samples[len(t.samples)-1].at
	v.LastFailure = lending.FailureOf(nilable(t.failure))
	recent := t.recent(h.now())
	v.Calls = len(recent)
	faults := 0
	var took []time.Duration
	for _, s := range recent {
		took = append(took, s.took)
		if s.fault {
			faults++
		}
	}
	if v.Calls > 0 {
		slices.Sort(took)
		v.P50, v.P99 = took[len(took)/2], took[len(took)*99/100]
		rate := lending.NewDecimal(int64(faults*10_000/v.Calls), 4)
		v.ErrorRate = &rate
	}
	switch {
	case v.Calls == 0:
	case t.down(h.now()):
		v.Status = HealthDown
	case faults*10 > v.Calls:
		v.Status = HealthDegraded
	default:
		v.Status = HealthUp
	}
	return v
}

// nilable keeps a nil *Error from becoming a non-nil error.
func nilable(e *lending.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// ProviderHealth tells how all providers do, from real calls: one that was not called within the last
// seconds is asked for something free first, all at the same time.
func (s *Service) ProviderHealth(ctx context.Context) []ProviderHealth {
	var probes sync.WaitGroup
	for _, p := range s.providers {
		if p.Pinger == nil || s.now().Sub(s.health.view(p.Name).LastCallAt) < probeAge {
			continue
		}
		probes.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, probeTimeout)
			defer cancel()
			if err := p.Pinger.Ping(ctx); err != nil {
				s.log.InfoContext(ctx, "provider does not answer a probe", "provider", p.Name, "kind", lending.KindOf(err))
			}
		})
	}
	probes.Wait()
	var all []ProviderHealth
	for _, name := range lending.Providers() {
		all = append(all, s.healthOf(name))
	}
	return all
}

func (s *Service) healthOf(name lending.Provider) ProviderHealth {
	p := s.providers[name]
	if p == nil {
		return ProviderHealth{Provider: name, Status: HealthNotConfigured}
	}
	v := s.health.view(name)
	v.Capabilities = p.Capabilities()
	if limited, ok := p.Pinger.(RateLimited); ok {
		if limit, remaining, resetsAt, known := limited.RateLimit(); known {
			v.RateLimit = &RateLimit{Limit: limit, Remaining: remaining, ResetsAt: resetsAt}
		}
	}
	return v
}
