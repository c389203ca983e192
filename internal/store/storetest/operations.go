package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func operationChecks() []check {
	return []check{
		{"an operation comes back as it was begun", operationRoundTrip},
		{"a repeated key finds the first operation", operationRepeated},
		{"a target is acted on once at a time", operationTarget},
		{"a reference at a provider is used once for a kind", operationReference},
		{"of many with one key at the same time one begins", sameKeyTogether},
		{"of many with one target at the same time one begins", sameTargetTogether},
		{"a transaction survives an operation that cannot begin", beginInTransaction},
		{"operations are found by key and reference", operationByKeys},
		{"open operations are those that are not settled", openOperations},
		{"lists of operations agree with a plain filter", operationFilters},
	}
}

func (b *bench) operation(changes ...func(*lending.Operation)) *lending.Operation {
	id := b.id("op")
	o := &lending.Operation{
		ID: lending.OperationID(id), ClientID: "client", Key: "key-" + id, Fingerprint: "f", Kind: lending.OpDisburseLoan,
		Provider: lending.Kredete, Status: lending.OpInProgress, Step: lending.StepSending, Lease: lending.Lease{Fence: 1},
		RequestedAt: at(b.ids), UpdatedAt: at(b.ids),
	}
	for _, change := range changes {
		change(o)
	}
	return o
}

func (b *bench) begun(changes ...func(*lending.Operation)) *lending.Operation {
	b.Helper()
	o := b.operation(changes...)
	_, created, err := b.store.BeginOperation(b.ctx, o)
	b.must(err)
	if !created {
		b.Fatalf("operation %s was there already", o.ID)
	}
	return o
}

func (b *bench) storedOperation(id lending.OperationID) *lending.Operation {
	b.Helper()
	found, err := b.store.Operations(b.ctx, []lending.OperationID{id, "none"})
	b.must(err)
	return found[id]
}

func operationRoundTrip(b *bench) {
	full := b.begun(func(o *lending.Operation) {
		o.CustomerID, o.LoanID, o.Target, o.EntityID, o.Reference = "c", "l", "loan:l", "e", "r"
		o.Prompt, o.Failure = "Enter the code", &lending.Failure{Kind: lending.KindOTPRequired, Message: "Code."}
		o.Input, o.Result = []byte(`{"otp":"123456"}`), []byte("{\"a\": \"\x00\"}\n")
		o.Warnings = []lending.Problem{{Kind: lending.KindValidation, Message: "Odd.", Field: []string{"input", "bvn"}}}
		o.Attempts, o.Lease = 2, lending.Lease{Owner: "me", Until: at(5), Fence: 3}
		o.NextCheckAt, o.SettledAt, o.Evidence = at(6), at(7), "ticket 1"
	})
	same(b, "operation", b.storedOperation(full.ID), full)
	bare := b.begun()
	same(b, "bare operation", b.storedOperation(bare.ID), bare)
}

func operationRepeated(b *bench) {
	one := b.begun(func(o *lending.Operation) { o.Key, o.Target = "k", "loan:1" })
	again := b.operation(func(o *lending.Operation) { o.Key, o.Target, o.Fingerprint = "k", "loan:1", "other" })
	stored, created, err := b.store.BeginOperation(b.ctx, again)
	b.must(err)
	same(b, "created", created, false)
	same(b, "the first", stored, one)
	same(b, "the second", b.storedOperation(again.ID), nil)
	b.begun(func(o *lending.Operation) { o.Key, o.ClientID = "k", "another client" })
}

func operationTarget(b *bench) {
	one := b.begun(func(o *lending.Operation) { o.Target = "loan:1" })
	b.begun(func(o *lending.Operation) { o.Target = "loan:2" })
	b.begun()
	b.begun() // no target is no target twice
	rival := b.operation(func(o *lending.Operation) { o.Target = "loan:1" })
	_, _, err := b.store.BeginOperation(b.ctx, rival)
	b.wantKind(err, lending.KindConflict)
	one.Status = lending.OpOutcomeUnknown
	b.must(b.store.UpdateOperation(b.ctx, one))
	_, _, err = b.store.BeginOperation(b.ctx, rival)
	b.wantKind(err, lending.KindConflict)
	one.Status = lending.OpFailed
	b.must(b.store.UpdateOperation(b.ctx, one))
	_, created, err := b.store.BeginOperation(b.ctx, rival)
	b.must(err)
	same(b, "created when the first is settled", created, true)
	one.Status = lending.OpInProgress
	b.wantKind(b.store.UpdateOperation(b.ctx, one), lending.KindConflict)
}

