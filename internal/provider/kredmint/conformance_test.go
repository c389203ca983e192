package kredmint_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
	"github.com/creditgraph/creditgraph/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	hundredThousand, zero := lending.MustMoney("100000", lending.INR), lending.NewMoney(0, lending.INR)
	providertest.Run(t, providertest.Harness{
		New: func(t *testing.T, baseURL string) *provider.Provider {
			t.Helper()
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			p, err := kredmint.New(config(baseURL), kredmint.Deps{Transport: transport})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Calls: []providertest.Call{
			{
				Name: "credit line", Capability: lending.CanReadCreditLines, Class: provider.Read,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					return p.CreditLines.CreditLine(ctx, username)
				},
				Status: http.StatusOK, Answer: []byte(seed(t, "profile.json")),
				Want: lending.CreditLine{
					Provider: lending.Kredmint, State: lending.LineIncomplete, ProviderState: "IncompleteProfile",
					Limit: &zero, Available: &zero, Outstanding: &zero, UserID: "USR-2233",
				},
			},
			{
				Name: "pay an invoice", Capability: lending.CanPayInvoices, Class: provider.Write,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					return p.Invoices.PayInvoice(ctx, supplierInvoice())
				},
				Status: http.StatusOK, Answer: []byte(seed(t, "payment.json")),
				Want: provider.InvoiceResult{
					RedirectURL: "https://merchant2-dev.kredmint.in/auth/?sid=6626bc19d330a05177b64ccf&userId=USR-2225&token=f91fac22-1eb3-41cd-ba97-27edd0986b2f",
					CreditLine: lending.CreditLine{
						Provider: lending.Kredmint, State: lending.LineActive, ProviderState: "Active", Limit: &hundredThousand,
						Available: &hundredThousand, Outstanding: &zero, UserID: "USR-2225",
					},
				},
			},
			{
				Name: "create a supplier", Capability: lending.CanManageSuppliers, Class: provider.Write,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					return p.Suppliers.CreateSupplier(ctx, newSupplier())
				},
				Status: http.StatusOK, Answer: []byte(seed(t, "supplier.json")),
				Want: lending.Supplier{
					Provider: lending.Kredmint, ExternalID: "SUPB-123", Name: "Devratna Arya 1", Mobile: "798289227432",
					Email: "supplier1@gmail.com", TaxID: "GST123", Status: lending.SupplierPending, ProviderStatus: "Initiated",
					BankAccountID: "BNK-275", CreatedAt: time.Date(2024, 5, 10, 7, 42, 22, 568_000_000, time.UTC),
				},
			},
			{
				Name: "list suppliers", Capability: lending.CanManageSuppliers, Class: provider.Read,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					return p.Suppliers.Suppliers(ctx, username)
				},
				Status: http.StatusOK, Answer: []byte(seed(t, "suppliers.json")),
				Want: []lending.Supplier{{
					Provider: lending.Kredmint, ExternalID: "SUPB-269", Name: "Devratna Arya", Mobile: "798289227",
					Email: "supplier@gmail.com", TaxID: "GST123", Status: lending.SupplierPending, ProviderStatus: "Initiated",
					BankAccountID: "BNK-274", CreatedAt: time.Date(2024, 5, 10, 7, 31, 26, 133_000_000, time.UTC),
				}},
			},
			{
				Name: "upload a document", Capability: lending.CanStoreDocuments, Class: provider.Write,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					return p.Documents.UploadDocument(ctx, provider.Upload{
						Kind: lending.FinancialDataDocument, Username: username, Name: "a.csv", Password: "s3cret",
						Content: strings.NewReader("date,amount\n"),
					})
				},
				Status: http.StatusOK, Answer: []byte(seed(t, "financial_document.json")),
				Want: lending.Document{
					Provider: lending.Kredmint, ExternalID: "UDOC-5018", Name: "TaxInvoice_AIN2425000543858.pdf",
					Kind:         lending.FinancialDataDocument,
					URL:          "https://kredmint-user-doc-dev.s3.ap-south-1.kredmint.in/USR-2255/NGZvOf-TaxInvoice_AIN2425000543858.pdf",
					URLExpiresAt: time.Date(2024, 5, 4, 12, 30, 53, 708_000_000, time.UTC),
					CreatedAt:    time.Date(2024, 5, 3, 12, 30, 53, 785_000_000, time.UTC),
				},
			},
		},
		Lacks: map[lending.Capability]string{
			lending.CanReadProfiles:     "a customer is a mobile number there; the line is all that is told of one",
			lending.CanCreateCustomers:  "customers sign up themselves on Kredmint's page",
			lending.CanApplyForLoans:    "a loan is an invoice that is paid",
			lending.CanDecideLoans:      "Kredmint decides by itself and tells by webhook",
			lending.CanRecordPayments:   "customers pay back to Kredmint, which tells of it without a schema",
			lending.CanScore:            "no call gives a score",
			lending.CanConfirmScores:    "no call gives a score",
			lending.CanReport:           "no call gives a report",
			lending.CanRegisterWebhooks: "addresses for webhooks are agreed with Kredmint's people",
		},
		Secrets: []string{
			authorization, "c2VjcmV0", webhookAuthorization, username, "9599170579", "12345432", "Devratna", "t&k", "s3cret",
			"f91fac22-1eb3-41cd-ba97-27edd0986b2f",
		},
		Webhooks: &providertest.WebhookHarness{
			Sign:        func(body []byte) provider.WebhookRequest { return request(string(body)) },
			Credentials: []string{"Authorization"},
			Examples: []providertest.WebhookExample{
				{Name: "initiated", Body: []byte(seed(t, "webhook_initiated.json")), Want: seedNotice(lending.LoanPendingReview, "Initiated", "", "", lending.Date{})},
				{Name: "paid", Body: []byte(seed(t, "webhook_paid.json")), Want: seedNotice(lending.LoanDisbursed, "Paid", "dsfgkgsfd", "", lending.NewDate(2024, 5, 28))},
				{Name: "failed", Body: []byte(seed(t, "webhook_failed.json")), Want: seedNotice(lending.LoanFailed, "Failed", "", "invalid amount or date provided", lending.Date{})},
			},
		},
	})
}
