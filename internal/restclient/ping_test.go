package restclient_test

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/restclient"
)

func TestPingAsksTheHostAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		want   error
	}{
		"an answer":     {http.StatusOK, nil},
		"elsewhere":     {http.StatusFound, nil},
		"not allowed":   {http.StatusUnauthorized, nil},
		"nothing there": {http.StatusNotFound, nil},
		"asked often":   {http.StatusTooManyRequests, nil},
		"failing":       {http.StatusInternalServerError, restclient.ErrFailing},
		"unavailable":   {http.StatusServiceUnavailable, restclient.ErrFailing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Method+" "+r.RequestURI)
				w.WriteHeader(test.status)
			})
			err := newClient(t, restclient.Config{BaseURL: base + "/baas/api"}).Ping(t.Context())
			if !errors.Is(err, test.want) {
				t.Errorf("Ping = %v, want %v", err, test.want)
			}
			if len(asked) != 1 || asked[0] != "GET /" {
				t.Errorf("asked %q, want one GET of /", asked)
			}
		})
	}
}

func TestPingOfNobody(t *testing.T) {
	t.Parallel()
	err := newClient(t, restclient.Config{BaseURL: "http://127.0.0.1:1/v2"}).Ping(t.Context())
	if transport, ok := errors.AsType[*restclient.TransportError](err); !ok || transport.Sent() {
		t.Errorf("Ping = %v, want a TransportError of nothing sent", err)
	}
}

// A ping leaves the client as it was: its own requests still go behind the base URL's path.
func TestPingLeavesTheBaseURL(t *testing.T) {
	t.Parallel()
	var asked []string
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.Path) })
	c := newClient(t, restclient.Config{BaseURL: base + "/v2"})
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), restclient.Request{Method: http.MethodGet, Path: "/transact"}); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 2 || asked[1] != "/v2/transact" {
		t.Errorf("asked %q", asked)
	}
}

func TestDefaultsFillInWhatIsMissing(t *testing.T) {
	t.Parallel()
	var (
		transport http.RoundTripper
		clock     func() time.Time
		log       *slog.Logger
	)
	restclient.Defaults(&transport, &clock, &log)
	if transport == nil || clock == nil || log == nil {
		t.Fatalf("left out: transport %v, clock %t, log %v", transport, clock != nil, log)
	}
	if log.Enabled(t.Context(), slog.LevelError) {
		t.Error("the log keeps what it is told")
	}
	if d := time.Since(clock()); d < 0 || d > time.Minute {
		t.Errorf("the clock is off by %v", d)
	}
}

func TestDefaultsKeepWhatIsGiven(t *testing.T) {
	t.Parallel()
	given := &http.Transport{}
	at := time.Date(2026, 4, 16, 11, 0, 0, 0, time.UTC)
	var transport http.RoundTripper = given
	clock := func() time.Time { return at }
	logger := slog.Default()
	log := logger
	restclient.Defaults(&transport, &clock, &log)
	if transport != given || !clock().Equal(at) || log != logger {
		t.Error("something given was replaced")
	}
}
