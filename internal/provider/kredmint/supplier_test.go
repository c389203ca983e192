package kredmint_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// newSupplier is the supplier of the seed's request body.
func newSupplier() provider.NewSupplier {
	return provider.NewSupplier{
		Username: username, Name: "Devratna Arya 1", Mobile: "798289227432", Email: "supplier1@gmail.com", TaxID: "GST123",
		Account: lending.BankAccount{
			AccountName: "Devratna Arya 1", AccountNumber: "12345432", IFSC: "ICIC00000012", BankName: "ICICI", BranchName: "Okhala",
		},
	}
}

func TestCreateSupplierOfTheSeed(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, seed(t, "supplier.json"))
	got, err := k.Suppliers.CreateSupplier(t.Context(), newSupplier())
	if err != nil {
		t.Fatal(err)
	}
	want := lending.Supplier{
		Provider: lending.Kredmint, ExternalID: "SUPB-123", Name: "Devratna Arya 1", Mobile: "798289227432",
		Email: "supplier1@gmail.com", TaxID: "GST123", Status: lending.SupplierPending, ProviderStatus: "Initiated",
		BankAccountID: "BNK-275", CreatedAt: time.Date(2024, 5, 10, 7, 42, 22, 568_000_000, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("supplier (-want +got):\n%s", diff)
	}
	sent := k.Calls()[0]
	if sent.Method != http.MethodPost || sent.Path != "/account/supplier" {
		t.Errorf("sent %s %s", sent.Method, sent.Path)
	}
	wantJSON(t, "supplier_request.golden.json", sent.Body)
}

func TestCreateSupplierAsksForWhatIsMandatory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*provider.NewSupplier)
		field  []string
	}{
		"name":    {func(s *provider.NewSupplier) { s.Name = "" }, []string{"input", "name"}},
		"mobile":  {func(s *provider.NewSupplier) { s.Mobile = "" }, []string{"input", "mobile"}},
		"holder":  {func(s *provider.NewSupplier) { s.Account.AccountName = "" }, []string{"input", "bankAccount", "accountHolderName"}},
		"account": {func(s *provider.NewSupplier) { s.Account.AccountNumber = "" }, []string{"input", "bankAccount", "accountNumber"}},
		"IFSC":    {func(s *provider.NewSupplier) { s.Account.IFSC = "" }, []string{"input", "bankAccount", "ifsc"}},
		"bank":    {func(s *provider.NewSupplier) { s.Account.BankName = "" }, []string{"input", "bankAccount", "bankName"}},
		"branch":  {func(s *provider.NewSupplier) { s.Account.BranchName = "" }, []string{"input", "bankAccount", "branchName"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, seed(t, "supplier.json"))
			input := newSupplier()
			test.change(&input)
			_, err := k.Suppliers.CreateSupplier(t.Context(), input)
			wantProblem(t, err, test.field...)
			if len(k.Calls()) != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

func TestCreateSupplierWithoutAnIDIsUnknown(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, `{"payload":{"status":"Initiated"}}`)
	_, err := k.Suppliers.CreateSupplier(t.Context(), newSupplier())
	if lending.KindOf(err) != lending.KindOutcomeUnknown {
		t.Errorf("error %v, want OUTCOME_UNKNOWN", err)
	}
}

func TestSuppliersOfTheSeed(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, seed(t, "suppliers.json"))
	got, err := k.Suppliers.Suppliers(t.Context(), "+919887206895")
	if err != nil {
		t.Fatal(err)
	}
	want := []lending.Supplier{{
		Provider: lending.Kredmint, ExternalID: "SUPB-269", Name: "Devratna Arya", Mobile: "798289227",
		Email: "supplier@gmail.com", TaxID: "GST123", Status: lending.SupplierPending, ProviderStatus: "Initiated",
		BankAccountID: "BNK-274", CreatedAt: time.Date(2024, 5, 10, 7, 31, 26, 133_000_000, time.UTC),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("suppliers (-want +got):\n%s", diff)
	}
	sent := k.Calls()[0]
	if sent.Method != http.MethodGet || sent.Path != "/account/supplier" || sent.Query != "username=9887206895" {
		t.Errorf("sent %s %s?%s", sent.Method, sent.Path, sent.Query)
	}
}

func TestSuppliersReadsListsOfAnyShape(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body string
		want []string
		kind lending.ErrorKind
	}{
		"none":                {`{"payload":[]}`, []string{}, ""},
		"null":                {`{"payload":null}`, []string{}, ""},
		"one without a list":  {`{"payload":{"id":"SUPB-1"}}`, []string{"SUPB-1"}, ""},
		"one without an id":   {`{"payload":[{"id":"SUPB-1"},{"supplierName":"X"}]}`, []string{"SUPB-1"}, ""},
		"one that is no such": {`{"payload":[{"id":"SUPB-1"},"x",{"id":2}]}`, []string{"SUPB-1", "2"}, ""},
		"no payload":          {`{"sum":0.0}`, nil, lending.KindUpstreamProtocol},
		"a text":              {`{"payload":"none"}`, nil, lending.KindUpstreamProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, test.body)
			suppliers, err := k.Suppliers.Suppliers(t.Context(), username)
			if lending.KindOf(err) != test.kind {
				t.Fatalf("error %v, want %q", err, test.kind)
			}
			if err != nil {
				return
			}
			got := []string{}
			for _, s := range suppliers {
				got = append(got, s.ExternalID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("suppliers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSupplierStatusIsNeverGuessed(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, `{"payload":[{"id":"1","status":"INITIATED"},{"id":"2","status":"Verified"},{"id":"3"}]}`)
	suppliers, err := k.Suppliers.Suppliers(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	var got []lending.SupplierStatus
	for _, s := range suppliers {
		got = append(got, s.Status)
	}
	want := []lending.SupplierStatus{lending.SupplierPending, lending.SupplierUnknown, lending.SupplierUnknown}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}
