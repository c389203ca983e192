package kredete

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// newPaymentBody is the request of seed 000, Record Payment.
type newPaymentBody struct {
	LoanID           string      `json:"loan_id"`
	Amount           json.Number `json:"amount"`
	Currency         string      `json:"currency"`
	PaymentMethod    string      `json:"payment_method,omitempty"`
	PaymentReference string      `json:"payment_reference"`
	PaymentDate      string      `json:"payment_date,omitempty"`
}

var paymentFields = map[string]string{
	"loan_id": "loanId", "amount": "amount", "currency": "amount", "payment_method": "method",
	"payment_reference": "reference", "payment_date": "paidOn",
}

// paymentBody is the answer of seed 000, Record Payment, with what events may tell beside it.
type paymentBody struct {
	ID               wire.Text                   `json:"id"`
	PaymentID        wire.Text                   `json:"payment_id"`
	LoanID           wire.Text                   `json:"loan_id"`
	CustomerID       wire.Text                   `json:"customer_id"`
	Amount           wire.Number                 `json:"amount"`
	Currency         wire.Text                   `json:"currency"`
	Allocation       wire.Object[allocationBody] `json:"allocation"`
	Status           wire.Text                   `json:"status"`
	PaymentMethod    wire.Text                   `json:"payment_method"`
	PaymentReference wire.Text                   `json:"payment_reference"`
	Reference        wire.Text                   `json:"reference"`
	PaymentDate      wire.Text                   `json:"payment_date"`
	CreatedAt        wire.Text                   `json:"created_at"`
}

type allocationBody struct {
	Principal wire.Number `json:"principal"`
	Interest  wire.Number `json:"interest"`
	Fees      wire.Number `json:"fees"`
	Penalties wire.Number `json:"penalties"`
}

// RecordPayment tells Kredete of a payment (POST /payments). The answer does not repeat reference,
// method and day, so those of the request are kept.
func (c *client) RecordPayment(ctx context.Context, p provider.NewPayment) (lending.Payment, error) {
	body, err := c.do(ctx, call{
		class: provider.Write, method: http.MethodPost, path: "/payments", fields: paymentFields,
		body: newPaymentBody{
			LoanID: p.LoanExternalID, Amount: c.literal(p.Amount), Currency: string(p.Amount.Currency()),
			PaymentMethod: wordFor(p.Method), PaymentReference: p.Reference, PaymentDate: p.PaidOn.String(),
		},
	})
	if err != nil {
		return lending.Payment{}, err
	}
	b, err := entity[paymentBody](body, "payment")
	switch {
	case err != nil:
	case b.ID == "":
		err = errNoID
	case b.LoanID != "" && b.LoanID.String() != p.LoanExternalID:
		err = errOtherEntity
	}
	if err != nil {
		return lending.Payment{}, garbled(provider.Write, "payment", err)
	}
	payment, err := c.payment(b, p.Amount.Currency())
	if err != nil {
		return lending.Payment{}, garbled(provider.Write, "payment", err)
	}
	return completed(payment, p), nil
}

// completed fills in what the answer did not tell from what was sent.
func completed(payment lending.Payment, sent provider.NewPayment) lending.Payment {
	if payment.Amount == (lending.Money{}) {
		payment.Amount = sent.Amount
	}
	if payment.Status == "" {
		payment.Status = lending.PaymentPending // taken, and not said to be completed
	}
	payment.Method, payment.Reference, payment.PaidOn = sent.Method, sent.Reference, sent.PaidOn
	return payment
}

// payment puts a payment into our words. Its amount has to be exact where it was told.
func (c *client) payment(b paymentBody, fallback lending.Currency) (lending.Payment, error) {
	currency, err := currencyOf(b.Currency, fallback)
	if err != nil {
		return lending.Payment{}, err
	}
	amount, err := c.amount(b.Amount, currency)
	if err != nil {
		return lending.Payment{}, fmt.Errorf("amount: %w", err)
	}
	if amount != nil && amount.Sign() < 0 {
		return lending.Payment{}, errNegative
	}
	payment := lending.Payment{
		Provider: lending.Kredete, ExternalID: firstText(b.PaymentID, b.ID),
		Status:         lookup(c.odd, "payment status", paymentWords, lending.PaymentUnknown, b.Status),
		ProviderStatus: b.Status.String(),
		Allocation:     c.allocation(b.Allocation.Value, currency),
		Method:         lookup(c.odd, "payment method", methodWords, lending.MethodUnknown, b.PaymentMethod),
		Reference:      firstText(b.PaymentReference, b.Reference),
		PaidOn:         dateOf(b.PaymentDate),
		CreatedAt:      wire.Timestamp(b.CreatedAt),
	}
	if amount != nil {
		payment.Amount = *amount
		c.checkAllocation(payment)
	}
	return payment, nil
}

func (c *client) allocation(b *allocationBody, currency lending.Currency) *lending.Allocation {
	if b == nil {
		return nil
	}
	return &lending.Allocation{
		Principal: c.figure("allocation.principal", b.Principal, currency),
		Interest:  c.figure("allocation.interest", b.Interest, currency),
		Fees:      c.figure("allocation.fees", b.Fees, currency),
		Penalties: c.figure("allocation.penalties", b.Penalties, currency),
	}
}

// checkAllocation reports parts that do not add up to the payment. They stay as they were told.
func (c *client) checkAllocation(p lending.Payment) {
	if p.Allocation == nil {
		return
	}
	sum := lending.NewMoney(0, p.Amount.Currency())
	for _, part := range []*lending.Money{p.Allocation.Principal, p.Allocation.Interest, p.Allocation.Fees, p.Allocation.Penalties} {
		if part == nil {
			continue
		}
		var err error
		if sum, err = sum.Add(*part); err != nil {
			break
		}
	}
	if sum != p.Amount {
		c.log.Warn("Kredete's allocation of a payment does not add up", "payment", shownID(p.ExternalID))
	}
}

// dateOf reads a day, also one with a time behind it; anything else is no date.
func dateOf(text wire.Text) lending.Date {
	if day, err := lending.ParseDate(text.String()); err == nil {
		return day
	}
	return lending.DateOf(wire.Timestamp(text))
}

func firstText(texts ...wire.Text) string {
	for _, text := range texts {
		if text != "" {
			return text.String()
		}
	}
	return ""
}
