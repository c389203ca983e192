package restclient_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/restclient"
)

func newClient(t *testing.T, cfg restclient.Config) *restclient.Client {
	t.Helper()
	if cfg.Transport == nil {
		transport := restclient.NewTransport()
		t.Cleanup(transport.CloseIdleConnections)
		cfg.Transport = transport
	}
	c, err := restclient.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return c
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestNewRefusesBaseURLs(t *testing.T) {
	t.Parallel()
	for _, base := range []string{
		"", "example.com/v2", "/v2", "ftp://example.com", "https://", "https://user:pass@example.com",
		"https://example.com?key=1", "https://example.com?", "https://example.com#top", "http://exa mple.com", "://",
	} {
		if _, err := restclient.New(restclient.Config{BaseURL: base}); !errors.Is(err, restclient.ErrBaseURL) {
			t.Errorf("New(%q) = %v, want ErrBaseURL", base, err)
		}
	}
}

func TestDoSendsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	client := newClient(t, restclient.Config{BaseURL: base + "/v2/"})
	resp, err := client.Do(t.Context(), restclient.Request{
		Method: http.MethodPost, Path: "/loans/a%2Fb", Query: url.Values{"q": {"a b&c"}},
		Header:      http.Header{"X-One": {"1", "2"}, "Idempotency-Key": {"k"}, "X-Idempotency-Key": {"k"}},
		ContentType: "text/plain", Body: []byte("hello"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != http.StatusTeapot || string(resp.Body) != "short and stout" || resp.Header.Get("X-Answer") != "yes" {
		t.Errorf("response = %+v", resp)
	}
	if got.URL.EscapedPath() != "/v2/loans/a%2Fb" || got.URL.Query().Get("q") != "a b&c" || string(body) != "hello" {
		t.Errorf("request = %s %s %q", got.Method, got.URL, body)
	}
	want := http.Header{
		"Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "Content-Length": {"5"}, "Content-Type": {"text/plain"},
		"User-Agent": {"creditgraph"}, "X-One": {"1", "2"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestDoStreams(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if n != 1<<20 || r.ContentLength != -1 {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	client := newClient(t, restclient.Config{BaseURL: base})
	resp, err := client.Do(t.Context(), restclient.Request{
		Method: http.MethodPost, Stream: io.LimitReader(zeros{}, 1<<20),
	})
	if err != nil || resp.Status != http.StatusOK {
		t.Fatalf("Do = %+v, %v", resp, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDoFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	calls := 0
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	resp, err := newClient(t, restclient.Config{BaseURL: base}).Do(t.Context(), restclient.Request{Method: http.MethodGet})
	if err != nil || resp.Status != http.StatusTemporaryRedirect || calls != 1 {
		t.Fatalf("Do = %+v, %v after %d calls", resp, err, calls)
	}
}

func TestDoRefusesPathsThatLeaveTheBase(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the request went out") })
	client := newClient(t, restclient.Config{BaseURL: base})
	for _, path := range []string{"/customers/..", "../x", "/a/./b"} {
		_, err := client.Do(t.Context(), restclient.Request{Method: http.MethodGet, Path: path})
		wantFailure(t, err, false, false)
	}
}

// wantFailure checks what is known of a request that got no answer.
func wantFailure(t *testing.T, err error, sent, timeout bool) {
	t.Helper()
	e, ok := errors.AsType[*restclient.TransportError](err)
	if !ok {
		t.Fatalf("error = %v (%T), want a *TransportError", err, err)
	}
	if e.Sent() != sent || e.Timeout() != timeout {
		t.Errorf("%v: sent %v, timeout %v; want %v, %v", e, e.Sent(), e.Timeout(), sent, timeout)
	}
}

func TestAnswersThatAreNotWhole(t *testing.T) {
	t.Parallel()
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, text)
				_ = conn.Close()
			}
		}
	}
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = io.Copy(zip, io.LimitReader(zeros{}, 8<<20))
	_ = zip.Close()

	for name, handler := range map[string]http.HandlerFunc{
		"no answer at all":    raw(""),
		"half a status line":  raw("HTTP/1.1 2"),
		"not HTTP":            raw("token=SECRET\r\n\r\n"),
		"body cut half-way":   raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"),
		"chunk cut half-way":  raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"),
		"body over the limit": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2000)) },
		"decompression bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
		"compression that is no": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "{}")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, restclient.Config{BaseURL: serve(t, handler), MaxBody: 1000})
			_, err := client.Do(t.Context(), restclient.Request{Method: http.MethodPost, Body: []byte("x")})
			wantFailure(t, err, true, false)
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("error quotes the answer: %v", err)
			}
		})
	}
}

