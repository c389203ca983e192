package lending

import "time"

// EventType is what an event tells.
type EventType string

// The event types.
const (
	EventCustomerCreated      EventType = "CUSTOMER_CREATED"
	EventCustomerLinked       EventType = "CUSTOMER_LINKED"
	EventCustomerKYCVerified  EventType = "CUSTOMER_KYC_VERIFIED"
	EventLoanCreated          EventType = "LOAN_CREATED"
	EventLoanApproved         EventType = "LOAN_APPROVED"
	EventLoanRejected         EventType = "LOAN_REJECTED"
	EventLoanDisbursing       EventType = "LOAN_DISBURSING"
	EventLoanDisbursed        EventType = "LOAN_DISBURSED"
	EventLoanRepayment        EventType = "LOAN_REPAYMENT"
	EventPaymentReceived      EventType = "PAYMENT_RECEIVED"
	EventCreditScoreReady     EventType = "CREDIT_SCORE_READY"
	EventCreditReportOrdered  EventType = "CREDIT_REPORT_ORDERED"
	EventCreditReportReady    EventType = "CREDIT_REPORT_READY"
	EventCreditReportNoRecord EventType = "CREDIT_REPORT_NO_RECORD"
	EventCreditReportFailed   EventType = "CREDIT_REPORT_FAILED"
	EventSupplierCreated      EventType = "SUPPLIER_CREATED"
	EventInvoiceStatusChanged EventType = "INVOICE_STATUS_CHANGED"
	EventDocumentUploaded     EventType = "DOCUMENT_UPLOADED"
	EventWebhookRegistered    EventType = "WEBHOOK_REGISTERED"
	EventPayment              EventType = "PAYMENT_EVENT"      // Kredmint type PAYMENT: its payload has no schema
	EventPaymentSettlement    EventType = "PAYMENT_SETTLEMENT" // Kredmint type PAYMENT_SETTLEMENT
	EventNACH                 EventType = "NACH_EVENT"         // Kredmint type NACH
	EventUser                 EventType = "USER_EVENT"         // Kredmint type USER
	EventOperationUpdated     EventType = "OPERATION_UPDATED"
	EventUnknown              EventType = "UNKNOWN"
)

// Valid reports whether t is a known type.
func (t EventType) Valid() bool {
	switch t {
	case EventCustomerCreated, EventCustomerLinked, EventCustomerKYCVerified, EventLoanCreated,
		EventLoanApproved, EventLoanRejected, EventLoanDisbursing, EventLoanDisbursed, EventLoanRepayment,
		EventPaymentReceived, EventCreditScoreReady, EventCreditReportOrdered, EventCreditReportReady,
		EventCreditReportNoRecord, EventCreditReportFailed, EventSupplierCreated, EventInvoiceStatusChanged,
		EventDocumentUploaded, EventWebhookRegistered, EventPayment, EventPaymentSettlement, EventNACH,
		EventUser, EventOperationUpdated:
		return true
	}
	return false
}

// EventSource is how we learned of an event.
type EventSource string

// The sources of events.
const (
	FromAPI       EventSource = "API"     // the answer to a call of ours
	FromWebhook   EventSource = "WEBHOOK" // a provider's push
	FromPoll      EventSource = "POLL"    // a query of ours after the fact
	SourceUnknown EventSource = "UNKNOWN"
)

// Valid reports whether s is a known source.
func (s EventSource) Valid() bool { return s == FromAPI || s == FromWebhook || s == FromPoll }

// Event is one thing that happened, as the log keeps it.
type Event struct {
	Private
	ID EventID
	// Sequence is the event's place in the log: it grows, and no reader can skip one that commits late.
	Sequence     int64
	Type         EventType
	ProviderType string // the provider's own word
	Provider     Provider
	Source       EventSource
	CustomerID   CustomerID
	LoanID       LoanID
	PaymentID    PaymentID
	ScoreID      ScoreID
	ReportID     ReportID
	OperationID  OperationID
	OccurredAt   time.Time
	ReceivedAt   time.Time
	// Payload is JSON without personal data or secrets; nil where there is nothing to add.
	Payload []byte
}

// EventFilter narrows a list or a stream of events. Each empty field does not narrow.
type EventFilter struct {
	Providers   []Provider
	Types       []EventType
	CustomerID  CustomerID
	LoanID      LoanID
	OperationID OperationID
}

// Matches reports whether an event passes the filter.
func (f EventFilter) Matches(e *Event) bool {
	return anyOf(f.Providers, e.Provider) && anyOf(f.Types, e.Type) &&
		(f.CustomerID == "" || f.CustomerID == e.CustomerID) &&
		(f.LoanID == "" || f.LoanID == e.LoanID) &&
		(f.OperationID == "" || f.OperationID == e.OperationID)
}

func anyOf[T comparable](set []T, value T) bool {
	if len(set) == 0 {
		return true
	}
	for _, member := range set {
		if member == value {
			return true
		}
	}
	return false
}
