package kredete_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

const loanExample = `{"customer_id":"cust_2xK9mN3pQ7vR","product_id":"prod_personal_loan","amount":500000,
"currency":"NGN","tenure_days":90,"purpose":"business_expansion","disbursement_account":{"bank_code":"058",
"account_number":"1234567890","account_name":"Adewale Okonkwo"}}`

func TestTheReferencesExamplesAreAnsweredAsItSays(t *testing.T) {
	t.Parallel()
	a := setup(t)
	customer := a.must(t, 201, "POST", "/v2/customers", `{"first_name":"Adewale","last_name":"Okonkwo",
"email":"adewale.okonkwo@email.com","phone":"+2348012345678","date_of_birth":"1990-05-15","gender":"male",
"nationality":"NG","identification":{"type":"NIN","number":"12345678901","expiry_date":"2030-12-31"},
"address":{"street":"15 Victoria Island","city":"Lagos","state":"Lagos","country":"NG","postal_code":"101233"},
"employment":{"status":"employed","employer":"ABC Company Ltd","job_title":"Software Engineer",
"monthly_income":850000,"employment_date":"2018-03-01"}}`)
	made := id(t, customer, "cust_")
	same(t, "customer", customer, `{"id":"cust_…","external_id":null,"first_name":"Adewale","last_name":"Okonkwo",
"email":"adewale.okonkwo@email.com","phone":"+2348012345678","status":"pending_kyc","kyc_status":"not_started",
"created_at":"2026-04-16T10:30:00Z","updated_at":"2026-04-16T10:30:00Z"}`)
	again := a.must(t, 200, "GET", "/v2/customers/"+made, "")
	if again["id"] != made || again["email"] != "adewale.okonkwo@email.com" {
		t.Errorf("the customer reads back as %v", again)
	}

	a.clock.Set(time.Date(2026, 4, 16, 11, 0, 0, 0, time.UTC))
	loan := a.must(t, 201, "POST", "/v2/loans", loanExample)
	loanID := id(t, loan, "loan_")
	same(t, "loan", loan, `{"id":"loan_…","customer_id":"cust_2xK9mN3pQ7vR","product_id":"prod_personal_loan",
"amount":500000,"currency":"NGN","tenure_days":90,"interest_rate":2.5,"total_interest":37500,
"total_repayment":537500,"monthly_payment":179167,"status":"pending_review","created_at":"2026-04-16T11:00:00Z"}`)
	if got := a.must(t, 200, "POST", "/v2/loans/"+loanID+"/approve", "")["status"]; got != "approved" {
		t.Errorf("after the approval the loan is %v", got)
	}
	if got := a.must(t, 200, "POST", "/v2/loans/"+loanID+"/disburse", "{}")["status"]; got != "disbursed" {
		t.Errorf("after the payout the loan is %v", got)
	}

	a.clock.Set(time.Date(2026, 5, 16, 10, 30, 0, 0, time.UTC))
	a.token = a.login(t, "all", "secret of all", "")
	payment := a.must(t, 201, "POST", "/v2/payments", `{"loan_id":"`+loanID+`","amount":179167,"currency":"NGN",
"payment_method":"bank_transfer","payment_reference":"TRF-20260516-001","payment_date":"2026-05-16"}`)
	id(t, payment, "pmt_")
	same(t, "payment", payment, `{"id":"pmt_…","loan_id":"`+loanID+`","customer_id":"cust_2xK9mN3pQ7vR",
"amount":179167,"currency":"NGN","allocation":{"principal":166667,"interest":12500,"fees":0,"penalties":0},
"status":"completed","created_at":"2026-05-16T10:30:00Z"}`)
}

func TestTheScoresExampleIsAnsweredAsItSays(t *testing.T) {
	t.Parallel()
	a := setup(t)
	score := a.must(t, 200, "POST", "/v2/scoring/score", `{"customer_id":"cust_2xK9mN3pQ7vR","score_type":"full",
"data_sources":["bureau","internal","alternative"],"loan_amount":500000,"loan_tenure_days":90}`)
	id(t, score, "score_")
	same(t, "score", score, `{"id":"score_…","customer_id":"cust_2xK9mN3pQ7vR","score":720,"score_band":"good",
"risk_category":"low","probability_of_default":0.03,"recommended_limit":750000,"recommended_tenure_max":180,
"factors":[{"factor":"payment_history","impact":"positive",
"description":"Excellent payment history on previous loans"},{"factor":"credit_utilization","impact":"neutral",
"description":"Moderate credit utilization"}],"valid_until":"2026-04-23T10:30:00Z",
"created_at":"2026-04-16T10:30:00Z"}`)
	if effects := a.Core().Effects.List("score.request"); len(effects) != 1 {
		t.Errorf("a score was billed %d times", len(effects))
	}
}

