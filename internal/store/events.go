package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events,alias:entry"`

	Sequence     int64 `bun:",pk"`
	ID           lending.EventID
	Type         lending.EventType
	ProviderType string
	Provider     lending.Provider
	Source       lending.EventSource
	CustomerID   lending.CustomerID
	LoanID       lending.LoanID
	PaymentID    lending.PaymentID
	ScoreID      lending.ScoreID
	ReportID     lending.ReportID
	OperationID  lending.OperationID
	OccurredAt   int64
	ReceivedAt   int64
	Payload      string
}

func (s *Store) eventListing() listing[eventRow, *lending.Event] {
	return listing[eventRow, *lending.Event]{
		what: "event",
		order: order[eventRow]{
			name: "events", key: "sequence", unique: true,
			place: func(r *eventRow) place { return place{key: r.Sequence} },
		},
		to: toEvent,
	}
}

func fromEvent(e *lending.Event, sequence int64) *eventRow {
	return &eventRow{
		Sequence: sequence, ID: e.ID, Type: e.Type, ProviderType: e.ProviderType, Provider: e.Provider,
		Source: e.Source, CustomerID: e.CustomerID, LoanID: e.LoanID, PaymentID: e.PaymentID, ScoreID: e.ScoreID,
		ReportID: e.ReportID, OperationID: e.OperationID, OccurredAt: micros(e.OccurredAt),
		ReceivedAt: micros(e.ReceivedAt), Payload: string(e.Payload),
	}
}

func toEvent(r *eventRow) (*lending.Event, error) {
	e := &lending.Event{
		Sequence: r.Sequence, ID: r.ID, Type: r.Type, ProviderType: r.ProviderType, Provider: r.Provider,
		Source: r.Source, CustomerID: r.CustomerID, LoanID: r.LoanID, PaymentID: r.PaymentID, ScoreID: r.ScoreID,
		ReportID: r.ReportID, OperationID: r.OperationID, OccurredAt: moment(r.OccurredAt),
		ReceivedAt: moment(r.ReceivedAt),
	}
	if r.Payload != "" {
		e.Payload = []byte(r.Payload)
	}
	return e, nil
}

// AppendEvents implements service.EventStore. The lock on the counter's row is held until the commit: only
// then can another transaction take the numbers that follow. A transaction that is rolled back leaves no
// gap. CONFLICT when an event is in the log already.
func (s *Store) AppendEvents(ctx context.Context, events ...*lending.Event) error {
	if len(events) == 0 {
		return nil
	}
	return s.join(ctx, "append events", "This event is in the log already.", func(ctx context.Context) error {
		db := s.writing(ctx)
		var last int64
		err := db.QueryRowContext(ctx,
			"UPDATE event_counter SET last = last + ? WHERE id = 1 RETURNING last", len(events)).Scan(&last)
		if err != nil {
			return err
		}
		rows := make([]*eventRow, len(events))
		for i, event := range events {
			rows[i] = fromEvent(event, last-int64(len(events)-1-i))
		}
		if _, err := db.NewInsert().Model(&rows).Exec(ctx); err != nil {
			return err
		}
		for i, event := range events {
			event.Sequence = rows[i].Sequence
		}
		return nil
	})
}

// Events implements service.EventStore.
func (s *Store) Events(ctx context.Context, ids []lending.EventID) (map[lending.EventID]*lending.Event, error) {
	return byIDs(ctx, s, s.eventListing(), ids, func(r *eventRow) lending.EventID { return r.ID })
}

// ListEvents implements service.EventStore.
func (s *Store) ListEvents(ctx context.Context, f lending.EventFilter, page lending.PageRequest) (lending.Page[*lending.Event], error) {
	found, err := list(ctx, s, s.eventListing(), page, func(q *bun.SelectQuery) *bun.SelectQuery {
		q = among(among(q, "provider", f.Providers), "type", f.Types)
		return equal(equal(equal(q, "customer_id", f.CustomerID), "loan_id", f.LoanID), "operation_id", f.OperationID)
	})
	if err == nil {
		err = s.checkCursor(ctx, page.After)
	}
	if err != nil {
		return lending.Page[*lending.Event]{}, err
	}
	return found, nil
}

// EventsOf implements service.EventStore.
func (s *Store) EventsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Event], error) {
	found, err := listOf(ctx, s, s.eventListing(), customers, "customer_id",
		func(r *eventRow) lending.CustomerID { return r.CustomerID }, page)
	if err == nil {
		err = s.checkCursor(ctx, page.After)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// EventsAfter implements service.EventStore. Sequence numbers have no gaps, so where the very next one is there
// nothing was deleted in between; where it is not, the counter is asked after the events: what was deleted
// before they were read is known to it then.
func (s *Store) EventsAfter(ctx context.Context, sequence int64, limit int) ([]*lending.Event, error) {
	events, err := gather(ctx, s, s.eventListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.sequence > ?", sequence).Order("entry.sequence").Limit(int64(limit))
	})
	if err != nil {
		return nil, err
	}
	if len(events) > 0 && events[0].Sequence == sequence+1 {
		return events, nil
	}
	if err := s.checkPlace(ctx, sequence); err != nil {
		return nil, err
	}
	return events, nil
}

// LastSequence implements service.EventStore.
func (s *Store) LastSequence(ctx context.Context) (int64, error) {
	ctx, end := bounded(ctx, s.engine.statement)
	defer end()
	var last int64
	err := s.reading(ctx).QueryRowContext(ctx, "SELECT last FROM event_counter WHERE id = 1").Scan(&last)
	return last, failure("read the end of the event log", err)
}
