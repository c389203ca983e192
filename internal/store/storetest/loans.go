package storetest

import (
	"github.com/creditgraph/creditgraph/internal/lending"
)

func loanChecks() []check {
	return []check{
		{"a loan comes back as it was saved", loanRoundTrip},
		{"a loan is found by the provider's id and by our reference", loanByKeys},
		{"ids and references of loans are taken once", loanConflicts},
		{"a loan may lack a customer, a principal or both", loanWithoutMuch},
		{"a loan of two currencies is refused", loanOfTwoCurrencies},
		{"a loan of nobody is refused", loanOfNobody},
		{"saving a loan does not touch what was paid", loanKeepsPaid},
		{"loan activity is the last change by provider", loanActivity},
	}
}

func loanRoundTrip(b *bench) {
	customer := b.customer()
	full := b.loan(customer, func(l *lending.Loan) {
		l.Provider, l.ExternalID, l.Reference, l.ProductID, l.SupplierID = lending.Kredmint, "k-1", "INV-1", "p-1", "s-1"
		l.Purpose, l.ProviderPurpose, l.Principal = lending.InventoryMgt, "Stock", naira("90071992547409.93")
		l.InterestRate, l.TotalInterest = new(lending.MustDecimal("2.50")), new(naira("0.01"))
		l.TotalRepayment, l.Installment = new(naira("90071992547409.94")), new(naira("30000000000000"))
		l.Outstanding = *l.TotalRepayment
		l.Overdue = naira("30000000000000") // due 31 March, 30 days after the payout
		l.DisbursementReference, l.Conflict, l.FailureReason = "d-1", true, "none"
	})
	bare := b.loan(customer, func(l *lending.Loan) {
		*l = lending.Loan{
			ID: l.ID, CustomerID: customer, Provider: lending.Carbon, Status: lending.LoanPendingReview,
			Principal: rupees("1"), Paid: rupees("0"), Outstanding: rupees("0"), Overdue: rupees("0"), CreatedAt: at(9),
		}
	})
	want := map[lending.LoanID]*lending.Loan{full.ID: full, bare.ID: bare}
	for _, l := range want {
		b.must(b.store.SaveLoan(b.ctx, l))
	}
	found, err := b.store.Loans(b.ctx, []lending.LoanID{full.ID, bare.ID, "none"})
	b.must(err)
	same(b, "loans", found, want)

	full.Status, full.InterestRate, full.Tenure = lending.LoanActive, nil, lending.Tenure{}
	full.Overdue = naira("0") // without a tenure nothing falls due
	b.must(b.store.SaveLoan(b.ctx, full))
	same(b, "loan after a change", b.stored(full.ID), full)
}

func loanByKeys(b *bench) {
	ada, obi := b.customer(), b.customer()
	l := b.savedLoan(ada, func(l *lending.Loan) { l.ExternalID, l.Reference = "x", "r" })
	b.savedLoan(ada) // neither id nor reference
	found, err := b.store.LoanByExternalID(b.ctx, lending.Kredete, "x")
	b.must(err)
	same(b, "by external id", found, l)
	found, err = b.store.LoanByReference(b.ctx, lending.Kredete, ada, "r")
	b.must(err)
	same(b, "by reference", found, l)
	for _, look := range []func() (*lending.Loan, error){
		func() (*lending.Loan, error) { return b.store.LoanByExternalID(b.ctx, lending.Carbon, "x") },
		func() (*lending.Loan, error) { return b.store.LoanByExternalID(b.ctx, lending.Kredete, "") },
		func() (*lending.Loan, error) { return b.store.LoanByReference(b.ctx, lending.Kredete, obi, "r") },
		func() (*lending.Loan, error) { return b.store.LoanByReference(b.ctx, lending.Carbon, ada, "r") },
		func() (*lending.Loan, error) { return b.store.LoanByReference(b.ctx, lending.Kredete, ada, "") },
	} {
		_, err := look()
		b.wantKind(err, lending.KindNotFound)
	}
}

