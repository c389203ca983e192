package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/reliability"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/service"
)

// actCrowd sends many requests at the same time.
func (w *actWorld) actCrowd(requests []actRequest) []actAnswer {
	var (
		sent    sync.WaitGroup
		begin   = make(chan struct{})
		answers = make([]actAnswer, len(requests))
	)
	for i, request := range requests {
		sent.Go(func() {
			<-begin
			answers[i] = w.send(request)
		})
	}
	close(begin)
	sent.Wait()
	return answers
}

// wantOneOf checks that one of many requests was carried out, and that everybody else is told what to mend.
func (w *actWorld) wantOneOf(answers []actAnswer) {
	w.t.Helper()
	succeeded := 0
	for _, answer := range answers {
		switch {
		case answer.status() == lending.OpSucceeded:
			succeeded++
		case !slices.Equal(answer.codes(), []lending.ErrorKind{lending.KindConflict}) || answer.UserErrors[0].Message == "":
			w.t.Errorf("answered %s %v", answer.raw, answer.errors)
		case answer.status() != "" && answer.status() != lending.OpFailed:
			w.t.Errorf("one that was refused is %s", answer.status())
		}
	}
	if succeeded != 1 {
		w.t.Errorf("%d of %d succeeded", succeeded, len(answers))
	}
}

// TestOneActionAtATime lets twenty people do the same thing under keys of their own.
func TestOneActionAtATime(t *testing.T) {
	t.Parallel()
	const people = 20
	for name, test := range map[string]struct {
		route   string
		request func(w *actWorld) func(key string) actRequest
	}{
		"disburse a loan": {"POST /v2/loans/{id}/disburse", func(w *actWorld) func(string) actRequest {
			loan := w.loanAt("crowd", 1, "approve")
			return func(key string) actRequest { return w.loanRequest("disburseLoan", key, loan) }
		}},
		"approve a loan": {"POST /v2/loans/{id}/approve", func(w *actWorld) func(string) actRequest {
			loan := w.loanAt("crowd", 1)
			return func(key string) actRequest { return w.loanRequest("approveLoan", key, loan) }
		}},
		"record a payment": {"POST /v2/payments", func(w *actWorld) func(string) actRequest {
			loan := w.loanAt("crowd", 1, "approve", "disburse")
			return func(key string) actRequest { return w.paymentRequest(key, loan, "TRF-crowd") }
		}},
		"pay an invoice": {"POST /user/eligibility", func(w *actWorld) func(string) actRequest {
			return func(key string) actRequest { return w.invoiceRequest(key, "INV-crowd", "") }
		}},
		"apply under one reference": {"POST /v1/loans/apply", func(w *actWorld) func(string) actRequest {
			return func(key string) actRequest {
				return w.carbonRequest(key, 1).with(actFields{"reference": "MERCH-1"})
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := actStart(t)
			make := test.request(w)
			var requests []actRequest
			for i := range people {
				requests = append(requests, make(fmt.Sprintf("person-%d", i)))
			}
			w.settle()
			w.wantOneOf(w.actCrowd(requests))
			calls := 0
			for _, p := range lending.Providers() {
				calls += w.calls(p, test.route)
			}
			if calls != 1 {
				t.Errorf("%d calls", calls)
			}
			w.settle()
			w.check()
		})
	}
}

// TestActionsOnOneLoanExcludeEachOther: while an action's outcome is not known, no other one is begun.
func TestActionsOnOneLoanExcludeEachOther(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	loan := w.loanAt("locked", 1)
	w.settle()
	w.fault(lending.Kredete, twin.Rule{Match: twin.Match{Path: "/v2/loans"}, Kind: twin.CutBeforeEffect, Times: 1})
	lost := w.send(w.loanRequest("approveLoan", "lost", loan))
	if lost.status() != lending.OpOutcomeUnknown {
		t.Fatalf("answered %s", lost.raw)
	}
	before := w.allCalls(lending.Kredete)
	for n, mutation := range []string{"approveLoan", "rejectLoan", "disburseLoan"} {
		answer := w.send(w.loanRequest(mutation, fmt.Sprintf("other-%d", n), loan))
		if !slices.Equal(answer.codes(), []lending.ErrorKind{lending.KindConflict}) || answer.Operation != nil {
			t.Errorf("%s: %s", mutation, answer.raw)
		}
	}
	if after := w.allCalls(lending.Kredete); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("calls %v, before %v", after, before)
	}
	resolved, err := w.app.service.ResolveOperation(t.Context(), service.Caller{ClientID: "operator"}, service.ResolveOperationInput{
		OperationID: lost.Operation.ID, Outcome: service.OutcomeFailed, Evidence: "The provider's log has no such call.",
	})
	if err := done(resolved, err); err == nil || resolved.Operation.Status != lending.OpFailed {
		t.Fatalf("resolved %v: %v", resolved, err)
	}
	if answer := w.send(w.loanRequest("approveLoan", "anew", loan)); answer.status() != lending.OpSucceeded {
		t.Errorf("once it is settled: %s", answer.raw)
	}
	w.settle()
	w.check()
}

