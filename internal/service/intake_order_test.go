package service_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// course is how the four actions on a loan of Kredete's and the webhooks that tell of them meet.
type course struct {
	// moments are when each action's webhooks come: while the provider is being called, right after its
	// answer, or when all is over.
	moments [4]string
	lost    [4]bool           // whether the action's answer is
	late    func([]int) []int // an order of those that come when all is over
}

// lifetime is one loan of Kredete's with its webhooks: 0 created, 1 approved, 2 disbursed, 3 loan.repayment and
// 4 payment.received, both of one payment.
type lifetime struct {
	*bench
	n        int
	course   course
	customer lending.CustomerID
	late     []int
}

func (l *lifetime) external() string { return fmt.Sprint("loan_x", l.n) }

func (l *lifetime) tellAll() {
	word := func(kind lending.EventType, status lending.LoanStatus, text string) provider.Notice {
		loan := lending.Loan{ExternalID: l.external(), Status: status, ProviderStatus: text}
		if status == lending.LoanPendingReview || status == lending.LoanDisbursed {
			loan.Principal = naira("500000")
		}
		if status == lending.LoanDisbursed {
			loan.DisbursedOn, loan.DisbursementReference = lending.DateOf(today()), "DISB-1"
		}
		return provider.Notice{Type: kind, ProviderType: text, OccurredAt: l.clock.Now(), CustomerExternalID: l.cust(), Loan: &provider.LoanNotice{Loan: loan, CustomerExternalID: l.cust()}}
	}
	paid := &provider.PaymentNotice{LoanExternalID: l.external(), Payment: lending.Payment{
		ExternalID: "pmt_" + l.external(), Reference: "TRX-1", Status: lending.PaymentCompleted, Amount: naira("100"),
	}}
	repayment := word(lending.EventLoanRepayment, lending.LoanActive, "loan.repayment")
	repayment.Payment = paid
	for i, notice := range []provider.Notice{
		word(lending.EventLoanCreated, lending.LoanPendingReview, "loan.created"), word(lending.EventLoanApproved, lending.LoanApproved, "loan.approved"),
		word(lending.EventLoanDisbursed, lending.LoanDisbursed, "loan.disbursed"), repayment,
		{Type: lending.EventPaymentReceived, OccurredAt: l.clock.Now(), CustomerExternalID: l.cust(), Payment: paid},
	} {
		l.kredete.tell(l.body(i), notice)
	}
}

func (l *lifetime) cust() string      { return fmt.Sprint("cust-", l.n) }
func (l *lifetime) body(i int) string { return fmt.Sprint(l.n, " ", i) }

// around delivers the webhooks of an action at a moment, if that is when they come.
func (l *lifetime) around(action int, moment string) {
	if l.course.moments[action] != moment {
		return
	}
	news := []int{action}
	if action == 3 {
		news = []int{4, 3}
	}
	for _, i := range news {
		if moment == "late" {
			l.late = append(l.late, i)
			continue
		}
		l.deliver(l.kredete, l.body(i))
	}
}

// answer is what an action answers with.
func (l *lifetime) answer(action int) error {
	l.around(action, "while it is called")
	if l.course.lost[action] {
		return at(lending.Kredete, errLost)
	}
	return nil
}

