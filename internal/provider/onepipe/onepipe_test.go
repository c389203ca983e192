package onepipe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/onepipe"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const (
	apiKey    = "live_api_key"
	secret    = "test_client_secret"
	reference = "tx-0001"
	phone     = "+2348023431320"
)

var now = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)

// zeros is a source of references that a golden file can hold.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// call is one request that the stand-in for OnePipe got.
type call struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// standIn is OnePipe as far as a test needs it: one answer for everything.
type standIn struct {
	*provider.Provider
	Log *bytes.Buffer

	mu    sync.Mutex
	calls []call
}

func (s *standIn) Calls() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]call(nil), s.calls...)
}

// setup starts a stand-in that answers with status and body, and a driver that speaks to it.
func setup(t *testing.T, status int, body string, changes ...func(*onepipe.Config, *onepipe.Deps)) *standIn {
	t.Helper()
	return setupFunc(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}, changes...)
}

func setupFunc(t *testing.T, answer http.HandlerFunc, changes ...func(*onepipe.Config, *onepipe.Deps)) *standIn {
	t.Helper()
	s := &standIn{Log: &bytes.Buffer{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a request: %v", err)
		}
		s.mu.Lock()
		s.calls = append(s.calls, call{r.Method, r.URL.Path, r.Header, body})
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := config(server.URL + "/v2")
	deps := onepipe.Deps{
		Transport: transport, Clock: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(s.Log, nil)),
		Random: zeros{},
	}
	for _, change := range changes {
		change(&cfg, &deps)
	}
	p, err := onepipe.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	s.Provider = p
	return s
}

// config has a newline where settings from files often have one.
func config(base string) onepipe.Config {
	return onepipe.Config{BaseURL: base, APIKey: apiKey + "\n", ClientSecret: secret + "\n", AuthProvider: "Beeceptor"}
}

// with changes the settings of a driver.
func with(change func(*onepipe.Config)) func(*onepipe.Config, *onepipe.Deps) {
	return func(c *onepipe.Config, _ *onepipe.Deps) { change(c) }
}

func file(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// wantJSON compares a request with its golden file, down to the order of its fields.
func wantJSON(t *testing.T, name string, got []byte) {
	t.Helper()
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(file(t, name))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("request differs from %s (-want +got):\n%s", name, diff)
	}
}

// compare are the options for values with unexported fields.
var compare = cmp.Options{
	cmp.Comparer(func(a, b lending.Money) bool { return a == b }),
	cmp.Comparer(func(a, b lending.Decimal) bool { return a.String() == b.String() }),
}

func TestNewNamesWrongSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*onepipe.Config)
		want   string
	}{
		"base URL missing":     {func(c *onepipe.Config) { c.BaseURL = " " }, "ONEPIPE_BASE_URL: missing"},
		"API key missing":      {func(c *onepipe.Config) { c.APIKey = "\n" }, "ONEPIPE_API_KEY: missing"},
		"secret missing":       {func(c *onepipe.Config) { c.ClientSecret = "" }, "ONEPIPE_CLIENT_SECRET: missing"},
		"provider missing":     {func(c *onepipe.Config) { c.AuthProvider = "" }, "ONEPIPE_AUTH_PROVIDER: missing"},
		"two lines in a key":   {func(c *onepipe.Config) { c.APIKey = "a\nb" }, "ONEPIPE_API_KEY: "},
		"relative URL":         {func(c *onepipe.Config) { c.BaseURL = "api.onepipe.io/v2" }, "ONEPIPE_BASE_URL: "},
		"password in the URL":  {func(c *onepipe.Config) { c.BaseURL = "https://a:b@api.onepipe.io" }, "ONEPIPE_BASE_URL: "},
		"unknown encoding":     {func(c *onepipe.Config) { c.SecureEncoding = "latin1" }, "ONEPIPE_SECURE_ENCODING: "},
		"unknown place of OTP": {func(c *onepipe.Config) { c.OTPIn = "header" }, "ONEPIPE_OTP_IN: "},
		"unknown offer unit":   {func(c *onepipe.Config) { c.OfferUnit = "dollar" }, "ONEPIPE_OFFER_UNIT: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config("https://api.onepipe.io/v2")
			test.change(&cfg)
			_, err := onepipe.New(cfg, onepipe.Deps{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestNewOffersScoresAlone(t *testing.T) {
	t.Parallel()
	p, err := onepipe.New(config("https://api.onepipe.io/v2"), onepipe.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]lending.Capability{lending.CanScore, lending.CanConfirmScores}, p.Capabilities()); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
	want := map[lending.OperationKind]provider.Recovery{lending.OpRequestCreditScore: provider.RecoverByQuery}
	if diff := cmp.Diff(want, p.Recovery); diff != "" {
		t.Errorf("recovery (-want +got):\n%s", diff)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		want   lending.ErrorKind
	}{
		"an answer":     {http.StatusOK, ""},
		"nothing there": {http.StatusNotFound, ""},
		"not allowed":   {http.StatusUnauthorized, ""},
		"failing":       {http.StatusInternalServerError, lending.KindUpstreamUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, test.status, "")
			if got := lending.KindOf(o.Pinger.Ping(t.Context())); got != test.want {
				t.Errorf("kind %q, want %q", got, test.want)
			}
			if c := o.Calls()[0]; c.Method != http.MethodGet || c.Path != "/" || c.Header.Get("Authorization") != "" {
				t.Errorf("pinged by %s %s with authorization %q", c.Method, c.Path, c.Header.Get("Authorization"))
			}
		})
	}
}

func TestNothingIsSentWithoutAReference(t *testing.T) {
	t.Parallel()
	broken := func(_ *onepipe.Config, d *onepipe.Deps) { d.Random = iotest.ErrReader(errors.New("no entropy")) }
	o := setup(t, http.StatusOK, file(t, "successful.json"), broken)
	_, err := o.Scores.RequestScore(t.Context(), scoreRequest())
	if got := lending.AsError(err); got == nil || got.Kind != lending.KindInternal || got.Outcome != lending.NotExecuted || len(o.Calls()) != 0 {
		t.Errorf("error %#v after %d calls", err, len(o.Calls()))
	}
}
