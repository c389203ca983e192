package lending

import "time"

// OperationKind is what an operation does.
type OperationKind string

// The kinds of operations.
const (
	OpCreateCustomer     OperationKind = "CREATE_CUSTOMER"
	OpApplyForLoan       OperationKind = "APPLY_FOR_LOAN"
	OpApproveLoan        OperationKind = "APPROVE_LOAN"
	OpRejectLoan         OperationKind = "REJECT_LOAN"
	OpDisburseLoan       OperationKind = "DISBURSE_LOAN"
	OpRecordPayment      OperationKind = "RECORD_PAYMENT"
	OpRequestCreditScore OperationKind = "REQUEST_CREDIT_SCORE"
	OpOrderCreditReport  OperationKind = "ORDER_CREDIT_REPORT"
	OpCreateSupplier     OperationKind = "CREATE_SUPPLIER"
	OpPayInvoice         OperationKind = "PAY_INVOICE"
	OpUploadDocument     OperationKind = "UPLOAD_DOCUMENT"
	OpRegisterWebhook    OperationKind = "REGISTER_WEBHOOK"
	OpUnknown            OperationKind = "UNKNOWN"
)

// Valid reports whether k is a known kind.
func (k OperationKind) Valid() bool {
	switch k {
	case OpCreateCustomer, OpApplyForLoan, OpApproveLoan, OpRejectLoan, OpDisburseLoan, OpRecordPayment,
		OpRequestCreditScore, OpOrderCreditReport, OpCreateSupplier, OpPayInvoice, OpUploadDocument,
		OpRegisterWebhook:
		return true
	}
	return false
}

// MovesMoney reports whether the operation pays out, or counts money as paid.
func (k OperationKind) MovesMoney() bool {
	return k == OpDisburseLoan || k == OpRecordPayment || k == OpPayInvoice
}

// OperationStatus is where an operation stands, as people see it.
type OperationStatus string

// The operation statuses.
const (
	OpInProgress       OperationStatus = "IN_PROGRESS"
	OpAwaitingOTP      OperationStatus = "AWAITING_OTP"
	OpAwaitingInfo     OperationStatus = "AWAITING_INFO"
	OpAwaitingProvider OperationStatus = "AWAITING_PROVIDER"
	OpOutcomeUnknown   OperationStatus = "OUTCOME_UNKNOWN"
	OpSucceeded        OperationStatus = "SUCCEEDED"
	OpFailed           OperationStatus = "FAILED"
	OpStatusUnknown    OperationStatus = "UNKNOWN"
)

// Valid reports whether s is a known status.
func (s OperationStatus) Valid() bool {
	switch s {
	case OpInProgress, OpAwaitingOTP, OpAwaitingInfo, OpAwaitingProvider, OpOutcomeUnknown, OpSucceeded,
		OpFailed:
		return true
	}
	return false
}

// Settled reports whether the operation has come to its end.
func (s OperationStatus) Settled() bool { return s == OpSucceeded || s == OpFailed }

// OperationStep is how far the sending of an operation has come: what a process that finds it after a
// crash has to go by.
type OperationStep string

// The steps of an operation.
const (
	// StepRecorded: written down, nothing was sent.
	StepRecorded OperationStep = "RECORDED"
	// StepSending: the request may be on its way. After a crash nobody knows whether it was received.
	StepSending OperationStep = "SENDING"
	// StepAnswered: the provider's answer is written down.
	StepAnswered OperationStep = "ANSWERED"
)

// Failure is why something failed, in words for people.
type Failure struct {
	Kind         ErrorKind `json:"code"`
	Message      string    `json:"message"`
	Retryable    bool      `json:"retryable"`
	ProviderCode string    `json:"providerCode,omitempty"`
}

// FailureOf is the public part of an error; nil for nil.
func FailureOf(err error) *Failure {
	e := AsError(err)
	if e == nil {
		return nil
	}
	return &Failure{Kind: e.Kind, Message: e.Error(), Retryable: e.Retryable, ProviderCode: e.ProviderCode}
}

// Consent is the evidence that a customer agreed to be looked up.
type Consent struct {
	GrantedAt time.Time      `json:"grantedAt"`
	Channel   ConsentChannel `json:"channel"`
}

// ConsentChannel is where a customer agreed.
type ConsentChannel string

// The channels of consent.
const (
	ConsentApp     ConsentChannel = "APP"
	ConsentWeb     ConsentChannel = "WEB"
	ConsentUSSD    ConsentChannel = "USSD"
	ConsentBranch  ConsentChannel = "BRANCH"
	ConsentPhone   ConsentChannel = "PHONE"
	ConsentPaper   ConsentChannel = "PAPER"
	ConsentUnknown ConsentChannel = "UNKNOWN"
)

// Valid reports whether c is a known channel.
func (c ConsentChannel) Valid() bool {
	switch c {
	case ConsentApp, ConsentWeb, ConsentUSSD, ConsentBranch, ConsentPhone, ConsentPaper:
		return true
	}
	return false
}

// Operation is one action on a provider, from the moment it was asked for. Its row is written before the
// first byte goes out, and its key makes sure that it is done at most once.
type Operation struct {
	Private
	ID          OperationID
	ClientID    string // who asked; keys are unique for each
	Key         string // the client's idempotency key
	Fingerprint string // of the canonical input: the same key with another input is refused
	Kind        OperationKind
	Provider    Provider
	Status      OperationStatus
	Step        OperationStep
	CustomerID  CustomerID
	LoanID      LoanID
	// Target is the key of the thing that must not be acted on twice at a time: "loan:…" for a loan.
	Target string
	// EntityID is what came of it: the id of a payment, score, report, supplier, document or webhook.
	EntityID string
	// Reference is what the provider knows the operation by: Carbon's reference, OnePipe's
	// transaction_ref, the token in TrustDecision's ext.
	Reference string
	Prompt    string // what to ask the customer for, in the provider's words
	Failure   *Failure
	// Input is the request as JSON, with what it takes to finish it after a crash. It is personal:
	// encrypted at rest, and dropped when the operation is settled where it holds an OTP or a credential.
	Input []byte
	// Result is what was answered, so that a replay answers the same to the byte.
	Result []byte
	// Warnings are the formats that only looked odd.
	Warnings    []Problem
	Attempts    int
	Lease       Lease
	NextCheckAt time.Time // when the completer looks at it next; zero for never
	RequestedAt time.Time
	SettledAt   time.Time
	UpdatedAt   time.Time
	// Replayed says that this answer repeats an earlier one. It is not stored.
	Replayed bool
	// Evidence is what an operator gave as proof when settling it by hand.
	Evidence string
}

// Lease is who works on an operation and until when. Fence grows with every holder: a commit under an
// older fence is refused, so that a process that slept through its lease cannot overwrite its successor.
type Lease struct {
	Owner string
	Until time.Time
	Fence int64
}

// OperationFilter narrows a list of operations. Each empty field does not narrow.
type OperationFilter struct {
	Status     []OperationStatus
	Kinds      []OperationKind
	Providers  []Provider
	CustomerID CustomerID
	LoanID     LoanID
}
