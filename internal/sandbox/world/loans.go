package world

import (
	"fmt"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Loan is a loan of somebody's past at Kredete, in NGN. It was applied for before the world's epoch, and a
// time that is zero has not come.
type Loan struct {
	ID          string // "loan_5tY8kL2mN9pQ"
	Index       int    // the person's
	Number      int    // 0 for the person's first loan
	ProductID   string
	Purpose     string
	Principal   lending.Money
	TenureDays  int // a multiple of 30: an installment is due each 30 days after the payout
	CreatedAt   time.Time
	ApprovedAt  time.Time
	RejectedAt  time.Time
	DisbursedAt time.Time
	Payments    []Payment // one for each installment that was paid, in order
}

// Payment is the paying of one installment.
type Payment struct {
	ID        string // "pmt_7rU2kM8nP4qS"
	Number    int    // 1 for the first installment
	DueOn     lending.Date
	PaidAt    time.Time
	Method    string
	Reference string
}

// Late reports whether the installment was paid after it was due.
func (p Payment) Late() bool { return p.DueOn.Before(lending.DateOf(p.PaidAt)) }

// Installments is how many payments repay the loan.
func (l *Loan) Installments() int { return l.TenureDays / 30 }

// DueOn is when installment number n falls due, 1 being the first.
func (l *Loan) DueOn(n int) lending.Date { return lending.DateOf(l.DisbursedAt).AddDays(30 * n) }

// Status is where the loan stands at the world's epoch: pending, approved, rejected, disbursed, active once
// something was paid, repaid when all was.
func (l *Loan) Status() lending.LoanStatus {
	switch {
	case !l.RejectedAt.IsZero():
		return lending.LoanRejected
	case l.ApprovedAt.IsZero():
		return lending.LoanPendingReview
	case l.DisbursedAt.IsZero():
		return lending.LoanApproved
	case len(l.Payments) == 0:
		return lending.LoanDisbursed
	case len(l.Payments) >= l.Installments():
		return lending.LoanRepaid
	}
	return lending.LoanActive
}

// OverdueAt is how many installments were due before the day of now and are not paid.
func (l *Loan) OverdueAt(now time.Time) int {
	if l.DisbursedAt.IsZero() {
		return 0
	}
	overdue := 0
	for n := len(l.Payments) + 1; n <= l.Installments(); n++ {
		if l.DueOn(n).Before(lending.DateOf(now)) {
			overdue++
		}
	}
	return overdue
}

// habit is how somebody repays.
type habit uint8

const (
	noLoans    habit = iota
	prompt           // in time
	tardy            // some days late, often
	defaulting       // stops in the middle of the last loan
)

const maxLoans = 5

func (w *World) habit(i int) habit {
	if role, ok := castRole(i); ok {
		return role.habit
	}
	if _, kyc := w.Standing(i); kyc != lending.KYCVerified {
		return noLoans
	}
	d := w.roll(i, aspectLoans)
	switch kind := d.below(100); {
	case kind < 40:
		return noLoans
	case w.bureau(i) == BureauOverdue:
		return defaulting
	case kind < 85:
		return prompt
	}
	return tardy
}

// HasHistory reports whether person i applied for a loan before; it costs less than [World.Loans].
func (w *World) HasHistory(i int) bool { return w.has(i) && w.habit(i) != noLoans }

// Loans are the loans of person i's past, in the order in which they were applied for. One follows the
// other; only the last may still be open. Most people have none.
func (w *World) Loans(i int) []Loan {
	if !w.HasHistory(i) {
		return nil
	}
	person := w.Person(i)
	d := w.roll(i, aspectLoans)
	d.next() // the habit
	if i == 0 {
		return w.showcaseLoans(&d)
	}
	count := d.between(1, maxLoans)
	begin := person.CreatedAt.Add(days(d.between(2, 15)))
	var loans []Loan
	for n := range count {
		loan := w.newLoan(&d, i, n, begin)
		if loan.CreatedAt.After(w.epoch) {
			break
		}
		how := w.habit(i)
		if how == defaulting && n < count-1 && w.epoch.Sub(loan.CreatedAt) > days(loan.TenureDays+180) {
			how = tardy
		}
		w.decide(&d, &loan)
		w.repay(&d, &loan, how)
		loans = append(loans, loan)
		if s := loan.Status(); s != lending.LoanRepaid && s != lending.LoanRejected {
			break
		}
		begin = loan.last().Add(days(d.between(5, 60)))
	}
	return loans
}

// showcaseLoans are a repaid loan and, since 40 days, the loan of seed 000's example with one payment.
func (w *World) showcaseLoans(d *dice) []Loan {
	first := w.newLoan(d, 0, 0, w.epoch.Add(-days(402)))
	first.Principal, first.TenureDays = lending.NewMoney(300_000_00, lending.NGN), 180
	second := w.newLoan(d, 0, 1, w.epoch.Add(-days(42)))
	second.Principal, second.TenureDays = lending.NewMoney(500_000_00, lending.NGN), 90
	second.ProductID, second.Purpose = "prod_personal_loan", "business_expansion"
	loans := []Loan{first, second}
	for n := range loans {
		loan := &loans[n]
		loan.ApprovedAt, loan.DisbursedAt = loan.CreatedAt.Add(days(1)), loan.CreatedAt.Add(days(2))
		w.repay(d, loan, prompt)
	}
	return loans
}

func (w *World) newLoan(d *dice, i, number int, at time.Time) Loan {
	return Loan{
		ID:    "loan_" + Token(w.codes.loan.at(uint64(i*perPerson+number))),
		Index: i, Number: number,
		ProductID:  pick(d, []string{"prod_personal_loan", "prod_salary_advance", "prod_business_loan"}),
		Purpose:    pick(d, []string{"business_expansion", "school_fees", "rent", "medical", "inventory"}),
		Principal:  lending.NewMoney(int64(d.between(1, 80))*10_000_00, lending.NGN),
		TenureDays: pick(d, []int{30, 60, 90, 90, 180}),
		CreatedAt:  at,
	}
}

// decide approves and pays out most loans, as far as there was time for it before the epoch.
func (w *World) decide(d *dice, l *Loan) {
	decided := l.CreatedAt.Add(time.Duration(d.between(2, 48)) * time.Hour)
	paidOut := decided.Add(time.Duration(d.between(1, 36)) * time.Hour)
	rejected := d.chance(8) && l.Number > 0
	if decided.After(w.epoch) {
		return
	}
	if rejected {
		l.RejectedAt = decided
		return
	}
	l.ApprovedAt = decided
	if !paidOut.After(w.epoch) {
		l.DisbursedAt = paidOut
	}
}

func (w *World) repay(d *dice, l *Loan, how habit) {
	if l.DisbursedAt.IsZero() {
		return
	}
	paying := l.Installments()
	if how == defaulting {
		paying /= 2
	}
	for n := 1; n <= paying; n++ {
		due := l.DueOn(n)
		paid := due.Time().Add(-time.Duration(d.between(1, 60)) * time.Hour)
		if how != prompt && d.chance(60) {
			paid = due.Time().Add(days(d.between(1, 12)) + 9*time.Hour)
		}
		if paid.After(w.epoch) {
			return
		}
		l.Payments = append(l.Payments, Payment{
			ID:     "pmt_" + Token(w.codes.payment.at(uint64((l.Index*perPerson+l.Number)*perPerson+n))),
			Number: n, DueOn: due, PaidAt: paid,
			Method:    pick(d, []string{"bank_transfer", "bank_transfer", "card", "direct_debit"}),
			Reference: fmt.Sprintf("TRF-%s-%06d", paid.Format("20060102"), (l.Index*maxLoans+l.Number)*10+n),
		})
	}
}

// last is when something last happened to the loan.
func (l *Loan) last() time.Time {
	latest := l.CreatedAt
	for _, t := range []time.Time{l.ApprovedAt, l.RejectedAt, l.DisbursedAt} {
		if t.After(latest) {
			latest = t
		}
	}
	if n := len(l.Payments); n > 0 {
		latest = l.Payments[n-1].PaidAt
	}
	return latest
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
