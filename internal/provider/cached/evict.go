package cached

import (
	"context"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"
)

const (
	// evictionsAtOnce is how many evictions go to Redis in one pipeline.
	evictionsAtOnce = 256
	// maxUnsent is how many evictions are remembered one by one while Redis does not answer.
	maxUnsent = 10_000
)

// eviction is a slot whose entries from before are void.
type eviction struct {
	slot slot
	mark string
}

// evict voids slots: at once in this process, and in Redis when it returns, or else ahead of the next
// read that reaches Redis.
func (c *Cache) evict(ctx context.Context, slots []slot) {
	mark := newMark()
	c.mu.Lock()
	for _, s := range slots {
		c.forget(s.id)
		if c.far != nil {
			c.unsent[s.id] = eviction{slot: s, mark: mark}
		}
	}
	c.boundUnsent()
	c.mu.Unlock()
	for {
		pending := c.pendingEvictions()
		if len(pending) == 0 {
			return
		}
		if err := c.far.evict(ctx, pending); err != nil {
			c.cfg.Logger.Debug("evictions wait for Redis", "error", err)
			return
		}
		c.evictionsSent(pending)
	}
}

// forget voids a slot in this process: what it holds, and what looks and loads that are under way will
// bring. The caller holds mu.
func (c *Cache) forget(id string) {
	delete(c.sweeps, id)
	delete(c.flights, id)
	delete(c.unwritten, id)
	c.near.Del(id)
}

// boundUnsent gives up remembering single evictions when they are too many: everything in Redis from
// before is then taken for evicted by this replica. The caller holds mu.
func (c *Cache) boundUnsent() {
	if len(c.unsent) <= maxUnsent {
		return
	}
	c.cfg.Logger.Warn("too many evictions wait for Redis; its entries from before are no longer used", "count", len(c.unsent))
	c.distrust = c.cfg.Clock()
	clear(c.unsent)
}

// pendingEvictions are some that Redis does not know of.
func (c *Cache) pendingEvictions() []eviction {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.unsent) == 0 {
		return nil
	}
	pending := slices.Collect(maps.Values(c.unsent))
	return pending[:min(len(pending), evictionsAtOnce)]
}

// evictionsSent strikes off what Redis knows now.
func (c *Cache) evictionsSent(sent []eviction) {
	if len(sent) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range sent {
		if c.unsent[e.slot.id] == e {
			delete(c.unsent, e.slot.id)
		}
	}
}

// listen hears what other replicas evict, until the cache is stopped. After an interruption, in which
// news may have been missed, the process drops all that it holds.
func (c *Cache) listen() {
	ctx := c.work.ctx
	subscription := c.far.client.Subscribe(ctx, c.far.channel())
	defer func() {
		if err := subscription.Close(); err != nil {
			c.cfg.Logger.Debug("the subscription to evictions did not close", "error", err)
		}
	}()
	news := subscription.ChannelWithSubscriptions()
	for stood := false; ; {
		select {
		case <-ctx.Done():
			return
		case message, open := <-news:
			if !open {
				return
			}
			switch m := message.(type) {
			case *redis.Subscription:
				if stood {
					c.forgetAll()
				}
				stood = true
			case *redis.Message:
				c.hear(m.Payload)
			}
		}
	}
}

// hear takes news of another replica's evictions.
func (c *Cache) hear(payload string) {
	ids, ok := c.far.heard(payload)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		c.forget(id)
	}
}

// forgetAll voids everything in this process. What is on its way to Redis stays: its mark decides there.
func (c *Cache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.sweeps)
	clear(c.flights)
	c.near.clear()
}
