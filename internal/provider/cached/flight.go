package cached

import (
	"context"
	"time"

	rediscache "github.com/go-redis/cache/v9"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// flight is one load that is under way, for all who want its slot meanwhile.
type flight struct {
	done chan struct{}
	// What came of it, to be read after done. env is nil where err is set, except for NOT_FOUND.
	env *envelope
	err error
}

// landed reports whether the flight is over.
func (f *flight) landed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// wait is nil when the flight is over, and ctx's error where that ends first.
func (f *flight) wait(ctx context.Context) error {
	if f.landed() {
		return nil
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// moment is when a read began: by the clock, and by what the process had loaded until then.
type moment struct {
	at     time.Time
	serial uint64
}

func (c *Cache) now() moment { return moment{at: c.cfg.Clock(), serial: c.near.moment()} }

// join gives the flight that loads a slot, and whether the caller is to carry it out. A load that ended
// since the caller's own read began is as good as one that is under way.
func (c *Cache) join(s slot, since moment, maxAge *time.Duration) (f *flight, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[s.id]; f != nil {
		return f, false
	}
	if data, ok := c.near.since(s.id, since.serial); ok {
		env := c.opened(s, data).env
		if env != nil && (env.FetchedAt >= since.at.UnixNano() || env.judge(since.at, maxAge) != mustLoad) {
			f = &flight{done: make(chan struct{}), env: env}
			close(f.done)
			return f, false
		}
	}
	f = &flight{done: make(chan struct{})}
	c.flights[s.id] = f
	return f, true
}

// landing is what a load came to. data is the sealed env, nil where nothing is to be kept.
type landing struct {
	env  *envelope
	err  error
	data []byte
}

// land ends a flight. What it brought is kept, unless the slot was evicted while it was in the air.
func (c *Cache) land(s slot, f *flight, l landing) {
	f.env, f.err = l.env, l.err
	c.mu.Lock()
	if c.flights[s.id] == f {
		delete(c.flights, s.id)
		if l.data != nil {
			c.putNear(s, l.data)
			c.near.stamp(s.id)
			c.sendLater(&write{slot: s, data: l.data, until: l.env.KeepUntil})
		}
	}
	c.mu.Unlock()
	close(f.done)
}

// putNear keeps sealed bytes in the process. The caller holds mu.
func (c *Cache) putNear(s slot, data []byte) {
	if err := c.box.Set(&rediscache.Item{Key: s.id, Value: data}); err != nil {
		c.cfg.Logger.Error("the local tier took nothing", "read", s.space.read, "error", err)
	}
}

// write is an entry on its way to Redis.
type write struct {
	slot  slot
	data  []byte
	until int64 // Unix nanoseconds
}

// sendLater queues an entry for Redis; the entries that gather while one pipeline is on its way share the
// next. The caller holds mu.
func (c *Cache) sendLater(w *write) {
	if c.far == nil {
		return
	}
	c.unwritten[w.slot.id] = w
	if !c.flushing {
		c.flushing = c.work.start(c.flush)
	}
}

// flush takes queued entries to Redis until there are none. What Redis does not take is lost to it: the
// entry will be loaded again.
func (c *Cache) flush() {
	for {
		c.mu.Lock()
		batch := make([]*write, 0, len(c.unwritten))
		for _, w := range c.unwritten {
			batch = append(batch, w)
		}
		if len(batch) == 0 {
			c.flushing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		if err := c.far.write(c.work.unending(), batch, c.cfg.Clock()); err != nil {
			c.cfg.Logger.Debug("entries could not be written to Redis", "count", len(batch), "error", err)
		}
		c.mu.Lock()
		for _, w := range batch {
			if c.unwritten[w.slot.id] == w {
				delete(c.unwritten, w.slot.id)
			}
		}
		c.mu.Unlock()
	}
}

// refreshable are those of the slots which nobody in this process refreshes or has just tried to.
func (c *Cache) refreshable(slots []slot) []slot {
	now := c.cfg.Clock()
	free := slots[:0:0]
	for _, s := range slots {
		if c.leases.take(s, now) {
			free = append(free, s)
		}
	}
	return free
}

// leaseFar narrows slots to those which no other replica refreshes. Where Redis cannot be asked, each
// replica refreshes for itself.
func (c *Cache) leaseFar(ctx context.Context, slots []slot) []slot {
	if c.far == nil {
		return slots
	}
	granted, err := c.far.lease(ctx, slots)
	if err != nil {
		return slots
	}
	return granted
}

// notFound is the answer for an entry that says that the provider knows nothing.
func notFound(p lending.Provider) *lending.Error {
	return &lending.Error{Kind: lending.KindNotFound, Provider: p, Outcome: lending.NotExecuted}
}
