// Package provider is the port to the credit providers: small interfaces, one for each thing that a
// provider can be asked to do, and the portable Provider that bundles those which one provider offers.
//
// Drivers live below this package, one folder for each provider. A driver speaks HTTP and converts; it
// turns every failure into a [lending.Error] of a closed kind with provider, retryable and outcome set.
// Decorators (package cached, [Observe]) wrap the port without the drivers knowing.
package provider

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Provider is one provider as the service sees it. A nil field is a thing that it cannot be asked for.
type Provider struct {
	Name lending.Provider

	Profiles        ProfileReader
	ProfileList     ProfileLister
	Customers       CustomerCreator
	CreditLines     CreditLineReader
	SignUp          SignUpLinker
	Applications    LoanApplier
	Decisions       LoanDecider
	Payments        PaymentRecorder
	Scores          Scorer
	Confirmations   ScoreConfirmer
	Reports         ReportOrderer
	Suppliers       SupplierManager
	Invoices        InvoicePayer
	Documents       DocumentKeeper
	Registrations   WebhookRegistrar
	WebhookReceiver WebhookReceiver
	Pinger          Pinger

	// Recovery says, for each kind of operation, how to learn what became of a call whose answer was
	// lost. A kind that is not listed is [RecoverNever].
	Recovery map[lending.OperationKind]Recovery
}

// Recovery is how to learn what became of a call whose answer was lost (providers' dedupe and queries).
type Recovery int

// The ways of recovery.
const (
	// RecoverNever: nothing of ours may settle it; a webhook or an operator does. It is never sent again.
	RecoverNever Recovery = iota
	// RecoverByRepeating: the provider dedupes by our reference, so the same request is sent again.
	RecoverByRepeating
	// RecoverByQuery: the provider can be asked by our reference.
	RecoverByQuery
	// RecoverByListing: the provider lists what there is, and ours is found by its fields.
	RecoverByListing
)

// Capabilities lists what the provider can be asked for, in a fixed order.
func (p *Provider) Capabilities() []lending.Capability {
	var list []lending.Capability
	for _, c := range []struct {
		name lending.Capability
		has  bool
	}{
		{lending.CanReadProfiles, p.Profiles != nil},
		{lending.CanCreateCustomers, p.Customers != nil},
		{lending.CanReadCreditLines, p.CreditLines != nil},
		{lending.CanApplyForLoans, p.Applications != nil},
		{lending.CanDecideLoans, p.Decisions != nil},
		{lending.CanRecordPayments, p.Payments != nil},
		{lending.CanScore, p.Scores != nil},
		{lending.CanConfirmScores, p.Confirmations != nil},
		{lending.CanReport, p.Reports != nil},
		{lending.CanManageSuppliers, p.Suppliers != nil},
		{lending.CanPayInvoices, p.Invoices != nil},
		{lending.CanStoreDocuments, p.Documents != nil},
		{lending.CanRegisterWebhooks, p.Registrations != nil},
		{lending.CanSendWebhooks, p.WebhookReceiver != nil},
	} {
		if c.has {
			list = append(list, c.name)
		}
	}
	return list
}

// ProfileReader reads one customer's profile. An id that the provider does not know is NOT_FOUND.
type ProfileReader interface {
	Profile(ctx context.Context, externalID string) (lending.Profile, error)
}

// ProfileLister lists the provider's customers, page by page from 1.
type ProfileLister interface {
	ListProfiles(ctx context.Context, query ProfileQuery) (ProfilePage, error)
}

// ProfileQuery asks for one page of profiles. Limit is at most 100.
type ProfileQuery struct {
	Status    lending.CustomerStatus
	KYCStatus lending.KYCStatus
	Page      int
	Limit     int
}

// ProfilePage is one page of profiles. Total is -1 where the provider does not tell it.
type ProfilePage struct {
	Profiles []lending.Profile
	HasMore  bool
	Total    int
}