// TestGuards: what makes no sense in a loan's state is refused with the reason, and nothing is sent.
func TestGuards(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	pending, approved := w.loanAt("pending", 1), w.loanAt("approved", 2, "approve")
	rejected, paid := w.loanAt("rejected", 3, "reject"), w.loanAt("paid", 4, "approve", "disburse")
	w.settle()
	before := w.allCalls(lending.Kredete)
	for name, test := range map[string]struct {
		request actRequest
		says    string
	}{
		"pay out what is not approved":  {w.loanRequest("disburseLoan", "g1", pending), "PENDING_REVIEW"},
		"pay out what is rejected":      {w.loanRequest("disburseLoan", "g2", rejected), "REJECTED"},
		"pay out twice":                 {w.loanRequest("disburseLoan", "g3", paid), "DISBURSED"},
		"approve twice":                 {w.loanRequest("approveLoan", "g4", approved), "APPROVED"},
		"approve what is rejected":      {w.loanRequest("approveLoan", "g5", rejected), "REJECTED"},
		"reject what is paid out":       {w.loanRequest("rejectLoan", "g6", paid), "DISBURSED"},
		"repay what is not paid out":    {w.paymentRequest("g7", approved, "TRF-g7"), "APPROVED"},
		"repay what is under review":    {w.paymentRequest("g8", pending, "TRF-g8"), "PENDING_REVIEW"},
		"repay in another currency":     {w.paymentRequest("g9", paid, "TRF-g9").with(actFields{"amount": actMoney("10", lending.INR)}), "NGN"},
		"decide where the lender does":  {w.loanRequest("approveLoan", "g10", actLoan{id: w.send(w.carbonRequest("g10-apply", 5)).Loan.ID}), "Carbon"},
		"repay where nobody takes it":   {w.paymentRequest("g11", actLoan{id: w.send(w.carbonRequest("g11-apply", 6)).Loan.ID}, "TRF-g11"), "Carbon"},
		"decide on what does not exist": {w.loanRequest("approveLoan", "g12", actLoan{id: lending.GlobalID(lending.LoanNode, "none")}), "no such loan"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := w.on(t).send(test.request)
			if answer.Operation != nil || len(answer.UserErrors) != 1 || !strings.Contains(answer.UserErrors[0].Message, test.says) {
				t.Errorf("answered %s %v", answer.raw, answer.errors)
			}
		})
	}
	if after := w.allCalls(lending.Kredete); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("calls %v, before %v", after, before)
	}
	w.check()
}

