package providertest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// Harness is what the suite needs to know of a driver.
type Harness struct {
	// New makes the driver against an upstream at baseURL. It is called once for each check.
	New func(t *testing.T, baseURL string) *provider.Provider
	// Aside answers requests that are not the call itself, such as one for a token; it reports whether
	// it did. nil answers none.
	Aside func(w http.ResponseWriter, r *http.Request) bool
	Calls []Call
	// Lacks gives the reason for each capability that the driver does not have.
	Lacks map[lending.Capability]string
	// Secrets are texts that must show in no error: credentials, account numbers, names.
	Secrets []string
	// Webhooks is nil for a provider that sends none.
	Webhooks *WebhookHarness
	// Compare are options for comparing values with the Want of a call.
	Compare cmp.Options
}

// Call is one thing that the driver can be asked, with the provider's own example of an answer.
type Call struct {
	Name       string
	Capability lending.Capability
	Class      provider.Class
	Do         func(ctx context.Context, p *provider.Provider) (any, error)
	// Status and Answer are the example; ContentType "" is application/json.
	Status      int
	ContentType string
	Answer      []byte
	Want        any
	// SentOn401 is how often the request may be sent when the upstream refuses the credentials; 0 is once.
	SentOn401 int
}

var allCapabilities = []lending.Capability{
	lending.CanReadProfiles, lending.CanCreateCustomers, lending.CanReadCreditLines,
	lending.CanApplyForLoans, lending.CanDecideLoans, lending.CanRecordPayments, lending.CanScore,
	lending.CanConfirmScores, lending.CanReport, lending.CanManageSuppliers, lending.CanPayInvoices,
	lending.CanStoreDocuments, lending.CanRegisterWebhooks, lending.CanSendWebhooks,
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	t.Run("capabilities", func(t *testing.T) { capabilities(t, h) })
	for _, call := range h.Calls {
		t.Run(call.Name, func(t *testing.T) {
			t.Parallel()
			example(t, h, call)
			for _, f := range faults {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					f.check(t, h, call)
				})
			}
			for name, body := range junk {
				t.Run("answer is "+name, func(t *testing.T) {
					t.Parallel()
					survives(t, h, call, body)
				})
			}
		})
	}
	if h.Webhooks != nil {
		t.Run("webhooks", func(t *testing.T) { webhooks(t, h) })
	}
}

// capabilities checks that every capability is either offered and called, or lacking with a reason.
func capabilities(t *testing.T, h Harness) {
	p := h.New(t, "http://127.0.0.1:1")
	offered := map[lending.Capability]bool{}
	for _, c := range p.Capabilities() {
		offered[c] = true
	}
	called := map[lending.Capability]bool{lending.CanSendWebhooks: h.Webhooks != nil}
	for _, call := range h.Calls {
		called[call.Capability] = true
	}
	for _, c := range allCapabilities {
		switch reason := h.Lacks[c]; {
		case offered[c] && reason != "":
			t.Errorf("%s is offered, yet a reason is given for lacking it", c)
		case offered[c] && !called[c]:
			t.Errorf("%s is offered, yet no call tries it", c)
		case !offered[c] && reason == "":
			t.Errorf("%s is lacking without a reason", c)
		}
	}
	if p.Pinger == nil {
		t.Error("the driver cannot be pinged")
	}
}

// example checks that the provider's own example is understood, exactly.
func example(t *testing.T, h Harness, call Call) {
	t.Helper()
	up := newUpstream(t, h, respond(call.Status, call.ContentType, call.Answer))
	got, err := call.Do(context.Background(), h.New(t, up.url))
	if err != nil {
		t.Fatalf("the provider's own example fails: %v (%s)", err, lending.AsError(err).Detail())
	}
	if diff := cmp.Diff(call.Want, got, append(compareDomain(), h.Compare)...); diff != "" {
		t.Errorf("the provider's own example is read otherwise (-want +got):\n%s", diff)
	}
	if n := up.requests(); n != 1 {
		t.Errorf("sent %d requests, want 1", n)
	}
}

// survives checks that an answer of an odd shape neither panics nor gives an error of no kind.
func survives(t *testing.T, h Harness, call Call, body string) {
	t.Helper()
	up := newUpstream(t, h, respond(call.Status, "application/json", []byte(body)))
	_, err := call.Do(deadline(t, 5*time.Second), h.New(t, up.url))
	if err != nil {
		wellFormed(t, h, up, err)
	}
	if n := up.requests(); n != 1 {
		t.Errorf("sent %d requests, want 1", n)
	}
}

// junk are bodies of shapes that no contract promises.
var junk = map[string]string{
	"empty":            "",
	"null":             "null",
	"an empty object":  "{}",
	"an empty array":   "[]",
	"a string":         `"ok"`,
	"a number":         "1e999",
	"nested null":      `{"data":null,"payload":null,"error":null,"status":null,"id":null}`,
	"arrays inside":    `{"data":[],"payload":[[]],"status":[],"code":[],"message":{},"id":{}}`,
	"wrong types":      `{"id":1,"amount":"x","status":7,"code":"abc","data":"text","payload":true,"score":{}}`,
	"negative amounts": `{"id":"x","amount":-1,"currency":"NGN","status":"?","code":200,"data":{"status":"?"},"payload":{"id":"x"}}`,
	"a bare word":      "OK",
	"invalid UTF-8":    "{\"id\":\"\xff\xfe\"}",
}

// wellFormed checks what holds for every failure.
func wellFormed(t *testing.T, h Harness, up *upstream, err error) *lending.Error {
	t.Helper()
	e := lending.AsError(err)
	if e.Kind == lending.KindInternal || !e.Kind.Valid() {
		t.Fatalf("an error of no closed kind: %v", err)
	}
	if !e.Provider.Valid() {
		t.Errorf("the error names no provider: %+v", e)
	}
	if !e.Outcome.Valid() {
		t.Errorf("the error tells no outcome: %+v", e)
	}
	if e.Outcome == lending.OutcomeUnknown && e.Kind == lending.KindOutcomeUnknown && e.Retryable {
		t.Errorf("an unknown outcome is called retryable: %+v", e)
	}
	discreet(t, h, up, e)
	return e
}
