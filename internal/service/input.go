package service

import (
	"io"
	"slices"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The inputs of the actions, as clients send them. Ids are the graph's global ids in text; the service
// reads them, so that a wrong one is reported with the other problems of the input.

// MoneyInput is an amount as a client gives it: major units, not yet checked against the currency.
type MoneyInput struct {
	Amount   lending.Decimal  `json:"amount"`
	Currency lending.Currency `json:"currency"`
}

// IdentificationInput is an identity document of a new customer.
type IdentificationInput struct {
	lending.Private
	Type      lending.IdentificationType `json:"type"`
	Number    string                     `json:"number"`
	ExpiresOn lending.Date               `json:"expiresOn"`
}

// EmploymentInput is how a new customer earns a living.
type EmploymentInput struct {
	lending.Private
	Status        lending.EmploymentStatus `json:"status"`
	Employer      string                   `json:"employer"`
	JobTitle      string                   `json:"jobTitle"`
	MonthlyIncome *MoneyInput              `json:"monthlyIncome"`
	Since         lending.Date             `json:"since"`
}

// CreateCustomerInput makes a customer. Provider "" is the one provider that can make customers.
type CreateCustomerInput struct {
	lending.Private
	IdempotencyKey string               `json:"idempotencyKey"`
	Provider       lending.Provider     `json:"provider"`
	FirstName      string               `json:"firstName"`
	LastName       string               `json:"lastName"`
	Email          string               `json:"email"`
	Phone          string               `json:"phone"`
	DateOfBirth    lending.Date         `json:"dateOfBirth"`
	Gender         lending.Gender       `json:"gender"`
	Nationality    string               `json:"nationality"`
	Identification *IdentificationInput `json:"identification"`
	Address        *lending.Address     `json:"address"`
	Employment     *EmploymentInput     `json:"employment"`
}

// LinkCustomerInput ties a customer to who they are at a provider. It calls no provider.
type LinkCustomerInput struct {
	lending.Private
	CustomerID string           `json:"customerId"`
	Provider   lending.Provider `json:"provider"`
	ExternalID string           `json:"externalId"`
}

// ApplyForLoanInput applies for a loan.
type ApplyForLoanInput struct {
	lending.Private
	IdempotencyKey      string               `json:"idempotencyKey"`
	CustomerID          string               `json:"customerId"`
	Provider            lending.Provider     `json:"provider"`
	ProductID           string               `json:"productId"`
	Principal           MoneyInput           `json:"principal"`
	Tenure              lending.Tenure       `json:"tenure"`
	Purpose             lending.LoanPurpose  `json:"purpose"`
	PurposeNote         string               `json:"purposeNote"`
	Reference           string               `json:"reference"` // "" is the idempotency key
	DisbursementAccount *lending.BankAccount `json:"disbursementAccount"`
}

// LoanActionInput approves or disburses a loan.
type LoanActionInput struct {
	IdempotencyKey string `json:"idempotencyKey"`
	LoanID         string `json:"loanId"`
}

// RejectLoanInput rejects a loan.
type RejectLoanInput struct {
	lending.Private
	IdempotencyKey string `json:"idempotencyKey"`
	LoanID         string `json:"loanId"`
	Reason         string `json:"reason"`
}

// RecordPaymentInput records a payment that came in.
type RecordPaymentInput struct {
	IdempotencyKey string                `json:"idempotencyKey"`
	LoanID         string                `json:"loanId"`
	Amount         MoneyInput            `json:"amount"`
	Method         lending.PaymentMethod `json:"method"`
	Reference      string                `json:"reference"`
	PaidOn         lending.Date          `json:"paidOn"`
}

// BankAuthorization authorises a score request by a bank account.
type BankAuthorization struct {
	lending.Private
	AccountNumber string `json:"accountNumber"`
	BankCode      string `json:"bankCode"`
}

// WalletAuthorization authorises a score request by a wallet.
type WalletAuthorization struct {
	lending.Private
	WalletNumber string `json:"walletNumber"`
	ProviderCode string `json:"providerCode"`
}

// CardAuthorization authorises a score request by a card. It is refused unless the operator enabled it.
type CardAuthorization struct {
	lending.Private
	Number string `json:"number"`
	CVV    string `json:"cvv"`
	Expiry string `json:"expiry"`
	PIN    string `json:"pin"`
}

// ScoreAuthorizationInput is exactly one way of authorising a score request.
type ScoreAuthorizationInput struct {
	lending.Private
	BankAccount *BankAuthorization   `json:"bankAccount"`
	Wallet      *WalletAuthorization `json:"wallet"`
	Card        *CardAuthorization   `json:"card"`
}

// RequestCreditScoreInput orders a credit score.
type RequestCreditScoreInput struct {
	lending.Private
	IdempotencyKey string                   `json:"idempotencyKey"`
	CustomerID     string                   `json:"customerId"`
	Provider       lending.Provider         `json:"provider"`
	LoanAmount     *MoneyInput              `json:"loanAmount"`
	Tenure         *lending.Tenure          `json:"tenure"`
	Consent        *lending.Consent         `json:"consent"`
	Authorization  *ScoreAuthorizationInput `json:"authorization"`
}

// ConfirmCreditScoreInput answers what a score request asked for: an OTP, or further information.
type ConfirmCreditScoreInput struct {
	lending.Private
	OperationID string `json:"operationId"`
	OTP         string `json:"otp"`
	Information string `json:"information"`
}

// OrderCreditReportInput orders a credit report.
type OrderCreditReportInput struct {
	IdempotencyKey string           `json:"idempotencyKey"`
	CustomerID     string           `json:"customerId"`
	Provider       lending.Provider `json:"provider"`
	Consent        *lending.Consent `json:"consent"`
}

// SupplierAccountInput is the account that a supplier is paid to.
type SupplierAccountInput struct {
	lending.Private
	AccountHolderName string `json:"accountHolderName"`
	AccountNumber     string `json:"accountNumber"`
	IFSC              string `json:"ifsc"`
	BankName          string `json:"bankName"`
	BranchName        string `json:"branchName"`
}

// CreateSupplierInput makes a supplier. Provider "" is the one provider that keeps suppliers.
type CreateSupplierInput struct {
	lending.Private
	IdempotencyKey string               `json:"idempotencyKey"`
	CustomerID     string               `json:"customerId"`
	Provider       lending.Provider     `json:"provider"`
	Name           string               `json:"name"`
	Mobile         string               `json:"mobile"`
	Email          string               `json:"email"`
	TaxID          string               `json:"taxId"`
	BankAccount    SupplierAccountInput `json:"bankAccount"`
}

// ReturnURLs are where the provider's page sends the customer back to.
type ReturnURLs struct {
	lending.Private
	Success string `json:"success"`
	Failure string `json:"failure"`
	Back    string `json:"back"`
}

// PayInvoiceInput pays a supplier's invoice out of the customer's credit line.
type PayInvoiceInput struct {
	lending.Private
	IdempotencyKey string           `json:"idempotencyKey"`
	CustomerID     string           `json:"customerId"`
	Provider       lending.Provider `json:"provider"`
	SupplierID     string           `json:"supplierId"` // "" is the anchor flow
	InvoiceNumber  string           `json:"invoiceNumber"`
	Amount         MoneyInput       `json:"amount"`
	PaymentDate    lending.Date     `json:"paymentDate"`
	InvoicePDF     string           `json:"invoicePdf"`
	ReturnURLs     *ReturnURLs      `json:"returnUrls"`
}

// File is an uploaded file. Content is read once.
type File struct {
	lending.Private
	Name        string
	ContentType string
	Size        int64
	Content     io.ReadSeeker
}

// UploadDocumentInput gives a provider a document.
type UploadDocumentInput struct {
	lending.Private
	IdempotencyKey string               `json:"idempotencyKey"`
	CustomerID     string               `json:"customerId"`
	Provider       lending.Provider     `json:"provider"`
	Kind           lending.DocumentKind `json:"kind"`
	InvoiceNumber  string               `json:"invoiceNumber"`
	Password       string               `json:"password"`
	File           File                 `json:"-"`
}

// RegisterWebhookInput tells a provider where to send its news. Secret "" is the configured one.
type RegisterWebhookInput struct {
	IdempotencyKey string              `json:"idempotencyKey"`
	Provider       lending.Provider    `json:"provider"`
	URL            string              `json:"url"`
	Events         []lending.EventType `json:"events"`
	Active         *bool               `json:"active"`
}

// SettledOutcome is what an operator found out of an operation.
type SettledOutcome string

// The outcomes that an operator can state.
const (
	OutcomeSucceeded SettledOutcome = "SUCCEEDED"
	OutcomeFailed    SettledOutcome = "FAILED"
)

// Valid reports whether o is a known outcome.
func (o SettledOutcome) Valid() bool { return o == OutcomeSucceeded || o == OutcomeFailed }

// ResolveOperationInput settles an operation by hand.
type ResolveOperationInput struct {
	lending.Private
	OperationID string         `json:"operationId"`
	Outcome     SettledOutcome `json:"outcome"`
	ExternalID  string         `json:"externalId"`
	Evidence    string         `json:"evidence"`
}

// Caller is who asks: it scopes idempotency keys and is written on what is done.
type Caller struct {
	ClientID string
}

// Result is what an action answers: the operation, what came of it, and what the user can mend.
type Result struct {
	lending.Private
	Operation *lending.Operation
	Customer  *lending.Customer
	Loan      *lending.Loan
	Payment   *lending.Payment
	Score     *lending.CreditScore
	Report    *lending.CreditReport
	Supplier  *lending.Supplier
	Document  *lending.Document
	Webhook   *lending.Webhook
	// RedirectURL is where the customer goes on. It is a secret of the customer's session.
	RedirectURL string
	Problems    []lending.Problem
	// Warnings are formats that only look odd; nothing was refused for them.
	Warnings []lending.Problem
	At       time.Time
}

// inTermsOfInput is an error whose problems name fields of the action's own input: what a provider says of a
// BVN or a phone number is about the customer whom the input names.
func inTermsOfInput(kind lending.OperationKind, e *lending.Error) *lending.Error {
	if kind == lending.OpCreateCustomer || len(e.Problems) == 0 {
		return e
	}
	told := *e
	told.Problems = slices.Clone(e.Problems)
	for i, problem := range told.Problems {
		if kind == lending.OpRequestCreditScore && len(problem.Field) > 1 && problem.Field[1] == "account" {
			told.Problems[i].Field = fieldPath("authorization")
			continue
		}
		if len(problem.Field) == 2 && slices.Contains([]string{"bvn", "phone", "name", "username", "email"}, problem.Field[1]) && kind != lending.OpCreateSupplier {
			told.Problems[i].Field = fieldPath("customerId")
		}
	}
	return &told
}
