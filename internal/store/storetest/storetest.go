// Package storetest is one suite of tests for everything that implements service.Store: what the service
// relies on, said once and run on every engine.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// Now is what the clock of every store under test has to show. Its UTC day is another one than its local
// day, so that a store that looks at the wrong one fails.
func Now() time.Time {
	return time.Date(2026, 4, 16, 1, 30, 0, 0, time.FixedZone("UTC+2", 2*60*60)) // 15 April in UTC
}

// today is Now's day in UTC.
func today() lending.Date { return lending.NewDate(2026, 4, 15) }

// check is one behaviour that is tested on a store of its own.
type check struct {
	name string
	run  func(b *bench)
}

// Run tests a store. open gives an empty one, whose clock shows [Now], each time it is called.
func Run(t *testing.T, open func(t *testing.T) service.Store) {
	t.Helper()
	for _, c := range slices.Concat(
		transactionChecks(), customerChecks(), importChecks(), identityChecks(), loanChecks(), standingChecks(),
		loanListChecks(), paymentChecks(), scoreChecks(), reportChecks(), operationChecks(), leaseChecks(),
		eventChecks(), retentionChecks(), inboxChecks(), registryChecks(), pagingChecks(), mergeChecks(),
	) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&bench{T: t, store: open(t), ctx: t.Context()})
		})
	}
}

// bench is what one check works with.
type bench struct {
	*testing.T
	store service.Store
	ctx   context.Context
	ids   int
}

// id makes an id that no other on this bench is equal to. Ids sort in the order in which they were made.
func (b *bench) id(kind string) string {
	b.ids++
	return fmt.Sprintf("%s-%04d", kind, b.ids)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("unexpected error: %v: %s", err, lending.AsError(err).Detail())
	}
}

// wantKind checks that an error is of a kind, in words for people and without a driver's own.
func (b *bench) wantKind(err error, kind lending.ErrorKind) {
	b.Helper()
	if err == nil {
		b.Fatalf("no error, want %s", kind)
	}
	if got := lending.KindOf(err); got != kind {
		b.Fatalf("error of kind %s, want %s: %s", got, kind, lending.AsError(err).Detail())
	}
}

// same checks that two values are equal down to the digits of numbers.
func same[T any](b *bench, what string, got, want T) {
	b.Helper()
	if diff := cmp.Diff(want, got, exact()...); diff != "" {
		b.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func exact() cmp.Options {
	return cmp.Options{cmp.AllowUnexported(lending.Money{}, lending.Decimal{}), cmpopts.EquateEmpty()}
}

// at is a time of the data: minutes after the first of April.
func at(minutes int) time.Time {
	return time.Date(2026, 4, 1, 12, minutes, 0, 123_456_000, time.UTC)
}

func naira(amount string) lending.Money { return lending.MustMoney(amount, lending.NGN) }
func rupees(amount string) lending.Money {
	return lending.MustMoney(amount, lending.INR)
}

// customer saves a customer whom the test needs for something else.
func (b *bench) customer() lending.CustomerID {
	b.Helper()
	c := &lending.Customer{
		ID: lending.CustomerID(b.id("customer")), FirstName: "Ada", LastName: "Obi", Status: lending.CustomerActive,
		CreatedAt: at(b.ids), UpdatedAt: at(b.ids),
	}
	b.must(b.store.SaveCustomer(b.ctx, c))
	return c.ID
}

// loan is a loan of a customer that is paid out, with changes; it is not saved.
func (b *bench) loan(customer lending.CustomerID, changes ...func(*lending.Loan)) *lending.Loan {
	l := &lending.Loan{
		ID: lending.LoanID(b.id("loan")), CustomerID: customer, Provider: lending.Kredete, Status: lending.LoanDisbursed,
		ProviderStatus: "disbursed", Principal: naira("300000"), Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
		DisbursedOn: lending.NewDate(2026, 3, 1), CreatedAt: at(b.ids), UpdatedAt: at(b.ids),
	}
	l.Paid, l.Outstanding, l.Overdue = naira("0"), naira("300000"), naira("0")
	for _, change := range changes {
		change(l)
	}
	return l
}

// savedLoan is loan, saved.
func (b *bench) savedLoan(customer lending.CustomerID, changes ...func(*lending.Loan)) *lending.Loan {
	b.Helper()
	l := b.loan(customer, changes...)
	b.must(b.store.SaveLoan(b.ctx, l))
	return l
}

// payment is a completed payment on a loan, with changes; it is not saved.
func (b *bench) payment(l *lending.Loan, amount lending.Money, changes ...func(*lending.Payment)) *lending.Payment {
	p := &lending.Payment{
		ID: lending.PaymentID(b.id("payment")), LoanID: l.ID, CustomerID: l.CustomerID, Provider: l.Provider,
		Status: lending.PaymentCompleted, Amount: amount, Method: lending.BankTransfer,
		CreatedAt: at(b.ids), UpdatedAt: at(b.ids),
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func (b *bench) savedPayment(l *lending.Loan, amount lending.Money, changes ...func(*lending.Payment)) *lending.Payment {
	b.Helper()
	p := b.payment(l, amount, changes...)
	b.must(b.store.SavePayment(b.ctx, p))
	return p
}

// stored reads one loan again.
func (b *bench) stored(id lending.LoanID) *lending.Loan {
	b.Helper()
	found, err := b.store.Loans(b.ctx, []lending.LoanID{id})
	b.must(err)
	if found[id] == nil {
		b.Fatalf("loan %s is not there", id)
	}
	return found[id]
}

// nodes are a page's entries.
func nodes[T any](page lending.Page[T]) []T {
	var list []T
	for _, edge := range page.Edges {
		list = append(list, edge.Node)
	}
	return list
}

// first asks for the first entries of a list.
func first(n int) lending.PageRequest { return lending.PageRequest{First: n} }
