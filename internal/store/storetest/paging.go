package storetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func pagingChecks() []check {
	return []check{
		{"pages of any size put together are the list, from both ends", wholeLists},
		{"pages of loans put together are the list, in every order", loanPages},
		{"pages of what customers have put together are the lists", ownedPages},
		{"what is no cursor of the list is refused", badCursors},
		{"a page is never larger than the largest", largestPage},
	}
}

// paged is a list that is read in pages, with the ids that it has to have.
type paged struct {
	name string
	want []string
	get  func(lending.PageRequest) ([]entry, lending.Page[struct{}], error)
}

// entry is one entry of a page.
type entry struct{ id, cursor string }

// pagedAs makes a paged of a list of anything.
func pagedAs[T any](name string, want []string, id func(T) string, fetch func(lending.PageRequest) (lending.Page[T], error)) paged {
	return paged{name, want, func(p lending.PageRequest) (entries []entry, flags lending.Page[struct{}], err error) {
		page, err := fetch(p)
		for _, edge := range page.Edges {
			entries = append(entries, entry{id(edge.Node), edge.Cursor})
		}
		flags.HasNext, flags.HasPrevious = page.HasNext, page.HasPrevious
		return entries, flags, err
	}}
}

func wholeLists(b *bench) {
	var log []string
	for range 23 {
		log = append(log, string(b.appended().ID))
	}
	pagesMatch(b,
		pagedAs("customers", keyed(b, 23, func(key int) string { return b.oddlyNamedAt(key) }),
			func(c *lending.Customer) string { return string(c.ID) },
			func(p lending.PageRequest) (lending.Page[*lending.Customer], error) {
				return b.store.ListCustomers(b.ctx, lending.CustomerFilter{}, p)
			}),
		pagedAs("operations", keyed(b, 23, func(key int) string {
			return string(b.begun(func(o *lending.Operation) { o.RequestedAt = at(key) }).ID)
		}),
			func(o *lending.Operation) string { return string(o.ID) },
			func(p lending.PageRequest) (lending.Page[*lending.Operation], error) {
				return b.store.ListOperations(b.ctx, lending.OperationFilter{}, p)
			}),
		pagedAs("events", log,
			func(e *lending.Event) string { return string(e.ID) },
			func(p lending.PageRequest) (lending.Page[*lending.Event], error) {
				return b.store.ListEvents(b.ctx, lending.EventFilter{}, p)
			}),
	)
}

// keyed makes n rows with few different keys, so that most have to be told apart by id, and gives their ids
// newest first.
func keyed(b *bench, n int, save func(key int) string) []string {
	type row struct {
		key int
		id  string
	}
	var rows []row
	for i := range n {
		rows = append(rows, row{i * 7 % 4, save(i * 7 % 4)})
	}
	slices.SortFunc(rows, func(a, b row) int {
		if a.key != b.key {
			return b.key - a.key
		}
		if a.id < b.id {
			return 1
		}
		return -1
	})
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.id)
	}
	return ids
}

// oddlyNamedAt saves a customer whose id sorts elsewhere by bytes than a dictionary would have it.
func (b *bench) oddlyNamedAt(minutes int) string {
	prefix := []string{"a", "B", "-b", "A", "_"}[b.ids%5]
	c := &lending.Customer{ID: lending.CustomerID(b.id(prefix)), CreatedAt: at(minutes)}
	b.must(b.store.SaveCustomer(b.ctx, c))
	return string(c.ID)
}

// pagesMatch reads lists page by page from both ends and between any two cursors, with pages of any size,
// and compares what it gets with the whole.
func pagesMatch(b *bench, lists ...paged) {
	b.Helper()
	for _, l := range lists {
		same(b, "the whole list of "+l.name, ids(l.entries(b, lending.PageRequest{First: lending.MaxPageSize})), l.want)
	}
	rapid.Check(b.T, func(t *rapid.T) {
		l := rapid.SampledFrom(lists).Draw(t, "list")
		size := rapid.IntRange(1, len(l.want)+1).Draw(t, "size")
		l.forward(b, size)
		l.backward(b, size)

		whole := l.entries(b, lending.PageRequest{First: lending.MaxPageSize})
		from := rapid.IntRange(0, len(whole)-1).Draw(t, "after")
		to := rapid.IntRange(from, len(whole)-1).Draw(t, "before")
		between := l.want[min(from+1, to):to]
		request := lending.PageRequest{First: size, After: whole[from].cursor, Before: whole[to].cursor}
		same(b, "between, from the front", ids(l.entries(b, request)), between[:min(size, len(between))])
		request.First, request.Last = 0, size
		same(b, "between, from the end", ids(l.entries(b, request)), between[len(between)-min(size, len(between)):])
	})
}

