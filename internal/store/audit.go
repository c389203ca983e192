package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

var _ service.AuditStore = (*Store)(nil)

type auditRow struct {
	bun.BaseModel `bun:"table:audit_records,alias:entry"`

	ID            string `bun:",pk"`
	At            int64
	ClientID      string
	RequestID     string
	Action        lending.AuditAction
	OperationName string
	Fields        string
	CustomerID    lending.CustomerID
	ErrorCode     lending.ErrorKind
}

func (s *Store) auditListing() listing[auditRow, *lending.AuditRecord] {
	return listing[auditRow, *lending.AuditRecord]{
		what: "audit record",
		order: order[auditRow]{
			name: "audit", key: "at", descending: true,
			place: func(r *auditRow) place { return place{r.At, r.ID} },
		},
		to: s.toAudit,
	}
}

func fromAudit(e *encoder, r *lending.AuditRecord) auditRow {
	return auditRow{
		ID: r.ID, At: micros(r.At), ClientID: r.ClientID, RequestID: r.RequestID, Action: r.Action,
		OperationName: r.OperationName, Fields: e.json(r.Fields), CustomerID: r.CustomerID, ErrorCode: r.ErrorCode,
	}
}

func (s *Store) toAudit(r *auditRow) (*lending.AuditRecord, error) {
	d := decoder{vault: s.vault}
	record := &lending.AuditRecord{
		ID: r.ID, At: moment(r.At), ClientID: r.ClientID, RequestID: r.RequestID, Action: r.Action,
		OperationName: r.OperationName, CustomerID: r.CustomerID, ErrorCode: r.ErrorCode,
	}
	d.json(r.Fields, &record.Fields)
	return record, d.err
}

// AppendAudit implements service.AuditStore, with one statement.
func (s *Store) AppendAudit(ctx context.Context, records ...*lending.AuditRecord) error {
	if len(records) == 0 {
		return nil
	}
	e := encoder{vault: s.vault}
	rows := make([]auditRow, len(records))
	for i, record := range records {
		rows[i] = fromAudit(&e, record)
	}
	if e.err != nil {
		return failure("append audit records", e.err)
	}
	return s.write(ctx, "append audit records", "", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(&rows).On("CONFLICT (id) DO NOTHING").Exec(ctx)
		return err
	})
}

// ListAudit implements service.AuditStore.
func (s *Store) ListAudit(ctx context.Context, filter lending.AuditFilter, page lending.PageRequest) (lending.Page[*lending.AuditRecord], error) {
	return list(ctx, s, s.auditListing(), page, func(q *bun.SelectQuery) *bun.SelectQuery {
		q = equal(among(q, "action", filter.Actions), "client_id", filter.ClientID)
		q = equal(equal(q, "request_id", filter.RequestID), "customer_id", filter.CustomerID)
		if !filter.At.From.IsZero() {
			q = q.Where("entry.at >= ?", micros(filter.At.From))
		}
		if !filter.At.To.IsZero() {
			q = q.Where("entry.at < ?", micros(filter.At.To))
		}
		return q
	})
}
