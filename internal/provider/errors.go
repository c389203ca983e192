package provider

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Class is what a call may do at the provider: it decides what a lost answer means.
type Class int

// The classes of calls.
const (
	// Read changes nothing: it may be asked again.
	Read Class = iota
	// Write may change something, and the provider does not dedupe: a lost answer is OUTCOME_UNKNOWN.
	Write
	// DedupedWrite changes something once for each reference of ours: it may be sent again.
	DedupedWrite
)

func (c Class) String() string {
	switch c {
	case Write:
		return "write"
	case DedupedWrite:
		return "deduped write"
	}
	return "read"
}

// delivery is what a transport error knows of its request; restclient's errors do.
type delivery interface {
	error
	// Sent reports whether any of the request may have reached the provider.
	Sent() bool
	// Timeout reports whether time ran out.
	Timeout() bool
}

// Unsent reports whether a call failed before anything of it was sent: its provider could not be reached at all,
// which is no matter of one class of calls.
func Unsent(err error) bool {
	d, ok := errors.AsType[delivery](err)
	return ok && !d.Sent() && !errors.Is(err, context.Canceled)
}

// TransportFailure is the error for a call that got no whole answer: refused, cut, timed out, half a
// body. err should tell whether anything was sent; without that the worst is assumed.
func TransportFailure(p lending.Provider, class Class, err error) *lending.Error {
	sent, timeout := true, errors.Is(err, context.DeadlineExceeded)
	if d, ok := errors.AsType[delivery](err); ok {
		sent, timeout = d.Sent(), d.Timeout() || timeout
	}
	e := &lending.Error{Provider: p, Kind: lending.KindUpstreamUnavailable, Retryable: true, Outcome: lending.NotExecuted, Err: err}
	if timeout {
		e.Kind = lending.KindTimeout
	}
	return lost(e, class, sent)
}

// StatusFailure is the error for an HTTP status that is not a success, for statuses that the provider's
// own contract does not treat otherwise. retryAfter is 0 where the provider named no time.
func StatusFailure(p lending.Provider, class Class, status int, retryAfter time.Duration) *lending.Error {
	e := &lending.Error{
		Provider: p, Kind: lending.KindUpstreamRejected, Outcome: lending.NotExecuted, RetryAfter: retryAfter,
		Err: errors.New("HTTP status " + http.StatusText(status)),
	}
	switch {
	case status == http.StatusUnauthorized:
		e.Kind = lending.KindUpstreamAuth
	case status == http.StatusForbidden:
		e.Kind = lending.KindUpstreamForbidden
	case status == http.StatusNotFound:
		e.Kind = lending.KindNotFound
	case status == http.StatusConflict:
		e.Kind = lending.KindConflict
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		e.Kind = lending.KindValidation
	case status == http.StatusTooManyRequests:
		e.Kind, e.Retryable = lending.KindRateLimited, true
	case status == http.StatusRequestTimeout || status >= 500:
		e.Kind, e.Retryable = lending.KindUpstreamUnavailable, true
		return lost(e, class, true)
	case status < 400, status == http.StatusTeapot, status == http.StatusMethodNotAllowed, status == http.StatusNotAcceptable:
		e.Kind = lending.KindUpstreamProtocol
		return lost(e, class, status < 400)
	}
	return e
}

// Garbled is the error for a success whose body cannot be understood. A write may have been carried out.
func Garbled(p lending.Provider, class Class, err error) *lending.Error {
	return lost(&lending.Error{Provider: p, Kind: lending.KindUpstreamProtocol, Outcome: lending.NotExecuted, Err: err}, class, true)
}

// lost settles what a failure means for the outcome: where a request was sent and its answer is of no
// use, a write may have happened.
func lost(e *lending.Error, class Class, sent bool) *lending.Error {
	if !sent || class == Read {
		return e
	}
	e.Outcome = lending.OutcomeUnknown
	if class == Write {
		e.Kind, e.Retryable = lending.KindOutcomeUnknown, false
		return e
	}
	e.Retryable = true
	return e
}
