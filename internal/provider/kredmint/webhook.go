package kredmint

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// receiver takes Kredmint's webhooks (seed 002, Webhooks). They carry no signature, no id and no time that
// orders them: a fixed Authorization header is all there is to know them by.
type receiver struct {
	authorization string
	*reader
}

// notification is the body of a webhook. Only the payload of type INVOICE is documented.
type notification struct {
	Payload   wire.Object[invoiceNews] `json:"payload"`
	Type      wire.Text                `json:"type"`
	Timestamp wire.Number              `json:"timestamp"`
}

// invoiceNews is the payload of type INVOICE.
type invoiceNews struct {
	ID            wire.Text   `json:"id"`
	Username      wire.Text   `json:"username"`
	InvoiceNumber wire.Text   `json:"invoiceNumber"`
	PaymentDate   wire.Number `json:"paymentDate"`
	Amount        wire.Number `json:"amount"`
	TransactionID wire.Text   `json:"transactionId"`
	Status        wire.Text   `json:"status"`
	UTR           wire.Text   `json:"utr"` // the bank's own reference of the transfer
	Reason        wire.Text   `json:"reason"`
}

const invoiceType = "invoice"

// readNotification decodes a copy of the body: what is verified is stored and read again, to the byte.
func readNotification(body []byte) (notification, error) {
	var n notification
	err := wire.Decode(bytes.Clone(body), &n)
	return n, err
}

// Verify compares the Authorization header with the value that was agreed with Kredmint, in constant time.
// It has to be there exactly once, and without an agreed value nothing is let in.
func (r *receiver) Verify(request provider.WebhookRequest) (provider.Receipt, error) {
	if request.Method != http.MethodPost {
		return provider.Receipt{}, &provider.UnverifiedError{Status: http.StatusMethodNotAllowed, Reason: "not a POST"}
	}
	given := request.Header.Values("Authorization")
	if r.authorization == "" || len(given) != 1 || !same(given[0], r.authorization) {
		return provider.Receipt{}, &provider.UnverifiedError{Status: http.StatusUnauthorized, Reason: "wrong authorization"}
	}
	return provider.Receipt{DedupeKey: dedupeKey(request.Body)}, nil
}

// same compares two secrets without telling their length or where they differ by the time it takes.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// dedupeKey is the same for deliveries of the same news. Of an invoice that is everything which can change
// but the time of sending; a transaction id or UTR that comes later makes it news. What the other types
// say is not known, so their whole body counts.
func dedupeKey(body []byte) string {
	n, err := readNotification(body)
	news := n.Payload.Or()
	if err != nil || wire.Keyword(n.Type) != invoiceType || news.ID == "" && news.InvoiceNumber == "" {
		return digest("body", string(body))
	}
	identity := []string{"id", news.ID.String()}
	if news.ID == "" { // two customers may have invoices of one number
		identity = []string{"number", news.Username.String(), news.InvoiceNumber.String()}
	}
	return digest(append(identity, invoiceType, wire.Keyword(news.Status), news.TransactionID.String(),
		news.UTR.String(), news.Reason.String())...)
}

// digest is a hash over parts, each with its length before it, so that no two lists of parts run together.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Translate reads a webhook. Types other than INVOICE have no documented payload: they are told as events
// and change no state.
func (r *receiver) Translate(body []byte) (provider.Notice, error) {
	n, err := readNotification(body)
	if err != nil {
		return provider.Notice{}, provider.Garbled(lending.Kredmint, provider.Read, err)
	}
	if n.Type == "" {
		return provider.Notice{}, garbled(provider.Read, "a webhook without a type")
	}
	notice := provider.Notice{
		Type: r.eventType(n.Type), ProviderType: wire.Short(n.Type), OccurredAt: r.instant("timestamp", n.Timestamp),
	}
	news := n.Payload.Or()
	notice.CustomerExternalID = national(news.Username.String())
	if notice.Type != lending.EventInvoiceStatusChanged {
		return r.withPayload(notice, eventPayload{Type: notice.ProviderType})
	}
	if news.Status == "" || news.ID == "" && news.InvoiceNumber == "" {
		return provider.Notice{}, garbled(provider.Read, "a webhook without an invoice or its status")
	}
	return r.invoiceNotice(notice, news)
}

