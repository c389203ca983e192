package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

var creditProviders = enum[lending.Provider]{name: "CreditProvider", values: []lending.Provider{
	lending.Kredete, lending.TrustDecision, lending.Kredmint, lending.Carbon, lending.OnePipe,
	lending.ProviderUnknown,
}}

// MarshalCreditProvider writes the enum CreditProvider.
func MarshalCreditProvider(v lending.Provider) graphql.Marshaler { return creditProviders.marshal(v) }

// UnmarshalCreditProvider reads the enum CreditProvider.
func UnmarshalCreditProvider(v any) (lending.Provider, error) { return creditProviders.unmarshal(v) }

var capabilities = enum[lending.Capability]{name: "Capability", values: []lending.Capability{
	lending.CanReadProfiles, lending.CanCreateCustomers, lending.CanReadCreditLines,
	lending.CanApplyForLoans, lending.CanDecideLoans, lending.CanRecordPayments, lending.CanScore,
	lending.CanConfirmScores, lending.CanReport, lending.CanManageSuppliers, lending.CanPayInvoices,
	lending.CanStoreDocuments, lending.CanRegisterWebhooks, lending.CanSendWebhooks,
	lending.CapabilityUnknown,
}}

// MarshalCapability writes the enum Capability.
func MarshalCapability(v lending.Capability) graphql.Marshaler { return capabilities.marshal(v) }

// UnmarshalCapability reads the enum Capability.
func UnmarshalCapability(v any) (lending.Capability, error) { return capabilities.unmarshal(v) }

var providerStatuses = enum[service.HealthStatus]{name: "ProviderStatus", values: []service.HealthStatus{
	service.HealthUp, service.HealthDegraded, service.HealthDown, service.HealthNotConfigured,
	service.HealthUnknown,
}}

// MarshalProviderStatus writes the enum ProviderStatus.
func MarshalProviderStatus(v service.HealthStatus) graphql.Marshaler {
	return providerStatuses.marshal(v)
}

// UnmarshalProviderStatus reads the enum ProviderStatus.
func UnmarshalProviderStatus(v any) (service.HealthStatus, error) {
	return providerStatuses.unmarshal(v)
}

var circuitStates = enum[model.CircuitState]{name: "CircuitState", values: []model.CircuitState{
	model.CircuitClosed, model.CircuitOpen, model.CircuitHalfOpen, model.CircuitUnknown,
}}

// MarshalCircuitState writes the enum CircuitState.
func MarshalCircuitState(v model.CircuitState) graphql.Marshaler { return circuitStates.marshal(v) }

// UnmarshalCircuitState reads the enum CircuitState.
func UnmarshalCircuitState(v any) (model.CircuitState, error) { return circuitStates.unmarshal(v) }

var sourceStatuses = enum[lending.SourceStatus]{name: "SourceStatus", values: []lending.SourceStatus{
	lending.SourceFresh, lending.SourceCached, lending.SourceStale, lending.SourcePending,
	lending.SourceNone, lending.SourceNotLinked, lending.SourceUnavailable, lending.SourceUnknownWord,
}}

// MarshalSourceStatus writes the enum SourceStatus.
func MarshalSourceStatus(v lending.SourceStatus) graphql.Marshaler { return sourceStatuses.marshal(v) }

// UnmarshalSourceStatus reads the enum SourceStatus.
func UnmarshalSourceStatus(v any) (lending.SourceStatus, error) { return sourceStatuses.unmarshal(v) }
