package kredmint

import (
	"encoding/json"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// rupees is an amount on the wire: a JSON number in major units that always has a point, as the service
// writes it ("100000.0").
type rupees struct{ lending.Money }

// MarshalJSON writes the exact digits.
func (r rupees) MarshalJSON() ([]byte, error) {
	text := r.Literal()
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}

// number is a value in the bytes in which it came, "" where there was none. Whoever reads it parses it, and so
// refuses what is no number: one in quotes, which json.Number would take, is none.
type number string

// UnmarshalJSON keeps the bytes.
func (n *number) UnmarshalJSON(data []byte) error {
	if string(data) != "null" {
		*n = number(data)
	}
	return nil
}

// MarshalJSON writes the bytes.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// answer is the envelope of every answer but that of the invoice upload.
type answer struct {
	Payload   any     `json:"payload"`
	Sum       rupees  `json:"sum"`
	Timestamp int64   `json:"timestamp"` // milliseconds
	Error     *string `json:"error"`
}

// uploadAnswer is the envelope of the invoice upload, which has no error in the seed.
type uploadAnswer struct {
	Payload   any    `json:"payload"`
	Sum       rupees `json:"sum"`
	Timestamp int64  `json:"timestamp"`
}

// eligibilityRequest is the body of POST /user/eligibility for both pages.
type eligibilityRequest struct {
	Source        string          `json:"source"`
	Username      string          `json:"username"`
	Page          string          `json:"page"`
	InvoiceNumber string          `json:"invoiceNumber"`
	PaymentDate   number          `json:"paymentDate"` // milliseconds
	Amount        number          `json:"amount"`
	SupplierID    string          `json:"supplierId"`
	InvoicePDF    string          `json:"invoicePdf"`
	FailureLink   string          `json:"failureDeepLink"`
	SuccessLink   string          `json:"successDeepLink"`
	BackLink      string          `json:"backDeepLink"`
	UserContext   json.RawMessage `json:"userContext"` // pre-fills the sign-up; nothing here depends on it
}

// banner is the payload of POST /user/eligibility.
type banner struct {
	Show        bool   `json:"show"`
	Title       string `json:"title"`
	SubTitle    string `json:"subTitle"`
	LogoURL     string `json:"logoUrl"`
	LandingURL  string `json:"landingUrl"`
	LandingType string `json:"landingType"`
	Available   rupees `json:"availableCreditLimit"`
	State       string `json:"state"`
	Limit       rupees `json:"creditLimit"`
	Outstanding rupees `json:"totalOutstanding"`
}

// supplierRequest is the body of POST /account/supplier.
type supplierRequest struct {
	Username      string `json:"username"`
	AccountHolder string `json:"accountHolderName"`
	AccountNumber string `json:"accountNumber"`
	IFSC          string `json:"ifsc"`
	BankName      string `json:"bankName"`
	BranchName    string `json:"branchName"`
	GSTIN         string `json:"gstin"`
	SupplierName  string `json:"supplierName"`
	Mobile        string `json:"mobile"`
	Email         string `json:"email"`
}

// missing names the mandatory fields that are empty.
func (r *supplierRequest) missing() []string {
	return empty([][2]string{
		{"username", r.Username},
		{"supplierName", r.SupplierName},
		{"mobile", r.Mobile},
		{"accountHolderName", r.AccountHolder},
		{"accountNumber", r.AccountNumber},
		{"ifsc", r.IFSC},
		{"bankName", r.BankName},
		{"branchName", r.BranchName},
	})
}

// supplier is one supplier as the service tells it; the bank account stays behind supplierBankId.
type supplier struct {
	ID             string `json:"id"`
	LenderID       string `json:"lenderId"`
	CreatedAt      int64  `json:"creationDate"`
	ModifiedAt     int64  `json:"lastModifiedDate"`
	UserID         string `json:"userId"`
	Mobile         string `json:"mobile"`
	GSTIN          string `json:"gstin"`
	Name           string `json:"supplierName"`
	BankID         string `json:"supplierBankId"`
	Status         string `json:"status"`
	Email          string `json:"email"`
	PartnerInvoice bool   `json:"partnerInvoice"`
	SeqPrefix      string `json:"seqPrefix"`
}

// document is the payload of POST /user/document/upload.
type document struct {
	ID           string `json:"id"`
	CreatedBy    string `json:"createdBy"`
	CreatedAt    int64  `json:"creationDate"`
	ModifiedAt   int64  `json:"lastModifiedDate"`
	ModifiedBy   string `json:"lastModifiedBy"`
	URL          string `json:"url"`
	UserID       string `json:"userId"`
	Name         string `json:"name"`
	RelativeURL  string `json:"relativeUrl"`
	Type         string `json:"documentType"`
	URLExpiresAt int64  `json:"urlExpiryDate"`
	SeqPrefix    string `json:"seqPrefix"`
}

// invoiceDocument is the payload of POST /account/invoice/upload.
type invoiceDocument struct {
	ID           string `json:"id"`
	URL          string `json:"url"`
	UserID       string `json:"userId"`
	Name         string `json:"name"`
	RelativeURL  string `json:"relativeUrl"`
	Type         string `json:"documentType"`
	URLExpiresAt int64  `json:"urlExpiryDate"`
}

// news is the body of every webhook.
type news struct {
	Payload   any    `json:"payload"`
	Type      string `json:"type"`
	Timestamp int64  `json:"timestamp"`
}

// invoiceNews is the payload of a webhook of type INVOICE.
type invoiceNews struct {
	ID            string  `json:"id"`
	Username      string  `json:"username"`
	InvoiceNumber string  `json:"invoiceNumber"`
	PaymentDate   number  `json:"paymentDate"`
	Amount        rupees  `json:"amount"`
	TransactionID *string `json:"transactionId"`
	Status        string  `json:"status"`
	UTR           *string `json:"utr"`
	Reason        *string `json:"reason"`
}

// empty names the fields of name and value that have no value.
func empty(fields [][2]string) []string {
	var names []string
	for _, field := range fields {
		if strings.TrimSpace(field[1]) == "" {
			names = append(names, field[0])
		}
	}
	return names
}