func operationReference(b *bench) {
	one := b.begun(func(o *lending.Operation) { o.Reference = "r" })
	rival := b.operation(func(o *lending.Operation) { o.Reference = "r" })
	for _, status := range []lending.OperationStatus{lending.OpOutcomeUnknown, lending.OpSucceeded} {
		one.Status = status
		b.must(b.store.UpdateOperation(b.ctx, one))
		_, _, err := b.store.BeginOperation(b.ctx, rival)
		b.wantKind(err, lending.KindConflict)
	}
	one.Status = lending.OpFailed
	b.must(b.store.UpdateOperation(b.ctx, one))
	_, created, err := b.store.BeginOperation(b.ctx, rival)
	b.must(err)
	same(b, "created when the first failed, so that the provider never had it", created, true)
	b.begun(func(o *lending.Operation) { o.Reference, o.Kind = "r", lending.OpApplyForLoan })
	b.begun(func(o *lending.Operation) { o.Reference, o.Provider = "r", lending.Carbon })
	_, _, err = b.store.BeginOperation(b.ctx, b.operation(func(o *lending.Operation) { o.ID = one.ID }))
	b.wantKind(err, lending.KindConflict)
}

func sameKeyTogether(b *bench) {
	var all []*lending.Operation
	for range 50 {
		all = append(all, b.operation(func(o *lending.Operation) { o.Key, o.Target = "k", "loan:1" }))
	}
	var created atomic.Int32
	var winners [50]lending.OperationID
	for _, err := range together(len(all), func(i int) error {
		stored, first, err := b.store.BeginOperation(b.ctx, all[i])
		if err == nil {
			winners[i] = stored.ID
		}
		if first {
			created.Add(1)
		}
		return err
	}) {
		b.must(err)
	}
	same(b, "created", created.Load(), 1)
	for _, id := range winners {
		same(b, "the one that all got", id, winners[0])
	}
}

func sameTargetTogether(b *bench) {
	var all []*lending.Operation
	for range 30 {
		all = append(all, b.operation(func(o *lending.Operation) { o.Target = "loan:1" }))
	}
	begun := 0
	for _, err := range together(len(all), func(i int) error {
		_, _, err := b.store.BeginOperation(b.ctx, all[i])
		return err
	}) {
		if err == nil {
			begun++
			continue
		}
		b.wantKind(err, lending.KindConflict)
	}
	same(b, "begun", begun, 1)
}

func beginInTransaction(b *bench) {
	b.begun(func(o *lending.Operation) { o.Key, o.Target = "k", "loan:1" })
	b.must(b.store.InTx(b.ctx, func(ctx context.Context) error {
		_, _, err := b.store.BeginOperation(ctx, b.operation(func(o *lending.Operation) { o.Target = "loan:1" }))
		b.wantKind(err, lending.KindConflict)
		_, created, err := b.store.BeginOperation(ctx, b.operation(func(o *lending.Operation) { o.Key = "k" }))
		if err != nil || created {
			return fmt.Errorf("created %t: %w", created, err)
		}
		_, created, err = b.store.BeginOperation(ctx, b.operation())
		if !created {
			return errors.Join(errors.New("not created"), err)
		}
		return err
	}))
}

