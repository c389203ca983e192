package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// word is one of the statuses of Kredmint's invoices, as its driver tells them (seed 002, Webhook).
type word struct {
	text      string
	status    lending.LoanStatus
	after     []string
	reference string // of the payout
	reason    string
}

// news is what the word says of a loan.
func (w word) news(n int) lending.Loan {
	loan := lending.Loan{
		ExternalID: fmt.Sprint("IN-", n), Reference: fmt.Sprint("INV-", n), Principal: rupees("100000"),
		Status: w.status, ProviderStatus: w.text, DisbursementReference: w.reference, FailureReason: w.reason,
	}
	if w.status.PaidOut() {
		loan.DisbursedOn = lending.DateOf(today())
	}
	return loan
}

func kredmintWords() []word {
	return []word{
		{text: "Initiated", status: lending.LoanPendingReview},
		{text: "Verified", status: lending.LoanPendingReview, after: []string{"Initiated"}},
		{text: "Approved", status: lending.LoanApproved},
		{text: "Paid", status: lending.LoanDisbursed, reference: "gheahgfja"},
		{text: "Completed", status: lending.LoanDisbursed, after: []string{"Paid"}, reference: "SBXN000000000000000001"},
		{text: "Failed", status: lending.LoanFailed, reason: "invalid amount or date provided"},
		{text: "Cancelled", status: lending.LoanCancelled, reason: "cancelled by the user"},
	}
}

// outcome is what a loan ends as after words in any order: the furthest of them. Where a payout and an end
// were told, it is a conflict, and the payout stands.
func outcome(words []word) (status lending.LoanStatus, text string, conflict bool) {
	var best word
	paid, ended := false, false
	for _, w := range words {
		paid, ended = paid || w.status.PaidOut(), ended || w.status.Ended()
	}
	for _, w := range words {
		if paid && w.status.Ended() {
			continue
		}
		if w.status.Rank() > best.status.Rank() || w.status == best.status && len(w.after) > 0 {
			best = w
		}
	}
	return best.status, best.text, paid && ended
}

func TestAllOrdersOfKredmintsStatusesEndInTheSameState(t *testing.T) {
	t.Parallel()
	var want *lending.Loan
	orders := 0
	permute(kredmintWords(), func(words []word) {
		orders++
		loan, conflict := &lending.Loan{Provider: lending.Kredmint, Status: lending.LoanSubmitting}, false
		for _, w := range words {
			told := w.news(1)
			conflict = service.MergeNews(loan, &told, w.after) || conflict
		}
		status, text, _ := outcome(words)
		if loan.Status != status || loan.ProviderStatus != text || !loan.Conflict || !conflict {
			t.Fatalf("%v: the loan is %s (%s), conflict %t, told %t", words, loan.Status, loan.ProviderStatus, loan.Conflict, conflict)
		}
		if want == nil {
			want = loan
		}
		if diff := cmp.Diff(want, loan, cmp.AllowUnexported(lending.Money{})); diff != "" {
			t.Fatalf("%v end in another state:\n%s", words, diff)
		}
	})
	if orders != 5040 {
		t.Errorf("%d orders", orders)
	}
}

// permute visits all orders of a list.
func permute[T any](list []T, visit func([]T)) {
	var arrange func(done int)
	arrange = func(done int) {
		if done == len(list) {
			visit(list)
		}
		for i := done; i < len(list); i++ {
			list[done], list[i] = list[i], list[done]
			arrange(done + 1)
			list[done], list[i] = list[i], list[done]
		}
	}
	arrange(0)
}

func TestAnyOrderOfKredmintsStatusesEndsInTheSameState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDMINT", "9876543210")
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		all := rapid.Permutation(kredmintWords()).Draw(t, "order")
		words := all[:rapid.IntRange(1, len(all)).Draw(t, "how many")]
		for i, w := range words {
			body := fmt.Sprintf("%d %d %s", n, i, w.text)
			b.kredmint.tell(body, provider.Notice{
				Type: lending.EventInvoiceStatusChanged, OccurredAt: today(), CustomerExternalID: "9876543210",
				Loan: &provider.LoanNotice{After: w.after, Loan: w.news(n)},
			})
			b.clock.pass(time.Millisecond)
			b.receive(b.kredmint, body)
		}
		b.must(b.service.Drain(b.ctx))
		loan, err := b.store.LoanByReference(b.ctx, lending.Kredmint, customer, fmt.Sprint("INV-", n))
		if err != nil {
			t.Fatal(err)
		}
		status, text, conflict := outcome(words)
		if loan.Status != status || loan.ProviderStatus != text || loan.Conflict != conflict {
			t.Fatalf("the loan is %s (%s), conflict %t; want %s (%s), %t", loan.Status, loan.ProviderStatus, loan.Conflict, status, text, conflict)
		}
	})
}

func TestAnyOrderOfKredetesNewsEndsInTheSameState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	news := func(loan string) []provider.Notice {
		day := func(n int) time.Time { return today().AddDate(0, 0, n) }
		paid := func(id string, n int) *provider.PaymentNotice {
			return &provider.PaymentNotice{LoanExternalID: loan, Payment: lending.Payment{
				ExternalID: loan + id, Reference: id, Status: lending.PaymentCompleted, Amount: naira("268750"), PaidOn: lending.DateOf(day(n)),
			}}
		}
		told := func(at time.Time, status lending.LoanStatus, text string) provider.Notice {
			return provider.Notice{Type: lending.EventUnknown, OccurredAt: at, Loan: &provider.LoanNotice{Loan: lending.Loan{ExternalID: loan, Status: status, ProviderStatus: text}}}
		}
		first, second := told(day(31), lending.LoanActive, "loan.repayment"), told(day(61), lending.LoanActive, "loan.repayment")
		first.Payment, second.Payment = paid("p1", 31), paid("p2", 61)
		return []provider.Notice{
			told(day(0), lending.LoanPendingReview, "loan.created"), told(day(1), lending.LoanApproved, "loan.approved"),
			told(day(2), lending.LoanDisbursed, "loan.disbursed"), first, second,
			{Type: lending.EventPaymentReceived, OccurredAt: day(31), Payment: paid("p1", 31)},
		}
	}
	n := 0
	var want *lending.Loan
	run := func(fatal func(args ...any), arrange func([]provider.Notice) []provider.Notice) {
		n++
		id := b.loan(customer, lending.LoanPendingReview)
		for i, notice := range arrange(news(b.theLoan(id).ExternalID)) {
			body := fmt.Sprint(n, " ", i)
			b.kredete.tell(body, notice)
			b.clock.pass(time.Millisecond)
			b.receive(b.kredete, body)
		}
		b.must(b.service.Drain(b.ctx))
		got := b.theLoan(id)
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(lending.Money{}), cmpopts.IgnoreFields(lending.Loan{}, "ID", "ExternalID", "CreatedAt", "UpdatedAt")); diff != "" {
			fatal("another state (-in order +got):\n" + diff)
		}
	}
	run(t.Fatal, func(inOrder []provider.Notice) []provider.Notice { return inOrder })
	if want.Status != lending.LoanRepaid || want.Paid != naira("537500") || want.DisbursedOn != lending.NewDate(2026, 4, 18) {
		t.Fatalf("in order the loan ends %s, paid out on %s, with %s paid", want.Status, want.DisbursedOn, want.Paid)
	}
	rapid.Check(t, func(t *rapid.T) {
		run(t.Fatal, func(inOrder []provider.Notice) []provider.Notice { return rapid.Permutation(inOrder).Draw(t, "order") })
	})
}
