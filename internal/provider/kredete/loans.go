package kredete

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// newLoanBody is the request of seed 000, Create Loan Application.
type newLoanBody struct {
	CustomerID          string       `json:"customer_id"`
	ProductID           string       `json:"product_id"`
	Amount              json.Number  `json:"amount"`
	Currency            string       `json:"currency"`
	TenureDays          int          `json:"tenure_days"`
	Purpose             string       `json:"purpose,omitempty"`
	DisbursementAccount *accountBody `json:"disbursement_account,omitempty"`
}

type accountBody struct {
	BankCode      string `json:"bank_code"`
	AccountNumber string `json:"account_number"`
	AccountName   string `json:"account_name"`
}

var loanFields = map[string]string{
	"customer_id": "customerId", "product_id": "productId", "amount": "principal", "currency": "principal",
	"tenure_days": "tenure", "purpose": "purpose", "disbursement_account": "disbursementAccount",
	"disbursement_account.bank_code":      "disbursementAccount.bankCode",
	"disbursement_account.account_number": "disbursementAccount.accountNumber",
	"disbursement_account.account_name":   "disbursementAccount.accountName",
	"bank_code":                           "disbursementAccount.bankCode",
	"account_number":                      "disbursementAccount.accountNumber",
	"account_name":                        "disbursementAccount.accountName",
}

// loanBody is the answer of seed 000, Create Loan Application, with what else may be told of a loan.
type loanBody struct {
	ID                    wire.Text   `json:"id"`
	LoanID                wire.Text   `json:"loan_id"`
	CustomerID            wire.Text   `json:"customer_id"`
	ProductID             wire.Text   `json:"product_id"`
	Amount                wire.Number `json:"amount"`
	Currency              wire.Text   `json:"currency"`
	TenureDays            wire.Count  `json:"tenure_days"`
	InterestRate          wire.Number `json:"interest_rate"`
	TotalInterest         wire.Number `json:"total_interest"`
	TotalRepayment        wire.Number `json:"total_repayment"`
	MonthlyPayment        wire.Number `json:"monthly_payment"`
	Purpose               wire.Text   `json:"purpose"`
	Status                wire.Text   `json:"status"`
	DisbursementReference wire.Text   `json:"disbursement_reference"`
	CreatedAt             wire.Text   `json:"created_at"`
	UpdatedAt             wire.Text   `json:"updated_at"`
}

// Apply applies for a loan (POST /loans). Kredete does not dedupe.
func (c *client) Apply(ctx context.Context, a provider.LoanApplication) (provider.LoanResult, error) {
	body, err := c.do(ctx, call{
		class: provider.Write, method: http.MethodPost, path: "/loans", body: c.newLoan(a), fields: loanFields,
	})
	if err != nil {
		return provider.LoanResult{}, err
	}
	b, err := entity[loanBody](body, "loan")
	if err == nil && b.ID == "" {
		err = errNoID
	}
	if err != nil {
		return provider.LoanResult{}, garbled(provider.Write, "loan", err)
	}
	result, err := c.loan(b, a.Principal.Currency())
	if err != nil {
		return provider.LoanResult{}, garbled(provider.Write, "loan", err)
	}
	if result.Loan.Status == "" {
		result.Loan.Status = lending.LoanPendingReview // a loan that has just been made is no further
	}
	return result, nil
}

func (c *client) newLoan(a provider.LoanApplication) newLoanBody {
	body := newLoanBody{
		CustomerID: a.CustomerExternalID, ProductID: a.ProductID, Amount: c.literal(a.Principal),
		Currency: string(a.Principal.Currency()), TenureDays: tenureDays(a.Tenure),
		Purpose: purposeFor(a.Purpose, a.PurposeNote),
	}
	if to := a.DisbursementAccount; to != nil {
		body.DisbursementAccount = &accountBody{
			BankCode: to.BankCode, AccountNumber: to.AccountNumber, AccountName: to.AccountName,
		}
	}
	return body
}

var errNegative = errors.New("an amount below zero")

// loan puts a loan into our words. Its principal has to be exact; the other figures are left out where
// they are not, because none of them says how much was lent.
func (c *client) loan(b loanBody, fallback lending.Currency) (provider.LoanResult, error) {
	currency, err := currencyOf(b.Currency, fallback)
	if err != nil {
		return provider.LoanResult{}, err
	}
	principal, err := c.amount(b.Amount, currency)
	if err != nil {
		return provider.LoanResult{}, fmt.Errorf("amount: %w", err)
	}
	if principal != nil && principal.Sign() < 0 {
		return provider.LoanResult{}, errNegative
	}
	result := provider.LoanResult{
		CustomerExternalID: b.CustomerID.String(),
		Loan: lending.Loan{
			Provider: lending.Kredete, ExternalID: b.ID.String(), ProductID: b.ProductID.String(),
			Status:          lookup(c.odd, "loan status", loanWords, lending.LoanUnknown, b.Status),
			ProviderStatus:  b.Status.String(),
			ProviderPurpose: b.Purpose.String(),
			TotalInterest:   c.figure("total_interest", b.TotalInterest, currency),
			TotalRepayment:  c.figure("total_repayment", b.TotalRepayment, currency),
			Installment:     c.figure("monthly_payment", b.MonthlyPayment, currency),

			DisbursementReference: b.DisbursementReference.String(),
			CreatedAt:             wire.Timestamp(b.CreatedAt), UpdatedAt: wire.Timestamp(b.UpdatedAt),
		},
	}
	result.Loan.InterestRate, _ = b.InterestRate.Decimal()
	result.Loan.Purpose = purposeOf(b.Purpose)
	c.fillTerms(&result, b, principal)
	c.checkTotals(result.Loan)
	return result, nil
}

