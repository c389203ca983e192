package kredmint_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const (
	authorization        = "Basic c2VjcmV0"
	webhookAuthorization = "Basic d2ViaG9vaw=="
	username             = "9887206895"
)

// call is one request that the stand-in for Kredmint got.
type call struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// standIn is Kredmint as far as a test needs it: one answer for everything.
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
func setup(t *testing.T, status int, body string) *standIn {
	t.Helper()
	return setupFunc(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func setupFunc(t *testing.T, answer http.HandlerFunc) *standIn {
	t.Helper()
	s := &standIn{Log: &bytes.Buffer{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a request: %v", err)
		}
		s.mu.Lock()
		s.calls = append(s.calls, call{r.Method, r.URL.Path, r.URL.RawQuery, r.Header, body})
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	p, err := kredmint.New(config(server.URL), kredmint.Deps{
		Transport: transport, Logger: slog.New(slog.NewTextHandler(s.Log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Provider = p
	return s
}

func config(base string) kredmint.Config {
	return kredmint.Config{
		UserURL: base, AccountURL: base, MerchantURL: "https://merchant.example.com/auth", PartnerID: "P 1",
		ClientToken: "t&k", Authorization: authorization + "\n", Source: "MOS", WebhookAuthorization: webhookAuthorization,
	}
}

// seed is an example of the documentation.
func seed(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// wantJSON compares a request with its golden file, down to the literals of its numbers.
func wantJSON(t *testing.T, name string, got []byte) {
	t.Helper()
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(seed(t, name))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("request differs from %s (-want +got):\n%s", name, diff)
	}
}

// compareMoney lets go-cmp look into amounts.
var compareMoney = cmp.Comparer(func(a, b lending.Money) bool { return a == b })

func TestNewNamesWrongSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*kredmint.Config)
		want   string
	}{
		"user URL missing":      {func(c *kredmint.Config) { c.UserURL = " " }, "KREDMINT_USER_URL: missing"},
		"account URL missing":   {func(c *kredmint.Config) { c.AccountURL = "" }, "KREDMINT_ACCOUNT_URL: missing"},
		"authorization missing": {func(c *kredmint.Config) { c.Authorization = "" }, "KREDMINT_AUTHORIZATION: missing"},
		"source missing":        {func(c *kredmint.Config) { c.Source = "" }, "KREDMINT_SOURCE: missing"},
		"two lines in a header": {func(c *kredmint.Config) { c.Authorization = "Basic a\nb" }, "KREDMINT_AUTHORIZATION: "},
		"user URL relative":     {func(c *kredmint.Config) { c.UserURL = "user" }, "KREDMINT_USER_URL: "},
		"account URL not http":  {func(c *kredmint.Config) { c.AccountURL = "ftp://host" }, "KREDMINT_ACCOUNT_URL: "},
		"merchant URL no URL":   {func(c *kredmint.Config) { c.MerchantURL = "javascript:auth" }, "KREDMINT_MERCHANT_URL: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config("https://kredmint.example.com")
			test.change(&cfg)
			_, err := kredmint.New(cfg, kredmint.Deps{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestNewOffersWhatKredmintOffers(t *testing.T) {
	t.Parallel()
	p, err := kredmint.New(config("https://kredmint.example.com"), kredmint.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	want := []lending.Capability{
		lending.CanReadCreditLines, lending.CanManageSuppliers, lending.CanPayInvoices, lending.CanStoreDocuments,
		lending.CanSendWebhooks,
	}
	if diff := cmp.Diff(want, p.Capabilities()); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
	wantRecovery := map[lending.OperationKind]provider.Recovery{lending.OpCreateSupplier: provider.RecoverByListing}
	if diff := cmp.Diff(wantRecovery, p.Recovery); diff != "" {
		t.Errorf("recovery (-want +got):\n%s", diff)
	}
}

func TestSignUpURL(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ merchant, username, want string }{
		"with its path":    {"https://merchant.example.com/auth", username, "https://merchant.example.com/auth?partnerId=P+1&clientToken=t%26k&mobile=9887206895"},
		"without its path": {"https://merchant.example.com/", username, "https://merchant.example.com/auth?partnerId=P+1&clientToken=t%26k&mobile=9887206895"},
		"trailing slash":   {"https://merchant.example.com/auth/", "+919887206895", "https://merchant.example.com/auth?partnerId=P+1&clientToken=t%26k&mobile=9887206895"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config("https://kredmint.example.com")
			cfg.MerchantURL = test.merchant
			p, err := kredmint.New(cfg, kredmint.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.SignUp.SignUpURL(test.username); got != test.want {
				t.Errorf("address %s, want %s", got, test.want)
			}
		})
	}
}

func TestNoSignUpWithoutAllOfItsSettings(t *testing.T) {
	t.Parallel()
	cfg := config("https://kredmint.example.com")
	cfg.ClientToken = ""
	var log bytes.Buffer
	p, err := kredmint.New(cfg, kredmint.Deps{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if p.SignUp != nil {
		t.Error("sign-up is offered without a client token")
	}
	if !strings.Contains(log.String(), "KREDMINT_MERCHANT_URL") {
		t.Errorf("nothing was said of it: %q", log.String())
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		want   lending.ErrorKind
	}{
		"an answer":       {http.StatusOK, ""},
		"nothing there":   {http.StatusNotFound, ""},
		"not allowed":     {http.StatusUnauthorized, ""},
		"failing":         {http.StatusBadGateway, lending.KindUpstreamUnavailable},
		"for maintenance": {http.StatusServiceUnavailable, lending.KindUpstreamUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, test.status, "")
			if got := lending.KindOf(k.Pinger.Ping(t.Context())); got != test.want {
				t.Errorf("kind %q, want %q", got, test.want)
			}
			if c := k.Calls()[0]; c.Method != http.MethodGet || c.Path != "/" || c.Header.Get("Authorization") != "" {
				t.Errorf("pinged by %s %s with authorization %q", c.Method, c.Path, c.Header.Get("Authorization"))
			}
		})
	}
}
