package kredete

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// SignatureHeader carries the signature of a webhook: the HMAC-SHA256 of the body under the registered
// secret, in hexadecimal (seed 000, Webhook Signature Verification, which leaves the header's name open).
const SignatureHeader = "X-Kredete-Signature"

// Events are the types of webhooks (seed 000, Configure Webhook).
func Events() []string {
	return []string{
		"loan.created", "loan.approved", "loan.disbursed", "loan.repayment", "customer.kyc_verified",
		"payment.received",
	}
}

// hook is an address that wants to be told.
type hook struct {
	url, secret string
	events      []string
}

// newWebhook is the body of Configure Webhook.
type newWebhook struct {
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Secret string   `json:"secret"`
	Active bool     `json:"active"`
}

func (n *newWebhook) check() checks {
	var c checks
	target, err := url.Parse(n.URL)
	c.that(err == nil && target.Host != "" && (target.Scheme == "https" || target.Scheme == "http"), "url",
		"url must be an address")
	c.that(len(n.Events) > 0, "events", "events is required")
	for _, event := range n.Events {
		c.that(slices.Contains(Events(), event), "events", "events has an event that is not known")
	}
	c.required("secret", n.Secret)
	return c
}

// wireWebhook is the answer, whose form seed 000 leaves open. It does not repeat the secret.
type wireWebhook struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Events    []string  `json:"events"`
	Active    bool      `json:"active"`
	CreatedAt time.Time `json:"created_at"`
}

func (t *Twin) registerWebhook(w http.ResponseWriter, r *http.Request) {
	var asked newWebhook
	body, ok := t.read(w, r, &asked)
	if !ok {
		return
	}
	if problems := asked.check(); len(problems) > 0 {
		t.fail(w, http.StatusBadRequest, problems)
		return
	}
	made := wireWebhook{t.ids.Next("wh_"), asked.URL, asked.Events, asked.Active, t.now()}
	if asked.Active {
		t.subscribe(hook{url: asked.URL, secret: asked.Secret, events: asked.Events})
	}
	t.core.Effects.Record(twin.Effect{
		Operation: "webhook.register", Key: made.ID, EntityID: made.ID, Fingerprint: twin.Fingerprint(body),
	})
	twin.WriteJSON(w, http.StatusCreated, made)
}

// Subscribe registers an address for all events, as Configure Webhook does.
func (t *Twin) Subscribe(address, secret string) {
	t.subscribe(hook{url: address, secret: secret, events: Events()})
}

func (t *Twin) subscribe(h hook) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hooks = append(t.hooks, h)
}

// event is a webhook's body (seed 000, Webhook Payload Example).
type event struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	CreatedAt time.Time `json:"created_at"`
	Data      any       `json:"data"`
}

// publish tells everybody who wants to know that something happened now. The lock is held.
func (t *Twin) publish(kind, about string, data any) {
	happened := event{ID: t.ids.Next("evt_"), Type: kind, CreatedAt: t.now(), Data: data}
	for _, d := range t.deliveries(happened, about) {
		t.core.Sender.Send(d)
	}
}

// deliveries are an event's webhooks, one for each address that wants it. The lock is held.
func (t *Twin) deliveries(e event, about string) []twin.Delivery {
	body, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("kredete: an event that is no JSON: %v", err))
	}
	var all []twin.Delivery
	for _, h := range t.hooks {
		if slices.Contains(h.events, e.Type) {
			all = append(all, twin.Delivery{Event: e.Type, Key: about, URL: h.url, Body: body, Sign: h.sign})
		}
	}
	return all
}

// sign signs with the secret, or with another one where the signature is not to be valid.
func (h hook) sign(r *http.Request, body []byte, valid bool) {
	secret := h.secret
	if !valid {
		secret += "?"
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	r.Header.Set(SignatureHeader, hex.EncodeToString(mac.Sum(nil)))
}
