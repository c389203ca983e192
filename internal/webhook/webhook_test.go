package webhook_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/webhook"
)

// receiver answers what a test says, and keeps what it was given.
type receiver struct {
	ack   provider.Acknowledgement
	err   error
	name  lending.Provider
	got   provider.WebhookRequest
	calls int
}

func (r *receiver) ReceiveWebhook(_ context.Context, name lending.Provider, request provider.WebhookRequest) (provider.Acknowledgement, error) {
	r.name, r.got = name, request
	r.calls++
	return r.ack, r.err
}

var now = time.Date(2026, 4, 16, 12, 0, 0, 0, time.UTC)

// send gives a request to the handler as the server mounts it.
func send(t *testing.T, r *receiver, log io.Writer, request *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/webhooks/{provider}", webhook.Handler(r, func() time.Time { return now }, slog.New(slog.NewTextHandler(log, nil))))
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, request)
	return answer
}

func post(path, body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
}

func TestAWebhookIsPassedOnAsItCame(t *testing.T) {
	t.Parallel()
	r := &receiver{ack: provider.Acknowledgement{Status: http.StatusOK, ContentType: "application/json", Body: []byte(`{"code":200,"message":""}`)}}
	request := post("/webhooks/trustdecision?partner_code=p&timestamp=1&sign=a%2Bb", "\x00 {raw}\n")
	request.Header.Set("Authorization", "Basic abc")
	answer := send(t, r, io.Discard, request)
	if answer.Code != http.StatusOK || answer.Body.String() != `{"code":200,"message":""}` || answer.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answered %d %q", answer.Code, answer.Body)
	}
	got := r.got
	if r.name != lending.TrustDecision || string(got.Body) != "\x00 {raw}\n" || got.Query.Get("sign") != "a+b" ||
		got.Header.Get("Authorization") != "Basic abc" || got.Method != http.MethodPost || !got.ReceivedAt.Equal(now) {
		t.Errorf("%s was given %+v", r.name, got)
	}
}

func TestEveryProviderHasItsAddress(t *testing.T) {
	t.Parallel()
	for slug, want := range map[string]lending.Provider{
		"kredete": lending.Kredete, "trustdecision": lending.TrustDecision, "kredmint": lending.Kredmint,
		"KREDETE": "", "unknown": "", "stripe": "", "kredete%2Fx": "",
	} {
		r := &receiver{ack: provider.Acknowledgement{Status: http.StatusAccepted}}
		answer := send(t, r, io.Discard, post("/webhooks/"+slug, "{}"))
		if known := want != ""; r.name != want || known != (answer.Code == http.StatusAccepted) || !known && answer.Code != http.StatusNotFound {
			t.Errorf("%s: %q, answered %d", slug, r.name, answer.Code)
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := &receiver{}
		answer := send(t, r, io.Discard, httptest.NewRequest(method, "/webhooks/kredete", nil))
		if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != http.MethodPost || r.calls != 0 {
			t.Errorf("%s: %d, Allow %q", method, answer.Code, answer.Header().Get("Allow"))
		}
	}
}

func TestParametersThatCannotBeReadAreRefused(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"sign=a&sign=%zz", "sign=a;sign=b", "%"} {
		r := &receiver{ack: provider.Acknowledgement{Status: http.StatusOK}}
		request := post("/webhooks/trustdecision", "{}")
		request.URL.RawQuery = query
		if answer := send(t, r, io.Discard, request); answer.Code != http.StatusBadRequest || r.calls != 0 {
			t.Errorf("%s: answered %d after %d calls", query, answer.Code, r.calls)
		}
	}
}

// cut is a body that breaks off.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body io.Reader
		want int
	}{
		"as large as it may be": {strings.NewReader(strings.Repeat("x", webhook.MaxBody)), http.StatusOK},
		"one byte more":         {strings.NewReader(strings.Repeat("x", webhook.MaxBody+1)), http.StatusRequestEntityTooLarge},
		"one byte more, of a length not told": {
			io.MultiReader(strings.NewReader(strings.Repeat("x", webhook.MaxBody+1))), http.StatusRequestEntityTooLarge,
		},
		"half a body": {cut{}, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{ack: provider.Acknowledgement{Status: http.StatusOK}}
			answer := send(t, r, io.Discard, httptest.NewRequest(http.MethodPost, "/webhooks/kredete", test.body))
			if answer.Code != test.want || (r.calls == 1) != (test.want == http.StatusOK) {
				t.Errorf("answered %d after %d calls, want %d", answer.Code, r.calls, test.want)
			}
		})
	}
}

func TestWhatIsNotTakenIsAnsweredByItsReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status int
		text   string
		logged bool
	}{
		"a wrong signature":    {&provider.UnverifiedError{Status: 401, Reason: "wrong signature"}, 401, "wrong signature", false},
		"a forgery":            {&provider.UnverifiedError{Status: 403, Reason: "used for another body"}, 403, "used for another body", false},
		"no such address":      {lending.NotFound("webhook address"), 404, "404 page not found", false},
		"not configured":       {&lending.Error{Kind: lending.KindProviderDisabled}, 404, "This provider is not configured here.", false},
		"the database is down": {&lending.Error{Kind: lending.KindUnavailable, Err: errors.New("dial tcp: secret-9f")}, 503, "Try again later.", true},
		"anything else":        {errors.New("secret-9f"), 503, "Try again later.", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			answer := send(t, &receiver{err: test.err}, &log, post("/webhooks/kredete", "{}"))
			if answer.Code != test.status || strings.TrimSpace(answer.Body.String()) != test.text {
				t.Errorf("answered %d %q", answer.Code, answer.Body)
			}
			if (log.Len() > 0) != test.logged {
				t.Errorf("logged: %q", log.String())
			}
		})
	}
}
