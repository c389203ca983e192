package storetest

import (
	"fmt"
	"sync"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

func importChecks() []check {
	return []check{
		{"an import adds who is not known and links them", importAdds},
		{"an import a second time changes nothing", importTwice},
		{"an import brings the provider's fields up to date and keeps ours", importUpdates},
		{"one identity listed twice is one customer", importRepeated},
		{"an import that would overwrite another customer is refused whole", importTakenID},
		{"imports at the same time add each customer once", importsTogether},
	}
}

func listed(from, to int, prefix string) []service.ImportedCustomer {
	var list []service.ImportedCustomer
	for i := from; i < to; i++ {
		list = append(list, service.ImportedCustomer{ExternalID: fmt.Sprintf("ext-%d", i), Customer: lending.Customer{
			ID: lending.CustomerID(fmt.Sprintf("%s-%d", prefix, i)), FirstName: "Ada", LastName: fmt.Sprintf("Number%d", i),
			Email: fmt.Sprintf("ada%d@example.com", i), Status: lending.CustomerActive, ProviderStatus: "active",
			CreatedAt: at(i), UpdatedAt: at(i),
		}})
	}
	return list
}

func (b *bench) imported(p lending.Provider, list []service.ImportedCustomer) int {
	b.Helper()
	added, err := b.store.ImportCustomers(b.ctx, p, list)
	b.must(err)
	return added
}

func importAdds(b *bench) {
	list := listed(0, 1200, "c") // more than one batch
	same(b, "added", b.imported(lending.Kredete, list), len(list))
	n, err := b.store.CountCustomers(b.ctx, lending.CustomerFilter{Linked: []lending.Provider{lending.Kredete}})
	b.must(err)
	same(b, "customers", n, len(list))
	id, err := b.store.CustomerByIdentity(b.ctx, lending.Kredete, "ext-1100")
	b.must(err)
	same(b, "id", id, "c-1100")
	found, err := b.store.Customers(b.ctx, []lending.CustomerID{"c-7"})
	b.must(err)
	same(b, "customer", *found["c-7"], list[7].Customer)
	same(b, "added of nobody", b.imported(lending.Kredete, nil), 0)
}

func importTwice(b *bench) {
	b.imported(lending.Kredete, listed(0, 10, "c"))
	same(b, "added again", b.imported(lending.Kredete, listed(0, 12, "again")), 2)
	page, err := b.store.ListCustomers(b.ctx, lending.CustomerFilter{}, first(100))
	b.must(err)
	var want []*lending.Customer
	for _, c := range append(listed(0, 10, "c"), listed(10, 12, "again")...) {
		want = append([]*lending.Customer{&c.Customer}, want...)
	}
	same(b, "customers", nodes(page), want)
	same(b, "added at another provider", b.imported(lending.Carbon, listed(0, 10, "carbon")), 10)
}

func importUpdates(b *bench) {
	ours := fullCustomer()
	b.must(b.store.SaveCustomer(b.ctx, ours))
	b.must(b.store.Link(b.ctx, lending.Identity{CustomerID: ours.ID, Provider: lending.Kredete, ExternalID: "known"}))
	same(b, "added", b.imported(lending.Kredete, []service.ImportedCustomer{{ExternalID: "known", Customer: lending.Customer{
		ID: "unused", FirstName: "Ngozi", Phone: "+2348030000000", Status: lending.CustomerSuspended,
		ProviderStatus: "suspended", CreatedAt: at(50), UpdatedAt: at(60),
	}}}), 0)
	want := fullCustomer()
	want.FirstName, want.Phone, want.Status = "Ngozi", "+2348030000000", lending.CustomerSuspended
	want.ProviderStatus, want.UpdatedAt = "suspended", at(60)
	found, err := b.store.Customers(b.ctx, []lending.CustomerID{ours.ID, "unused"})
	b.must(err)
	same(b, "customers", found, map[lending.CustomerID]*lending.Customer{ours.ID: want})
	for search, want := range map[string]int{"+2348030000000": 1, fullCustomer().Phone: 0, fullCustomer().Email: 1} {
		page, err := b.store.ListCustomers(b.ctx, lending.CustomerFilter{Search: search}, first(1))
		b.must(err)
		same(b, "found by "+search, len(page.Edges), want)
	}
}

func importRepeated(b *bench) {
	list := append(listed(0, 2, "c"), listed(0, 2, "again")...)
	same(b, "added", b.imported(lending.Kredete, list), 2)
	n, err := b.store.CountCustomers(b.ctx, lending.CustomerFilter{})
	b.must(err)
	same(b, "customers", n, 2)
}

func importTakenID(b *bench) {
	b.must(b.store.SaveCustomer(b.ctx, &lending.Customer{ID: "c-1", FirstName: "Somebody else"}))
	_, err := b.store.ImportCustomers(b.ctx, lending.Kredete, listed(0, 3, "c"))
	b.wantKind(err, lending.KindConflict)
	n, err := b.store.CountCustomers(b.ctx, lending.CustomerFilter{})
	b.must(err)
	same(b, "customers", n, 1)
}

func importsTogether(b *bench) {
	var running sync.WaitGroup
	added := make([]int, 6)
	errs := make([]error, len(added))
	for i := range added {
		running.Go(func() {
			list := listed(0, 60, fmt.Sprintf("run%d", i))
			added[i], errs[i] = b.store.ImportCustomers(b.ctx, lending.Kredete, list)
		})
	}
	running.Wait()
	total := 0
	for i, err := range errs {
		b.must(err)
		total += added[i]
	}
	n, err := b.store.CountCustomers(b.ctx, lending.CustomerFilter{})
	b.must(err)
	same(b, "added in all, customers", []int{total, n}, []int{60, 60})
}
