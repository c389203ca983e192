package trustdecision_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/trustdecision"
)

// The keys and the time of the signature's test vector.
const (
	partnerCode  = "td_partner"
	partnerKey   = "td_partner_key"
	accessKey    = "td_access_key"
	accessSecret = "test_access_secret"
	vectorTime   = 1699272744735
	vectorHex    = "d9861065071f610170a4159346d0caf099938b45"
	vectorBase64 = "2YYQZQcfYQFwpBWTRtDK8JmTi0U="
)

const sequence = "1699272744735016i303341798930550"

var now = time.UnixMilli(vectorTime).Add(time.Second)

// desk is a driver before a server that answers what a test wants and keeps what it was asked.
type desk struct {
	*provider.Provider
	server *httptest.Server
	log    *bytes.Buffer

	mu     sync.Mutex
	answer func(w http.ResponseWriter)
	asked  []asked
}

type asked struct {
	method, path string
	query        url.Values
	header       http.Header
	body         string
}

func setup(t *testing.T, change ...func(*trustdecision.Config)) *desk {
	t.Helper()
	d := &desk{log: &bytes.Buffer{}}
	d.server = httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(d.server.Close)
	cfg := config(d.server.URL)
	for _, f := range change {
		f(&cfg)
	}
	p, err := trustdecision.New(cfg, trustdecision.Deps{
		Transport: d.server.Client().Transport, Clock: func() time.Time { return now },
		Logger: slog.New(slog.NewTextHandler(d.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Provider = p
	return d
}

func config(base string) trustdecision.Config {
	return trustdecision.Config{
		QueryURL: base + "/ng/credit/query", BackupURL: base + "/ng/credit/backup",
		PartnerCode: partnerCode, PartnerKey: partnerKey, AccessKey: accessKey, AccessSecret: accessSecret,
	}
}

func (d *desk) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.asked = append(d.asked, asked{r.Method, r.URL.Path, r.URL.Query(), r.Header, string(body)})
	answer := d.answer
	d.mu.Unlock()
	answer(w)
}

// answers makes the server answer every request so.
func (d *desk) answers(status int, body string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a client that went away is the test's own doing
	}
}

// only is the one request that was made.
func (d *desk) only(t *testing.T) asked {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.asked) != 1 {
		t.Fatalf("%d requests were made, want 1", len(d.asked))
	}
	return d.asked[0]
}

func seed(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// sign is the signature of a push at a time, in hex.
func sign(at time.Time) string {
	mac := hmac.New(sha1.New, []byte(accessSecret))
	mac.Write([]byte(partnerCode + strconv.FormatInt(at.UnixMilli(), 10) + accessKey))
	return hex.EncodeToString(mac.Sum(nil))
}

// push is a rightly signed push.
func push(body []byte) provider.WebhookRequest {
	return provider.WebhookRequest{
		Method: http.MethodPost, Body: body, ReceivedAt: now,
		Query: url.Values{
			"partner_code": {partnerCode}, "timestamp": {strconv.FormatInt(vectorTime, 10)},
			"access_key": {accessKey}, "sign": {vectorHex},
		},
	}
}

// newDriver is a driver that nobody listens to.
func newDriver(t testing.TB, transport http.RoundTripper) *provider.Provider {
	t.Helper()
	p, err := trustdecision.New(config("http://127.0.0.1:1"), trustdecision.Deps{
		Transport: transport, Clock: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// canned is a transport that gives one answer without a network.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body)), Request: r,
	}, nil
}
