package restclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
)

// brokenConn writes nothing once it is broken.
type brokenConn struct {
	net.Conn
	broken *atomic.Bool
}

func (c brokenConn) Write(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

// What was written for earlier requests on a connection does not count for a later one of which nothing
// was written.
func TestReusedConnectionIsCountedAnew(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, server := range map[string]*httptest.Server{"plain": httptest.NewServer(ok), "TLS": httptest.NewTLSServer(ok)} {
		t.Cleanup(server.Close)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reuseBroken(t, server)
		})
	}
}

func reuseBroken(t *testing.T, server *httptest.Server) {
	t.Helper()
	var broken atomic.Bool
	transport := NewTransport()
	if trusting, ok := server.Client().Transport.(*http.Transport); ok {
		transport.TLSClientConfig = trusting.TLSClientConfig
	}
	t.Cleanup(transport.CloseIdleConnections)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: brokenConn{Conn: conn, broken: &broken}}, nil
	}
	client, err := New(Config{BaseURL: server.URL, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	post := Request{Method: http.MethodPost, Body: []byte("x")}
	if _, err := client.Do(t.Context(), post); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	_, err = client.Do(t.Context(), post)
	e, ok := errors.AsType[*TransportError](err)
	if !ok || e.Sent() {
		t.Errorf("Do = %v, want an error that says that nothing was sent", err)
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// counter counts what is read of an endless body.
type counter struct{ read int }

func (c *counter) Read(p []byte) (int, error) { c.read += len(p); return len(p), nil }

func TestTransportIsGivenNothingToRepeatAndReadNoFurtherThanTheLimit(t *testing.T) {
	t.Parallel()
	body := &counter{}
	client, err := New(Config{BaseURL: "http://x.test", MaxBody: 1000, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.GetBody != nil {
			t.Error("the transport could read the body a second time")
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.LimitReader(body, 1<<24))}, nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(t.Context(), Request{Method: http.MethodPost, Body: []byte("x")}); !errors.Is(err, errTooLarge) {
		t.Errorf("Do = %v", err)
	}
	if body.read > 10_000 {
		t.Errorf("%d bytes were read", body.read)
	}
}
