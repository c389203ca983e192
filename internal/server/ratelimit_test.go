package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/quota"
	"github.com/creditgraph/creditgraph/internal/server"
	"github.com/creditgraph/creditgraph/resolvers"
)

// limitsFrom are limits by the sandbox's plan (60 a minute, 10 at once), counted at a time that tests move.
func limitsFrom(t *testing.T) (limits *quota.Limiter, advance func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64
	limits, err := quota.New(quota.Config{
		KeySecret: []byte("secret"), Default: auth.SandboxPlan,
		Clock: func() time.Time { return rateNoon.Add(time.Duration(passed.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return limits, func(by time.Duration) { passed.Add(int64(by)) }
}

// rateNoon is a quarter of a second after a minute has begun.
var rateNoon = time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)

// limited is a bench with limits.
func limited(t *testing.T) (b *bench, advance func(time.Duration)) {
	t.Helper()
	limits, advance := limitsFrom(t)
	return setupWith(t, func(c *server.Config) { c.Limits = limits }), advance
}

const (
	light = "{ viewer { clientId } }"
	// heavy lists what costs some 2,700: six units.
	heavy = "{ loans(first: 100) { edges { node { payments(first: 6) { edges { cursor node { id } } } } } } }"
)

// rates are an answer's headers about limits.
func rates(a answer) map[string]string {
	told := map[string]string{}
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"} {
		if values := a.header.Values(name); len(values) > 0 {
			told[name] = strings.Join(values, " ")
		}
	}
	return told
}

func epoch(at time.Time) string { return fmt.Sprint(at.Unix()) }

func TestEveryAnswerTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	b, advance := limited(t)
	reset := epoch(rateNoon.Truncate(time.Minute).Add(time.Minute))
	left := 60
	for name, change := range map[string]func(*http.Request){
		"an answer":          func(*http.Request) {},
		"a broken document":  func(r *http.Request) { *r = *b.request("{ viewer {", nil) },
		"no request":         func(r *http.Request) { *r = *b.post(strings.NewReader("[]")) },
		"another media type": func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"another method":     func(r *http.Request) { r.Method = http.MethodPut },
		"a stream":           func(r *http.Request) { r.Header.Set("Accept", "text/event-stream") },
	} {
		r := b.request(light, nil)
		change(r)
		left--
		want := map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": fmt.Sprint(left), "X-RateLimit-Reset": reset}
		if diff := cmp.Diff(want, rates(b.send(r))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		advance(time.Second)
	}
	r := b.request(light, nil)
	r.Header.Del("Authorization")
	if got := b.send(r); got.status != http.StatusUnauthorized || len(rates(got)) > 0 {
		t.Errorf("without a token: %d %v", got.status, rates(got))
	}
}

func TestAnExhaustedClientIsRefusedBeforeItsBodyIsRead(t *testing.T) {
	t.Parallel()
	b, advance := limited(t)
	for range 10 {
		if got := b.ask(light, nil); got.status != http.StatusOK {
			t.Fatal(got.status, got.text)
		}
	}
	for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
		r := b.post(strings.NewReader("this is no JSON"))
		r.Header.Set("Accept", accept)
		got := b.send(r)
		want := map[string]string{
			"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": epoch(rateNoon.Add(1750 * time.Millisecond)), "Retry-After": "1",
		}
		if diff := cmp.Diff(want, rates(got)); diff != "" || got.status != http.StatusTooManyRequests || got.code() != "RATE_LIMITED" || got.Data != nil {
			t.Errorf("%s: %d %s, headers (-want +got):\n%s", accept, got.status, got.text, diff)
		}
		if e := got.Errors[0].Extensions; e["retryable"] != true || e["outcome"] != "NOT_EXECUTED" || e["retryAfterSeconds"] != 1.0 || e["requestId"] == nil {
			t.Errorf("%s: %v", accept, e)
		}
	}
	advance(time.Second)
	if got := b.ask(light, nil); got.status != http.StatusOK {
		t.Errorf("after Retry-After: %d %s", got.status, got.text)
	}
}

func TestCostlyOperationsTakeMore(t *testing.T) {
	t.Parallel()
	b, advance := limited(t)
	var read atomic.Int64
	b.records.listLoans = func() error { read.Add(1); return errors.New("not today") }
	if got := b.ask(heavy, nil); got.status != http.StatusOK || got.header.Get("X-RateLimit-Remaining") != "54" || read.Load() != 1 {
		t.Fatalf("%d %s, %v, %d reads", got.status, got.text, rates(got), read.Load())
	}
	for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
		r := b.request(heavy, nil)
		r.Header.Set("Accept", accept)
		got := b.send(r)
		if got.status != http.StatusTooManyRequests || !strings.Contains(got.text, "RATE_LIMITED") || got.header.Get("Retry-After") != "2" || got.header.Get("X-RateLimit-Remaining") != "4" {
			t.Errorf("%s: %d %s, %v; want 429, and two more units in two seconds", accept, got.status, got.text, rates(got))
		}
	}
	if read.Load() != 1 {
		t.Error("a refused operation was begun")
	}
	if got := b.ask(light, nil); got.status != http.StatusOK {
		t.Errorf("what costs less than is left: %d", got.status)
	}
	advance(3 * time.Second)
	if got := b.ask(heavy, nil); got.status != http.StatusOK || read.Load() != 2 {
		t.Errorf("after Retry-After: %d %s", got.status, got.text)
	}
}

func TestMessagesOnAWebsocketCountAndEventsDoNot(t *testing.T) {
	t.Parallel()
	b, _ := limited(t)
	conn, _, err := websocket.Dial(t.Context(), b.url+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + b.token()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }() // the test is over
	send := func(message map[string]any) {
		t.Helper()
		text, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(t.Context(), websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
	}
	read := func() string {
		t.Helper()
		_, text, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	ask := func(id, query string) string {
		t.Helper()
		send(map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": query}})
		return read()
	}
	send(map[string]any{"type": "connection_init"})
	if got := read(); !strings.Contains(got, "connection_ack") {
		t.Fatal(got)
	}
	if got := ask("light", light); !strings.Contains(got, `"type":"next"`) || !strings.Contains(read(), "complete") {
		t.Fatal(got)
	}
	if got := ask("broken", "{ viewer {"); !strings.Contains(got, "VALIDATION") {
		t.Fatal(got)
	}
	for id, want := range []string{`"type":"next"`, "RATE_LIMITED"} { // of the eight that are left, six and then none
		if got := ask(fmt.Sprint("heavy", id), heavy); !strings.Contains(got, want) {
			t.Fatal(got)
		} else if id == 0 && !strings.Contains(read(), "complete") {
			t.Fatal("no end")
		}
	}
	b.happens("first")
	if got := ask("follow", fmt.Sprintf(`subscription { events(after: %q) { event { providerType } } }`, b.store.EventCursor(0))); !strings.Contains(got, `"first"`) {
		t.Fatal(got)
	}
	if got := ask("last", light); !strings.Contains(got, `"type":"next"`) || !strings.Contains(read(), "complete") {
		t.Fatal("the tenth unit:", got)
	}
	if got := ask("one more", light); !strings.Contains(got, "RATE_LIMITED") || !strings.Contains(got, "retryAfterSeconds") {
		t.Fatal("the eleventh unit:", got)
	}
	for i := range 15 {
		id := fmt.Sprint("event-", i)
		b.happens(id)
		if got := read(); !strings.Contains(got, id+`"`) {
			t.Fatal(got)
		}
	}
}

func TestTheViewerSeesTheirLimit(t *testing.T) {
	t.Parallel()
	limits, _ := limitsFrom(t)
	b := setupWith(t, func(c *server.Config) {
		c.Limits, c.Resolvers = limits, resolvers.New(resolvers.Config{Limits: limits})
	})
	token, err := b.issuer.IssueTo(auth.Client{ID: "mobile", Plan: auth.ProfessionalPlan}, auth.Scopes(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for plan, test := range map[string]struct {
		token string
		limit float64
	}{auth.SandboxPlan: {b.token(), 60}, auth.ProfessionalPlan: {token, 1000}} {
		r := b.request("{ viewer { plan rateLimit { limit remaining resetsAt } } }", nil)
		r.Header.Set("Authorization", "Bearer "+test.token)
		got := b.send(r)
		want := map[string]any{"viewer": map[string]any{"plan": plan, "rateLimit": map[string]any{
			"limit": test.limit, "remaining": test.limit - 1, "resetsAt": "2026-03-01T12:01:00.000Z",
		}}}
		if diff := cmp.Diff(want, got.Data); diff != "" {
			t.Errorf("%s (-want +got):\n%s", plan, diff)
		}
	}
	free := setup(t)
	if got := free.ask("{ viewer { clientId plan rateLimit { limit } } }", nil); len(rates(got)) > 0 || got.text == "" || len(got.Errors) > 0 {
		t.Errorf("without limits: %s %v", got.text, rates(got))
	} else if diff := cmp.Diff(map[string]any{"viewer": map[string]any{"clientId": "web", "plan": nil, "rateLimit": nil}}, got.Data); diff != "" {
		t.Errorf("without limits (-want +got):\n%s", diff)
	}
}

func TestEveryPlanOfATokenHasItsLimits(t *testing.T) {
	t.Parallel()
	for _, name := range auth.Plans() {
		if plan, ok := quota.PlanOf(name); !ok || plan.Minute == 0 {
			t.Errorf("the plan %s limits nothing", name)
		}
	}
}
