package kredmint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/sandbox/kredmint"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, time.April, 17, 9, 0, 0, 0, time.UTC)

const (
	credentials     = "Basic bWVyY2hhbnQ6c2VjcmV0"
	hookCredentials = "Basic aG9vazpzZWNyZXQ="
)

// hook is one webhook as the receiver saw it.
type hook struct {
	authorization string
	body          map[string]any // numbers as json.Number
}

// status is payload.status.
func (h hook) status() string {
	text, _ := h.payload()["status"].(string)
	return text
}

func (h hook) payload() map[string]any {
	payload, _ := h.body["payload"].(map[string]any)
	return payload
}

// bench is a twin with a receiver for its webhooks.
type bench struct {
	t      *testing.T
	world  *world.World
	client *http.Client
	url    string
	target string

	mu     sync.Mutex
	hooks  []hook
	status int
}

func setup(t *testing.T, change ...func(*kredmint.Options)) *bench {
	t.Helper()
	b := &bench{t: t, world: world.New(7, 200), status: http.StatusOK}
	receiver := httptest.NewServer(http.HandlerFunc(b.receive))
	b.target = receiver.URL + "/hook"
	options := kredmint.Options{
		World: b.world, Clock: func() time.Time { return now }, Authorization: credentials,
		WebhookURL: b.target, WebhookAuthorization: hookCredentials,
		Sender: twin.SenderOptions{
			Backoff: func(int) time.Duration { return 0 },
			Wait:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		},
	}
	for _, f := range change {
		f(&options)
	}
	stand := kredmint.New(options)
	server := httptest.NewServer(stand.Handler())
	b.url, b.client = server.URL, server.Client()
	t.Cleanup(func() {
		stand.Stop()
		server.Close()
		receiver.Close()
	})
	return b
}

// mobile is the username of person i.
func (b *bench) mobile(i int) string { return b.world.Person(i).KredmintMobile }

func (b *bench) receive(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Errorf("reading a webhook: %v", err)
	}
	h := hook{authorization: r.Header.Get("Authorization"), body: decode(b.t, raw)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hooks = append(b.hooks, h)
	w.WriteHeader(b.status)
}

// delivered waits for the webhooks that are on their way and returns all so far.
func (b *bench) delivered() []hook {
	b.t.Helper()
	if got := b.admin("/__sandbox/webhooks/flush", "{}"); got != http.StatusOK {
		b.t.Fatalf("flush: HTTP %d", got)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]hook{}, b.hooks...)
}

// send makes a request with good credentials; header overrides, "" takes away.
func (b *bench) send(method, path string, body io.Reader, header map[string]string) (int, []byte) {
	b.t.Helper()
	request, err := http.NewRequest(method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", credentials)
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Del(name)
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, raw
}

func (b *bench) admin(path, body string) int {
	b.t.Helper()
	status, _ := b.send(http.MethodPost, path, bytes.NewBufferString(body), nil)
	return status
}

// post posts JSON and returns the envelope.
func (b *bench) post(path, body string) (int, map[string]any) {
	b.t.Helper()
	status, raw := b.send(http.MethodPost, path, bytes.NewBufferString(body), nil)
	return status, decode(b.t, raw)
}

// eligibility posts to /user/eligibility and wants a payload.
func (b *bench) eligibility(body string) map[string]any {
	b.t.Helper()
	status, envelope := b.post("/user/eligibility", body)
	payload, ok := envelope["payload"].(map[string]any)
	if status != http.StatusOK || !ok || envelope["error"] != nil {
		b.t.Fatalf("HTTP %d: %v", status, envelope)
	}
	return payload
}

func (b *bench) profile(username string) map[string]any {
	b.t.Helper()
	return b.eligibility(`{"username":"` + username + `","page":"profile","source":"MOS"}`)
}

func payment(username, invoice, amount string) string {
	return `{"username":"` + username + `","page":"payment","source":"MOS","invoiceNumber":"` + invoice +
		`","amount":` + amount + `,"paymentDate":1713814546794}`
}

// upload posts a form with one file.
func (b *bench) upload(path, file string, fields map[string]string) (int, map[string]any) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			b.t.Fatal(err)
		}
	}
	if file != "" {
		part, err := form.CreateFormFile("file", file)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := io.WriteString(part, "a,b\n1,2\n"); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	status, raw := b.send(http.MethodPost, path, &body, map[string]string{"Content-Type": form.FormDataContentType()})
	return status, decode(b.t, raw)
}

func (b *bench) effects(operation string) []twin.Effect {
	b.t.Helper()
	_, raw := b.send(http.MethodGet, "/__sandbox/effects?operation="+operation, nil, nil)
	var log struct {
		Effects []twin.Effect `json:"effects"`
	}
	if err := json.Unmarshal(raw, &log); err != nil {
		b.t.Fatal(err)
	}
	return log.Effects
}

// decode reads an object and keeps the digits of its numbers.
func decode(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var v map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("no JSON object: %v: %.200s", err, raw)
	}
	return v
}
