package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/server"
)

// valve is a connection from which nothing is read while it is shut.
type valve struct {
	net.Conn
	shut *atomic.Bool
	open chan struct{} // closed when it is opened again
}

func (v valve) Read(p []byte) (int, error) {
	if v.shut.Load() {
		<-v.open
	}
	return v.Conn.Read(p)
}

// dialValve opens a websocket whose client can stop reading.
func (b *bench) dialValve() (p *peer, shut, open func()) {
	b.Helper()
	v := valve{shut: &atomic.Bool{}, open: make(chan struct{})}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		v.Conn = conn
		return v, nil
	}}
	inner := *b
	inner.client = &http.Client{Transport: transport}
	p = inner.open()
	b.Cleanup(transport.CloseIdleConnections)
	p.init(b.token())
	opened := false
	open = func() {
		if !opened {
			opened = true
			v.shut.Store(false)
			close(v.open)
		}
	}
	b.Cleanup(open) // before the connection is closed: the last that is registered comes first
	return p, func() { v.shut.Store(true) }, open
}

// flood writes events with some bytes each into the log.
func (b *bench) flood(from, n, size int) {
	b.Helper()
	const page = 100
	for at := from; at < from+n; at += page {
		var events []*lending.Event
		for i := at; i < min(at+page, from+n); i++ {
			events = append(events, &lending.Event{
				ID: lending.EventID(fmt.Sprint(i)), Type: lending.EventNACH, ProviderType: fmt.Sprint(i), Provider: lending.Kredmint,
				Source: lending.FromWebhook, OccurredAt: time.Now(), ReceivedAt: time.Now(),
				Payload: []byte(`{"x":"` + strings.Repeat("x", size) + `"}`),
			})
		}
		if err := b.store.AppendEvents(b.Context(), events...); err != nil {
			b.Fatal(err)
		}
		b.hub.Publish()
	}
}

const followPayloads = `subscription($after: String) { events(after: $after) { cursor event { providerType payload } } }`

// resumed reads the events that follow a cursor, and gives the number of the first one.
func (p *peer) resumed(query, cursor string, upTo int) (first int) {
	p.Helper()
	p.ask("again", query, map[string]any{"after": cursor})
	for at := -1; at < upTo; {
		_, kind := p.hear().event()
		var n int
		if _, err := fmt.Sscan(kind, &n); err != nil || at >= 0 && n != at+1 {
			p.Fatalf("%q follows %d: %v", kind, at, err)
		}
		if at < 0 {
			first = n
		}
		at = n
	}
	return first
}

func TestAClientThatStopsReadingIsCutWithItsCursor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits server.SocketLimits
		events int
		size   int
	}{
		"under a flood": {server.SocketLimits{Stall: time.Second, Farewell: 300 * time.Millisecond}, 3000, 1000},
		// What was on its way when it stopped may have arrived, ping and all: the next ping tells.
		"with a little outstanding":     {server.SocketLimits{Stall: time.Second, Farewell: 300 * time.Millisecond, Ping: 300 * time.Millisecond}, 2, 10},
		"under the limits in force":     {server.SocketLimits{}, 3000, 1000},
		"when little may be on its way": {server.SocketLimits{Stall: time.Second, Farewell: 300 * time.Millisecond, Unread: 1 << 10}, 200, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupWithin(t, test.limits)
			other := b.connect()
			b.begun(func() { other.ask("other", followPayloads, nil) })
			p, shut, open := b.dialValve()
			b.begun(func() { p.ask("slow", followPayloads, nil) })
			shut()
			began := time.Now()
			undisturbed := make(chan time.Duration)
			go func() {
				defer close(undisturbed)
				for i := range test.events {
					if got, err := other.read(); err != nil || got.Type != "next" {
						t.Errorf("the other heard %s, want %d: %v", got, i+1, err)
						return
					}
				}
				undisturbed <- time.Since(began)
				for { // it goes on reading, and with that answering pings, until its connection ends
					if _, err := other.read(); err != nil {
						return
					}
				}
			}()
			b.flood(1, test.events, test.size)
			flooded := time.Since(began)
			if took := <-undisturbed; took > flooded+3*time.Second {
				t.Errorf("the other heard all after %s, of which %s went into writing", took, flooded)
			}
			eventually(t, "the slow one is gone", func() bool { return b.handler.Followers() == 1 })
			if took := time.Since(began); took > flooded+10*time.Second {
				t.Errorf("it was cut after %s", took)
			}
			open()
			code, _, heard := p.ended()
			if code != 1013 || len(heard) == 0 {
				t.Fatalf("closed with %d after %d messages", code, len(heard))
			}
			last := heard[len(heard)-1]
			var list []failure
			if err := json.Unmarshal(last.Payload, &list); err != nil || last.Type != "error" || last.ID != "slow" || len(list) != 1 {
				t.Fatalf("at last: %s", last)
			}
			cursor, _ := list[0].Extensions["cursor"].(string)
			seen := len(heard) - 1
			if test.events < 100 && seen != test.events {
				t.Errorf("it heard %d events", seen)
			}
			b.flood(test.events+1, 1, test.size)
			if first := b.connect().resumed(followPayloads, cursor, test.events+1); first != seen+1 {
				t.Errorf("it saw %d, and went on with %d", seen, first)
			}
		})
	}
}

func TestAClientThatAsksAndDoesNotReadIsCut(t *testing.T) {
	t.Parallel()
	b := setupWithin(t, server.SocketLimits{Outbox: 64 << 10, Stall: 2 * time.Second, Farewell: 300 * time.Millisecond, Unread: 8 << 10})
	p, shut, open := b.dialValve()
	b.following(p, "events")
	shut()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	for asked := 0; ctx.Err() == nil; asked++ { // pongs of 1 KB each, until the server hangs up
		ping := fmt.Sprintf(`{"type":"ping","payload":{"n":%d,"x":%q}}`, asked, strings.Repeat("x", 1000))
		if p.conn.Write(ctx, websocket.MessageText, []byte(ping)) != nil || b.handler.Followers() == 0 {
			break
		}
	}
	b.gone()
	open()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it was cut after %s", took)
	}
}

func TestASocketTakesTwoGoroutines(t *testing.T) {
	b := setup(t) // not beside other tests: it counts
	const sockets = 50
	p := b.connect()
	b.following(p, "1")
	before := settled(t)
	for range sockets {
		p, _, _ := b.dialValve()
		b.following(p, "1")
	}
	each := float64(settled(t)-before) / sockets
	if each > 2.1 { // a client that is not reading has none
		t.Errorf("%.2f goroutines a subscriber", each)
	}
}

// settled counts goroutines when their number no longer changes.
func settled(t *testing.T) (n int) {
	t.Helper()
	for same := 0; same < 50; same++ {
		time.Sleep(2 * time.Millisecond)
		if now := runtime.NumGoroutine(); now != n {
			n, same = now, 0
		}
	}
	return n
}
