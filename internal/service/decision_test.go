package service_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// act decides on a loan by a verb: Approve, Reject or Disburse.
func (b *bench) act(verb, key string, loan lending.LoanID) *service.Result {
	b.Helper()
	in := service.LoanActionInput{IdempotencyKey: key, LoanID: loanGID(loan)}
	switch verb {
	case "Approve":
		return b.done(b.service.ApproveLoan(b.ctx, caller, in))
	case "Disburse":
		return b.done(b.service.DisburseLoan(b.ctx, caller, in))
	}
	return b.done(b.service.RejectLoan(b.ctx, caller, service.RejectLoanInput{IdempotencyKey: key, LoanID: loanGID(loan), Reason: "income"}))
}

func TestALoanIsApprovedAndPaidOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer(), lending.LoanPendingReview)
	approved := b.act("Approve", "a", loan)
	b.status(approved, lending.OpSucceeded)
	if approved.Loan.Status != lending.LoanApproved {
		t.Errorf("it is %s", approved.Loan.Status)
	}
	disbursed := b.act("Disburse", "d", loan)
	b.status(disbursed, lending.OpSucceeded)
	if disbursed.Loan.Status != lending.LoanDisbursing {
		t.Errorf("without word of the payout it is %s", disbursed.Loan.Status)
	}
	same(b, *b.theLoan(loan), *disbursed.Loan)
	same(b, b.events(), []lending.EventType{lending.EventLoanApproved, lending.EventLoanDisbursing})
	again := b.act("Disburse", "d", loan)
	if !again.Operation.Replayed || b.kredete.called("Disburse") != 1 {
		t.Error("the payout was not repeated from the records")
	}
	same(b, *again, *disbursed, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	b.wants(b.act("Disburse", "d2", loan), "CONFLICT loanId")
	if n := b.kredete.called("Disburse"); n != 1 {
		t.Errorf("paid out %d times", n)
	}
}

func TestAPayoutThatTheProviderConfirmsAtOnceIsDisbursed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer(), lending.LoanApproved)
	b.kredete.decide = func(_ context.Context, _, id string) (provider.LoanResult, error) {
		return provider.LoanResult{Loan: lending.Loan{ExternalID: id, Status: lending.LoanDisbursed, ProviderStatus: "disbursed"}}, nil
	}
	result := b.act("Disburse", "d", loan)
	if l := result.Loan; l.Status != lending.LoanDisbursed || l.DisbursedOn != lending.NewDate(2026, 4, 16) || l.Outstanding != naira("537500") {
		t.Errorf("the loan is %s, paid out on %s, with %s open", l.Status, l.DisbursedOn, l.Outstanding)
	}
	same(b, b.events(), []lending.EventType{lending.EventLoanDisbursed})
}

func TestADecisionNeedsALoanInTheRightState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer()
	review := []lending.LoanStatus{lending.LoanPendingReview, lending.LoanKYCPending, lending.LoanUnknown}
	for verb, allowed := range map[string][]lending.LoanStatus{
		"Approve": review, "Reject": review, "Disburse": {lending.LoanApproved},
	} {
		for _, status := range []lending.LoanStatus{
			lending.LoanSubmitting, lending.LoanOutcomeUnknown, lending.LoanPendingReview, lending.LoanKYCPending,
			lending.LoanOffered, lending.LoanOfferAccepted, lending.LoanApproved, lending.LoanDisbursing,
			lending.LoanDisbursed, lending.LoanActive, lending.LoanRepaid, lending.LoanRejected, lending.LoanCancelled,
			lending.LoanExpired, lending.LoanFailed, lending.LoanDefaulted, lending.LoanUnknown,
		} {
			t.Run(verb+" "+string(status), func(t *testing.T) {
				b := b.in(t)
				before := b.kredete.called(verb)
				result := b.act(verb, verb+string(status), b.loan(customer, status))
				if slices.Contains(allowed, status) {
					b.status(result, lending.OpSucceeded)
					return
				}
				b.wants(result, "CONFLICT loanId")
				if b.kredete.called(verb) != before || result.Operation != nil {
					t.Error("the provider was asked")
				}
			})
		}
	}
}

func TestWhatIsWrongWithADecision(t *testing.T) {
	t.Parallel()
	b := setup(t, without(lending.OnePipe))
	customer := b.customer()
	decides := b.loan(customer, lending.LoanPendingReview, func(l *lending.Loan) { l.Provider = lending.Carbon })
	gone := b.loan(customer, lending.LoanPendingReview, func(l *lending.Loan) { l.Provider = lending.OnePipe })
	nameless := b.loan(customer, lending.LoanPendingReview, func(l *lending.Loan) { l.ExternalID = "" })
	for name, test := range map[string]struct {
		key, loan string
		want      []string
	}{
		"nothing given":                    {"", "", []string{"idempotencyKey", "loanId"}},
		"the id of a customer":             {"k", gid(customer), []string{"loanId"}},
		"no such loan, and no key":         {"", loanGID("nothing"), []string{"idempotencyKey", "NOT_FOUND loanId"}},
		"a provider that decides itself":   {"k", loanGID(decides), []string{"loanId"}},
		"a provider that is not there":     {"k", loanGID(gone), []string{"PROVIDER_DISABLED loanId"}},
		"a loan without the provider's id": {"k", loanGID(nameless), []string{"CONFLICT loanId"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.wants(b.done(b.service.ApproveLoan(b.ctx, caller, service.LoanActionInput{IdempotencyKey: test.key, LoanID: test.loan})), test.want...)
		})
	}
	long := service.RejectLoanInput{IdempotencyKey: "k", LoanID: loanGID(decides), Reason: strings.Repeat("x", 501)}
	b.wants(b.done(b.service.RejectLoan(b.ctx, caller, long)), "reason")
}