// same compares an answer with the reference's text, numbers by their digits.
func same(t *testing.T, what string, got map[string]any, want string) {
	t.Helper()
	if diff := cmp.Diff(decode(t, want), got); diff != "" {
		t.Errorf("%s (-reference +got):\n%s", what, diff)
	}
}

func TestErrorsHaveTheReferencesForm(t *testing.T) {
	t.Parallel()
	a := setup(t)
	answer := a.must(t, 400, "POST", "/v2/loans", strings.Replace(loanExample, "500000", "9999.99", 1))
	failure := answer["error"].(map[string]any)
	if request, ok := failure["request_id"].(string); !ok || !strings.HasPrefix(request, "req_") {
		t.Errorf("request_id is %v", failure["request_id"])
	}
	failure["request_id"] = "…"
	same(t, "error", answer, `{"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":
[{"field":"amount","message":"Amount must be greater than minimum loan amount of 10000"}],"request_id":"…"}}`)
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	a := setup(t)
	change := func(body, from, to string) string {
		if !strings.Contains(body, from) {
			t.Fatalf("%s does not contain %s", body, from)
		}
		return strings.Replace(body, from, to, 1)
	}
	person := `{"first_name":"A","last_name":"B","email":"a@example.com","phone":"+2348012345678","date_of_birth":"1990-05-15"}`
	payment := `{"loan_id":"` + a.world.Loans(0)[1].ID + `","amount":179167,"currency":"NGN","payment_method":"cash","payment_reference":"R"}`
	score := `{"customer_id":"cust_2xK9mN3pQ7vR","score_type":"full"}`
	hook := `{"url":"http://127.0.0.1:1/","events":["loan.created"],"secret":"s","active":true}`
	tests := []struct {
		method, path, body string
		status             int
		code, field        string
	}{
		{"POST", "/v2/customers", change(person, `"A"`, `""`), 400, "VALIDATION_ERROR", "first_name"},
		{"POST", "/v2/customers", change(person, `a@example.com`, `nobody`), 400, "VALIDATION_ERROR", "email"},
		{"POST", "/v2/customers", change(person, `+234`, `0`), 400, "VALIDATION_ERROR", "phone"},
		{"POST", "/v2/customers", change(person, `1990-05-15`, `15/05/1990`), 400, "VALIDATION_ERROR", "date_of_birth"},
		{"POST", "/v2/customers", change(person, `}`, `,"gender":"x"}`), 400, "VALIDATION_ERROR", "gender"},
		{"POST", "/v2/customers", change(person, `}`, `,"age":3}`), 400, "VALIDATION_ERROR", "age"},
		{"POST", "/v2/customers", change(person, `}`, `,"employment":{"monthly_income":"lots"}}`), 400, "VALIDATION_ERROR", "body"},
		{"POST", "/v2/customers", `[]`, 400, "VALIDATION_ERROR", "body"},
		{"GET", "/v2/customers/cust_000000000000", "", 404, "RESOURCE_NOT_FOUND", ""},
		{"GET", "/v2/customers?limit=101", "", 400, "VALIDATION_ERROR", "limit"},
		{"GET", "/v2/customers?page=0", "", 400, "VALIDATION_ERROR", "page"},
		{"GET", "/v2/customers?page=x", "", 400, "VALIDATION_ERROR", "page"},
		{"GET", "/v2/customers?status=happy", "", 400, "VALIDATION_ERROR", "status"},
		{"GET", "/v2/customers?kyc_status=happy", "", 400, "VALIDATION_ERROR", "kyc_status"},
		{"POST", "/v2/loans", change(loanExample, `500000`, `"much"`), 400, "VALIDATION_ERROR", "body"},
		{"POST", "/v2/loans", change(loanExample, `500000`, `10000.001`), 400, "VALIDATION_ERROR", "amount"},
		{"POST", "/v2/loans", change(loanExample, `500000`, `100000000.01`), 400, "VALIDATION_ERROR", "amount"},
		{"POST", "/v2/loans", change(loanExample, `NGN`, `USD`), 400, "VALIDATION_ERROR", "currency"},
		{"POST", "/v2/loans", change(loanExample, `90`, `0`), 400, "VALIDATION_ERROR", "tenure_days"},
		{"POST", "/v2/loans", change(loanExample, `1234567890`, `12`), 400, "VALIDATION_ERROR", "disbursement_account.account_number"},
		{"POST", "/v2/loans", change(loanExample, `9mN`, `9mM`), 404, "RESOURCE_NOT_FOUND", ""},
		{"POST", "/v2/loans/loan_000000000000/approve", "", 404, "RESOURCE_NOT_FOUND", ""},
		{"POST", "/v2/payments", change(payment, `179167`, `0`), 400, "VALIDATION_ERROR", "amount"},
		{"POST", "/v2/payments", change(payment, `179167`, `358333.01`), 400, "VALIDATION_ERROR", "amount"},
		{"POST", "/v2/payments", change(payment, `"R"`, `""`), 400, "VALIDATION_ERROR", "payment_reference"},
		{"POST", "/v2/payments", change(payment, `"loan_`+a.world.Loans(0)[1].ID[5:8], `"loan_???`), 404, "RESOURCE_NOT_FOUND", ""},
		{"POST", "/v2/payments", change(payment, a.world.Loans(0)[1].ID, a.world.Loans(0)[0].ID), 400, "VALIDATION_ERROR", "loan_id"},
		{"POST", "/v2/scoring/score", change(score, `9mN`, `9mM`), 404, "RESOURCE_NOT_FOUND", ""},
		{"POST", "/v2/scoring/score", change(score, `full`, ``), 400, "VALIDATION_ERROR", "score_type"},
		{"POST", "/v2/webhooks", change(hook, `loan.created`, `loan.lost`), 400, "VALIDATION_ERROR", "events"},
		{"POST", "/v2/webhooks", change(hook, `http://127.0.0.1:1/`, `ftp://x/`), 400, "VALIDATION_ERROR", "url"},
		{"POST", "/v2/webhooks", change(hook, `"s"`, `""`), 400, "VALIDATION_ERROR", "secret"},
		{"GET", "/v2/loans", "", 404, "RESOURCE_NOT_FOUND", ""},
	}
	for _, test := range tests {
		response, text := a.call(t, test.method, test.path, test.body)
		failure, _ := decode(t, text)["error"].(map[string]any)
		field := ""
		if details, ok := failure["details"].([]any); ok {
			field = details[0].(map[string]any)["field"].(string)
		}
		if response.StatusCode != test.status || failure["code"] != test.code || field != test.field {
			t.Errorf("%s %s %s: %d %s, want %d %s %s", test.method, test.path, test.body,
				response.StatusCode, text, test.status, test.code, test.field)
		}
	}
	if effects := a.Core().Effects.List(""); len(effects) != 0 {
		t.Errorf("refused calls had effects: %v", effects)
	}
	for _, limit := range []string{"10000", "10000.00", "1e4", "100000000"} {
		a.must(t, 201, "POST", "/v2/loans", change(loanExample, "500000", limit))
	}
}

