package storetest

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func loanListChecks() []check {
	return []check{
		{"lists, counts and totals of loans agree with a plain filter", loanFilters},
		{"loans are listed in every order, ties by id", loanOrders},
		{"loans of customers come in one page for each", loansOf},
	}
}

// portfolio saves loans of many kinds and gives them as they are stored.
func (b *bench) portfolio() []*lending.Loan {
	customers := []lending.CustomerID{b.customer(), b.customer()}
	statuses := []lending.LoanStatus{lending.LoanPendingReview, lending.LoanDisbursed, lending.LoanActive, lending.LoanRepaid}
	providers := []lending.Provider{lending.Kredete, lending.Kredmint, lending.Carbon}
	var loans []*lending.Loan
	for i := range 36 {
		l := b.savedLoan(customers[i%2], func(l *lending.Loan) {
			l.Provider, l.Status, l.Conflict = providers[i%3], statuses[i/2%4], i%5 == 0
			l.Principal = lending.NewMoney(int64(1+i/4)*1000, []lending.Currency{lending.NGN, lending.INR}[i/3%2])
			l.CreatedAt, l.UpdatedAt = at(i/3), at(100-i/5)
			l.DisbursedOn = today().AddDays(-60 - 10*(i%6))
		})
		if i%3 == 0 {
			b.savedPayment(l, lending.NewMoney(500, l.Principal.Currency()))
		}
		loans = append(loans, b.stored(l.ID))
	}
	return loans
}

func loanFilters(b *bench) {
	loans := b.portfolio()
	rapid.Check(b.T, func(t *rapid.T) {
		filter := drawLoanFilter(t, loans)
		var want []*lending.Loan
		totals := map[lending.Currency]lending.LoanTotals{}
		for _, l := range loans {
			if keepsLoan(filter, l) {
				want = append(want, l)
				totals[l.Principal.Currency()] = plus(b, totals[l.Principal.Currency()], l)
			}
		}
		page, err := b.store.ListLoans(b.ctx, filter, lending.LoanOrder{Field: lending.ByCreatedAt}, first(100))
		b.must(err)
		same(b, "list", nodes(page), sorted(want, byCreation))
		n, err := b.store.CountLoans(b.ctx, filter)
		b.must(err)
		same(b, "count", n, len(want))
		sums, err := b.store.LoanTotals(b.ctx, filter)
		b.must(err)
		var wantSums []lending.LoanTotals
		for _, currency := range []lending.Currency{lending.INR, lending.NGN} {
			if sum, any := totals[currency]; any {
				wantSums = append(wantSums, sum)
			}
		}
		same(b, "totals", sums, wantSums)
	})
}

func drawLoanFilter(t *rapid.T, loans []*lending.Loan) lending.LoanFilter {
	some := rapid.SampledFrom(loans)
	flag := rapid.SampledFrom([]*bool{nil, nil, new(true), new(false)})
	filter := lending.LoanFilter{
		Providers: rapid.SliceOfN(rapid.SampledFrom(lending.Providers()), 0, 3).Draw(t, "providers"),
		Status:    rapid.SliceOfN(rapid.SampledFrom([]lending.LoanStatus{lending.LoanDisbursed, lending.LoanActive, lending.LoanRepaid}), 0, 2).Draw(t, "status"),
		Overdue:   flag.Draw(t, "overdue"),
		Conflict:  flag.Draw(t, "conflict"),
	}
	if rapid.Bool().Draw(t, "of one customer") {
		filter.CustomerID = some.Draw(t, "customer").CustomerID
	}
	if rapid.Bool().Draw(t, "from") {
		filter.CreatedAt.From = some.Draw(t, "from loan").CreatedAt
	}
	if rapid.Bool().Draw(t, "to") {
		filter.CreatedAt.To = some.Draw(t, "to loan").CreatedAt
	}
	if rapid.Bool().Draw(t, "min") {
		filter.Principal.Min = new(some.Draw(t, "min loan").Principal)
	}
	if rapid.Bool().Draw(t, "max") {
		filter.Principal.Max = new(some.Draw(t, "max loan").Principal)
	}
	return filter
}