func (l paged) entries(b *bench, p lending.PageRequest) []entry {
	entries, _, err := l.get(p)
	b.must(err)
	return entries
}

func (l paged) forward(b *bench, size int) {
	var read []entry
	for p := (lending.PageRequest{First: size}); ; p.After = read[len(read)-1].cursor {
		entries, page, err := l.get(p)
		b.must(err)
		same(b, "has previous", page.HasPrevious, len(read) > 0)
		read = append(read, entries...)
		same(b, "has next", page.HasNext, len(read) < len(l.want))
		if !page.HasNext {
			break
		}
	}
	same(b, l.name+" forward", ids(read), l.want)
}

func (l paged) backward(b *bench, size int) {
	var read []entry
	for p := (lending.PageRequest{Last: size}); ; p.Before = read[0].cursor {
		entries, page, err := l.get(p)
		b.must(err)
		same(b, "has next, from the end", page.HasNext, len(read) > 0)
		read = append(slices.Clone(entries), read...)
		same(b, "has previous, from the end", page.HasPrevious, len(read) < len(l.want))
		if !page.HasPrevious {
			break
		}
	}
	same(b, l.name+" backward", ids(read), l.want)
}

func ids(entries []entry) []string {
	var list []string
	for _, e := range entries {
		list = append(list, e.id)
	}
	return list
}

func loanPages(b *bench) {
	loans := b.portfolio()
	var lists []paged
	for order, compare := range orders() {
		var want []string
		for _, l := range sorted(loans, compare) {
			want = append(want, string(l.ID))
		}
		lists = append(lists, pagedAs(fmt.Sprintf("loans by %v", order), want,
			func(l *lending.Loan) string { return string(l.ID) },
			func(p lending.PageRequest) (lending.Page[*lending.Loan], error) {
				return b.store.ListLoans(b.ctx, lending.LoanFilter{}, order, p)
			}))
	}
	slices.SortFunc(lists, func(a, b paged) int { return strings.Compare(a.name, b.name) }) // the same draws each run
	pagesMatch(b, lists...)
}

// ownedPages reads the pages of one of two owners, of whom each has rows with the same keys as the other.
func ownedPages(b *bench) {
	ada, obi := b.customer(), b.customer()
	both := []lending.CustomerID{ada, obi}
	interleaved := func(save func(customer lending.CustomerID, key int) string) []string {
		return keyed(b, 14, func(key int) string {
			save(obi, key)
			return save(ada, key)
		})
	}
	loans := map[lending.CustomerID]*lending.Loan{ada: b.savedLoan(ada), obi: b.savedLoan(obi)}
	payments := interleaved(func(c lending.CustomerID, key int) string {
		return string(b.savedPayment(loans[c], naira("1"), func(p *lending.Payment) { p.CreatedAt = at(key) }).ID)
	})
	scores := interleaved(func(c lending.CustomerID, key int) string {
		return string(b.savedScore(c, lending.Kredete, key).ID)
	})
	reports := interleaved(func(c lending.CustomerID, key int) string {
		return string(b.savedReport(c, lending.ReportReady, key).ID)
	})
	loanIDs := append(interleaved(func(c lending.CustomerID, key int) string {
		return string(b.savedLoan(c, func(l *lending.Loan) { l.CreatedAt = at(500 + key) }).ID)
	}), string(loans[ada].ID))
	var events []string
	for range 9 {
		b.appended(func(e *lending.Event) { e.CustomerID = obi })
		events = append(events, string(b.appended(func(e *lending.Event) { e.CustomerID = ada }).ID))
	}
	paymentID := func(p *lending.Payment) string { return string(p.ID) }
	pagesMatch(b,
		pagedAs("payments of customers", payments, paymentID, ofOwner(b, ada, both, b.store.PaymentsOfCustomers)),
		pagedAs("payments of loans", payments, paymentID,
			ofOwner(b, loans[ada].ID, []lending.LoanID{loans[obi].ID, loans[ada].ID}, b.store.PaymentsOfLoans)),
		pagedAs("scores of customers", scores, func(s *lending.CreditScore) string { return string(s.ID) },
			ofOwner(b, ada, both, b.store.ScoresOf)),
		pagedAs("reports of customers", reports, func(r *lending.CreditReport) string { return string(r.ID) },
			ofOwner(b, ada, both, b.store.ReportsOf)),
		pagedAs("loans of customers", loanIDs, func(l *lending.Loan) string { return string(l.ID) },
			ofOwner(b, ada, both, b.store.LoansOf)),
		pagedAs("events of customers", events, func(e *lending.Event) string { return string(e.ID) },
			ofOwner(b, ada, both, b.store.EventsOf)),
	)
}