// CustomerCreator makes a customer at the provider.
type CustomerCreator interface {
	CreateCustomer(ctx context.Context, customer NewCustomer) (lending.Profile, error)
}

// NewCustomer is what a provider is told of a customer.
type NewCustomer struct {
	lending.Private
	FirstName, LastName string
	Email               string
	Phone               string // E.164
	DateOfBirth         lending.Date
	Gender              lending.Gender
	Nationality         string
	Identification      *lending.Identification
	Address             *lending.Address
	Employment          *lending.Employment
}

// CreditLineReader reads a customer's credit line. It may open an account for a customer whom the
// provider does not know yet; it never moves money.
type CreditLineReader interface {
	CreditLine(ctx context.Context, username string) (lending.CreditLine, error)
}

// SignUpLinker builds, without a call, the address where a customer signs up or draws on a credit line.
// The address is for the customer's own screen: it is neither cached nor logged.
type SignUpLinker interface {
	SignUpURL(username string) string
}

// LoanApplier applies for a loan.
type LoanApplier interface {
	Apply(ctx context.Context, application LoanApplication) (LoanResult, error)
	// Check says what the provider would refuse for certain, before anything is sent: its minimum, its
	// months, its purposes. Fields are paths into the application as the graph names them.
	Check(application LoanApplication) []lending.Problem
}

// LoanApplication is what a provider is told of a loan that is applied for.
type LoanApplication struct {
	lending.Private
	Reference           string // ours; where the provider dedupes, the same reference is never two loans
	CustomerExternalID  string
	ProductID           string
	Principal           lending.Money
	Tenure              lending.Tenure
	Purpose             lending.LoanPurpose
	PurposeNote         string // free text where the provider takes it, instead of Purpose
	DisbursementAccount *lending.BankAccount
}

// LoanResult is a loan as a provider told it: the fields that it named, the others zero.
type LoanResult struct {
	Loan               lending.Loan
	CustomerExternalID string
	// Existing says that the provider answered with an application that it already had for this
	// reference; its terms may differ from those that were sent.
	Existing bool
	// Told lists which of the loan's terms the provider named, so that a repeated reference can be
	// compared: "principal", "tenure", "purpose", "customer".
	Told []string
}

// LoanDecider decides on loans and pays them out.
type LoanDecider interface {
	Approve(ctx context.Context, loanExternalID string) (LoanResult, error)
	Reject(ctx context.Context, loanExternalID, reason string) (LoanResult, error)
	Disburse(ctx context.Context, loanExternalID string) (LoanResult, error)
}

// PaymentRecorder tells a provider of a payment that came in.
type PaymentRecorder interface {
	RecordPayment(ctx context.Context, payment NewPayment) (lending.Payment, error)
}

// NewPayment is a payment to be recorded. Reference identifies it for the loan.
type NewPayment struct {
	LoanExternalID string
	Amount         lending.Money
	Method         lending.PaymentMethod
	Reference      string
	PaidOn         lending.Date
}

// Scorer orders a credit score. It may cost money.
type Scorer interface {
	RequestScore(ctx context.Context, request ScoreRequest) (ScoreResult, error)
}

// ScoreRequest asks for a score. A provider takes from it what it needs.
type ScoreRequest struct {
	lending.Private
	Reference          string // ours, the same for all calls on one request
	CustomerExternalID string
	FirstName          string
	LastName           string
	Email              string
	Phone              string // E.164
	LoanAmount         *lending.Money
	Tenure             *lending.Tenure
	Account            *ScoreAccount // what the customer is authorised by, where the provider asks for it
}

// ScoreAccount authorises a score request. All of it is secret: it is encrypted on the wire, and never
// stored, logged or cached.
type ScoreAccount struct {
	lending.Private
	Type ScoreAccountType
	Bank *lending.BankAccount
	// WalletNumber and WalletProvider authorise by a wallet.
	WalletNumber, WalletProvider string
	// CardNumber, CardCVV, CardExpiry and CardPIN authorise by a card, which is refused unless enabled.
	CardNumber, CardCVV, CardExpiry, CardPIN string
}