// live takes the loan through its actions, and gives it as it ends.
func (l *lifetime) live() *lending.Loan {
	l.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
		return provider.LoanResult{Loan: lending.Loan{ExternalID: l.external(), Status: lending.LoanPendingReview, ProviderStatus: "pending_review"}}, l.answer(0)
	}
	l.kredete.decide = func(_ context.Context, verb, _ string) (provider.LoanResult, error) {
		return provider.LoanResult{}, l.answer(map[string]int{"Approve": 1, "Disburse": 2}[verb])
	}
	l.kredete.recordPayment = func(p provider.NewPayment) (lending.Payment, error) {
		return lending.Payment{ExternalID: "pmt_" + l.external(), Status: lending.PaymentCompleted, ProviderStatus: "completed", Amount: p.Amount}, l.answer(3)
	}
	l.tellAll()
	l.done(l.service.ApplyForLoan(l.ctx, caller, application(l.customer, keyed(l.id("apply")))))
	l.around(0, "after the answer")
	l.around(0, "late")
	id := l.loansOf(l.customer)[0].ID
	for i, act := range []func(){
		func() { l.act("Approve", l.id("approve"), id) },
		func() { l.act("Disburse", l.id("disburse"), id) },
		func() {
			in := paymentOn(id)
			in.IdempotencyKey, in.Reference, in.Amount = l.id("pay"), "TRX-1", money("100", lending.NGN)
			l.done(l.service.RecordPayment(l.ctx, caller, in))
		},
	} {
		l.clock.pass(time.Second)
		act()
		l.around(i+1, "after the answer")
		l.around(i+1, "late")
	}
	for _, i := range l.course.late(l.late) {
		l.deliver(l.kredete, l.body(i))
	}
	return l.theLoan(id)
}

func TestAnyOrderOfKredetesNewsAndAnswersEndsInTheSameState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := 0
	run := func(c course) (*lending.Loan, *lifetime) {
		n++
		l := &lifetime{bench: b, n: n, course: c}
		l.customer = b.customer("KREDETE", l.cust())
		return l.live(), l
	}
	after := "after the answer"
	want, _ := run(course{moments: [4]string{after, after, after, after}, late: func(all []int) []int { return all }})
	if want.Status != lending.LoanActive || want.Paid != naira("100") || want.Conflict || want.DisbursementReference != "DISB-1" {
		t.Fatalf("in order the loan ends as %+v", want)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := course{late: func(all []int) []int { return rapid.Permutation(all).Draw(t, "late") }}
		for i := range c.moments {
			c.moments[i] = rapid.SampledFrom([]string{"while it is called", after, "late"}).Draw(t, "moment")
			// Without an answer or news nobody knows enough of a loan for the next action.
			c.lost[i] = c.moments[i] != "late" && rapid.Bool().Draw(t, "lost")
		}
		got, l := run(c)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(lending.Money{}), cmpopts.IgnoreFields(lending.Loan{}, "ID", "CustomerID", "ExternalID", "Reference", "CreatedAt", "UpdatedAt")); diff != "" {
			t.Fatalf("%+v ends in another state (-in order +got):\n%s", c, diff)
		}
		if payments := b.paymentsOf(got.ID); len(payments) != 1 || payments[0].Reference != "TRX-1" || payments[0].ExternalID != "pmt_"+l.external() || payments[0].PaidOn.IsZero() {
			t.Fatalf("%+v: payments %+v", c, *payments[0])
		}
		if loans := b.loansOf(l.customer); len(loans) != 1 {
			t.Fatalf("%+v makes %d loans", c, len(loans))
		}
		page, err := b.store.ListOperations(b.ctx, lending.OperationFilter{CustomerID: l.customer}, lending.PageRequest{First: 10})
		b.must(err)
		for _, edge := range page.Edges {
			if edge.Node.Status != lending.OpSucceeded || edge.Node.LoanID != got.ID {
				t.Fatalf("%+v leaves %s %s, of loan %s", c, edge.Node.Kind, edge.Node.Status, edge.Node.LoanID)
			}
		}
		for _, e := range b.eventsOf(l.customer) {
			if e.LoanID != got.ID && e.LoanID != "" {
				t.Fatalf("%+v: the event %s is of loan %s, which is not there", c, e.Type, e.LoanID)
			}
		}
	})
}

// eventsOf are the events of a customer.
func (b *bench) eventsOf(customer lending.CustomerID) []*lending.Event {
	b.Helper()
	pages, err := b.store.EventsOf(b.ctx, []lending.CustomerID{customer}, lending.PageRequest{First: 100})
	b.must(err)
	return nodes(pages[customer])
}