func TestALoanTakesOneStepAtATime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		steps string // a step with ! is refused
		want  string
	}{
		{"paid out only when approved", "disburse! approve disburse", "disbursed"},
		{"approved once", "approve approve! disburse disburse!", "disbursed"},
		{"rejected for good", "reject approve! reject! disburse!", "rejected"},
		{"not rejected after the payout", "approve disburse reject!", "disbursed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := setup(t)
			loan := id(t, a.must(t, 201, "POST", "/v2/loans", loanExample), "loan_")
			status := ""
			for _, step := range strings.Fields(test.steps) {
				name, refused := strings.CutSuffix(step, "!")
				response, text := a.call(t, "POST", "/v2/loans/"+loan+"/"+name, "")
				if (response.StatusCode == 400) != refused {
					t.Fatalf("%s: %d %s", step, response.StatusCode, text)
				}
				if !refused {
					status = decode(t, text)["status"].(string)
				}
			}
			if status != test.want {
				t.Errorf("the loan ends as %s, want %s", status, test.want)
			}
		})
	}
}

func TestPaymentsRepayALoanExactly(t *testing.T) {
	t.Parallel()
	a := setup(t)
	loan := a.world.Loans(0)[1].ID // the example's loan, one installment paid
	pay := func(amount string) string {
		return `{"loan_id":"` + loan + `","amount":` + amount +
			`,"currency":"NGN","payment_method":"cash","payment_reference":"R-1"}`
	}
	var got []string
	for _, amount := range []string{"100000", "79167", "179166"} {
		used := a.must(t, 201, "POST", "/v2/payments", pay(amount))["allocation"].(map[string]any)
		got = append(got, fmt.Sprintf("%s/%s", used["principal"], used["interest"]))
	}
	if diff := cmp.Diff([]string{"87500/12500", "79167/0", "166666/12500"}, got); diff != "" {
		t.Errorf("principal/interest (-want +got):\n%s", diff)
	}
	if response, text := a.call(t, "POST", "/v2/payments", pay("0.01")); response.StatusCode != 400 {
		t.Errorf("a repaid loan took a payment: %s", text)
	}
	if effects := a.Core().Effects.List("payment.record"); len(effects) != 3 || effects[0].Key != "R-1" {
		t.Errorf("effects: %+v", effects)
	}
}

