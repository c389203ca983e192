package lending

import "time"

// SupplierStatus is where a supplier stands at the provider that pays it.
type SupplierStatus string

// The supplier statuses.
const (
	SupplierPending SupplierStatus = "PENDING"
	SupplierUnknown SupplierStatus = "UNKNOWN"
)

// Valid reports whether s is a known status.
func (s SupplierStatus) Valid() bool { return s == SupplierPending }

// Supplier is somebody whose invoices a customer pays out of a credit line.
type Supplier struct {
	Private
	CustomerID     CustomerID     `json:"-"`
	Provider       Provider       `json:"provider"`
	ExternalID     string         `json:"externalId"`
	Name           string         `json:"name"`
	Mobile         string         `json:"mobile"`
	Email          string         `json:"email"`
	TaxID          string         `json:"taxId"` // India: GSTIN
	Status         SupplierStatus `json:"status"`
	ProviderStatus string         `json:"providerStatus"`
	BankAccountID  string         `json:"bankAccountId"` // the provider's id of the account that we gave
	CreatedAt      time.Time      `json:"createdAt"`
}

// DocumentKind is what a document is.
type DocumentKind string

// The kinds of documents.
const (
	InvoiceDocument       DocumentKind = "INVOICE"
	FinancialDataDocument DocumentKind = "FINANCIAL_DATA"
	DocumentUnknown       DocumentKind = "UNKNOWN"
)

// Valid reports whether k is a known kind.
func (k DocumentKind) Valid() bool { return k == InvoiceDocument || k == FinancialDataDocument }

// Document is a file that a provider keeps for a customer.
type Document struct {
	Private
	ID            DocumentID
	CustomerID    CustomerID
	Provider      Provider
	ExternalID    string
	Name          string
	Kind          DocumentKind
	InvoiceNumber string
	URL           string // signed by the provider: a secret until it expires
	URLExpiresAt  time.Time
	CreatedAt     time.Time
}

// Webhook is an address that we told a provider to send its news to.
type Webhook struct {
	ID         WebhookID
	Provider   Provider
	ExternalID string
	URL        string
	Events     []EventType
	Active     bool
	CreatedAt  time.Time
}
