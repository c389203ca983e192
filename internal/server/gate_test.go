package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/server"
)

// welcome finds every client welcome, until a test says otherwise.
type welcome struct {
	mu      sync.Mutex
	revoked bool
	away    error
}

func (w *welcome) Client(_ context.Context, id string) (auth.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return auth.Client{ID: id, Revoked: w.revoked}, w.away
}

func (w *welcome) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// setupClients is a bench whose clients can be revoked, which is noticed at once, and a token of one of them.
func setupClients(t *testing.T) (*bench, *welcome, string) {
	t.Helper()
	clients := &welcome{}
	b := setupWith(t, func(c *server.Config) {
		*c = server.Within(*c, server.SocketLimits{Standing: 20 * time.Millisecond})
		c.Clients = clients
	})
	token, err := b.issuer.Issue(auth.NewClientID(), auth.Scopes(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return b, clients, token
}

func TestARevokedClientsConnectionsEnd(t *testing.T) {
	t.Parallel()
	b, clients, token := setupClients(t)
	inInit, inHandshake, sandbox := b.open(), (*peer)(nil), b.connect()
	inInit.init(token)
	inHandshake, _, err := b.dial(spoken, "Authorization", "Bearer "+token)
	if err != nil {
		t.Fatal(err)
	}
	inHandshake.say(`{"type":"connection_init"}`)
	inHandshake.hears("connection_ack")
	stream := b.get(followEvents, "")
	stream.Header.Set("Authorization", "Bearer "+token)
	var s *source
	b.begun(func() { s = b.follow(stream) })
	b.following(inInit, "1")
	clients.set(func() { clients.revoked = true })
	for name, p := range map[string]*peer{"by its payload": inInit, "by its handshake": inHandshake} {
		if code, reason, heard := p.ended(); code != 4403 || !strings.Contains(reason, "revoked") || len(heard) > 0 {
			t.Errorf("%s: closed with %d %q after %v", name, code, reason, heard)
		}
	}
	if told := s.rest(); len(told) != 0 {
		t.Errorf("the stream heard %v", told)
	}
	again := b.get(followEvents, "")
	again.Header.Set("Authorization", "Bearer "+token)
	if got := b.send(again); got.status != http.StatusUnauthorized || !strings.Contains(got.text, "revoked") {
		t.Errorf("afterwards: %d %s", got.status, got.text)
	}
	sandbox.quiet()
}

// TestWhatCannotBeJudgedIsToBeTriedAgain has nobody know whether tokens are good.
func TestWhatCannotBeJudgedIsToBeTriedAgain(t *testing.T) {
	t.Parallel()
	b, clients, token := setupClients(t)
	clients.set(func() { clients.away = errors.New("the database is away") })
	keyless := setupWith(t, func(c *server.Config) {
		c.Verifier = auth.NewSources(c.Issuer, auth.NewIdentityProvider(auth.IdentityConfig{
			JWKSURL: "http://127.0.0.1:1/jwks", Issuer: "https://id.example", Audience: "credit", Clock: time.Now, Logger: c.Logger,
		}))
	})
	// {"alg":"EdDSA","kid":"k"} . {"iss":"https://id.example","aud":"credit"} . nothing
	const foreign = "eyJhbGciOiJFZERTQSIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJjcmVkaXQifQ."
	for name, test := range map[string]struct {
		*bench
		token string
	}{"the database": {b, token}, "the identity provider's keys": {keyless, foreign}} {
		p := test.open()
		p.say(fmt.Sprintf(`{"type":"connection_init","payload":{"Authorization":"Bearer %s"}}`, test.token))
		if code, reason, _ := p.ended(); code != 1013 || !strings.Contains(reason, "cannot be checked") {
			t.Errorf("%s: closed with %d %q", name, code, reason)
		}
		r := test.request(`{ viewer { clientId } }`, nil)
		r.Header.Set("Authorization", "Bearer "+test.token)
		if got := test.send(r); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || got.code() != string(lending.KindUnavailable) {
			t.Errorf("%s: answered %d %v %s", name, got.status, got.header, got.text)
		}
		if _, response, err := test.dial(spoken, "Authorization", "Bearer "+test.token); err == nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: the handshake is answered %v", name, response)
		}
	}
}

// TestAddressesThatFailTooOftenAreLimited fails on each way in, and comes through a proxy.
func TestAddressesThatFailTooOftenAreLimited(t *testing.T) {
	t.Parallel()
	at := time.Now()
	b := setupWith(t, func(c *server.Config) {
		*c = server.Within(*c, server.SocketLimits{Init: time.Millisecond})
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Clock = func() time.Time { return at } // stands still: nobody is forgiven
	})
	come := func(from, token string) answer {
		t.Helper()
		r := b.request(`{ viewer { clientId } }`, nil)
		r.Header.Set("X-Forwarded-For", "192.0.2.1, "+from)
		r.Header.Set("Authorization", "Bearer "+token)
		return b.send(r)
	}
	silent, _, err := b.dial(spoken, "X-Forwarded-For", "203.0.113.7")
	if err != nil {
		t.Fatal(err)
	}
	if code, _, _ := silent.ended(); code != 4408 { // the first failure: it never says who it is
		t.Fatalf("closed with %d", code)
	}
	const free = 300
	for range free - 1 {
		if got := come("203.0.113.7", "x"); got.status != http.StatusUnauthorized {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
	}
	if got := come("203.0.113.7", "x"); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" || got.code() != string(lending.KindRateLimited) {
		t.Errorf("answered %d %v %s", got.status, got.header, got.text)
	}
	r := b.post(strings.NewReader("grant_type=client_credentials&client_id=x&client_secret=x"))
	r.URL.Path = "/oauth/token"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	r.Header.Del("Authorization")
	if got := b.send(r); got.status != http.StatusTooManyRequests {
		t.Errorf("the token endpoint answered %d %s", got.status, got.text)
	}
	if got := come("203.0.113.7", b.token()); got.status != http.StatusOK {
		t.Errorf("a good token is answered %d %s", got.status, got.text)
	}
	if got := come("203.0.113.8", "x"); got.status != http.StatusUnauthorized {
		t.Errorf("another address is answered %d %s", got.status, got.text)
	}
}

// TestASocketOfALimitedAddressComesBack fails over websockets alone.
func TestASocketOfALimitedAddressComesBack(t *testing.T) {
	t.Parallel()
	at := time.Now()
	b := setupWith(t, func(c *server.Config) { c.Clock = func() time.Time { return at } })
	say := func(token string) (code int, reason string) {
		p := b.open()
		p.say(fmt.Sprintf(`{"type":"connection_init","payload":{"Authorization":"Bearer %s"}}`, token))
		closed, reason, _ := p.ended()
		return int(closed), reason
	}
	const free = 300
	for i := range free {
		token := "x"
		if i%2 == 0 {
			token = ""
		}
		if code, reason := say(token); code != 4403 {
			t.Fatalf("closed with %d %q", code, reason)
		}
	}
	if code, reason := say("x"); code != 1013 || !strings.Contains(reason, "Too many") {
		t.Errorf("closed with %d %q", code, reason)
	}
	p := b.connect() // with a good token
	p.quiet()
}
