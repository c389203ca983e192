package kredete

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// maxAhead is how far in the future an event may lie. Old events are taken: a retry may be days late.
const maxAhead = 5 * time.Minute

// newWebhookBody is the request of seed 000, Configure Webhook.
type newWebhookBody struct {
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Secret string   `json:"secret"`
	Active bool     `json:"active"`
}

// webhookBody is what the answer may tell; none of it is documented.
type webhookBody struct {
	ID        wire.Text `json:"id"`
	URL       wire.Text `json:"url"`
	Active    wire.Bool `json:"active"`
	CreatedAt wire.Text `json:"created_at"`
}

// RegisterWebhook tells Kredete where to send its news (POST /webhooks). Without a secret of its own the
// registration takes the one that webhooks are verified with. There is no call that lists or removes
// registrations, so a second one may double the deliveries.
func (c *client) RegisterWebhook(ctx context.Context, r provider.Registration) (lending.Webhook, error) {
	request, err := c.newWebhook(r)
	if err != nil {
		return lending.Webhook{}, err
	}
	body, err := c.do(ctx, call{
		class: provider.Write, method: http.MethodPost, path: "/webhooks", body: request,
		fields: map[string]string{"url": "url", "events": "events", "active": "active"},
	})
	if err != nil {
		return lending.Webhook{}, err
	}
	made := webhookBody{}
	if len(bytes.TrimSpace(body)) > 0 {
		if made, err = entity[webhookBody](body, "webhook"); err != nil {
			return lending.Webhook{}, garbled(provider.Write, "webhook", err)
		}
	}
	webhook := lending.Webhook{
		Provider: lending.Kredete, ExternalID: made.ID.String(), URL: r.URL, Events: r.Events, Active: r.Active,
		CreatedAt: wire.Timestamp(made.CreatedAt),
	}
	if made.Active.IsSet() {
		webhook.Active = made.Active.True()
	}
	if webhook.CreatedAt.IsZero() {
		webhook.CreatedAt = c.clock().UTC()
	}
	return webhook, nil
}

func (c *client) newWebhook(r provider.Registration) (newWebhookBody, error) {
	var found problems
	request := newWebhookBody{URL: r.URL, Secret: r.Secret, Active: r.Active}
	if request.Secret == "" {
		request.Secret = string(c.webhookSecret)
	}
	found.add(request.URL == "", "Give the address that news is sent to.", "url")
	found.add(request.Secret == "", "No secret is configured that would sign Kredete's webhooks.")
	found.add(len(r.Events) == 0, "Name at least one event.", "events")
	for _, event := range r.Events {
		word := eventWord(event)
		found.add(word == "", "Kredete does not send news of "+string(event)+".", "events")
		request.Events = append(request.Events, word)
	}
	if len(found) > 0 {
		e := lending.Invalid(found...)
		e.Provider = lending.Kredete
		return newWebhookBody{}, e
	}
	return request, nil
}

// Verify checks the signature over the raw body: hex(HMAC-SHA256(secret, body)), seed 000, Webhook
// Signature Verification. The signature holds no time, so a replay is known by its event id alone.
func (c *client) Verify(r provider.WebhookRequest) (provider.Receipt, error) {
	if r.Method != http.MethodPost {
		return provider.Receipt{}, refused(http.StatusMethodNotAllowed, "webhooks are sent with POST")
	}
	if len(c.webhookSecret) == 0 {
		return provider.Receipt{}, refused(http.StatusUnauthorized, "no webhook secret is configured")
	}
	if err := c.verifySignature(r.Header, r.Body); err != nil {
		return provider.Receipt{}, err
	}
	var event eventBody
	_ = wire.Decode(r.Body, &event) // a signed body that cannot be read is kept, and fails when it is translated
	now := r.ReceivedAt
	if now.IsZero() {
		now = c.clock()
	}
	if wire.Timestamp(event.CreatedAt).After(now.Add(maxAhead)) {
		return provider.Receipt{}, refused(http.StatusBadRequest, "the event lies in the future")
	}
	return provider.Receipt{DedupeKey: dedupeKey(event.ID, r.Body)}, nil
}

// verifySignature takes exactly one signature. One header that comes twice is refused, whatever it holds:
// somebody on the way has added one. Two of the names that we know may hold the same.
func (c *client) verifySignature(h http.Header, body []byte) error {
	signature := ""
	for _, name := range c.signatureHeaders {
		values := h.Values(name)
		if len(values) > 1 {
			return refused(http.StatusUnauthorized, "more than one signature")
		}
		for _, value := range values {
			value = strings.ToLower(strings.TrimSpace(value))
			value = strings.TrimPrefix(value, "sha256=")
			if signature != "" && value != signature {
				return refused(http.StatusUnauthorized, "more than one signature")
			}
			signature = value
		}
	}
	if signature == "" {
		return refused(http.StatusUnauthorized, "no signature")
	}
	given, err := hex.DecodeString(signature)
	if err != nil {
		return refused(http.StatusUnauthorized, "the signature is not hexadecimal")
	}
	mac := hmac.New(sha256.New, c.webhookSecret)
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), given) {
		return refused(http.StatusUnauthorized, "the signature does not match")
	}
	return nil
}

func refused(status int, reason string) error {
	return &provider.UnverifiedError{Status: status, Reason: reason}
}

// dedupeKey is the event's id, or a hash of the body where there is none that can be a key.
func dedupeKey(id wire.Text, body []byte) string {
	if isToken(id.String()) && len(id) <= 128 {
		return id.String()
	}
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Acknowledge answers 200 for "received" and 503 for "try again". What Kredete takes for success is not
// documented; any other status of 2xx would do as well.
func (c *client) Acknowledge(failed error) provider.Acknowledgement {
	if failed != nil {
		return provider.Acknowledgement{
			Status: http.StatusServiceUnavailable, ContentType: "application/json", Body: []byte(`{"received":false}`),
		}
	}
	return provider.Acknowledgement{
		Status: http.StatusOK, ContentType: "application/json", Body: []byte(`{"received":true}`),
	}
}