func TestBodyOfExactlyTheLimitIsRead(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) })
	resp, err := newClient(t, restclient.Config{BaseURL: base, MaxBody: 1000}).Do(t.Context(), restclient.Request{Method: http.MethodGet})
	if err != nil || len(resp.Body) != 1000 {
		t.Fatalf("Do = %v", err)
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	client := newClient(t, restclient.Config{BaseURL: "http://" + closedAddress(t) + "/v2"})
	_, err := client.Do(t.Context(), restclient.Request{
		Method: http.MethodPost, Query: url.Values{"partner_key": {"SECRET"}}, Body: []byte("SECRET"),
		Header: http.Header{"Authorization": {"Bearer SECRET"}},
	})
	wantFailure(t, err, false, false)
	if got, want := err.Error(), "request not sent: connection refused"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
	_, err = client.Do(t.Context(), restclient.Request{Method: "BAD METHOD", Path: "/SECRET"})
	wantFailure(t, err, false, false)
	if strings.Contains(err.Error(), "SECRET") {
		t.Errorf("error quotes the path: %v", err)
	}
}

// closedAddress is an address on which nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return listener.Addr().String()
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	})
	t.Cleanup(func() { close(release) })
	client := newClient(t, restclient.Config{BaseURL: base})

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := client.Do(ctx, restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, true, true)

	_, err = client.Do(ctx, restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, false, true)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestCancellationIsNoTimeout(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-release
	})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := newClient(t, restclient.Config{BaseURL: base}).Do(ctx, restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, true, false)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", err)
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestForeignTransportsAreTakenToHaveSent(t *testing.T) {
	t.Parallel()
	broken := transportFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("SECRET") })
	_, err := newClient(t, restclient.Config{BaseURL: "http://x.test", Transport: broken}).
		Do(t.Context(), restclient.Request{Method: http.MethodPost})
	wantFailure(t, err, true, false)
	if strings.Contains(err.Error(), "SECRET") {
		t.Errorf("error quotes the cause: %v", err)
	}

	// One that honours httptrace but does not count still tells refused from sent.
	plain := &http.Transport{DisableKeepAlives: true}
	_, err = newClient(t, restclient.Config{BaseURL: "http://" + closedAddress(t), Transport: plain}).
		Do(t.Context(), restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, false, false)
	base := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err = newClient(t, restclient.Config{BaseURL: base, Transport: plain}).
		Do(t.Context(), restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, true, false)
}

func TestAddressesInCausesAreNotQuoted(t *testing.T) {
	t.Parallel()
	wrapping := transportFunc(func(*http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: "https://x.test?partner_key=SECRET", Err: io.ErrUnexpectedEOF}
	})
	_, err := newClient(t, restclient.Config{BaseURL: "http://x.test", Transport: wrapping}).
		Do(t.Context(), restclient.Request{Method: http.MethodPost})
	wantFailure(t, err, true, false)
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), "SECRET") {
			t.Errorf("%T quotes the address: %v", e, e)
		}
	}
}

func TestSecureConnectionsAreCountedToo(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	transport := restclient.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	client := newClient(t, restclient.Config{BaseURL: server.URL, Transport: transport})
	_, err := client.Do(t.Context(), restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, false, false) // the handshake wrote bytes, but none of the request
	if got, want := err.Error(), "request not sent: no secure connection"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}

	trusting := restclient.NewTransport()
	t.Cleanup(trusting.CloseIdleConnections)
	trusting.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client = newClient(t, restclient.Config{BaseURL: server.URL, Transport: trusting})
	_, err = client.Do(t.Context(), restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, true, false)
}

func TestJoinPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, path, want string }{
		{"https://a.test/v2", "/customers", "https://a.test/v2/customers"},
		{"https://a.test/v2/", "customers", "https://a.test/v2/customers"},
		{"https://a.test", "", "https://a.test"},
		{"https://a.test/", "/", "https://a.test"},
	} {
		if got := restclient.JoinPath(c.base, c.path); got != c.want {
			t.Errorf("JoinPath(%q, %q) = %q, want %q", c.base, c.path, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 16, 10, 0, 0, 0, time.UTC)
	const limit = time.Minute
	for _, c := range []struct {
		name, after, reset string
		want               time.Duration
	}{
		{"nothing said", "", "", 0},
		{"seconds", " 7 ", "", 7 * time.Second},
		{"seconds go before the reset", "7", "1776333650", 7 * time.Second},
		{"a date", "Thu, 16 Apr 2026 10:00:30 GMT", "", 30 * time.Second},
		{"a date that is past", "Thu, 16 Apr 2020 10:00:30 GMT", "", 0},
		{"the reset", "", "1776333612", 12 * time.Second},
		{"the reset when the other makes no sense", "soon", "1776333612", 12 * time.Second},
		{"the documentation's reset lies in the past", "", "1713254460", 0},
		{"too long", "86400000", "", limit},
		{"absurdly long", "9223372036854775807", "", limit},
		{"reset in milliseconds", "", "1776333612000", limit},
		{"negative", "-5", "", 0},
		{"absurdly negative reset", "", "-9223372036854775808", 0},
		{"beyond all numbers", "99999999999999999999", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set("Retry-After", c.after)
			h.Set("X-RateLimit-Reset", c.reset)
			if got := restclient.RetryAfter(h, now, limit); got != c.want {
				t.Errorf("RetryAfter = %v, want %v", got, c.want)
			}
		})
	}
}
