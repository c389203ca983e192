package event

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	relayChannel = "creditgraph:events"
	relayTimeout = time.Second
	// relayCheck is how often a silent connection to Redis is tried: one that hangs is made anew.
	relayCheck = 3 * time.Second
)

// Relay carries hints between replicas, over Redis. What it loses costs the wait for the next poll, and no event.
type Relay struct {
	hub    *Hub
	client redis.UniversalClient
	out    *slog.Logger
	hints  chan struct{} // holds one: it is to be told
	stop   context.CancelFunc
	ended  chan struct{}
}

// NewRelay makes a relay for a hub. It has to be started.
func NewRelay(hub *Hub, client redis.UniversalClient, logger *slog.Logger) *Relay {
	return &Relay{hub: hub, client: client, out: logger, hints: make(chan struct{}, 1)}
}

// Publish is the hint that the log has grown, for this process and all others. It does not wait for Redis: of the
// hints that come while one is on its way, one is sent.
func (r *Relay) Publish() {
	r.hub.Publish()
	select {
	case r.hints <- struct{}{}:
	default:
	}
}

// Start begins to tell and to listen.
func (r *Relay) Start() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.ended = stop, make(chan struct{})
	heard := r.client.Subscribe(ctx, relayChannel)
	go func() {
		defer close(r.ended)
		listened := make(chan struct{})
		go func() {
			defer close(listened)
			// Channel makes a connection that broke anew, and closes when heard is closed.
			for range heard.ChannelWithSubscriptions(redis.WithChannelHealthCheckInterval(relayCheck)) {
				r.hub.Publish() // also when it listens again: hints may have been lost
			}
		}()
		r.tell(ctx)
		if err := heard.Close(); err != nil {
			r.out.Debug("the relay's connection did not close well", "error", err.Error())
		}
		<-listened
	}()
}

// Stop ends it. It is safe to call twice, and without a start.
func (r *Relay) Stop() {
	if r.stop != nil {
		r.stop()
		<-r.ended
	}
}

// tell sends hints until ctx ends.
func (r *Relay) tell(ctx context.Context) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hints:
		}
		sending, cancel := context.WithTimeout(ctx, relayTimeout)
		err := r.client.Publish(sending, relayChannel, "").Err()
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			r.out.WarnContext(ctx, "Redis does not carry hints of events; other replicas find them by themselves", "error", err.Error())
		case err == nil && failing:
			r.out.InfoContext(ctx, "Redis carries hints of events again")
		}
		failing = err != nil
	}
}
