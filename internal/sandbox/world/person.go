package world

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Person is one made-up person and what the providers know about them.
//
// An id is "" where the provider does not know the person. Two people never share an id, a phone number,
// an e-mail address, a BVN or a NIN.
type Person struct {
	Index       int
	FirstName   string
	LastName    string
	Gender      lending.Gender // Female or Male
	DateOfBirth lending.Date
	Nationality string // NG or IN
	Email       string // under example.com, example.org or example.net
	Phone       string // E.164
	Address     lending.Address
	Employment  lending.Employment // MonthlyIncome is always set, in NGN or INR
	NIN         string             // Nigerians only
	BVN         string             // those whom the bureau can be asked about: Linked(TrustDecision)
	CreatedAt   time.Time          // when the person became a customer of Kredete
	UpdatedAt   time.Time

	Status    lending.CustomerStatus // at Kredete
	KYCStatus lending.KYCStatus      // at Kredete, and at Carbon too

	KredeteID      string
	CarbonID       string
	KredmintMobile string // ten digits; for Indians the number of Phone
	CustomerRef    string // OnePipe's

	Bureau       BureauRecord // BureauNone for those without a BVN
	KredeteScore int          // 300 to 850
	OnePipeScore int          // 0 to 10
	CreditLine   *CreditLine  // nil for those whom Kredmint does not know

	links links
}

// FullName is first and last name.
func (p *Person) FullName() string { return p.FirstName + " " + p.LastName }

// Person is person i, from 0 to Size-1; it panics outside of these.
//
// The first people are the same in every world, but for names and numbers: 0 is the showcase (all
// providers, a good score, an active loan with payments, and the ids of the seeds' examples), 1 is known to
// Kredete alone, 2 and 14 have no bureau record, 3, 6 and 13 are overdue, 4, 10 and 12 are Indian, 5 and 10
// wait for their KYC, 6 is blocked, 7 suspended, 8 failed the KYC, 10 and 14 have not finished signing up
// at Kredmint, 11 has a thin bureau record, and 12, 13 and 14 are known to all providers as well.
func (w *World) Person(i int) Person {
	if !w.has(i) {
		panic("world: there is no person " + strconv.Itoa(i))
	}
	p := Person{Index: i, links: w.links(i), KredeteID: w.codes.kredeteID(i), Bureau: BureauNone}
	p.Status, p.KYCStatus = w.Standing(i)
	w.describe(&p)
	w.employ(&p)
	w.dates(&p)
	p.KredeteScore = w.score(i)
	p.OnePipeScore = onePipeScore(p.KredeteScore)
	w.link(&p)
	return p
}

// describe gives the person a name, numbers and an address.
func (w *World) describe(p *Person) {
	i := p.Index
	d, names := w.roll(i, aspectName), nigerianNames
	p.Nationality, p.Phone = "NG", "+234"+w.codes.nigerianMobile(i)
	if w.nationality(i) == indian {
		names = indianNames
		p.Nationality, p.Phone = "IN", "+91"+w.codes.indianMobile(i)
	} else {
		p.NIN = w.codes.ninOf(i)
	}
	if p.Gender = lending.Female; i == 0 || d.chance(50) {
		p.Gender = lending.Male
	}
	given := names.women
	if p.Gender == lending.Male {
		given = names.men
	}
	p.FirstName, p.LastName = pick(&d, given), pick(&d, names.last)
	mailbox := fmt.Sprintf("%s.%s.%d", p.FirstName, p.LastName, i)
	if i == 0 {
		p.FirstName, p.LastName, mailbox = "Adewale", "Okonkwo", "Adewale.Okonkwo"
	}
	p.Email = strings.ToLower(mailbox) + "@" + pick(&d, mailDomains)
	at := w.roll(i, aspectAddress)
	place := pick(&at, names.places)
	p.Address = lending.Address{
		Street: strconv.Itoa(at.between(1, 180)) + " " + pick(&at, names.streets),
		City:   place.city, State: place.state, PostalCode: place.postalCode, Country: p.Nationality,
	}
}

func (w *World) employ(p *Person) {
	d := w.roll(p.Index, aspectEmployment)
	income := lending.NewMoney(int64(d.between(80, 1500))*1000*100, lending.NGN)
	if p.Nationality == "IN" {
		income = lending.NewMoney(int64(d.between(18, 250))*1000*100, lending.INR)
	}
	p.Employment = lending.Employment{Status: lending.Employed, MonthlyIncome: &income}
	if d.chance(30) {
		p.Employment.Status, p.Employment.JobTitle = lending.SelfEmployed, pick(&d, trades)
	} else {
		p.Employment.Employer, p.Employment.JobTitle = pick(&d, employers), pick(&d, jobTitles)
	}
	p.Employment.Since = lending.DateOf(w.epoch).AddDays(-d.between(90, 4000))
}

func (w *World) dates(p *Person) {
	d := w.roll(p.Index, aspectJoined)
	seconds := d.between(24*3600, 730*24*3600)
	if role, ok := castRole(p.Index); ok {
		seconds = role.days * 24 * 3600
	}
	p.CreatedAt = w.epoch.Add(-time.Duration(seconds) * time.Second)
	p.UpdatedAt = p.CreatedAt.Add(time.Duration(d.below(seconds)) * time.Second)
	born := w.roll(p.Index, aspectBirth)
	p.DateOfBirth = lending.DateOf(w.epoch).AddMonths(-12 * born.between(21, 62)).AddDays(-born.below(365))
}

// link fills in what each of the other providers knows.
func (w *World) link(p *Person) {
	i := p.Index
	if p.Linked(lending.TrustDecision) {
		p.BVN, p.Bureau = w.codes.bvnOf(i), w.bureau(i)
	}
	if p.Linked(lending.Kredmint) {
		p.KredmintMobile, p.CreditLine = w.codes.indianMobile(i), w.creditLine(i)
	}
	if p.Linked(lending.Carbon) {
		p.CarbonID = w.codes.carbonID(i)
	}
	if p.Linked(lending.OnePipe) {
		p.CustomerRef = "C-" + strconv.Itoa(firstCustomerRef+i)
	}
}

// userID is Kredmint's id of a user (seed 002: "USR-2233").
func userID(i int) string { return "USR-" + strconv.Itoa(2233+i) }
