package kredmint_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestCreditLineOfTheSeed(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, seed(t, "profile.json"))
	line, err := k.CreditLines.CreditLine(t.Context(), "+919887206895")
	if err != nil {
		t.Fatal(err)
	}
	zero := lending.NewMoney(0, lending.INR)
	want := lending.CreditLine{
		Provider: lending.Kredmint, State: lending.LineIncomplete, ProviderState: "IncompleteProfile",
		Limit: &zero, Available: &zero, Outstanding: &zero, UserID: "USR-2233",
	}
	if diff := cmp.Diff(want, line, compareMoney); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	got := k.Calls()[0]
	if got.Method != http.MethodPost || got.Path != "/user/eligibility" {
		t.Errorf("sent %s %s", got.Method, got.Path)
	}
	if got.Header.Get("Authorization") != authorization || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", got.Header)
	}
	wantJSON(t, "profile_request.golden.json", got.Body)
}

func TestCreditLineReadsWhatItCan(t *testing.T) {
	t.Parallel()
	rupees := func(text string) *lending.Money { return new(lending.MustMoney(text, lending.INR)) }
	for name, test := range map[string]struct {
		payload string
		want    lending.CreditLine
	}{
		"active with limits as strings": {
			`{"state":" ACTIVE ","creditLimit":"1,00,000.00","availableCreditLimit":"75000.5","totalOutstanding":24999.5}`,
			lending.CreditLine{State: lending.LineActive, ProviderState: "ACTIVE", Limit: rupees("100000"), Available: rupees("75000.5"), Outstanding: rupees("24999.50")},
		},
		"amounts that are not told": {
			`{"state":"Active","creditLimit":null,"availableCreditLimit":"na"}`,
			lending.CreditLine{State: lending.LineActive, ProviderState: "Active"},
		},
		"a list of one": {
			`[{"state":"Active","creditLimit":1e5}]`,
			lending.CreditLine{State: lending.LineActive, ProviderState: "Active", Limit: rupees("100000")},
		},
		"a word that nobody knows is not active": {
			`{"state":"Activated","creditLimit":1}`,
			lending.CreditLine{State: lending.LineUnknown, ProviderState: "Activated", Limit: rupees("1")},
		},
		"a user id that is none": {
			`{"state":"Active","landingUrl":"https://example.com/?userId=%3Cscript%3E"}`,
			lending.CreditLine{State: lending.LineActive, ProviderState: "Active"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, `{"payload":`+test.payload+`,"error":null}`)
			line, err := k.CreditLines.CreditLine(t.Context(), username)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Provider = lending.Kredmint
			if diff := cmp.Diff(test.want, line, compareMoney); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCreditLineRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"no payload":            `null`,
		"an empty payload":      `{}`,
		"a text":                `"Active"`,
		"a part of a paisa":     `{"state":"Active","creditLimit":100.005}`,
		"no number":             `{"state":"Active","totalOutstanding":"a lot"}`,
		"a decimal comma":       `{"state":"Active","creditLimit":"13,9691"}`,
		"more than money holds": `{"state":"Active","availableCreditLimit":1e30}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, `{"payload":`+payload+`}`)
			_, err := k.CreditLines.CreditLine(t.Context(), username)
			if got := lending.AsError(err); got == nil || got.Kind != lending.KindUpstreamProtocol || got.Outcome != lending.NotExecuted {
				t.Errorf("error %#v, want UPSTREAM_PROTOCOL", err)
			}
		})
	}
}

func TestCreditLineWarnsOnceOfAnUnknownWord(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, `{"payload":{"state":"Paused"}}`)
	for range 3 {
		if _, err := k.CreditLines.CreditLine(t.Context(), username); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(k.Log.String(), "word=Paused"); got != 1 {
		t.Errorf("%d warnings, want one:\n%s", got, k.Log)
	}
}

// What looks like personal data is not a word to be logged.
func TestCreditLineDoesNotLogAnOddWord(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, `{"payload":{"state":"blocked for 9887206895"}}`)
	if _, err := k.CreditLines.CreditLine(t.Context(), username); err != nil {
		t.Fatal(err)
	}
	if log := k.Log.String(); strings.Contains(log, username) || !strings.Contains(log, "unknown word") {
		t.Errorf("log: %s", log)
	}
}

func TestCreditLineSendsNothingWithoutAUsername(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, seed(t, "profile.json"))
	_, err := k.CreditLines.CreditLine(t.Context(), "")
	if lending.KindOf(err) != lending.KindValidation || len(k.Calls()) != 0 {
		t.Errorf("error %v after %d calls", err, len(k.Calls()))
	}
}

// The digits on the wire are the digits of the amount, in either direction.
func TestMoneyIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := lending.NewMoney(rapid.Int64Range(1, 9_007_199_254_740_991).Draw(t, "paise"), lending.INR)
		line := stub(fmt.Sprintf(`{"payload":{"creditLimit":%s,"landingUrl":"https://example.com/"}}`, amount.Amount()))
		got, err := line.CreditLines.CreditLine(t.Context(), username)
		if err != nil || got.Limit == nil || *got.Limit != amount {
			t.Fatalf("%s came in as %v (%v)", amount.Amount(), got.Limit, err)
		}
		_, err = line.Invoices.PayInvoice(t.Context(), provider.Invoice{
			Username: username, InvoiceNumber: "1", Amount: amount, PaymentDate: lending.NewDate(2026, 5, 10),
		})
		if err != nil {
			t.Fatal(err)
		}
		if sent := line.field(t, "amount"); lending.MustMoney(sent, lending.INR) != amount || strings.ContainsAny(sent, "eE") {
			t.Fatalf("%s went out as %s", amount.Amount(), sent)
		}
	})
}
