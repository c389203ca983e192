package storetest

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func customerChecks() []check {
	return []check{
		{"a customer comes back as it was saved", customerRoundTrip},
		{"of unknown customers nothing is told", unknownCustomers},
		{"a search finds every word anywhere in a name, whatever its case", customerSearch},
		{"e-mail addresses and phone numbers are found as a whole, however they are written", contactSearch},
		{"a search that cannot be carried out is refused", impossibleSearch},
		{"lists and counts of customers agree with a plain filter", customerFilters},
	}
}

func fullCustomer() *lending.Customer {
	return &lending.Customer{
		ID: "full", FirstName: "Ngọzi", LastName: "O'Hara ? \\ \"x\"", Email: "ngozi@example.com", Phone: "+2348031234567",
		DateOfBirth: lending.NewDate(1990, 2, 28), Gender: lending.Female, Nationality: "NG",
		Status: lending.CustomerActive, ProviderStatus: "active", KYCStatus: lending.KYCVerified,
		Address: &lending.Address{Street: "1 Marina", City: "Lagos", Country: "NG"},
		Employment: &lending.Employment{
			Status: lending.Employed, Employer: "Acme", MonthlyIncome: new(naira("90071992547409.93")),
			Since: lending.NewDate(2020, 1, 1),
		},
		Identification: &lending.Identification{Type: lending.NIN, Number: "12345678901", ExpiresOn: lending.NewDate(2030, 1, 1)},
		CreatedAt:      at(0), UpdatedAt: at(1),
	}
}

func customerRoundTrip(b *bench) {
	full, bare := fullCustomer(), &lending.Customer{ID: "bare", CreatedAt: at(2)}
	for _, c := range []*lending.Customer{full, bare} {
		b.must(b.store.SaveCustomer(b.ctx, c))
	}
	want := map[lending.CustomerID]*lending.Customer{"full": full, "bare": bare}
	found, err := b.store.Customers(b.ctx, []lending.CustomerID{"full", "bare", "full", "nobody"})
	b.must(err)
	same(b, "customers", found, want)

	full.Address, full.Identification.Number, full.LastName = nil, "10987654321", "Okafor"
	b.must(b.store.SaveCustomer(b.ctx, full))
	found, err = b.store.Customers(b.ctx, []lending.CustomerID{"full", "bare"})
	b.must(err)
	same(b, "customers after a change", found, want)
	if loc := found["full"].CreatedAt.Location(); loc != time.UTC {
		b.Errorf("times come back in %s", loc)
	}
}

func unknownCustomers(b *bench) {
	for _, ids := range [][]lending.CustomerID{nil, {}, {"nobody"}} {
		found, err := b.store.Customers(b.ctx, ids)
		b.must(err)
		if len(found) != 0 {
			b.Errorf("found %v", found)
		}
	}
}

