package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const patience = 60 * time.Second // until a test gives up on what has to come

// peer is the other end of a websocket.
type peer struct {
	testing.TB
	conn *websocket.Conn
}

// said is a message of the server's.
type said struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

func (s said) String() string { return fmt.Sprintf("%s %s %s", s.Type, s.ID, s.Payload) }

// code is the code of the first error in an error's payload.
func (s said) code() string {
	var list []failure
	if json.Unmarshal(s.Payload, &list) != nil || len(list) == 0 {
		return ""
	}
	code, _ := list[0].Extensions["code"].(string)
	return code
}

const spoken = "graphql-transport-ws"

// dial opens a websocket with headers, in pairs.
func (b *bench) dial(subprotocol string, headers ...string) (*peer, *http.Response, error) {
	b.Helper()
	header := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	options := &websocket.DialOptions{HTTPClient: b.client, HTTPHeader: header}
	if subprotocol != "" {
		options.Subprotocols = []string{subprotocol}
	}
	conn, response, err := websocket.Dial(ctx, b.url+"/graphql", options)
	if err != nil {
		return nil, response, err
	}
	conn.SetReadLimit(-1)
	b.Cleanup(func() { _ = conn.CloseNow() }) // most are closed by then
	return &peer{b.TB, conn}, response, nil
}

// open opens a websocket that is not initialised.
func (b *bench) open() *peer {
	b.Helper()
	p, _, err := b.dial(spoken)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// connect opens a websocket for a token with all scopes.
func (b *bench) connect() *peer {
	b.Helper()
	p := b.open()
	p.init(b.token())
	return p
}

func (p *peer) init(token string) {
	p.Helper()
	p.say(fmt.Sprintf(`{"type":"connection_init","payload":{"Authorization":"Bearer %s"}}`, token))
	if got := p.hear(); got.Type != "connection_ack" {
		p.Fatalf("heard %s", got)
	}
}

func (p *peer) say(text string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), patience)
	defer cancel()
	if err := p.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		p.Fatal(err)
	}
}

// ask begins an operation.
func (p *peer) ask(id, query string, variables map[string]any) {
	p.Helper()
	text, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": query, "variables": variables}})
	if err != nil {
		p.Fatal(err)
	}
	p.say(string(text))
}

func (p *peer) read() (said, error) {
	ctx, cancel := context.WithTimeout(p.Context(), patience)
	defer cancel()
	_, text, err := p.conn.Read(ctx)
	if err != nil {
		return said{}, err
	}
	var got said
	return got, json.Unmarshal(text, &got)
}

func (p *peer) hear() said {
	p.Helper()
	got, err := p.read()
	if err != nil {
		p.Fatal(err)
	}
	return got
}

// hears is what comes, each as its type and id.
func (p *peer) hears(want ...string) {
	p.Helper()
	for _, w := range want {
		if got := p.hear(); strings.TrimSpace(got.Type+" "+got.ID) != w {
			p.Fatalf("heard %s, want %s", got, w)
		}
	}
}

// ended reads to the end, and gives how the server closed.
func (p *peer) ended() (code websocket.StatusCode, reason string, heard []said) {
	p.Helper()
	for {
		got, err := p.read()
		if err == nil {
			heard = append(heard, got)
			continue
		}
		closed, ok := errors.AsType[websocket.CloseError](err)
		if !ok {
			p.Fatalf("cut without a word: %v", err)
		}
		return closed.Code, closed.Reason, heard
	}
}

// quiet says nothing and hears nothing but the answer to a ping of its own, so that nothing else was on its way.
func (p *peer) quiet() {
	p.Helper()
	p.say(`{"type":"ping","payload":{"quiet":true}}`)
	if got := p.hear(); got.Type != "pong" {
		p.Errorf("heard %s", got)
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !ok(); {
		if time.Now().After(until) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// gone waits until no websocket is left, and nothing that one ran.
func (b *bench) gone() {
	b.Helper()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		b.handler.Gone()
	}()
	select {
	case <-gone:
	case <-time.After(patience):
		b.Fatal("a websocket does not end")
	}
}

const followEvents = `subscription($after: String, $filter: EventFilter) { events(after: $after, filter: $filter) { cursor event { providerType } } }`

// following begins a subscription and waits until it has begun: what happens from now on is told.
func (b *bench) following(p *peer, id string) {
	b.Helper()
	b.begun(func() { p.ask(id, followEvents, nil) })
}

// begun waits until one more follows a feed.
func (b *bench) begun(begin func()) {
	b.Helper()
	before := b.handler.Followers()
	begin()
	eventually(b.TB, "the subscription begins", func() bool { return b.handler.Followers() > before })
}

// event is what a next message tells of.
func (s said) event() (cursor, kind string) {
	var got told
	if json.Unmarshal(s.Payload, &got) != nil {
		return "", ""
	}
	return got.Data.Events.Cursor, got.Data.Events.Event.ProviderType
}
