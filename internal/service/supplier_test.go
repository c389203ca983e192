package service_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// supplierOf is a good supplier of a customer, with changes.
func supplierOf(customer lending.CustomerID, changes ...func(*service.CreateSupplierInput)) service.CreateSupplierInput {
	in := service.CreateSupplierInput{
		IdempotencyKey: "supplier-1", CustomerID: gid(customer), Name: "Ravi Traders", Mobile: "9876543210",
		Email: "ravi@example.in", TaxID: "27AAPFU0939F1ZV",
		BankAccount: service.SupplierAccountInput{
			AccountHolderName: "Ravi", AccountNumber: "012345678901", IFSC: "ICIC0000001", BankName: "ICICI", BranchName: "Pune",
		},
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

// invoiceOf is a good invoice of a customer, with changes.
func invoiceOf(customer lending.CustomerID, changes ...func(*service.PayInvoiceInput)) service.PayInvoiceInput {
	in := service.PayInvoiceInput{
		IdempotencyKey: "invoice-1", CustomerID: gid(customer), InvoiceNumber: "INV-1", Amount: money("100000.50", lending.INR),
		PaymentDate: lending.NewDate(2026, 4, 20),
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

func TestASupplierIsMadeAndTheListForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	result := b.done(b.service.CreateSupplier(b.ctx, caller, supplierOf(customer)))
	b.status(result, lending.OpSucceeded)
	if s := result.Supplier; s.ExternalID != "SUPB-Ravi Traders" || s.CustomerID != customer || len(result.Warnings) != 0 {
		t.Errorf("the supplier is %+v, with %v", s, result.Warnings)
	}
	if !b.suppliers.gone("9876543211") {
		t.Errorf("evicted: %v", b.suppliers.evicted)
	}
	again := b.done(b.service.CreateSupplier(b.ctx, caller, supplierOf(customer)))
	same(b, *again, *result, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	same(b, b.events(), []lending.EventType{lending.EventSupplierCreated})
}

func TestWhatIsWrongWithASupplier(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	for name, test := range map[string]struct {
		change func(*service.CreateSupplierInput)
		want   []string
	}{
		"nothing given": {
			func(in *service.CreateSupplierInput) { *in = service.CreateSupplierInput{} },
			[]string{
				"idempotencyKey", "customerId", "name", "mobile", "bankAccount.accountHolderName", "bankAccount.accountNumber",
				"bankAccount.ifsc", "bankAccount.bankName", "bankAccount.branchName",
			},
		},
		"no e-mail address, a number of letters": {
			func(in *service.CreateSupplierInput) { in.Email, in.Mobile = "ravi", "98765x3210" }, []string{"email", "mobile"},
		},
		"another provider": {func(in *service.CreateSupplierInput) { in.Provider = lending.Kredete }, []string{"provider"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.wants(b.done(b.service.CreateSupplier(b.ctx, caller, supplierOf(customer, test.change))), test.want...)
		})
	}
}

func TestAnInvoiceIsPaidOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer, other := b.customer(everywhere("1")...), b.customer(everywhere("2")...)
	var told provider.Invoice
	b.kredmint.payInvoice = func(i provider.Invoice) (provider.InvoiceResult, error) {
		told = i
		return provider.InvoiceResult{RedirectURL: "https://kredmint.example/?sid=secret"}, nil
	}
	result := b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer)))
	b.status(result, lending.OpSucceeded)
	if told.Amount != rupees("100000.50") || told.Username != "9876543211" || told.SupplierID != "" {
		t.Errorf("the provider was told %+v", told)
	}
	if l := b.theLoan(result.Loan.ID); l.Status != lending.LoanPendingReview || l.Reference != "INV-1" || l.Principal != rupees("100000.50") {
		t.Errorf("the loan is %+v", l)
	}
	if !b.lines.gone("9876543211") || result.RedirectURL == "" {
		t.Error("the credit line is kept, or the customer's way on is not told")
	}
	for _, e := range b.eventLog() {
		if strings.Contains(string(e.Payload), "secret") {
			t.Error("an event holds the customer's session")
		}
	}
	again := b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer)))
	same(b, *again, *result, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	newKey := func(in *service.PayInvoiceInput) { in.IdempotencyKey = b.id("invoice") }
	b.wants(b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer, newKey))), "CONFLICT invoiceNumber")
	b.status(b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(other, newKey))), lending.OpSucceeded)
	if n := b.kredmint.called("PayInvoice"); n != 2 {
		t.Errorf("paid %d times", n)
	}
}

