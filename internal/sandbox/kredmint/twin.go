// Package kredmint is the sandbox's stand-in for Kredmint (seed 002): eligibility and payment by credit,
// suppliers, documents, and the webhooks that tell what became of a payment. One handler serves the paths of
// all of Kredmint's hosts. Amounts are in INR.
//
// It is written from the seed alone. Where the seed is silent:
//
//   - A mobile number that nobody has is on-boarded: a user in state IncompleteProfile without a limit. This
//     is an effect ("user.create"), though it comes of a call that only seems to ask.
//   - An amount above the available limit is HTTP 200 with an error in the envelope and no payload. The answer
//     to a payment that is taken shows the limits as they were before it, as the seed's example does.
//   - The same invoiceNumber of the same user again is the same invoice and another payment: one more effect,
//     and the limit falls again. The seed promises nothing else.
//   - Payments are Initiated, Verified, Approved, Paid and Completed, under the one timestamp that the seed's
//     examples share. transactionId comes with Paid, utr with Completed. An amount that ends in .13 is Failed
//     after Verified and one that ends in .14 Cancelled; neither takes anything from the limit.
//   - A source that is not the agreed one is 403, a supplierId that the user does not have 404.
//   - Documents of other kinds than csv, json, pdf, xls and xlsx are 400.
//
// People have none to three suppliers from the start. Beside the endpoints of [twin.Core] there are
//
//	POST /__sandbox/webhooks/send {"type":"NACH","payload":{}}       sends a webhook of any type
//	POST /__sandbox/webhook {"url":"http://127.0.0.1:8080/webhooks/kredmint"}   moves the webhook
//	POST /__sandbox/users {"username":"9887206895","creditLimit":100000}        ends a user's sign-up
//
// Rules for webhooks match the events "INVOICE.Paid" and so on, "NACH", "USER", "PAYMENT" and
// "PAYMENT_SETTLEMENT".
package kredmint

import (
	"crypto/subtle"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// DefaultStep is the time between two webhooks of a payment where somebody watches.
const DefaultStep = 300 * time.Millisecond

// Options are what a Twin is made of. World and Authorization are needed.
type Options struct {
	World  *world.World
	Clock  func() time.Time // time.Now where nil
	Logger *slog.Logger     // nobody is told where nil

	// Authorization is the whole header value of callers, "Basic …".
	Authorization string
	// Source is the agreed source; any is taken where "".
	Source string
	// WebhookURL is where webhooks go; "" sends none. WebhookAuthorization is their whole header value.
	WebhookURL, WebhookAuthorization string
	// MerchantURL begins landing URLs; where "" it is this twin's own address, which has a page there.
	MerchantURL string
	// Step is the time between two webhooks of a payment. At 0 they follow at once.
	Step time.Duration
	// Sender says how webhooks are delivered.
	Sender twin.SenderOptions
}

// Twin is the stand-in. It is safe for use from many goroutines.
type Twin struct {
	options Options
	core    *twin.Core
	routes  *http.ServeMux

	mu      sync.Mutex
	webhook string
	users   map[string]*user // by username
	serial  serial
}

// New makes a twin. [Twin.Stop] has to be called at the end.
func New(o Options) *Twin {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	t := &Twin{
		options: o, webhook: o.WebhookURL, users: map[string]*user{}, routes: http.NewServeMux(), serial: firstSerial,
	}
	t.core = twin.New(twin.Options{Clock: o.Clock, Logger: o.Logger, Refuse: t.refuse, Sender: o.Sender})
	t.route("/user/eligibility", map[string]http.HandlerFunc{http.MethodPost: t.eligibility})
	t.route("/user/document/upload", map[string]http.HandlerFunc{http.MethodPost: t.uploadDocument})
	t.route("/account/supplier", map[string]http.HandlerFunc{
		http.MethodPost: t.createSupplier, http.MethodGet: t.listSuppliers,
	})
	t.route("/account/invoice/upload", map[string]http.HandlerFunc{http.MethodPost: t.uploadInvoice})
	t.routes.HandleFunc("GET /auth/", landing)
	t.routes.HandleFunc("/", t.guarded(func(w http.ResponseWriter, r *http.Request) {
		t.refuse(w, r, http.StatusNotFound)
	}))
	t.core.HandleAdmin("POST /__sandbox/webhooks/send", t.sendWebhook)
	t.core.HandleAdmin("POST /__sandbox/webhook", t.moveWebhook)
	t.core.HandleAdmin("POST /__sandbox/users", t.activate)
	return t
}

// Handler serves the provider's calls and the sandbox's own endpoints.
func (t *Twin) Handler() http.Handler { return t.core.Handler(t.routes) }

// SetWebhook moves the address to which webhooks go from now on; "" sends none.
func (t *Twin) SetWebhook(url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.webhook = url
}

// Stop ends the webhooks. It is safe to call twice.
func (t *Twin) Stop() { t.core.Stop() }

// route serves a path by method; other methods are refused as the error table says.
func (t *Twin) route(path string, by map[string]http.HandlerFunc) {
	for method, handle := range by {
		t.routes.HandleFunc(method+" "+path, t.guarded(handle))
	}
	t.routes.HandleFunc(path, t.guarded(func(w http.ResponseWriter, r *http.Request) {
		t.refuse(w, r, http.StatusMethodNotAllowed)
	}))
}

// guarded lets in who has the agreed header and takes JSON.
func (t *Twin) guarded(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		authorization := []byte(r.Header.Get("Authorization"))
		switch {
		case subtle.ConstantTimeCompare(authorization, []byte(t.options.Authorization)) != 1:
			t.refuse(w, r, http.StatusUnauthorized)
		case !takesJSON(r.Header.Get("Accept")):
			t.refuse(w, r, http.StatusNotAcceptable)
		default:
			handle(w, r)
		}
	}
}

