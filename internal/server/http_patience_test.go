package server_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/server"
)

// slow is a connection to a server of little patience.
type slow struct {
	*testing.T
	net.Conn
}

// served is a server of the service's own making, whose patience with its clients is short.
func served(t *testing.T, b *bench, patience server.Patience) slow {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving := patience.HTTP(b.handler, b.logger)
	ended := make(chan error, 1)
	go func() { ended <- serving.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(serving.Close(), <-ended); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the server has closed it already
	return slow{t, conn}
}

func (s slow) say(format string, args ...any) {
	s.Helper()
	if _, err := fmt.Fprintf(s.Conn, format, args...); err != nil {
		s.Fatal(err)
	}
}

// isCut waits until the server has closed the connection, and gives what it said before.
func (s slow) isCut() string {
	s.Helper()
	if err := s.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.Fatal(err)
	}
	said, err := io.ReadAll(s.Conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.Fatalf("the connection was not cut; it said %q", said)
	}
	return string(said)
}

const short = 50 * time.Millisecond

func TestSlowHeadersAreCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := served(t, b, server.Patience{Headers: short, Body: time.Hour, Upload: time.Hour, Idle: time.Hour})
	s.say("POST /graphql HTTP/1.1\r\nHost: x\r\nX-Sl")
	s.isCut()
}

func TestLargeHeadersAreCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := served(t, b, server.DefaultPatience())
	s.say("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: %s", strings.Repeat("x", 40<<10))
	if said := s.isCut(); !strings.HasPrefix(said, "HTTP/1.1 431") {
		t.Errorf("it said %q", said)
	}
}

func TestSlowBodiesAreCut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path, contentType, begins string
		says                      string
	}{
		"a request":            {"/graphql", plainType, `{"query":`, "HTTP/1.1 408"},
		"a request for events": {"/graphql", plainType + "\r\nAccept: text/event-stream", `{"query":`, "HTTP/1.1 408"},
		"an upload":            {"/graphql", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{", "HTTP/1.1 408"},
		"a refused request":    {"/graphql", "text/plain", "x", "HTTP/1.1 415"},
		"a webhook":            {"/webhooks/kredete", plainType, `{"event":`, "HTTP/1.1 4"},
		"asking for a token":   {"/oauth/token", "application/x-www-form-urlencoded", "grant_type=", "HTTP/1.1 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := server.Patience{Headers: time.Hour, Body: short, Upload: short, Idle: time.Hour}
			b := setupWith(t, func(c *server.Config) { c.Patience = patience })
			s := served(t, b, patience)
			s.say("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 500\r\n\r\n%s", test.path, b.token(), test.contentType, test.begins)
			if said := s.isCut(); !strings.HasPrefix(said, test.says) {
				t.Errorf("it said %q", said)
			}
		})
	}
}

func TestAStreamOutlastsThePatienceWithItsRequest(t *testing.T) {
	t.Parallel()
	patience := server.Patience{Headers: time.Hour, Body: short, Upload: short, Idle: time.Hour}
	b := setupWith(t, func(c *server.Config) { c.Patience = patience })
	s := b.stream(`subscription { events { cursor event { providerType } } }`)
	<-time.After(3 * short) // the time itself is what could cut it
	b.happens("late")
	if _, data := s.next(); !strings.Contains(data, `"late"`) {
		t.Errorf("told %s", data)
	}
}