func loanConflicts(b *bench) {
	ada, obi := b.customer(), b.customer()
	b.savedLoan(ada, func(l *lending.Loan) { l.ExternalID, l.Reference = "x", "r" })
	for name, c := range map[string]struct {
		customer lending.CustomerID
		change   func(*lending.Loan)
		refused  bool
	}{
		"the same external id":                     {obi, func(l *lending.Loan) { l.ExternalID = "x" }, true},
		"the same external id at another provider": {ada, func(l *lending.Loan) { l.ExternalID, l.Provider = "x", lending.Carbon }, false},
		"the same reference":                       {ada, func(l *lending.Loan) { l.Reference = "r" }, true},
		"the same reference of another customer":   {obi, func(l *lending.Loan) { l.Reference = "r" }, false},
		"neither":                                  {ada, func(*lending.Loan) {}, false},
		"neither, again":                           {ada, func(*lending.Loan) {}, false},
	} {
		l := b.loan(c.customer, c.change)
		err := b.store.SaveLoan(b.ctx, l)
		if !c.refused {
			b.must(err)
			continue
		}
		b.wantKind(err, lending.KindConflict)
		found, err := b.store.Loans(b.ctx, []lending.LoanID{l.ID})
		b.must(err)
		if len(found) != 0 {
			b.Errorf("%s: the refused loan is there", name)
		}
	}
	other := b.savedLoan(obi, func(l *lending.Loan) { l.ExternalID = "y" })
	other.ExternalID = "x"
	b.wantKind(b.store.SaveLoan(b.ctx, other), lending.KindConflict)
	same(b, "the other loan's id", b.stored(other.ID).ExternalID, "y")
}

func loanWithoutMuch(b *bench) {
	stray := b.savedLoan("", func(l *lending.Loan) { l.ExternalID, l.Reference = "x", "r" })
	same(b, "loan without a customer", b.stored(stray.ID), stray)
	b.savedLoan("", func(l *lending.Loan) { l.Reference = "r" }) // nobody's reference is not taken

	told := b.savedLoan(b.customer(), func(l *lending.Loan) {
		l.Principal, l.TotalRepayment, l.Status = lending.Money{}, new(naira("10")), lending.LoanPendingReview
	})
	got := b.stored(told.ID)
	same(b, "principal in the currency that was told", got.Principal, naira("0"))
	same(b, "total", *got.TotalRepayment, naira("10"))
}

func loanOfTwoCurrencies(b *bench) {
	l := b.loan(b.customer(), func(l *lending.Loan) { l.TotalRepayment = new(rupees("1")) })
	b.wantKind(b.store.SaveLoan(b.ctx, l), lending.KindInternal)
}

func loanOfNobody(b *bench) {
	b.wantKind(b.store.SaveLoan(b.ctx, b.loan("nobody")), lending.KindNotFound)
}

func loanKeepsPaid(b *bench) {
	l := b.savedLoan(b.customer())
	b.savedPayment(l, naira("1000"))
	l.Paid = naira("0") // read before the payment
	b.must(b.store.SaveLoan(b.ctx, l))
	same(b, "paid", b.stored(l.ID).Paid, naira("1000"))
	l.Principal = rupees("300000") // the provider corrects the currency: naira do not count any more
	b.must(b.store.SaveLoan(b.ctx, l))
	same(b, "paid in rupees", b.stored(l.ID).Paid, rupees("0"))
}

func loanActivity(b *bench) {
	ada, obi, idle := b.customer(), b.customer(), b.customer()
	for i, provider := range []lending.Provider{lending.Kredete, lending.Kredete, lending.Carbon} {
		b.savedLoan(ada, func(l *lending.Loan) { l.Provider, l.UpdatedAt = provider, at(10-i) })
	}
	b.savedLoan(obi, func(l *lending.Loan) { l.UpdatedAt = at(20) })
	activity, err := b.store.LoanActivity(b.ctx, []lending.CustomerID{ada, obi, idle})
	b.must(err)
	same(b, "customers", len(activity), 2)
	same(b, "Kredete", activity[ada][lending.Kredete], at(10))
	same(b, "Carbon", activity[ada][lending.Carbon], at(8))
	same(b, "the other's", activity[obi][lending.Kredete], at(20))
	activity, err = b.store.LoanActivity(b.ctx, nil)
	b.must(err)
	same(b, "activity of nobody", len(activity), 0)
}