// ofOwner reads the page of one owner where those of all are asked for.
func ofOwner[O comparable, T any](b *bench, owner O, all []O, of func(context.Context, []O, lending.PageRequest) (map[O]lending.Page[T], error)) func(lending.PageRequest) (lending.Page[T], error) {
	return func(p lending.PageRequest) (lending.Page[T], error) {
		pages, err := of(b.ctx, all, p)
		return pages[owner], err
	}
}

func badCursors(b *bench) {
	customer := b.customer()
	b.savedLoan(customer)
	newest := lending.LoanOrder{Field: lending.ByCreatedAt, Descending: true}
	page, err := b.store.ListLoans(b.ctx, lending.LoanFilter{}, newest, first(1))
	b.must(err)
	good := page.Edges[0].Cursor
	raw, err := base64.RawURLEncoding.DecodeString(good)
	b.must(err)
	encode := base64.RawURLEncoding.EncodeToString
	for name, c := range map[string]struct {
		cursor string
		order  lending.LoanOrder
	}{
		"another field":     {good, lending.LoanOrder{Field: lending.ByUpdatedAt, Descending: true}},
		"another direction": {good, lending.LoanOrder{Field: lending.ByCreatedAt}},
		"junk":              {"junk", newest},
		"not base64":        {"%%%", newest},
		"nothing behind it": {encode(raw[:10]), newest},
		"a zero byte":       {encode(append(slices.Clone(raw), 0)), newest},
		"very long":         {encode(append(slices.Clone(raw), make([]byte, 1000)...)), newest},
	} {
		for _, field := range []string{"after", "before"} {
			request := lending.PageRequest{First: 1, After: c.cursor}
			if field == "before" {
				request = lending.PageRequest{Last: 1, Before: c.cursor}
			}
			_, err := b.store.ListLoans(b.ctx, lending.LoanFilter{}, c.order, request)
			b.wantKind(err, lending.KindValidation)
			if problems := lending.AsError(err).Problems; len(problems) != 1 || !slices.Equal(problems[0].Field, []string{field}) {
				b.Errorf("%s: problems %v, want one of field %s", name, problems, field)
			}
		}
	}
	_, err = b.store.ListCustomers(b.ctx, lending.CustomerFilter{}, lending.PageRequest{First: 1, After: good})
	b.wantKind(err, lending.KindValidation)
	_, err = b.store.EventsOf(b.ctx, []lending.CustomerID{customer}, lending.PageRequest{First: 1, After: good})
	b.wantKind(err, lending.KindValidation)
	_, err = b.store.ListLoans(b.ctx, lending.LoanFilter{}, newest, lending.PageRequest{})
	b.wantKind(err, lending.KindValidation)
}

func largestPage(b *bench) {
	events := make([]*lending.Event, lending.MaxPageSize+5)
	for i := range events {
		events[i] = b.event()
	}
	b.must(b.store.AppendEvents(b.ctx, events...))
	page, err := b.store.ListEvents(b.ctx, lending.EventFilter{}, first(len(events)))
	b.must(err)
	same(b, "entries", len(page.Edges), lending.MaxPageSize)
	same(b, "more", page.HasNext, true)
}
