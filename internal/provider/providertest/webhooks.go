package providertest

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// WebhookHarness is what the suite needs to know of a provider's webhooks.
type WebhookHarness struct {
	// Sign makes the request by which the provider would send body.
	Sign func(body []byte) provider.WebhookRequest
	// Credentials are the headers and query parameters that carry the proof: without any one of them, or
	// with one of them doubled, the request is refused.
	Credentials []string
	// CoversBody says that the proof covers the body.
	CoversBody bool
	Examples   []WebhookExample
}

// WebhookExample is one of the provider's own webhooks, and what it tells.
type WebhookExample struct {
	Name string
	Body []byte
	Want provider.Notice // Payload is not compared
}

func webhooks(t *testing.T, h Harness) {
	hooks := h.Webhooks
	receiver := h.New(t, "http://127.0.0.1:1").WebhookReceiver
	if receiver == nil {
		t.Fatal("a harness for webhooks, and no receiver")
	}
	keys := map[string]string{}
	for _, example := range hooks.Examples {
		t.Run(example.Name, func(t *testing.T) {
			receipt, err := receiver.Verify(hooks.Sign(example.Body))
			if err != nil {
				t.Fatalf("the provider's own example is refused: %v", err)
			}
			again, err := receiver.Verify(hooks.Sign(example.Body))
			if err != nil || again.DedupeKey != receipt.DedupeKey || receipt.DedupeKey == "" {
				t.Errorf("a second delivery has key %q (%v), the first %q", again.DedupeKey, err, receipt.DedupeKey)
			}
			if other, taken := keys[receipt.DedupeKey]; taken {
				t.Errorf("has the dedupe key of %q", other)
			}
			keys[receipt.DedupeKey] = example.Name
			refusals(t, hooks, receiver, example.Body)
			translation(t, h, receiver, example)
		})
	}
	t.Run("bodies of odd shapes", func(t *testing.T) {
		for name, body := range junk {
			if _, err := receiver.Translate([]byte(body)); err != nil && lending.KindOf(err) != lending.KindUpstreamProtocol {
				t.Errorf("%s: kind %s, want UPSTREAM_PROTOCOL", name, lending.KindOf(err))
			}
		}
	})
	t.Run("acknowledgement", func(t *testing.T) {
		if a := receiver.Acknowledge(nil); a.Status != http.StatusOK {
			t.Errorf("received is answered %d, want 200", a.Status)
		}
		if a := receiver.Acknowledge(errors.New("no database")); a.Status < 500 {
			t.Errorf("not stored is answered %d, want a server error so that it is sent again", a.Status)
		}
	})
}

// refusals takes the proof of a good request apart, piece by piece.
func refusals(t *testing.T, hooks *WebhookHarness, receiver provider.WebhookReceiver, body []byte) {
	t.Helper()
	refuse := func(what string, change func(r *provider.WebhookRequest)) {
		t.Helper()
		r := hooks.Sign(body)
		r.Header, r.Query = r.Header.Clone(), url.Values(http.Header(r.Query).Clone())
		change(&r)
		_, err := receiver.Verify(r)
		refused, ok := errors.AsType[*provider.UnverifiedError](err)
		if !ok {
			t.Errorf("%s: accepted or failed otherwise: %v", what, err)
			return
		}
		if refused.Status < 400 || refused.Status > 499 || refused.Reason == "" {
			t.Errorf("%s: refused with status %d and reason %q", what, refused.Status, refused.Reason)
		}
	}
	refuse("another method", func(r *provider.WebhookRequest) { r.Method = http.MethodGet })
	for _, name := range hooks.Credentials {
		refuse("without "+name, func(r *provider.WebhookRequest) {
			r.Header.Del(name)
			r.Query.Del(name)
		})
		refuse("with a wrong "+name, func(r *provider.WebhookRequest) {
			if r.Header.Get(name) != "" {
				r.Header.Set(name, "0123456789abcdef0123456789abcdef01234567")
				return
			}
			r.Query.Set(name, "0123456789abcdef0123456789abcdef01234567")
		})
		refuse("with two different "+name, func(r *provider.WebhookRequest) {
			if r.Header.Get(name) != "" {
				r.Header.Add(name, "another")
				return
			}
			r.Query.Add(name, "another")
		})
	}
	if hooks.CoversBody {
		refuse("with another body", func(r *provider.WebhookRequest) { r.Body = append(bytes.Clone(r.Body), ' ') })
	}
}

func translation(t *testing.T, h Harness, receiver provider.WebhookReceiver, example WebhookExample) {
	t.Helper()
	notice, err := receiver.Translate(example.Body)
	if err != nil {
		t.Fatalf("the provider's own example cannot be read: %v", err)
	}
	for _, secret := range h.Secrets {
		if secret != "" && strings.Contains(string(notice.Payload), secret) {
			t.Errorf("the payload for the event log tells %q", secret)
		}
	}
	payload := notice.Payload
	notice.Payload = nil
	want := example.Want
	want.Payload = nil
	if diff := cmp.Diff(want, notice, append(compareDomain(), h.Compare, cmp.Comparer(time.Time.Equal))...); diff != "" {
		t.Errorf("read otherwise (-want +got):\n%s", diff)
	}
	if len(payload) > 0 && payload[0] != '{' {
		t.Errorf("the payload is no JSON object: %.40s", payload)
	}
}
