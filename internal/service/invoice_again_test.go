package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// failedInvoice pays an invoice that then fails, as Kredmint tells.
func (b *bench) failedInvoice(customer lending.CustomerID) *lending.Loan {
	b.Helper()
	b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer)))
	b.invoiceNews("IN-1", lending.LoanFailed, "Failed")
	b.clock.pass(time.Minute)
	return b.loansOf(customer)[0]
}

// invoiceNews delivers what Kredmint tells of the invoice INV-1 of everywhere("1").
func (b *bench) invoiceNews(id string, status lending.LoanStatus, word string) {
	b.Helper()
	b.kredmint.tell(id+word, loanNews(lending.EventInvoiceStatusChanged, "9876543211", lending.Loan{
		ExternalID: id, Reference: "INV-1", Status: status, ProviderStatus: word, Principal: rupees("100000.50"),
	}))
	b.deliver(b.kredmint, id+word)
}

func again(in *service.PayInvoiceInput) { in.IdempotencyKey = "2" }

func TestNewsOfAnInvoicesSecondAttemptIsNotTakenForTheFirst(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"the answer comes": nil, "the answer is lost": at(lending.Kredmint, errLost)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer(everywhere("1")...)
			first := b.failedInvoice(customer)
			b.kredmint.payInvoice = func(provider.Invoice) (provider.InvoiceResult, error) {
				b.invoiceNews("IN-2", lending.LoanPendingReview, "Initiated")
				b.invoiceNews("IN-2", lending.LoanDisbursed, "Paid")
				return provider.InvoiceResult{}, err
			}
			second := b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer, again)))
			b.status(second, lending.OpSucceeded)
			loans := b.loansOf(customer)
			if len(loans) != 1 || loans[0].ID != first.ID || loans[0].Status != lending.LoanDisbursed || loans[0].Conflict || loans[0].ExternalID != "IN-2" {
				t.Errorf("%d loans, the first %+v", len(loans), loans[0])
			}
		})
	}
}

func TestAnInvoiceWhoseSecondAttemptIsRefusedStaysFailed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	first := b.failedInvoice(customer)
	b.kredmint.payInvoice = func(provider.Invoice) (provider.InvoiceResult, error) {
		return provider.InvoiceResult{}, at(lending.Kredmint, errRefused)
	}
	second := b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer, again)))
	b.status(second, lending.OpFailed)
	if loan := b.theLoan(first.ID); loan.Status != lending.LoanFailed || loan.ProviderStatus != "Failed" || loan.ExternalID != "IN-1" {
		t.Errorf("the loan is %+v", loan)
	}
}

// A process that dies over the second attempt leaves an outcome that nobody knows: that the first failed is no
// proof of the second.
func TestACrashOverAnInvoicesSecondAttemptIsNotProvenByTheFirst(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]bool{"before it was sent": false, "after it was sent": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dying := &crashing{}
			unwritable := &stuck{Store: dying}
			b := setup(t, func(c *service.Config) { dying.Store = c.Store; c.Store = unwritable })
			customer := b.customer(everywhere("1")...)
			first := b.failedInvoice(customer)
			dying.dead, unwritable.dead = true, !sent
			answers := *b
			answers.dying = true
			answers.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer, again)))
			b.serve()
			b.look(3, time.Hour)
			op, err := b.store.OperationByKey(b.ctx, caller.ClientID, "2")
			b.must(err)
			if op.Status != lending.OpOutcomeUnknown || op.LoanID != first.ID {
				t.Errorf("it is %s, of loan %s", op.Status, op.LoanID)
			}
			if loan := b.theLoan(first.ID); loan.Status != lending.LoanOutcomeUnknown {
				t.Errorf("the loan is %s", loan.Status)
			}
			b.invoiceNews("IN-2", lending.LoanDisbursed, "Paid")
			if op := b.theOperation(op.ID); op.Status != lending.OpSucceeded {
				t.Errorf("the news leaves it %s", op.Status)
			}
		})
	}
}

// stuck is a store that writes no loan once it is dead.
type stuck struct {
	service.Store
	dead bool
}

func (s *stuck) SaveLoan(ctx context.Context, loan *lending.Loan) error {
	if s.dead {
		return errDown
	}
	return s.Store.SaveLoan(ctx, loan)
}
