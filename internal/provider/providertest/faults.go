package providertest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// fault is one way in which an upstream breaks.
type fault struct {
	name  string
	check func(t *testing.T, h Harness, call Call)
}

var faults = []fault{
	{"nothing listens", func(t *testing.T, h Harness, call Call) {
		up := newUpstream(t, h, respond(call.Status, call.ContentType, call.Answer))
		up.close()
		e := failure(t, h, up, call, context.Background())
		want(t, e, lending.KindUpstreamUnavailable, lending.NotExecuted, true)
	}},
	{"the caller gave up before", func(t *testing.T, h Harness, call Call) {
		up := newUpstream(t, h, respond(call.Status, call.ContentType, call.Answer))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		e := failure(t, h, up, call, ctx)
		if e.Outcome != lending.NotExecuted || up.requests() != 0 {
			t.Errorf("outcome %s after %d requests, want NOT_EXECUTED after none", e.Outcome, up.requests())
		}
	}},
	{"cut without an answer", lostAnswer(func(w http.ResponseWriter, r *http.Request) { hangUp(w) }, lending.KindUpstreamUnavailable)},
	{"cut in the middle of the answer", func(t *testing.T, h Harness, call Call) {
		lostAnswer(func(w http.ResponseWriter, r *http.Request) { halfBody(w, call.Status, call.Answer) }, lending.KindUpstreamUnavailable)(t, h, call)
	}},
	{"no answer in time", func(t *testing.T, h Harness, call Call) {
		up := newUpstream(t, h, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		e := failure(t, h, up, call, deadline(t, 300*time.Millisecond))
		lost(t, e, call, lending.KindTimeout)
		once(t, up)
	}},
	{"500", status(http.StatusInternalServerError)},
	{"502 with a page", lostAnswer(page(http.StatusBadGateway), lending.KindUpstreamUnavailable)},
	{"503", status(http.StatusServiceUnavailable)},
	{"504", status(http.StatusGatewayTimeout)},
	{"200 with a page", lostAnswer(page(http.StatusOK), lending.KindUpstreamProtocol)},
	{"a redirect", lostAnswer(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}, lending.KindUpstreamProtocol)},
	{"an endless answer", func(t *testing.T, h Harness, call Call) {
		up := newUpstream(t, h, endless(call.Status))
		e := failure(t, h, up, call, deadline(t, 20*time.Second))
		if call.Class != provider.Read && e.Outcome != lending.OutcomeUnknown {
			t.Errorf("outcome %s, want UNKNOWN: the request was carried out", e.Outcome)
		}
		once(t, up)
	}},
	{"401", refused(http.StatusUnauthorized, lending.KindUpstreamAuth)},
	{"403", refused(http.StatusForbidden, lending.KindUpstreamForbidden)},
	{"429", func(t *testing.T, h Harness, call Call) {
		up := newUpstream(t, h, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		e := failure(t, h, up, call, context.Background())
		want(t, e, lending.KindRateLimited, lending.NotExecuted, true)
		if e.RetryAfter != 7*time.Second {
			t.Errorf("RetryAfter is %s, want 7s", e.RetryAfter)
		}
		once(t, up)
	}},
}

// status is an answer without a body that no provider means as a decision.
func status(code int) func(*testing.T, Harness, Call) {
	return lostAnswer(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }, lending.KindUpstreamUnavailable)
}

// lostAnswer checks a call whose request arrived and whose answer is of no use.
func lostAnswer(answer http.HandlerFunc, readKind lending.ErrorKind) func(*testing.T, Harness, Call) {
	return func(t *testing.T, h Harness, call Call) {
		up := newUpstream(t, h, answer)
		e := failure(t, h, up, call, deadline(t, 10*time.Second))
		lost(t, e, call, readKind)
		once(t, up)
	}
}

// lost checks the rule of unknown outcomes: a read just failed; a write may have happened, and only one
// that the provider dedupes may be sent again.
func lost(t *testing.T, e *lending.Error, call Call, readKind lending.ErrorKind) {
	t.Helper()
	switch call.Class {
	case provider.Read:
		retryable := readKind != lending.KindUpstreamProtocol
		want(t, e, readKind, lending.NotExecuted, retryable)
	case provider.Write:
		want(t, e, lending.KindOutcomeUnknown, lending.OutcomeUnknown, false)
	case provider.DedupedWrite:
		want(t, e, readKind, lending.OutcomeUnknown, true)
	}
}

// refused checks a call that the upstream turned away before doing anything.
func refused(code int, kind lending.ErrorKind) func(*testing.T, Harness, Call) {
	return func(t *testing.T, h Harness, call Call) {
		up := newUpstream(t, h, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) })
		e := failure(t, h, up, call, context.Background())
		want(t, e, kind, lending.NotExecuted, false)
		most := 1
		if code == http.StatusUnauthorized {
			most = max(1, call.SentOn401)
		}
		if n := up.requests(); n > most {
			t.Errorf("sent %d times, want at most %d", n, most)
		}
	}
}

func failure(t *testing.T, h Harness, up *upstream, call Call, ctx context.Context) *lending.Error {
	t.Helper()
	got, err := call.Do(ctx, h.New(t, up.url))
	if err == nil {
		t.Fatalf("taken for a success: %+v", got)
	}
	return wellFormed(t, h, up, err)
}

func want(t *testing.T, e *lending.Error, kind lending.ErrorKind, outcome lending.Outcome, retryable bool) {
	t.Helper()
	if e.Kind != kind || e.Outcome != outcome || e.Retryable != retryable {
		t.Errorf("got %s, outcome %s, retryable %t; want %s, %s, %t (%s)",
			e.Kind, e.Outcome, e.Retryable, kind, outcome, retryable, e.Detail())
	}
}

func once(t *testing.T, up *upstream) {
	t.Helper()
	if n := up.requests(); n != 1 {
		t.Errorf("sent %d times, want once", n)
	}
}
