package kredmint

import (
	"context"
	"encoding/json"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// PayInvoice asks for an invoice to be paid out of a customer's line, with a supplier of the customer's
// (supplier flow) or without (anchor flow). The customer confirms on the page behind RedirectURL.
//
// The day of the payment is sent as its first instant in UTC, which is 05:30 of the same day in India.
func (c *client) PayInvoice(ctx context.Context, invoice provider.Invoice) (provider.InvoiceResult, error) {
	if err := checkInvoice(invoice); err != nil {
		return provider.InvoiceResult{}, err
	}
	answer, err := c.callJSON(ctx, c.user, provider.Write, eligibilityPath, eligibilityRequest{
		Source: c.source, Username: national(invoice.Username), Page: "payment",
		FailureDeepLink: invoice.FailureURL, SuccessDeepLink: invoice.SuccessURL, BackDeepLink: invoice.BackURL,
		SupplierID: invoice.SupplierID, InvoiceNumber: invoice.InvoiceNumber,
		PaymentDate: invoice.PaymentDate.Time().UnixMilli(),
		Amount:      json.Number(invoice.Amount.Literal()), InvoicePDF: invoice.InvoicePDF,
	})
	if err != nil {
		return provider.InvoiceResult{}, err
	}
	payload, err := payloadOf[eligibility](provider.Write, answer)
	if err != nil {
		return provider.InvoiceResult{}, err
	}
	page := webAddress(payload.LandingURL)
	if page == "" {
		return provider.InvoiceResult{}, garbled(provider.Write, "no page for the customer to confirm on")
	}
	line, err := c.creditLine(provider.Read, payload)
	if err != nil { // the page is what was asked for; a line that cannot be read does not undo it
		c.odd.Value("a credit line that cannot be read", "payload")
		line = lending.CreditLine{Provider: lending.Kredmint, State: lending.LineUnknown, UserID: userID(payload.LandingURL)}
	}
	return provider.InvoiceResult{RedirectURL: page, CreditLine: line}, nil
}

// checkInvoice refuses what cannot work before anything is sent.
func checkInvoice(invoice provider.Invoice) error {
	var problems []lending.Problem
	if invoice.Username == "" {
		problems = append(problems, required("username"))
	}
	if invoice.InvoiceNumber == "" {
		problems = append(problems, required("invoiceNumber"))
	}
	if invoice.Amount.Currency() != lending.INR || invoice.Amount.Sign() <= 0 {
		problems = append(problems, mend("Give an amount over zero in INR: Kredmint pays in rupees.", "amount"))
	}
	// A day before March 1973 is a mistake, and its milliseconds look like seconds.
	if invoice.PaymentDate.IsZero() || invoice.PaymentDate.Time().UnixMilli() < firstMillisecond {
		problems = append(problems, mend("Give the day on which to pay.", "paymentDate"))
	}
	return invalid(problems...)
}

// required is the problem of a field that is missing.
func required(field ...string) lending.Problem {
	return mend("Kredmint needs this field.", field...)
}

// mend is a problem of one field of the input, with what to do about it.
func mend(message string, field ...string) lending.Problem {
	return lending.Problem{Kind: lending.KindValidation, Message: message, Field: append([]string{"input"}, field...)}
}

// invalid is the error for an input with problems, nil without any.
func invalid(problems ...lending.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	e := lending.Invalid(problems...)
	e.Provider = lending.Kredmint
	return e
}
