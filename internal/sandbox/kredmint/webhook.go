package kredmint

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// The types of webhooks (seed 002, Request Body Attributes of the webhooks).
const (
	newsPayment    = "PAYMENT"
	newsSettlement = "PAYMENT_SETTLEMENT"
	newsNACH       = "NACH"
	newsUser       = "USER"
	newsInvoice    = "INVOICE"
)

// course is what becomes of a payment.
type course struct {
	statuses []string
	succeeds bool
	reason   string // of the last status
}

// courseOf goes by the paise of the amount, so that a test can choose.
func courseOf(amount lending.Money) course {
	switch amount.Minor() % 100 {
	case 13:
		return course{[]string{"Initiated", "Verified", "Failed"}, false, "invalid amount or date provided"}
	case 14:
		return course{[]string{"Initiated", "Verified", "Cancelled"}, false, "cancelled by the user"}
	}
	return course{[]string{"Initiated", "Verified", "Approved", "Paid", "Completed"}, true, ""}
}

// tell sends a webhook for each status of a payment. All carry the time of the payment, as the seed's
// examples do. The lock is held.
func (t *Twin) tell(c course, about invoiceNews) {
	at, n := t.millis(), next(&t.serial.payment)
	transaction, utr := letters(hash("transaction", n)), fmt.Sprintf("SBXN%018d", n)
	for i, status := range c.statuses {
		about.Status = status
		switch status {
		case "Paid":
			about.TransactionID = &transaction
		case "Completed":
			about.UTR = &utr
		}
		if i == len(c.statuses)-1 && c.reason != "" {
			about.Reason = &c.reason
		}
		t.send(news{Payload: about, Type: newsInvoice, Timestamp: at}, newsInvoice+"."+status, about.ID,
			time.Duration(i)*t.options.Step)
	}
}

// letters is a transactionId in the form of the seed's "gheahgfja".
func letters(digits string) string {
	id := []byte(digits[:9])
	for i, b := range id {
		if b >= 'a' {
			b = b - 'a' + 10 + '0'
		}
		id[i] = 'a' + b - '0'
	}
	return string(id)
}

// send delivers a webhook after a while. The lock is held.
func (t *Twin) send(n news, event, about string, after time.Duration) {
	if t.webhook == "" {
		return
	}
	body, err := json.Marshal(n)
	if err != nil {
		panic(fmt.Sprintf("kredmint: a webhook that is no JSON: %v", err)) // only code can cause it
	}
	t.core.Sender.Send(twin.Delivery{
		Event: event, Key: about, URL: t.webhook, Body: body, After: after, Sign: t.sign,
	})
}

// sign puts the agreed header on a webhook. There is no signature, only this password.
func (t *Twin) sign(r *http.Request, _ []byte, valid bool) {
	value := t.options.WebhookAuthorization
	if !valid {
		value += "x"
	}
	r.Header.Set("Authorization", value)
}

// errNews says that a webhook makes no sense.
var errNews = errors.New("type is PAYMENT, PAYMENT_SETTLEMENT, NACH, USER or INVOICE, and payload an object")

// sendWebhook sends a webhook of any type, with whatever payload it is given: the seed shows none but
// INVOICE's.
func (t *Twin) sendWebhook(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Type    string          `json:"type"`
		Payload json.RawMessage `json:"payload"`
	}
	if _, err := twin.ReadJSON(r, &wanted); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	switch wanted.Type {
	case newsPayment, newsSettlement, newsNACH, newsUser, newsInvoice:
	default:
		wanted.Payload = nil
	}
	if len(wanted.Payload) == 0 || wanted.Payload[0] != '{' {
		twin.AdminError(w, http.StatusBadRequest, errNews)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.send(news{Payload: wanted.Payload, Type: wanted.Type, Timestamp: t.millis()}, wanted.Type, wanted.Type, 0)
	w.WriteHeader(http.StatusAccepted)
}

func (t *Twin) moveWebhook(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		URL string `json:"url"`
	}
	if _, err := twin.ReadJSON(r, &wanted); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	t.SetWebhook(wanted.URL)
	w.WriteHeader(http.StatusNoContent)
}
