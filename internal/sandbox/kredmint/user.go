package kredmint

import (
	"fmt"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// The states of a user, as far as the seed's examples show them.
const (
	stateIncomplete = "IncompleteProfile"
	stateActive     = "Active"
)

// user is one user with what changed since the world was made.
type user struct {
	id          string
	state       string
	limit, used lending.Money
	suppliers   []supplier
	invoices    map[string]string // ids by invoiceNumber
}

// available is what is left of the limit.
func (u *user) available() lending.Money {
	return lending.NewMoney(u.limit.Minor()-u.used.Minor(), lending.INR)
}

// serial counts what the service numbers. The numbers begin where the seed's examples are.
type serial struct{ user, invoice, payment, supplier, bank, document, session int }

// firstSerial leaves room for the ids of the world's people: USR-2233 and on, and SUPB-1000000 and on.
var firstSerial = serial{user: 300_000, invoice: 787, payment: 1, supplier: 123, bank: 275, document: 5018}

// next is the number at n, which moves on.
func next(n *int) int {
	*n++
	return *n - 1
}

// userOf is the user with a username, on-boarded where there was none. The lock is held.
func (t *Twin) userOf(username string) *user {
	person, known := t.options.World.ByMobile(username)
	if known = known && person.CreditLine != nil; known {
		username = person.KredmintMobile // however it was written
	}
	if u := t.users[username]; u != nil {
		return u
	}
	u := &user{
		state: stateIncomplete, invoices: map[string]string{},
		limit: lending.NewMoney(0, lending.INR), used: lending.NewMoney(0, lending.INR),
	}
	if known {
		u.id, u.limit, u.used = person.CreditLine.UserID, person.CreditLine.Limit, person.CreditLine.Used
		if person.CreditLine.State == lending.LineActive {
			u.state = stateActive
		}
		u.suppliers = t.firstSuppliers(&person)
	} else {
		u.id = fmt.Sprintf("USR-%d", next(&t.serial.user))
		t.core.Effects.Record(twin.Effect{
			Operation: "user.create", EntityID: u.id, Fingerprint: twin.Fingerprint([]byte(username)),
		})
	}
	t.users[username] = u
	return u
}

// activate ends a user's sign-up, with a limit of which nothing is used.
func (t *Twin) activate(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Username string `json:"username"`
		Limit    number `json:"creditLimit"`
	}
	if _, err := twin.ReadJSON(r, &wanted); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	limit, err := lending.ParseMoney(string(wanted.Limit), lending.INR)
	if err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.userOf(wanted.Username)
	u.state, u.limit, u.used = stateActive, limit, lending.NewMoney(0, lending.INR)
	w.WriteHeader(http.StatusNoContent)
}

// isUsername reports whether a text can be a mobile number; the seed has one of six digits.
func isUsername(text string) bool {
	for _, r := range text {
		if r < '0' || r > '9' {
			return false
		}
	}
	return len(text) >= 6 && len(text) <= 15
}
