package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

type reportRow struct {
	bun.BaseModel `bun:"table:credit_reports,alias:entry"`

	ID         lending.ReportID   `bun:",pk"`
	CustomerID lending.CustomerID `bun:",nullzero"`
	Provider   lending.Provider
	ExternalID string
	Status     lending.ReportStatus
	OrderedAt  int64
	ReceivedAt int64
	Content    []byte
	Failure    string
	Conflict   bool
}

func (s *Store) reportListing() listing[reportRow, *lending.CreditReport] {
	return listing[reportRow, *lending.CreditReport]{
		what: "credit report", merged: true,
		order: order[reportRow]{
			name: "reports", key: "ordered_at", descending: true,
			place: func(r *reportRow) place { return place{r.OrderedAt, string(r.ID)} },
		},
		to: s.toReport,
	}
}

func contentCell(id lending.ReportID) cell { return cell{"credit_reports", "content", string(id)} }

func (s *Store) fromReport(c *lending.CreditReport) (*reportRow, error) {
	e := encoder{vault: s.vault}
	return &reportRow{
		ID: c.ID, CustomerID: c.CustomerID, Provider: c.Provider, ExternalID: c.ExternalID, Status: c.Status,
		OrderedAt: micros(c.OrderedAt), ReceivedAt: micros(c.ReceivedAt),
		Content: e.sealJSON(contentCell(c.ID), c.Content), Failure: e.json(c.Failure), Conflict: c.Conflict,
	}, e.err
}

func (s *Store) toReport(r *reportRow) (*lending.CreditReport, error) {
	d := decoder{vault: s.vault}
	c := &lending.CreditReport{
		ID: r.ID, CustomerID: r.CustomerID, Provider: r.Provider, ExternalID: r.ExternalID, Status: r.Status,
		OrderedAt: moment(r.OrderedAt), ReceivedAt: moment(r.ReceivedAt), Conflict: r.Conflict,
	}
	d.openJSON(contentCell(r.ID), r.Content, &c.Content)
	d.json(r.Failure, &c.Failure)
	return c, d.err
}

// Reports implements service.ReportStore.
func (s *Store) Reports(ctx context.Context, ids []lending.ReportID) (map[lending.ReportID]*lending.CreditReport, error) {
	return byIDs(ctx, s, s.reportListing(), ids, func(r *reportRow) lending.ReportID { return r.ID })
}

// LatestReports implements service.ReportStore. A customer's reports are newest first.
func (s *Store) LatestReports(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]*lending.CreditReport, error) {
	l := s.reportListing()
	l.from = func(q *bun.SelectQuery) *bun.SelectQuery {
		sorting := bun.Safe(l.order.sorting(false))
		ranked := s.writer.NewSelect().Model((*reportRow)(nil)).ColumnExpr("entry.*").
			ColumnExpr("ROW_NUMBER() OVER (PARTITION BY entry.customer_id ORDER BY ?) AS place", sorting).
			ColumnExpr("ROW_NUMBER() OVER (PARTITION BY entry.customer_id, entry.status ORDER BY ?) AS place_in_status", sorting).
			Where("entry.customer_id IN (?)", bun.List(customers))
		return q.ModelTableExpr("(?) AS entry", ranked).
			Where("entry.place = 1 OR (entry.status = ? AND entry.place_in_status = 1)", lending.ReportReady)
	}
	return latest(ctx, s, l, customers, func(c *lending.CreditReport) lending.CustomerID { return c.CustomerID })
}

// ReportsOf implements service.ReportStore.
func (s *Store) ReportsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditReport], error) {
	return listOf(ctx, s, s.reportListing(), customers, "customer_id",
		func(r *reportRow) lending.CustomerID { return r.CustomerID }, page)
}

// ReportByExternalID implements service.ReportStore; NOT_FOUND when there is none.
func (s *Store) ReportByExternalID(ctx context.Context, provider lending.Provider, externalID string) (*lending.CreditReport, error) {
	return find(ctx, s, s.reportListing(), byExternalID(provider, externalID))
}

// WaitingReports implements service.ReportStore.
func (s *Store) WaitingReports(ctx context.Context, provider lending.Provider, orderedBefore time.Time, after *lending.CreditReport, limit int) ([]*lending.CreditReport, error) {
	return gather(ctx, s, s.reportListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		if after != nil {
			q = q.Where("(entry.ordered_at, entry.id) > (?, ?)", micros(after.OrderedAt), after.ID)
		}
		return q.Where("entry.external_id <> ''").Where("entry.provider = ?", provider).Where("entry.ordered_at < ?", micros(orderedBefore)).
			Where("entry.status IN (?)", bun.List([]lending.ReportStatus{lending.ReportOrdered, lending.ReportOutcomeUnknown})).
			Order("entry.ordered_at", "entry.id").Limit(int64(limit))
	})
}

// SaveReport implements service.ReportStore. CONFLICT when its external id belongs to another report,
// NOT_FOUND when there is no such customer.
func (s *Store) SaveReport(ctx context.Context, report *lending.CreditReport) error {
	row, err := s.fromReport(report)
	if err != nil {
		return failure("save credit report", err)
	}
	return s.write(ctx, "save credit report", "Another credit report has this provider's id.", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").Returning("NULL").Exec(ctx)
		return err
	})
}
