package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func mergeChecks() []check {
	return []check{
		{"news of a loan at once is merged one after the other", mergedLoans},
		{"news of a customer at once is merged one after the other", mergedCustomers},
	}
}

// mergers is how many transactions read, change and write one row at once.
const mergers = 16

func mergedLoans(b *bench) {
	l := b.savedLoan(b.customer())
	b.atOnce(func(ctx context.Context, _ int) error {
		found, err := b.store.Loans(ctx, []lending.LoanID{l.ID})
		if err != nil {
			return err
		}
		found[l.ID].FailureReason += "x"
		return b.store.SaveLoan(ctx, found[l.ID])
	})
	if got := len(b.stored(l.ID).FailureReason); got != mergers {
		b.Errorf("%d of %d changes are left", got, mergers)
	}
}

func mergedCustomers(b *bench) {
	id := b.customer()
	b.atOnce(func(ctx context.Context, _ int) error {
		found, err := b.store.Customers(ctx, []lending.CustomerID{id})
		if err != nil {
			return err
		}
		found[id].ProviderStatus += "x"
		return b.store.SaveCustomer(ctx, found[id])
	})
	found, err := b.store.Customers(b.ctx, []lending.CustomerID{id})
	b.must(err)
	if got := len(found[id].ProviderStatus); got < mergers {
		b.Errorf("%d of %d changes are left", got, mergers)
	}
}

// atOnce runs a change in many transactions at the same time.
func (b *bench) atOnce(change func(ctx context.Context, n int) error) {
	b.Helper()
	errs := make([]error, mergers)
	var running sync.WaitGroup
	for n := range mergers {
		running.Go(func() {
			errs[n] = b.store.InTx(b.ctx, func(ctx context.Context) error { return change(ctx, n) })
		})
	}
	running.Wait()
	for n, err := range errs {
		if err != nil {
			b.Fatal(fmt.Sprintf("transaction %d:", n), lending.AsError(err).Detail())
		}
	}
}