func TestTokensEndAndCoverOnlyTheirScopes(t *testing.T) {
	t.Parallel()
	a := setup(t)
	reader := a.login(t, "reader", "secret of reader", "read:customers write:loans")
	a.token = reader
	a.must(t, 200, "GET", "/v2/customers", "")
	if code := a.must(t, 403, "POST", "/v2/loans", loanExample)["error"].(map[string]any)["code"]; code != "AUTHORIZATION_DENIED" {
		t.Errorf("code %v", code)
	}
	a.clock.Advance(time.Hour - time.Second)
	a.must(t, 200, "GET", "/v2/customers", "")
	a.clock.Advance(time.Second)
	if code := a.must(t, 401, "GET", "/v2/customers", "")["error"].(map[string]any)["code"]; code != "AUTHENTICATION_FAILED" {
		t.Errorf("code %v", code)
	}
	for _, token := range []string{"", "x", reader + "x"} {
		a.token = token
		a.must(t, 401, "GET", "/v2/customers", "")
	}
}

func TestTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	a := setup(t)
	tests := []struct {
		name   string
		form   url.Values
		basic  bool
		status int
		scope  string
	}{
		{"narrowed to what the client has", url.Values{"client_id": {"reader"}, "client_secret": {"secret of reader"}, "scope": {"read:customers write:loans"}}, false, 200, "read:customers"},
		{"all without a scope", url.Values{"client_id": {"reader"}, "client_secret": {"secret of reader"}}, false, 200, "read:customers read:loans"},
		{"by HTTP Basic", url.Values{"scope": {"read:loans"}}, true, 200, "read:loans"},
		{"nothing is left", url.Values{"client_id": {"reader"}, "client_secret": {"secret of reader"}, "scope": {"write:loans"}}, false, 403, ""},
		{"wrong secret", url.Values{"client_id": {"reader"}, "client_secret": {"secret of all"}}, false, 401, ""},
		{"nobody", url.Values{}, false, 401, ""},
		{"another grant", url.Values{"grant_type": {"password"}}, true, 400, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !test.form.Has("grant_type") {
				test.form.Set("grant_type", "client_credentials")
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.server.URL+"/v2/oauth/token",
				strings.NewReader(test.form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if test.basic {
				request.SetBasicAuth("reader", "secret of reader")
			}
			response, err := a.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var answer struct {
				AccessToken string `json:"access_token"`
				TokenType   string `json:"token_type"`
				ExpiresIn   int    `json:"expires_in"`
				Scope       string `json:"scope"`
			}
			if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || answer.Scope != test.scope {
				t.Fatalf("%d with scope %q, want %d with %q", response.StatusCode, answer.Scope, test.status, test.scope)
			}
			if test.status == 200 && (answer.TokenType != "Bearer" || answer.ExpiresIn != 3600 || answer.AccessToken == "") {
				t.Errorf("answer %+v", answer)
			}
		})
	}
}

func TestListsArePagedOverTheWorldAndWhatWasMade(t *testing.T) {
	t.Parallel()
	a := setup(t)
	made := a.must(t, 201, "POST", "/v2/customers", `{"first_name":"A","last_name":"B","email":"a@example.com",
"phone":"+2348012345678","date_of_birth":"1990-05-15"}`)["id"].(string)
	seen := map[string]bool{}
	for page := 1; page <= 4; page++ {
		answer := a.must(t, 200, "GET", fmt.Sprintf("/v2/customers?page=%d&limit=67", page), "")
		for _, entry := range answer["data"].([]any) {
			seen[entry.(map[string]any)["id"].(string)] = true
		}
		want := decode(t, fmt.Sprintf(`{"page":%d,"limit":67,"total":201,"total_pages":3}`, page))
		if diff := cmp.Diff(want, answer["pagination"].(map[string]any)); diff != "" {
			t.Errorf("pagination (-want +got):\n%s", diff)
		}
	}
	if len(seen) != 201 || !seen[made] || !seen["cust_2xK9mN3pQ7vR"] {
		t.Errorf("%d customers are listed", len(seen))
	}
	if got := len(a.must(t, 200, "GET", "/v2/customers", "")["data"].([]any)); got != 20 {
		t.Errorf("a page holds %d, want 20", got)
	}
}

