package kredete_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
)

func failed(t *testing.T, call string, handler http.HandlerFunc) *lending.Error {
	t.Helper()
	a := newAPI(t, handler)
	got, err := act(t.Context(), newDriver(t, a.url), call)
	if err == nil {
		t.Fatalf("taken for a success: %+v", got)
	}
	return lending.AsError(err)
}

func TestErrorCodes(t *testing.T) {
	t.Parallel()
	const write, readOnly = "disburse", "profile"
	for _, c := range []struct {
		name, call string
		status     int
		code       string
		kind       lending.ErrorKind
		outcome    lending.Outcome
		retryable  bool
	}{
		{"denied", write, 403, "AUTHORIZATION_DENIED", lending.KindUpstreamForbidden, lending.NotExecuted, false},
		{"not found", readOnly, 404, "RESOURCE_NOT_FOUND", lending.KindNotFound, lending.NotExecuted, false},
		{"invalid", write, 400, "VALIDATION_ERROR", lending.KindValidation, lending.NotExecuted, false},
		{"too many", write, 429, "RATE_LIMIT_EXCEEDED", lending.KindRateLimited, lending.NotExecuted, true},
		{"broken while reading", readOnly, 500, "INTERNAL_ERROR", lending.KindUpstreamUnavailable, lending.NotExecuted, true},
		{"broken while writing", write, 500, "INTERNAL_ERROR", lending.KindOutcomeUnknown, lending.OutcomeUnknown, false},
		{"conflict", write, 409, "ALREADY_APPROVED", lending.KindConflict, lending.NotExecuted, false},
		{"unprocessable", write, 422, "", lending.KindValidation, lending.NotExecuted, false},
		{"another client error", write, 402, "PAY_UP", lending.KindUpstreamRejected, lending.NotExecuted, false},
		{"not found by its code", readOnly, 400, "RESOURCE_NOT_FOUND", lending.KindNotFound, lending.NotExecuted, false},
		{"a client error that is none", write, 400, "INTERNAL_ERROR", lending.KindOutcomeUnknown, lending.OutcomeUnknown, false},
		{"a code cannot settle a server error", write, 500, "VALIDATION_ERROR", lending.KindOutcomeUnknown, lending.OutcomeUnknown, false},
		{"a code cannot undo a refusal", write, 429, "INTERNAL_ERROR", lending.KindRateLimited, lending.NotExecuted, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := failed(t, c.call, reply(c.status, fmt.Sprintf(`{"error":{"code":%q,"message":"SECRET","request_id":"req_3wE5jK9lM2nQ"}}`, c.code)))
			if e.Kind != c.kind || e.Outcome != c.outcome || e.Retryable != c.retryable || e.Provider != lending.Kredete {
				t.Errorf("got %s %s retryable %v, want %s %s %v", e.Kind, e.Outcome, e.Retryable, c.kind, c.outcome, c.retryable)
			}
			if e.ProviderCode != c.code || e.RequestID != "req_3wE5jK9lM2nQ" {
				t.Errorf("code %q, request %q", e.ProviderCode, e.RequestID)
			}
			if strings.Contains(e.Error()+e.Detail(), "SECRET") {
				t.Errorf("the provider's words come through: %s / %s", e.Error(), e.Detail())
			}
		})
	}
}

func TestRateLimitIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers map[string]string
		want    time.Duration
	}{
		"by Retry-After":             {map[string]string{"Retry-After": "9"}, 9 * time.Second},
		"by the reset":               {map[string]string{"X-RateLimit-Reset": fmt.Sprint(now.Unix() + 30)}, 30 * time.Second},
		"by the documentation":       {map[string]string{"X-RateLimit-Reset": "1713254460"}, 0},
		"longer than anybody waits":  {map[string]string{"Retry-After": "86400"}, time.Minute},
		"not at all":                 {nil, 0},
		"by the reset, far too late": {map[string]string{"X-RateLimit-Reset": "99999999999"}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := failed(t, "apply", func(w http.ResponseWriter, _ *http.Request) {
				for header, value := range c.headers {
					w.Header().Set(header, value)
				}
				w.WriteHeader(http.StatusTooManyRequests)
			})
			if e.RetryAfter != c.want {
				t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, c.want)
			}
		})
	}
}

