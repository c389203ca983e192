package lending_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var loanStatuses = []lending.LoanStatus{
	lending.LoanSubmitting, lending.LoanOutcomeUnknown, lending.LoanUnknown, lending.LoanPendingReview,
	lending.LoanKYCPending, lending.LoanOffered, lending.LoanOfferAccepted, lending.LoanApproved,
	lending.LoanDisbursing, lending.LoanDisbursed, lending.LoanActive, lending.LoanRepaid, lending.LoanRejected,
	lending.LoanCancelled, lending.LoanExpired, lending.LoanFailed, lending.LoanDefaulted,
}

func follow(start lending.LoanStatus, news []lending.LoanStatus) (end lending.LoanStatus, conflict bool) {
	for _, next := range news {
		var odd bool
		start, odd = start.Advance(next)
		conflict = conflict || odd
	}
	return start, conflict
}

func permutations(news []lending.LoanStatus, visit func([]lending.LoanStatus)) {
	var arrange func(done int)
	arrange = func(done int) {
		if done == len(news) {
			visit(news)
			return
		}
		for i := done; i < len(news); i++ {
			news[done], news[i] = news[i], news[done]
			arrange(done + 1)
			news[done], news[i] = news[i], news[done]
		}
	}
	arrange(0)
}

func TestNewsInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom(loanStatuses[:4]).Draw(t, "start")
		news := rapid.SliceOfN(rapid.SampledFrom(loanStatuses), 1, 6).Draw(t, "news")
		end, conflict := follow(start, news)
		paidOut := slices.ContainsFunc(news, lending.LoanStatus.PaidOut)
		refused := slices.ContainsFunc(news, func(s lending.LoanStatus) bool { return s.Ended() && !s.PaidOut() })
		if conflict != (paidOut && refused) {
			t.Fatalf("%v: conflict is %t", news, conflict)
		}
		standing := append(slices.Clone(news), start)
		if conflict { // a payout stands against a refusal
			standing = slices.DeleteFunc(standing, func(s lending.LoanStatus) bool { return !s.PaidOut() })
		}
		highest := slices.MaxFunc(standing, func(a, b lending.LoanStatus) int { return a.Rank() - b.Rank() })
		if end != highest {
			t.Fatalf("%v from %s end at %s, want %s", news, start, end, highest)
		}
		permutations(slices.Clone(news), func(order []lending.LoanStatus) {
			otherEnd, otherConflict := follow(start, order)
			if otherConflict != conflict || otherEnd != end {
				t.Fatalf("%v end at %s (conflict %t), but %v at %s (%t)", news, end, conflict, order, otherEnd, otherConflict)
			}
		})
	})
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, next, want lending.LoanStatus
		conflict         bool
	}{
		{lending.LoanApproved, lending.LoanDisbursed, lending.LoanDisbursed, false},
		{lending.LoanDisbursed, lending.LoanApproved, lending.LoanDisbursed, false},
		{lending.LoanDisbursed, lending.LoanFailed, lending.LoanDisbursed, true},
		{lending.LoanFailed, lending.LoanDisbursed, lending.LoanDisbursed, true},
		{lending.LoanRepaid, lending.LoanRejected, lending.LoanRepaid, true},
		{lending.LoanActive, lending.LoanDefaulted, lending.LoanDefaulted, false},
		{lending.LoanDefaulted, lending.LoanCancelled, lending.LoanDefaulted, true},
		{lending.LoanRejected, lending.LoanDefaulted, lending.LoanDefaulted, true},
		{lending.LoanDisbursing, lending.LoanFailed, lending.LoanFailed, false},
		{lending.LoanApproved, lending.LoanUnknown, lending.LoanApproved, false},
		{lending.LoanApproved, "", lending.LoanApproved, false},
		{lending.LoanFailed, lending.LoanFailed, lending.LoanFailed, false},
		{"", lending.LoanPendingReview, lending.LoanPendingReview, false},
	} {
		if got, conflict := test.from.Advance(test.next); got != test.want || conflict != test.conflict {
			t.Errorf("%q and then %q is %q (conflict %t), want %q (%t)", test.from, test.next, got, conflict, test.want, test.conflict)
		}
	}
}

func TestLoanStatusesAreOneOfThree(t *testing.T) {
	t.Parallel()
	ranks := map[int]lending.LoanStatus{}
	for _, s := range loanStatuses {
		if other, taken := ranks[s.Rank()]; taken || s.Rank() == 0 {
			t.Errorf("%s and %s have one rank", s, other)
		}
		ranks[s.Rank()] = s
		if s.Valid() == (s == lending.LoanUnknown) {
			t.Errorf("%s: valid is %t", s, s.Valid())
		}
		if s.Open() && (s.Ended() || s == lending.LoanRepaid) || !s.Open() && !s.Ended() && s != lending.LoanRepaid {
			t.Errorf("%s is open %t and ended %t", s, s.Open(), s.Ended())
		}
	}
	if lending.LoanStatus("PAID").Valid() || lending.LoanStatus("").Valid() {
		t.Error("a word that nobody knows is valid")
	}
}

func TestAScheduleAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := anyCurrency(t)
		total := lending.NewMoney(rapid.Int64Range(1, 1e12).Draw(t, "total"), currency)
		loan := &lending.Loan{
			Principal: total, TotalRepayment: &total, DisbursedOn: anyDate(t),
			Tenure: lending.Tenure{
				Value: rapid.IntRange(1, 60).Draw(t, "tenure"),
				Unit:  rapid.SampledFrom([]lending.TenureUnit{lending.Days, lending.Months}).Draw(t, "unit"),
			},
		}
		if rapid.Bool().Draw(t, "in installments") {
			loan.Installment = new(lending.NewMoney(rapid.Int64Range(1, 1e12).Draw(t, "installment"), currency))
		}
		plan := loan.Schedule()
		end := loan.Tenure.After(loan.DisbursedOn)
		sum := lending.NewMoney(0, currency)
		for i, due := range plan {
			var err error
			if sum, err = sum.Add(due.Amount); err != nil || due.Amount.Sign() <= 0 {
				t.Fatalf("installment %d is of %s: %v", i, due.Amount, err)
			}
			if i > 0 && !plan[i-1].DueOn.Before(due.DueOn) || !loan.DisbursedOn.Before(due.DueOn) || end.Before(due.DueOn) {
				t.Fatalf("installment %d is due on %s", i, due.DueOn)
			}
			if i < len(plan)-1 && due.Amount != *loan.Installment {
				t.Fatalf("installment %d is of %s, not %s", i, due.Amount, loan.Installment)
			}
		}
		if len(plan) == 0 || sum != total {
			t.Fatalf("the schedule adds up to %s, not %s", sum, total)
		}
	})
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	ngn := func(text string) *lending.Money { return new(lending.MustMoney(text, lending.NGN)) }
	due := func(on, amount string) lending.Installment {
		return lending.Installment{DueOn: day(on), Amount: *ngn(amount)}
	}
	for _, test := range []struct {
		name string
		loan lending.Loan
		want []lending.Installment
	}{
		{"by 30 days, the last one takes what is left", lending.Loan{
			TotalRepayment: ngn("1000"), Installment: ngn("333.33"), DisbursedOn: day("2026-01-01"),
			Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
		}, []lending.Installment{due("2026-01-31", "333.33"), due("2026-03-02", "333.33"), due("2026-04-01", "333.34")}},
		{"by month, from the end of one", lending.Loan{
			TotalRepayment: ngn("300"), Installment: ngn("100"), DisbursedOn: day("2026-01-31"),
			Tenure: lending.Tenure{Value: 3, Unit: lending.Months},
		}, []lending.Installment{due("2026-02-28", "100"), due("2026-03-31", "100"), due("2026-04-30", "100")}},
		{"a tenure that is no multiple of 30 days", lending.Loan{
			TotalRepayment: ngn("300"), Installment: ngn("100"), DisbursedOn: day("2026-01-01"),
			Tenure: lending.Tenure{Value: 45, Unit: lending.Days},
		}, []lending.Installment{due("2026-01-31", "100"), due("2026-02-15", "200")}},
		{"repaid before the tenure is over", lending.Loan{
			TotalRepayment: ngn("150"), Installment: ngn("100"), DisbursedOn: day("2026-01-01"),
			Tenure: lending.Tenure{Value: 12, Unit: lending.Months},
		}, []lending.Installment{due("2026-02-01", "100"), due("2026-03-01", "50")}},
		{"without installments", lending.Loan{
			Principal: *ngn("100"), TotalRepayment: ngn("120"), DisbursedOn: day("2026-01-01"),
			Tenure: lending.Tenure{Value: 30, Unit: lending.Days},
		}, []lending.Installment{due("2026-01-31", "120")}},
		{"without a total", lending.Loan{
			Principal: *ngn("100"), DisbursedOn: day("2026-01-01"), Tenure: lending.Tenure{Value: 1, Unit: lending.Months},
		}, []lending.Installment{due("2026-02-01", "100")}},
		{"without a tenure", lending.Loan{TotalRepayment: ngn("100"), DisbursedOn: day("2026-01-01")}, nil},
		{"before the payout", lending.Loan{TotalRepayment: ngn("100"), Tenure: lending.Tenure{Value: 1, Unit: lending.Months}}, nil},
	} {
		if diff := cmp.Diff(test.want, test.loan.Schedule(), exact); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
