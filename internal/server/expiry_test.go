package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/auth"
)

// TestAStreamEndsWithItsToken follows events with a token that is good for a second.
func TestAStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	token, err := b.issuer.Issue("web", auth.Scopes(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	bearer := "Bearer " + token
	conn, _, err := websocket.Dial(ctx, b.url+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Authorization": {bearer}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }() // the test is over
	for _, message := range []string{
		`{"type": "connection_init"}`, `{"type": "subscribe", "id": "1", "payload": {"query": "subscription { events { cursor } }"}}`,
	} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	r := b.request("subscription { events { cursor } }", nil)
	r.Header.Set("Authorization", bearer)
	r.Header.Set("Accept", "text/event-stream")
	stream, err := b.client.Do(r.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }() // it has ended

	for err == nil {
		_, _, err = conn.Read(ctx)
	}
	if websocket.CloseStatus(err) != 4403 {
		t.Errorf("the websocket ended with %v, want 4403", err)
	}
	if _, err := io.Copy(io.Discard, stream.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the event stream ended with %v", err)
	}
}
