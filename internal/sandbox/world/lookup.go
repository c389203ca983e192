package world

import (
	"strconv"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// ByKredeteID finds the person with a Kredete customer id ("cust_2xK9mN3pQ7vR").
func (w *World) ByKredeteID(id string) (Person, bool) {
	n, ok := w.codes.ofKredeteID(id)
	return w.found(n, ok, func(p *Person) bool { return p.KredeteID == id })
}

// ByCarbonID finds the person with a Carbon customer id (a UUID, in either case) among those whom Carbon
// knows.
func (w *World) ByCarbonID(id string) (Person, bool) {
	id = strings.ToLower(id)
	n, ok := w.codes.ofCarbonID(id)
	return w.found(n, ok, func(p *Person) bool { return p.CarbonID == id })
}

// ByBVN finds the person with a bank verification number of 11 digits among those who have one.
func (w *World) ByBVN(bvn string) (Person, bool) {
	n, ok := w.codes.ofBVN(bvn)
	return w.found(n, ok, func(p *Person) bool { return p.BVN == bvn })
}

// ByMobile finds the person with a mobile number: the phone number, or the Indian number by which Kredmint
// knows a person. It may be written with +234, 234, 0, +91 or 91 before the ten digits, or with nothing.
func (w *World) ByMobile(number string) (Person, bool) {
	national := nationalNumber(number)
	n, ok := w.codes.ofMobile(national)
	return w.found(n, ok, func(p *Person) bool {
		return p.KredmintMobile == national || nationalNumber(p.Phone) == national
	})
}

// ByCustomerRef finds the person with a OnePipe customer_ref ("C-1001") among those whom OnePipe's provider
// knows.
func (w *World) ByCustomerRef(ref string) (Person, bool) {
	digits, ok := strings.CutPrefix(ref, "C-")
	n, err := strconv.ParseUint(digits, 10, 32)
	ok = ok && err == nil && n >= firstCustomerRef
	return w.found(n-firstCustomerRef, ok, func(p *Person) bool { return p.CustomerRef == ref })
}

// LoanByID finds a loan of somebody's past, and whose it is.
func (w *World) LoanByID(id string) (Person, Loan, bool) {
	n, ok := unprefix(&w.codes.loan, "loan_", id)
	person, ok := w.found(n/perPerson, ok, func(*Person) bool { return true })
	if !ok {
		return Person{}, Loan{}, false
	}
	for _, loan := range w.Loans(person.Index) {
		if loan.ID == id {
			return person, loan, true
		}
	}
	return Person{}, Loan{}, false
}

// found is person n where there is one and the id is indeed that person's.
func (w *World) found(n uint64, ok bool, theirs func(*Person) bool) (Person, bool) {
	if !ok || n >= uint64(w.size) {
		return Person{}, false
	}
	if p := w.Person(int(n)); theirs(&p) {
		return p, true
	}
	return Person{}, false
}

// nationalNumber is the ten digits of a number without its country code or trunk prefix.
func nationalNumber(number string) string {
	digits := strings.TrimPrefix(number, "+")
	for _, prefix := range []string{"234", "91", "0"} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok && len(rest) == 10 {
			return rest
		}
	}
	return digits
}

// Linked reports whether a provider knows the person.
func (p *Person) Linked(provider lending.Provider) bool { return p.links&linkTo(provider) != 0 }
