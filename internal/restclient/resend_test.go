package restclient_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/restclient"
)

// connections serves each connection with the next of the given functions, and counts whole requests.
func connections(t *testing.T, handlers ...func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, handle := range handlers {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			handle(conn, bufio.NewReader(conn))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return "http://" + listener.Addr().String()
}

func answer(conn net.Conn, r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, req.Body)
	_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	return err == nil
}

// A server that reads a POST on a kept-alive connection and hangs up has perhaps executed it: the POST
// must not go out a second time.
func TestPostIsNotResentWhenTheConnectionBreaksAfterIt(t *testing.T) {
	t.Parallel()
	second := make(chan struct{}, 1)
	base := connections(t,
		func(conn net.Conn, r *bufio.Reader) {
			answer(conn, r)
			_, _ = http.ReadRequest(r) // the second request on the same connection: read, not answered
		},
		func(conn net.Conn, r *bufio.Reader) {
			if answer(conn, r) {
				second <- struct{}{}
			}
		})
	client := newClient(t, restclient.Config{BaseURL: base})
	post := restclient.Request{Method: http.MethodPost, Body: []byte(`{"amount":1}`), Header: http.Header{"Idempotency-Key": {"k"}}}
	if _, err := client.Do(t.Context(), post); err != nil {
		t.Fatal(err)
	}
	_, err := client.Do(t.Context(), post)
	wantFailure(t, err, true, false)
	select {
	case <-second:
		t.Error("the POST was sent again")
	default:
	}
}

// A server that closes an idle connection leaves the client to find out when it writes. Whatever it
// finds, the POST is on the wire at most once, and an error that says "not sent" is true.
func TestPostOnAConnectionThatDiedIdle(t *testing.T) {
	t.Parallel()
	for range 30 {
		requests := make(chan struct{}, 4)
		handle := func(conn net.Conn, r *bufio.Reader) {
			if answer(conn, r) {
				requests <- struct{}{}
			}
		}
		client := newClient(t, restclient.Config{BaseURL: connections(t, handle, handle)})
		post := restclient.Request{Method: http.MethodPost, Body: []byte(`{}`)}
		if _, err := client.Do(t.Context(), post); err != nil {
			t.Fatal(err)
		}
		<-requests
		_, err := client.Do(t.Context(), post)
		switch e, failed := errors.AsType[*restclient.TransportError](err); {
		case !failed:
			<-requests // it went over a new connection, and was answered there
		case !e.Sent() && len(requests) != 0:
			t.Fatalf("%v, but the request arrived", err)
		}
		if len(requests) != 0 {
			t.Fatal("the POST arrived twice")
		}
	}
}

func TestTransportKeepsManyIdleConnections(t *testing.T) {
	t.Parallel()
	transport := restclient.NewTransport()
	if transport.MaxIdleConnsPerHost < 64 || transport.TLSHandshakeTimeout == 0 || transport.DialContext == nil {
		t.Errorf("transport = %+v", transport)
	}
}

func TestNoSecureConnection(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the request went out") })
	client := newClient(t, restclient.Config{BaseURL: strings.Replace(base, "http:", "https:", 1)})
	_, err := client.Do(t.Context(), restclient.Request{Method: http.MethodPost, Body: []byte("x")})
	wantFailure(t, err, false, false)
}
