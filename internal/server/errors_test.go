package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

const listLoans = `{ loans { edges { node { id } } } }`

func TestErrorsAreTheSameToEveryClient(t *testing.T) {
	t.Parallel()
	inside := errors.New("pq: password authentication failed for user secret-9f")
	for name, test := range map[string]struct {
		fail    func() error
		message string
		want    map[string]any
		logged  bool
	}{
		"a refusal": {
			func() error {
				return &lending.Error{
					Kind: lending.KindRateLimited, Provider: lending.Kredete, Retryable: true, Outcome: lending.NotExecuted,
					RetryAfter: 1500 * time.Millisecond, ProviderCode: "RATE_LIMIT_EXCEEDED", Err: inside,
				}
			},
			"Kredete takes no more requests for the moment. Try again later.",
			map[string]any{"code": "RATE_LIMITED", "provider": "KREDETE", "retryable": true, "outcome": "NOT_EXECUTED", "retryAfterSeconds": 2.0, "providerCode": "RATE_LIMIT_EXCEEDED"},
			false,
		},
		"a refusal that something wraps": {
			func() error { return fmt.Errorf("list: %w", lending.NotFound("loan")) }, "There is no such loan.",
			map[string]any{"code": "NOT_FOUND", "retryable": false, "outcome": "NOT_EXECUTED"},
			false,
		},
		"problems with the input": {
			func() error {
				return lending.Invalid(lending.Problem{Kind: lending.KindValidation, Message: "Give one.", Field: []string{"filter", "x"}})
			},
			"The input has problems; each is listed with its field.",
			map[string]any{
				"code": "VALIDATION", "retryable": false, "outcome": "NOT_EXECUTED",
				"problems": []any{map[string]any{"code": "VALIDATION", "message": "Give one.", "field": []any{"filter", "x"}}},
			},
			false,
		},
		"our database": {
			func() error {
				return &lending.Error{Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true, Err: inside}
			},
			"The service's own records cannot be reached at the moment. Try again later.",
			map[string]any{"code": "UNAVAILABLE", "retryable": true, "outcome": "NOT_EXECUTED"},
			true,
		},
		"an error of no kind": {
			func() error { return inside }, "Something went wrong on our side.",
			map[string]any{"code": "INTERNAL", "retryable": false, "outcome": "UNKNOWN"},
			true,
		},
		"a panic": {
			func() error { panic(inside) }, "Something went wrong on our side.",
			map[string]any{"code": "INTERNAL", "retryable": false, "outcome": "UNKNOWN"},
			true,
		},
		"too much time": {
			func() error { return fmt.Errorf("list: %w", context.DeadlineExceeded) }, "The request took too long.",
			map[string]any{"code": "TIMEOUT", "retryable": true, "outcome": "UNKNOWN"},
			false,
		},
		"given up": {
			func() error { return context.Canceled }, "The request was given up.",
			map[string]any{"code": "TIMEOUT", "retryable": false, "outcome": "UNKNOWN"},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.records.listLoans = test.fail
			r := b.request(listLoans, nil)
			r.Header.Set("X-Request-Id", "req-1")
			got := b.send(r)
			test.want["requestId"] = "req-1"
			if len(got.Errors) != 1 || got.Errors[0].Message != test.message {
				t.Fatalf("answered %s", got.text)
			}
			if diff := cmp.Diff(test.want, got.Errors[0].Extensions); diff != "" {
				t.Errorf("extensions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]any{"loans"}, got.Errors[0].Path); diff != "" {
				t.Errorf("path (-want +got):\n%s", diff)
			}
			if strings.Contains(got.text, "secret-9f") || strings.Contains(got.text, "goroutine") {
				t.Errorf("our inside is told: %s", got.text)
			}
			log := b.log.String()
			if logged := strings.Contains(log, "level=ERROR") && strings.Contains(log, "req-1"); logged != test.logged {
				t.Errorf("logged: %s", log)
			}
		})
	}
}

