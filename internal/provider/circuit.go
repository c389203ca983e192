package provider

import "github.com/creditgraph/creditgraph/internal/lending"

// CircuitState is whether calls of a provider are let through.
type CircuitState string

// The states of a circuit.
const (
	CircuitClosed   CircuitState = "CLOSED"    // they are
	CircuitHalfOpen CircuitState = "HALF_OPEN" // one is, to see whether the provider is well again
	CircuitOpen     CircuitState = "OPEN"      // they are not, because too many failed
)

// Circuits tells the state of what guards the calls of providers.
type Circuits interface {
	// Circuit is the worst state of a provider's classes of calls on this replica; "" for a provider whose
	// calls nothing guards.
	Circuit(name lending.Provider) CircuitState
}
