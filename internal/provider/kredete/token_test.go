package kredete_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
)

// issuer is a Kredete without a network: it issues numbered tokens and accepts those that it has not
// revoked. It serves as a transport, so that tests run on a clock of their own.
type issuer struct {
	mu      sync.Mutex
	grant   func(n int) string // the answer to the n-th token request; "" is a failure
	hold    chan struct{}      // token requests wait for it, where it is set
	issued  int
	forms   []url.Values
	used    []string // the token of each call
	revoked map[string]bool
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/oauth/token") {
		return i.token(r)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	i.used = append(i.used, token)
	if i.revoked[token] {
		return response(http.StatusUnauthorized, `{"error":{"code":"AUTHENTICATION_FAILED"}}`), nil
	}
	return response(http.StatusOK, `{"id":"c"}`), nil
}

func (i *issuer) token(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	i.issued++
	i.forms = append(i.forms, form)
	n, hold := i.issued, i.hold
	i.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if answer := i.grant(n); answer != "" {
		return response(http.StatusOK, answer), nil
	}
	return nil, errors.New("connection refused")
}

func (i *issuer) counts() (issued int, used []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.issued, append([]string(nil), i.used...)
}

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func numbered(n int) string {
	return fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":3600,"scope":"read:customers write:loans"}`, n)
}

func newIssued(t *testing.T, i *issuer, options ...option) *provider.Provider {
	t.Helper()
	options = append([]option{func(_ *kredete.Config, d *kredete.Deps) {
		d.Transport, d.Clock, d.Jitter = i, time.Now, func(int64) int64 { return 0 }
	}}, options...)
	return newDriver(t, "https://kredete.test/v2", options...)
}

func read(t *testing.T, p *provider.Provider) error {
	t.Helper()
	_, err := p.Profiles.Profile(t.Context(), "c")
	return err
}

func TestTokenIsAskedForAsDocumented(t *testing.T) {
	t.Parallel()
	i := &issuer{grant: numbered}
	if err := read(t, newIssued(t, i)); err != nil {
		t.Fatal(err)
	}
	want := "client_id=client&client_secret=" + clientSecret + "&grant_type=client_credentials&scope=read%3Acustomers+write%3Aloans"
	if got := i.forms[0].Encode(); got != want {
		t.Errorf("form = %s, want %s", got, want)
	}
}

func TestManyCallersShareOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{grant: numbered, hold: make(chan struct{})}
		p := newIssued(t, i)
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if err := read(t, p); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(i.hold)
		group.Wait()
		if issued, used := i.counts(); issued != 1 || len(used) != 50 {
			t.Errorf("%d tokens for %d calls", issued, len(used))
		}
	})
}

func TestTokenIsRenewedEarlyBehindTheCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{grant: numbered}
		p := newIssued(t, i)
		step := func(wait time.Duration, token string, issued int) {
			t.Helper()
			time.Sleep(wait)
			if err := read(t, p); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n, used := i.counts(); used[len(used)-1] != token || n != issued {
				t.Errorf("after %v: used %s of %d tokens, want %s of %d", wait, used[len(used)-1], n, token, issued)
			}
		}
		step(0, "token-1", 1)
		step(2879*time.Second, "token-1", 1) // just before 80 per cent of 3600 s
		step(2*time.Second, "token-1", 2)    // the old one still serves, the new one is fetched behind it
		step(0, "token-2", 2)
		step(4000*time.Second, "token-3", 3) // over: now the caller waits
	})
}

func TestJitterSpreadsRenewals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{grant: numbered}
		p := newIssued(t, i, func(_ *kredete.Config, d *kredete.Deps) {
			d.Jitter = func(n int64) int64 { return n - 1 }
		})
		for _, wait := range []time.Duration{0, 3239 * time.Second} { // just before 90 per cent
			time.Sleep(wait)
			if err := read(t, p); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if issued, _ := i.counts(); issued != 1 {
			t.Errorf("%d tokens before the time", issued)
		}
		time.Sleep(2 * time.Second)
		if err := read(t, p); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if issued, _ := i.counts(); issued != 2 {
			t.Errorf("%d tokens, want a second one", issued)
		}
	})
}