func TestLastRateLimitIsKept(t *testing.T) {
	t.Parallel()
	headers := make(chan map[string]string, 4)
	a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range <-headers {
			w.Header().Set(name, value)
		}
		_, _ = w.Write([]byte("[]"))
	})
	p := newDriver(t, a.url)
	limiter, ok := p.Pinger.(kredete.RateLimiter)
	if !ok {
		t.Fatal("the pinger tells no rate limit")
	}
	check := func(sent map[string]string, limit, remaining int, resetsAt time.Time, known bool) {
		t.Helper()
		headers <- sent
		if err := p.Pinger.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		l, r, at, ok := limiter.RateLimit()
		if l != limit || r != remaining || !at.Equal(resetsAt) || ok != known {
			t.Errorf("RateLimit = %d, %d, %v, %v", l, r, at, ok)
		}
	}
	reset := time.Unix(1713254460, 0)
	check(nil, 0, 0, time.Time{}, false)
	check(map[string]string{"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "998", "X-RateLimit-Reset": "1713254460"}, 1000, 998, reset, true)
	check(map[string]string{"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "1"}, 1000, 998, reset, true)
	check(map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"}, 60, 0, time.Time{}, true)
}

func TestValidationDetailsBecomeProblems(t *testing.T) {
	t.Parallel()
	const own = "Kredete refused this value."
	problem := func(message string, field ...string) lending.Problem {
		return lending.Problem{Kind: lending.KindValidation, Message: message, Field: append([]string{"input"}, field...)}
	}
	detail := func(field, message string) string {
		return fmt.Sprintf(`{"error":{"code":"VALIDATION_ERROR","details":[{"field":%q,"message":%q}]}}`, field, message)
	}
	for _, c := range []struct {
		name, call, body string
		want             []lending.Problem
	}{
		{"the documented one", "apply", string(seed(t, "error.json")), []lending.Problem{
			problem("Amount must be greater than minimum loan amount of 10000", "principal"),
		}},
		{"a field within a field", "apply", detail("disbursement_account.account_number", "is too short"), []lending.Problem{
			problem("is too short", "disbursementAccount", "accountNumber"),
		}},
		{"a customer's field", "create customer", detail("employment.monthly_income", "is missing"), []lending.Problem{
			problem("is missing", "employment", "monthlyIncome"),
		}},
		{"a payment's field", "record payment", detail("payment_reference", "is taken"), []lending.Problem{problem("is taken", "reference")}},
		{"a score's field", "request score", detail("loan_tenure_days", "is too long"), []lending.Problem{problem("is too long", "tenure")}},
		{"a field that nobody knows", "apply", detail("internal.column", "is null"), []lending.Problem{problem("is null")}},
		{"a message with a number", "apply", detail("amount", "account 1234567890 is blocked"), []lending.Problem{problem(own, "principal")}},
		{"a message with six digits", "apply", detail("amount", "OTP 123456 is wrong"), []lending.Problem{problem(own, "principal")}},
		{"a message with a spaced number", "apply", detail("amount", "call 0801 234 5678"), []lending.Problem{problem(own, "principal")}},
		{"a message with an address", "apply", detail("amount", "see https://internal/wiki"), []lending.Problem{problem(own, "principal")}},
		{"a message with an e-mail", "apply", detail("amount", "ask ops@kredete.test"), []lending.Problem{problem(own, "principal")}},
		{"a message with controls", "apply", detail("amount", "a\nb"), []lending.Problem{problem(own, "principal")}},
		{"an endless message", "apply", detail("amount", strings.Repeat("x", 201)), []lending.Problem{problem(own, "principal")}},
		{"one detail instead of a list", "apply", `{"error":{"code":"VALIDATION_ERROR","details":{"field":"amount","message":"no"}}}`, []lending.Problem{problem("no", "principal")}},
		{"no details", "apply", `{"error":{"code":"VALIDATION_ERROR","details":null}}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := failed(t, c.call, reply(http.StatusBadRequest, c.body))
			if diff := cmp.Diff(c.want, e.Problems); diff != "" || e.Kind != lending.KindValidation {
				t.Errorf("%s (-want +got):\n%s", e.Kind, diff)
			}
		})
	}
}

func TestCodesOfAnotherShapeAreDropped(t *testing.T) {
	t.Parallel()
	e := failed(t, "apply", reply(http.StatusBadRequest, `{"error":{"code":"No such customer 08012345678","request_id":{"a":1}}}`))
	if e.ProviderCode != "" || e.RequestID != "" {
		t.Errorf("code %q, request %q", e.ProviderCode, e.RequestID)
	}
	e = failed(t, "apply", reply(http.StatusBadRequest, `{"error":{"code":"08012345678","request_id":"req_1713254460"}}`))
	if e.ProviderCode != "" || e.RequestID != "req_1713254460" {
		t.Errorf("code %q, request %q", e.ProviderCode, e.RequestID)
	}
}

func TestSuccessesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, call, body string }{
		{"a loan without an id", "apply", `{"status":"pending_review"}`},
		{"a loan with an error", "apply", `{"id":"loan_1","error":{"code":"INTERNAL_ERROR"}}`},
		{"a loan with an amount that is no number", "apply", `{"id":"loan_1","amount":"a lot"}`},
		{"a loan with a fraction of a kobo", "apply", `{"id":"loan_1","amount":500000.001}`},
		{"a loan in no currency", "apply", `{"id":"loan_1","amount":500000,"currency":"naira"}`},
		{"a loan below zero", "apply", `{"id":"loan_1","amount":-1}`},
		{"a decision that failed", "disburse", `{"success":false}`},
		{"a decision with an error", "disburse", `{"error":"insufficient funds"}`},
		{"a decision on another loan", "disburse", `{"id":"loan_other","status":"disbursed"}`},
		{"a decision in words", "disburse", `OK`},
		{"a payment without an id", "record payment", `{"status":"completed"}`},
		{"a payment on another loan", "record payment", `{"id":"pmt_1","loan_id":"loan_other"}`},
		{"a payment of an inexact amount", "record payment", `{"id":"pmt_1","amount":0.001}`},
		{"a payment below zero", "record payment", `{"id":"pmt_1","amount":-5}`},
		{"a customer without an id", "create customer", `{"first_name":"Adewale"}`},
		{"a score without a value", "request score", `{"id":"score_1"}`},
		{"a score that is a word", "request score", `{"id":"score_1","score":"good"}`},
		{"a score of another customer", "request score", `{"id":"score_1","score":720,"customer_id":"cust_other"}`},
		{"a webhook with an error", "register webhook", `{"error":{"code":"VALIDATION_ERROR"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := failed(t, c.call, reply(http.StatusOK, c.body))
			if e.Kind != lending.KindOutcomeUnknown || e.Outcome != lending.OutcomeUnknown || e.Retryable {
				t.Errorf("got %s %s retryable %v, want OUTCOME_UNKNOWN", e.Kind, e.Outcome, e.Retryable)
			}
		})
	}
	for _, c := range []struct{ name, call, body string }{
		{"another customer's profile", "profile", `{"id":"cust_other","first_name":"Ngozi"}`},
		{"a profile without an id", "profile", `{}`},
		{"a list that is none", "list profiles", `{"message":"ok"}`},
		{"a list with an error", "list profiles", `{"error":{"code":"X"},"data":[]}`},
		{"a broken list", "list profiles", `[{]`},
		{"a page at the ping", "ping", `<html></html>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := failed(t, c.call, reply(http.StatusOK, c.body))
			if e.Kind != lending.KindUpstreamProtocol || e.Outcome != lending.NotExecuted {
				t.Errorf("got %s %s, want UPSTREAM_PROTOCOL", e.Kind, e.Outcome)
			}
		})
	}
}

func TestPingFailsWithTheProvider(t *testing.T) {
	t.Parallel()
	if e := failed(t, "ping", reply(http.StatusServiceUnavailable, "")); e.Kind != lending.KindUpstreamUnavailable {
		t.Errorf("Ping = %v", e)
	}
}
