//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// crashWebhook is a webhook as the twin sent it.
type crashWebhook struct {
	header http.Header
	body   []byte
}

// deliver sends a webhook to the process; the error says that no answer came.
func (p *crashProcess) deliver(ctx context.Context, w crashWebhook) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, crashPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address+"/webhooks/"+lending.Kredmint.Slug(), bytes.NewReader(w.body))
	if err != nil {
		return 0, err
	}
	request.Header = w.header.Clone()
	response, err := p.client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// mustDeliver sends a webhook that has to be acknowledged.
func (p *crashProcess) mustDeliver(t *testing.T, w crashWebhook) {
	t.Helper()
	if status, err := p.deliver(t.Context(), w); err != nil || status != http.StatusOK {
		t.Fatalf("a webhook was answered with %d, %v", status, err)
	}
}

// crashWhileToldOf loses the answer to an invoice's payment, then dies over the webhooks that tell of it:
// when one is stored and not acknowledged, and when one is applied and not committed. In the end each is an
// event once, and the payment is known to have been made.
func crashWhileToldOf(t *testing.T, b *crashBench) {
	told := make(chan crashWebhook, 10)
	catcher := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		told <- crashWebhook{r.Header, body}
	}))
	defer catcher.Close()
	b.twins.SendWebhooksTo(catcher.URL)
	key := b.key()
	p := b.start(t, "after-send="+key)
	input := map[string]any{
		"idempotencyKey": key, "customerId": b.customers[crashKnown], "invoiceNumber": "INV-" + key,
		"amount": crashMoney("10", lending.INR), "paymentDate": crashToday(),
	}
	if got, err := p.act(t.Context(), crashInvoice, input); err == nil {
		t.Fatalf("an answer came from a process that should be dead: %+v", got)
	}
	p.died(t)
	b.twin(t, http.MethodPost, lending.Kredmint, "webhooks/flush", nil, nil)
	close(told)
	var webhooks []crashWebhook
	for w := range told {
		webhooks = append(webhooks, w)
	}
	p = b.start(t, "delivery-stored")
	if status, err := p.deliver(t.Context(), webhooks[0]); err == nil {
		t.Fatalf("a process that should be dead acknowledged with %d", status)
	}
	p.died(t)
	b.start(t, "delivery-applied").died(t)
	p = b.start(t, "")
	for _, w := range webhooks { // the first again, as its sender does: it was never acknowledged
		p.mustDeliver(t, w)
	}
	crashEventually(t, crashRecovery, "the payment is known", func() bool {
		found := p.operations(t, nil)
		return len(found) == 1 && found[0].Status == string(lending.OpSucceeded) && found[0].Loan != nil && p.events(t) >= len(webhooks)
	})
	if n := p.events(t); n != len(webhooks) {
		t.Errorf("%d webhooks are %d events", len(webhooks), n)
	}
	got := p.mustAct(t, crashInvoice, input)
	if n := b.effects(t, crashInvoice)["INV-"+key]; n != 1 || !got.Operation.Replayed {
		t.Errorf("the invoice was paid %d times, and the key sent again is answered with %+v", n, got.Operation)
	}
}

// events counts what the event log has of invoices.
func (p *crashProcess) events(t *testing.T) int {
	t.Helper()
	var data struct {
		Events struct{ Edges []struct{ Cursor string } }
	}
	problems, err := p.ask(t.Context(), "{ events(filter: {types: [INVOICE_STATUS_CHANGED]}, first: 100) { edges { cursor } } }", nil, &data)
	if err != nil || len(problems) > 0 {
		t.Fatal("events:", err, problems)
	}
	return len(data.Events.Edges)
}
