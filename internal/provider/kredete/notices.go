package kredete

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// eventBody is a webhook (seed 000, Webhook Payload Example).
type eventBody struct {
	ID        wire.Text              `json:"id"`
	Type      wire.Text              `json:"type"`
	CreatedAt wire.Text              `json:"created_at"`
	Data      wire.Object[eventData] `json:"data"`
}

// eventData is what an event tells. Only that of loan.disbursed is documented, so the others are read
// in each shape that is plausible: fields side by side, the entity itself, or the entity under its name.
type eventData struct {
	loan     loanBody
	payment  paymentBody
	customer string // Kredete's id of the customer
	named    bool   // the payment stood under its own name
}

// UnmarshalJSON reads the shapes one over the other.
func (d *eventData) UnmarshalJSON(data []byte) error {
	var nested struct {
		Loan     wire.Object[loanBody]     `json:"loan"`
		Payment  wire.Object[paymentBody]  `json:"payment"`
		Customer wire.Object[customerBody] `json:"customer"`
	}
	for _, into := range []any{&d.loan, &d.payment, &nested} {
		if err := json.Unmarshal(data, into); err != nil {
			return wire.ErrShape
		}
	}
	d.customer = d.loan.CustomerID.String()
	loanID := d.loan.LoanID
	if nested.Payment.Value != nil {
		d.payment, d.named = *nested.Payment.Value, true
		loanID = wire.Text(firstText(loanID, d.payment.LoanID))
		d.customer = firstText(wire.Text(d.customer), d.payment.CustomerID)
	}
	if nested.Loan.Value != nil {
		d.loan = *nested.Loan.Value
		d.customer = firstText(wire.Text(d.customer), d.loan.CustomerID)
		loanID = wire.Text(firstText(loanID, d.loan.LoanID, d.loan.ID))
	}
	d.loan.LoanID = loanID
	d.customer = firstText(wire.Text(d.customer), nested.Customer.Or().ID)
	return nil
}

var (
	errNoEvent  = errors.New("an event without a type")
	errNoLoan   = errors.New("news of a loan without its id")
	errNoAmount = errors.New("a payment without an amount")
	errNoWho    = errors.New("news of a customer without the id")
)

// Translate reads an event. State comes from the event's type (loan.disbursed is DISBURSED, whatever
// status stands in its data); a type that is not documented changes nothing.
func (c *client) Translate(body []byte) (provider.Notice, error) {
	var event eventBody
	if err := wire.Decode(body, &event); err != nil {
		return provider.Notice{}, garbled(provider.Read, "webhook", err)
	}
	if event.Type == "" {
		return provider.Notice{}, garbled(provider.Read, "webhook", errNoEvent)
	}
	data := event.Data.Or()
	notice := provider.Notice{
		Type:         lookup(c.odd, "event", eventWords, lending.EventUnknown, event.Type),
		ProviderType: event.Type.String(), ExternalEventID: event.ID.String(),
		OccurredAt: wire.Timestamp(event.CreatedAt), CustomerExternalID: data.customer,
	}
	if err := c.tell(&notice, event, data); err != nil {
		return provider.Notice{}, garbled(provider.Read, "webhook", err)
	}
	payload, err := payloadOf(notice)
	if err != nil {
		return provider.Notice{}, garbled(provider.Read, "webhook", err)
	}
	notice.Payload = payload
	return notice, nil
}

// tell fills in what an event says, by its type.
func (c *client) tell(n *provider.Notice, event eventBody, data eventData) (err error) {
	switch n.Type {
	case lending.EventLoanCreated:
		n.Loan, err = c.loanNotice(event, data, lending.LoanPendingReview)
	case lending.EventLoanApproved:
		n.Loan, err = c.loanNotice(event, data, lending.LoanApproved)
	case lending.EventLoanDisbursed:
		n.Loan, err = c.loanNotice(event, data, lending.LoanDisbursed)
		if err == nil {
			n.Loan.Loan.DisbursedOn = lending.DateOf(n.OccurredAt)
		}
	case lending.EventLoanRepayment:
		return c.tellRepayment(n, event, data)
	case lending.EventPaymentReceived:
		n.Payment, err = c.paymentNotice(data)
	case lending.EventCustomerKYCVerified:
		if n.CustomerExternalID == "" {
			n.CustomerExternalID = data.loan.ID.String() // the customer itself stands in data
		}
		if n.KYCStatus = lending.KYCVerified; n.CustomerExternalID == "" {
			return errNoWho
		}
	}
	return err
}

