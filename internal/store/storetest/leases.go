package storetest

import (
	"errors"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

func leaseChecks() []check {
	return []check{
		{"an update needs the stored fence", updateFenced},
		{"taking over an operation locks the former holder out", takeOver},
		{"of many that take over an operation one does", takeOverTogether},
		{"a claim finds what is due and free", claimsDue},
		{"claims at the same time share no operation", claimsTogether},
	}
}

func updateFenced(b *bench) {
	o := b.begun()
	o.Status, o.Result = lending.OpSucceeded, []byte("{}")
	b.must(b.store.UpdateOperation(b.ctx, o))
	same(b, "operation", b.storedOperation(o.ID), o)
	stale := *o
	stale.Lease.Fence, stale.Status = 0, lending.OpFailed
	if err := b.store.UpdateOperation(b.ctx, &stale); !errors.Is(err, service.ErrLeaseLost) {
		b.Fatalf("an old fence gave %v", err)
	}
	same(b, "operation after the refused update", b.storedOperation(o.ID), o)
	if err := b.store.UpdateOperation(b.ctx, b.operation()); !errors.Is(err, service.ErrLeaseLost) {
		b.Fatalf("an operation that is not there gave %v", err)
	}
}

func takeOver(b *bench) {
	former := b.begun()
	mine := *former
	mine.Lease.Owner = "me"
	b.must(b.store.TakeOperation(b.ctx, &mine))
	same(b, "fence", mine.Lease.Fence, former.Lease.Fence+1)
	same(b, "operation", b.storedOperation(mine.ID), &mine)
	for _, call := range []func() error{
		func() error { return b.store.UpdateOperation(b.ctx, former) },
		func() error { return b.store.TakeOperation(b.ctx, former) },
	} {
		if err := call(); !errors.Is(err, service.ErrLeaseLost) {
			b.Fatalf("the former holder got %v", err)
		}
	}
	same(b, "the former holder's fence", former.Lease.Fence, 1)
	b.must(b.store.UpdateOperation(b.ctx, &mine))
}

func takeOverTogether(b *bench) {
	o := b.begun()
	took := 0
	for _, err := range together(16, func(int) error {
		mine := *o
		return b.store.TakeOperation(b.ctx, &mine)
	}) {
		switch {
		case err == nil:
			took++
		case !errors.Is(err, service.ErrLeaseLost):
			b.must(err)
		}
	}
	same(b, "took it", took, 1)
}

func claimsDue(b *bench) {
	now := at(100)
	with := func(status lending.OperationStatus, check, lease time.Time) *lending.Operation {
		return b.begun(func(o *lending.Operation) {
			o.Status, o.NextCheckAt, o.Lease.Until, o.Lease.Owner = status, check, lease, "gone"
			o.Input = []byte("sealed")
		})
	}
	third := with(lending.OpAwaitingProvider, now, now)
	second := with(lending.OpOutcomeUnknown, at(2), at(99))
	first := with(lending.OpInProgress, at(1), time.Time{})
	with(lending.OpInProgress, at(101), time.Time{})     // not yet
	with(lending.OpInProgress, time.Time{}, time.Time{}) // never
	with(lending.OpInProgress, at(1), at(101))           // somebody works on it
	with(lending.OpSucceeded, at(1), time.Time{})
	until := at(200)
	want := func(list ...*lending.Operation) []*lending.Operation {
		for _, o := range list {
			o.Lease = lending.Lease{Owner: "me", Until: until, Fence: o.Lease.Fence + 1}
		}
		return list
	}
	got, err := b.store.ClaimOperations(b.ctx, "me", now, until, 2)
	b.must(err)
	same(b, "the first two", got, want(first, second))
	got, err = b.store.ClaimOperations(b.ctx, "me", now, until, 10)
	b.must(err)
	same(b, "the rest", got, want(third))
	same(b, "as stored", b.storedOperation(third.ID), third)
	got, err = b.store.ClaimOperations(b.ctx, "me", now, until, 10)
	b.must(err)
	same(b, "nothing is left", len(got), 0)
}

func claimsTogether(b *bench) {
	for range 40 {
		b.begun(func(o *lending.Operation) { o.NextCheckAt = at(1) })
	}
	var mu sync.Mutex
	claimed := map[lending.OperationID]int{}
	for _, err := range together(8, func(int) error {
		got, err := b.store.ClaimOperations(b.ctx, "me", at(2), at(3), 5)
		mu.Lock()
		defer mu.Unlock()
		for _, o := range got {
			claimed[o.ID]++
		}
		return err
	}) {
		b.must(err)
	}
	for id, times := range claimed {
		if times != 1 {
			b.Errorf("%s was claimed %d times", id, times)
		}
	}
	rest, err := b.store.ClaimOperations(b.ctx, "me", at(2), at(3), 100)
	b.must(err)
	same(b, "claimed in all", len(claimed)+len(rest), 40)
}
