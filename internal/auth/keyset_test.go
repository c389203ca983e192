package auth_test

import (
	"crypto"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestARotatedKeyIsTaken(t *testing.T) {
	t.Parallel()
	old, fresh := edKey(t), edKey(t)
	p := newIDP(t, map[string]crypto.Signer{"old": old})
	check := p.sources()
	token := func(kid string, key any) string { return foreign(t, jwt.SigningMethodEdDSA, kid, key, nil) }
	verify := func(kid string, key any, good bool, fetches int) {
		t.Helper()
		if _, err := check.Verify(token(kid, key)); (err == nil) != good || p.count() != fetches {
			t.Fatalf("%s: %v, after %d looks at the keys; want %v, %d", kid, err, p.count(), good, fetches)
		}
	}
	verify("old", old, true, 1)
	verify("old", old, true, 1)
	p.set(func() { p.keys = map[string]crypto.Signer{"old": old, "fresh": fresh} })
	verify("fresh", fresh, false, 1) // asked a moment ago
	p.set(func() { p.at = p.at.Add(10 * time.Second) })
	verify("fresh", fresh, true, 2)
	verify("old", old, true, 2)
	p.set(func() { p.keys, p.at = map[string]crypto.Signer{"fresh": fresh}, p.at.Add(10*time.Second) })
	verify("none", old, false, 3) // and with that the old key is known to be gone
	verify("old", old, false, 3)
	verify("fresh", fresh, true, 3)
}

func TestUnknownKeysDoNotHammerTheAddress(t *testing.T) {
	t.Parallel()
	key, fresh := edKey(t), edKey(t)
	p := newIDP(t, map[string]crypto.Signer{"d": key})
	check := p.sources()
	if _, err := check.Verify(foreign(t, jwt.SigningMethodEdDSA, "d", key, nil)); err != nil {
		t.Fatal(err)
	}
	<-p.arrived
	gate := make(chan struct{})
	p.set(func() {
		p.keys, p.gate, p.at = map[string]crypto.Signer{"d": key, "fresh": fresh}, gate, p.at.Add(time.Minute)
	})
	var all sync.WaitGroup
	storm := make(chan error, 200)
	for i := range 200 {
		token := foreign(t, jwt.SigningMethodEdDSA, fmt.Sprintf("made-up-%d", i), key, nil)
		all.Go(func() {
			_, err := check.Verify(token)
			storm <- err
		})
	}
	<-p.arrived // the storm has made one look at the keys, and a good token of a new key comes in the midst of it
	good := make(chan error, 1)
	all.Go(func() {
		_, err := check.Verify(foreign(t, jwt.SigningMethodEdDSA, "fresh", fresh, nil))
		good <- err
	})
	if _, err := check.Verify(foreign(t, jwt.SigningMethodEdDSA, "d", key, nil)); err != nil {
		t.Error("a known key has to wait:", err)
	}
	close(gate)
	all.Wait()
	close(storm)
	for err := range storm {
		if lending.KindOf(err) != lending.KindUnauthenticated {
			t.Fatalf("a made-up key is answered %v", err)
		}
	}
	if err := <-good; err != nil {
		t.Error("the new key is refused:", err)
	}
	if n := p.count(); n != 2 {
		t.Errorf("the address was asked %d times, want 2", n)
	}
}

func TestTheLastGoodKeysStay(t *testing.T) {
	t.Parallel()
	key := edKey(t)
	good := foreign(t, jwt.SigningMethodEdDSA, "d", key, nil)
	other := foreign(t, jwt.SigningMethodEdDSA, "other", key, nil)
	for name, spoil := range map[string]func(p *idp){
		"an error":      func(p *idp) { p.status = http.StatusInternalServerError },
		"a redirect":    func(p *idp) { p.status = http.StatusFound },
		"a page":        func(p *idp) { p.body = "<html>" },
		"no keys":       func(p *idp) { p.body = "{}" },
		"an empty list": func(p *idp) { p.body = `{"keys":[]}` },
		"a secret":      func(p *idp) { p.body = `{"keys":[{"kty":"oct","kid":"other","k":"c2VjcmV0"}]}` },
		"far too much": func(p *idp) {
			p.body = keySetOf(t, map[string]crypto.Signer{"other": key}) + strings.Repeat(" ", 2<<20)
		},
		"a key for none": func(p *idp) {
			p.body = strings.ReplaceAll(keySetOf(t, map[string]crypto.Signer{"other": key}), `"sig"`, `"enc"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIDP(t, map[string]crypto.Signer{"d": key})
			check := p.sources()
			if _, err := check.Verify(good); err != nil {
				t.Fatal(err)
			}
			p.set(func() { spoil(p); p.at = p.at.Add(time.Minute) })
			if _, err := check.Verify(other); lending.KindOf(err) != lending.KindUnavailable || p.count() != 2 {
				t.Errorf("after %d looks: %v", p.count(), err)
			}
			if _, err := check.Verify(good); err != nil {
				t.Error("the key is forgotten:", err)
			}
		})
	}
}

func TestWithoutKeysNobodyIsRefusedForGood(t *testing.T) {
	t.Parallel()
	key := edKey(t)
	p := newIDP(t, map[string]crypto.Signer{"d": key})
	p.status = http.StatusBadGateway
	check := p.sources()
	good := foreign(t, jwt.SigningMethodEdDSA, "d", key, nil)
	request := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	request.Header.Set("Authorization", "Bearer "+good)
	answer := httptest.NewRecorder()
	gateOf(check).Authenticate(http.NotFoundHandler()).ServeHTTP(answer, request)
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" || !strings.Contains(answer.Body.String(), `"UNAVAILABLE"`) || strings.Contains(answer.Body.String(), "502") {
		t.Errorf("answered %d %s", answer.Code, answer.Body)
	}
	if _, err := check.Verify(issued(t)); err != nil {
		t.Error("the built-in tokens do not hold meanwhile:", err)
	}
	p.set(func() { p.status, p.at = http.StatusOK, p.at.Add(time.Minute) })
	if _, err := check.Verify(good); err != nil {
		t.Error("when the keys are there:", err)
	}
}

func TestKeysAreKeptCurrentBehind(t *testing.T) {
	t.Parallel()
	key := edKey(t)
	p := newIDP(t, map[string]crypto.Signer{"d": key})
	c := p.config()
	c.RefreshEvery = time.Millisecond
	identity := auth.NewIdentityProvider(c)
	identity.Start()
	for range 5 { // the clock stands still: nothing but the interval makes it look
		<-p.arrived
	}
	identity.Stop()
	identity.Stop()
	seen := p.count()
	if _, err := identity.Verify(foreign(t, jwt.SigningMethodEdDSA, "d", key, nil)); err != nil || p.count() != seen {
		t.Errorf("after %d looks, and %d when stopped: %v", seen, p.count(), err)
	}
}

func TestStoppingDoesNotWaitForTheAddress(t *testing.T) {
	t.Parallel()
	p := newIDP(t, nil)
	p.gate = make(chan struct{})
	defer close(p.gate)
	identity := auth.NewIdentityProvider(p.config())
	identity.Start() // and neither does starting
	<-p.arrived
	identity.Stop()
}
