// Package trustdecision is the sandbox's stand-in for TrustDecision's Nigerian credit report (seed 001): an
// order over HTTP, the report pushed to a webhook some time later, and a backup query for pushes that were
// missed.
//
// It is written from the seed alone. Where the seed is silent:
//
//   - All refusals come as codes inside of HTTP 200. A body that is not the JSON asked for is 9061, and so
//     is a sequence_id that nobody was given.
//   - partner_code and partner_key are taken from the query, from headers or from the body.
//   - A report that is asked for after 24 hours is 9080, in the words of the seed ("within 48 hours").
//   - A person whom the bureau does not know, and a BVN that belongs to nobody, are no_record.
//
// The BVN 22366507571 has the seed's own report. All other reports are made up in the form of that one, and
// are the same whenever they are asked for on the same day.
//
// Beside the endpoints of [twin.Core] there are
//
//	POST /__sandbox/account {"code":303,"push_code":9500,"backup_code":9083}
//	POST /__sandbox/webhook {"url":"http://127.0.0.1:8080/webhooks/trustdecision"}
//
// The first makes orders, the reports of new orders, or backup queries fail with a code until it is called
// again without it; the second moves the webhook. Rules for webhooks match the events "report.hit",
// "report.no_record" and "report.error".
package trustdecision

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// The paths of the two calls; the seed leaves them to the contract.
const (
	QueryPath  = "/query"
	BackupPath = "/backup"
)

// DefaultDelay is how long a report takes where somebody watches.
const DefaultDelay = 300 * time.Millisecond

// window is how long the backup query finds a report.
const window = 24 * time.Hour

// Options are what a Twin is made of. World and the credentials are needed.
type Options struct {
	World *world.World
	Clock func() time.Time // time.Now where nil
	// Logger is told what the sandbox does; nobody where nil.
	Logger *slog.Logger

	PartnerCode, PartnerKey string // of those who order
	AccessKey, AccessSecret string // of the pushes
	// WebhookURL is where reports are pushed to; "" pushes none. Its own query is kept.
	WebhookURL string
	// SignBase64 writes the pushes' sign in base64; the seed does not say, and hex is the default.
	SignBase64 bool
	// Delay is how long a report takes. At 0 it is there at once.
	Delay time.Duration
	// Institution is the name of those who order, in reports; a made-up one where "".
	Institution string
	// Sender says how pushes are delivered. Attempts is always the seed's: one, and three more.
	Sender twin.SenderOptions
}

// Twin is the stand-in. It is safe for use from many goroutines.
type Twin struct {
	options Options
	core    *twin.Core
	routes  *http.ServeMux

	mu      sync.Mutex
	webhook string
	account account
	orders  map[string]order
	answers int64 // given so far: each has a sequence_id
}

// New makes a twin. [Twin.Stop] has to be called at the end.
func New(o Options) *Twin {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Institution == "" {
		o.Institution = "sandbox finance limited"
	}
	o.Sender.Attempts = 1 + 3
	t := &Twin{
		options: o, webhook: o.WebhookURL, orders: map[string]order{}, routes: http.NewServeMux(),
	}
	t.core = twin.New(twin.Options{Clock: o.Clock, Logger: o.Logger, Refuse: t.fail, Sender: o.Sender})
	t.routes.HandleFunc("POST "+QueryPath, t.takeOrder)
	t.routes.HandleFunc("POST "+BackupPath, t.answerBackup)
	t.core.HandleAdmin("POST /__sandbox/account", t.setAccount)
	t.core.HandleAdmin("POST /__sandbox/webhook", t.moveWebhook)
	return t
}

// Handler serves the provider's calls and the sandbox's own endpoints.
func (t *Twin) Handler() http.Handler { return t.core.Handler(t.routes) }

// SetWebhook moves the address to which reports are pushed from now on; "" pushes none.
func (t *Twin) SetWebhook(url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.webhook = url
}

// Stop ends the pushes. It is safe to call twice.
func (t *Twin) Stop() { t.core.Stop() }

// receipt is an answer that carries a code alone.
type receipt struct {
	Code       int    `json:"code"`
	Message    string `json:"message"`
	SequenceID string `json:"sequence_id"`
}

// refuse answers with a code and its message, under the sequence_id of this call.
func (t *Twin) refuse(w http.ResponseWriter, code int, message string) {
	twin.WriteJSON(w, http.StatusOK, receipt{Code: code, Message: message, SequenceID: t.sequenceID()})
}

// fail is an answer with another status than 200, which only a fault asks for.
func (t *Twin) fail(w http.ResponseWriter, _ *http.Request, status int) {
	twin.WriteJSON(w, status, receipt{Code: codeInternal, Message: "Internal error", SequenceID: t.sequenceID()})
}

// sequenceID is a new id in the form of the seed's "1699272744735016i303341798930550": the time in
// milliseconds, three digits, a letter and fifteen digits. The last ones count, so no two are the same.
func (t *Twin) sequenceID() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers++
	return fmt.Sprintf("%013d%03di%015d", t.options.Clock().UnixMilli(), t.answers%1000, 303341798930549+t.answers)
}

// setAccount puts an account's state in force; codes that are left out are lifted.
func (t *Twin) setAccount(w http.ResponseWriter, r *http.Request) {
	var state account
	if _, err := twin.ReadJSON(r, &state); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	if err := state.check(); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	t.mu.Lock()
	t.account = state
	t.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (t *Twin) moveWebhook(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		URL string `json:"url"`
	}
	if _, err := twin.ReadJSON(r, &wanted); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	t.SetWebhook(wanted.URL)
	w.WriteHeader(http.StatusNoContent)
}

// order is one report that was ordered.
type order struct {
	id      string
	at      time.Time
	bvn     string
	name    string          // as it was ordered
	ext     json.RawMessage // as it was sent; nil where there was none
	failing bool            // its result is "error"
}
