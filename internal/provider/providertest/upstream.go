package providertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// upstream stands in for the provider's server.
type upstream struct {
	url    string
	server *httptest.Server
	count  atomic.Int64
}

func newUpstream(t *testing.T, h Harness, answer http.HandlerFunc) *upstream {
	t.Helper()
	up := &upstream{}
	up.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Aside != nil && h.Aside(w, r) {
			return
		}
		up.count.Add(1)
		// What is left of the body is read: only then does the server notice a client that goes away.
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, r)
	}))
	up.url = up.server.URL
	t.Cleanup(up.close)
	return up
}

func (u *upstream) close() {
	u.server.CloseClientConnections()
	u.server.Close()
}

func (u *upstream) requests() int { return int(u.count.Load()) }

func respond(status int, contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if contentType == "" {
			contentType = "application/json"
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write(body) // a client that went away is the check's business, not ours
	}
}

// leak is what a provider's own error text might hold: it must not come through.
const leak = "stack trace at 10.0.0.7 for 08012345678"

func page(status int) http.HandlerFunc {
	return respond(status, "text/html", []byte("<html><body>"+leak+"</body></html>"))
}

func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(fmt.Sprintf("the stand-in cannot cut its connection: %v", err))
	}
	conn.Close()
}

func halfBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)+64))
	w.WriteHeader(status)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	hangUp(w)
}

func endless(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		chunk := []byte(strings.Repeat(`{"x":`, 1<<14))
		for range 1024 { // 80 MB, should nobody hang up
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}

func deadline(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// discreet checks that neither the public text nor the one for our log tells a secret, the upstream's
// own words or where it lives.
func discreet(t *testing.T, h Harness, up *upstream, e *lending.Error) {
	t.Helper()
	hidden := append([]string{leak}, h.Secrets...)
	for _, text := range []string{e.Error(), e.Detail()} {
		for _, secret := range hidden {
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("an error tells %q: %s", secret, text)
			}
		}
		if strings.Contains(text, "?") && strings.Contains(text, "://") {
			t.Errorf("an error tells an address with its query: %s", text)
		}
	}
	if u, err := url.Parse(up.url); err == nil && strings.Contains(e.Error(), u.Host) {
		t.Errorf("the public text tells the upstream's address: %s", e.Error())
	}
}

// compareDomain are the options that the domain's types with unexported fields need.
func compareDomain() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b lending.Money) bool { return a == b }),
		cmp.Comparer(func(a, b lending.Decimal) bool { return a.Cmp(b) == 0 }),
	}
}
