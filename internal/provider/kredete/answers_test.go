package kredete_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
)

func TestLists(t *testing.T) {
	t.Parallel()
	const one, two = `{"id":"a","status":"active"}`, `{"id":"b","status":"active"}`
	for _, c := range []struct {
		name, body string
		ids        string
		more       bool
		total      int
	}{
		{"a bare array", `[` + one + `]`, "a", false, -1},
		{"a full page", `[` + one + `,` + two + `]`, "a b", true, -1},
		{"under data", `{"data":[` + one + `,` + two + `],"total":2}`, "a b", false, 2},
		{"under customers", `{"customers":[` + one + `],"has_more":true}`, "a", true, -1},
		{"under items", `{"items":[` + one + `],"total_pages":2}`, "a", true, -1},
		{"within data", `{"data":{"customers":[` + one + `],"total":9}}`, "a", true, 9},
		{"place under meta", `{"data":[` + one + `,` + two + `],"meta":{"total":"3","page":1,"limit":2}}`, "a b", true, 3},
		{"place under pagination", `{"data":[` + one + `,` + two + `],"pagination":{"total_pages":1}}`, "a b", false, -1},
		{"a limit of its own", `{"data":[` + one + `],"total":2,"limit":1}`, "a", true, 2},
		{"nobody", `{"data":[]}`, "", false, -1},
		{"null", `{"data":null}`, "", false, -1},
		{"an empty page that claims more", `{"data":[],"has_more":true,"total":500}`, "", false, 500},
		{"customers that cannot be read", `[{"name":"no id"},5,` + one + `]`, "a", true, -1},
		{"one customer instead of a list", `{"customers":[` + one + `]}`, "a", false, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, reply(http.StatusOK, c.body))
			page, err := newDriver(t, a.url).ProfileList.ListProfiles(t.Context(), provider.ProfileQuery{Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, p := range page.Profiles {
				ids = append(ids, p.ExternalID)
			}
			if got := strings.Join(ids, " "); got != c.ids || page.HasMore != c.more || page.Total != c.total {
				t.Errorf("%q, more %v, total %d; want %q, %v, %d", got, page.HasMore, page.Total, c.ids, c.more, c.total)
			}
		})
	}
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, call string
		status     int
		body       string
		want       lending.LoanStatus
		word       string
	}{
		{"approve, nothing said", "approve", 200, "", lending.LoanApproved, ""},
		{"reject, no content", "reject", 204, "", lending.LoanRejected, ""},
		{"disburse, accepted", "disburse", 202, "{}", lending.LoanDisbursing, ""},
		{"disburse, a message", "disburse", 200, `{"success":true,"message":"done"}`, lending.LoanDisbursing, ""},
		{"disburse, done", "disburse", 200, `{"id":"loan_5tY8kL2mN9pQ","status":" Disbursed "}`, lending.LoanDisbursed, "Disbursed"},
		{"disburse, under data", "disburse", 200, `{"data":{"id":"loan_5tY8kL2mN9pQ","status":"disbursed"}}`, lending.LoanDisbursed, "disbursed"},
		{"disburse, under loan", "disburse", 200, `{"loan":{"id":"loan_5tY8kL2mN9pQ","status":"approved"}}`, lending.LoanApproved, "approved"},
		{"disburse, an order of its own", "disburse", 200, `{"id":"disb_1","loan_id":"loan_5tY8kL2mN9pQ"}`, lending.LoanDisbursing, ""},
		{"approve, a word that nobody knows", "approve", 200, `{"status":"on_hold"}`, lending.LoanUnknown, "on_hold"},
		{"disburse, success is no word for disbursed", "disburse", 200, `{"status":"success"}`, lending.LoanUnknown, "success"},
		{"approve, no error", "approve", 200, `{"error":null,"status":"approved"}`, lending.LoanApproved, "approved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, reply(c.status, c.body))
			got, err := act(t.Context(), newDriver(t, a.url), c.call)
			if err != nil {
				t.Fatal(err)
			}
			loan := got.(provider.LoanResult).Loan
			if loan.Status != c.want || loan.ProviderStatus != c.word || loan.ExternalID != "loan_5tY8kL2mN9pQ" || loan.Provider != lending.Kredete {
				t.Errorf("loan = %+v", loan)
			}
		})
	}
}

