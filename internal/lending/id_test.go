package lending_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var nodeKinds = []lending.NodeKind{
	lending.CustomerNode, lending.LoanNode, lending.PaymentNode, lending.ScoreNode, lending.ReportNode,
	lending.SupplierNode, lending.DocumentNode, lending.WebhookNode, lending.OperationNode, lending.EventNode,
	lending.ProviderNode,
}

func TestAGlobalIDNamesOneNode(t *testing.T) {
	t.Parallel()
	ids := rapid.StringMatching(`[ -~]{1,120}`)
	rapid.Check(t, func(t *rapid.T) {
		kind, id := rapid.SampledFrom(nodeKinds).Draw(t, "kind"), ids.Draw(t, "id")
		text := lending.GlobalID(kind, id)
		if gotKind, got, err := lending.ParseGlobalID(text); err != nil || gotKind != kind || got != id {
			t.Fatalf("%s %q became %s %q, %v", kind, id, gotKind, got, err)
		}
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%q is not safe in a URL", text)
		}
		for _, other := range nodeKinds {
			got, err := lending.ParseID[lending.LoanID](other, text)
			if (err == nil) != (other == kind) || err == nil && got != lending.LoanID(id) {
				t.Fatalf("as a %s it is %q, %v", other, got, err)
			}
		}
		otherKind, otherID := rapid.SampledFrom(nodeKinds).Draw(t, "other kind"), ids.Draw(t, "other id")
		if same := kind == otherKind && id == otherID; (lending.GlobalID(otherKind, otherID) == text) != same {
			t.Fatalf("%s %q and %s %q", kind, id, otherKind, otherID)
		}
	})
}

func TestOtherTextIsNoGlobalID(t *testing.T) {
	t.Parallel()
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, text := range []string{
		"", "=", "loan_1", "%%%", "Loan:1", encode("Loan"), encode("Loan:"), encode("Loan:a\nb"), encode("Loan:a\x00"),
		encode("Loan:é"), encode("Loan:\x7f"), base64.StdEncoding.EncodeToString([]byte("Loan:>>>???")),
		encode("Loan:" + strings.Repeat("a", 300)),
	} {
		if kind, id, err := lending.ParseGlobalID(text); !errors.Is(err, lending.ErrNotID) || kind != "" || id != "" {
			t.Errorf("%q became %s %q, %v", text, kind, id, err)
		}
		if id, err := lending.ParseID[lending.LoanID](lending.LoanNode, text); !errors.Is(err, lending.ErrNotID) || id != "" {
			t.Errorf("%q became loan %q, %v", text, id, err)
		}
	}
	if _, id, err := lending.ParseGlobalID(base64.URLEncoding.EncodeToString([]byte("Loan:1"))); err != nil || id != "1" {
		t.Errorf("with padding it became %q, %v", id, err)
	}
}

func TestASupplierIsNamedByCustomerAndProvider(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		customer := lending.CustomerID(rapid.StringMatching(`[a-z0-9-]{1,40}`).Draw(t, "customer"))
		external := rapid.StringMatching(`[ -~]{1,40}`).Draw(t, "external id")
		text := lending.SupplierID(customer, lending.Kredmint, external)
		gotCustomer, gotExternal, ok := lending.ParseSupplierID(text)
		if !ok || gotCustomer != customer || gotExternal != external {
			t.Fatalf("%q %q became %q %q, %t", customer, external, gotCustomer, gotExternal, ok)
		}
	})
	for _, text := range []string{
		"", lending.GlobalID(lending.LoanNode, "c:KREDMINT:x"), lending.GlobalID(lending.SupplierNode, "c"),
		lending.GlobalID(lending.SupplierNode, "c:KREDMINT"), lending.GlobalID(lending.SupplierNode, "c:KREDMINT:"),
		lending.GlobalID(lending.SupplierNode, ":KREDMINT:x"),
	} {
		if _, _, ok := lending.ParseSupplierID(text); ok {
			t.Errorf("%q was taken for a supplier", text)
		}
	}
}

func FuzzParseGlobalID(f *testing.F) {
	f.Add(lending.GlobalID(lending.LoanNode, "0190-abc"))
	f.Add("TG9hbjo=")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		kind, id, err := lending.ParseGlobalID(text)
		if err != nil {
			if !errors.Is(err, lending.ErrNotID) || kind != "" || id != "" {
				t.Fatalf("%q: %s %q, %v", text, kind, id, err)
			}
			return
		}
		againKind, again, err := lending.ParseGlobalID(lending.GlobalID(kind, id))
		if id == "" || err != nil || againKind != kind || again != id {
			t.Fatalf("%q is %s %q, which becomes %s %q, %v", text, kind, id, againKind, again, err)
		}
	})
}
