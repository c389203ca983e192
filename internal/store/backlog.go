package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

var _ service.BacklogReader = (*Store)(nil)

// waitingRow is one line of a count by state.
type waitingRow struct {
	State  string
	Count  int
	Oldest int64
}

func (r waitingRow) waiting() service.Waiting {
	return service.Waiting{Count: r.Count, Oldest: moment(r.Oldest)}
}

// Backlog implements service.BacklogReader. Each statement goes by a partial index on what waits, so that it costs as much
// as there is of that, however long the tables have grown.
func (s *Store) Backlog(ctx context.Context) (service.Backlog, error) {
	b := service.Backlog{
		Operations: map[lending.OperationStatus]service.Waiting{}, Deliveries: map[service.DeliveryState]service.Waiting{},
	}
	var rows []waitingRow
	err := s.reading(ctx).NewSelect().Model((*operationRow)(nil)).
		ColumnExpr("entry.status AS state, COUNT(*) AS count, MIN(entry.requested_at) AS oldest").
		Where("entry.status NOT IN (?)", bun.List(settled())).GroupExpr("entry.status").Scan(ctx, &rows)
	if err != nil {
		return b, failure("count operations", err)
	}
	for _, row := range rows {
		b.Operations[lending.OperationStatus(row.State)] = row.waiting()
	}
	for _, state := range []service.DeliveryState{service.DeliveryReceived, service.DeliveryHeld, service.DeliverySetAside} {
		var row waitingRow
		// The state stands in the statement as text, so that the planner sees that the index is about it.
		err := s.reading(ctx).NewSelect().Model((*deliveryRow)(nil)).
			ColumnExpr("COUNT(*) AS count, COALESCE(MIN(entry.received_at), 0) AS oldest").
			Where("entry.state = ?", state).Scan(ctx, &row.Count, &row.Oldest)
		if err != nil {
			return b, failure("count deliveries", err)
		}
		b.Deliveries[state] = row.waiting()
	}
	b.LastSequence, err = s.LastSequence(ctx)
	return b, err
}
