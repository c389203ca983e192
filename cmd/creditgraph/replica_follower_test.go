//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// replicaFollower follows the events over websockets, as a client does that takes its connections up again.
type replicaFollower struct {
	token string
	grown chan struct{} // holds one: seen has grown

	mu     sync.Mutex
	cursor string
	seen   []string // ids of events
	last   error    // why the last connection ended
}

// run follows until ctx ends, each time the replica that pick gives.
func (f *replicaFollower) run(ctx context.Context, pick func() *crashProcess) {
	for ctx.Err() == nil {
		err := f.follow(ctx, pick().address)
		f.mu.Lock()
		f.last = err
		f.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond): // as a client would: not at once
		}
	}
}

type socketMessage struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// follow follows one replica until its connection ends.
func (f *replicaFollower) follow(ctx context.Context, address string) error {
	conn, _, err := websocket.Dial(ctx, strings.Replace(address, "http", "ws", 1)+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return err
	}
	defer conn.CloseNow() //nolint:errcheck // it is over
	f.mu.Lock()
	cursor := f.cursor
	f.mu.Unlock()
	operation, err := json.Marshal(map[string]any{
		"query":     `subscription($after: String) { events(after: $after) { cursor event { id } } }`,
		"variables": map[string]any{"after": cursor},
	})
	if err != nil {
		return err
	}
	if err := wsjson.Write(ctx, conn, socketMessage{Type: "connection_init", Payload: fmt.Appendf(nil, `{"Authorization":"Bearer %s"}`, f.token)}); err != nil {
		return err
	}
	var m socketMessage
	if err := wsjson.Read(ctx, conn, &m); err != nil || m.Type != "connection_ack" {
		return fmt.Errorf("told %s: %w", m.Type, err)
	}
	if err := wsjson.Write(ctx, conn, socketMessage{ID: "1", Type: "subscribe", Payload: operation}); err != nil {
		return err
	}
	for {
		if err := wsjson.Read(ctx, conn, &m); err != nil {
			return err
		}
		var told struct {
			Data struct {
				Events struct {
					Cursor string
					Event  struct{ ID string }
				}
			}
		}
		if err := json.Unmarshal(m.Payload, &told); err != nil || m.Type != "next" {
			return fmt.Errorf("told %s %s: %w", m.Type, m.Payload, err)
		}
		f.mu.Lock()
		f.cursor, f.seen = told.Data.Events.Cursor, append(f.seen, told.Data.Events.Event.ID)
		f.mu.Unlock()
		select {
		case f.grown <- struct{}{}:
		default:
		}
	}
}

// ids are the events that were seen, in the order in which they came.
func (f *replicaFollower) ids() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}

// await waits until the follower has seen so many events.
func (f *replicaFollower) await(t *testing.T, count int) {
	t.Helper()
	late := time.After(crashPatience)
	for {
		f.mu.Lock()
		seen, last := len(f.seen), f.last
		f.mu.Unlock()
		if seen >= count {
			return
		}
		select {
		case <-f.grown:
		case <-late:
			t.Fatalf("a subscriber saw %d events of %d; its last connection ended with: %v", seen, count, last)
		}
	}
}
