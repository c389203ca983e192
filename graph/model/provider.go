package model

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// CircuitState is whether calls to a provider are let through.
type CircuitState string

// The states of a circuit.
const (
	CircuitClosed   CircuitState = "CLOSED"
	CircuitOpen     CircuitState = "OPEN"
	CircuitHalfOpen CircuitState = "HALF_OPEN"
	CircuitUnknown  CircuitState = "UNKNOWN" // nothing guards the calls
)

// Provider is a provider and how it is doing.
type Provider struct {
	service.ProviderHealth
	Circuit CircuitState
}

// NewProvider shows a provider. Where nothing guards its calls the circuit is [CircuitUnknown].
func NewProvider(health service.ProviderHealth) Provider {
	circuit := CircuitState(health.Circuit)
	if circuit == "" {
		circuit = CircuitUnknown
	}
	return Provider{ProviderHealth: health, Circuit: circuit}
}

// NewProviders shows providers, in their order.
func NewProviders(health []service.ProviderHealth) []Provider {
	all := make([]Provider, 0, len(health))
	for _, h := range health {
		all = append(all, NewProvider(h))
	}
	return all
}

// NodeID is the provider's global id.
func (p *Provider) NodeID() string { return lending.GlobalID(lending.ProviderNode, p.Provider) }

// Name is the provider's name as people write it.
func (p *Provider) Name() string { return p.Provider.Title() }

// Latency is how long the latest answers took; nil where there were none.
func (p *Provider) Latency() *Latency {
	if p.Calls == 0 {
		return nil
	}
	return &Latency{P50: p.P50, P99: p.P99}
}

// Latency is how long answers take.
type Latency struct {
	P50 time.Duration // half of them are faster
	P99 time.Duration // 99 of 100 are faster
}

// Viewer is who is asking.
type Viewer struct {
	ClientID  string
	Scopes    []string // as they stand in the token
	Plan      string   // "" where nothing limits anybody
	RateLimit *service.RateLimit
}

// EventEnvelope is an event on its way to a subscriber.
type EventEnvelope struct {
	Cursor string // of the event, to go on behind it
	Event  *lending.Event
}
