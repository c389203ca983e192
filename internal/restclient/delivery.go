package restclient

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// NewTransport is a pooled transport for calls to a provider. It keeps many idle connections to a host,
// because a page of customers asks one host 50 times at once, and it counts what it writes, so that a
// failed request is known to have left or not. It speaks HTTP/1.1, where a connection carries one
// request at a time and the count is exact.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &countedConn{Conn: conn}, nil
		},
		TLSHandshakeTimeout:    5 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// countedConn counts the writes that may have put bytes on the wire.
type countedConn struct {
	net.Conn
	writes atomic.Int64
}

// Write counts before it writes, because a write that somebody else's cancellation interrupts has
// possibly happened; it takes the count back when the system says that nothing was written.
func (c *countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	n, err := c.Conn.Write(p)
	if n == 0 && err != nil {
		c.writes.Add(-1)
	}
	return n, err
}

// counted finds the counter below a connection; nil where it is none of ours.
func counted(conn net.Conn) *countedConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	c, _ := conn.(*countedConn)
	return c
}

// delivery watches one request, over all the connections that net/http tries for it.
type delivery struct {
	mu     sync.Mutex
	traced bool // the transport honours httptrace
	conn   *countedConn
	before int64 // writes on conn before this request
	wrote  bool
}

func (d *delivery) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:          func(string) { d.note(func() { d.traced = true }) },
		GotConn:          func(info httptrace.GotConnInfo) { d.note(func() { d.got(info.Conn) }) },
		WroteHeaderField: func(string, []string) { d.note(d.header) },
	})
}

func (d *delivery) note(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

func (d *delivery) got(conn net.Conn) {
	d.settle()
	if d.conn = counted(conn); d.conn != nil {
		d.before = d.conn.writes.Load()
	}
}

// header is the first sign of writing on a connection that we cannot count on.
func (d *delivery) header() { d.wrote = d.wrote || d.conn == nil }

// settle carries over what became of the connection so far.
func (d *delivery) settle() {
	if d.conn != nil && d.conn.writes.Load() != d.before {
		d.wrote = true
	}
}

// sent reports whether any of the request may have been written. A transport that tells nothing is
// taken to have sent it.
func (d *delivery) sent() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle()
	return d.wrote || !d.traced
}
