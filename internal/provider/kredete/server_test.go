package kredete_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

const (
	clientSecret  = "client-secret-value"
	webhookSecret = "your-webhook-secret"
	accessToken   = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9..."
)

var now = time.Date(2026, 4, 17, 9, 1, 0, 0, time.UTC)

func seed(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// request is one request as the server saw it.
type request struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// api is a Kredete of one answer. It gives tokens by itself.
type api struct {
	url string

	mu       sync.Mutex
	requests []request
	tokens   int
}

func (a *api) seen() []request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]request(nil), a.requests...)
}

// only is the one request that was made.
func (a *api) only(t *testing.T) request {
	t.Helper()
	seen := a.seen()
	if len(seen) != 1 {
		t.Fatalf("%d requests, want 1", len(seen))
	}
	return seen[0]
}

func newAPI(t *testing.T, answer http.HandlerFunc) *api {
	t.Helper()
	a := &api{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/v2/oauth/token" {
			a.mu.Lock()
			a.tokens++
			a.mu.Unlock()
			_, _ = w.Write(seed(t, "token.json"))
			return
		}
		a.mu.Lock()
		a.requests = append(a.requests, request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header, body})
		a.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	a.url = server.URL + "/v2"
	return a
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// option changes what a driver is made of.
type option func(*kredete.Config, *kredete.Deps)

func withLog(buffer *bytes.Buffer) option {
	return func(_ *kredete.Config, d *kredete.Deps) { d.Logger = slog.New(slog.NewTextHandler(buffer, nil)) }
}

func inMinorUnits(c *kredete.Config, _ *kredete.Deps) { c.AmountUnit = kredete.MinorUnits }

func newDriver(t *testing.T, baseURL string, options ...option) *provider.Provider {
	t.Helper()
	transport := restclient.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	cfg := kredete.Config{
		BaseURL: baseURL, ClientID: "client", ClientSecret: clientSecret, WebhookSecret: webhookSecret,
	}
	deps := kredete.Deps{Transport: transport, Clock: func() time.Time { return now }}
	for _, change := range options {
		change(&cfg, &deps)
	}
	p, err := kredete.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sameJSON compares two JSON texts by their values, numbers by their literals.
func sameJSON(t *testing.T, want, got []byte) {
	t.Helper()
	read := func(data []byte) any {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var v any
		if err := decoder.Decode(&v); err != nil {
			t.Fatalf("not JSON: %q", data)
		}
		return v
	}
	if diff := cmp.Diff(read(want), read(got)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

// The things that the documentation's examples ask for.
var (
	exampleCustomer = provider.NewCustomer{
		FirstName: "Adewale", LastName: "Okonkwo", Email: "adewale.okonkwo@email.com", Phone: "+2348012345678",
		DateOfBirth: lending.NewDate(1990, 5, 15), Gender: lending.Male, Nationality: "NG",
		Identification: &lending.Identification{
			Type: lending.NIN, Number: "12345678901", ExpiresOn: lending.NewDate(2030, 12, 31),
		},
		Address: &lending.Address{
			Street: "15 Victoria Island", City: "Lagos", State: "Lagos", Country: "NG", PostalCode: "101233",
		},
		Employment: &lending.Employment{
			Status: lending.Employed, Employer: "ABC Company Ltd", JobTitle: "Software Engineer",
			MonthlyIncome: new(naira("850000")), Since: lending.NewDate(2018, 3, 1),
		},
	}
	exampleLoan = provider.LoanApplication{
		Reference: "k-2", CustomerExternalID: "cust_2xK9mN3pQ7vR", ProductID: "prod_personal_loan",
		Principal: naira("500000"), Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
		Purpose: lending.ExpansionAndGrowth,
		DisbursementAccount: &lending.BankAccount{
			BankCode: "058", AccountNumber: "1234567890", AccountName: "Adewale Okonkwo",
		},
	}
	examplePayment = provider.NewPayment{
		LoanExternalID: "loan_5tY8kL2mN9pQ", Amount: naira("179167"), Method: lending.BankTransfer,
		Reference: "TRF-20260516-001", PaidOn: lending.NewDate(2026, 5, 16),
	}
	exampleScore = provider.ScoreRequest{
		CustomerExternalID: "cust_2xK9mN3pQ7vR", LoanAmount: new(naira("500000")),
		Tenure: &lending.Tenure{Value: 90, Unit: lending.Days},
	}
	exampleRegistration = provider.Registration{
		URL: "https://your-server.com/webhooks/kredete", Secret: webhookSecret, Active: true,
		Events: []lending.EventType{
			lending.EventLoanCreated, lending.EventLoanApproved, lending.EventLoanDisbursed,
			lending.EventLoanRepayment, lending.EventCustomerKYCVerified, lending.EventPaymentReceived,
		},
	}
)

func naira(text string) lending.Money { return lending.MustMoney(text, lending.NGN) }

// act makes one of the calls by its name.
func act(ctx context.Context, p *provider.Provider, name string) (any, error) {
	switch name {
	case "create customer":
		return p.Customers.CreateCustomer(ctx, exampleCustomer)
	case "profile":
		return p.Profiles.Profile(ctx, "cust_2xK9mN3pQ7vR")
	case "list profiles":
		return p.ProfileList.ListProfiles(ctx, provider.ProfileQuery{Status: lending.CustomerActive})
	case "apply":
		return p.Applications.Apply(ctx, exampleLoan)
	case "approve":
		return p.Decisions.Approve(ctx, "loan_5tY8kL2mN9pQ")
	case "reject":
		return p.Decisions.Reject(ctx, "loan_5tY8kL2mN9pQ", "Income not verified")
	case "disburse":
		return p.Decisions.Disburse(ctx, "loan_5tY8kL2mN9pQ")
	case "record payment":
		return p.Payments.RecordPayment(ctx, examplePayment)
	case "request score":
		return p.Scores.RequestScore(ctx, exampleScore)
	case "register webhook":
		return p.Registrations.RegisterWebhook(ctx, exampleRegistration)
	}
	return nil, p.Pinger.Ping(ctx)
}
