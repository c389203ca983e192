package kredmint

import (
	"fmt"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// lenderID is in the form of the seed's list of suppliers.
const lenderID = "639b1fd3802a930379de2128"

// firstSuppliers are those whom a person has from the start: none to three, two for the showcase.
func (t *Twin) firstSuppliers(p *world.Person) []supplier {
	names := [...]string{"Arya Traders", "Deccan Wholesale", "Sunrise Distributors"}
	var all []supplier
	for k := range (p.Index + 2) % 4 {
		n := 4*p.Index + k
		at := p.CreatedAt.AddDate(0, 0, k).UnixMilli()
		all = append(all, supplier{
			ID: fmt.Sprintf("SUPB-%d", 1_000_000+n), LenderID: lenderID, CreatedAt: at, ModifiedAt: at,
			UserID: p.CreditLine.UserID, Mobile: fmt.Sprintf("70000%05d", n), GSTIN: fmt.Sprintf("27SANDB%04dK1Z5", n%10_000),
			Name: names[k], BankID: fmt.Sprintf("BNK-%d", 1_000_000+n), Status: "Initiated",
			Email: fmt.Sprintf("supplier%d@example.com", n), SeqPrefix: "SUPB-",
		})
	}
	return all
}

// createSupplier makes a supplier. The seed names no limit and no check for one that is there already.
func (t *Twin) createSupplier(w http.ResponseWriter, r *http.Request) {
	var in supplierRequest
	body, err := twin.ReadJSON(r, &in)
	if err != nil {
		t.refuse(w, r, http.StatusBadRequest)
		return
	}
	if missing := in.missing(); missing != nil {
		t.badRequest(w, missing...)
		return
	}
	if !isUsername(in.Username) {
		t.badRequest(w, "username")
		return
	}
	t.succeed(w, t.addSupplier(&in, body))
}

func (t *Twin) addSupplier(in *supplierRequest, body []byte) supplier {
	t.mu.Lock()
	defer t.mu.Unlock()
	u, now := t.userOf(in.Username), t.millis()
	made := supplier{
		ID: fmt.Sprintf("SUPB-%d", next(&t.serial.supplier)), LenderID: lenderID, CreatedAt: now, ModifiedAt: now,
		UserID: u.id, Mobile: in.Mobile, GSTIN: in.GSTIN, Name: in.SupplierName,
		BankID: fmt.Sprintf("BNK-%d", next(&t.serial.bank)), Status: "Initiated", Email: in.Email, SeqPrefix: "SUPB-",
	}
	u.suppliers = append(u.suppliers, made)
	t.core.Effects.Record(twin.Effect{
		Operation: "supplier.create", Key: u.id, EntityID: made.ID, Fingerprint: twin.Fingerprint(body),
	})
	return made
}

// listSuppliers lists a user's suppliers, the oldest first.
func (t *Twin) listSuppliers(w http.ResponseWriter, r *http.Request) {
	username := r.URL.Query().Get("username")
	if !isUsername(username) {
		t.badRequest(w, "username")
		return
	}
	t.mu.Lock()
	all := append([]supplier{}, t.userOf(username).suppliers...) // never null
	t.mu.Unlock()
	t.succeed(w, all)
}