// takesJSON reports whether an Accept header allows JSON; none allows everything.
func takesJSON(accept string) bool {
	for _, part := range strings.Split(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "", "*/*", "application/*", "application/json":
			return true
		}
	}
	return false
}

// succeed answers with a payload.
func (t *Twin) succeed(w http.ResponseWriter, payload any) {
	twin.WriteJSON(w, http.StatusOK, answer{Payload: payload, Sum: nothing, Timestamp: t.millis()})
}

// decline answers with HTTP 200 and an error in the envelope.
func (t *Twin) decline(w http.ResponseWriter, why string) {
	twin.WriteJSON(w, http.StatusOK, answer{Sum: nothing, Timestamp: t.millis(), Error: &why})
}

// refuse answers with a status of the seed's error table and its meaning.
func (t *Twin) refuse(w http.ResponseWriter, _ *http.Request, status int) {
	t.refuseAs(w, status, meaning(status))
}

func (t *Twin) refuseAs(w http.ResponseWriter, status int, why string) {
	twin.WriteJSON(w, status, answer{Sum: nothing, Timestamp: t.millis(), Error: &why})
}

// badRequest names the fields that are missing or wrong.
func (t *Twin) badRequest(w http.ResponseWriter, fields ...string) {
	t.refuseAs(w, http.StatusBadRequest, meaning(http.StatusBadRequest)+": "+strings.Join(fields, ", "))
}

// millis is now, as timestamps are written.
func (t *Twin) millis() int64 { return t.options.Clock().UnixMilli() }

// nothing is the sum of every envelope.
var nothing = rupees{lending.NewMoney(0, lending.INR)}

// meaning is the text of the seed's error table.
func meaning(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "Bad Request -- Your request is invalid."
	case http.StatusUnauthorized:
		return "Unauthorized -- Your API key is wrong."
	case http.StatusForbidden:
		return "Forbidden -- Your API key is not for requested resource."
	case http.StatusNotFound:
		return "Not Found -- The specified api/resource could not be found."
	case http.StatusMethodNotAllowed:
		return "Method Not Allowed -- You tried to access with an invalid method."
	case http.StatusNotAcceptable:
		return "Not Acceptable -- You requested a format that isn't json."
	case http.StatusTeapot:
		return "I'm a teapot."
	case http.StatusTooManyRequests:
		return "Too Many Requests -- You're requesting too many request! Slow down!"
	case http.StatusServiceUnavailable:
		return "Service Unavailable -- We're temporarily offline for maintenance. Please try again later."
	}
	return "Internal Server Error -- We had a problem with our server. Try again later."
}
