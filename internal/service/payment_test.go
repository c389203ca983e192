package service_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// paymentOn is a good payment of an instalment on a loan, with changes.
func paymentOn(loan lending.LoanID, changes ...func(*service.RecordPaymentInput)) service.RecordPaymentInput {
	in := service.RecordPaymentInput{
		IdempotencyKey: "pay-1", LoanID: loanGID(loan), Amount: money("179166.67", lending.NGN),
		Method: lending.BankTransfer, Reference: "TRX-1", PaidOn: lending.NewDate(2026, 4, 16),
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

// numbered gives a payment a key and a reference of its own.
func numbered(n string) func(*service.RecordPaymentInput) {
	return func(in *service.RecordPaymentInput) { in.IdempotencyKey, in.Reference = "pay-"+n, "TRX-"+n }
}

func TestPaymentsMoveTheLoan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer(), lending.LoanDisbursed)
	first := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan)))
	b.status(first, lending.OpSucceeded)
	if l := b.theLoan(loan); l.Status != lending.LoanActive || l.Paid != naira("179166.67") || l.Outstanding != naira("358333.33") {
		t.Errorf("the loan is %s, with %s paid and %s open", l.Status, l.Paid, l.Outstanding)
	}
	again := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, func(in *service.RecordPaymentInput) { in.Amount = money("179166.670", lending.NGN) })))
	same(b, *again, *first, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	if e := b.eventLog()[0]; e.Type != lending.EventPaymentReceived || e.PaymentID != first.Payment.ID || e.LoanID != loan {
		t.Errorf("the event is %+v", e)
	}
	b.status(b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, numbered("2")))), lending.OpSucceeded)
	last := paymentOn(loan, numbered("3"), func(in *service.RecordPaymentInput) { in.Amount = money("179166.66", lending.NGN) })
	b.status(b.done(b.service.RecordPayment(b.ctx, caller, last)), lending.OpSucceeded)
	if l := b.theLoan(loan); l.Status != lending.LoanRepaid || l.Outstanding != naira("0") {
		t.Errorf("the loan is %s with %s open", l.Status, l.Outstanding)
	}
	b.wants(b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, numbered("4")))), "CONFLICT loanId")
	replayed := b.done(b.service.RecordPayment(b.ctx, caller, last))
	if replayed.Operation == nil || !replayed.Operation.Replayed {
		t.Errorf("the payment that repaid the loan is judged by what it brought about: %+v", replayed.Problems)
	}
	if n := b.kredete.called("RecordPayment"); n != 3 {
		t.Errorf("sent %d times", n)
	}
}

func TestWhatIsWrongWithAPayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer()
	loan := b.loan(customer, lending.LoanDisbursed)
	elsewhere := b.loan(customer, lending.LoanDisbursed, func(l *lending.Loan) { l.Provider = lending.Carbon })
	for name, test := range map[string]struct {
		change func(*service.RecordPaymentInput)
		want   []string
	}{
		"nothing given": {
			func(in *service.RecordPaymentInput) { *in = service.RecordPaymentInput{} },
			[]string{"idempotencyKey", "loanId", "amount.currency", "reference", "method", "paidOn"},
		},
		"the day after tomorrow": {
			func(in *service.RecordPaymentInput) { in.PaidOn = lending.NewDate(2026, 4, 18) }, []string{"paidOn"},
		},
		"another currency": {
			func(in *service.RecordPaymentInput) { in.Amount = money("100", lending.INR) }, []string{"amount.currency"},
		},
		"a provider that takes none": {
			func(in *service.RecordPaymentInput) { in.LoanID = loanGID(elsewhere) }, []string{"loanId"},
		},
		"no such loan": {
			func(in *service.RecordPaymentInput) { in.LoanID = loanGID("nothing") }, []string{"NOT_FOUND loanId"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.wants(b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, test.change))), test.want...)
		})
	}
	for _, status := range []lending.LoanStatus{
		lending.LoanPendingReview, lending.LoanApproved, lending.LoanRejected, lending.LoanFailed, lending.LoanRepaid,
	} {
		b.wants(b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(b.loan(customer, status)))), "CONFLICT loanId")
	}
	if n := b.kredete.called("RecordPayment"); n != 0 {
		t.Errorf("sent %d times", n)
	}
}

