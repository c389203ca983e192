package storetest

import (
	"github.com/creditgraph/creditgraph/internal/lending"
)

func standingChecks() []check {
	return []check{
		{"what is open on a loan follows from its schedule, payments and status", loanStanding},
		{"a new schedule takes the place of the old one", newSchedule},
		{"exposures sum what is open by customer and currency", exposures},
	}
}

func loanStanding(b *bench) {
	inThree := func(l *lending.Loan) { l.TotalRepayment, l.Installment = new(naira("330000")), new(naira("110000")) }
	dueOn := func(day lending.Date) func(*lending.Loan) {
		return func(l *lending.Loan) { l.DisbursedOn, l.Tenure.Value = day.AddDays(-30), 30 }
	}
	with := func(status lending.LoanStatus) func(*lending.Loan) {
		return func(l *lending.Loan) { l.Status = status }
	}
	for name, c := range map[string]struct {
		changes              []func(*lending.Loan)
		paid                 string
		outstanding, overdue string
	}{
		"nothing due yet":                  {[]func(*lending.Loan){dueOn(today().AddDays(3))}, "0", "300000", "0"},
		"due today is not overdue":         {[]func(*lending.Loan){dueOn(today())}, "0", "300000", "0"},
		"due yesterday is":                 {[]func(*lending.Loan){dueOn(today().AddDays(-1))}, "0", "300000", "300000"},
		"one of three instalments due":     {[]func(*lending.Loan){inThree}, "0", "330000", "110000"},
		"partly paid":                      {[]func(*lending.Loan){inThree}, "50000", "280000", "60000"},
		"paid ahead":                       {[]func(*lending.Loan){inThree}, "200000", "130000", "0"},
		"paid in full":                     {[]func(*lending.Loan){inThree}, "330000", "0", "0"},
		"paid too much":                    {[]func(*lending.Loan){inThree}, "400000", "0", "0"},
		"active":                           {[]func(*lending.Loan){inThree, with(lending.LoanActive)}, "1", "329999", "109999"},
		"defaulted":                        {[]func(*lending.Loan){inThree, with(lending.LoanDefaulted)}, "0", "330000", "110000"},
		"repaid, whatever we know of it":   {[]func(*lending.Loan){inThree, with(lending.LoanRepaid)}, "1", "0", "0"},
		"approved and not paid out":        {[]func(*lending.Loan){inThree, with(lending.LoanApproved)}, "0", "0", "0"},
		"disbursing":                       {[]func(*lending.Loan){inThree, with(lending.LoanDisbursing)}, "0", "0", "0"},
		"failed":                           {[]func(*lending.Loan){inThree, with(lending.LoanFailed)}, "0", "0", "0"},
		"in a status that we do not know":  {[]func(*lending.Loan){inThree, with(lending.LoanUnknown)}, "0", "0", "0"},
		"no tenure, so nothing can be due": {[]func(*lending.Loan){func(l *lending.Loan) { l.Tenure = lending.Tenure{} }}, "0", "300000", "0"},
	} {
		l := b.savedLoan(b.customer(), c.changes...)
		if c.paid != "0" {
			b.savedPayment(l, naira(c.paid))
		}
		got := b.stored(l.ID)
		same(b, name, []lending.Money{got.Paid, got.Outstanding, got.Overdue},
			[]lending.Money{naira(c.paid), naira(c.outstanding), naira(c.overdue)})
	}
}

func newSchedule(b *bench) {
	l := b.savedLoan(b.customer(), func(l *lending.Loan) { l.Installment = new(naira("100000")) })
	same(b, "overdue by instalments", b.stored(l.ID).Overdue, naira("100000"))
	l.Installment = nil // all at the end
	b.must(b.store.SaveLoan(b.ctx, l))
	same(b, "overdue of one payment at the end", b.stored(l.ID).Overdue, naira("0"))
}

func exposures(b *bench) {
	ada, obi, idle := b.customer(), b.customer(), b.customer()
	paid := b.savedLoan(ada, func(l *lending.Loan) { l.Installment = new(naira("100000")) })
	b.savedPayment(paid, naira("40000"))
	b.savedLoan(ada)
	b.savedLoan(ada, func(l *lending.Loan) { l.Principal, l.Provider = rupees("500"), lending.Kredmint })
	b.savedLoan(ada, func(l *lending.Loan) { l.Status = lending.LoanApproved })
	b.savedPayment(b.savedLoan(obi), naira("300000"))
	b.savedLoan(idle, func(l *lending.Loan) { l.Status = lending.LoanRepaid })
	got, err := b.store.Exposures(b.ctx, []lending.CustomerID{ada, obi, idle, "nobody"})
	b.must(err)
	same(b, "exposures", got, map[lending.CustomerID][]lending.Exposure{ada: {
		{Currency: lending.INR, ActiveLoanCount: 1, Outstanding: rupees("500"), Overdue: rupees("0")},
		{Currency: lending.NGN, ActiveLoanCount: 2, Outstanding: naira("560000"), Overdue: naira("60000")},
	}})
	got, err = b.store.Exposures(b.ctx, nil)
	b.must(err)
	same(b, "exposures of nobody", len(got), 0)
}
