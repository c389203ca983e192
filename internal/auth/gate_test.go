package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// gateOf is a gate at the time of every test, at which nobody is revoked.
func gateOf(verifier auth.Verifier) *auth.Gate {
	return auth.NewGate(auth.GateConfig{Verifier: verifier, Clock: now, Logger: slog.New(slog.DiscardHandler)})
}

// entrance is a gate with a clock, whose verifier and clients count what they are asked.
type entrance struct {
	*testing.T
	*auth.Issuer
	gate     *auth.Gate
	endpoint http.Handler

	mu       sync.Mutex
	at       time.Time
	revoked  map[string]bool
	away     error
	verified atomic.Int64
	looked   atomic.Int64
}

func newEntrance(t *testing.T) *entrance {
	t.Helper()
	e := &entrance{T: t, at: now(), revoked: map[string]bool{}}
	var err error
	if e.Issuer, err = auth.NewIssuer(dataKey(), e.now); err != nil {
		t.Fatal(err)
	}
	e.gate = auth.NewGate(auth.GateConfig{Verifier: e, Clients: e, Clock: e.now, Logger: slog.New(slog.DiscardHandler)})
	e.endpoint = auth.Addressed(nil, auth.TokenEndpoint(e.Issuer, e, e.gate, slog.New(slog.DiscardHandler)))
	return e
}

func (e *entrance) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at
}

func (e *entrance) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

func (e *entrance) pass(d time.Duration) { e.set(func() { e.at = e.at.Add(d) }) }

func (e *entrance) Verify(token string) (*auth.Principal, error) {
	e.verified.Add(1)
	return e.Issuer.Verify(token)
}