// purposeOf reads a purpose. It is free text at Kredete, so one that is not ours is nothing to report.
func purposeOf(text wire.Text) lending.LoanPurpose {
	if text == "" {
		return ""
	}
	if purpose, known := purposeWords[wire.Keyword(text)]; known {
		return purpose
	}
	return lending.PurposeUnknown
}

// fillTerms sets the terms of a loan that were told, and lists them.
func (c *client) fillTerms(result *provider.LoanResult, b loanBody, principal *lending.Money) {
	if principal != nil {
		result.Loan.Principal = *principal
		result.Told = append(result.Told, "principal")
	}
	if days := b.TenureDays.Int(); days != nil && *days > 0 {
		result.Loan.Tenure = lending.Tenure{Value: *days, Unit: lending.Days}
		result.Told = append(result.Told, "tenure")
	}
	if b.Purpose != "" {
		result.Told = append(result.Told, "purpose")
	}
	if b.CustomerID != "" {
		result.Told = append(result.Told, "customer")
	}
}

// checkTotals reports totals that do not add up. They stay as the provider told them.
func (c *client) checkTotals(l lending.Loan) {
	if l.TotalInterest == nil || l.TotalRepayment == nil || l.Principal.Sign() == 0 {
		return
	}
	if sum, err := l.Principal.Add(*l.TotalInterest); err != nil || sum != *l.TotalRepayment {
		c.log.Warn("Kredete's totals of a loan do not add up", "loan", shownID(l.ExternalID))
	}
}

type rejectBody struct {
	Reason string `json:"reason,omitempty"`
}

// Approve approves a loan (POST /loans/{id}/approve).
func (c *client) Approve(ctx context.Context, loanExternalID string) (provider.LoanResult, error) {
	return c.decide(ctx, loanExternalID, "approve", struct{}{}, lending.LoanApproved)
}

// Reject rejects a loan (POST /loans/{id}/reject).
func (c *client) Reject(ctx context.Context, loanExternalID, reason string) (provider.LoanResult, error) {
	return c.decide(ctx, loanExternalID, "reject", rejectBody{Reason: reason}, lending.LoanRejected)
}

// Disburse orders a loan to be paid out (POST /loans/{id}/disburse). It moves money. Unless the answer
// says more, the loan is DISBURSING until the event loan.disbursed comes.
func (c *client) Disburse(ctx context.Context, loanExternalID string) (provider.LoanResult, error) {
	return c.decide(ctx, loanExternalID, "disburse", struct{}{}, lending.LoanDisbursing)
}

// decide acts on a loan. Neither the request's nor the answer's body is documented (seed 000, Approve,
// Reject, Disburse Loan): without a status in the answer the loan is where the call puts it.
func (c *client) decide(ctx context.Context, loanID, action string, request any, settled lending.LoanStatus) (provider.LoanResult, error) {
	id, err := pathID("loan", loanID)
	if err != nil {
		return provider.LoanResult{}, err
	}
	body, err := c.do(ctx, call{
		class: provider.Write, method: http.MethodPost, path: "/loans/" + id + "/" + action, body: request,
		fields: map[string]string{"reason": "reason"},
	})
	if err != nil {
		return provider.LoanResult{}, err
	}
	result, err := c.decided(body, loanID)
	if err != nil {
		return provider.LoanResult{}, garbled(provider.Write, "loan", err)
	}
	result.Loan.ExternalID = loanID
	if result.Loan.Status == "" {
		result.Loan.Status = settled
	}
	return result, nil
}

// decided reads the answer to a decision, which may be empty. In an answer of its own shape the loan's
// id may stand under loan_id, and id be that of something else.
func (c *client) decided(body []byte, loanID string) (provider.LoanResult, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return provider.LoanResult{Loan: lending.Loan{Provider: lending.Kredete}}, nil
	}
	b, err := entity[loanBody](body, "loan")
	if err != nil {
		return provider.LoanResult{}, err
	}
	told := b.LoanID.String()
	if told == "" {
		told = b.ID.String()
	}
	if told != "" && told != loanID {
		return provider.LoanResult{}, errOtherEntity
	}
	return c.loan(b, lending.NGN)
}
