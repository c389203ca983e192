package kredete

import "github.com/creditgraph/creditgraph/internal/lending"

// The terms of every loan, as the numbers of seed 000, Create Loan Application, imply them: 500,000 for 90
// days at 2.5 cost 37,500, and a month 179,167.
const (
	interestRate      = "2.5" // per cent of the principal for each 30 days, flat
	installmentDays   = 30
	minimumAmount     = 10_000_00      // kobo; seed 000, Error Response Format
	maximumAmount     = 100_000_000_00 // kobo; ours, so that no sum can overflow
	maximumTenureDays = 1095           // ours
	naira             = 100            // kobo
)

// terms are what a loan costs, in kobo.
type terms struct {
	principal, interest, total, installment int64
	installments                            int64
}

// termsOf computes the terms of a principal over days. Interest is rounded half up to whole naira, the
// installment up, so that all installments together cover the total.
func termsOf(principal lending.Money, days int) terms {
	x := terms{principal: principal.Minor(), installments: ceil(int64(days), installmentDays)}
	const unit = 1000 * installmentDays * naira // of principal × 25 × days, in naira
	x.interest = (2*x.principal*25*int64(days) + unit) / (2 * unit) * naira
	x.total = x.principal + x.interest
	x.installment = min(x.total, ceil(x.total, x.installments*naira)*naira)
	return x
}

// split says what part of a payment is interest, after paid of the total and paidInterest of the interest
// were paid: first the share of the installments that the payment reaches into, then principal. amount is
// not over what is left.
func (x terms) split(paid, paidInterest, amount int64) (principal, interest int64) {
	reached := min(ceil(paid+amount, x.installment), x.installments)
	due := x.interest*reached/x.installments - paidInterest
	interest = min(amount, due)
	return amount - interest, interest
}

func ceil(n, by int64) int64 { return (n + by - 1) / by }