func TestAnInvoiceOfUnknownOutcomeIsNotPaidAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.kredmint.payInvoice = func(provider.Invoice) (provider.InvoiceResult, error) {
		return provider.InvoiceResult{}, at(lending.Kredmint, errLost)
	}
	lost := b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer)))
	b.status(lost, lending.OpOutcomeUnknown)
	if l := b.theLoan(lost.Operation.LoanID); l.Status != lending.LoanOutcomeUnknown || l.Outstanding != rupees("0") {
		t.Errorf("the loan is %s with %s open", l.Status, l.Outstanding)
	}
	b.wants(b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer, func(in *service.PayInvoiceInput) { in.IdempotencyKey = "2" }))), "CONFLICT invoiceNumber")
	b.kredmint.tell("paid", loanNews(lending.EventInvoiceStatusChanged, "9876543211", lending.Loan{
		ExternalID: "IN-1", Reference: "INV-1", Status: lending.LoanDisbursed, ProviderStatus: "Paid", Principal: rupees("100000.50"),
	}))
	b.deliver(b.kredmint, "paid")
	b.stands(lost, lending.OpSucceeded)
	if loans := b.loansOf(customer); len(loans) != 1 || loans[0].ID != lost.Operation.LoanID || loans[0].ExternalID != "IN-1" || loans[0].Status != lending.LoanDisbursed {
		t.Errorf("loans: %+v", loans)
	}
}

func TestAnInvoiceThatFailedMayBePaidAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	first := b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer)))
	b.kredmint.tell("failed", loanNews(lending.EventInvoiceStatusChanged, "9876543211", lending.Loan{
		ExternalID: "IN-1", Reference: "INV-1", Status: lending.LoanFailed, ProviderStatus: "Failed", Principal: rupees("100000.50"),
	}))
	b.deliver(b.kredmint, "failed")
	second := b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer, func(in *service.PayInvoiceInput) { in.IdempotencyKey = "2" })))
	b.status(second, lending.OpSucceeded)
	if loans := b.loansOf(customer); len(loans) != 1 || loans[0].ID != first.Loan.ID || loans[0].Status != lending.LoanPendingReview {
		t.Errorf("loans: %+v", loans)
	}
}

func TestWhatIsWrongWithAnInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer, other := b.customer(everywhere("1")...), b.customer(everywhere("2")...)
	for name, test := range map[string]struct {
		change func(*service.PayInvoiceInput)
		want   []string
	}{
		"nothing given": {
			func(in *service.PayInvoiceInput) { *in = service.PayInvoiceInput{} },
			[]string{"idempotencyKey", "customerId", "amount.currency", "invoiceNumber", "paymentDate"},
		},
		"naira": {func(in *service.PayInvoiceInput) { in.Amount.Currency = lending.NGN }, []string{"amount.currency"}},
		"a supplier without the invoice's address": {
			func(in *service.PayInvoiceInput) {
				in.SupplierID = lending.SupplierID(customer, lending.Kredmint, "SUPB-1")
			},
			[]string{"invoicePdf"},
		},
		"another customer's supplier, a plain address": {
			func(in *service.PayInvoiceInput) {
				in.SupplierID, in.InvoicePDF = lending.SupplierID(other, lending.Kredmint, "SUPB-1"), "http://x.example/a.pdf"
			},
			[]string{"supplierId", "invoicePdf"},
		},
		"a supplier's bare id": {
			func(in *service.PayInvoiceInput) {
				in.SupplierID, in.InvoicePDF = "SUPB-1", "https://x.example/a.pdf"
			},
			[]string{"supplierId"},
		},
		"return addresses that lead elsewhere": {
			func(in *service.PayInvoiceInput) {
				in.ReturnURLs = &service.ReturnURLs{Success: "javascript:alert(1)", Failure: "https://u:p@x.example", Back: "/back"}
			},
			[]string{"returnUrls.success", "returnUrls.failure", "returnUrls.back"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.wants(b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(customer, test.change))), test.want...)
		})
	}
	if n := b.kredmint.called("PayInvoice"); n != 0 {
		t.Errorf("paid %d times", n)
	}
}