// Client knows all clients whose ids were made, with the secret "s3cret", but for those whom revoked says are not there.
func (e *entrance) Client(_ context.Context, id string) (auth.Client, error) {
	e.looked.Add(1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away != nil {
		return auth.Client{}, e.away
	}
	revoked, known := e.revoked[id]
	if !known {
		return auth.Client{}, lending.NotFound("client")
	}
	return auth.Client{ID: id, SecretHash: auth.HashSecret("s3cret"), Scopes: auth.Scopes(), Revoked: revoked}, nil
}

// client is one that is welcome.
func (e *entrance) client() string {
	id := auth.NewClientID()
	e.set(func() { e.revoked[id] = false })
	return id
}

func (e *entrance) token(client string) string {
	e.Helper()
	token, err := e.Issue(client, auth.Scopes(), auth.TokenLifetime)
	if err != nil {
		e.Fatal(err)
	}
	return token
}

// come is the answer to a request with a token, from an address.
func (e *entrance) come(from, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	r.RemoteAddr = from
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	let := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	auth.Addressed(nil, e.gate.Authenticate(let)).ServeHTTP(w, r)
	return w
}

// want checks that a request with a token is answered with a status.
func (e *entrance) want(status int, from, token string) *httptest.ResponseRecorder {
	e.Helper()
	w := e.come(from, token)
	if w.Code != status {
		e.Fatalf("from %s: %d %s, want %d", from, w.Code, w.Body, status)
	}
	return w
}

// grant is the answer to credentials, from an address.
func (e *entrance) grant(from, id, secret string) *httptest.ResponseRecorder {
	body := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	e.endpoint.ServeHTTP(w, r)
	return w
}

// forged are tokens under another key.
func forged(t *testing.T, n int) string {
	t.Helper()
	other, err := auth.NewIssuer([]byte("another data key"), now)
	if err != nil {
		t.Fatal(err)
	}
	token, err := other.Issue(fmt.Sprint("attacker-", n), auth.Scopes(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// free is how many failures an address has at once.
const free = 300

func TestAnAddressThatFailsTooOftenIsNotLookedAt(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	const office, elsewhere = "203.0.113.7:4711", "203.0.113.8:4711"
	seen := e.token(e.client())
	e.want(http.StatusOK, office, seen)
	for i := range free / 2 {
		e.want(http.StatusUnauthorized, office, forged(t, i))
		e.want(http.StatusUnauthorized, office, "")
	}
	before := e.verified.Load()
	for i := range 20 {
		w := e.want(http.StatusTooManyRequests, office, forged(t, i))
		if w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"RATE_LIMITED"`) {
			t.Fatalf("%v %s", w.Header(), w.Body)
		}
		e.want(http.StatusTooManyRequests, office, "")
		e.want(http.StatusTooManyRequests, office, strings.Repeat("a.", 50_000))
	}
	if n := e.verified.Load() - before; n != 0 {
		t.Errorf("%d tokens were verified", n)
	}
	e.want(http.StatusOK, office, seen)
	e.want(http.StatusOK, office, e.token(e.client())) // never seen here, and known by its mark
	e.want(http.StatusUnauthorized, elsewhere, forged(t, 0))

	e.pass(time.Second / 5)
	e.want(http.StatusUnauthorized, office, forged(t, 0))
	e.want(http.StatusTooManyRequests, office, forged(t, 0))
}

func TestAnAddressOfIPv6IsANetwork(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	for i := range free {
		e.want(http.StatusUnauthorized, fmt.Sprintf("[2001:db8:0:1::%x]:80", i), "x")
	}
	e.want(http.StatusTooManyRequests, "[2001:db8:0:1:ffff::1]:80", "x")
	e.want(http.StatusUnauthorized, "[2001:db8:0:2::1]:80", "x")
	for range free {
		e.want(http.StatusUnauthorized, "[::ffff:203.0.113.7]:80", "x")
	}
	e.want(http.StatusTooManyRequests, "203.0.113.7:80", "x")
}

func TestFailedAddressesAreForgotten(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	for range free {
		e.want(http.StatusUnauthorized, "203.0.113.7:80", "")
	}
	e.want(http.StatusTooManyRequests, "203.0.113.7:80", "")
	for i := range 20_000 { // more than are remembered
		e.want(http.StatusUnauthorized, fmt.Sprintf("10.%d.%d.%d:80", i>>16, i>>8&255, i&255), "")
	}
	e.want(http.StatusUnauthorized, "203.0.113.7:80", "")
}

// TestWhatWasGoodIsNotGoodForEver has tokens end from which an address could go on otherwise.
func TestWhatWasGoodIsNotGoodForEver(t *testing.T) {
	t.Parallel()
	key := edKey(t)
	e := newEntrance(t)
	rsa := foreign(t, jwt.SigningMethodEdDSA, "d", key, nil)
	good := true
	e.gate = auth.NewGate(auth.GateConfig{Clock: e.now, Logger: slog.New(slog.DiscardHandler), Verifier: verifierFunc(func(token string) (*auth.Principal, error) {
		e.verified.Add(1)
		if token == rsa && good {
			return &auth.Principal{ClientID: "x"}, nil
		}
		return nil, &lending.Error{Kind: lending.KindUnauthenticated}
	})})
	const office = "203.0.113.7:4711"
	e.want(http.StatusOK, office, rsa)
	for range free {
		e.want(http.StatusUnauthorized, office, "x")
	}
	e.want(http.StatusOK, office, rsa)
	good = false
	e.want(http.StatusUnauthorized, office, rsa)
	before := e.verified.Load()
	e.want(http.StatusTooManyRequests, office, rsa)
	if e.verified.Load() != before {
		t.Error("a token that is no longer good is looked at again")
	}
}

type verifierFunc func(string) (*auth.Principal, error)

func (f verifierFunc) Verify(token string) (*auth.Principal, error) { return f(token) }

func TestTheTokenEndpointCountsByAddress(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	const office, elsewhere = "203.0.113.7:4711", "203.0.113.8:4711"
	known, unknown := e.client(), e.client()
	want := func(status int, from, id, secret string) {
		t.Helper()
		if w := e.grant(from, id, secret); w.Code != status || status == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "1" {
			t.Fatalf("%d %v %s, want %d", w.Code, w.Header(), w.Body, status)
		}
	}
	want(http.StatusOK, office, known, "s3cret")
	for i := range free {
		want(http.StatusUnauthorized, office, fmt.Sprint("made-up-", i), "x")
	}
	before := e.looked.Load()
	for i := range 20 {
		want(http.StatusTooManyRequests, office, fmt.Sprint("made-up-", i), "x")
		want(http.StatusTooManyRequests, office, known, "x")
	}
	if n := e.looked.Load() - before; n != 0 {
		t.Errorf("the database was asked %d times", n)
	}
	want(http.StatusOK, office, known, "s3cret")
	want(http.StatusOK, elsewhere, unknown, "s3cret")
	e.want(http.StatusTooManyRequests, office, "x") // the two count together
	e.set(func() { e.revoked[known] = true })
	want(http.StatusUnauthorized, office, known, "s3cret")
	want(http.StatusTooManyRequests, office, known, "s3cret")
}

func TestARevokedClientsTokensEnd(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	const from = "203.0.113.7:4711"
	id := e.client()
	token := e.token(id)
	for range 10 {
		e.want(http.StatusOK, from, token)
	}
	if n := e.looked.Load(); n != 1 {
		t.Errorf("the client was looked up %d times for ten requests", n)
	}
	e.set(func() { e.revoked[id] = true })
	e.pass(3 * time.Second)
	if w := e.want(http.StatusUnauthorized, from, token); !strings.Contains(w.Body.String(), "revoked") {
		t.Error(w.Body)
	}
	e.want(http.StatusUnauthorized, from, e.token(auth.NewClientID())) // of one that was deleted
	before := e.looked.Load()
	for _, other := range []string{"sandbox", "demo-mobile", "web"} { // who have no place in the database
		e.want(http.StatusOK, from, e.token(other))
	}
	if e.looked.Load() != before {
		t.Error("others were looked up")
	}
}

func TestKnownClientsAreServedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	const from = "203.0.113.7:4711"
	known, revoked, unknown := e.client(), e.client(), e.client()
	tokens := map[string]string{known: e.token(known), revoked: e.token(revoked), unknown: e.token(unknown)}
	e.want(http.StatusOK, from, tokens[known])
	e.set(func() { e.revoked[revoked] = true })
	e.want(http.StatusUnauthorized, from, tokens[revoked])
	e.set(func() { e.away = errors.New("the database is away") })
	for range 10 {
		e.pass(time.Minute)
		e.want(http.StatusOK, from, tokens[known])
		e.want(http.StatusUnauthorized, from, tokens[revoked])
		if w := e.want(http.StatusServiceUnavailable, from, tokens[unknown]); w.Header().Get("Retry-After") == "" {
			t.Error("nobody is told when to come back")
		}
	}
	e.pass(time.Second)
	e.want(http.StatusServiceUnavailable, from, tokens[known])
	e.want(http.StatusUnauthorized, from, tokens[revoked])
	e.set(func() { e.away = nil })
	e.pass(time.Second)
	e.want(http.StatusOK, from, tokens[known])
	e.want(http.StatusOK, from, tokens[unknown])
}

// TestNobodyWaitsForADatabaseThatHangs has one request wait for a known client, and the others not.
func TestNobodyWaitsForADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	id := e.client()
	token := e.token(id)
	hangs, asked := make(chan struct{}), make(chan struct{}, 100)
	var hanging atomic.Bool
	e.gate = auth.NewGate(auth.GateConfig{Verifier: e, Clock: e.now, Logger: slog.New(slog.DiscardHandler), Clients: finderFunc(func(ctx context.Context, id string) (auth.Client, error) {
		if hanging.Load() {
			asked <- struct{}{}
			<-hangs
		}
		return e.Client(ctx, id)
	})})
	const from = "203.0.113.7:4711"
	e.want(http.StatusOK, from, token)
	hanging.Store(true)
	e.pass(time.Minute)
	first := make(chan int)
	go func() { first <- e.come(from, token).Code }()
	<-asked
	for range 10 {
		e.want(http.StatusOK, from, token)
	}
	if len(asked) != 0 {
		t.Error("it was asked again")
	}
	close(hangs)
	if code := <-first; code != http.StatusOK {
		t.Errorf("the first is answered %d", code)
	}
}

type finderFunc func(context.Context, string) (auth.Client, error)

func (f finderFunc) Client(ctx context.Context, id string) (auth.Client, error) { return f(ctx, id) }