func operationByKeys(b *bench) {
	o := b.begun(func(o *lending.Operation) { o.Reference = "r" })
	found, err := b.store.OperationByKey(b.ctx, o.ClientID, o.Key)
	b.must(err)
	same(b, "by key", found, o)
	found, err = b.store.OperationByReference(b.ctx, o.Provider, o.Kind, "r")
	b.must(err)
	same(b, "by reference", found, o)
	for range 2 {
		b.begun(func(o *lending.Operation) { o.Reference, o.Status = "r", lending.OpFailed }) // later, and of no account
	}
	found, err = b.store.OperationByReference(b.ctx, o.Provider, o.Kind, "r")
	b.must(err)
	same(b, "by reference, with others that failed", found, o)
	o.Status = lending.OpFailed
	b.must(b.store.UpdateOperation(b.ctx, o))
	newest := b.begun(func(o *lending.Operation) { o.Reference, o.Status = "r", lending.OpFailed })
	found, err = b.store.OperationByReference(b.ctx, o.Provider, o.Kind, "r")
	b.must(err)
	same(b, "by reference, the newest of those that failed", found, newest)
	for _, look := range []func() (*lending.Operation, error){
		func() (*lending.Operation, error) { return b.store.OperationByKey(b.ctx, "other", o.Key) },
		func() (*lending.Operation, error) { return b.store.OperationByReference(b.ctx, o.Provider, o.Kind, "") },
		func() (*lending.Operation, error) {
			return b.store.OperationByReference(b.ctx, o.Provider, lending.OpPayInvoice, "r")
		},
	} {
		_, err := look()
		b.wantKind(err, lending.KindNotFound)
	}
}

func openOperations(b *bench) {
	with := func(customer lending.CustomerID, status lending.OperationStatus) *lending.Operation {
		return b.begun(func(o *lending.Operation) { o.CustomerID, o.Status = customer, status })
	}
	older, newer := with("ada", lending.OpAwaitingOTP), with("ada", lending.OpOutcomeUnknown)
	with("ada", lending.OpSucceeded)
	with("obi", lending.OpFailed)
	open, err := b.store.OpenOperations(b.ctx, []lending.CustomerID{"ada", "obi"})
	b.must(err)
	same(b, "open", open, map[lending.CustomerID][]*lending.Operation{"ada": {newer, older}})
	open, err = b.store.OpenOperations(b.ctx, nil)
	b.must(err)
	same(b, "open of nobody", len(open), 0)
}

func operationFilters(b *bench) {
	statuses := []lending.OperationStatus{lending.OpInProgress, lending.OpFailed, lending.OpSucceeded}
	kinds := []lending.OperationKind{lending.OpApplyForLoan, lending.OpRecordPayment}
	customers, loans := []lending.CustomerID{"", "ada", "obi"}, []lending.LoanID{"", "l1", "l2"}
	var all []*lending.Operation // newest first
	for i := range 30 {
		all = append(all, b.begun(func(o *lending.Operation) {
			o.Status, o.Kind, o.Provider = statuses[i%3], kinds[i%2], lending.Providers()[i%5]
			o.CustomerID, o.LoanID, o.RequestedAt = customers[i/2%3], loans[i/4%3], at(-i)
		}))
	}
	rapid.Check(b.T, func(t *rapid.T) {
		f := lending.OperationFilter{
			Status:     rapid.SliceOfN(rapid.SampledFrom(statuses), 0, 2).Draw(t, "status"),
			Kinds:      rapid.SliceOfN(rapid.SampledFrom(kinds), 0, 1).Draw(t, "kinds"),
			Providers:  rapid.SliceOfN(rapid.SampledFrom(lending.Providers()), 0, 3).Draw(t, "providers"),
			CustomerID: rapid.SampledFrom(customers).Draw(t, "customer"),
			LoanID:     rapid.SampledFrom(loans).Draw(t, "loan"),
		}
		var want []*lending.Operation
		for _, o := range all {
			if oneOf(f.Status, o.Status) && oneOf(f.Kinds, o.Kind) && oneOf(f.Providers, o.Provider) &&
				(f.CustomerID == "" || f.CustomerID == o.CustomerID) && (f.LoanID == "" || f.LoanID == o.LoanID) {
				want = append(want, o)
			}
		}
		page, err := b.store.ListOperations(b.ctx, f, first(100))
		b.must(err)
		same(b, "list", nodes(page), want)
	})
}