func customerSearch(b *bench) {
	for i, c := range []lending.Customer{
		{ID: "1", FirstName: "Adaeze", LastName: "Okafor", Email: "ada@example.com", Phone: "+2348031111111"},
		{ID: "2", FirstName: "Tunde", LastName: "Ade_yemi", Email: "tunde@example.com", Phone: "+2348032222222"},
		{ID: "3", FirstName: "ÉLODIE", LastName: `100% back\slash`},
	} {
		c.CreatedAt = at(-i) // newest first: 1, 2, 3
		b.must(b.store.SaveCustomer(b.ctx, &c))
	}
	for search, want := range map[string]string{
		"":              "1 2 3",
		"   ":           "1 2 3",
		"OKAFOR":        "1",
		"ad":            "1 2",
		"okafor adaeze": "1",
		"okafor tunde":  "",
		"example.com":   "",
		"@":             "",
		"élodie":        "3",
		"%":             "3",
		"_":             "2",
		`\`:             "3",
		"'":             "",
		"a%r":           "",
	} {
		page, err := b.store.ListCustomers(b.ctx, lending.CustomerFilter{Search: search}, first(10))
		b.must(err)
		var ids []string
		for _, c := range nodes(page) {
			ids = append(ids, string(c.ID))
		}
		if got := strings.Join(ids, " "); got != want {
			b.Errorf("search %q found %q, want %q", search, got, want)
		}
	}
}

func contactSearch(b *bench) {
	for i, c := range []lending.Customer{
		{ID: "1", FirstName: "Adaeze", LastName: "Okafor", Email: "Ada@Example.com", Phone: "+2348031111111"},
		{ID: "2", FirstName: "Tunde", LastName: "Adeyemi", Email: "tunde@example.com", Phone: "+919876543210"},
		{ID: "3", FirstName: "Tunde", LastName: "Bello", Email: "bello@example.com", Phone: "+442079460123"},
		{ID: "4", FirstName: "Kemi", LastName: "Bello", Phone: "0803 111 1111"},
		{ID: "5", FirstName: "Nobody"},
	} {
		c.CreatedAt = at(-i) // newest first
		b.must(b.store.SaveCustomer(b.ctx, &c))
	}
	for search, want := range map[string]string{
		"ada@example.com":                   "1",
		" ADA@EXAMPLE.COM ":                 "1",
		"da@example.com":                    "",
		"ada@example.co":                    "",
		"@example.com":                      "",
		"tunde tunde@example.com":           "2",
		"tunde bello@example.com":           "3",
		"kemi bello@example.com":            "",
		"+2348031111111":                    "1 4",
		"002348031111111":                   "1 4",
		"2348031111111":                     "1 4",
		"08031111111":                       "1 4",
		"8031111111":                        "1 4",
		"+234 (803) 111-1111":               "1 4",
		"Okafor 0803 111 1111":              "1",
		"0803 111 1111 okafor":              "1",
		"031111111":                         "",
		"80311111":                          "",
		"+8031111111":                       "",
		"+18031111111":                      "",
		"09876543210":                       "2",
		"+91 98765 43210":                   "2",
		"020 7946 0123":                     "3",
		"Bello 0803 111 1111 +442079460123": "",
	} {
		filter := lending.CustomerFilter{Search: search}
		page, err := b.store.ListCustomers(b.ctx, filter, first(10))
		b.must(err)
		var ids []string
		for _, c := range nodes(page) {
			ids = append(ids, string(c.ID))
		}
		if got := strings.Join(ids, " "); got != want {
			b.Errorf("search %q found %q, want %q", search, got, want)
		}
		n, err := b.store.CountCustomers(b.ctx, filter)
		b.must(err)
		same(b, "count of "+search, n, len(ids))
	}
	b.must(b.store.SaveCustomer(b.ctx, &lending.Customer{ID: "1", Email: "new@example.com", CreatedAt: at(1)}))
	for search, want := range map[string]int{"ada@example.com": 0, "new@example.com": 1, "08031111111": 1} {
		n, err := b.store.CountCustomers(b.ctx, lending.CustomerFilter{Search: search})
		b.must(err)
		same(b, search+" after a change", n, want)
	}
}

func impossibleSearch(b *bench) {
	for _, search := range []string{"a\x00b", strings.Repeat("word ", 9)} {
		filter := lending.CustomerFilter{Search: search}
		_, err := b.store.ListCustomers(b.ctx, filter, first(1))
		b.wantKind(err, lending.KindValidation)
		_, err = b.store.CountCustomers(b.ctx, filter)
		b.wantKind(err, lending.KindValidation)
	}
}

func customerFilters(b *bench) {
	statuses := []lending.CustomerStatus{lending.CustomerActive, lending.CustomerBlocked, lending.CustomerUnknown}
	kyc := []lending.KYCStatus{lending.KYCVerified, lending.KYCFailed}
	linked := map[lending.CustomerID]map[lending.Provider]bool{}
	var customers []*lending.Customer // newest first
	for i := range 24 {
		c := &lending.Customer{
			ID: lending.CustomerID(b.id("c")), Status: statuses[i%3], KYCStatus: kyc[i%2], FirstName: []string{"Bola", "Chidi"}[i/2%2],
			CreatedAt: at(-i),
		}
		b.must(b.store.SaveCustomer(b.ctx, c))
		customers, linked[c.ID] = append(customers, c), map[lending.Provider]bool{}
		for j, p := range lending.Providers() {
			if i>>j&1 == 1 {
				linked[c.ID][p] = true
				b.must(b.store.Link(b.ctx, lending.Identity{CustomerID: c.ID, Provider: p, ExternalID: b.id("x")}))
			}
		}
	}
	rapid.Check(b.T, func(t *rapid.T) {
		filter := lending.CustomerFilter{
			Status:    rapid.SliceOfNDistinct(rapid.SampledFrom(statuses), 0, 2, rapid.ID).Draw(t, "status"),
			KYCStatus: rapid.SliceOfNDistinct(rapid.SampledFrom(kyc), 0, 1, rapid.ID).Draw(t, "kyc"),
			Search:    rapid.SampledFrom([]string{"", "bola", "chi"}).Draw(t, "search"),
			Linked:    rapid.SliceOfNDistinct(rapid.SampledFrom(lending.Providers()), 0, 2, rapid.ID).Draw(t, "linked"),
		}
		var want []*lending.Customer
		for _, c := range customers {
			if keepsCustomer(filter, c, linked[c.ID]) {
				want = append(want, c)
			}
		}
		page, err := b.store.ListCustomers(b.ctx, filter, first(100))
		b.must(err)
		same(b, "list", nodes(page), want)
		n, err := b.store.CountCustomers(b.ctx, filter)
		b.must(err)
		same(b, "count", n, len(want))
	})
}

func keepsCustomer(f lending.CustomerFilter, c *lending.Customer, linked map[lending.Provider]bool) bool {
	for _, p := range f.Linked {
		if !linked[p] {
			return false
		}
	}
	return oneOf(f.Status, c.Status) && oneOf(f.KYCStatus, c.KYCStatus) &&
		strings.Contains(strings.ToLower(c.FirstName), f.Search)
}

// oneOf reports whether a set without members, or one with the value, lets the value pass.
func oneOf[T comparable](set []T, value T) bool {
	for _, member := range set {
		if member == value {
			return true
		}
	}
	return len(set) == 0
}