// ScoreAccountType is what kind of account authorises a score.
type ScoreAccountType string

// The kinds of accounts that authorise.
const (
	AccountBank   ScoreAccountType = "BANK_ACCOUNT"
	AccountCard   ScoreAccountType = "CARD"
	AccountWallet ScoreAccountType = "WALLET"
)

// ScoreResult is what came of a score request. A request that the provider declined is an error of kind
// UPSTREAM_REJECTED.
type ScoreResult struct {
	State          ScoreState
	Score          *lending.CreditScore // set when State is ScoreCompleted
	Prompt         string               // what to ask the customer for, in the provider's words
	ProviderStatus string
}

// ScoreState is how far a score request has come.
type ScoreState string

// The states of a score request.
const (
	ScoreCompleted    ScoreState = "COMPLETED"
	ScoreOTPRequired  ScoreState = "OTP_REQUIRED"
	ScoreInfoRequired ScoreState = "INFO_REQUIRED"
	ScorePending      ScoreState = "PENDING"
)

// ScoreConfirmer finishes a score request that asked for something, and tells how one stands.
type ScoreConfirmer interface {
	ConfirmScore(ctx context.Context, confirmation ScoreConfirmation) (ScoreResult, error)
	// QueryScore asks for the state of a request by our reference; NOT_FOUND when the provider never got it.
	QueryScore(ctx context.Context, reference string) (ScoreResult, error)
}

// ScoreConfirmation is what the customer answered. Secret is the OTP or the further information.
type ScoreConfirmation struct {
	lending.Private
	Reference string
	Secret    string
}

// ReportOrderer orders a credit report, which comes later by webhook, and fetches one whose webhook
// failed. An order is billed.
type ReportOrderer interface {
	OrderReport(ctx context.Context, order ReportOrder) (ReportReceipt, error)
	// FetchReport asks for an ordered report. IN_PROGRESS while the bureau works on it,
	// REPORT_WINDOW_EXPIRED when it can no longer be had.
	FetchReport(ctx context.Context, externalID string) (ReportNotice, error)
}

// ReportOrder orders a report on a person. Token comes back with the report and binds the two.
type ReportOrder struct {
	lending.Private
	BVN   string
	Name  string
	Phone string // E.164
	Token string
}

// ReportReceipt is the bureau's answer to an order.
type ReportReceipt struct {
	ExternalID string // TrustDecision's sequence_id
}

// SupplierManager keeps a customer's suppliers.
type SupplierManager interface {
	CreateSupplier(ctx context.Context, supplier NewSupplier) (lending.Supplier, error)
	// Suppliers lists the suppliers of a customer; an empty list where there are none.
	Suppliers(ctx context.Context, username string) ([]lending.Supplier, error)
}

// NewSupplier is a supplier to be made.
type NewSupplier struct {
	lending.Private
	Username string
	Name     string
	Mobile   string
	Email    string
	TaxID    string
	Account  lending.BankAccount
}

// InvoicePayer pays a supplier's invoice out of a customer's credit line. The customer confirms on the
// provider's page.
type InvoicePayer interface {
	PayInvoice(ctx context.Context, invoice Invoice) (InvoiceResult, error)
}

// Invoice is an invoice to be paid. SupplierID "" is the anchor flow, else the supplier flow.
type Invoice struct {
	lending.Private
	Username      string
	SupplierID    string
	InvoiceNumber string
	Amount        lending.Money
	PaymentDate   lending.Date
	InvoicePDF    string
	SuccessURL    string
	FailureURL    string
	BackURL       string
}

// InvoiceResult is the provider's answer. RedirectURL carries the customer's session: it goes to the
// customer and nowhere else, neither to the log nor to the cache nor to an event.
type InvoiceResult struct {
	lending.Private
	RedirectURL string
	CreditLine  lending.CreditLine
}

// DocumentKeeper stores documents.
type DocumentKeeper interface {
	UploadDocument(ctx context.Context, upload Upload) (lending.Document, error)
}

