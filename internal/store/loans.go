package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// loanColumns is a loan as its table holds it. All its amounts are of one currency. PaidMinor follows from
// the payments, never from what is saved.
type loanColumns struct {
	ID                    lending.LoanID     `bun:",pk"`
	CustomerID            lending.CustomerID `bun:",nullzero"`
	Provider              lending.Provider
	ExternalID            string
	Reference             string
	ProductID             string
	SupplierID            string
	Status                lending.LoanStatus
	ProviderStatus        string
	Purpose               lending.LoanPurpose
	ProviderPurpose       string
	Currency              lending.Currency
	PrincipalMinor        int64
	InterestRate          string
	TotalInterestMinor    *int64
	TotalRepaymentMinor   *int64
	InstallmentMinor      *int64
	PaidMinor             int64
	TenureValue           int
	TenureUnit            lending.TenureUnit
	DisbursedOn           string
	DisbursementReference string
	Conflict              bool
	FailureReason         string
	CreatedAt             int64
	UpdatedAt             int64
}

type loanRow struct {
	bun.BaseModel `bun:"table:loans,alias:entry"`

	loanColumns
}

// standingRow is a loan with what is open on it as of one day.
type standingRow struct {
	bun.BaseModel `bun:"table:loans,alias:entry"`

	loanColumns
	OutstandingMinor int64
	OverdueMinor     int64
}

type installmentRow struct {
	bun.BaseModel `bun:"table:loan_installments,alias:entry"`

	LoanID      lending.LoanID `bun:",pk"`
	DueOn       string         `bun:",pk"`
	Number      int            `bun:",pk"`
	AmountMinor int64
}

// owing are the statuses in which a loan is paid out and not repaid: only then is anything open on it.
func owing() []lending.LoanStatus {
	return []lending.LoanStatus{lending.LoanDisbursed, lending.LoanActive, lending.LoanDefaulted}
}

// standing reads loans with what is open on them as of today: outstanding is what is to be repaid in all,
// less what was paid; overdue is what fell due before today, less what was paid; neither is below 0.
func (s *Store) standing(q *bun.SelectQuery) *bun.SelectQuery {
	loans := s.writer.NewSelect().TableExpr("loans AS loan").ColumnExpr("loan.*").
		ColumnExpr(`CASE WHEN loan.status IN (?)
			THEN ?(0, COALESCE(loan.total_repayment_minor, loan.principal_minor) - loan.paid_minor)
			ELSE 0 END AS outstanding_minor`, bun.List(owing()), s.engine.greatest).
		ColumnExpr(`CASE WHEN loan.status IN (?)
			THEN ?(0, (SELECT CAST(COALESCE(SUM(i.amount_minor), 0) AS BIGINT) FROM loan_installments AS i
				WHERE i.loan_id = loan.id AND i.due_on < ?) - loan.paid_minor)
			ELSE 0 END AS overdue_minor`, bun.List(owing()), s.engine.greatest, s.today())
	return q.ModelTableExpr("(?) AS entry", loans)
}

// loanListing reads loans in an order; newestFirst is the usual one.
func (s *Store) loanListing(by lending.LoanOrder) listing[standingRow, *lending.Loan] {
	key, number := "created_at", func(r *standingRow) int64 { return r.CreatedAt }
	switch by.Field {
	case lending.ByUpdatedAt:
		key, number = "updated_at", func(r *standingRow) int64 { return r.UpdatedAt }
	case lending.ByPrincipal:
		key, number = "principal_minor", func(r *standingRow) int64 { return r.PrincipalMinor }
	}
	name := "loans " + key
	if by.Descending {
		name += " down"
	}
	return listing[standingRow, *lending.Loan]{
		what: "loan", from: s.standing, to: s.toLoan, merged: true,
		order: order[standingRow]{
			name: name, key: key, descending: by.Descending,
			place: func(r *standingRow) place { return place{number(r), string(r.ID)} },
		},
	}
}

func newestFirst() lending.LoanOrder {
	return lending.LoanOrder{Field: lending.ByCreatedAt, Descending: true}
}

func fromLoan(l *lending.Loan) (*loanRow, error) {
	currency, err := loanCurrency(l)
	if err != nil {
		return nil, err
	}
	return &loanRow{loanColumns: loanColumns{
		ID: l.ID, CustomerID: l.CustomerID, Provider: l.Provider, ExternalID: l.ExternalID, Reference: l.Reference,
		ProductID: l.ProductID, SupplierID: l.SupplierID, Status: l.Status, ProviderStatus: l.ProviderStatus,
		Purpose: l.Purpose, ProviderPurpose: l.ProviderPurpose, Currency: currency,
		PrincipalMinor: l.Principal.Minor(), InterestRate: decimalText(l.InterestRate),
		TotalInterestMinor: minorOf(l.TotalInterest), TotalRepaymentMinor: minorOf(l.TotalRepayment),
		InstallmentMinor: minorOf(l.Installment), TenureValue: l.Tenure.Value, TenureUnit: l.Tenure.Unit,
		DisbursedOn: l.DisbursedOn.String(), DisbursementReference: l.DisbursementReference,
		Conflict: l.Conflict, FailureReason: l.FailureReason,
		CreatedAt: micros(l.CreatedAt), UpdatedAt: micros(l.UpdatedAt),
	}}, nil
}

