package kredmint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// eligibility is the call for both pages: how the user stands, and payment of an invoice by credit.
func (t *Twin) eligibility(w http.ResponseWriter, r *http.Request) {
	var in eligibilityRequest
	body, err := twin.ReadJSON(r, &in)
	if err != nil {
		t.refuse(w, r, http.StatusBadRequest)
		return
	}
	if missing := empty([][2]string{{"source", in.Source}, {"username", in.Username}, {"page", in.Page}}); missing != nil {
		t.badRequest(w, missing...)
		return
	}
	switch {
	case !isUsername(in.Username):
		t.badRequest(w, "username")
	case t.options.Source != "" && in.Source != t.options.Source:
		t.refuse(w, r, http.StatusForbidden)
	case in.Page == "profile":
		t.succeed(w, t.profile(r, in.Username))
	case in.Page == "payment":
		t.pay(w, r, &in, body)
	default:
		t.badRequest(w, "page")
	}
}

// pay takes a payment. With a supplierId the money goes to that supplier, without one to the partner.
func (t *Twin) pay(w http.ResponseWriter, r *http.Request, in *eligibilityRequest, body []byte) {
	missing := empty([][2]string{
		{"invoiceNumber", in.InvoiceNumber}, {"paymentDate", string(in.PaymentDate)}, {"amount", string(in.Amount)},
	})
	if missing != nil {
		t.badRequest(w, missing...)
		return
	}
	amount, err := lending.ParseMoney(string(in.Amount), lending.INR)
	if err != nil || amount.Sign() <= 0 {
		t.badRequest(w, "amount")
		return
	}
	if at, err := strconv.ParseInt(string(in.PaymentDate), 10, 64); err != nil || at <= 0 {
		t.badRequest(w, "paymentDate")
		return
	}
	switch shown, why := t.charge(r, in, amount, body); why {
	case taken:
		t.succeed(w, shown)
	case noSupplier:
		t.refuse(w, r, http.StatusNotFound)
	default:
		t.decline(w, string(why))
	}
}

// refusal is why a payment is not taken, as the envelope says it.
type refusal string

const (
	taken      refusal = ""
	noSupplier refusal = "Supplier not found"
	incomplete refusal = "User profile is incomplete"
	overLimit  refusal = "Insufficient credit limit"
)

// charge carries a payment out, and shows the limits as they were before it.
func (t *Twin) charge(r *http.Request, in *eligibilityRequest, amount lending.Money, body []byte) (banner, refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.userOf(in.Username)
	switch {
	case in.SupplierID != "" && !u.has(in.SupplierID):
		return banner{}, noSupplier
	case u.state != stateActive:
		return banner{}, incomplete
	case amount.Minor() > u.available().Minor():
		return banner{}, overLimit
	}
	shown, course := t.banner(r, u, "INVOICE"), courseOf(amount)
	if u.invoices[in.InvoiceNumber] == "" {
		u.invoices[in.InvoiceNumber] = fmt.Sprintf("IN-%d", next(&t.serial.invoice))
	}
	if course.succeeds {
		u.used = lending.NewMoney(u.used.Minor()+amount.Minor(), lending.INR)
	}
	id := u.invoices[in.InvoiceNumber]
	t.core.Effects.Record(twin.Effect{
		Operation: "invoice.pay", Key: in.InvoiceNumber, EntityID: id, Fingerprint: twin.Fingerprint(body),
	})
	t.tell(course, invoiceNews{
		ID: id, Username: in.Username, InvoiceNumber: in.InvoiceNumber, PaymentDate: in.PaymentDate,
		Amount: rupees{amount},
	})
	return shown, taken
}

// has reports whether a supplier is the user's.
func (u *user) has(supplierID string) bool {
	for _, s := range u.suppliers {
		if s.ID == supplierID {
			return true
		}
	}
	return false
}

// profile is how a user stands.
func (t *Twin) profile(r *http.Request, username string) banner {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.banner(r, t.userOf(username), "DEFAULT")
}

// banner is how a user stands. The lock is held.
func (t *Twin) banner(r *http.Request, u *user, landingType string) banner {
	b := banner{
		Show: true, Title: "Pay by kred Mint.", SubTitle: "Available Credit Rs " + u.available().Literal(),
		LogoURL:    "https://kredmint-public.example.com/b3+(1).png",
		LandingURL: t.landingURL(r, u), LandingType: landingType,
		Available: rupees{u.available()}, State: u.state,
		Limit: rupees{u.limit}, Outstanding: rupees{u.used},
	}
	if u.state != stateActive {
		b.Title = "Get a Credit Limit with kredmint."
		b.SubTitle = "Kredmint lets you order now & pay later as per convenience."
	}
	return b
}

// landingURL leads to a new session; its sid and token are as good as a password for the user. The lock is
// held.
func (t *Twin) landingURL(r *http.Request, u *user) string {
	base := t.options.MerchantURL
	if base == "" {
		base = "http://" + r.Host
	}
	session := next(&t.serial.session)
	sid, token := hash("sid", session), hash("token", session)
	return fmt.Sprintf("%s/auth/?sid=%s&userId=%s&token=%s-%s-4%s-8%s-%s", strings.TrimSuffix(base, "/"), sid[:24], u.id,
		token[:8], token[8:12], token[12:15], token[15:18], token[18:30])
}

// hash is made-up hexadecimal digits, the same for the same run.
func hash(what string, n int) string {
	sum := sha256.Sum256([]byte(what + strconv.Itoa(n)))
	return hex.EncodeToString(sum[:])
}

// landing is the page at the end of landing URLs.
func landing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!doctype html><title>Kredmint sandbox</title>" + // a client that is gone needs no page
		"<p>Here the customer would sign up with Kredmint. In the sandbox, " +
		"<code>POST /__sandbox/users</code> ends the sign-up."))
}
