package kredete_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestRequestsAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, method, path, query, answer, body string }{
		{"create customer", "POST", "/v2/customers", "", "customer.json", "customer_request.json"},
		{"profile", "GET", "/v2/customers/cust_2xK9mN3pQ7vR", "", "customer.json", ""},
		{"list profiles", "GET", "/v2/customers", "limit=20&page=1&status=active", "list", ""},
		{"apply", "POST", "/v2/loans", "", "loan.json", "loan_request.json"},
		{"approve", "POST", "/v2/loans/loan_5tY8kL2mN9pQ/approve", "", "", "{}"},
		{"reject", "POST", "/v2/loans/loan_5tY8kL2mN9pQ/reject", "", "", `{"reason":"Income not verified"}`},
		{"disburse", "POST", "/v2/loans/loan_5tY8kL2mN9pQ/disburse", "", "", "{}"},
		{"record payment", "POST", "/v2/payments", "", "payment.json", "payment_request.json"},
		{"request score", "POST", "/v2/scoring/score", "", "score.json", "score_request.json"},
		{"register webhook", "POST", "/v2/webhooks", "", "", "webhook_request.json"},
		{"ping", "GET", "/v2/customers", "limit=1&page=1", "list", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer := ""
			if strings.HasSuffix(c.answer, ".json") {
				answer = string(seed(t, c.answer))
			} else if c.answer == "list" {
				answer = `[` + string(seed(t, "customer.json")) + `]`
			}
			a := newAPI(t, reply(http.StatusOK, answer))
			if _, err := act(t.Context(), newDriver(t, a.url), c.name); err != nil {
				t.Fatal(err)
			}
			got := a.only(t)
			if got.Method != c.method || got.Path != c.path || got.Query != c.query {
				t.Errorf("%s %s?%s, want %s %s?%s", got.Method, got.Path, got.Query, c.method, c.path, c.query)
			}
			checkHeaders(t, got)
			want := []byte(c.body)
			if strings.HasSuffix(c.body, ".json") {
				want = seed(t, c.body)
			}
			switch {
			case c.body != "":
				sameJSON(t, want, got.Body)
			case len(got.Body) != 0:
				t.Errorf("body = %q, want none", got.Body)
			}
		})
	}
}

func checkHeaders(t *testing.T, r request) {
	t.Helper()
	for name, want := range map[string]string{
		"Authorization": "Bearer " + accessToken, "Content-Type": "application/json", "Idempotency-Key": "",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestWhatIsNotKnownIsNotSent(t *testing.T) {
	t.Parallel()
	a := newAPI(t, reply(http.StatusCreated, `{"id":"x","score":1}`))
	p := newDriver(t, a.url)
	_, err := p.Customers.CreateCustomer(t.Context(), provider.NewCustomer{FirstName: "A & B", LastName: "C", Gender: lending.GenderUnknown})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Scores.RequestScore(t.Context(), provider.ScoreRequest{CustomerExternalID: "c"}); err != nil {
		t.Fatal(err)
	}
	if _, err = p.Decisions.Reject(t.Context(), "x", ""); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`{"first_name":"A & B","last_name":"C"}`,
		`{"customer_id":"c","score_type":"full","data_sources":["bureau","internal","alternative"]}`,
		`{}`,
	} {
		if got := string(a.seen()[i].Body); got != want {
			t.Errorf("body %d = %s, want %s", i, got, want)
		}
	}
}

func TestPurposes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		purpose lending.LoanPurpose
		note    string
		want    string
	}{
		{lending.ExpansionAndGrowth, "", "business_expansion"},
		{lending.WorkingCapital, "", "working_capital"},
		{lending.InventoryMgt, "", "inventory_mgt"},
		{lending.PurposeOthers, "A second stall at Balogun", "A second stall at Balogun"},
		{"", "", ""},
		{lending.PurposeUnknown, "", ""},
	} {
		a := newAPI(t, reply(http.StatusOK, string(seed(t, "loan.json"))))
		loan := exampleLoan
		loan.Purpose, loan.PurposeNote = c.purpose, c.note
		if _, err := newDriver(t, a.url).Applications.Apply(t.Context(), loan); err != nil {
			t.Fatal(err)
		}
		var body struct{ Purpose string }
		if err := json.Unmarshal(a.only(t).Body, &body); err != nil || body.Purpose != c.want {
			t.Errorf("%s %q = %q, want %q", c.purpose, c.note, body.Purpose, c.want)
		}
	}
}

