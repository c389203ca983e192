package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func retentionChecks() []check {
	return []check{
		{"the oldest events are deleted, up to the first that is young enough", pruneOldest},
		{"a deletion that is taken back leaves the log as it was", pruneTakenBack},
		{"a log that was deleted wholly goes on with the next number", pruneAll},
		{"a list does not go on from before what was deleted", prunedCursors},
		{"a place that the log never reached is refused", futureCursors},
		{"processes that delete at the same time delete each event once", pruneTogether},
		{"no reader skips what is deleted under it", pruneUnderReaders},
	}
}

// received sets when an event was received, in minutes.
func received(minutes int) func(*lending.Event) {
	return func(e *lending.Event) { e.ReceivedAt = at(minutes) }
}

// prunes deletes events and checks how many it were.
func (b *bench) prunes(ctx context.Context, before, limit, want int) {
	b.Helper()
	n, err := b.store.PruneEvents(ctx, at(before), limit)
	b.must(err)
	same(b, "deleted events", n, want)
}

// behind checks what follows a sequence number.
func (b *bench) behind(sequence int64, want ...*lending.Event) {
	b.Helper()
	events, err := b.store.EventsAfter(b.ctx, sequence, 100)
	b.must(err)
	same(b, fmt.Sprintf("behind %d", sequence), events, want)
}

// expired checks that a reader cannot go on from a sequence number.
func (b *bench) expired(sequence int64) {
	b.Helper()
	_, err := b.store.EventsAfter(b.ctx, sequence, 100)
	b.wantKind(err, lending.KindCursorExpired)
}

func pruneOldest(b *bench) {
	b.prunes(b.ctx, 10, 5, 0)
	var log []*lending.Event
	for _, minutes := range []int{1, 3, 2, 5, 10, 4, 11} { // 4 had to wait, and stands behind 10
		log = append(log, b.appended(received(minutes)))
	}
	b.prunes(b.ctx, 1, 5, 0) // received at that time is not before it
	b.behind(0, log...)
	b.prunes(b.ctx, 10, 0, 0)
	b.prunes(b.ctx, 10, 3, 3)
	b.behind(3, log[3:]...)
	b.expired(2)
	b.prunes(b.ctx, 10, 3, 1)
	b.prunes(b.ctx, 10, 3, 0)
	b.behind(4, log[4:]...)
	for sequence := range int64(4) {
		b.expired(sequence)
	}
	found, err := b.store.Events(b.ctx, []lending.EventID{log[3].ID, log[5].ID})
	b.must(err)
	same(b, "found", found, map[lending.EventID]*lending.Event{log[5].ID: log[5]})
}

func pruneTakenBack(b *bench) {
	log := []*lending.Event{b.appended(received(1)), b.appended(received(2))}
	err := b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.prunes(ctx, 2, 5, 1)
		if _, err := b.store.EventsAfter(ctx, 0, 5); lending.KindOf(err) != lending.KindCursorExpired {
			b.Errorf("the transaction does not see its own deletion: %v", err)
		}
		b.behind(0, log...) // as others see it
		return errStop
	})
	if !errors.Is(err, errStop) {
		b.Fatal(err)
	}
	b.behind(0, log...)
}

func pruneAll(b *bench) {
	b.appended(received(1))
	b.appended(received(2))
	b.prunes(b.ctx, 5, 5, 2)
	same(b, "the end", b.lastSequence(), 2)
	b.behind(2)
	b.expired(1)
	third := b.appended(received(3))
	same(b, "the next sequence", third.Sequence, 3)
	b.behind(2, third)
}

func prunedCursors(b *bench) {
	for i := range 5 {
		b.appended(received(i), func(e *lending.Event) { e.CustomerID = "ada" })
	}
	whole, err := b.store.ListEvents(b.ctx, lending.EventFilter{}, first(10))
	b.must(err)
	b.prunes(b.ctx, 2, 10, 2)
	lists := map[string]func(p lending.PageRequest) (lending.Page[*lending.Event], error){
		"all": func(p lending.PageRequest) (lending.Page[*lending.Event], error) {
			return b.store.ListEvents(b.ctx, lending.EventFilter{}, p)
		},
		"none": func(p lending.PageRequest) (lending.Page[*lending.Event], error) {
			return b.store.ListEvents(b.ctx, lending.EventFilter{CustomerID: "nobody"}, p)
		},
		"of a customer": func(p lending.PageRequest) (lending.Page[*lending.Event], error) {
			pages, err := b.store.EventsOf(b.ctx, []lending.CustomerID{"ada"}, p)
			return pages["ada"], err
		},
	}
	for name, list := range lists {
		_, err := list(lending.PageRequest{First: 10, After: whole.Edges[0].Cursor})
		b.wantKind(err, lending.KindCursorExpired)
		rest := nodes(whole)[2:]
		if name == "none" {
			rest = nil
		}
		for _, p := range []lending.PageRequest{first(10), {First: 10, After: whole.Edges[1].Cursor}, {Last: 10}} {
			page, err := list(p)
			b.must(err)
			same(b, name, nodes(page), rest)
		}
		page, err := list(lending.PageRequest{Last: 10, Before: whole.Edges[1].Cursor})
		b.must(err)
		same(b, name+" before what was deleted", nodes(page), nil)
	}
}

