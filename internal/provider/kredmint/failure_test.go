package kredmint_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
)

// The table of the seed, for a call that reads and one that moves money.
func TestStatusTable(t *testing.T) {
	t.Parallel()
	type outcome struct {
		kind      lending.ErrorKind
		retryable bool
		outcome   lending.Outcome
	}
	unknown := outcome{lending.KindOutcomeUnknown, false, lending.OutcomeUnknown}
	same := func(kind lending.ErrorKind) [2]outcome {
		o := outcome{kind, false, lending.NotExecuted}
		return [2]outcome{o, o}
	}
	limited := outcome{lending.KindRateLimited, true, lending.NotExecuted}
	unavailable := outcome{lending.KindUpstreamUnavailable, true, lending.NotExecuted}
	for status, want := range map[int][2]outcome{
		http.StatusMovedPermanently:    {{lending.KindUpstreamProtocol, false, lending.NotExecuted}, unknown},
		http.StatusBadRequest:          same(lending.KindValidation),
		http.StatusUnauthorized:        same(lending.KindUpstreamAuth),
		http.StatusForbidden:           same(lending.KindUpstreamForbidden),
		http.StatusNotFound:            same(lending.KindNotFound),
		http.StatusMethodNotAllowed:    same(lending.KindUpstreamProtocol),
		http.StatusNotAcceptable:       same(lending.KindUpstreamProtocol),
		http.StatusTeapot:              same(lending.KindUpstreamProtocol),
		http.StatusTooManyRequests:     {limited, limited},
		http.StatusInternalServerError: {unavailable, unknown},
		http.StatusServiceUnavailable:  {unavailable, unknown},
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			k := setup(t, status, `{"error":"invalid_token"}`)
			_, read := k.CreditLines.CreditLine(t.Context(), username)
			_, write := k.Invoices.PayInvoice(t.Context(), supplierInvoice())
			for i, err := range []error{read, write} {
				got := lending.AsError(err)
				if got == nil {
					t.Fatal("no error")
				}
				if (outcome{got.Kind, got.Retryable, got.Outcome}) != want[i] || got.Provider != lending.Kredmint {
					t.Errorf("call %d: %s retryable %t outcome %s, want %v", i, got.Kind, got.Retryable, got.Outcome, want[i])
				}
				if got.ProviderCode != "invalid_token" {
					t.Errorf("provider code %q", got.ProviderCode)
				}
			}
			if calls := len(k.Calls()); calls != 2 {
				t.Errorf("%d calls, want 2: nothing is repeated", calls)
			}
		})
	}
}

func TestRetryAfterIsHeard(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "86400": time.Minute, "-1": 0, "soon": 0} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			k := setupFunc(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", header)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			_, err := k.CreditLines.CreditLine(t.Context(), username)
			if got := lending.AsError(err).RetryAfter; got != want {
				t.Errorf("retry after %s, want %s", got, want)
			}
		})
	}
}

