package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// paidBefore delivers a payment on a loan that is not known, and news of the loan that names no amount.
func (b *bench) paidBefore(loan string) {
	b.Helper()
	b.kredete.tell("paid", provider.Notice{Type: lending.EventPaymentReceived, OccurredAt: today(), Payment: &provider.PaymentNotice{
		LoanExternalID: loan, Payment: lending.Payment{ExternalID: "pmt_1", Status: lending.PaymentCompleted, Amount: naira("100")},
	}})
	b.kredete.tell("disbursed", loanNews(lending.EventLoanDisbursed, "cust-1", lending.Loan{ExternalID: loan, Status: lending.LoanDisbursed}))
	b.deliver(b.kredete, "paid")
	b.deliver(b.kredete, "disbursed")
	if n := len(b.eventLog()); n != 2 {
		b.Fatalf("%d events of news that cannot be placed yet", n)
	}
}

// repaid checks that a loan is known with the payment that came before it.
func (b *bench) repaid(customer lending.CustomerID) *lending.Loan {
	b.Helper()
	loans := b.loansOf(customer)
	if len(loans) != 1 || loans[0].Status != lending.LoanActive || loans[0].Paid != naira("100") || loans[0].Conflict {
		b.Fatalf("loans: %+v", loans)
	}
	if got := b.paymentsOf(loans[0].ID); len(got) != 1 || got[0].ExternalID != "pmt_1" {
		b.Fatalf("payments: %+v", got)
	}
	for _, body := range []string{"paid", "disbursed"} { // once more, as its sender may
		b.deliver(b.kredete, body)
	}
	return loans[0]
}

func TestNewsBeforeItsLoanCountsOnceTheLoanIsKnown(t *testing.T) {
	t.Parallel()
	created := loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Status: lending.LoanPendingReview, Principal: naira("500000")})
	applied := func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
		return provider.LoanResult{Loan: lending.Loan{ExternalID: "loan_1", Status: lending.LoanPendingReview}}, nil
	}
	t.Run("by a webhook", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("KREDETE", "cust-1")
		b.paidBefore("loan_1")
		b.kredete.tell("created", created)
		b.deliver(b.kredete, "created")
		b.repaid(customer)
		if log := b.eventLog(); len(log) != 3 || log[2].LoanID == "" {
			t.Errorf("%d events", len(log))
		}
	})
	t.Run("by the answer to its application", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("KREDETE", "cust-1")
		b.paidBefore("loan_1")
		b.kredete.apply = applied
		result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
		b.status(result, lending.OpSucceeded)
		if loan := b.repaid(customer); result.Loan.Paid != loan.Paid || result.Loan.Status != loan.Status {
			t.Errorf("answered with a loan that is %s, with %s paid", result.Loan.Status, result.Loan.Paid)
		}
	})
	t.Run("by an operator", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		customer := b.customer("KREDETE", "cust-1")
		b.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
			return provider.LoanResult{}, at(lending.Kredete, errLost)
		}
		lost := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
		before := len(b.eventLog())
		b.kredete.tell("paid", provider.Notice{Type: lending.EventPaymentReceived, OccurredAt: today(), Payment: &provider.PaymentNotice{
			LoanExternalID: "loan_1", Payment: lending.Payment{ExternalID: "pmt_1", Status: lending.PaymentCompleted, Amount: naira("100")},
		}})
		b.deliver(b.kredete, "paid")
		b.done(b.service.ResolveOperation(b.ctx, caller, service.ResolveOperationInput{
			OperationID: opGID(lost.Operation.ID), Outcome: service.OutcomeSucceeded, Evidence: "seen at the provider", ExternalID: "loan_1",
		}))
		if loan := b.theLoan(b.loansOf(customer)[0].ID); loan.Paid != naira("100") || len(b.eventLog()) != before+2 {
			t.Errorf("%s paid, %d events", loan.Paid, len(b.eventLog())-before)
		}
	})
}

// between is a store in which something happens just before a delivery's event is appended.
type between struct {
	service.Store
	happen func()
}

func (s *between) AppendEvents(ctx context.Context, events ...*lending.Event) error {
	if do := s.happen; do != nil {
		s.happen = nil
		do()
	}
	return s.Store.AppendEvents(ctx, events...)
}

func (s *between) LoanByExternalID(ctx context.Context, name lending.Provider, id string) (*lending.Loan, error) {
	if s.happen != nil { // the other transaction is not committed yet
		return nil, lending.NotFound("loan")
	}
	return s.Store.LoanByExternalID(ctx, name, id)
}

func TestALoanThatIsCommittedWhileItsPaymentIsHeldIsFound(t *testing.T) {
	t.Parallel()
	meanwhile := &between{}
	b := setup(t, func(c *service.Config) { meanwhile.Store = c.Store; c.Store = meanwhile })
	customer := b.customer("KREDETE", "cust-1")
	loan := b.theLoan(b.loan(customer, lending.LoanDisbursed))
	meanwhile.happen = func() {}
	b.kredete.tell("paid", provider.Notice{Type: lending.EventPaymentReceived, OccurredAt: today(), Payment: &provider.PaymentNotice{
		LoanExternalID: loan.ExternalID, Payment: lending.Payment{ExternalID: "pmt_1", Status: lending.PaymentCompleted, Amount: naira("100")},
	}})
	b.deliver(b.kredete, "paid")
	b.clock.pass(time.Minute)
	b.must(b.service.Drain(b.ctx))
	if got := b.theLoan(loan.ID).Paid; got != naira("100") || len(b.eventLog()) != 1 {
		t.Errorf("%s paid, %d events", got, len(b.eventLog()))
	}
}