func TestWhatIsWrongWithAQueryIsTheSendersToMend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	pay := `mutation($in: RecordPaymentInput!) { recordPayment(input: $in) { userErrors { message } } }`
	payment := func(change string, value any) map[string]any {
		in := map[string]any{
			"idempotencyKey": "k", "loanId": "x", "amount": map[string]any{"amount": "1.00", "currency": "NGN"},
			"method": "BANK_TRANSFER", "reference": "r", "paidOn": "2026-04-16",
		}
		in[change] = value
		return map[string]any{"in": in}
	}
	for name, test := range map[string]struct {
		query     string
		variables map[string]any
		says      string
	}{
		"no query":                   {"", nil, ""},
		"half a query":               {"{ loans {", nil, "Expected"},
		"an unknown field":           {"{ loans { secrets } }", nil, "secrets"},
		"no selection":               {"{ loans }", nil, "selection"},
		"an unknown operation":       {"query A { viewer { clientId } } query B { viewer { clientId } }", nil, ""},
		"a variable that is missing": {pay, nil, "in"},
		"a field that is missing":    {pay, payment("reference", nil), "reference"},
		"an unknown word":            {pay, payment("method", "SHELLS"), "SHELLS"},
		"an amount of letters":       {pay, payment("amount", map[string]any{"amount": "ten", "currency": "NGN"}), "decimal"},
		"a day that is none":         {pay, payment("paidOn", "2026-02-30"), ""},
		"a currency that is none":    {pay, payment("amount", map[string]any{"amount": "1", "currency": "Naira"}), ""},
		"a page that is a text":      {`query($n: Int) { loans(first: $n) { edges { cursor } } }`, map[string]any{"n": "x"}, ""},
		"a page of fractions":        {`query($n: Int) { loans(first: $n) { edges { cursor } } }`, map[string]any{"n": 1.5}, ""},
		"an age that is none":        {`{ customers { edges { node { creditSummary(freshness: {maxAge: "soon"}) { asOf } } } } }`, nil, ""},
		"a page of a thousand":       {`{ loans(first: 1000) { edges { cursor } } }`, nil, ""},
		"a cursor of another list":   {`{ loans(after: "abc") { edges { cursor } } }`, nil, ""},
		"more than can be read":      {"{" + strings.Repeat(" viewer { clientId }", 700) + "}", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := *b
			b.TB = t
			got := b.ask(test.query, test.variables)
			if len(got.Errors) == 0 {
				t.Fatalf("answered %s", got.text)
			}
			for _, e := range got.Errors {
				if e.Extensions["code"] != "VALIDATION" || e.Extensions["requestId"] != got.header.Get("X-Request-Id") || e.Extensions["retryable"] != false {
					t.Errorf("extensions: %v for %q", e.Extensions, e.Message)
				}
			}
			if !strings.Contains(got.text, test.says) || strings.Contains(got.text, "Something went wrong") {
				t.Errorf("answered %s, want it to name %q", got.text, test.says)
			}
		})
	}
	if log := b.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("it is logged as ours: %s", log)
	}
}

func TestAQueryKnownByItsHashAloneIsAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.send(b.post(strings.NewReader(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"0000000000000000000000000000000000000000000000000000000000000000"}}}`)))
	if got.code() != "PERSISTED_QUERY_NOT_FOUND" || got.Errors[0].Message != "PersistedQueryNotFound" {
		t.Errorf("answered %s", got.text) // clients send the whole query when they read this
	}
}

func TestARequestIsKnownByItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for given, kept := range map[string]bool{"abc-1.2_3": true, "": false, "a b": false, strings.Repeat("x", 65): false, "a\"b": false} {
		r := b.request(`{ viewer { clientId } }`, nil)
		if given != "" {
			r.Header.Set("X-Request-Id", given)
		}
		if got := b.send(r).header.Get("X-Request-Id"); (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
	if log := b.log.String(); !strings.Contains(log, "requestId=abc-1.2_3") {
		t.Errorf("the log: %s", log)
	}
}

func TestTheLogHoldsNeitherQueriesNorVariables(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ask(`query Mine($s: String) { customers(filter: {search: $s}) { edges { node { id } } } }`, map[string]any{"s": "+2348012345678"})
	log := b.log.String()
	if strings.Contains(log, "+2348012345678") || strings.Contains(log, "search") || !strings.Contains(log, "name=Mine") {
		t.Errorf("the log: %s", log)
	}
}

func TestAFieldNeedsItsScope(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.approved("loan-1")
	r := b.request(`{ loans { edges { node { id customer { firstName } } } } viewer { clientId scopes } customers { totalCount } }`, nil)
	r.Header.Set("Authorization", "Bearer "+b.token(auth.ReadLoans))
	got := b.send(r)
	if len(got.Errors) != 2 || got.Data["customers"] != nil {
		t.Fatalf("answered %s", got.text)
	}
	for _, e := range got.Errors {
		if e.Extensions["code"] != "FORBIDDEN" || !strings.Contains(e.Message, "read:customers") {
			t.Errorf("%q %v", e.Message, e.Extensions)
		}
	}
	want := map[string]any{"clientId": "web", "scopes": []any{"read:loans"}}
	if diff := cmp.Diff(want, got.Data["viewer"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r = b.request(`{ viewer { clientId } }`, nil)
	r.Header.Del("Authorization")
	if got := b.send(r); got.status != http.StatusUnauthorized || got.code() != "UNAUTHENTICATED" {
		t.Errorf("without a token: %d %s", got.status, got.text)
	}
}

func TestPersonalNumbersAreMasked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := &lending.Customer{ID: "c1", FirstName: "Ada", Identification: &lending.Identification{Type: lending.NIN, Number: "12345678901"}, CreatedAt: time.Now()}
	if err := b.store.SaveCustomer(t.Context(), customer); err != nil {
		t.Fatal(err)
	}
	for name, id := range map[lending.Provider]string{lending.TrustDecision: "22370756505", lending.Carbon: "carb-12345"} {
		if err := b.store.Link(t.Context(), lending.Identity{CustomerID: "c1", Provider: name, ExternalID: id, LinkedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	query := fmt.Sprintf(`{ customer(id: %q) { identification { number } identities { provider externalId } } }`, customer.NodeID())
	for scopes, want := range map[auth.Scope][]string{
		auth.ReadCustomers: {"*******8901", "*******6505", "carb-12345"},
		auth.ReadPII:       {"12345678901", "22370756505", "carb-12345"},
	} {
		r := b.request(query, nil)
		r.Header.Set("Authorization", "Bearer "+b.token(auth.ReadCustomers, scopes))
		got := b.send(r)
		for _, text := range want {
			if !strings.Contains(got.text, `"`+text+`"`) {
				t.Errorf("%s: %q is missing in %s", scopes, text, got.text)
			}
		}
	}
}
