package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// loansMatching keeps the loans that a filter matches.
func loansMatching(f lending.LoanFilter) narrowing {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q = among(among(q, "provider", f.Providers), "status", f.Status)
		q = equal(q, "customer_id", f.CustomerID)
		if !f.CreatedAt.From.IsZero() {
			q = q.Where("entry.created_at >= ?", micros(f.CreatedAt.From))
		}
		if !f.CreatedAt.To.IsZero() {
			q = q.Where("entry.created_at < ?", micros(f.CreatedAt.To))
		}
		q = amountWithin(q, f.Principal)
		if f.Overdue != nil {
			q = q.Where("(entry.overdue_minor > 0) = ?", *f.Overdue)
		}
		if f.Conflict != nil {
			q = q.Where("entry.conflict = ?", *f.Conflict)
		}
		return q
	}
}

// amountWithin keeps principals of the bounds' currency. Bounds of two currencies keep nothing.
func amountWithin(q *bun.SelectQuery, bounds lending.MoneyRange) *bun.SelectQuery {
	if bounds.Min != nil {
		q = q.Where("entry.principal_minor >= ? AND entry.currency = ?", bounds.Min.Minor(), bounds.Min.Currency())
	}
	if bounds.Max != nil {
		q = q.Where("entry.principal_minor <= ? AND entry.currency = ?", bounds.Max.Minor(), bounds.Max.Currency())
	}
	return q
}

// ListLoans implements service.LoanLister.
func (s *Store) ListLoans(ctx context.Context, filter lending.LoanFilter, order lending.LoanOrder, page lending.PageRequest) (lending.Page[*lending.Loan], error) {
	return list(ctx, s, s.loanListing(order), page, loansMatching(filter))
}

// CountLoans implements service.LoanLister.
func (s *Store) CountLoans(ctx context.Context, filter lending.LoanFilter) (int, error) {
	return count(ctx, s, s.loanListing(newestFirst()), loansMatching(filter))
}

// sumRow is sums over loans of one currency, of one customer where they are told apart.
type sumRow struct {
	CustomerID  lending.CustomerID
	Currency    lending.Currency
	Loans       int
	Principal   int64
	Outstanding int64
	Overdue     int64
}

func (r sumRow) money(minor int64) lending.Money { return lending.NewMoney(minor, r.Currency) }

// sums adds the columns of a sumRow to a statement over loans.
func sums(q *bun.SelectQuery) *bun.SelectQuery {
	return q.ColumnExpr("entry.currency, COUNT(*) AS loans").
		ColumnExpr("CAST(SUM(entry.principal_minor) AS BIGINT) AS principal").
		ColumnExpr("CAST(SUM(entry.outstanding_minor) AS BIGINT) AS outstanding").
		ColumnExpr("CAST(SUM(entry.overdue_minor) AS BIGINT) AS overdue")
}

// LoanTotals implements service.LoanLister.
func (s *Store) LoanTotals(ctx context.Context, filter lending.LoanFilter) ([]lending.LoanTotals, error) {
	var rows []sumRow
	q := loansMatching(filter)(s.standing(s.reading(ctx).NewSelect().Model((*standingRow)(nil))))
	if err := sums(q).GroupExpr("entry.currency").OrderExpr("entry.currency").Scan(ctx, &rows); err != nil {
		return nil, failure("sum loans", err)
	}
	totals := make([]lending.LoanTotals, len(rows))
	for i, r := range rows {
		totals[i] = lending.LoanTotals{
			Currency: r.Currency, Count: r.Loans, Principal: r.money(r.Principal),
			Outstanding: r.money(r.Outstanding), Overdue: r.money(r.Overdue),
		}
	}
	return totals, nil
}

// LoansOf implements service.LoanLister.
func (s *Store) LoansOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Loan], error) {
	return listOf(ctx, s, s.loanListing(newestFirst()), customers, "customer_id",
		func(r *standingRow) lending.CustomerID { return r.CustomerID }, page)
}

// CountLoansOf implements service.LoanLister.
func (s *Store) CountLoansOf(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]int, error) {
	l := listing[loanRow, *lending.Loan]{what: "loan"}
	return countOf(ctx, s, l, customers, "customer_id")
}

// activityRow is when a customer's loans at a provider last changed.
type activityRow struct {
	CustomerID lending.CustomerID
	Provider   lending.Provider
	ChangedAt  int64
}

// LoanActivity implements service.LoanLister.
func (s *Store) LoanActivity(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]map[lending.Provider]time.Time, error) {
	activity := make(map[lending.CustomerID]map[lending.Provider]time.Time, len(customers))
	if len(customers) == 0 {
		return activity, nil
	}
	var rows []activityRow
	err := s.reading(ctx).NewSelect().Model((*loanRow)(nil)).
		ColumnExpr("entry.customer_id, entry.provider, MAX(entry.updated_at) AS changed_at").
		Where("entry.customer_id IN (?)", bun.List(customers)).
		GroupExpr("entry.customer_id, entry.provider").Scan(ctx, &rows)
	for _, r := range rows {
		if activity[r.CustomerID] == nil {
			activity[r.CustomerID] = map[lending.Provider]time.Time{}
		}
		activity[r.CustomerID][r.Provider] = moment(r.ChangedAt)
	}
	return activity, failure("read loan activity", err)
}

// Exposures implements service.LoanLister. Loans on which nothing is open are not counted; a customer who
// owes nothing is not in the answer.
func (s *Store) Exposures(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Exposure, error) {
	exposures := make(map[lending.CustomerID][]lending.Exposure, len(customers))
	if len(customers) == 0 {
		return exposures, nil
	}
	var rows []sumRow
	q := s.standing(s.reading(ctx).NewSelect().Model((*standingRow)(nil))).ColumnExpr("entry.customer_id").
		Where("entry.customer_id IN (?)", bun.List(customers)).Where("entry.outstanding_minor > 0")
	err := sums(q).GroupExpr("entry.customer_id, entry.currency").OrderExpr("entry.currency").Scan(ctx, &rows)
	for _, r := range rows {
		exposures[r.CustomerID] = append(exposures[r.CustomerID], lending.Exposure{
			Currency: r.Currency, ActiveLoanCount: r.Loans,
			Outstanding: r.money(r.Outstanding), Overdue: r.money(r.Overdue),
		})
	}
	return exposures, failure("sum exposures", err)
}