// TestADocumentMovesMoneyOnce: two fields that move money in one document are refused as a whole, however they
// are written; other actions go one after the other.
func TestADocumentMovesMoneyOnce(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	one, two := w.loanAt("one", 1, "approve"), w.loanAt("two", 2, "approve")
	w.settle()
	before := w.allCalls(lending.Kredete)
	variables := actFields{
		"one": actFields{"idempotencyKey": "d1", "loanId": one.id}, "two": actFields{"idempotencyKey": "d2", "loanId": two.id},
	}
	const head = "mutation ($one: DisburseLoanInput!, $two: DisburseLoanInput!) "
	for name, document := range map[string]string{
		"aliases":   head + `{ a: disburseLoan(input: $one) { operation { id } } b: disburseLoan(input: $two) { operation { id } } }`,
		"fragments": head + `{ ...F ... on Mutation { b: disburseLoan(input: $two) { operation { id } } } } fragment F on Mutation { a: disburseLoan(input: $one) { operation { id } } }`,
		"two kinds": head + `{ a: disburseLoan(input: $one) { operation { id } } b: recordPayment(input: {idempotencyKey: "d3", loanId: "` + two.id +
			`", amount: {amount: "1", currency: NGN}, method: CASH, reference: "r", paidOn: "2026-01-01"}) { operation { id } } c: approveLoan(input: {idempotencyKey: "d4", loanId: "` + two.id + `"}) { operation { id } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			var data map[string]any
			errs := w.on(t).post(actFields{"query": document, "variables": variables}, &data)
			if len(errs) == 0 || data["a"] != nil || data["b"] != nil {
				t.Errorf("data %v, errors %v", data, errs)
			}
		})
	}
	if after := w.allCalls(lending.Kredete); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("calls %v, before %v", after, before)
	}
	fresh := w.loanAt("fresh", 3)
	var data map[string]actAnswer
	w.post(actFields{
		"query": `mutation ($a: ApproveLoanInput!, $d: DisburseLoanInput!) { approveLoan(input: $a) { operation { id status } } disburseLoan(input: $d) { operation { id status } } }`,
		"variables": actFields{
			"a": actFields{"idempotencyKey": "f1", "loanId": fresh.id}, "d": actFields{"idempotencyKey": "f2", "loanId": fresh.id},
		},
	}, &data)
	if data["approveLoan"].status() != lending.OpSucceeded || data["disburseLoan"].status() != lending.OpSucceeded {
		t.Errorf("approval and payout in one document: %v", data)
	}
	w.settle()
	w.check()
}

// TestTheProvidersOwnRefusal: what was decided behind our back is the provider's to know; its refusal is told
// to the user, and the loan is not called approved.
func TestTheProvidersOwnRefusal(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	loan := w.loanAt("behind", 1)
	all, err := providers(&w.app.settings, time.Now, w.app.logger, service.NewHealth(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	kredete := all[slices.IndexFunc(all, func(p *provider.Provider) bool { return p.Name == lending.Kredete })]
	if _, err := kredete.Decisions.Reject(t.Context(), loan.external, "Decided elsewhere"); err != nil {
		t.Fatal(err)
	}
	answer := w.send(w.loanRequest("approveLoan", "approve", loan))
	if answer.status() != lending.OpFailed || len(answer.UserErrors) != 1 || answer.UserErrors[0].Message == "" {
		t.Errorf("answered %s %v", answer.raw, answer.errors)
	}
	found, err := w.app.records.LoanByExternalID(t.Context(), lending.Kredete, loan.external)
	if err != nil || found.Status != lending.LoanPendingReview {
		t.Errorf("the loan is %v: %v", found, err)
	}
	h := w.history()
	h.Effects = slices.DeleteFunc(h.Effects, func(e reliability.Effect) bool { return e.Name == "loan.reject" })
	for _, v := range reliability.Check(h) {
		t.Errorf("%s", v)
	}
	if n := w.calls(lending.Kredete, http.MethodPost+" /v2/loans/{id}/approve"); n != 1 {
		t.Errorf("%d calls", n)
	}
}
