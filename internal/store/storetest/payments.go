package storetest

import (
	"sync"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func paymentChecks() []check {
	return []check{
		{"a payment comes back as it was saved", paymentRoundTrip},
		{"a payment is found by the provider's id and by its reference", paymentByKeys},
		{"ids and references of payments are taken once", paymentConflicts},
		{"what was paid is the completed payments in the loan's currency", paidSum},
		{"a payment stays with its loan", paymentStays},
		{"payments at the same time all count", paymentsTogether},
		{"payments come in one page for each loan or customer", paymentPages},
	}
}

func paymentRoundTrip(b *bench) {
	l := b.savedLoan(b.customer())
	full := b.payment(l, naira("179166.67"), func(p *lending.Payment) {
		p.ExternalID, p.ProviderStatus, p.Reference, p.PaidOn = "x", "done", "r", lending.NewDate(2026, 4, 1)
		p.Allocation = &lending.Allocation{Principal: new(naira("150000")), Penalties: new(naira("0.01"))}
	})
	bare := &lending.Payment{ID: "bare", LoanID: l.ID, Status: lending.PaymentPending, Amount: rupees("0")}
	want := map[lending.PaymentID]*lending.Payment{full.ID: full, bare.ID: bare}
	for _, p := range want {
		b.must(b.store.SavePayment(b.ctx, p))
	}
	found, err := b.store.Payments(b.ctx, []lending.PaymentID{full.ID, bare.ID, "none"})
	b.must(err)
	same(b, "payments", found, want)
	b.wantKind(b.store.SavePayment(b.ctx, &lending.Payment{ID: "p", LoanID: "none", Amount: naira("1")}), lending.KindNotFound)
}

func paymentByKeys(b *bench) {
	l := b.savedLoan(b.customer())
	p := b.savedPayment(l, naira("1"), func(p *lending.Payment) { p.ExternalID, p.Reference = "x", "r" })
	b.savedPayment(l, naira("1"))
	found, err := b.store.PaymentByExternalID(b.ctx, lending.Kredete, "x")
	b.must(err)
	same(b, "by external id", found, p)
	found, err = b.store.PaymentByReference(b.ctx, l.ID, "r")
	b.must(err)
	same(b, "by reference", found, p)
	for _, look := range []func() (*lending.Payment, error){
		func() (*lending.Payment, error) { return b.store.PaymentByExternalID(b.ctx, lending.Carbon, "x") },
		func() (*lending.Payment, error) { return b.store.PaymentByExternalID(b.ctx, lending.Kredete, "") },
		func() (*lending.Payment, error) { return b.store.PaymentByReference(b.ctx, "none", "r") },
		func() (*lending.Payment, error) { return b.store.PaymentByReference(b.ctx, l.ID, "") },
	} {
		_, err := look()
		b.wantKind(err, lending.KindNotFound)
	}
}

func paymentConflicts(b *bench) {
	customer := b.customer()
	one, two := b.savedLoan(customer), b.savedLoan(customer)
	b.savedPayment(one, naira("1"), func(p *lending.Payment) { p.ExternalID, p.Reference = "x", "r" })
	b.savedPayment(two, naira("1"), func(p *lending.Payment) { p.Reference = "r" })
	b.savedPayment(two, naira("1"), func(p *lending.Payment) { p.ExternalID, p.Provider = "x", lending.Carbon })
	for _, change := range []func(*lending.Payment){
		func(p *lending.Payment) { p.ExternalID = "x" },
		func(p *lending.Payment) { p.Reference = "r" },
	} {
		b.wantKind(b.store.SavePayment(b.ctx, b.payment(one, naira("1"), change)), lending.KindConflict)
	}
	same(b, "paid", b.stored(one.ID).Paid, naira("1"))
}

func paidSum(b *bench) {
	l := b.savedLoan(b.customer())
	b.savedPayment(l, naira("100"))
	pending := b.savedPayment(l, naira("20"), func(p *lending.Payment) { p.Status = lending.PaymentPending })
	b.savedPayment(l, naira("3"), func(p *lending.Payment) { p.Status = lending.PaymentFailed })
	b.savedPayment(l, naira("4"), func(p *lending.Payment) { p.Status = lending.PaymentUnknown })
	b.savedPayment(l, rupees("5000"))
	same(b, "paid", b.stored(l.ID).Paid, naira("100"))
	pending.Status = lending.PaymentCompleted
	b.must(b.store.SavePayment(b.ctx, pending))
	b.must(b.store.SavePayment(b.ctx, pending))
	same(b, "paid, one more completed", b.stored(l.ID).Paid, naira("120"))
	pending.Status = lending.PaymentFailed
	b.must(b.store.SavePayment(b.ctx, pending))
	same(b, "paid, one bounced", b.stored(l.ID).Paid, naira("100"))
}

func paymentStays(b *bench) {
	customer := b.customer()
	one, two := b.savedLoan(customer), b.savedLoan(customer)
	p := b.savedPayment(one, naira("7"))
	p.LoanID = two.ID
	b.wantKind(b.store.SavePayment(b.ctx, p), lending.KindConflict)
	same(b, "paid", []lending.Money{b.stored(one.ID).Paid, b.stored(two.ID).Paid}, []lending.Money{naira("7"), naira("0")})
}

func paymentsTogether(b *bench) {
	l := b.savedLoan(b.customer())
	var payments []*lending.Payment
	for range 24 {
		payments = append(payments, b.payment(l, naira("1")))
	}
	errs := together(len(payments), func(i int) error { return b.store.SavePayment(b.ctx, payments[i]) })
	for _, err := range errs {
		b.must(err)
	}
	same(b, "paid", b.stored(l.ID).Paid, naira("24"))
}

// together runs n calls at the same time.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { errs[i] = call(i) })
	}
	running.Wait()
	return errs
}

func paymentPages(b *bench) {
	ada, obi := b.customer(), b.customer()
	one, two, other := b.savedLoan(ada), b.savedLoan(ada), b.savedLoan(obi)
	var saved []*lending.Payment // newest first
	for i, l := range []*lending.Loan{one, two, one, other, two, one} {
		saved = append(saved, b.savedPayment(l, naira("1"), func(p *lending.Payment) { p.CreatedAt = at(-i) }))
	}
	ofLoans, err := b.store.PaymentsOfLoans(b.ctx, []lending.LoanID{one.ID, two.ID, "none"}, first(2))
	b.must(err)
	same(b, "loans", len(ofLoans), 2)
	same(b, "of the first loan", nodes(ofLoans[one.ID]), []*lending.Payment{saved[0], saved[2]})
	same(b, "of the second loan", nodes(ofLoans[two.ID]), []*lending.Payment{saved[1], saved[4]})
	same(b, "more", []bool{ofLoans[one.ID].HasNext, ofLoans[two.ID].HasNext}, []bool{true, false})
	ofCustomers, err := b.store.PaymentsOfCustomers(b.ctx, []lending.CustomerID{ada, obi}, lending.PageRequest{Last: 2})
	b.must(err)
	same(b, "of a customer, from the end", nodes(ofCustomers[ada]), []*lending.Payment{saved[4], saved[5]})
	same(b, "of the other", nodes(ofCustomers[obi]), []*lending.Payment{saved[3]})
}