func keepsLoan(f lending.LoanFilter, l *lending.Loan) bool {
	reaches := func(bound *lending.Money, wanted int) bool {
		if bound == nil {
			return true
		}
		c, err := l.Principal.Cmp(*bound)
		return err == nil && c*wanted >= 0
	}
	return oneOf(f.Providers, l.Provider) && oneOf(f.Status, l.Status) &&
		(f.CustomerID == "" || f.CustomerID == l.CustomerID) &&
		(f.CreatedAt.From.IsZero() || !l.CreatedAt.Before(f.CreatedAt.From)) &&
		(f.CreatedAt.To.IsZero() || l.CreatedAt.Before(f.CreatedAt.To)) &&
		reaches(f.Principal.Min, 1) && reaches(f.Principal.Max, -1) &&
		(f.Overdue == nil || *f.Overdue == (l.Overdue.Sign() > 0)) &&
		(f.Conflict == nil || *f.Conflict == l.Conflict)
}

func plus(b *bench, t lending.LoanTotals, l *lending.Loan) lending.LoanTotals {
	if t.Count == 0 {
		zero := lending.NewMoney(0, l.Principal.Currency())
		t = lending.LoanTotals{Currency: zero.Currency(), Principal: zero, Outstanding: zero, Overdue: zero}
	}
	t.Count++
	for _, sum := range []struct {
		total *lending.Money
		more  lending.Money
	}{{&t.Principal, l.Principal}, {&t.Outstanding, l.Outstanding}, {&t.Overdue, l.Overdue}} {
		added, err := sum.total.Add(sum.more)
		b.must(err)
		*sum.total = added
	}
	return t
}

func byCreation(a, b *lending.Loan) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

func sorted[T any](list []T, compare func(a, b T) int) []T {
	list = slices.Clone(list)
	slices.SortFunc(list, compare)
	return list
}

// orders are all orders of loans with what they mean.
func orders() map[lending.LoanOrder]func(a, b *lending.Loan) int {
	ascending := map[lending.LoanOrderField]func(a, b *lending.Loan) int{
		lending.ByCreatedAt: byCreation,
		lending.ByUpdatedAt: func(a, b *lending.Loan) int {
			return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID))
		},
		lending.ByPrincipal: func(a, b *lending.Loan) int {
			return cmp.Or(cmp.Compare(a.Principal.Minor(), b.Principal.Minor()), cmp.Compare(a.ID, b.ID))
		},
	}
	all := map[lending.LoanOrder]func(a, b *lending.Loan) int{}
	for field, compare := range ascending {
		all[lending.LoanOrder{Field: field}] = compare
		all[lending.LoanOrder{Field: field, Descending: true}] = func(a, b *lending.Loan) int { return compare(b, a) }
	}
	return all
}

func loanOrders(b *bench) {
	loans := b.portfolio()
	for order, compare := range orders() {
		page, err := b.store.ListLoans(b.ctx, lending.LoanFilter{}, order, first(100))
		b.must(err)
		same(b, string(order.Field), nodes(page), sorted(loans, compare))
	}
}

func loansOf(b *bench) {
	loans := b.portfolio()
	of := map[lending.CustomerID][]*lending.Loan{}
	ids := []lending.CustomerID{b.customer(), "nobody"}
	for _, l := range sorted(loans, func(x, y *lending.Loan) int { return byCreation(y, x) }) {
		if of[l.CustomerID] == nil {
			ids = append(ids, l.CustomerID)
		}
		of[l.CustomerID] = append(of[l.CustomerID], l)
	}
	pages, err := b.store.LoansOf(b.ctx, ids, first(4))
	b.must(err)
	same(b, "customers with loans", len(pages), len(of))
	counts, err := b.store.CountLoansOf(b.ctx, ids)
	b.must(err)
	same(b, "customers with counts", len(counts), len(of))
	for id, list := range of {
		same(b, "page", nodes(pages[id]), list[:4])
		same(b, "has next", pages[id].HasNext, true)
		same(b, "count", counts[id], len(list))
	}
	pages, err = b.store.LoansOf(b.ctx, nil, first(4))
	b.must(err)
	same(b, "pages of nobody", len(pages), 0)
}