func TestErrorInsideASuccess(t *testing.T) {
	t.Parallel()
	const line = `{"state":"Active","creditLimit":1,"landingUrl":"https://example.com/"}`
	for name, test := range map[string]struct {
		body string
		kind lending.ErrorKind
		code string
	}{
		"a sentence":                      {`{"payload":null,"error":"Invoice 5435323121 of 9887206895 already exists"}`, lending.KindUpstreamRejected, ""},
		"a code":                          {`{"payload":null,"error":"LIMIT_EXCEEDED"}`, lending.KindUpstreamRejected, "LIMIT_EXCEEDED"},
		"a number for a code":             {`{"payload":null,"error":4012}`, lending.KindUpstreamRejected, "4012"},
		"a telephone number is no code":   {`{"payload":null,"error":"9887206895"}`, lending.KindUpstreamRejected, ""},
		"an object":                       {`{"payload":null,"error":{"code":"E-12","message":"no such user 9887206895"}}`, lending.KindUpstreamRejected, "E-12"},
		"an object with another name":     {`{"payload":null,"error":{"errorCode":77}}`, lending.KindUpstreamRejected, "77"},
		"an empty object":                 {`{"payload":null,"error":{}}`, lending.KindUpstreamRejected, ""},
		"a list":                          {`{"payload":null,"error":[{"code":"E-13"}]}`, lending.KindUpstreamRejected, "E-13"},
		"a payload beside it":             {`{"payload":` + line + `,"error":"declined"}`, lending.KindUpstreamRejected, "declined"},
		"errorMessage":                    {`{"payload":null,"errorMessage":"declined"}`, lending.KindUpstreamRejected, ""},
		"errorMessage beside a payload":   {`{"payload":` + line + `,"errorMessage":"declined"}`, lending.KindUpstreamRejected, ""},
		"error_description":               {`{"payload":null,"error_description":"declined"}`, lending.KindUpstreamRejected, ""},
		"msg without a payload":           {`{"msg":"declined"}`, lending.KindUpstreamRejected, ""},
		"credentials that are not valid":  {`{"error":"invalid_token","error_description":"expired"}`, lending.KindUpstreamAuth, "invalid_token"},
		"msg beside a payload is none":    {`{"payload":` + line + `,"msg":"success"}`, "", ""},
		"an empty text is none":           {`{"payload":` + line + `,"error":" ","errorMessage":null}`, "", ""},
		"false is none":                   {`{"payload":` + line + `,"error":false}`, "", ""},
		"no error field, as for invoices": {`{"payload":` + line + `}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, test.body)
			_, err := k.Invoices.PayInvoice(t.Context(), supplierInvoice())
			if test.kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			got := lending.AsError(err)
			if got == nil || got.Kind != test.kind || got.ProviderCode != test.code || got.Retryable || got.Outcome != lending.NotExecuted {
				t.Fatalf("error %#v, want %s with code %q", err, test.kind, test.code)
			}
			if text := got.Error() + got.Detail(); strings.Contains(text, "9887206895") || strings.Contains(text, "declined") {
				t.Errorf("the provider's words are in the error: %s", text)
			}
		})
	}
}

// A success that cannot be understood: a read failed, and a payment may have begun.
func TestGarbledSuccess(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": "", "a page": "<html>9887206895</html>", "half": `{"payload":{"state":"Act`, "a list": `[{"payload":{}}]`,
		"null": "null", "an empty object": "{}", "two objects": `{"payload":{"state":"Active"}}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, body)
			_, read := k.CreditLines.CreditLine(t.Context(), username)
			_, write := k.Invoices.PayInvoice(t.Context(), supplierInvoice())
			if lending.KindOf(read) != lending.KindUpstreamProtocol || lending.KindOf(write) != lending.KindOutcomeUnknown {
				t.Errorf("read %v, write %v", read, write)
			}
			if text := lending.AsError(read).Detail(); strings.Contains(text, username) {
				t.Errorf("the body is in the error: %s", text)
			}
		})
	}
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	k := setupFunc(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, read := k.CreditLines.CreditLine(t.Context(), username)
	if got := lending.AsError(read); got.Kind != lending.KindUpstreamUnavailable || !got.Retryable {
		t.Errorf("read: %#v", read)
	}
	_, write := k.Suppliers.CreateSupplier(t.Context(), newSupplier())
	if got := lending.AsError(write); got.Kind != lending.KindOutcomeUnknown || got.Outcome != lending.OutcomeUnknown {
		t.Errorf("write: %#v", write)
	}
	if calls := len(k.Calls()); calls != 2 {
		t.Errorf("%d calls, want 2: nothing is sent again", calls)
	}
}

func TestNothingIsSentToAPortThatIsClosed(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	p, err := kredmint.New(config(closed.URL), kredmint.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Invoices.PayInvoice(t.Context(), supplierInvoice())
	if got := lending.AsError(err); got.Kind != lending.KindUpstreamUnavailable || !got.Retryable || got.Outcome != lending.NotExecuted {
		t.Errorf("error %#v", err)
	}
}

func TestCancelledCalls(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, seed(t, "payment.json"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := k.Invoices.PayInvoice(ctx, supplierInvoice())
	if !errors.Is(err, context.Canceled) || lending.AsError(err).Outcome != lending.NotExecuted || len(k.Calls()) != 0 {
		t.Errorf("error %#v", err)
	}
}