func TestLoansThatTellLessOrMore(t *testing.T) {
	t.Parallel()
	apply := func(body string, options ...option) lending.Loan {
		t.Helper()
		a := newAPI(t, reply(http.StatusOK, body))
		got, err := newDriver(t, a.url, options...).Applications.Apply(t.Context(), exampleLoan)
		if err != nil {
			t.Fatal(err)
		}
		return got.Loan
	}
	if got := apply(`{"id":"loan_1"}`); got.Status != lending.LoanPendingReview || got.Principal != (lending.Money{}) {
		t.Errorf("a bare loan = %+v", got)
	}
	got := apply(`{"data":{"id":"loan_1","amount":"179166.67","monthly_payment":59722.223,"total_interest":1e3,"purpose":"Business_Expansion"}}`)
	if got.Principal != naira("179166.67") || got.Installment != nil || *got.TotalInterest != naira("1000") {
		t.Errorf("amounts = %v, %v, %v", got.Principal, got.Installment, got.TotalInterest)
	}
	if got.Purpose != lending.ExpansionAndGrowth || got.ProviderPurpose != "Business_Expansion" {
		t.Errorf("purpose = %s, %q", got.Purpose, got.ProviderPurpose)
	}
	if got := apply(`{"id":"loan_1","purpose":"a stall"}`); got.Purpose != lending.PurposeUnknown || got.ProviderPurpose != "a stall" {
		t.Errorf("purpose = %s, %q", got.Purpose, got.ProviderPurpose)
	}
	if got := apply(`{"id":"loan_1","amount":50000000,"currency":"ngn"}`, inMinorUnits); got.Principal != naira("500000") {
		t.Errorf("in kobo = %v", got.Principal)
	}
}

func TestPaymentsThatTellLess(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]lending.PaymentStatus{
		`{"id":"pmt_1"}`:                        lending.PaymentPending,
		`{"id":"pmt_1","status":"processing"}`:  lending.PaymentPending,
		`{"id":"pmt_1","status":"COMPLETED"}`:   lending.PaymentCompleted,
		`{"id":"pmt_1","status":"successful"}`:  lending.PaymentUnknown,
		`{"payment":{"id":"pmt_1","status":1}}`: lending.PaymentUnknown,
	} {
		a := newAPI(t, reply(http.StatusOK, body))
		got, err := newDriver(t, a.url).Payments.RecordPayment(t.Context(), examplePayment)
		if err != nil || got.Status != want || got.Amount != examplePayment.Amount || got.Reference != examplePayment.Reference {
			t.Errorf("%s = %+v, %v; want %s", body, got, err, want)
		}
	}
}

func TestScoresThatTellLess(t *testing.T) {
	t.Parallel()
	a := newAPI(t, reply(http.StatusOK, `{"id":"s","score":"900","probability_of_default":1.5,"recommended_limit":"x",
		"factors":{"factor":"age","impact":"sideways"},"risk_category":"medium"}`))
	got, err := newDriver(t, a.url).Scores.RequestScore(t.Context(), exampleScore)
	if err != nil {
		t.Fatal(err)
	}
	s := got.Score
	if s.Normalized != nil || s.Band != lending.BandUnknown || s.ProbabilityOfDefault != nil || s.RecommendedLimit != nil {
		t.Errorf("score = %+v", s)
	}
	if s.RiskCategory != lending.RiskMedium || s.Factors[0].Impact != lending.ImpactUnknown || !s.ScoredAt.Equal(now) || !s.ValidUntil.IsZero() {
		t.Errorf("score = %+v", s)
	}
}