// earlier are the words that come before another one of the same status.
var earlier = map[string][]string{"verified": {"Initiated"}, "completed": {"Paid"}}

// invoiceNotice adds the news of an invoice's payment, which is a loan to us.
func (r *receiver) invoiceNotice(notice provider.Notice, news invoiceNews) (provider.Notice, error) {
	amount, err := rupees(news.Amount)
	if err != nil {
		return provider.Notice{}, provider.Garbled(lending.Kredmint, provider.Read, err)
	}
	loan := lending.Loan{
		Provider: lending.Kredmint, ExternalID: news.ID.String(), Reference: news.InvoiceNumber.String(),
		Status: r.loanStatus(news.Status), ProviderStatus: wire.Short(news.Status),
		DisbursementReference: wire.Short(news.UTR), FailureReason: sentence(news.Reason),
	}
	if loan.DisbursementReference == "" {
		loan.DisbursementReference = wire.Short(news.TransactionID)
	}
	if amount != nil {
		loan.Principal = *amount
	}
	if loan.Status.PaidOut() {
		loan.DisbursedOn = dayInIndia(r.instant("paymentDate", news.PaymentDate))
	}
	notice.Loan = &provider.LoanNotice{
		Loan: loan, CustomerExternalID: notice.CustomerExternalID, FailureReason: loan.FailureReason, After: earlier[wire.Keyword(news.Status)],
	}
	return r.withPayload(notice, eventPayload{
		Type: notice.ProviderType, ID: loan.ExternalID, InvoiceNumber: loan.Reference, Status: loan.ProviderStatus,
		Amount: amount, DisbursementReference: loan.DisbursementReference,
	})
}

// eventPayload is what the event log shows of a webhook: neither the customer's number nor free text.
type eventPayload struct {
	Type                  string         `json:"type"`
	ID                    string         `json:"id,omitempty"`
	InvoiceNumber         string         `json:"invoiceNumber,omitempty"`
	Status                string         `json:"status,omitempty"`
	Amount                *lending.Money `json:"amount,omitempty"`
	DisbursementReference string         `json:"disbursementReference,omitempty"`
}

func (r *receiver) withPayload(notice provider.Notice, payload eventPayload) (provider.Notice, error) {
	encoded, err := json.Marshal(payload)
	if err != nil {
		return provider.Notice{}, unsendable(err)
	}
	notice.Payload = encoded
	return notice, nil
}

// eventType is the event of a webhook's type.
func (r *receiver) eventType(word wire.Text) lending.EventType {
	switch wire.Keyword(word) {
	case invoiceType:
		return lending.EventInvoiceStatusChanged
	case "payment":
		return lending.EventPayment
	case "payment_settlement":
		return lending.EventPaymentSettlement
	case "nach":
		return lending.EventNACH
	case "user":
		return lending.EventUser
	}
	r.odd.Word("webhook type", string(word))
	return lending.EventUnknown
}

// Acknowledge answers a webhook. What Kredmint takes for success is not documented; these are the answers
// that anybody would understand.
func (r *receiver) Acknowledge(failed error) provider.Acknowledgement {
	status := http.StatusOK
	if failed != nil {
		status = http.StatusServiceUnavailable
	}
	return provider.Acknowledgement{Status: status, ContentType: "application/json", Body: []byte("{}")}
}

// india is five and a half hours ahead of UTC all year.
var india = time.FixedZone("IST", 5*3600+1800)

// dayInIndia is the day of a payment where it is made. A day that we sent comes back as the same day.
func dayInIndia(at time.Time) lending.Date {
	if at.IsZero() {
		return lending.Date{}
	}
	year, month, day := at.In(india).Date()
	return lending.NewDate(year, month, day)
}
