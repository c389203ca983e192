package cached

import (
	"context"
	"errors"
	"math"
	"time"
)

// forever is older than any entry.
const forever = time.Duration(math.MaxInt64)

// finding is what the tiers know of a slot.
type finding struct {
	env  *envelope // nil where there is nothing
	mark string    // the eviction mark that a load from here on goes under
}

// sweep is one look into Redis, for all who want one of its slots meanwhile.
type sweep struct {
	// moment is the serial number from before its owner looked for the slots in the process: what is not
	// newer was seen there, or had reached Redis.
	moment uint64
	done   chan struct{}
	found  map[string]finding // by slot id; to be read after done
}

// find looks the slots up: in one round trip to Redis for all of those that the process cannot answer by
// itself. It waits no longer than ctx and falls back on what the process has.
func (c *Cache) find(ctx context.Context, slots []slot, began moment) []finding {
	found := make([]finding, len(slots))
	limit := c.cfg.LocalFresh
	if c.far == nil || c.far.resting() {
		limit = forever
	}
	missing := make([]int, 0, len(slots))
	for i, s := range slots {
		if found[i] = c.nearby(s, limit); found[i].env == nil {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 || limit == forever {
		return found
	}
	sweeps := c.joinSweeps(ctx, slots, missing, began)
	for n, i := range missing {
		select {
		case <-sweeps[n].done:
			found[i] = sweeps[n].found[slots[i].id]
		case <-ctx.Done():
			found[i] = c.nearby(slots[i], forever)
		}
	}
	return found
}

// nearby is what the process itself has: an entry on its way to Redis, or one in the local tier that was
// put there less than an age ago.
func (c *Cache) nearby(s slot, than time.Duration) finding {
	data, ok := c.near.younger(s.id, than)
	if !ok && c.far != nil {
		c.mu.Lock()
		if w := c.unwritten[s.id]; w != nil {
			data, ok = w.data, true
		}
		c.mu.Unlock()
	}
	if !ok {
		return finding{}
	}
	return c.opened(s, data)
}

// opened is the finding of some bytes; an empty one where they are of no use.
func (c *Cache) opened(s slot, data []byte) finding {
	env, err := c.codec.open(s, data)
	switch {
	case errors.Is(err, errOtherOwner):
		c.cfg.Observer.Discarded(s.space.read, DiscardOtherOwner)
		c.cfg.Logger.Error("the cache gave an entry of another key; it was not used", "read", s.space.read)
		return finding{}
	case err != nil:
		c.cfg.Observer.Discarded(s.space.read, DiscardDamaged)
		return finding{}
	case env.expired(c.cfg.Clock()):
		return finding{}
	}
	return finding{env: env, mark: env.Generation}
}

// joinSweeps gives, for each missing slot, the sweep that looks it up: one that is under way, or a new
// one for all of the others.
func (c *Cache) joinSweeps(ctx context.Context, slots []slot, missing []int, began moment) []*sweep {
	joined := make([]*sweep, len(missing))
	own := &sweep{moment: began.serial, done: make(chan struct{})}
	var mine []slot
	c.mu.Lock()
	for n, i := range missing {
		s := slots[i]
		if c.sweeps[s.id] == nil {
			c.sweeps[s.id] = own
			mine = append(mine, s)
		}
		joined[n] = c.sweeps[s.id]
	}
	c.mu.Unlock()
	if len(mine) > 0 && !c.work.start(func() { c.sweep(ctx, own, mine) }) {
		c.finishSweep(own, mine, c.allNearby(mine), nil)
	}
	return joined
}

// allNearby is what the process has of slots, however long it has had it.
func (c *Cache) allNearby(slots []slot) []finding {
	found := make([]finding, len(slots))
	for i, s := range slots {
		found[i] = c.nearby(s, forever)
	}
	return found
}

// sweep reads slots from Redis, and sends ahead what Redis does not know yet of evictions.
func (c *Cache) sweep(ctx context.Context, own *sweep, slots []slot) {
	pending := c.pendingEvictions()
	replies, err := c.far.read(ctx, slots, pending)
	if err != nil {
		c.cfg.Logger.DebugContext(ctx, "the cache could not be read from Redis", "error", err)
		c.finishSweep(own, slots, c.allNearby(slots), nil)
		return
	}
	c.evictionsSent(pending)
	found := make([]finding, len(slots))
	for i, s := range slots {
		found[i] = c.trusted(s, replies[i])
	}
	c.finishSweep(own, slots, found, replies)
}

// finishSweep hands the findings to those who wait, and keeps what came of Redis in the process, for the
// time when Redis does not answer. What the process loaded since the sweep began is newer than either.
func (c *Cache) finishSweep(own *sweep, slots []slot, found []finding, replies []reply) {
	own.found = make(map[string]finding, len(slots))
	c.mu.Lock()
	for i, s := range slots {
		current := c.sweeps[s.id] == own // false where it was evicted meanwhile
		if current {
			delete(c.sweeps, s.id)
		}
		if data, newer := c.near.since(s.id, own.moment); newer {
			found[i] = c.opened(s, data)
		} else if current && replies != nil && found[i].env != nil {
			c.putNear(s, replies[i].data)
		}
		own.found[s.id] = found[i]
	}
	c.mu.Unlock()
	close(own.done)
}

// trusted is what a reply of Redis is worth, after all that was evicted.
func (c *Cache) trusted(s slot, r reply) finding {
	if r.data == nil {
		return finding{mark: r.mark}
	}
	f := c.opened(s, r.data)
	if f.env == nil {
		return finding{mark: r.mark}
	}
	c.mu.Lock()
	_, unsent := c.unsent[s.id]
	distrusted := f.env.fetchedAt().Before(c.distrust)
	c.mu.Unlock()
	if unsent || distrusted || r.mark != "" && r.mark != f.env.Generation {
		c.cfg.Observer.Discarded(s.space.read, DiscardEvicted)
		return finding{mark: r.mark}
	}
	return finding{env: f.env, mark: r.mark}
}
