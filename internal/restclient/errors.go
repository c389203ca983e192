package restclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"syscall"
)

// TransportError is a request that got no whole answer. Its text is chosen from a fixed list; the cause
// behind it may quote what a peer said, and is not for the log.
type TransportError struct {
	reason  string
	sent    bool
	timeout bool
	err     error
}

func newTransportError(err error, sent bool) *TransportError {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its text holds the whole URL
	}
	return &TransportError{reason: reasonFor(err), sent: sent, timeout: isTimeout(err), err: err}
}

// Error says in a few words what went wrong.
func (e *TransportError) Error() string {
	if e.sent {
		return "request sent, no whole answer: " + e.reason
	}
	return "request not sent: " + e.reason
}

// Sent reports whether any byte of the request may have been written.
func (e *TransportError) Sent() bool { return e.sent }

// Timeout reports whether time ran out.
func (e *TransportError) Timeout() bool { return e.timeout }

// Unwrap is the cause.
func (e *TransportError) Unwrap() error { return e.err }

var errTooLarge = errors.New("answer too large")

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// reasonFor names a cause without quoting it.
func reasonFor(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if isTimeout(err) {
		return "time ran out"
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled by the caller"
	case errors.Is(err, errTooLarge), errors.Is(err, errPath):
		return err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed early"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "host name cannot be resolved"
	}
	if isTLS(err) {
		return "no secure connection"
	}
	return "connection failed"
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok
}