func TestListsAreNarrowed(t *testing.T) {
	t.Parallel()
	a := setup(t)
	list := func(query string) (ids []string, total string) {
		answer := a.must(t, 200, "GET", "/v2/customers?limit=100&"+query, "")
		for _, entry := range answer["data"].([]any) {
			ids = append(ids, entry.(map[string]any)["id"].(string))
		}
		return ids, string(answer["pagination"].(map[string]any)["total"].(json.Number))
	}
	var pending []string
	for i := range a.world.Size() {
		if p := a.world.Person(i); p.Status == "PENDING_KYC" && p.KYCStatus == "NOT_STARTED" {
			pending = append(pending, p.KredeteID)
		}
	}
	ids, total := list("status=pending_kyc&kyc_status=not_started")
	if diff := cmp.Diff(pending, ids); diff != "" || total != fmt.Sprint(len(pending)) {
		t.Errorf("pending (-want +got), total %s:\n%s", total, diff)
	}
	a.must(t, 200, "POST", "/__sandbox/customers/"+pending[0]+"/verify-kyc", "")
	ids, _ = list("status=pending_kyc&kyc_status=not_started")
	if diff := cmp.Diff(pending[1:], ids); diff != "" {
		t.Errorf("after one was verified (-want +got):\n%s", diff)
	}
	if got := a.must(t, 200, "GET", "/v2/customers/"+pending[0], ""); got["status"] != "active" || got["kyc_status"] != "verified" {
		t.Errorf("a verified customer is %v", got)
	}
}

func TestEveryAnswerTellsTheRateLimit(t *testing.T) {
	t.Parallel()
	a := setup(t)
	a.must(t, 204, "POST", "/__sandbox/plan", `{"plan":"Sandbox"}`)
	var last *http.Response
	for n := range 11 {
		response, text := a.call(t, "GET", "/v2/customers?limit=1", "")
		if want := 200; n < 10 && response.StatusCode != want {
			t.Fatalf("call %d: %d %s", n, response.StatusCode, text)
		}
		if n == 10 && !strings.Contains(text, `"code":"RATE_LIMIT_EXCEEDED"`) {
			t.Errorf("beyond the burst: %s", text)
		}
		last = response
	}
	got := []string{
		last.Status, last.Header.Get("X-RateLimit-Limit"), last.Header.Get("X-RateLimit-Remaining"),
		last.Header.Get("X-RateLimit-Reset"),
	}
	want := []string{"429 Too Many Requests", "60", "0", fmt.Sprint(a.clock.Now().Truncate(time.Minute).Add(time.Minute).Unix())}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the refusal (-want +got):\n%s", diff)
	}
	a.must(t, 204, "POST", "/__sandbox/plan", `{"plan":"Unlimited"}`)
	a.token = ""
	if response, _ := a.call(t, "GET", "/v2/customers", ""); response.Header.Get("X-RateLimit-Limit") == "" {
		t.Error("a refused call tells no limit")
	}
}

func TestALoanThatWasCutOffIsThereAllTheSame(t *testing.T) {
	t.Parallel()
	a := setup(t)
	if _, err := a.Core().Faults.Add(twin.Rule{
		Kind: twin.CutAfterEffect, Times: 1, Match: twin.Match{Method: "POST", Path: "/v2/loans"},
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.try(t, "POST", "/v2/loans", loanExample); err == nil {
		t.Fatal("the call was answered")
	}
	effects := a.Core().Effects.List("loan.create")
	if len(effects) != 1 || effects[0].Key != "cust_2xK9mN3pQ7vR" || effects[0].Fingerprint != twin.Fingerprint([]byte(loanExample)) {
		t.Fatalf("effects: %+v", effects)
	}
	if got := a.must(t, 200, "POST", "/v2/loans/"+effects[0].EntityID+"/approve", "")["status"]; got != "approved" {
		t.Errorf("the loan is %v", got)
	}
}