// Upload is a document to be stored. Content is read once.
type Upload struct {
	lending.Private
	Kind          lending.DocumentKind
	Username      string
	UserID        string // the provider's id of the user, where it is known
	InvoiceNumber string
	Password      string
	Name          string
	ContentType   string
	Content       io.Reader
}

// WebhookRegistrar tells a provider where to send its news.
type WebhookRegistrar interface {
	RegisterWebhook(ctx context.Context, registration Registration) (lending.Webhook, error)
}

// Registration is an address for news. Secret signs what is sent there.
type Registration struct {
	lending.Private
	URL    string
	Events []lending.EventType
	Secret string
	Active bool
}

// Pinger asks the provider for anything that is free, to see whether it answers.
type Pinger interface {
	Ping(ctx context.Context) error
}

// WebhookReceiver verifies what a provider sends and puts it into our words. The two are apart: a webhook
// is verified and stored first, and translated later, perhaps more than once.
type WebhookReceiver interface {
	// Verify says whether the request is the provider's. A refusal is an *UnverifiedError.
	Verify(request WebhookRequest) (Receipt, error)
	// Translate reads a verified body. A body that cannot be read is UPSTREAM_PROTOCOL; a type that we do
	// not know is a notice of type UNKNOWN.
	Translate(body []byte) (Notice, error)
	// Acknowledge is the answer that the provider takes for "received" (failed nil) or "try again".
	Acknowledge(failed error) Acknowledgement
}

// WebhookRequest is a request to our webhook address, as it came.
type WebhookRequest struct {
	lending.Private
	Method     string
	Header     http.Header
	Query      url.Values
	Body       []byte
	ReceivedAt time.Time
}

// Receipt is what a verified request is known by.
type Receipt struct {
	// DedupeKey is the same for every delivery of the same news, and different for different news.
	DedupeKey string
	// Nonce, where it is set, may come with one body only: the same Nonce with another body is a forgery.
	Nonce string
}

// Acknowledgement is an HTTP answer.
type Acknowledgement struct {
	lending.Private
	Status      int
	ContentType string
	Body        []byte
}

// UnverifiedError refuses a webhook. Status is the HTTP status to answer with; Reason is a short sentence
// without anything of the request.
type UnverifiedError struct {
	Status int
	Reason string
}

func (e *UnverifiedError) Error() string { return "webhook refused: " + e.Reason }

// Notice is what one webhook (or a query after the fact) tells, in our words.
type Notice struct {
	lending.Private
	Type               lending.EventType
	ProviderType       string // the provider's own word
	ExternalEventID    string
	OccurredAt         time.Time // zero where not told
	CustomerExternalID string
	KYCStatus          lending.KYCStatus
	Loan               *LoanNotice
	Payment            *PaymentNotice
	Report             *ReportNotice
	// Payload is the news as JSON without personal data, secrets or signed addresses, for the event log.
	Payload []byte
}

// LoanNotice is news of a loan. Loan holds the fields that were told, the others zero; it is found by
// Loan.ExternalID, or by CustomerExternalID and Loan.Reference.
type LoanNotice struct {
	lending.Private
	Loan               lending.Loan
	CustomerExternalID string
	FailureReason      string
	// After are the provider's words that Loan.ProviderStatus comes after although they are one status to us:
	// whichever comes in first, the later one stays.
	After []string
}

// PaymentNotice is news of a payment, with the loan that it belongs to.
type PaymentNotice struct {
	Payment            lending.Payment
	LoanExternalID     string
	CustomerExternalID string
}

// ReportNotice is a bureau's answer to an order.
type ReportNotice struct {
	lending.Private
	ExternalID string // TrustDecision's sequence_id
	Token      string // what we gave with the order; "" where it did not come back
	Status     lending.ReportStatus
	Content    *lending.ReportContent // set when Status is READY
	Failure    *lending.Failure       // set when Status is FAILED
}