func TestHeldNewsThatCannotBeAppliedKeepsNoLoanBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	b.paidBefore("loan_1")
	b.kredete.translate = func(body []byte) (provider.Notice, error) {
		if string(body) == "paid" {
			return provider.Notice{}, provider.Garbled(lending.Kredete, provider.Read, fmt.Errorf("a driver that became stricter"))
		}
		b.kredete.mu.Lock()
		defer b.kredete.mu.Unlock()
		return b.kredete.notices[string(body)], nil
	}
	b.kredete.tell("created", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Status: lending.LoanPendingReview, Principal: naira("500000")}))
	b.deliver(b.kredete, "created")
	if loans := b.loansOf(customer); len(loans) != 1 || loans[0].Status != lending.LoanDisbursed {
		t.Errorf("loans: %+v", loans)
	}
	if !strings.Contains(b.log.String(), "a webhook that was held could not be applied") {
		t.Error("nothing is logged of it")
	}
}

func TestOurOwnDatabaseIsNoReasonToSetAWebhookAside(t *testing.T) {
	t.Parallel()
	down := &failing{}
	b := setup(t, func(c *service.Config) { down.Store = c.Store; c.Store = down })
	customer := b.customer("KREDETE", "cust-1")
	b.kredete.tell("created", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Principal: naira("5")}))
	down.append = true
	b.deliver(b.kredete, "created")
	for range 20 {
		b.clock.pass(time.Hour)
		b.must(b.service.Drain(b.ctx))
	}
	down.append = false
	b.clock.pass(time.Hour)
	b.must(b.service.Drain(b.ctx))
	if n := len(b.loansOf(customer)); n != 1 || len(b.eventLog()) != 1 {
		t.Errorf("%d loans, %d events", n, len(b.eventLog()))
	}
}

func TestAPayoutAndAFailureAreAConflictThatIsLoggedAndShown(t *testing.T) {
	t.Parallel()
	paid := loanNews(lending.EventInvoiceStatusChanged, "9876543211", lending.Loan{ExternalID: "IN-1", Reference: "INV-1", Status: lending.LoanDisbursed, ProviderStatus: "Paid", Principal: rupees("100")})
	failed := loanNews(lending.EventInvoiceStatusChanged, "9876543211", lending.Loan{ExternalID: "IN-1", Reference: "INV-1", Status: lending.LoanFailed, ProviderStatus: "Failed", Principal: rupees("100"), FailureReason: "no"})
	for name, order := range map[string][]provider.Notice{"the payout first": {paid, failed}, "the failure first": {failed, paid}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer(everywhere("1")...)
			for i, notice := range order {
				if i == 1 && strings.Contains(b.log.String(), "contradictory") {
					t.Error("a conflict is logged before there is one")
				}
				b.kredmint.tell(fmt.Sprint(i), notice)
				b.deliver(b.kredmint, fmt.Sprint(i))
			}
			loans := b.loansOf(customer)
			if len(loans) != 1 || !loans[0].Conflict || loans[0].Status != lending.LoanDisbursed || loans[0].ProviderStatus != "Paid" || loans[0].FailureReason != "" {
				t.Errorf("loans: %+v", loans[0])
			}
			if !strings.Contains(b.log.String(), "contradictory news of a loan") || len(b.eventLog()) != 2 {
				t.Errorf("%d events, the log: %s", len(b.eventLog()), b.log)
			}
		})
	}
}

func TestAReportThatCannotBeAskedForStarvesNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const crowd = 250 // more than are read at a time
	for i := range crowd {
		customer := b.customer()
		r := &lending.CreditReport{ID: lending.ReportID(b.id("report")), CustomerID: customer, Provider: lending.TrustDecision, Status: lending.ReportOutcomeUnknown, OrderedAt: today()}
		b.must(b.store.SaveReport(b.ctx, r)) // its order's answer was lost
		r.ID, r.Status, r.ExternalID = lending.ReportID(b.id("report")), lending.ReportOrdered, fmt.Sprint("slow-", i)
		b.must(b.store.SaveReport(b.ctx, r))
	}
	b.clock.pass(time.Minute)
	ordered := b.order(b.customer(everywhere("1")...))
	b.bureau.fetchReport = func(id string) (provider.ReportNotice, error) {
		if id == ordered.Report.ExternalID {
			return hit("CIR-1"), nil
		}
		return provider.ReportNotice{}, at(lending.TrustDecision, &lending.Error{Kind: lending.KindInProgress, Outcome: lending.NotExecuted})
	}
	b.clock.pass(time.Hour)
	b.must(b.service.Poller()(b.ctx))
	b.stands(ordered, lending.OpSucceeded)
	if n := b.bureau.called("FetchReport"); n != crowd+1 {
		t.Errorf("asked %d times for %d reports", n, crowd+1)
	}
}
