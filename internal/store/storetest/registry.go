package storetest

import "github.com/creditgraph/creditgraph/internal/lending"

func registryChecks() []check {
	return []check{
		{"a document comes back as it was saved", documentRoundTrip},
		{"a webhook comes back as it was saved", webhookRoundTrip},
	}
}

func documentRoundTrip(b *bench) {
	full := &lending.Document{
		ID: "full", CustomerID: b.customer(), Provider: lending.Kredmint, ExternalID: "x", Name: "invoice.pdf",
		Kind: lending.InvoiceDocument, InvoiceNumber: "INV-1", URL: "https://files.example/x?signature=s",
		URLExpiresAt: at(1), CreatedAt: at(0),
	}
	bare := &lending.Document{ID: "bare", Provider: lending.Kredmint, CreatedAt: at(0)}
	want := map[lending.DocumentID]*lending.Document{"full": full, "bare": bare}
	for range 2 {
		for _, d := range want {
			b.must(b.store.SaveDocument(b.ctx, d))
		}
		found, err := b.store.Documents(b.ctx, []lending.DocumentID{"full", "bare", "none"})
		b.must(err)
		same(b, "documents", found, want)
		full.URL, full.URLExpiresAt = "https://files.example/y", at(2)
	}
	b.wantKind(b.store.SaveDocument(b.ctx, &lending.Document{ID: "d", CustomerID: "nobody"}), lending.KindNotFound)
}

func webhookRoundTrip(b *bench) {
	full := &lending.Webhook{
		ID: "full", Provider: lending.Kredete, ExternalID: "x", URL: "https://us.example/webhooks/kredete",
		Events: []lending.EventType{lending.EventLoanCreated, lending.EventPaymentReceived}, Active: true, CreatedAt: at(0),
	}
	bare := &lending.Webhook{ID: "bare", Provider: lending.Kredete}
	want := map[lending.WebhookID]*lending.Webhook{"full": full, "bare": bare}
	for range 2 {
		for _, w := range want {
			b.must(b.store.SaveWebhook(b.ctx, w))
		}
		found, err := b.store.Webhooks(b.ctx, []lending.WebhookID{"full", "bare", "none"})
		b.must(err)
		same(b, "webhooks", found, want)
		full.Active = false
	}
}