// loanCurrency is the currency of all of a loan's amounts. A webhook may tell of a loan whose principal we
// do not know; then it is that of the other amounts.
func loanCurrency(l *lending.Loan) (lending.Currency, error) {
	currency := l.Principal.Currency()
	for _, amount := range []*lending.Money{l.TotalRepayment, l.TotalInterest, l.Installment} {
		switch {
		case amount == nil || amount.Currency() == currency:
		case currency == "" && l.Principal.Sign() == 0:
			currency = amount.Currency()
		default:
			return "", fmt.Errorf("store: loan: %w", lending.ErrCurrencyMismatch)
		}
	}
	return currency, nil
}

func (s *Store) toLoan(r *standingRow) (*lending.Loan, error) {
	d := decoder{vault: s.vault}
	money := func(minor int64) lending.Money { return lending.NewMoney(minor, r.Currency) }
	return &lending.Loan{
		ID: r.ID, CustomerID: r.CustomerID, Provider: r.Provider, ExternalID: r.ExternalID, Reference: r.Reference,
		ProductID: r.ProductID, SupplierID: r.SupplierID, Status: r.Status, ProviderStatus: r.ProviderStatus,
		Purpose: r.Purpose, ProviderPurpose: r.ProviderPurpose, Principal: money(r.PrincipalMinor),
		InterestRate: d.decimal(r.InterestRate), TotalInterest: moneyOf(r.TotalInterestMinor, r.Currency),
		TotalRepayment: moneyOf(r.TotalRepaymentMinor, r.Currency), Installment: moneyOf(r.InstallmentMinor, r.Currency),
		Paid: money(r.PaidMinor), Outstanding: money(r.OutstandingMinor), Overdue: money(r.OverdueMinor),
		Tenure:      lending.Tenure{Value: r.TenureValue, Unit: r.TenureUnit},
		DisbursedOn: d.date(r.DisbursedOn), DisbursementReference: r.DisbursementReference,
		Conflict: r.Conflict, FailureReason: r.FailureReason,
		CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}, d.err
}

// Loans implements service.LoanStore.
func (s *Store) Loans(ctx context.Context, ids []lending.LoanID) (map[lending.LoanID]*lending.Loan, error) {
	return byIDs(ctx, s, s.loanListing(newestFirst()), ids, func(r *standingRow) lending.LoanID { return r.ID })
}

// LoanByExternalID implements service.LoanStore.
func (s *Store) LoanByExternalID(ctx context.Context, provider lending.Provider, externalID string) (*lending.Loan, error) {
	return find(ctx, s, s.loanListing(newestFirst()), byExternalID(provider, externalID))
}

// byExternalID keeps what a provider knows by an id. The second condition lets SQLite use the index, which
// leaves out rows without one; it also keeps an empty id from finding such a row.
func byExternalID(provider lending.Provider, externalID string) narrowing {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.provider = ?", provider).
			Where("entry.external_id = ?", externalID).Where("entry.external_id <> ''")
	}
}

// LoanByReference implements service.LoanStore.
func (s *Store) LoanByReference(ctx context.Context, provider lending.Provider, customer lending.CustomerID, reference string) (*lending.Loan, error) {
	return find(ctx, s, s.loanListing(newestFirst()), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.provider = ?", provider).Where("entry.customer_id = ?", customer).
			Where("entry.reference = ?", reference).Where("entry.reference <> ''")
	})
}

// SaveLoan implements service.LoanStore. It takes nothing from Paid, Outstanding and Overdue: those follow
// from the payments and the schedule. INTERNAL when the loan's amounts are of different currencies,
// NOT_FOUND when there is no such customer.
func (s *Store) SaveLoan(ctx context.Context, loan *lending.Loan) error {
	row, err := fromLoan(loan)
	if err != nil {
		return failure("save loan", err)
	}
	const conflict = "Another loan has this provider's id, or this reference for the customer."
	return s.write(ctx, "save loan", conflict, func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").Returning("NULL").Exec(ctx)
		if err != nil {
			return err
		}
		if err := s.saveSchedule(ctx, loan); err != nil {
			return err
		}
		return s.sumPayments(ctx, loan.ID)
	})
}

func (s *Store) saveSchedule(ctx context.Context, loan *lending.Loan) error {
	db := s.writing(ctx)
	_, err := db.NewDelete().Model((*installmentRow)(nil)).Where("entry.loan_id = ?", loan.ID).Exec(ctx)
	if err != nil {
		return err
	}
	var rows []installmentRow
	for n, due := range loan.Schedule() {
		rows = append(rows, installmentRow{
			LoanID: loan.ID, Number: n + 1, DueOn: due.DueOn.String(), AmountMinor: due.Amount.Minor(),
		})
	}
	if len(rows) == 0 {
		return nil
	}
	_, err = db.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// sumPayments brings a loan's paid amount up to date. The caller holds the lock on the loan's row, so that
// no payment is left out of the sum.
func (s *Store) sumPayments(ctx context.Context, loan lending.LoanID) error {
	_, err := s.writing(ctx).ExecContext(ctx, `UPDATE loans SET paid_minor = (
		SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM payments AS p
		WHERE p.loan_id = loans.id AND p.status = ? AND p.currency = loans.currency) WHERE id = ?`,
		lending.PaymentCompleted, loan)
	return err
}
