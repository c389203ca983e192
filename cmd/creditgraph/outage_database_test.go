package main

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// behindGate is a program on PostgreSQL, with a gate before it.
func behindGate(t *testing.T) (*program, *gate) {
	t.Helper()
	var g *gate
	p := boot(t, setup{customers: 3, postgres: true, adjust: func(c *config.Config) {
		address, err := url.Parse(string(c.DatabaseURL))
		if err != nil {
			t.Fatal(err)
		}
		g = newGate(t, address.Host)
		address.Host = g.address
		c.DatabaseURL = config.Secret(address.String())
	}})
	return p, g
}

// codes are those of an answer's errors, each once.
func (a *answer) codes() []string {
	var codes []string
	for _, e := range a.Errors {
		codes = append(codes, e.Extensions.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// TestTheDatabaseGoesAwayAndComesBack cuts the program off from PostgreSQL. What rests on providers goes on,
// what rests on records says so, nothing is sent that could not be written down, and all of it is well again by
// itself.
func TestTheDatabaseGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	t.Run("PostgreSQL", func(t *testing.T) {
		if os.Getenv(postgresVariable) == "" {
			t.Skipf("%s names no server", postgresVariable)
		}
		t.Parallel()
		for _, outage := range []struct {
			name string
			cut  func(*gate)
		}{
			{"refused", (*gate).refuse},
			{"hung", (*gate).hang},
		} {
			t.Run(outage.name, func(t *testing.T) {
				t.Parallel()
				p, g := behindGate(t)
				w := &severed{program: p, customer: p.person(t, 0)}
				w.healthy(t)
				outage.cut(g)
				w.check(t)
				g.open()
				eventually(t, "the program is ready again", func() bool { return w.status(t, "/readyz") == http.StatusOK })
				eventually(t, "records are read again", func() bool { return len(w.loans(t).Errors) == 0 })
				w.healthy(t)
				w.acts(t)
			})
		}
	})
}

// severed is a program and the customer who was asked for before its database went away.
type severed struct {
	*program
	customer string
}

func (w *severed) summary(t *testing.T) *answer {
	t.Helper()
	return w.ask(t, "CustomerCreditSummary", map[string]any{"id": w.customer})
}

func (w *severed) loans(t *testing.T) *answer {
	t.Helper()
	return w.query(t, `{ loans(first: 5) { edges { node { id } } } }`, nil)
}

func (w *severed) healthy(t *testing.T) {
	t.Helper()
	a := w.summary(t)
	a.mustBeClean(t, "the summary")
	if a.sections()["scores"] == nil {
		t.Errorf("no scores: %s", a.text)
	}
	w.loans(t).mustBeClean(t, "loans")
}

// status is how an address of the program answers.
func (w *severed) status(t *testing.T, path string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.address()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.sent(t, request)
}

func (w *severed) sent(t *testing.T, request *http.Request) int {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// check asks for everything while the database is away.
func (w *severed) check(t *testing.T) {
	t.Helper()
	a := w.summary(t)
	if codes := a.codes(); !slices.Equal(codes, []string{"UNAVAILABLE"}) && !slices.Equal(codes, []string{"TIMEOUT"}) {
		t.Errorf("the summary's errors: %v in %s", codes, a.text)
	}
	sections := a.sections()
	if sections == nil || sections["creditLines"] == nil || sections["scores"] != nil || sections["exposure"] != nil || sections["bureau"] != nil {
		t.Errorf("the summary: %s", a.text)
	}
	sources := a.sources()
	for _, name := range lending.Providers() {
		asked := isAsked(name)
		if status := sources[string(name)]; asked != (status == "CACHED" || status == "FRESH") || !asked != (status == "UNAVAILABLE") {
			t.Errorf("%s is %s", name, status)
		}
	}
	if took := a.took; took > patientAnswer {
		t.Errorf("the summary took %s", took)
	}
	if loans := w.loans(t); !slices.Contains([]string{"UNAVAILABLE", "TIMEOUT"}, strings.Join(loans.codes(), " ")) || loans.took > patientAnswer {
		t.Errorf("loans after %s: %s", loans.took, loans.text)
	}
	if a := w.query(t, `{ providers { provider status } }`, nil); len(a.Errors) > 0 {
		t.Errorf("providers: %s", a.text)
	}
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		if status := w.status(t, path); status != want {
			t.Errorf("%s answers %d", path, status)
		}
	}
	w.takesNoWebhook(t)
	w.sendsNothing(t)
}

// patientAnswer is the longest that an answer may take while the database does not answer: its reads' budget,
// and what a busy machine adds.
const patientAnswer = 15 * time.Second

// takesNoWebhook sends one that cannot be stored: the provider has to try again.
func (w *severed) takesNoWebhook(t *testing.T) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.address()+"/webhooks/kredmint", strings.NewReader(
		`{"event":"INVOICE","eventType":"INVOICE","status":"Paid","timestamp":1716865119200,"invoiceNumber":"INV-1","transactionId":"tx-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", string(w.settings.Kredmint.WebhookAuthorization))
	if status := w.sent(t, request); status != http.StatusServiceUnavailable {
		t.Errorf("a webhook is answered with %d", status)
	}
}

// sendsNothing applies for a loan that cannot be written down.
func (w *severed) sendsNothing(t *testing.T) {
	t.Helper()
	made := w.upstream(t, func() {
		a := w.apply(t, "unwritten")
		if codes := a.codes(); !slices.Contains([]string{"UNAVAILABLE", "TIMEOUT"}, strings.Join(codes, " ")) {
			t.Errorf("the application: %s", a.text)
		}
		for _, e := range a.Errors {
			if e.Extensions.Outcome != string(lending.NotExecuted) {
				t.Errorf("the outcome is %s: %s", e.Extensions.Outcome, a.text)
			}
		}
	})
	for name, calls := range made {
		for route := range calls {
			if strings.HasPrefix(route, "POST ") && strings.Contains(route, "loans") {
				t.Errorf("%s was called: %v", name, calls)
			}
		}
	}
}

func (w *severed) apply(t *testing.T, key string) *answer {
	t.Helper()
	vars := variables(t, "ApplyForLoan", map[string]string{"customer": w.customer})
	input(vars)["idempotencyKey"] = key
	return w.ask(t, "ApplyForLoan", vars)
}

// acts applies with the same key again, now that it can be written down.
func (w *severed) acts(t *testing.T) {
	t.Helper()
	w.apply(t, "unwritten").mustBeClean(t, "the application")
}
