package storetest

import (
	"context"
	"errors"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func eventChecks() []check {
	return []check{
		{"events come back as they were appended, in order", eventRoundTrip},
		{"a transaction that is taken back leaves no gap in the log", eventGap},
		{"an event is appended once", eventTwice},
		{"lists of events agree with the filter's own rule", eventFilters},
		{"events of customers come in the order of the log", eventsOf},
		{"readers behind many writers skip no event", eventTail},
	}
}

func (b *bench) event(changes ...func(*lending.Event)) *lending.Event {
	e := &lending.Event{
		ID: lending.EventID(b.id("event")), Type: lending.EventLoanCreated, Provider: lending.Kredete,
		Source: lending.FromWebhook, OccurredAt: at(b.ids), ReceivedAt: at(b.ids),
	}
	for _, change := range changes {
		change(e)
	}
	return e
}

func (b *bench) appended(changes ...func(*lending.Event)) *lending.Event {
	b.Helper()
	e := b.event(changes...)
	b.must(b.store.AppendEvents(b.ctx, e))
	return e
}

func (b *bench) lastSequence() int64 {
	b.Helper()
	last, err := b.store.LastSequence(b.ctx)
	b.must(err)
	return last
}

func eventRoundTrip(b *bench) {
	same(b, "the end of an empty log", b.lastSequence(), 0)
	b.must(b.store.AppendEvents(b.ctx))
	full := b.event(func(e *lending.Event) {
		e.ProviderType, e.CustomerID, e.LoanID, e.PaymentID = "loan.created", "c", "l", "p"
		e.ScoreID, e.ReportID, e.OperationID, e.Payload = "s", "r", "o", []byte(`{"a": 1}`)
	})
	bare := b.event()
	b.must(b.store.AppendEvents(b.ctx, full, bare))
	same(b, "sequences", []int64{full.Sequence, bare.Sequence}, []int64{1, 2})
	third := b.appended()
	found, err := b.store.Events(b.ctx, []lending.EventID{full.ID, bare.ID, "none"})
	b.must(err)
	same(b, "events", found, map[lending.EventID]*lending.Event{full.ID: full, bare.ID: bare})
	after, err := b.store.EventsAfter(b.ctx, 0, 10)
	b.must(err)
	same(b, "all", after, []*lending.Event{full, bare, third})
	after, err = b.store.EventsAfter(b.ctx, 1, 1)
	b.must(err)
	same(b, "one behind the first", after, []*lending.Event{bare})
	same(b, "the end", b.lastSequence(), 3)
}

func eventGap(b *bench) {
	b.appended()
	err := b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.must(b.store.AppendEvents(ctx, b.event(), b.event()))
		return errStop
	})
	if !errors.Is(err, errStop) {
		b.Fatal(err)
	}
	same(b, "the next sequence", b.appended().Sequence, 2)
	same(b, "the end", b.lastSequence(), 2)
}

func eventTwice(b *bench) {
	e := b.appended()
	twin := *e
	b.wantKind(b.store.AppendEvents(b.ctx, b.event(), &twin), lending.KindConflict)
	same(b, "the next sequence", b.appended().Sequence, 2)
}

func eventFilters(b *bench) {
	types := []lending.EventType{lending.EventLoanCreated, lending.EventPayment, lending.EventUnknown}
	customers, loans, operations := []lending.CustomerID{"", "ada", "obi"}, []lending.LoanID{"", "l1", "l2"}, []lending.OperationID{"", "o1"}
	var log []*lending.Event
	for i := range 40 {
		log = append(log, b.appended(func(e *lending.Event) {
			e.Type, e.Provider = types[i%3], lending.Providers()[i%5]
			e.CustomerID, e.LoanID, e.OperationID = customers[i/2%3], loans[i/4%3], operations[i%2]
		}))
	}
	rapid.Check(b.T, func(t *rapid.T) {
		f := lending.EventFilter{
			Providers:   rapid.SliceOfN(rapid.SampledFrom(lending.Providers()), 0, 3).Draw(t, "providers"),
			Types:       rapid.SliceOfN(rapid.SampledFrom(types), 0, 2).Draw(t, "types"),
			CustomerID:  rapid.SampledFrom(customers).Draw(t, "customer"),
			LoanID:      rapid.SampledFrom(loans).Draw(t, "loan"),
			OperationID: rapid.SampledFrom(operations).Draw(t, "operation"),
		}
		var want []*lending.Event
		for _, e := range log {
			if f.Matches(e) {
				want = append(want, e)
			}
		}
		page, err := b.store.ListEvents(b.ctx, f, first(100))
		b.must(err)
		same(b, "list", nodes(page), want)
	})
}

func eventsOf(b *bench) {
	of := func(customer lending.CustomerID) *lending.Event {
		return b.appended(func(e *lending.Event) { e.CustomerID = customer })
	}
	first1, other, second, third := of("ada"), of("obi"), of("ada"), of("ada")
	pages, err := b.store.EventsOf(b.ctx, []lending.CustomerID{"ada", "obi", "nobody"}, first(2))
	b.must(err)
	same(b, "customers", len(pages), 2)
	same(b, "events", nodes(pages["ada"]), []*lending.Event{first1, second})
	same(b, "the other's", nodes(pages["obi"]), []*lending.Event{other})
	pages, err = b.store.EventsOf(b.ctx, []lending.CustomerID{"ada"}, lending.PageRequest{First: 2, After: pages["ada"].Edges[1].Cursor})
	b.must(err)
	same(b, "behind them", nodes(pages["ada"]), []*lending.Event{third})
}
