package kredmint_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/sandbox/kredmint"
)

func TestWebhooksOfAnyTypeCanBeSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kinds := []string{"NACH", "USER", "PAYMENT", "PAYMENT_SETTLEMENT", "INVOICE"}
	for _, kind := range kinds {
		body := `{"type":"` + kind + `","payload":{"note":"` + kind + `"}}`
		if got := b.admin("/__sandbox/webhooks/send", body); got != http.StatusAccepted {
			t.Errorf("%s: HTTP %d", kind, got)
		}
	}
	for i, h := range b.delivered() {
		want := map[string]any{
			"type": kinds[i], "payload": map[string]any{"note": kinds[i]}, "timestamp": json.Number("1776416400000"),
		}
		if diff := cmp.Diff(want, h.body); diff != "" || h.authorization != hookCredentials {
			t.Errorf("%q %s", h.authorization, diff)
		}
	}
	for _, body := range []string{`{"type":"LOAN","payload":{}}`, `{"type":"NACH","payload":[]}`, `{"type":"NACH"}`, `x`} {
		if got := b.admin("/__sandbox/webhooks/send", body); got != http.StatusBadRequest {
			t.Errorf("%s: HTTP %d", body, got)
		}
	}
	if got := len(b.delivered()); got != len(kinds) {
		t.Errorf("%d webhooks", got)
	}
}

func TestWebhookFaults(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string][]string{
		`{"kind":"duplicate","match":{"event":"INVOICE.Paid"}}`: {"Initiated", "Verified", "Approved", "Paid", "Paid", "Completed"},
		`{"kind":"drop","match":{"event":"INVOICE.Approved"}}`:  {"Initiated", "Verified", "Paid", "Completed"},
		`{"kind":"reorder","match":{"event":"INVOICE.Paid"}}`:   {"Initiated", "Verified", "Approved", "Completed", "Paid"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.admin("/__sandbox/faults", rule)
			b.eligibility(payment(b.mobile(0), "INV-1", "100"))
			var got []string
			for _, h := range b.delivered() {
				got = append(got, h.status())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAForgedWebhookHasAnotherPassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.admin("/__sandbox/faults", `{"kind":"wrong_signature","times":1}`)
	b.eligibility(payment(b.mobile(0), "INV-1", "100"))
	if hooks := b.delivered(); hooks[0].authorization == hookCredentials || hooks[1].authorization != hookCredentials {
		t.Errorf("%q, then %q", hooks[0].authorization, hooks[1].authorization)
	}
}

func TestTheStepsOfAPaymentTakeTheirTime(t *testing.T) {
	t.Parallel()
	spans := make(chan time.Duration, 8)
	b := setup(t, func(o *kredmint.Options) {
		o.Step = time.Minute
		wait := o.Sender.Wait
		o.Sender.Wait = func(ctx context.Context, span time.Duration) error {
			spans <- span
			return wait(ctx, span)
		}
	})
	b.eligibility(payment(b.mobile(0), "INV-1", "100"))
	if got := len(b.delivered()); got != 5 {
		t.Fatalf("%d webhooks", got)
	}
	close(spans)
	var got []time.Duration
	for span := range spans {
		got = append(got, span)
	}
	slices.Sort(got)
	if want := []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute, 4 * time.Minute}; !slices.Equal(got, want) {
		t.Errorf("waits %v, want %v", got, want)
	}
}

func TestTheWebhookMoves(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *kredmint.Options) { o.WebhookURL = "" })
	b.eligibility(payment(b.mobile(0), "INV-1", "100"))
	if got := len(b.delivered()); got != 0 {
		t.Fatalf("%d webhooks to nowhere", got)
	}
	if got := b.admin("/__sandbox/webhook", `{"url":"`+b.target+`"}`); got != http.StatusNoContent {
		t.Fatalf("HTTP %d", got)
	}
	b.eligibility(payment(b.mobile(0), "INV-2", "100"))
	if got := len(b.delivered()); got != 5 {
		t.Errorf("%d webhooks after it was set", got)
	}
}