func TestScoreScaleIsConfigured(t *testing.T) {
	t.Parallel()
	a := newAPI(t, reply(http.StatusOK, `{"id":"s","score":50}`))
	p := newDriver(t, a.url, func(c *kredete.Config, _ *kredete.Deps) { c.ScoreScale = "0:100" })
	got, err := p.Scores.RequestScore(t.Context(), exampleScore)
	if err != nil || got.Score.Normalized.String() != "0.5000" || got.Score.Band != lending.BandFair || !got.Score.Scale.Assumed {
		t.Errorf("score = %+v, %v", got.Score, err)
	}
}

func TestUnknownWordsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a := newAPI(t, reply(http.StatusOK, `[{"id":"a","status":"dormant"},{"id":"b","status":"dormant"},
		{"id":"c","status":"Adewale 08012345678","kyc_status":"dormant"},{"id":"d","status":"Ngozi 08087654321"}]`))
	p := newDriver(t, a.url, withLog(&log))
	for range 2 {
		page, err := p.ProfileList.ListProfiles(t.Context(), provider.ProfileQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for _, profile := range page.Profiles {
			if profile.Status != lending.CustomerUnknown || profile.ProviderStatus == "" {
				t.Errorf("profile = %+v", profile)
			}
		}
	}
	for text, want := range map[string]int{"word=dormant": 2, "withheld": 1, "0801": 0, "0808": 0, "Adewale": 0} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", text, got, want, log.String())
		}
	}
}

