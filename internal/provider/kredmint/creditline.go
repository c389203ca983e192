package kredmint

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// eligibilityPath answers both what a customer's line is (page "profile") and where to pay an invoice
// from it (page "payment").
const eligibilityPath = "/user/eligibility"

// eligibilityRequest is the body of both pages (seed 002, Dynamic Status/Banner API, Loan Disbursal).
type eligibilityRequest struct {
	Source          string      `json:"source"`
	Username        string      `json:"username"`
	Page            string      `json:"page"`
	FailureDeepLink string      `json:"failureDeepLink,omitempty"`
	SuccessDeepLink string      `json:"successDeepLink,omitempty"`
	BackDeepLink    string      `json:"backDeepLink,omitempty"`
	SupplierID      string      `json:"supplierId,omitempty"`
	InvoiceNumber   string      `json:"invoiceNumber,omitempty"`
	PaymentDate     int64       `json:"paymentDate,omitempty"` // milliseconds since 1970
	Amount          json.Number `json:"amount,omitempty"`      // rupees
	InvoicePDF      string      `json:"invoicePdf,omitempty"`
}

// eligibility is the payload of both pages. LandingURL carries the customer's session (sid, token).
type eligibility struct {
	LandingURL           wire.Text   `json:"landingUrl"`
	AvailableCreditLimit wire.Number `json:"availableCreditLimit"`
	State                wire.Text   `json:"state"`
	CreditLimit          wire.Number `json:"creditLimit"`
	TotalOutstanding     wire.Number `json:"totalOutstanding"`
}

// CreditLine reads a customer's line. Kredmint makes a user of a mobile number that it does not know,
// which costs nothing, so the call is one that may be repeated. ApplyURL stays empty: the address in the
// answer is a session, and the one to show comes from [provider.SignUpLinker].
func (c *client) CreditLine(ctx context.Context, username string) (lending.CreditLine, error) {
	if username == "" {
		return lending.CreditLine{}, invalid(required("username"))
	}
	answer, err := c.callJSON(ctx, c.user, provider.Read, eligibilityPath, eligibilityRequest{
		Source: c.source, Username: national(username), Page: "profile",
	})
	if err != nil {
		return lending.CreditLine{}, err
	}
	payload, err := payloadOf[eligibility](provider.Read, answer)
	if err != nil {
		return lending.CreditLine{}, err
	}
	return c.creditLine(provider.Read, payload)
}

// creditLine converts the payload of either page. One that says nothing of a line is a failure, not an
// empty line.
func (r *reader) creditLine(class provider.Class, payload eligibility) (lending.CreditLine, error) {
	line := lending.CreditLine{Provider: lending.Kredmint, ProviderState: string(payload.State), UserID: userID(payload.LandingURL)}
	for _, amount := range []struct {
		name string
		wire wire.Number
		into **lending.Money
	}{
		{"creditLimit", payload.CreditLimit, &line.Limit},
		{"availableCreditLimit", payload.AvailableCreditLimit, &line.Available},
		{"totalOutstanding", payload.TotalOutstanding, &line.Outstanding},
	} {
		money, err := rupees(amount.wire)
		if err != nil {
			return lending.CreditLine{}, provider.Garbled(lending.Kredmint, class, fmt.Errorf("%s: %w", amount.name, err))
		}
		*amount.into = money
	}
	if payload.State == "" && line.Limit == nil && line.Available == nil && line.Outstanding == nil {
		return lending.CreditLine{}, garbled(class, "a credit line without content")
	}
	line.State = r.lineState(payload.State)
	return line, nil
}

// userID is Kredmint's id of the customer, which it tells nowhere but in the query of the landing page's
// address. Nothing else of that address is used.
func userID(landing wire.Text) string {
	u, err := url.Parse(string(landing))
	if err != nil {
		return ""
	}
	return identifier(wire.Text(u.Query().Get("userId")))
}

// signUp makes the addresses where customers sign up.
type signUp struct {
	page                   string
	partnerID, clientToken string
}

func newSignUp(cfg Config) (*signUp, error) {
	u, err := url.Parse(cfg.MerchantURL)
	if err != nil || webAddress(wire.Text(cfg.MerchantURL)) == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("KREDMINT_MERCHANT_URL: not an address of the form https://host/auth")
	}
	if path.Base(u.Path) != "auth" {
		u = u.JoinPath("auth")
	}
	return &signUp{page: strings.TrimSuffix(u.String(), "/"), partnerID: cfg.PartnerID, clientToken: cfg.ClientToken}, nil
}

// SignUpURL is Kredmint's "Static Url" for a customer. It holds the partner's token: it is for the
// customer's screen alone.
func (s *signUp) SignUpURL(username string) string {
	return s.page + "?partnerId=" + url.QueryEscape(s.partnerID) +
		"&clientToken=" + url.QueryEscape(s.clientToken) + "&mobile=" + url.QueryEscape(national(username))
}