func TestFailedRenewalCostsNothingWhileTheOldTokenIsGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{grant: func(n int) string {
			if n == 1 {
				return numbered(1)
			}
			return ""
		}}
		p := newIssued(t, i)
		for _, wait := range []time.Duration{0, 3000 * time.Second, 0, 0, 11 * time.Second} {
			time.Sleep(wait)
			if err := read(t, p); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if issued, _ := i.counts(); issued != 3 {
			t.Errorf("%d token requests, want 3: one, one that failed, one after a pause", issued)
		}
		time.Sleep(700 * time.Second)
		e := lending.AsError(read(t, p))
		if e == nil || e.Kind != lending.KindUpstreamUnavailable || e.Outcome != lending.NotExecuted {
			t.Errorf("with no token left: %v", e)
		}
	})
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	i := &issuer{grant: numbered, revoked: map[string]bool{}}
	p := newIssued(t, i)
	if err := read(t, p); err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	i.revoked["token-1"] = true
	i.mu.Unlock()
	if _, err := p.Decisions.Disburse(t.Context(), "c"); err != nil {
		t.Fatalf("a POST that met an expired token: %v", err)
	}
	if _, used := i.counts(); strings.Join(used, " ") != "token-1 token-1 token-2" {
		t.Errorf("calls used %v", used)
	}

	i.mu.Lock()
	for n := range 10 {
		i.revoked[fmt.Sprintf("token-%d", n)] = true
	}
	i.mu.Unlock()
	_, err := p.Decisions.Disburse(t.Context(), "c")
	e := lending.AsError(err)
	if e == nil || e.Kind != lending.KindUpstreamAuth || e.Outcome != lending.NotExecuted || e.Retryable || e.ProviderCode != "AUTHENTICATION_FAILED" {
		t.Errorf("error = %+v", e)
	}
	if issued, used := i.counts(); issued != 3 || len(used) != 5 {
		t.Errorf("%d tokens, %d calls: it loops", issued, len(used))
	}
}

// lateRefusals delivers the first refusal at once and the others when they are released.
type lateRefusals struct {
	*issuer
	refusals atomic.Int64
	release  chan struct{}
}

func (l *lateRefusals) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.issuer.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && l.refusals.Add(1) > 1 {
		<-l.release
	}
	return resp, err
}

func TestLateRefusalDoesNotDropTheNewerToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{}) // until both callers wait for the first token
		late := &lateRefusals{
			issuer:  &issuer{grant: numbered, hold: hold, revoked: map[string]bool{"token-1": true}},
			release: make(chan struct{}),
		}
		p := newIssued(t, late.issuer, func(_ *kredete.Config, d *kredete.Deps) { d.Transport = late })
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if err := read(t, p); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(hold)
		synctest.Wait()
		close(late.release)
		group.Wait()
		if issued, used := late.counts(); issued != 2 || len(used) != 4 {
			t.Errorf("%d tokens, calls used %v", issued, used)
		}
	})
}

func TestManyRefusedCallersShareTheReplacement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{grant: numbered, revoked: map[string]bool{"token-1": true}}
		p := newIssued(t, i)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if err := read(t, p); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if issued, _ := i.counts(); issued > 3 {
			t.Errorf("%d tokens for one refusal", issued)
		}
	})
}

func TestCancelledCallerLeavesTheTokenToTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{grant: numbered, hold: make(chan struct{})}
		p := newIssued(t, i)
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { _, err := p.Decisions.Disburse(ctx, "c"); first <- err }()
		synctest.Wait()
		go func() { second <- read(t, p) }()
		synctest.Wait()
		cancel()
		if e := lending.AsError(<-first); e == nil || e.Outcome != lending.NotExecuted {
			t.Errorf("the cancelled caller got %+v", e)
		}
		close(i.hold)
		if err := <-second; err != nil {
			t.Errorf("the other caller: %v", err)
		}
		if issued, _ := i.counts(); issued != 1 {
			t.Errorf("%d tokens", issued)
		}
	})
}

func TestTokenRequestHasItsOwnTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{grant: numbered, hold: make(chan struct{})}
		start := time.Now()
		e := lending.AsError(read(t, newIssued(t, i)))
		if e == nil || e.Kind != lending.KindTimeout || e.Outcome != lending.NotExecuted || !e.Retryable {
			t.Errorf("error = %+v", e)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("took %v, want 10 s", took)
		}
	})
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		expiresIn string
		life      time.Duration
	}{
		"as documented":   {`"expires_in":3600,`, time.Hour},
		"a string":        {`"expires_in":"3600",`, time.Hour},
		"with a fraction": {`"expires_in":3600.5,`, time.Hour},
		"absent":          {``, time.Minute},
		"null":            {`"expires_in":null,`, time.Minute},
		"zero":            {`"expires_in":0,`, time.Minute},
		"negative":        {`"expires_in":-1,`, time.Minute},
		"a word":          {`"expires_in":"soon",`, time.Minute},
		"for ever":        {`"expires_in":99999999999,`, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{grant: func(n int) string { return fmt.Sprintf(`{%s"access_token":"token-%d"}`, c.expiresIn, n) }}
				p := newIssued(t, i)
				for at, want := range []string{"token-1", "token-1", "token-2"} {
					if at == 1 {
						time.Sleep(c.life*8/10 - time.Second)
					} else if at == 2 {
						time.Sleep(c.life - c.life*8/10 + time.Second)
					}
					if err := read(t, p); err != nil {
						t.Fatal(err)
					}
					if _, used := i.counts(); used[at] != want {
						t.Errorf("call %d used %s, want %s", at, used[at], want)
					}
				}
			})
		})
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		kind   lending.ErrorKind
	}{
		"all scopes, another order": {`{"access_token":"t","scope":"write:loans  read:customers read:more"}`, ""},
		"scopes as a list":          {`{"access_token":"t","scope":["write:loans","read:customers"]}`, ""},
		"no scope named":            {`{"access_token":"t"}`, ""},
		"bearer in lower case":      {`{"access_token":"t","token_type":"bearer"}`, ""},
		"a scope is missing":        {`{"access_token":"t","scope":"read:customers"}`, lending.KindUpstreamForbidden},
		"no token":                  {`{"scope":"read:customers write:loans"}`, lending.KindUpstreamProtocol},
		"a token that is no header": {`{"access_token":"a\nb"}`, lending.KindUpstreamProtocol},
		"another type of token":     {`{"access_token":"t","token_type":"mac"}`, lending.KindUpstreamProtocol},
		"a page":                    {`<html>token</html>`, lending.KindUpstreamProtocol},
		"a list":                    {`[]`, lending.KindUpstreamProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := &issuer{grant: func(int) string { return c.answer }}
			_, err := newIssued(t, i).Decisions.Disburse(t.Context(), "c")
			e := lending.AsError(err)
			if lending.KindOf(err) != c.kind {
				t.Fatalf("error = %v (%s), want kind %q", err, lending.KindOf(err), c.kind)
			}
			if e != nil && e.Outcome != lending.NotExecuted {
				t.Errorf("outcome = %s: nothing was sent", e.Outcome)
			}
			if c.kind == lending.KindUpstreamForbidden && !strings.Contains(e.Error(), "write:loans") {
				t.Errorf("%q does not name the scope", e.Error())
			}
		})
	}
}

func TestTokenEndpointRefusals(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]lending.ErrorKind{
		400: lending.KindUpstreamAuth, 401: lending.KindUpstreamAuth, 403: lending.KindUpstreamAuth,
		404: lending.KindUpstreamProtocol, 409: lending.KindUpstreamProtocol, 302: lending.KindUpstreamProtocol,
		429: lending.KindRateLimited, 500: lending.KindUpstreamUnavailable, 503: lending.KindUpstreamUnavailable,
	} {
		var log bytes.Buffer
		refusing := refuser(status)
		p := newDriver(t, "https://kredete.test/v2", withLog(&log), func(_ *kredete.Config, d *kredete.Deps) { d.Transport = refusing })
		_, err := p.Decisions.Disburse(t.Context(), "c")
		e := lending.AsError(err)
		if e == nil || e.Kind != want || e.Outcome != lending.NotExecuted || e.Provider != lending.Kredete {
			t.Errorf("%d: %+v, want %s", status, e, want)
		}
		for _, text := range []string{log.String(), e.Error(), e.Detail()} {
			if strings.Contains(text, clientSecret) || strings.Contains(text, "SECRET") {
				t.Errorf("%d tells a secret: %s", status, text)
			}
		}
	}
}

type refuser int

func (status refuser) RoundTrip(*http.Request) (*http.Response, error) {
	return response(int(status), `{"error":"invalid_client","error_description":"SECRET"}`), nil
}
