package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/health"
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
	Provider      lending.Provider
	Capabilities  []lending.Capability
	Status        HealthStatus
	Circuit       provider.CircuitState // the worst of all replicas; "" where nothing guards the calls
	P50, P99      time.Duration         // of the calls in the window; 0 where there were none
	ErrorRate     *lending.Decimal
	RateLimit     *RateLimit
	Calls         int // in the window
	LastCallAt    time.Time
	LastFailure   *lending.Failure
	Problem       *ProviderProblem // nil where there is none
	LastWebhookAt time.Time        // zero where none ever came
	SharedBy      int              // how many replicas the figures are of
}

// ProviderProblem is something that a provider refuses to this service, and that somebody has to mend with it.
type ProviderProblem struct {
	Kind    lending.ErrorKind
	Message string
	Since   time.Time
}

// HealthBoard is where replicas tell each other how providers do for them. What it cannot do costs nothing but
// that: it waits briefly, and has no errors.
type HealthBoard interface {
	Publish(ctx context.Context, own health.Report)
	// Others is what other replicas told lately.
	Others(ctx context.Context) []health.Report
	// Withdraw takes back what this replica told.
	Withdraw(ctx context.Context)
}

// Health measures the calls of providers. It is safe for concurrent use.
type Health struct{ *health.Meter }

// NewHealth makes a Health that knows of no call yet.
func NewHealth(clock func() time.Time) *Health { return &Health{health.NewMeter(clock)} }

// Outage is why a provider does not do what it is for, as far as this replica knows; nil when it does.
func (h *Health) Outage(name lending.Provider) *lending.Error {
	m := h.Measured(name)
	if m == nil {
		return nil
	}
	switch stands := health.Stand(h.Now(), []*health.Measurement{m}); {
	case stands.Problem != nil:
		return stands.Problem.Error(name)
	case stands.Down:
		return stands.Failure.Error(name)
	}
	return nil
}

// ProviderHealth tells how all providers do for all replicas, from real calls: one that was not called within the
// last seconds is asked for something free first, all at the same time.
func (s *Service) ProviderHealth(ctx context.Context) []ProviderHealth {
	others := s.othersHealth(ctx)
	for _, probe := range s.probeIdle(append(slices.Clone(others), s.measured()), probeAge) {
		select {
		case <-probe:
		case <-ctx.Done():
		}
	}
	return s.judged(ctx, others)
}

// judged is how all providers stand now, by our own measurements and by those of others.
func (s *Service) judged(ctx context.Context, others []health.Report) []ProviderHealth {
	reports := append(slices.Clone(others), s.measured())
	webhooks := s.newestWebhooks(ctx)
	var all []ProviderHealth
	for _, name := range lending.Providers() {
		v := s.healthOf(name, reports)
		v.LastWebhookAt = webhooks[name]
		all = append(all, v)
	}
	return all
}

// measured is what this replica knows of the configured providers.
func (s *Service) measured() health.Report {
	known, own := s.health.Report(), health.Report{}
	for name, p := range s.providers {
		m := known[name]
		if m == nil {
			m = &health.Measurement{}
		}
		if s.circuits != nil {
			m.Circuit = s.circuits.Circuit(name)
		}
		if limited, ok := p.Pinger.(RateLimited); ok {
			if limit, remaining, resetsAt, known := limited.RateLimit(); known {
				m.Limit = &health.Limit{Limit: limit, Remaining: remaining, ResetsAt: resetsAt}
			}
		}
		own[name] = m
	}
	return own
}

func (s *Service) othersHealth(ctx context.Context) []health.Report {
	if s.board == nil {
		return nil
	}
	return s.board.Others(ctx)
}

// of are the measurements of one provider.
func of(name lending.Provider, reports []health.Report) []*health.Measurement {
	var list []*health.Measurement
	for _, report := range reports {
		if m := report[name]; m != nil {
			list = append(list, m)
		}
	}
	return list
}

// healthOf judges one provider.
func (s *Service) healthOf(name lending.Provider, reports []health.Report) ProviderHealth {
	p := s.providers[name]
	if p == nil {
		return ProviderHealth{Provider: name, Status: HealthNotConfigured}
	}
	measured := of(name, reports)
	stands := health.Stand(s.now(), measured)
	v := ProviderHealth{
		Provider: name, Capabilities: p.Capabilities(), Status: statusOf(&stands), Circuit: stands.Circuit, SharedBy: len(measured),
		Calls: int(stands.All.Calls), P50: stands.All.Quantile(0.5), P99: stands.All.Quantile(0.99), LastCallAt: stands.CalledAt,
	}
	if v.Calls > 0 {
		rate := lending.NewDecimal(int64(stands.All.Faults*10_000/stands.All.Calls), 4)
		v.ErrorRate = &rate
	}
	if stands.Failure != nil {
		v.LastFailure = lending.FailureOf(stands.Failure.Error(name))
	}
	if stands.Problem != nil {
		v.Problem = &ProviderProblem{Kind: stands.Problem.Kind, Message: stands.Problem.Error(name).Error(), Since: stands.Problem.Since}
	}
	if l := stands.Limit; l != nil {
		v.RateLimit = &RateLimit{Limit: l.Limit, Remaining: l.Remaining, ResetsAt: l.ResetsAt}
	}
	return v
}

// statusOf judges how a provider stands. Whether it fails at present is for the minute before its last call to say: how
// it was before is over, and silence since is no news.
func statusOf(stands *health.Standing) HealthStatus {
	hindered := stands.Circuit == provider.CircuitOpen || stands.Circuit == provider.CircuitHalfOpen
	switch {
	case stands.Down:
		return HealthDown
	case stands.Problem != nil, stands.Shaky, hindered, stands.Lately.Faults*10 > stands.Lately.Calls:
		return HealthDegraded
	case stands.All.Calls == 0:
		return HealthUnknown
	}
	return HealthUp
}

const (
	webhooksAge     = 2 * time.Second // how long it is known when the newest webhooks came
	webhooksTimeout = time.Second
)

// newestWebhooks is what is known of the newest webhooks.
type newestWebhooks struct {
	mu      sync.Mutex
	at      time.Time // when it was asked for
	failing bool
	newest  map[lending.Provider]time.Time
}

// newestWebhooks is when each provider's newest webhook came. While our records cannot be reached it is what was
// known before.
func (s *Service) newestWebhooks(ctx context.Context) map[lending.Provider]time.Time {
	w := &s.webhooks
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := s.now(); !w.at.IsZero() && now.Sub(w.at) < webhooksAge {
		return w.newest
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), webhooksTimeout)
	defer cancel()
	newest, err := s.store.NewestDeliveries(ctx)
	if err != nil && !w.failing { // once, however many ask
		s.log.WarnContext(ctx, "it is not known when webhooks came last", "error", lending.AsError(err).Detail())
	}
	if w.at, w.failing = s.now(), err != nil; err == nil {
		w.newest = newest
	}
	return w.newest
}