func TestTotalsThatDoNotAddUpAreReported(t *testing.T) {
	t.Parallel()
	for call, body := range map[string]string{
		"apply":          `{"id":"loan_1","amount":500000,"total_interest":1,"total_repayment":2}`,
		"record payment": `{"id":"pmt_1","amount":100,"allocation":{"principal":50,"interest":49}}`,
	} {
		var log bytes.Buffer
		a := newAPI(t, reply(http.StatusOK, body))
		if _, err := act(t.Context(), newDriver(t, a.url, withLog(&log)), call); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "add up") {
			t.Errorf("%s: log = %q", call, log.String())
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	p := newDriver(t, "https://kredete.test/v2")
	for _, c := range []struct {
		name   string
		change func(*provider.LoanApplication)
		want   []string // the fields with problems
	}{
		{"the documented application", func(*provider.LoanApplication) {}, nil},
		{"exactly the minimum", func(a *provider.LoanApplication) { a.Principal = naira("10000") }, nil},
		{"a kobo below the minimum", func(a *provider.LoanApplication) { a.Principal = naira("9999.99") }, []string{"input.principal"}},
		{"nothing in another currency", func(a *provider.LoanApplication) { a.Principal = lending.NewMoney(0, "KES") }, []string{"input.principal"}},
		{"a little in another currency", func(a *provider.LoanApplication) { a.Principal = lending.NewMoney(5, "KES") }, nil},
		{"no currency", func(a *provider.LoanApplication) { a.Principal = lending.NewMoney(5_000_000, "") }, []string{"input.principal.currency"}},
		{"no tenure", func(a *provider.LoanApplication) { a.Tenure = lending.Tenure{} }, []string{"input.tenure"}},
		{"a tenure in nothing", func(a *provider.LoanApplication) { a.Tenure.Unit = "" }, []string{"input.tenure.unit"}},
		{"months", func(a *provider.LoanApplication) { a.Tenure = lending.Tenure{Value: 3, Unit: lending.Months} }, nil},
		{"no product", func(a *provider.LoanApplication) { a.ProductID = " " }, []string{"input.productId"}},
		{"no account", func(a *provider.LoanApplication) { a.DisbursementAccount = nil }, []string{"input.disbursementAccount"}},
		{"an account of nothing", func(a *provider.LoanApplication) {
			a.DisbursementAccount = &lending.BankAccount{AccountNumber: "12-34"}
		}, []string{"input.disbursementAccount.bankCode", "input.disbursementAccount.accountNumber", "input.disbursementAccount.accountName"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			application := exampleLoan
			c.change(&application)
			var got []string
			for _, problem := range p.Applications.Check(application) {
				got = append(got, strings.Join(problem.Field, "."))
				if problem.Kind != lending.KindValidation || !strings.HasSuffix(problem.Message, ".") {
					t.Errorf("problem = %+v", problem)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWebhookRegistration(t *testing.T) {
	t.Parallel()
	a := newAPI(t, reply(http.StatusOK, ""))
	p := newDriver(t, a.url)
	registration := exampleRegistration
	registration.Secret = ""
	got, err := p.Registrations.RegisterWebhook(t.Context(), registration)
	if err != nil || got.URL != registration.URL || !got.Active || !got.CreatedAt.Equal(now) {
		t.Fatalf("webhook = %+v, %v", got, err)
	}
	sameJSON(t, seed(t, "webhook_request.json"), a.only(t).Body) // signed with the configured secret

	unsigned := newDriver(t, a.url, func(c *kredete.Config, _ *kredete.Deps) { c.WebhookSecret = "" })
	for name, c := range map[string]struct {
		p      *provider.Provider
		change func(*provider.Registration)
	}{
		"an event that Kredete does not have": {p, func(r *provider.Registration) { r.Events = []lending.EventType{lending.EventCreditReportReady} }},
		"no events":                           {p, func(r *provider.Registration) { r.Events = nil }},
		"no address":                          {p, func(r *provider.Registration) { r.URL = "" }},
		"no secret":                           {unsigned, func(*provider.Registration) {}},
	} {
		r := registration
		c.change(&r)
		_, err := c.p.Registrations.RegisterWebhook(t.Context(), r)
		e := lending.AsError(err)
		if e == nil || e.Kind != lending.KindValidation || e.Outcome != lending.NotExecuted || len(e.Problems) != 1 || e.Provider != lending.Kredete {
			t.Errorf("%s: %+v", name, e)
		}
	}
	a.only(t) // nothing of that was sent
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := kredete.Config{BaseURL: "https://api.kredete.com/v2", ClientID: "c", ClientSecret: "s"}
	for setting, change := range map[string]func(*kredete.Config){
		"":                          func(*kredete.Config) {},
		"KREDETE_BASE_URL":          func(c *kredete.Config) { c.BaseURL = "https://user:hunter2@api.kredete.com/v2" },
		"KREDETE_CLIENT_ID":         func(c *kredete.Config) { c.ClientID = " " },
		"KREDETE_CLIENT_SECRET":     func(c *kredete.Config) { c.ClientSecret = "" },
		"KREDETE_AMOUNT_UNIT":       func(c *kredete.Config) { c.AmountUnit = "naira" },
		"KREDETE_SCORE_SCALE":       func(c *kredete.Config) { c.ScoreScale = "850:300" },
		"KREDETE_TOKEN_TIMEOUT":     func(c *kredete.Config) { c.TokenTimeout = -time.Second },
		"KREDETE_SIGNATURE_HEADERS": func(c *kredete.Config) { c.SignatureHeaders = []string{""} },
	} {
		cfg := good
		change(&cfg)
		_, err := kredete.New(cfg, kredete.Deps{})
		switch {
		case setting == "" && err != nil:
			t.Errorf("good settings: %v", err)
		case setting != "" && (err == nil || !strings.HasPrefix(err.Error(), setting+": ") || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: error = %v", setting, err)
		}
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	got := newDriver(t, "https://kredete.test/v2").Recovery
	want := map[lending.OperationKind]provider.Recovery{lending.OpCreateCustomer: provider.RecoverByListing}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recovery (-want +got):\n%s", diff)
	}
}
