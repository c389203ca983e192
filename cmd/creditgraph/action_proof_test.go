package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

func actAfter(span time.Duration) twin.Duration { return twin.Duration(span) }

// TestNewsOfTwoApplicationsWithTheSameTerms: the first one never reached the provider, and the news of the
// second one, which is faster than its answer, does not count for the first.
func TestNewsOfTwoApplicationsWithTheSameTerms(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	path := twin.Match{Method: http.MethodPost, Path: "/v2/loans"}
	w.fault(lending.Kredete, twin.Rule{Match: path, Kind: twin.CutBeforeEffect, Times: 1})
	never := w.send(w.applyRequest("never-sent", 1))
	w.fault(lending.Kredete, twin.Rule{Match: path, Kind: twin.Delay, AfterEffect: true, Delay: actAfter(600 * time.Millisecond), Times: 1})
	second := w.send(w.applyRequest("sent", 1))
	if second.status() != lending.OpSucceeded {
		t.Fatalf("the second: %s %v", second.raw, second.errors)
	}
	w.settle()
	if got := w.stored(never.operation(t)).Status; got != lending.OpOutcomeUnknown {
		t.Errorf("the one that was never sent is %s", got)
	}
	w.check()
}

// TestNewsOfTwoInvoicesOfTheSameAmount: what a provider tells of one invoice by its number is never news of
// another one, be the amounts the same and the first one's outcome unknown.
func TestNewsOfTwoInvoicesOfTheSameAmount(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	path := twin.Match{Method: http.MethodPost, Path: "/user/eligibility"}
	w.fault(lending.Kredmint, twin.Rule{Match: path, Kind: twin.CutBeforeEffect, Times: 1})
	never := w.send(w.invoiceRequest("never-sent", "INV-1", ""))
	w.fault(lending.Kredmint, twin.Rule{Match: path, Kind: twin.Delay, AfterEffect: true, Delay: actAfter(600 * time.Millisecond), Times: 1})
	second := w.send(w.invoiceRequest("sent", "INV-2", ""))
	if second.status() != lending.OpSucceeded {
		t.Fatalf("the second: %s %v", second.raw, second.errors)
	}
	w.settle()
	if got := w.stored(never.operation(t)).Status; got != lending.OpOutcomeUnknown {
		t.Errorf("the one that was never sent is %s", got)
	}
	w.check()
}

// TestLateNewsWhileTheSameTermsAreAskedForAgain: the first application's news comes while a second one is
// under way, and waits until the second one's answer tells which loan is whose.
func TestLateNewsWhileTheSameTermsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	path := twin.Match{Method: http.MethodPost, Path: "/v2/loans"}
	w.fault(lending.Kredete, twin.Rule{Match: twin.Match{Event: "loan.created"}, Kind: twin.Late, Delay: actAfter(500 * time.Millisecond), Times: 1})
	w.fault(lending.Kredete, twin.Rule{Match: path, Kind: twin.CutAfterEffect, Times: 1})
	first := w.send(w.applyRequest("first", 1))
	w.fault(lending.Kredete, twin.Rule{Match: twin.Match{Event: "loan.created"}, Kind: twin.Drop, Times: 1})
	w.fault(lending.Kredete, twin.Rule{Match: path, Kind: twin.Delay, AfterEffect: true, Delay: actAfter(1200 * time.Millisecond), Times: 1})
	second := w.send(w.applyRequest("second", 1))
	if second.status() != lending.OpSucceeded {
		t.Fatalf("the second: %s %v", second.raw, second.errors)
	}
	w.becomes(first.operation(t), lending.OpSucceeded)
	w.settle()
	w.check()
	if a, b := w.stored(first.operation(t)).LoanID, w.stored(second.operation(t)).LoanID; a == b {
		t.Errorf("both have the loan %s", a)
	}
}

// TestWhatAnotherOperationMadeIsNoProof: the same request under two keys is two requests. When the second one
// never reached the provider, what the first one made is not taken for it.
func TestWhatAnotherOperationMadeIsNoProof(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	for name, test := range map[string]struct {
		provider lending.Provider
		path     string
		list     string
		request  func(key string) actRequest
	}{
		"a supplier": {lending.Kredmint, "/account/supplier", "GET /account/supplier", func(key string) actRequest { return w.supplierRequest(key, 1) }},
		"a customer": {lending.Kredete, "/v2/customers", "GET /v2/customers", func(key string) actRequest { return w.customerRequest(key, 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.on(t)
			if first := w.send(test.request(name[2:] + "-1")); first.status() != lending.OpSucceeded {
				t.Fatalf("the first: %s %v", first.raw, first.errors)
			}
			listed := w.calls(test.provider, test.list)
			w.fault(test.provider, twin.Rule{Match: twin.Match{Method: http.MethodPost, Path: test.path}, Kind: twin.CutBeforeEffect, Times: 1})
			second := w.send(test.request(name[2:] + "-2"))
			w.eventually("the list to be looked through", func() (string, bool) {
				op := w.stored(second.operation(t))
				return string(op.Status), w.calls(test.provider, test.list) > listed && op.Attempts > 1 && op.Status != lending.OpInProgress
			})
			if got := w.stored(second.operation(t)).Status; got != lending.OpOutcomeUnknown {
				t.Errorf("the second is %s", got)
			}
		})
	}
	w.check()
}
