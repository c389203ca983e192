package lending

import (
	"errors"
	"fmt"
	"time"
)

// ErrorKind is the closed list of what can go wrong, as clients see it in extensions.code.
type ErrorKind string

// The kinds of errors.
const (
	KindUnauthenticated     ErrorKind = "UNAUTHENTICATED"
	KindForbidden           ErrorKind = "FORBIDDEN"
	KindNotFound            ErrorKind = "NOT_FOUND"
	KindValidation          ErrorKind = "VALIDATION"
	KindKYCRequired         ErrorKind = "KYC_REQUIRED"
	KindConflict            ErrorKind = "CONFLICT"
	KindKeyReused           ErrorKind = "IDEMPOTENCY_KEY_REUSED"
	KindInProgress          ErrorKind = "IN_PROGRESS"
	KindOTPRequired         ErrorKind = "OTP_REQUIRED"
	KindRateLimited         ErrorKind = "RATE_LIMITED"
	KindProviderDisabled    ErrorKind = "PROVIDER_DISABLED"          // not configured, not purchased, suspended
	KindBalanceExhausted    ErrorKind = "PROVIDER_BALANCE_EXHAUSTED" // our prepaid balance there is used up
	KindReportWindowExpired ErrorKind = "REPORT_WINDOW_EXPIRED"      // the report can no longer be fetched
	KindUpstreamAuth        ErrorKind = "UPSTREAM_AUTH"              // the provider refused our credentials
	KindUpstreamForbidden   ErrorKind = "UPSTREAM_FORBIDDEN"         // our credentials do not cover the call
	KindUpstreamRejected    ErrorKind = "UPSTREAM_REJECTED"          // the provider understood and said no
	KindUpstreamProtocol    ErrorKind = "UPSTREAM_PROTOCOL"          // the provider's answer makes no sense
	KindUpstreamUnavailable ErrorKind = "UPSTREAM_UNAVAILABLE"       // the provider cannot be reached or failed
	KindTimeout             ErrorKind = "TIMEOUT"                    // no answer within the deadline
	KindOutcomeUnknown      ErrorKind = "OUTCOME_UNKNOWN"            // it cannot be known whether it happened
	KindCursorExpired       ErrorKind = "CURSOR_EXPIRED"             // the event log no longer reaches back so far
	KindComplexityLimit     ErrorKind = "COMPLEXITY_LIMIT"
	KindUnavailable         ErrorKind = "UNAVAILABLE" // our own database cannot be reached
	KindInternal            ErrorKind = "INTERNAL"
)

// Valid reports whether k is in the closed list.
func (k ErrorKind) Valid() bool {
	switch k {
	case KindUnauthenticated, KindForbidden, KindNotFound, KindValidation, KindKYCRequired, KindConflict,
		KindKeyReused, KindInProgress, KindOTPRequired, KindRateLimited, KindProviderDisabled,
		KindBalanceExhausted, KindReportWindowExpired, KindUpstreamAuth, KindUpstreamForbidden,
		KindUpstreamRejected, KindUpstreamProtocol, KindUpstreamUnavailable, KindTimeout,
		KindOutcomeUnknown, KindCursorExpired, KindComplexityLimit, KindUnavailable, KindInternal:
		return true
	}
	return false
}

// Outcome says what a failed call did at the provider.
type Outcome string

// The outcomes of a failed call.
const (
	NotExecuted    Outcome = "NOT_EXECUTED" // certainly nothing happened there
	OutcomeUnknown Outcome = "UNKNOWN"      // it may have happened
	Executed       Outcome = "EXECUTED"     // it happened; only the answer is of no use
)

// Valid reports whether o is a known outcome.
func (o Outcome) Valid() bool { return o == NotExecuted || o == OutcomeUnknown || o == Executed }

// Problem is one thing that is wrong with an input, for the person who sent it.
type Problem struct {
	Kind    ErrorKind `json:"code"`
	Message string    `json:"message"` // says what to do
	Field   []string  `json:"field"`   // path into the input: input, amount
}

// Error is a failure of a closed kind. Its text is fit for people and holds nothing of the provider's
// words, of secrets or of personal data; the cause behind it is for our own log alone.
type Error struct {
	Kind     ErrorKind
	Provider Provider // "" for our own failures
	Message  string   // public; "" gives the kind's own sentence
	// Retryable says that the same request may succeed later. It does not say that repeating a write is
	// safe: for that Outcome has to be NotExecuted.
	Retryable    bool
	Outcome      Outcome
	RetryAfter   time.Duration // how long to wait, when the provider said so
	ProviderCode string        // the provider's own code, when it has the shape of a code
	RequestID    string        // the provider's id of the request
	Problems     []Problem     // what was wrong with the input, when that is known
	Err          error         // the cause: never shown
}

// Error is the public text.
func (e *Error) Error() string {
	if e.Message != "" {
		return e.Message
	}
	name := e.Provider.Title()
	if name == "" {
		name = "The provider"
	}
	switch e.Kind {
	case KindNotFound:
		return "Not found."
	case KindRateLimited:
		return name + " takes no more requests for the moment. Try again later."
	case KindProviderDisabled:
		return name + " is not available to this service."
	case KindBalanceExhausted:
		return "The prepaid balance at " + name + " is used up."
	case KindReportWindowExpired:
		return name + " no longer holds the report. Order it again."
	case KindUpstreamAuth, KindUpstreamForbidden:
		return name + " refused this service's credentials."
	case KindConflict:
		return name + " says that this does not go with how things stand there."
	case KindUpstreamRejected, KindValidation:
		return name + " refused the request."
	case KindUpstreamProtocol:
		return name + " gave an answer that cannot be understood."
	case KindUpstreamUnavailable:
		return name + " cannot be reached at the moment."
	case KindTimeout:
		return name + " did not answer in time."
	case KindOutcomeUnknown:
		return "It is not known yet whether " + name + " carried this out."
	case KindKYCRequired:
		return name + " needs the customer's identity to be verified first."
	case KindUnavailable:
		return "The service's own records cannot be reached at the moment. Try again later."
	}
	return "Something went wrong on our side."
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Detail is the text for our own log: the kind and the cause, which holds no secret either.
func (e *Error) Detail() string {
	return fmt.Sprintf("%s at %s (%s): %v", e.Kind, e.Provider, e.Outcome, e.Err)
}

// AsError finds the *Error in err. Another error becomes KindInternal around it; nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: KindInternal, Outcome: OutcomeUnknown, Err: err}
}

// KindOf is the kind of err: "" for nil, KindInternal for an error of no kind.
func KindOf(err error) ErrorKind {
	if e := AsError(err); e != nil {
		return e.Kind
	}
	return ""
}

// IsNotFound reports whether err says that the thing asked for does not exist.
func IsNotFound(err error) bool { return KindOf(err) == KindNotFound }

// NotFound is the error for a thing that is not there. what is a noun: "customer".
func NotFound(what string) *Error {
	return &Error{Kind: KindNotFound, Message: "There is no such " + what + ".", Outcome: NotExecuted}
}

// Invalid is the error for an input with problems.
func Invalid(problems ...Problem) *Error {
	return &Error{
		Kind: KindValidation, Outcome: NotExecuted, Problems: problems,
		Message: "The input has problems; each is listed with its field.",
	}
}
