package trustdecision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/sandbox/trustdecision"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the clock of the twins under test until they are told another time.
var now = time.Date(2026, time.April, 17, 9, 0, 0, 0, time.UTC)

// push is one delivery as the receiver saw it.
type push struct {
	query url.Values
	body  map[string]json.RawMessage
	raw   []byte
}

// bench is a twin with a receiver for its pushes.
type bench struct {
	t      *testing.T
	twin   *trustdecision.Twin
	world  *world.World
	client *http.Client
	url    string
	hook   string

	mu     sync.Mutex
	clock  time.Time
	pushes []push
	status int
	answer string
}

func setup(t *testing.T, change ...func(*trustdecision.Options)) *bench {
	t.Helper()
	b := &bench{t: t, clock: now, world: world.New(7, 200), status: http.StatusOK, answer: `{"code":200,"message":""}`}
	receiver := httptest.NewServer(http.HandlerFunc(b.receive))
	b.hook = receiver.URL + "/hook?tenant=7"
	options := trustdecision.Options{
		World: b.world, Clock: b.now, WebhookURL: b.hook,
		PartnerCode: "td_partner", PartnerKey: "td_key",
		AccessKey: "td_access_key", AccessSecret: "test_access_secret",
		Sender: twin.SenderOptions{Backoff: func(int) time.Duration { return 0 }},
	}
	for _, f := range change {
		f(&options)
	}
	b.twin = trustdecision.New(options)
	server := httptest.NewServer(b.twin.Handler())
	b.url, b.client = server.URL, server.Client()
	t.Cleanup(func() {
		b.twin.Stop()
		server.Close()
		receiver.Close()
	})
	return b
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bench) advance(span time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(span)
}

func (b *bench) receive(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Errorf("reading a push: %v", err)
	}
	p := push{query: r.URL.Query(), raw: raw}
	if err := json.Unmarshal(raw, &p.body); err != nil {
		b.t.Errorf("a push that is no JSON object: %v", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pushes = append(b.pushes, p)
	w.WriteHeader(b.status)
	_, _ = io.WriteString(w, b.answer)
}

// answerWith makes the receiver answer pushes in another way.
func (b *bench) answerWith(status int, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status, b.answer = status, body
}

// delivered waits for the pushes that are on their way and returns all so far.
func (b *bench) delivered() []push {
	b.t.Helper()
	if status, body := b.post("/__sandbox/webhooks/flush", "{}"); status != http.StatusOK {
		b.t.Fatalf("flush: %d %s", status, body)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]push{}, b.pushes...)
}

func (b *bench) post(path, body string) (int, []byte) {
	b.t.Helper()
	response, err := b.client.Post(b.url+path, "application/json", bytes.NewBufferString(body))
	if err != nil {
		b.t.Fatalf("POST %s: %v", path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatalf("POST %s: %v", path, err)
	}
	return response.StatusCode, answer
}

// reply is the part of an answer that every call has.
type reply struct {
	Code       int    `json:"code"`
	Message    string `json:"message"`
	SequenceID string `json:"sequence_id"`
	Result     string `json:"result"`
}

const partner = "?partner_code=td_partner&partner_key=td_key"

// call posts to a provider's path with credentials in the query, and wants HTTP 200.
func (b *bench) call(path, body string) reply {
	b.t.Helper()
	status, raw := b.post(path+partner, body)
	if status != http.StatusOK {
		b.t.Fatalf("POST %s: HTTP %d", path, status)
	}
	return decode[reply](b.t, raw)
}

func (b *bench) order(bvn string) reply {
	b.t.Helper()
	return b.call("/query", `{"id_number":"`+bvn+`","id_type":"bvn","country":"NG","phone_number":"9981234567",`+
		`"name":"Amlodd Adisa","ext":{"token":"t-1"}}`)
}

func (b *bench) backup(id string) reply {
	b.t.Helper()
	return b.call("/backup", `{"sequence_id":"`+id+`"}`)
}

func (b *bench) fault(rule string) {
	b.t.Helper()
	if status, body := b.post("/__sandbox/faults", rule); status != http.StatusCreated {
		b.t.Fatalf("adding a fault: %d %s", status, body)
	}
}

func (b *bench) effects() []twin.Effect {
	b.t.Helper()
	response, err := b.client.Get(b.url + "/__sandbox/effects")
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return decode[struct {
		Effects []twin.Effect `json:"effects"`
	}](b.t, raw).Effects
}

func decode[T any](t *testing.T, raw []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("no JSON of this form: %v: %.200s", err, raw)
	}
	return v
}

// waitFor lets any wait end when gate closes.
func waitFor(gate <-chan struct{}) func(context.Context, time.Duration) error {
	return func(ctx context.Context, _ time.Duration) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
