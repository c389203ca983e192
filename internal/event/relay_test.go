package event_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// shared is a log that two processes read.
type shared struct {
	mu     sync.Mutex
	events []*lending.Event
}

func (s *shared) append() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, &lending.Event{Sequence: int64(len(s.events) + 1)})
}

func (s *shared) EventsAfter(_ context.Context, sequence int64, limit int) ([]*lending.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.events[min(int(sequence), len(s.events)):]
	return rest[:min(limit, len(rest))], nil
}

func (s *shared) LastSequence(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.events)), nil
}

// replica is a hub that never looks by itself, with its relay.
func replica(t *testing.T, log event.Log, address string) (*event.Hub, *event.Relay) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1, DialTimeout: time.Second})
	quiet := slog.New(slog.DiscardHandler)
	hub := event.NewHub(log, time.Hour, quiet)
	hub.Start()
	relay := event.NewRelay(hub, client, quiet)
	relay.Start()
	t.Cleanup(func() {
		relay.Stop()
		relay.Stop()
		hub.Stop()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return hub, relay
}

// sees waits until a hub has seen an event.
func sees(t *testing.T, hub *event.Hub, again func()) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		changed := hub.Changed()
		if events, err := hub.After(t.Context(), 0); err != nil || len(events) > 0 {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		again()
		select {
		case <-changed:
		case <-time.After(50 * time.Millisecond): // the relay may not listen yet: hints before that are lost
		case <-deadline:
			t.Fatal("the hint did not arrive")
		}
	}
}

func TestAHintReachesOtherReplicas(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	log := &shared{}
	_, here := replica(t, log, server.Addr())
	there, _ := replica(t, log, server.Addr())
	log.append()
	sees(t, there, here.Publish)
}

func TestHintsGoOnWhenRedisComesBack(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	log := &shared{}
	near, here := replica(t, log, server.Addr())
	there, _ := replica(t, log, server.Addr())
	server.Close()
	log.append()
	sees(t, near, here.Publish) // this process needs no Redis
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	sees(t, there, here.Publish)
}
