package kredmint_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// supplierInvoice is the invoice of the seed's supplier flow.
func supplierInvoice() provider.Invoice {
	return provider.Invoice{
		Username: username, SupplierID: "SUPB-270", InvoiceNumber: "5435323121",
		Amount: lending.MustMoney("1000.00", lending.INR), PaymentDate: lending.NewDate(2026, 5, 10),
		InvoicePDF: "https://example.com/invoice.pdf", SuccessURL: "https://example.com/handler/success",
		FailureURL: "https://example.com/handler/failed", BackURL: "https://example.com/handler/back",
	}
}

func TestPayInvoiceSendsBothFlows(t *testing.T) {
	t.Parallel()
	for golden, invoice := range map[string]provider.Invoice{
		"pay_supplier.golden.json": supplierInvoice(),
		"pay_anchor.golden.json": {
			Username: "+91 98872 06895", InvoiceNumber: "IN-123", Amount: lending.MustMoney("100.50", lending.INR),
			PaymentDate: lending.NewDate(2026, 5, 10),
		},
	} {
		t.Run(golden, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, seed(t, "payment.json"))
			if _, err := k.Invoices.PayInvoice(t.Context(), invoice); err != nil {
				t.Fatal(err)
			}
			got := k.Calls()[0]
			if got.Method != http.MethodPost || got.Path != "/user/eligibility" || got.Header.Get("Authorization") != authorization {
				t.Errorf("sent %s %s with %q", got.Method, got.Path, got.Header.Get("Authorization"))
			}
			wantJSON(t, golden, got.Body)
		})
	}
}

func TestPayInvoiceOfTheSeed(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, seed(t, "payment.json"))
	got, err := k.Invoices.PayInvoice(t.Context(), supplierInvoice())
	if err != nil {
		t.Fatal(err)
	}
	limit, zero := lending.MustMoney("100000", lending.INR), lending.NewMoney(0, lending.INR)
	want := provider.InvoiceResult{
		RedirectURL: "https://merchant2-dev.kredmint.in/auth/?sid=6626bc19d330a05177b64ccf&userId=USR-2225&token=f91fac22-1eb3-41cd-ba97-27edd0986b2f",
		CreditLine: lending.CreditLine{
			Provider: lending.Kredmint, State: lending.LineActive, ProviderState: "Active", Limit: &limit,
			Available: &limit, Outstanding: &zero, UserID: "USR-2225",
		},
	}
	if diff := cmp.Diff(want, got, compareMoney); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if log := k.Log.String(); strings.Contains(log, "token") || strings.Contains(log, "sid=") {
		t.Errorf("the session is in the log: %s", log)
	}
}

func TestPayInvoiceRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*provider.Invoice)
		field  string
	}{
		"no customer":         {func(i *provider.Invoice) { i.Username = "" }, "username"},
		"no number":           {func(i *provider.Invoice) { i.InvoiceNumber = "" }, "invoiceNumber"},
		"another currency":    {func(i *provider.Invoice) { i.Amount = lending.MustMoney("1000", lending.NGN) }, "amount"},
		"nothing to pay":      {func(i *provider.Invoice) { i.Amount = lending.NewMoney(0, lending.INR) }, "amount"},
		"less than nothing":   {func(i *provider.Invoice) { i.Amount = lending.NewMoney(-1, lending.INR) }, "amount"},
		"no day":              {func(i *provider.Invoice) { i.PaymentDate = lending.Date{} }, "paymentDate"},
		"a day as in seconds": {func(i *provider.Invoice) { i.PaymentDate = lending.NewDate(1970, 1, 15) }, "paymentDate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, seed(t, "payment.json"))
			invoice := supplierInvoice()
			test.change(&invoice)
			_, err := k.Invoices.PayInvoice(t.Context(), invoice)
			wantProblem(t, err, "input", test.field)
			if len(k.Calls()) != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

// wantProblem expects a VALIDATION with one problem at a field.
func wantProblem(t *testing.T, err error, field ...string) {
	t.Helper()
	got := lending.AsError(err)
	if got == nil || got.Kind != lending.KindValidation || got.Outcome != lending.NotExecuted || len(got.Problems) != 1 {
		t.Fatalf("error %#v, want one problem", err)
	}
	if diff := cmp.Diff(field, got.Problems[0].Field); diff != "" {
		t.Errorf("field (-want +got):\n%s", diff)
	}
	if got.Provider != lending.Kredmint {
		t.Errorf("provider %q", got.Provider)
	}
}

// Without a page to confirm on nobody knows what Kredmint made of the request.
func TestPayInvoiceWithoutAPageIsUnknown(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"no payload":       `null`,
		"no page":          `{"state":"Active","creditLimit":1}`,
		"a script":         `{"landingUrl":"javascript:alert(1)"}`,
		"a relative page":  `{"landingUrl":"/auth?sid=1"}`,
		"another protocol": `{"landingUrl":"ftp://example.com/"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, `{"payload":`+payload+`}`)
			_, err := k.Invoices.PayInvoice(t.Context(), supplierInvoice())
			if got := lending.AsError(err); got == nil || got.Kind != lending.KindOutcomeUnknown || got.Retryable {
				t.Errorf("error %#v, want OUTCOME_UNKNOWN", err)
			}
		})
	}
}

func TestPayInvoiceOutlivesAnUnreadableLine(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, `{"payload":{"landingUrl":"https://example.com/?userId=USR-1","creditLimit":1.005}}`)
	got, err := k.Invoices.PayInvoice(t.Context(), supplierInvoice())
	if err != nil {
		t.Fatal(err)
	}
	want := lending.CreditLine{Provider: lending.Kredmint, State: lending.LineUnknown, UserID: "USR-1"}
	if diff := cmp.Diff(want, got.CreditLine, compareMoney); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}