func TestOneActionAtATimeOnALoan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer()
	loan, other := b.loan(customer, lending.LoanApproved), b.loan(customer, lending.LoanApproved)
	began, let := make(chan struct{}), make(chan struct{})
	b.kredete.decide = func(_ context.Context, _, id string) (provider.LoanResult, error) {
		if id == b.theLoan(loan).ExternalID {
			close(began)
			<-let
		}
		return provider.LoanResult{}, nil
	}
	var all sync.WaitGroup
	all.Go(func() { b.status(b.act("Disburse", "d1", loan), lending.OpSucceeded) })
	<-began
	second := b.act("Disburse", "d2", loan)
	payment := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan)))
	b.status(b.act("Disburse", "d3", other), lending.OpSucceeded)
	close(let)
	all.Wait()
	for _, result := range []*service.Result{second, payment} {
		if got := fields(result.Problems); len(got) != 1 || !strings.HasPrefix(got[0], "CONFLICT") {
			t.Errorf("problems: %v", got)
		}
	}
	if n := b.kredete.called("Disburse"); n != 2 {
		t.Errorf("%d payouts of two loans", n)
	}
}

func TestAPayoutOfUnknownOutcomeBlocksTheNext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer(), lending.LoanApproved)
	b.kredete.decide = func(context.Context, string, string) (provider.LoanResult, error) {
		return provider.LoanResult{}, at(lending.Kredete, errLost)
	}
	b.status(b.act("Disburse", "d1", loan), lending.OpOutcomeUnknown)
	if got := b.theLoan(loan).Status; got != lending.LoanApproved {
		t.Errorf("the loan is %s", got)
	}
	for range 3 {
		b.clock.pass(12 * time.Hour)
		b.must(b.service.Complete(b.ctx))
		if got := fields(b.act("Disburse", b.id("d"), loan).Problems); len(got) != 1 || !strings.HasPrefix(got[0], "CONFLICT") {
			t.Errorf("problems: %v", got)
		}
	}
	if n := b.kredete.called("Disburse"); n != 1 {
		t.Errorf("paid out %d times", n)
	}
}

func TestAPayoutThatFailedForCertainMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer(), lending.LoanApproved)
	b.kredete.decide = func(context.Context, string, string) (provider.LoanResult, error) {
		return provider.LoanResult{}, at(lending.Kredete, errRefused)
	}
	b.status(b.act("Disburse", "d1", loan), lending.OpFailed)
	b.kredete.decide = nil
	b.status(b.act("Disburse", "d2", loan), lending.OpSucceeded)
}

func TestALoanThatMovedBeforeTheCallIsNotDecidedOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	loan := b.loan(customer, lending.LoanPendingReview)
	b.kredete.tell("rejected", provider.Notice{Type: lending.EventLoanRejected, Loan: &provider.LoanNotice{
		Loan: lending.Loan{ExternalID: b.theLoan(loan).ExternalID, Status: lending.LoanRejected},
	}})
	b.deliver(b.kredete, "rejected")
	b.wants(b.act("Approve", "a", loan), "CONFLICT loanId")
	b.wants(b.act("Disburse", "d", loan), "CONFLICT loanId")
}

func TestNewsThatIsFasterThanALostAnswerSettlesThePayout(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer("KREDETE", "cust-1"), lending.LoanApproved)
	b.kredete.tell("paid out", provider.Notice{Type: lending.EventLoanDisbursed, OccurredAt: today(), Loan: &provider.LoanNotice{
		Loan: lending.Loan{ExternalID: b.theLoan(loan).ExternalID, Status: lending.LoanDisbursed},
	}})
	b.kredete.decide = func(context.Context, string, string) (provider.LoanResult, error) {
		b.deliver(b.kredete, "paid out")
		return provider.LoanResult{}, at(lending.Kredete, errLost)
	}
	b.status(b.act("Disburse", "d", loan), lending.OpSucceeded)
	if l := b.theLoan(loan); l.Status != lending.LoanDisbursed || l.Conflict {
		t.Errorf("the loan is %s, in conflict: %t", l.Status, l.Conflict)
	}
}

// meddling is a store in which something happens just before an operation is written down.
type meddling struct {
	service.Store
	before func()
}

func (m *meddling) BeginOperation(ctx context.Context, op *lending.Operation) (*lending.Operation, bool, error) {
	if m.before != nil {
		m.before()
	}
	return m.Store.BeginOperation(ctx, op)
}

func TestALoanThatMovesWhileADecisionBeginsIsNotDecidedOn(t *testing.T) {
	t.Parallel()
	meddler := &meddling{}
	b := setup(t, func(c *service.Config) { meddler.Store = c.Store; c.Store = meddler })
	loan := b.loan(b.customer("KREDETE", "cust-1"), lending.LoanApproved)
	b.kredete.tell("rejected", provider.Notice{Type: lending.EventLoanRejected, Loan: &provider.LoanNotice{
		Loan: lending.Loan{ExternalID: b.theLoan(loan).ExternalID, Status: lending.LoanRejected},
	}})
	meddler.before = func() { b.deliver(b.kredete, "rejected") }
	result := b.act("Disburse", "d", loan)
	b.status(result, lending.OpFailed)
	b.wants(result, "CONFLICT loanId")
	if n := b.kredete.called("Disburse"); n != 0 {
		t.Errorf("paid out %d times", n)
	}
}
