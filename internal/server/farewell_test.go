package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/server"
)

func TestASocketThatGoesLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, leave := range map[string]func(p *peer) error{
		"closed": func(p *peer) error { return p.conn.Close(websocket.StatusNormalClosure, "") },
		"cut":    func(p *peer) error { return p.conn.CloseNow() },
	} {
		p := b.connect()
		b.following(p, "1")
		if err := leave(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b.gone()
		if feeds := b.handler.Feeds().Len(); feeds != 0 {
			t.Errorf("%s: %d feeds are left", name, feeds)
		}
	}
}

// A reader that is cut in the middle of a message holds the library's lock on reading, and its farewell would wait
// for as long as the client likes.
func TestAMessageThatNeverEndsHoldsNothing(t *testing.T) {
	t.Parallel()
	b := setupWithin(t, server.SocketLimits{Message: 4 << 10, Farewell: 100 * time.Millisecond})
	conn, _ := b.raw()
	frame := append([]byte{0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 8<<10)...) // says 4 GiB, sends 8 KiB
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	b.gone()
}

func TestAClientThatOnlyStopsSendingIsHungUpOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn, lines := b.raw()
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil { // to the end
		t.Error(err)
	}
}

// raw opens a websocket without a library.
func (b *bench) raw() (*net.TCPConn, *bufio.Reader) {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() }) // it may be closed by then
	_, err = fmt.Fprintf(conn, "GET /graphql HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", conn.RemoteAddr(), spoken)
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewReader(conn)
	response, err := http.ReadResponse(lines, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		b.Fatal(response, err)
	}
	return conn.(*net.TCPConn), lines
}

func TestADrainMakesSocketsComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, idle := b.connect(), b.open()
	b.following(p, "1")
	ended := make(chan error, 2)
	for range 2 {
		go func() { ended <- b.handler.Drain(context.WithoutCancel(t.Context())) }()
	}
	for _, p := range []*peer{p, idle} {
		if code, _, heard := p.ended(); code != 1012 || len(heard) > 0 {
			t.Errorf("closed with %d after %v", code, heard)
		}
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	b.gone()
	_, response, err := b.dial(spoken)
	if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new one: answered %v, %v", response, err)
	}
}

func TestADrainWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.connect() // which never answers the farewell
	b.following(p, "1")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := b.handler.Drain(ctx); err == nil {
		t.Error("it ended before its sockets")
	}
	if err := b.handler.Drain(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