func TestMonthsAreThirtyDays(t *testing.T) {
	t.Parallel()
	a := newAPI(t, reply(http.StatusOK, string(seed(t, "loan.json"))))
	loan := exampleLoan
	loan.Tenure = lending.Tenure{Value: 3, Unit: lending.Months}
	if _, err := newDriver(t, a.url).Applications.Apply(t.Context(), loan); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, seed(t, "loan_request.json"), a.only(t).Body)
}

func TestIDsCannotLeaveTheirPath(t *testing.T) {
	t.Parallel()
	a := newAPI(t, reply(http.StatusOK, `{"id":"a/b"}`))
	p := newDriver(t, a.url)
	if _, err := p.Profiles.Profile(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if got := a.only(t).Path; got != "/v2/customers/a%2Fb" {
		t.Errorf("path = %s", got)
	}
	for _, id := range []string{"", ".", "..", "a b", "a\nb", "naïve", strings.Repeat("x", 129)} {
		_, err := p.Profiles.Profile(t.Context(), id)
		if e := lending.AsError(err); e == nil || e.Kind != lending.KindNotFound || e.Outcome != lending.NotExecuted {
			t.Errorf("Profile(%q) = %v, want NOT_FOUND", id, err)
		}
		_, err = p.Decisions.Disburse(t.Context(), id)
		if e := lending.AsError(err); e == nil || e.Kind != lending.KindNotFound || e.Outcome != lending.NotExecuted {
			t.Errorf("Disburse(%q) = %v, want NOT_FOUND", id, err)
		}
	}
	a.only(t)
}

func TestPagesAreWithinBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query provider.ProfileQuery
		want  string
	}{
		{provider.ProfileQuery{}, "limit=20&page=1"},
		{provider.ProfileQuery{Page: 3, Limit: 500}, "limit=100&page=3"},
		{provider.ProfileQuery{Page: -1, Limit: 1}, "limit=1&page=1"},
		{provider.ProfileQuery{Status: lending.CustomerPendingKYC, KYCStatus: lending.KYCNotStarted}, "kyc_status=not_started&limit=20&page=1&status=pending_kyc"},
		{provider.ProfileQuery{Status: lending.CustomerUnknown}, "limit=20&page=1"},
	} {
		a := newAPI(t, reply(http.StatusOK, "[]"))
		if _, err := newDriver(t, a.url).ProfileList.ListProfiles(t.Context(), c.query); err != nil {
			t.Fatal(err)
		}
		if got := a.only(t).Query; got != c.want {
			t.Errorf("%+v = %s, want %s", c.query, got, c.want)
		}
	}
}

// Amounts go out and come back digit for digit, in either unit.
func TestAmountsAreExactBothWays(t *testing.T) {
	t.Parallel()
	var sent json.Number
	echo := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"pmt_1","amount":` + sent.String() + `,"currency":"NGN"}`))
	}
	a := newAPI(t, echo)
	drivers := map[bool]*provider.Provider{false: newDriver(t, a.url), true: newDriver(t, a.url, inMinorUnits)}
	rapid.Check(t, func(r *rapid.T) {
		minor := rapid.Bool().Draw(r, "in minor units")
		payment := examplePayment
		payment.Amount = lending.NewMoney(rapid.Int64Range(1, 1<<62).Draw(r, "minor"), lending.NGN)
		sent = json.Number(payment.Amount.Literal())
		if minor {
			sent = json.Number(payment.Amount.MinorUnits())
		}
		got, err := drivers[minor].Payments.RecordPayment(t.Context(), payment)
		if err != nil || got.Amount != payment.Amount {
			r.Fatalf("%v came back as %v, %v", payment.Amount, got.Amount, err)
		}
		seen := a.seen()
		var body struct{ Amount json.Number }
		if err := json.Unmarshal(seen[len(seen)-1].Body, &body); err != nil || body.Amount != sent {
			r.Fatalf("%v went out as %s, want %s", payment.Amount, body.Amount, sent)
		}
	})
}
