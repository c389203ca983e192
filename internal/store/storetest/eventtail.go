package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The writers and readers of eventTail: each writer makes some transactions, of which some are taken back.
const (
	tailWriters      = 64
	tailTransactions = 4
	tailReaders      = 3
	tailDeadline     = 2 * time.Minute
)

// eventTail has writers append in transactions that take a random time before and after they have their numbers,
// so that they commit in another order than they began, while readers follow the log. What a reader has seen
// up to a sequence number must be all that there ever is up to it: nothing skipped, nothing twice, in order.
func eventTail(b *bench) {
	ctx, cancel := context.WithTimeout(b.ctx, tailDeadline)
	defer cancel()
	total := 0
	for w := range tailWriters {
		for n := range tailTransactions {
			if !takenBack(w, n) {
				total += len(tailEvents(w, n))
			}
		}
	}
	seen := make([][]lending.EventID, tailReaders)
	errs := together(tailWriters+tailReaders, func(i int) (err error) {
		defer func() {
			if err != nil {
				cancel() // who waits for what did not come need not wait longer
			}
		}()
		if i < tailReaders {
			seen[i], err = b.followLog(ctx, total, []int{1, 7, 200}[i%3])
			return err
		}
		return b.appendSlowly(ctx, i-tailReaders)
	})
	b.must(firstCause(errs))
	for _, ids := range seen {
		same(b, "what a reader saw", ids, seen[0])
	}
	slices.Sort(seen[0])
	same(b, "different events", len(slices.Compact(seen[0])), total)
	same(b, "the end of the log", b.lastSequence(), int64(total))
}

// firstCause is an error that is not the end of the others' context, where there is one.
func firstCause(errs []error) error {
	slices.SortStableFunc(errs, func(x, y error) int { return cmp.Compare(severity(y), severity(x)) })
	return errs[0]
}

func severity(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return 1
	}
	return 2
}

// takenBack says which transactions of a writer end in a rollback.
func takenBack(writer, n int) bool { return (writer+n)%4 == 0 }

// tailEvents are what a writer appends in one transaction: one to three events.
func tailEvents(writer, n int) []*lending.Event {
	events := make([]*lending.Event, 1+(writer+n)%3)
	for i := range events {
		events[i] = &lending.Event{ID: lending.EventID(fmt.Sprintf("%d-%d-%d", writer, n, i)), ReceivedAt: at(n)}
	}
	return events
}

// appendSlowly makes the transactions of one writer. The delays are what is tested: a network or a disk that
// lets one transaction overtake another.
func (b *bench) appendSlowly(ctx context.Context, writer int) error {
	delay := func() { time.Sleep(rand.N(2 * time.Millisecond)) }
	for n := range tailTransactions {
		err := b.store.InTx(ctx, func(ctx context.Context) error {
			if _, err := b.store.CountLoans(ctx, lending.LoanFilter{}); err != nil { // begins the transaction
				return err
			}
			delay()
			if err := b.store.AppendEvents(ctx, tailEvents(writer, n)...); err != nil {
				return err
			}
			delay()
			if takenBack(writer, n) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			return err
		}
	}
	return nil
}

// followLog reads until it has seen so many events, and gives their ids.
func (b *bench) followLog(ctx context.Context, total, limit int) ([]lending.EventID, error) {
	var ids []lending.EventID
	for len(ids) < total {
		events, err := b.store.EventsAfter(ctx, int64(len(ids)), limit)
		if err != nil {
			return ids, err
		}
		if len(events) > limit {
			return ids, fmt.Errorf("%d events where at most %d were asked for", len(events), limit)
		}
		for _, e := range events {
			if e.Sequence != int64(len(ids))+1 {
				return ids, fmt.Errorf("event %d was read after %d", e.Sequence, len(ids))
			}
			ids = append(ids, e.ID)
		}
	}
	return ids, nil
}
