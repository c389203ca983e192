package storetest

import (
	"context"
	"errors"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func transactionChecks() []check {
	return []check{
		{"an error takes back all of a transaction", errorTakesBack},
		{"a panic takes back all of a transaction", panicTakesBack},
		{"a transaction sees what it wrote and others do not", isolation},
		{"a nested transaction is part of the outer one", nested},
		{"a refused method leaves nothing behind and the transaction usable", refusedInside},
		{"a refused last step takes the transaction back", refusedAtTheEnd},
		{"news that is merged in transactions at the same time is not lost", mergedTogether},
		{"an ended context is told apart from other trouble", endedContext},
	}
}

func (b *bench) hasCustomer(ctx context.Context, id lending.CustomerID) bool {
	b.Helper()
	found, err := b.store.Customers(ctx, []lending.CustomerID{id})
	b.must(err)
	return found[id] != nil
}

var errStop = errors.New("stop")

func errorTakesBack(b *bench) {
	err := b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.must(b.store.SaveCustomer(ctx, &lending.Customer{ID: "c", CreatedAt: at(0)}))
		return errStop
	})
	if !errors.Is(err, errStop) {
		b.Fatalf("InTx gave %v", err)
	}
	if b.hasCustomer(b.ctx, "c") {
		b.Fatal("the customer is still there")
	}
}

func panicTakesBack(b *bench) {
	func() {
		defer func() {
			if recover() == nil {
				b.Fatal("the panic was swallowed")
			}
		}()
		_ = b.store.InTx(b.ctx, func(ctx context.Context) error {
			b.must(b.store.SaveCustomer(ctx, &lending.Customer{ID: "c", CreatedAt: at(0)}))
			panic("stop")
		})
	}()
	if b.hasCustomer(b.ctx, "c") {
		b.Fatal("the customer is still there")
	}
}

func isolation(b *bench) {
	b.must(b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.must(b.store.SaveCustomer(ctx, &lending.Customer{ID: "c", CreatedAt: at(0)}))
		if !b.hasCustomer(ctx, "c") {
			b.Error("the transaction does not see its own customer")
		}
		if b.hasCustomer(b.ctx, "c") {
			b.Error("others see the customer before the commit")
		}
		return nil
	}))
	if !b.hasCustomer(b.ctx, "c") {
		b.Fatal("the customer was not committed")
	}
}

func nested(b *bench) {
	err := b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.must(b.store.InTx(ctx, func(ctx context.Context) error {
			return b.store.SaveCustomer(ctx, &lending.Customer{ID: "c", CreatedAt: at(0)})
		}))
		return errStop
	})
	if !errors.Is(err, errStop) || b.hasCustomer(b.ctx, "c") {
		b.Fatalf("the inner transaction outlived the outer one (%v)", err)
	}
}

func refusedInside(b *bench) {
	customer := b.customer()
	taken := b.savedLoan(customer, func(l *lending.Loan) { l.ExternalID = "x" })
	b.must(b.store.InTx(b.ctx, func(ctx context.Context) error {
		rival := b.loan(customer, func(l *lending.Loan) { l.ExternalID = "x" })
		b.wantKind(b.store.SaveLoan(ctx, rival), lending.KindConflict)
		b.wantKind(b.store.SavePayment(ctx, b.payment(rival, naira("1"))), lending.KindNotFound)
		return b.store.SavePayment(ctx, b.payment(taken, naira("100")))
	}))
	same(b, "paid", b.stored(taken.ID).Paid, naira("100"))
}

// refusedAtTheEnd is about the steps that end transactions: they take all of it back.
func refusedAtTheEnd(b *bench) {
	event := &lending.Event{ID: "e", ReceivedAt: at(0)}
	b.must(b.store.AppendEvents(b.ctx, event))
	b.wantKind(b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.must(b.store.SaveCustomer(ctx, &lending.Customer{ID: "c", CreatedAt: at(0)}))
		return b.store.AppendEvents(ctx, &lending.Event{ID: "other"}, event)
	}), lending.KindConflict)
	b.lost(b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.must(b.store.SaveCustomer(ctx, &lending.Customer{ID: "c", CreatedAt: at(0)}))
		return b.store.SettleHeld(ctx, b.delivery())
	}))
	events, err := b.store.EventsAfter(b.ctx, 0, 10)
	b.must(err)
	if len(events) != 1 || b.hasCustomer(b.ctx, "c") {
		b.Fatalf("%d events, want the one that was not refused, and no customer", len(events))
	}
}

func endedContext(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	_, err := b.store.Customers(ctx, []lending.CustomerID{"c"})
	b.wantKind(err, lending.KindUnavailable)
	if !errors.Is(err, context.Canceled) {
		b.Errorf("the cause is lost: %v", err)
	}
	ctx, cancel = context.WithDeadline(b.ctx, at(0).AddDate(-1, 0, 0))
	defer cancel()
	b.wantKind(b.store.SaveCustomer(ctx, &lending.Customer{ID: "c"}), lending.KindTimeout)
}

// mergedTogether has many read a row in a transaction, add to it and write it back, as webhooks do.
func mergedTogether(b *bench) {
	const writers = 12
	loan, report := b.savedLoan(b.customer(), func(l *lending.Loan) { l.ExternalID = "x" }), b.savedReport(b.customer(), lending.ReportOrdered, 1)
	customers := []lending.CustomerID{b.customer(), b.customer()}
	for _, err := range together(writers, func(i int) error {
		return b.store.InTx(b.ctx, func(ctx context.Context) error {
			l, err := b.store.LoanByExternalID(ctx, lending.Kredete, "x")
			if err != nil {
				return err
			}
			l.FailureReason += "+"
			reports, err := b.store.Reports(ctx, []lending.ReportID{report.ID})
			if err != nil {
				return err
			}
			r := reports[report.ID]
			r.Failure = &lending.Failure{Message: messageOf(r.Failure) + "+"}
			both := []lending.CustomerID{customers[i%2], customers[(i+1)%2]}
			found, err := b.store.Customers(ctx, both)
			if err != nil {
				return err
			}
			for _, id := range both {
				found[id].FirstName += "+"
				err = errors.Join(err, b.store.SaveCustomer(ctx, found[id]))
			}
			return errors.Join(err, b.store.SaveLoan(ctx, l), b.store.SaveReport(ctx, r))
		})
	}) {
		b.must(err)
	}
	all := strings.Repeat("+", writers)
	same(b, "the loan", b.stored(loan.ID).FailureReason, all)
	reports, err := b.store.Reports(b.ctx, []lending.ReportID{report.ID})
	b.must(err)
	same(b, "the report", messageOf(reports[report.ID].Failure), all)
	found, err := b.store.Customers(b.ctx, customers)
	b.must(err)
	for _, id := range customers {
		same(b, "a customer", found[id].FirstName, "Ada"+all)
	}
}

func messageOf(f *lending.Failure) string {
	if f == nil {
		return ""
	}
	return f.Message
}
