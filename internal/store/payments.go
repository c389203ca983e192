package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

type paymentRow struct {
	bun.BaseModel `bun:"table:payments,alias:entry"`

	ID             lending.PaymentID `bun:",pk"`
	LoanID         lending.LoanID
	CustomerID     lending.CustomerID `bun:",nullzero"`
	Provider       lending.Provider
	ExternalID     string
	Status         lending.PaymentStatus
	ProviderStatus string
	Currency       lending.Currency
	AmountMinor    int64
	Allocation     string
	Method         lending.PaymentMethod
	Reference      string
	PaidOn         string
	CreatedAt      int64
	UpdatedAt      int64
}

func (s *Store) paymentListing() listing[paymentRow, *lending.Payment] {
	return listing[paymentRow, *lending.Payment]{
		what: "payment",
		order: order[paymentRow]{
			name: "payments", key: "created_at", descending: true,
			place: func(r *paymentRow) place { return place{r.CreatedAt, string(r.ID)} },
		},
		to: s.toPayment,
	}
}

func (s *Store) fromPayment(p *lending.Payment) (*paymentRow, error) {
	e := encoder{vault: s.vault}
	return &paymentRow{
		ID: p.ID, LoanID: p.LoanID, CustomerID: p.CustomerID, Provider: p.Provider, ExternalID: p.ExternalID,
		Status: p.Status, ProviderStatus: p.ProviderStatus, Currency: p.Amount.Currency(),
		AmountMinor: p.Amount.Minor(), Allocation: e.json(p.Allocation), Method: p.Method,
		Reference: p.Reference, PaidOn: p.PaidOn.String(),
		CreatedAt: micros(p.CreatedAt), UpdatedAt: micros(p.UpdatedAt),
	}, e.err
}

func (s *Store) toPayment(r *paymentRow) (*lending.Payment, error) {
	d := decoder{vault: s.vault}
	p := &lending.Payment{
		ID: r.ID, LoanID: r.LoanID, CustomerID: r.CustomerID, Provider: r.Provider, ExternalID: r.ExternalID,
		Status: r.Status, ProviderStatus: r.ProviderStatus, Amount: lending.NewMoney(r.AmountMinor, r.Currency),
		Method: r.Method, Reference: r.Reference, PaidOn: d.date(r.PaidOn),
		CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	d.json(r.Allocation, &p.Allocation)
	return p, d.err
}

// Payments implements service.PaymentStore.
func (s *Store) Payments(ctx context.Context, ids []lending.PaymentID) (map[lending.PaymentID]*lending.Payment, error) {
	return byIDs(ctx, s, s.paymentListing(), ids, func(r *paymentRow) lending.PaymentID { return r.ID })
}

// PaymentByExternalID implements service.PaymentStore; NOT_FOUND when there is none.
func (s *Store) PaymentByExternalID(ctx context.Context, provider lending.Provider, externalID string) (*lending.Payment, error) {
	return find(ctx, s, s.paymentListing(), byExternalID(provider, externalID))
}

// PaymentByReference implements service.PaymentStore; NOT_FOUND when there is none.
func (s *Store) PaymentByReference(ctx context.Context, loan lending.LoanID, reference string) (*lending.Payment, error) {
	return find(ctx, s, s.paymentListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.loan_id = ?", loan).
			Where("entry.reference = ?", reference).Where("entry.reference <> ''")
	})
}

// PaymentsOfLoans implements service.PaymentStore.
func (s *Store) PaymentsOfLoans(ctx context.Context, loans []lending.LoanID, page lending.PageRequest) (map[lending.LoanID]lending.Page[*lending.Payment], error) {
	return listOf(ctx, s, s.paymentListing(), loans, "loan_id",
		func(r *paymentRow) lending.LoanID { return r.LoanID }, page)
}

// PaymentsOfCustomers implements service.PaymentStore.
func (s *Store) PaymentsOfCustomers(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Payment], error) {
	return listOf(ctx, s, s.paymentListing(), customers, "customer_id",
		func(r *paymentRow) lending.CustomerID { return r.CustomerID }, page)
}

// SavePayment implements service.PaymentStore. A payment stays with its loan: CONFLICT when it is saved
// again for another one. NOT_FOUND when there is no such loan.
func (s *Store) SavePayment(ctx context.Context, payment *lending.Payment) error {
	row, err := s.fromPayment(payment)
	if err != nil {
		return failure("save payment", err)
	}
	const conflict = "Another payment has this provider's id, or this reference for the loan."
	return s.write(ctx, "save payment", conflict, func(ctx context.Context) error {
		if err := s.lockLoan(ctx, payment.LoanID); err != nil {
			return err
		}
		result, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").
			Where("entry.loan_id = EXCLUDED.loan_id").Returning("NULL").Exec(ctx)
		if err != nil {
			return err
		}
		switch saved, err := result.RowsAffected(); {
		case err != nil:
			return err
		case saved == 0:
			return conflicting("This payment belongs to another loan.", errors.New("payment saved for another loan"))
		}
		return s.sumPayments(ctx, payment.LoanID)
	})
}

// lockLoan makes payments of one loan wait for each other, so that each sees the others in the sum. It comes
// before the payment's row: that row holds a weaker lock on the loan, which two could not both make stronger.
func (s *Store) lockLoan(ctx context.Context, id lending.LoanID) error {
	var found []lending.LoanID
	q := s.writing(ctx).NewSelect().Model((*loanRow)(nil)).Column("id").Where("entry.id = ?", id)
	if s.engine.locking != "" {
		q = q.For(s.engine.locking)
	}
	if err := q.Scan(ctx, &found); err != nil {
		return err
	}
	if len(found) == 0 {
		return lending.NotFound("loan")
	}
	return nil
}
