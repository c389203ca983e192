package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

var operationKinds = enum[lending.OperationKind]{name: "OperationKind", values: []lending.OperationKind{
	lending.OpCreateCustomer, lending.OpApplyForLoan, lending.OpApproveLoan, lending.OpRejectLoan,
	lending.OpDisburseLoan, lending.OpRecordPayment, lending.OpRequestCreditScore,
	lending.OpOrderCreditReport, lending.OpCreateSupplier, lending.OpPayInvoice,
	lending.OpUploadDocument, lending.OpRegisterWebhook, lending.OpUnknown,
}}

// MarshalOperationKind writes the enum OperationKind.
func MarshalOperationKind(v lending.OperationKind) graphql.Marshaler {
	return operationKinds.marshal(v)
}

// UnmarshalOperationKind reads the enum OperationKind.
func UnmarshalOperationKind(v any) (lending.OperationKind, error) { return operationKinds.unmarshal(v) }

var operationStatuses = enum[lending.OperationStatus]{name: "OperationStatus", values: []lending.OperationStatus{
	lending.OpInProgress, lending.OpAwaitingOTP, lending.OpAwaitingInfo, lending.OpAwaitingProvider,
	lending.OpOutcomeUnknown, lending.OpSucceeded, lending.OpFailed, lending.OpStatusUnknown,
}}

// MarshalOperationStatus writes the enum OperationStatus.
func MarshalOperationStatus(v lending.OperationStatus) graphql.Marshaler {
	return operationStatuses.marshal(v)
}

// UnmarshalOperationStatus reads the enum OperationStatus.
func UnmarshalOperationStatus(v any) (lending.OperationStatus, error) {
	return operationStatuses.unmarshal(v)
}

var operationOutcomes = enum[service.SettledOutcome]{name: "OperationOutcome", values: []service.SettledOutcome{
	service.OutcomeSucceeded, service.OutcomeFailed,
}}

// MarshalOperationOutcome writes the enum OperationOutcome.
func MarshalOperationOutcome(v service.SettledOutcome) graphql.Marshaler {
	return operationOutcomes.marshal(v)
}

// UnmarshalOperationOutcome reads the enum OperationOutcome.
func UnmarshalOperationOutcome(v any) (service.SettledOutcome, error) {
	return operationOutcomes.unmarshal(v)
}

var eventTypes = enum[lending.EventType]{name: "EventType", values: []lending.EventType{
	lending.EventCustomerCreated, lending.EventCustomerLinked, lending.EventCustomerKYCVerified,
	lending.EventLoanCreated, lending.EventLoanApproved, lending.EventLoanRejected,
	lending.EventLoanDisbursing, lending.EventLoanDisbursed, lending.EventLoanRepayment,
	lending.EventPaymentReceived, lending.EventCreditScoreReady, lending.EventCreditReportOrdered,
	lending.EventCreditReportReady, lending.EventCreditReportNoRecord, lending.EventCreditReportFailed,
	lending.EventSupplierCreated, lending.EventInvoiceStatusChanged, lending.EventDocumentUploaded,
	lending.EventWebhookRegistered, lending.EventPayment, lending.EventPaymentSettlement,
	lending.EventNACH, lending.EventUser, lending.EventOperationUpdated, lending.EventUnknown,
}}

// MarshalEventType writes the enum EventType.
func MarshalEventType(v lending.EventType) graphql.Marshaler { return eventTypes.marshal(v) }

// UnmarshalEventType reads the enum EventType.
func UnmarshalEventType(v any) (lending.EventType, error) { return eventTypes.unmarshal(v) }

var eventSources = enum[lending.EventSource]{name: "EventSource", values: []lending.EventSource{
	lending.FromAPI, lending.FromWebhook, lending.FromPoll, lending.SourceUnknown,
}}

// MarshalEventSource writes the enum EventSource.
func MarshalEventSource(v lending.EventSource) graphql.Marshaler { return eventSources.marshal(v) }

// UnmarshalEventSource reads the enum EventSource.
func UnmarshalEventSource(v any) (lending.EventSource, error) { return eventSources.unmarshal(v) }

var errorCodes = enum[lending.ErrorKind]{name: "ErrorCode", values: []lending.ErrorKind{
	lending.KindUnauthenticated, lending.KindForbidden, lending.KindNotFound, lending.KindValidation,
	lending.KindKYCRequired, lending.KindConflict, lending.KindKeyReused, lending.KindInProgress,
	lending.KindOTPRequired, lending.KindRateLimited, lending.KindProviderDisabled,
	lending.KindBalanceExhausted, lending.KindReportWindowExpired, lending.KindUpstreamAuth,
	lending.KindUpstreamForbidden, lending.KindUpstreamRejected, lending.KindUpstreamProtocol,
	lending.KindUpstreamUnavailable, lending.KindTimeout, lending.KindOutcomeUnknown,
	lending.KindCursorExpired, lending.KindComplexityLimit, lending.KindUnavailable,
	lending.KindInternal, unknown,
}}

// MarshalErrorCode writes the enum ErrorCode.
func MarshalErrorCode(v lending.ErrorKind) graphql.Marshaler { return errorCodes.marshal(v) }

// UnmarshalErrorCode reads the enum ErrorCode.
func UnmarshalErrorCode(v any) (lending.ErrorKind, error) { return errorCodes.unmarshal(v) }
