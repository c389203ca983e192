package kredete

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestTerms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		principal, interest, total, installment string
		days                                    int
	}{
		{"500000", "37500", "537500", "179167", 90},
		{"10000", "250", "10250", "10250", 30},
		{"10000", "8", "10008", "10008", 1},    // 8.33
		{"10020", "251", "10271", "10271", 30}, // 250.5
		{"300000", "45000", "345000", "57500", 180},
		{"10000.55", "258", "10258.55", "5130", 31}, // 258.35; two installments
	}
	for _, test := range tests {
		x := termsOf(lending.MustMoney(test.principal, lending.NGN), test.days)
		got := []string{string(amount(x.interest)), string(amount(x.total)), string(amount(x.installment))}
		for n, want := range []string{test.interest, test.total, test.installment} {
			if got[n] != want {
				t.Errorf("%s for %d days: %v, want %s %s %s", test.principal, test.days, got,
					test.interest, test.total, test.installment)
				break
			}
		}
	}
}

func TestPaymentsOfAnySizeAddUpToTheLoan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.IntRange(1, maximumTenureDays).Draw(t, "days")
		principal := rapid.Int64Range(minimumAmount, maximumAmount).Draw(t, "principal")
		l := loan{terms: termsOf(lending.NewMoney(principal, lending.NGN), days)}
		var principalPaid, interestPaid int64
		for l.paid < l.terms.total {
			paying := rapid.Int64Range(l.terms.total/20, l.terms.total).Draw(t, "payment")
			p, i := l.pay(min(paying, l.terms.total-l.paid))
			if p < 0 || i < 0 {
				t.Fatalf("a part is negative: %d and %d", p, i)
			}
			principalPaid, interestPaid = principalPaid+p, interestPaid+i
		}
		if principalPaid != principal || interestPaid != l.terms.interest || l.status != repaid {
			t.Fatalf("paid %d and %d of %+v", principalPaid, interestPaid, l.terms)
		}
	})
}
