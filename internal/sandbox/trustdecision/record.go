package trustdecision

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// Kinds of institutions, in the bureau's words; each has a column of its own in inquiry_product.
const (
	microLenders  = "micro lenders"
	otherLenders  = "other organizations"
	banks         = "commercial banks"
	mortgageBanks = "mortgage banks"
	nonBanks      = "non-bank financial companies"
)

const currency = "ngn"

var (
	productTypes     = []string{"term loan", "overdraft", "asset acquisition loan", "credit card"}
	institutionTypes = []string{microLenders, microLenders, microLenders, banks, otherLenders, nonBanks, mortgageBanks}
)

// record is what the bureau holds: single facilities and enquiries, from which all sums of a report are
// made, so that the parts of a report agree with each other.
type record struct {
	facilities []facility
	enquiries  []enquiry // the newest first
}

// facility is one account. Amounts are in kobo, and whole naira.
type facility struct {
	product, institution             string
	opened                           lending.Date
	sanctioned, outstanding, overdue int64
	lastOverdue                      lending.Date // zero where the facility never was overdue
}

type enquiry struct {
	product, institution string
	on                   lending.Date
}

// recordOf makes up the record of a person as it stands on a day. The stream of numbers begins with the
// BVN, so a person's record is the same whenever it is asked for on the same day.
func recordOf(p *world.Person, on lending.Date) record {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(p.BVN)) // a hash cannot fail to be written to
	draw := rand.New(rand.NewPCG(seed.Sum64(), 0))
	r := record{enquiries: enquiriesOf(draw, p.Bureau, on)}
	switch p.Bureau {
	case world.BureauClean:
		for range 1 + draw.IntN(5) {
			r.facilities = append(r.facilities, newFacility(draw, on))
		}
	case world.BureauOverdue:
		for range 1 + draw.IntN(5) {
			r.facilities = append(r.facilities, newFacility(draw, on))
		}
		for i := range r.facilities[:1+draw.IntN(len(r.facilities))] {
			r.facilities[i].fallBehind(draw, on)
		}
	}
	return r
}

func newFacility(draw *rand.Rand, on lending.Date) facility {
	f := facility{
		product:     productTypes[draw.IntN(len(productTypes))],
		institution: institutionTypes[draw.IntN(len(institutionTypes))],
		opened:      on.AddDays(-30 - draw.IntN(690)), // within the 24 months that no_of_accounts counts
		sanctioned:  int64(20+draw.IntN(980)) * 1000_00,
	}
	if draw.IntN(3) > 0 { // else it is paid back
		f.outstanding = f.sanctioned / 100_00 * int64(1+draw.IntN(90)) * 100
	}
	return f
}

// fallBehind makes a part of the facility overdue: at times all of it, as in the example.
func (f *facility) fallBehind(draw *rand.Rand, on lending.Date) {
	f.outstanding = f.sanctioned/100*int64(30+draw.IntN(60)) + int64(draw.IntN(900))*100
	f.overdue = f.outstanding
	if draw.IntN(2) == 0 {
		f.overdue = f.outstanding / 300 * 100
	}
	f.lastOverdue = on.AddDays(-1 - draw.IntN(29))
}

func enquiriesOf(draw *rand.Rand, kind world.BureauRecord, on lending.Date) []enquiry {
	count := 3 + draw.IntN(12)
	if kind == world.BureauThin {
		count = 1 + draw.IntN(3)
	}
	all := make([]enquiry, count)
	for i := range all {
		all[i] = enquiry{
			product:     productTypes[draw.IntN(len(productTypes))],
			institution: institutionTypes[draw.IntN(len(institutionTypes))],
			on:          on.AddDays(-1 - draw.IntN(600)),
		}
	}
	slices.SortStableFunc(all, func(a, b enquiry) int { return b.on.Time().Compare(a.on.Time()) })
	return all
}

// historyRows are all enquiries, numbered; the example's history reaches back further than its counts.
func historyRows(all []enquiry) []historyRow {
	rows := make([]historyRow, len(all))
	for i, e := range all {
		rows[i] = historyRow{
			Institution: e.institution, Serial: strconv.Itoa(i + 1), Facility: e.product, Date: longDate(e.on),
		}
	}
	return rows
}

// productRows counts the enquiries of the last twelve months by product and kind of institution. The last
// row is the sum over the others, as in the example.
func productRows(all []enquiry, on lending.Date) []productRow {
	since := on.AddMonths(-12)
	counts := map[string]map[string]int{}
	total := map[string]int{}
	for _, e := range all {
		if e.on.Before(since) {
			continue
		}
		if counts[e.product] == nil {
			counts[e.product] = map[string]int{}
		}
		counts[e.product][e.institution]++
		total[e.institution]++
	}
	rows := []productRow{}
	for _, product := range productTypes {
		if counts[product] != nil {
			rows = append(rows, countRow(product, counts[product]))
		}
	}
	return append(rows, countRow("total", total))
}

func countRow(product string, by map[string]int) productRow {
	sum := 0
	for _, n := range by {
		sum += n
	}
	return productRow{
		Other: strconv.Itoa(by[otherLenders]), Total: strconv.Itoa(sum), Product: product,
		Bank: strconv.Itoa(by[banks]), NonBank: strconv.Itoa(by[nonBanks]),
		Mortgage: strconv.Itoa(by[mortgageBanks]), Micro: strconv.Itoa(by[microLenders]),
	}
}

// group is a sum over facilities that share a product, or a kind of institution.
type group struct {
	name                             string
	accounts, sixMonths              int
	sanctioned, outstanding, overdue int64
	lastOverdue                      lending.Date
}

// groups sums facilities by a name, in the order in which the names come first.
func groups(all []facility, name func(facility) string, halfYearAgo lending.Date) []group {
	var found []group
	for _, f := range all {
		i := slices.IndexFunc(found, func(g group) bool { return g.name == name(f) })
		if i < 0 {
			i = len(found)
			found = append(found, group{name: name(f)})
		}
		g := &found[i]
		g.accounts++
		if !f.opened.Before(halfYearAgo) {
			g.sixMonths++
		}
		g.sanctioned += f.sanctioned
		g.outstanding += f.outstanding
		g.overdue += f.overdue
		if g.lastOverdue.Before(f.lastOverdue) {
			g.lastOverdue = f.lastOverdue
		}
	}
	return found
}

func facilityRows(all []facility, on lending.Date) []facilityRow {
	rows := []facilityRow{}
	for _, g := range groups(all, func(f facility) string { return f.product }, on.AddMonths(-6)) {
		rows = append(rows, facilityRow{
			Currency: currency, Product: g.name, LastOverdue: longDate(g.lastOverdue),
			SixMonths: strconv.Itoa(g.sixMonths), Accounts: strconv.Itoa(g.accounts),
			Overdue: grouped(g.overdue), Sanctioned: grouped(g.sanctioned), Outstanding: grouped(g.outstanding),
		})
	}
	return rows
}

func institutionRows(all []facility) []institutionRow {
	rows := []institutionRow{}
	for _, g := range groups(all, func(f facility) string { return f.institution }, lending.Date{}) {
		rows = append(rows, institutionRow{
			Currency: currency, Institution: g.name, Accounts: strconv.Itoa(g.accounts),
			Overdue: grouped(g.overdue), Sanctioned: grouped(g.sanctioned), Outstanding: grouped(g.outstanding),
		})
	}
	return rows
}
