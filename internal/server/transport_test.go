package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// events are what a stream sends: each event's name and data.
type events struct {
	testing.TB
	lines *bufio.Reader
}

func (e events) next() (name, data string) {
	e.Helper()
	for {
		line, err := e.lines.ReadString('\n')
		if err != nil {
			e.Fatalf("the stream ended: %v", err)
		}
		switch line = strings.TrimRight(line, "\r\n"); {
		case strings.HasPrefix(line, "event: "):
			name = strings.TrimPrefix(line, "event: ")
		case strings.HasPrefix(line, "data: "):
			data = strings.TrimPrefix(line, "data: ")
		case line == "" && name != "":
			return name, data
		}
	}
}

// stream sends a query and reads what comes of it as server-sent events.
func (b *bench) stream(query string) events {
	b.Helper()
	r := b.request(query, nil)
	r.Header.Set("Accept", "text/event-stream")
	response, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = response.Body.Close() }) // nobody reads on
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		text, err := io.ReadAll(response.Body)
		b.Fatalf("answered %d %s %q: %v", response.StatusCode, response.Header.Get("Content-Type"), text, err)
	}
	return events{b.TB, bufio.NewReader(response.Body)}
}

// happens writes an event into the log, and tells those who follow it.
func (b *bench) happens(id string) {
	b.Helper()
	err := b.store.AppendEvents(b.Context(), &lending.Event{
		ID: lending.EventID(id), Type: lending.EventNACH, ProviderType: id, Provider: lending.Kredmint, Source: lending.FromWebhook,
		OccurredAt: time.Now(), ReceivedAt: time.Now(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.hub.Publish()
}

type told struct {
	Data struct {
		Events struct {
			Cursor string
			Event  struct{ ProviderType string }
		}
	}
}

func TestASubscriberMissesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const follow = `subscription { events(after: %q) { cursor event { providerType } } }`
	b.happens("before")
	first, err := b.store.EventsAfter(t.Context(), 0, 1)
	if err != nil || len(first) != 1 {
		t.Fatal(err, first)
	}
	cursor := b.store.EventCursor(first[0].Sequence)
	for _, id := range []string{"one", "two"} { // each time with the last cursor seen
		b.happens(id)
		s := b.stream(fmt.Sprintf(follow, cursor))
		name, data := s.next()
		var got told
		if err := json.Unmarshal([]byte(data), &got); err != nil || name != "next" || got.Data.Events.Event.ProviderType != id {
			t.Fatalf("told %s %s: %v", name, data, err)
		}
		cursor = got.Data.Events.Cursor
	}
	s := b.stream(fmt.Sprintf(follow, cursor))
	b.happens("three") // while the stream is open
	if _, data := s.next(); !strings.Contains(data, `"three"`) {
		t.Errorf("told %s", data)
	}
}

func TestASubscriptionNeedsATransportThatCarriesMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.ask(`subscription { events { cursor } }`, nil)
	if got.code() != "VALIDATION" || !strings.Contains(got.Errors[0].Message, "text/event-stream") || got.Errors[0].Extensions["requestId"] == nil {
		t.Errorf("answered %s", got.text)
	}
}

// payout is a mutation's field that pays a loan out.
func payout(alias string, loan lending.LoanID, key string) string {
	return fmt.Sprintf(`%s: disburseLoan(input: {idempotencyKey: %q, loanId: %q}) { userErrors { message } operation { status } }`,
		alias, key, lending.GlobalID(lending.LoanNode, loan))
}

func TestADocumentMovesMoneyOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.approved("loan-1"), b.approved("loan-2")
	a, c := payout("a", one, "k1"), payout("c", two, "k2")
	for name, query := range map[string]string{
		"two fields":                "mutation { " + a + " " + c + " }",
		"one loan twice":            "mutation { " + a + " " + payout("c", one, "k2") + " }",
		"in fragments":              "mutation { ...A ...C } fragment A on Mutation { " + a + " } fragment C on Mutation { " + c + " }",
		"in a fragment of another":  "mutation { ...A } fragment A on Mutation { ...C " + a + " } fragment C on Mutation { " + c + " }",
		"in an inline fragment":     "mutation { " + a + " ... on Mutation { " + c + " } }",
		"in a bare inline fragment": "mutation { " + a + " ... @include(if: true) { " + c + " } }",
		"with another's help":       "mutation { " + a + ` recordPayment(input: {idempotencyKey: "k", loanId: "x", amount: {amount: "1", currency: "NGN"}, method: CASH, reference: "r", paidOn: "2026-04-16"}) { userErrors { message } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			b := *b
			b.TB = t
			if got := b.ask(query, nil); got.code() != "VALIDATION" || !strings.Contains(got.Errors[0].Message, "once") {
				t.Errorf("answered %s", got.text)
			}
			s := b.stream(query)
			if event, data := s.next(); event != "next" || !strings.Contains(data, "once") {
				t.Errorf("streamed %s %s", event, data)
			}
			if event, data := s.next(); event != "complete" {
				t.Errorf("streamed %s %s", event, data)
			}
		})
	}
	if b.lender.moved != 0 {
		t.Fatalf("money was moved %d times", b.lender.moved)
	}
	for name, query := range map[string]string{
		"one":                      "mutation { " + a + " }",
		"the same field twice":     "mutation { " + a + " ...A } fragment A on Mutation { " + a + " }",
		"another that is left out": "mutation { " + a + " ... @skip(if: true) { " + c + " } }",
		"beside what moves none":   "mutation { " + a + ` rejectLoan(input: {idempotencyKey: "r", loanId: "x", reason: ""}) { userErrors { message } } }`,
	} {
		if got := b.ask(query, nil); len(got.Errors) != 0 || !strings.Contains(got.text, "SUCCEEDED") {
			t.Errorf("%s: answered %s", name, got.text)
		}
	}
	if b.lender.moved != 1 {
		t.Errorf("the payout was made %d times", b.lender.moved)
	}
}

// untold is a body whose length the client does not tell.
type untold struct{ io.Reader }

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	large := fmt.Sprintf(`{"query":"{ viewer { clientId } }","variables":{"x":"%s"}}`, strings.Repeat("x", 300<<10))
	for name, test := range map[string]struct {
		body   io.Reader
		accept string
		want   int
	}{
		"small":                             {strings.NewReader(`{"query":"{ viewer { clientId } }"}`), "", http.StatusOK},
		"small, of a length not told":       {untold{strings.NewReader(`{"query":"{ viewer { clientId } }"}`)}, "", http.StatusOK},
		"too large":                         {strings.NewReader(large), "", http.StatusRequestEntityTooLarge},
		"too large, of a length not told":   {untold{strings.NewReader(large)}, "", http.StatusRequestEntityTooLarge},
		"too large, for a stream of events": {untold{strings.NewReader(large)}, "text/event-stream", http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			b := *b
			b.TB = t
			r := b.post(test.body)
			if test.accept != "" {
				r.Header.Set("Accept", test.accept)
			}
			if got := b.send(r); got.status != test.want {
				t.Errorf("answered %d %.200s", got.status, got.text)
			}
		})
	}
}

func TestABodyThatIsNoJSONIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, accept := range []string{"application/json", "text/event-stream"} {
		r := b.post(strings.NewReader(`{"query": "{ viewer }", "variables": {"otp": "secret-9f"`))
		r.Header.Set("Accept", accept)
		got := b.send(r)
		if got.status != http.StatusBadRequest || strings.Contains(got.text, "secret-9f") || got.code() != "VALIDATION" {
			t.Errorf("%s: answered %d %s", accept, got.status, got.text)
		}
	}
	if strings.Contains(b.log.String(), "secret-9f") {
		t.Error("the body was logged")
	}
}

// upload is a document as browsers send it.
func (b *bench) upload(contentType func(boundary string) string) *http.Request {
	b.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	query := `mutation($file: Upload!) { uploadDocument(input: {idempotencyKey: "k", customerId: "` +
		lending.GlobalID(lending.CustomerNode, lending.CustomerID("c1")) + `", kind: INVOICE, invoiceNumber: "1", file: $file}) { document { name } userErrors { field message } } }`
	operations, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"file": nil}})
	if err != nil {
		b.Fatal(err)
	}
	part := func(name, text string) {
		if err := form.WriteField(name, text); err != nil {
			b.Fatal(err)
		}
	}
	part("operations", string(operations))
	part("map", `{"0": ["variables.file"]}`)
	file, err := form.CreateFormFile("0", "invoice.pdf")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.WriteString(file, "%PDF-1.7"); err != nil {
		b.Fatal(err)
	}
	if err := form.Close(); err != nil {
		b.Fatal(err)
	}
	r := b.post(&body)
	r.Header.Set("Content-Type", contentType(form.Boundary()))
	return r
}

func TestAnUploadNeedsTheTokenThatNoForeignPageCanSend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.store.SaveCustomer(t.Context(), &lending.Customer{ID: "c1", FirstName: "Ada", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Link(t.Context(), lending.Identity{CustomerID: "c1", Provider: lending.Kredmint, ExternalID: "9876543210", LinkedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	plain := func(boundary string) string { return "multipart/form-data; boundary=" + boundary }
	capitals := func(boundary string) string { return " Multipart/Form-Data; boundary=" + boundary }
	for name, form := range map[string]func(string) string{"plain": plain, "in capitals": capitals} {
		got := b.send(b.upload(form))
		want := map[string]any{"uploadDocument": map[string]any{"document": map[string]any{"name": "invoice.pdf %PDF-1.7"}, "userErrors": []any{}}}
		if diff := cmp.Diff(want, got.Data); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, got.text, diff)
		}
	}
	foreign := b.upload(plain) // as a form on a page of another site sends it: without the token
	foreign.Header.Del("Authorization")
	if got := b.send(foreign); got.status != http.StatusUnauthorized {
		t.Errorf("without a token: answered %d %s", got.status, got.text)
	}
}

func TestTheOtherAddresses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	get := func(method, path string) answer {
		r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b.send(r)
	}
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"GET /healthz": {200, "alive"}, "GET /readyz": {200, "ready"}, "GET /": {404, ""}, "GET /nothing": {404, ""},
		"GET /oauth/token": {405, ""}, "GET /webhooks/kredete": {405, ""}, "POST /webhooks/stripe": {404, ""}, "POST /webhooks/carbon": {404, ""},
		"POST /oauth/token": {400, "invalid_request"},
	} {
		method, address, _ := strings.Cut(path, " ")
		if got := get(method, address); got.status != want.status || !strings.Contains(got.text, want.text) || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: answered %d %.100s", path, got.status, got.text)
		}
	}
	b.records.down = &lending.Error{Kind: lending.KindUnavailable, Err: fmt.Errorf("secret-9f")}
	if got := get("GET", "/readyz"); got.status != http.StatusServiceUnavailable || strings.Contains(got.text, "secret-9f") {
		t.Errorf("not ready: answered %d %s", got.status, got.text)
	}
}

func TestWhoLeavesSaysSoAndAnswersAllTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, enough := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		b.handler.Leave(ctx, time.Hour)
	}()
	get := func(path string) int {
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code
	}
	for deadline := time.Now().Add(time.Minute); get("/readyz") != http.StatusServiceUnavailable; {
		if time.Now().After(deadline) {
			t.Fatal("/readyz goes on saying ready")
		}
		runtime.Gosched()
	}
	if got := b.ask(`{ viewer { clientId } }`, nil); len(got.Errors) > 0 || get("/healthz") != http.StatusOK {
		t.Errorf("a query is answered with %s", got.text)
	}
	select {
	case <-left:
		t.Error("the delay is over at once")
	default:
	}
	enough()
	<-left
	b.handler.Leave(t.Context(), 0) // a second time does no harm
}