// tellRepayment reads loan.repayment. payment.received probably comes for the same money, so the
// payment is told only where its id or reference identifies it; a loan that is named is ACTIVE in any case.
func (c *client) tellRepayment(n *provider.Notice, event eventBody, data eventData) error {
	loanID, ofPayment := data.loan.LoanID.String(), data.payment
	if id := ofPayment.ID.String(); !data.named && loanID == "" && !strings.HasPrefix(id, "pmt_") {
		loanID, ofPayment.ID = id, "" // one bare id, which is the loan's unless it looks like a payment's
	}
	identified := firstText(ofPayment.PaymentID, ofPayment.ID, ofPayment.PaymentReference, ofPayment.Reference) != ""
	if loanID == "" && !identified {
		return errNoLoan
	}
	if loanID != "" {
		n.Loan = &provider.LoanNotice{CustomerExternalID: data.customer, Loan: lending.Loan{
			Provider: lending.Kredete, ExternalID: loanID, Status: lending.LoanActive, ProviderStatus: event.Type.String(),
		}}
	}
	if !identified {
		return nil
	}
	data.payment, data.loan.LoanID = ofPayment, wire.Text(loanID)
	payment, err := c.paymentNotice(data)
	if err != nil {
		return err
	}
	n.Payment = payment
	return nil
}

// loanNotice reads news of a loan. Without a loan_id the data is the loan itself. An amount that cannot
// be read costs the amount, not the news.
func (c *client) loanNotice(event eventBody, data eventData, status lending.LoanStatus) (*provider.LoanNotice, error) {
	b := data.loan
	b.ID = wire.Text(firstText(b.LoanID, b.ID))
	if b.ID == "" {
		return nil, errNoLoan
	}
	told, err := c.loan(b, lending.NGN)
	if err != nil {
		c.log.Warn("Kredete told an amount that cannot be read exactly", "field", "data.amount")
		b.Amount, b.Currency = wire.Number{}, ""
		if told, err = c.loan(b, lending.NGN); err != nil {
			return nil, err
		}
	}
	told.Loan.Status = status
	if told.Loan.ProviderStatus == "" {
		told.Loan.ProviderStatus = event.Type.String()
	}
	return &provider.LoanNotice{Loan: told.Loan, CustomerExternalID: data.customer}, nil
}

// paymentNotice reads news of a payment. A payment without an exact amount is an error: money that
// came in must not be lost quietly.
func (c *client) paymentNotice(data eventData) (*provider.PaymentNotice, error) {
	payment, err := c.payment(data.payment, lending.NGN)
	if err != nil {
		return nil, err
	}
	if payment.Amount.Sign() <= 0 {
		return nil, errNoAmount
	}
	if payment.Status == "" {
		payment.Status = lending.PaymentCompleted // received is what the event says
	}
	return &provider.PaymentNotice{
		Payment: payment, LoanExternalID: data.loan.LoanID.String(), CustomerExternalID: data.customer,
	}, nil
}

// payloadBody is an event for the log: ids, amounts and statuses, and nothing of the person.
type payloadBody struct {
	EventID               string         `json:"eventId,omitempty"`
	LoanID                string         `json:"loanId,omitempty"`
	PaymentID             string         `json:"paymentId,omitempty"`
	Amount                *lending.Money `json:"amount,omitempty"`
	Status                string         `json:"status,omitempty"`
	DisbursementReference string         `json:"disbursementReference,omitempty"`
}

func payloadOf(n provider.Notice) ([]byte, error) {
	body := payloadBody{EventID: shownID(n.ExternalEventID)}
	if n.Loan != nil {
		loan := n.Loan.Loan
		body.LoanID, body.Status = shownID(loan.ExternalID), string(loan.Status)
		body.DisbursementReference = shownID(loan.DisbursementReference)
		if loan.Principal != (lending.Money{}) {
			body.Amount = &loan.Principal
		}
	}
	if n.Payment != nil {
		body.PaymentID = shownID(n.Payment.Payment.ExternalID)
		body.LoanID = shownID(n.Payment.LoanExternalID)
		body.Amount, body.Status = &n.Payment.Payment.Amount, string(n.Payment.Payment.Status)
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("event payload: %w", err)
	}
	return payload, nil
}
