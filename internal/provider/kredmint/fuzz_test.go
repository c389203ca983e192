package kredmint_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// addSeeds feeds a fuzz target with the examples of the documentation.
func addSeeds(f *testing.F) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte(`{"payload":null,"error":{"code":"E-12"}}`))
	f.Add([]byte(`{"payload":[{"id":1,"creationDate":"17153"},null,"x"]}`))
}

// FuzzAnswers: no answer makes the driver panic, and every failure is of a closed kind.
func FuzzAnswers(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		k := stub(string(body))
		line, readErr := k.CreditLines.CreditLine(t.Context(), username)
		if readErr == nil && line.State == "" {
			t.Error("a line without a state")
		}
		result, payErr := k.Invoices.PayInvoice(t.Context(), supplierInvoice())
		if payErr == nil && !strings.HasPrefix(strings.ToLower(result.RedirectURL), "http") {
			t.Errorf("redirect to %q", result.RedirectURL)
		}
		made, createErr := k.Suppliers.CreateSupplier(t.Context(), newSupplier())
		if createErr == nil && made.ExternalID == "" {
			t.Error("a supplier without an id")
		}
		_, listErr := k.Suppliers.Suppliers(t.Context(), username)
		_, uploadErr := k.Documents.UploadDocument(t.Context(), provider.Upload{
			Kind: lending.InvoiceDocument, Username: username, InvoiceNumber: "1", Content: strings.NewReader("x"),
		})
		for _, err := range []error{readErr, payErr, createErr, listErr, uploadErr} {
			if kind := lending.KindOf(err); err != nil && (!kind.Valid() || kind == lending.KindInternal) {
				t.Errorf("error of kind %q: %v", kind, err)
			}
		}
	})
}

// FuzzWebhook: no body makes the receiver panic; a key is the same each time; a payload is JSON.
func FuzzWebhook(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		first, second := key(t, string(body)), key(t, string(body))
		if first != second {
			t.Errorf("one body, two keys: %s and %s", first, second)
		}
		notice, err := stub("").WebhookReceiver.Translate(body)
		if err != nil {
			if lending.KindOf(err) != lending.KindUpstreamProtocol {
				t.Errorf("error %v", err)
			}
			return
		}
		if !json.Valid(notice.Payload) || notice.Type == "" {
			t.Errorf("notice %+v", notice)
		}
		if notice.Loan != nil && notice.Loan.Loan.Status == "" {
			t.Error("a loan without a status")
		}
	})
}
