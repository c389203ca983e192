package kredete

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// payment is what the API tells of a payment (seed 000, Record Payment, Response).
type payment struct {
	ID         string      `json:"id"`
	LoanID     string      `json:"loan_id"`
	CustomerID string      `json:"customer_id"`
	Amount     json.Number `json:"amount"`
	Currency   string      `json:"currency"`
	Allocation allocation  `json:"allocation"`
	Status     string      `json:"status"`
	CreatedAt  time.Time   `json:"created_at"`
}

// allocation is what a payment was used for. The twin knows no fees and no penalties.
type allocation struct {
	Principal json.Number `json:"principal"`
	Interest  json.Number `json:"interest"`
	Fees      json.Number `json:"fees"`
	Penalties json.Number `json:"penalties"`
}

// newPayment is the body of Record Payment.
type newPayment struct {
	LoanID           string      `json:"loan_id"`
	Amount           json.Number `json:"amount"`
	Currency         string      `json:"currency"`
	PaymentMethod    string      `json:"payment_method"`
	PaymentReference string      `json:"payment_reference"`
	PaymentDate      string      `json:"payment_date"`
}

// check also reads the amount.
func (n *newPayment) check() (lending.Money, checks) {
	var c checks
	c.required("loan_id", n.LoanID)
	paid, err := lending.ParseMoney(string(n.Amount), lending.NGN)
	c.that(err == nil && paid.Sign() > 0, "amount", "amount must be a positive amount in naira")
	c.that(n.Currency == "NGN", "currency", "currency must be NGN")
	c.required("payment_method", n.PaymentMethod)
	c.required("payment_reference", n.PaymentReference)
	c.date("payment_date", n.PaymentDate)
	return paid, c
}

func (t *Twin) recordPayment(w http.ResponseWriter, r *http.Request) {
	var asked newPayment
	body, ok := t.read(w, r, &asked)
	if !ok {
		return
	}
	paid, problems := asked.check()
	if len(problems) > 0 {
		t.fail(w, http.StatusBadRequest, problems)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	owed, ok := t.loan(asked.LoanID)
	if !ok {
		t.refuse(w, r, http.StatusNotFound)
		return
	}
	if problems := owed.accepts(paid.Minor()); len(problems) > 0 {
		t.fail(w, http.StatusBadRequest, problems)
		return
	}
	made := owed.receive(t.ids.Next("pmt_"), paid.Minor(), t.now())
	t.core.Effects.Record(twin.Effect{
		Operation: "payment.record", Key: asked.PaymentReference, EntityID: made.ID,
		Fingerprint: twin.Fingerprint(body),
	})
	t.publish("payment.received", made.ID, made)
	t.publish("loan.repayment", made.ID, made)
	twin.WriteJSON(w, http.StatusCreated, made)
}

func (l *loan) accepts(kobo int64) checks {
	var c checks
	if l.status != disbursed && l.status != active {
		c.that(false, "loan_id", "Loan is "+l.status+" and takes no payment")
		return c
	}
	left := l.terms.total - l.paid
	c.that(kobo <= left, "amount", "Amount must not be greater than the outstanding "+string(amount(left)))
	return c
}

func (l *loan) receive(id string, kobo int64, at time.Time) payment {
	principal, interest := l.pay(kobo)
	return payment{
		ID: id, LoanID: l.id, CustomerID: l.customerID, Amount: amount(kobo), Currency: "NGN",
		Allocation: allocation{amount(principal), amount(interest), "0", "0"},
		Status:     "completed", CreatedAt: at,
	}
}
