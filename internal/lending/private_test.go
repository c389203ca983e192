package lending_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// TestPersonalTypesPrintNothing prints and logs each type that holds personal data in every way there is. A structure that
// slog is handed with such a value inside goes to the log's handler, which lets no structure through.
func TestPersonalTypesPrintNothing(t *testing.T) {
	t.Parallel()
	const canary = "canary"

	for _, value := range []any{
		lending.Identification{Number: canary},
		lending.Address{Street: canary},
		lending.Employment{Employer: canary},
		lending.Customer{FirstName: canary, Email: canary, Phone: canary},
		lending.Identity{ExternalID: canary},
		lending.Profile{ExternalID: canary, Email: canary},
		lending.CreditLine{UserID: canary},
		lending.CustomerFilter{Search: canary},
		lending.Operation{Input: []byte(canary), Evidence: canary},
		lending.Event{Payload: []byte(canary)},
		lending.BankAccount{AccountNumber: canary, AccountName: canary},
		lending.Loan{FailureReason: canary},
		lending.ReportSubject{Name: canary},
		lending.ReportContent{BVN: canary},
		lending.Supplier{Name: canary, Mobile: canary, TaxID: canary},
		lending.Document{URL: canary},
	} {
		t.Run(fmt.Sprintf("%T", value), func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			shapes := []any{value, &value, []any{value}, map[string]any{"it": value}, struct{ It any }{value}}
			for _, shape := range shapes {
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
					fmt.Fprintln(&out, fmt.Errorf("outer: "+verb, shape))
				}
			}
			logger := slog.New(slog.NewJSONHandler(&out, nil))
			logger.Info("said", "it", value, slog.Group("group", "it", value))
			slog.New(slog.NewTextHandler(&out, nil)).With("it", value).Info("said")
			if text := out.String(); strings.Contains(strings.ToLower(text), canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) || strings.Contains(text, "99 97 110") {
				t.Errorf("it prints\n%s", text)
			}
			if !strings.Contains(out.String(), "[private]") {
				t.Error("it does not say that it is there")
			}
		})
	}
}

// TestPrivacyIsNoPartOfTheJSON checks that what is kept and sent stays as it was.
func TestPrivacyIsNoPartOfTheJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(lending.Identification{Type: lending.BVN, Number: "22222222222"})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"type":"BVN","number":"22222222222"}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}