func TestAReferenceCountsOnceForALoan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer()
	loan, other := b.loan(customer, lending.LoanDisbursed), b.loan(customer, lending.LoanDisbursed)
	newKey := func(in *service.RecordPaymentInput) { in.IdempotencyKey = b.id("pay") }
	b.status(b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, newKey))), lending.OpSucceeded)
	b.wants(b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, newKey))), "CONFLICT reference")
	b.kredete.recordPayment = func(p provider.NewPayment) (lending.Payment, error) {
		return lending.Payment{ExternalID: "pmt-other", Status: lending.PaymentCompleted, Amount: p.Amount}, nil
	}
	b.status(b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(other, newKey))), lending.OpSucceeded)
	if b.theLoan(loan).Paid != naira("179166.67") || b.theLoan(other).Paid != naira("179166.67") {
		t.Error("an amount was counted twice, or not at all")
	}
}

func TestAPaymentOfUnknownOutcomeIsNotCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer("KREDETE", "cust-1"), lending.LoanDisbursed)
	b.kredete.recordPayment = func(provider.NewPayment) (lending.Payment, error) {
		return lending.Payment{}, at(lending.Kredete, errLost)
	}
	result := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan)))
	b.status(result, lending.OpOutcomeUnknown)
	payments := b.paymentsOf(loan)
	if len(payments) != 1 || payments[0].Status != lending.PaymentOutcomeUnknown || b.theLoan(loan).Paid != naira("0") {
		t.Fatalf("payments: %+v, paid %s", payments, b.theLoan(loan).Paid)
	}
	blocked := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, func(in *service.RecordPaymentInput) { in.IdempotencyKey = "pay-2" })))
	if got := fields(blocked.Problems); len(got) != 1 || !strings.HasPrefix(got[0], "CONFLICT") {
		t.Errorf("problems: %v", got)
	}

	b.kredete.tell("received", provider.Notice{Type: lending.EventPaymentReceived, OccurredAt: today(), Payment: &provider.PaymentNotice{
		LoanExternalID: b.theLoan(loan).ExternalID,
		Payment:        lending.Payment{ExternalID: "pmt-1", Reference: "TRX-1", Status: lending.PaymentCompleted, Amount: naira("179166.67")},
	}})
	b.deliver(b.kredete, "received")
	if op := b.theOperation(result.Operation.ID); op.Status != lending.OpSucceeded || op.Failure != nil {
		t.Errorf("after the news the operation is %s: %+v", op.Status, op.Failure)
	}
	if got := b.theLoan(loan); got.Paid != naira("179166.67") || got.Status != lending.LoanActive || len(b.paymentsOf(loan)) != 1 {
		t.Errorf("after the news the loan is %s with %s paid by %d payments", got.Status, got.Paid, len(b.paymentsOf(loan)))
	}
	replayed := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan)))
	if replayed.Payment == nil || replayed.Payment.ExternalID != "pmt-1" || len(replayed.Problems) != 0 {
		t.Errorf("the key is answered with %+v", replayed)
	}
}

func TestNewsThatIsFasterThanALostAnswerSettlesThePayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer("KREDETE", "cust-1"), lending.LoanDisbursed)
	b.kredete.tell("received", provider.Notice{Type: lending.EventPaymentReceived, OccurredAt: today(), Payment: &provider.PaymentNotice{
		LoanExternalID: b.theLoan(loan).ExternalID,
		Payment:        lending.Payment{ExternalID: "pmt-1", Reference: "TRX-1", Status: lending.PaymentCompleted, Amount: naira("179166.67")},
	}})
	b.kredete.recordPayment = func(provider.NewPayment) (lending.Payment, error) {
		b.deliver(b.kredete, "received")
		return lending.Payment{}, at(lending.Kredete, errLost)
	}
	result := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan)))
	b.status(result, lending.OpSucceeded)
	if got := b.theLoan(loan); got.Paid != naira("179166.67") || len(b.paymentsOf(loan)) != 1 {
		t.Errorf("%s paid by %d payments", got.Paid, len(b.paymentsOf(loan)))
	}
}

func TestAPaymentThatFailedMayBeRecordedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer(), lending.LoanDisbursed)
	b.kredete.recordPayment = func(p provider.NewPayment) (lending.Payment, error) {
		return lending.Payment{ExternalID: "pmt-1", Status: lending.PaymentFailed, Amount: p.Amount}, nil
	}
	b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan)))
	if got := b.theLoan(loan); got.Paid != naira("0") || got.Status != lending.LoanDisbursed {
		t.Errorf("a failed payment made the loan %s with %s paid", got.Status, got.Paid)
	}
	b.kredete.recordPayment = nil
	again := b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(loan, func(in *service.RecordPaymentInput) { in.IdempotencyKey = "pay-2" })))
	b.status(again, lending.OpSucceeded)
	if got := b.theLoan(loan); got.Paid != naira("179166.67") {
		t.Errorf("%s paid", got.Paid)
	}
}
