package lending

import "testing"

// A tenure that makes no sense must not become millions of rows.
func TestAnAbsurdTenureHasABoundedSchedule(t *testing.T) {
	t.Parallel()
	installment, total := NewMoney(1, NGN), NewMoney(1_000_000_000, NGN)
	loan := Loan{
		Principal: total, TotalRepayment: &total, Installment: &installment,
		Tenure: Tenure{Value: 2_000_000, Unit: Days}, DisbursedOn: NewDate(2026, 1, 1),
	}
	plan := loan.Schedule()
	if len(plan) != maxInstallments {
		t.Fatalf("%d installments, want %d", len(plan), maxInstallments)
	}
	sum := int64(0)
	for _, due := range plan {
		sum += due.Amount.Minor()
	}
	if sum != total.Minor() {
		t.Errorf("they add up to %d, want %d", sum, total.Minor())
	}
}
