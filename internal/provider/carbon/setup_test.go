package carbon_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/carbon"
)

const (
	apiKey        = "ck_test_5b8f"
	customerID    = "1732ca47-42b2-4990-a65d-c369e934eed3"
	applicationID = "9f1f4f0c-5f8e-4d0e-9f63-0f5f5a3a8a11"
)

var now = time.Date(2026, time.May, 16, 9, 0, 0, 0, time.UTC)

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
	header       http.Header
	body         string
}

func setup(t *testing.T) *desk {
	t.Helper()
	d := &desk{log: &bytes.Buffer{}}
	d.server = httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(d.server.Close)
	p, err := carbon.New(
		carbon.Config{BaseURL: d.server.URL + "/baas/api", APIKey: apiKey},
		carbon.Deps{
			Transport: d.server.Client().Transport, Clock: func() time.Time { return now },
			Logger: slog.New(slog.NewTextHandler(d.log, nil)),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	d.Provider = p
	return d
}

func (d *desk) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.asked = append(d.asked, asked{r.Method, r.URL.String(), r.Header, string(body)})
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

func example(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// application is the one of the seed's request example.
func application() provider.LoanApplication {
	return provider.LoanApplication{
		Reference: "MERCH_REF_001", CustomerExternalID: customerID,
		Principal: lending.MustMoney("20000", lending.NGN),
		Tenure:    lending.Tenure{Value: 3, Unit: lending.Months}, Purpose: lending.InventoryMgt,
	}
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

func newDriver(t testing.TB, transport http.RoundTripper) *provider.Provider {
	t.Helper()
	p, err := carbon.New(carbon.Config{BaseURL: "http://127.0.0.1:1", APIKey: apiKey}, carbon.Deps{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
