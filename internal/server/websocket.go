package server

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// subprotocol is the one that is spoken over websockets.
const subprotocol = "graphql-transport-ws"

// The close codes of the protocol, and what clients make of them: those below 4400 make them come back.
const (
	closeRestart          websocket.StatusCode = 1012 // the server is going down: come back
	closeTooSlow          websocket.StatusCode = 1013 // the client does not read: come back
	closeTryAgain         websocket.StatusCode = 1013 // nobody can tell yet whether the token is good: come back
	closeBadRequest       websocket.StatusCode = 4400
	closeUnauthorized     websocket.StatusCode = 4401 // subscribed before it was initialised
	closeForbidden        websocket.StatusCode = 4403 // the token is not good, or no longer
	closeBadSubprotocol   websocket.StatusCode = 4406
	closeInitTimeout      websocket.StatusCode = 4408
	closeSubscriberExists websocket.StatusCode = 4409
	closeTooManyInits     websocket.StatusCode = 4429
	closeInternal         websocket.StatusCode = 4500
)

// socketLimits bound what one websocket may cost.
type socketLimits struct {
	operations int           // that run at a time
	message    int64         // bytes of one message
	init       time.Duration // until connection_init
	ping       time.Duration // between pings of a silent connection
	stall      time.Duration // how long a client may leave what was sent unread
	farewell   time.Duration // how long a connection may take to end
	unread     int64         // bytes that are sent ahead of what the client has read
	outbox     int           // bytes of answers that wait to be sent
}

func defaultSocketLimits() socketLimits {
	return socketLimits{
		operations: 50, message: maxRequestBody, init: 10 * time.Second, ping: 25 * time.Second, stall: 5 * time.Second,
		farewell: 2 * time.Second, unread: 64 << 10, outbox: 4 << 20,
	}
}

// sockets carry operations over websockets, as graphql-transport-ws says.
type sockets struct {
	subscriptions *subscriptions
	gate          *auth.Gate
	limits        socketLimits
	drain         <-chan struct{}
	open          *running
	origins       []string // of pages that may connect, beside our own
}

var _ graphql.Transport = (*sockets)(nil)

// Supports implements graphql.Transport.
func (t *sockets) Supports(r *http.Request) bool { return isWebsocket(r) }

func isWebsocket(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do implements graphql.Transport.
func (t *sockets) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if !t.open.begin() {
		refuse(w, r, http.StatusServiceUnavailable, "The server is restarting. Come back.")
		return
	}
	s := &socket{sockets: t, exec: exec, operations: map[string]*socketOperation{}, wake: make(chan struct{}, 1)}
	conn, err := websocket.Accept(lean{w, &s.wire}, r, &websocket.AcceptOptions{
		Subprotocols: []string{subprotocol}, CompressionMode: websocket.CompressionDisabled, OriginPatterns: t.origins,
	})
	if err != nil {
		t.open.Done()
		return // it was answered
	}
	s.conn = conn
	conn.SetReadLimit(t.limits.message)
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
	if conn.Subprotocol() != subprotocol {
		s.end(closeBadSubprotocol, "Speak "+subprotocol+".")
	}
	// In a goroutine of its own, with a small stack, and without what the server keeps for a request.
	go func() {
		defer t.open.Done()
		s.serve()
	}()
}

// leanBuffer is the size of a socket's buffers, in bytes: most messages are smaller, and most sockets wait.
const leanBuffer = 1 << 10

// lean hands over connections with small buffers, and keeps hold of the connection itself.
type lean struct {
	http.ResponseWriter
	wire *net.Conn
}

// Hijack implements http.Hijacker.
func (l lean) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(l.ResponseWriter).Hijack()
	*l.wire = conn
	if err != nil || buffered.Reader.Buffered() > 0 {
		return conn, buffered, err
	}
	return conn, bufio.NewReadWriter(bufio.NewReaderSize(conn, leanBuffer), bufio.NewWriterSize(conn, leanBuffer)), nil
}

// initPayload is what clients may send with connection_init: the token, in one of the ways that are usual.
type initPayload map[string]any

// token is the bearer token of an init payload, "" without one.
func (p initPayload) token() string {
	for name, value := range p {
		text, ok := value.(string)
		if !ok {
			continue
		}
		switch strings.ToLower(name) {
		case "authorization":
			if scheme, token, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "Bearer") {
				return strings.TrimSpace(token)
			}
		case "token", "accesstoken", "authtoken":
			return text
		}
	}
	return ""
}

// message is one of the protocol's, either way.
type message struct {
	ID      *string         `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// isObject reports whether a payload is one that the protocol lets messages carry beside their type: an object, or
// nothing.
func isObject(payload json.RawMessage) bool {
	var object map[string]json.RawMessage
	return len(payload) == 0 || json.Unmarshal(payload, &object) == nil
}

// encode never fails: what it is given was JSON or is text.
func (m message) encode() []byte {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return text
}

// next is a message that carries an answer, which is not encoded again.
func next(id string, body []byte) []byte {
	quoted, err := json.Marshal(id)
	if err != nil {
		panic(err) // a string is always JSON
	}
	text := make([]byte, 0, len(quoted)+len(body)+40)
	text = append(append(text, `{"id":`...), quoted...)
	text = append(append(text, `,"type":"next","payload":`...), body...)
	return append(text, '}')
}

// authenticated is who a socket belongs to: the token of its init payload, or else the one that its handshake
// carried.
func (t *sockets) authenticated(ctx context.Context, payload initPayload) (*auth.Principal, error) {
	if token := payload.token(); token != "" {
		return t.gate.Admit(ctx, token)
	}
	if p := auth.From(ctx); p != nil {
		return p, nil
	}
	t.gate.Failed(ctx)
	return nil, &lending.Error{Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: "Send a bearer token in connection_init."}
}

// closeRefused is the code with which a socket is closed whose token was not taken. Clients come back by themselves
// where that may help: 4403 is the end to some of them.
func closeRefused(err error) websocket.StatusCode {
	switch lending.KindOf(err) {
	case lending.KindUnavailable, lending.KindRateLimited:
		return closeTryAgain
	}
	return closeForbidden
}