func futureCursors(b *bench) {
	var log []string
	for range 3 {
		b.appended()
	}
	page, err := b.store.ListEvents(b.ctx, lending.EventFilter{}, first(3))
	b.must(err)
	for _, edge := range page.Edges {
		log = append(log, edge.Cursor)
	}
	b.behind(3)
	for _, sequence := range []int64{4, 1 << 62, 1<<63 - 1, -1, -1 << 63} {
		_, err := b.store.EventsAfter(b.ctx, sequence, 5)
		b.wantKind(err, lending.KindValidation)
	}
	errs := b.store.InTx(b.ctx, func(ctx context.Context) error {
		b.must(b.store.AppendEvents(ctx, b.event()))
		page, err := b.store.ListEvents(ctx, lending.EventFilter{}, first(4))
		b.must(err)
		log = append(log, page.Edges[3].Cursor)
		return errStop
	})
	if !errors.Is(errs, errStop) {
		b.Fatal(errs)
	}
	for i, cursor := range log {
		page, err := b.store.ListEvents(b.ctx, lending.EventFilter{}, lending.PageRequest{First: 5, After: cursor})
		if i == 3 { // of an event that was taken back
			b.wantKind(err, lending.KindValidation)
			continue
		}
		b.must(err)
		same(b, "behind a cursor", len(page.Edges), 2-i)
	}
}

func pruneTogether(b *bench) {
	const old, young = 90, 10
	for i := range old + young {
		b.appended(received(i / old * 100))
	}
	var total atomic.Int64
	for _, err := range together(8, func(int) error {
		for {
			n, err := b.store.PruneEvents(b.ctx, at(50), 7)
			total.Add(int64(n))
			if err != nil {
				return err
			}
			if n < 7 {
				return b.noneBefore(old)
			}
		}
	}) {
		b.must(err)
	}
	same(b, "deleted", total.Load(), old)
	b.expired(old - 1)
	events, err := b.store.EventsAfter(b.ctx, old, 100)
	b.must(err)
	same(b, "kept", len(events), young)
}

// noneBefore checks that the log begins behind a sequence number.
func (b *bench) noneBefore(sequence int64) error {
	page, err := b.store.ListEvents(b.ctx, lending.EventFilter{}, first(1))
	if err == nil && page.Edges[0].Node.Sequence != sequence+1 {
		err = fmt.Errorf("fewer were deleted than asked for, and the log begins with %d", page.Edges[0].Node.Sequence)
	}
	return err
}

// pruneUnderReaders deletes the log while it grows and is read. A reader that was overtaken is told so; one that
// is told nothing has the very next event.
func pruneUnderReaders(b *bench) {
	const total, readers = 250, 3
	var expired atomic.Int64
	errs := together(2+readers, func(i int) error {
		switch i {
		case 0:
			for n := range total {
				if err := b.store.AppendEvents(b.ctx, &lending.Event{ID: lending.EventID(fmt.Sprint(n)), ReceivedAt: at(1)}); err != nil {
					return err
				}
			}
			return nil
		case 1:
			for deleted := 0; deleted < total; {
				n, err := b.store.PruneEvents(b.ctx, at(2), 5)
				if err != nil {
					return err
				}
				deleted += n
			}
			return nil
		}
		for last := int64(0); last < total; {
			events, err := b.store.EventsAfter(b.ctx, last, 3)
			if lending.KindOf(err) == lending.KindCursorExpired {
				expired.Add(1)
				last, err = b.store.LastSequence(b.ctx)
			}
			if err != nil {
				return err
			}
			for _, e := range events {
				if e.Sequence != last+1 {
					return fmt.Errorf("event %d was read after %d", e.Sequence, last)
				}
				last = e.Sequence
			}
		}
		return nil
	})
	for _, err := range errs {
		b.must(err)
	}
	if expired.Load() == 0 {
		b.Log("no reader was overtaken")
	}
}
