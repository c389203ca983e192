package cached

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	rediscache "github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"
)

// errResting says that Redis was not asked, because it failed shortly before.
var errResting = errors.New("cached: Redis is left alone after failures")

// remote is the tier in Redis. Each step is one round trip, within a budget and behind a breaker.
type remote struct {
	client                  redis.UniversalClient
	breaker                 circuitbreaker.CircuitBreaker[any]
	prefix                  string
	self                    string // names this replica among the others
	sharded                 bool   // keys lie on several nodes, so there is no MGET over all of them
	readBudget, writeBudget time.Duration
	log                     *slog.Logger
}

func newRemote(cfg Config) *remote {
	r := &remote{
		client: cfg.Redis, prefix: cfg.Prefix, self: newMark(), sharded: sharded(cfg.Redis),
		readBudget: cfg.ReadBudget, writeBudget: cfg.WriteBudget, log: cfg.Logger,
	}
	r.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(cfg.BreakerFailures).
		WithSuccessThreshold(1).
		WithDelay(cfg.BreakerDelay).
		OnStateChanged(func(change circuitbreaker.StateChangedEvent) { announce(cfg, change) }).
		Build()
	return r
}

func sharded(client redis.UniversalClient) bool {
	switch client.(type) {
	case *redis.ClusterClient, *redis.Ring:
		return true
	}
	return false
}

func announce(cfg Config, change circuitbreaker.StateChangedEvent) {
	switch {
	case change.NewState == circuitbreaker.ClosedState:
		cfg.Logger.Info("Redis answers again; the cache is shared")
		cfg.Observer.RedisUsable(true)
	case change.NewState == circuitbreaker.OpenState && change.OldState == circuitbreaker.ClosedState:
		cfg.Logger.Warn("Redis does not answer; each replica goes on with its own cache")
		cfg.Observer.RedisUsable(false)
	}
}

// resting reports whether Redis is left alone for now.
func (r *remote) resting() bool { return r.breaker.IsOpen() && r.breaker.RemainingDelay() > 0 }

// try carries out one step. It is detached from the caller's cancellation, which says nothing of Redis.
func (r *remote) try(ctx context.Context, budget time.Duration, step func(ctx context.Context) error) error {
	if !r.breaker.TryAcquirePermit() {
		return errResting
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	defer cancel()
	if err := step(ctx); err != nil && !errors.Is(err, redis.Nil) {
		r.breaker.RecordFailure()
		return fmt.Errorf("cached: redis: %w", err)
	}
	r.breaker.RecordSuccess()
	return nil
}

func (r *remote) entryKey(s slot) string { return r.prefix + ":entry:" + s.space.shape + ":" + s.id }

func (r *remote) leaseKey(s slot) string { return r.prefix + ":lease:" + s.space.shape + ":" + s.id }

// markKey has no shape: an eviction counts for the entries of every release.
func (r *remote) markKey(s slot) string { return r.prefix + ":evicted:" + s.id }
func (r *remote) channel() string       { return r.prefix + ":evictions" }

// reply is what Redis has for a slot: sealed bytes, nil for none, and the mark of its last eviction.
type reply struct {
	data []byte
	mark string
}

// read asks for slots, and sends evictions ahead, in one round trip.
func (r *remote) read(ctx context.Context, slots []slot, evictions []eviction) ([]reply, error) {
	keys := make([]string, 0, 2*len(slots))
	for _, s := range slots {
		keys = append(keys, r.entryKey(s), r.markKey(s))
	}
	var values []string
	err := r.try(ctx, r.readBudget, func(ctx context.Context) (err error) {
		values, err = r.get(ctx, keys, evictions)
		return err
	})
	if err != nil {
		return nil, err
	}
	replies := make([]reply, len(slots))
	for i := range slots {
		if data := values[2*i]; data != "" {
			replies[i].data = []byte(data)
		}
		replies[i].mark = values[2*i+1]
	}
	return replies, nil
}

// get is the values of keys, "" for one that is not there.
func (r *remote) get(ctx context.Context, keys []string, evictions []eviction) ([]string, error) {
	if !r.sharded && len(evictions) == 0 {
		return texts(r.client.MGet(ctx, keys...).Result())
	}
	pipe := r.client.Pipeline()
	r.queueEvictions(ctx, pipe, evictions)
	if !r.sharded {
		all := pipe.MGet(ctx, keys...)
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
		return texts(all.Result())
	}
	each := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		each[i] = pipe.Get(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	values := make([]string, len(keys))
	for i, command := range each {
		value, err := command.Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

func texts(values []any, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	list := make([]string, len(values))
	for i, value := range values {
		list[i], _ = value.(string) // nil where the key is not there
	}
	return list, nil
}

// write puts entries in one pipeline.
func (r *remote) write(ctx context.Context, batch []*write, now time.Time) error {
	return r.try(ctx, r.writeBudget, func(ctx context.Context) error {
		pipe := r.client.Pipeline()
		box := rediscache.New(&rediscache.Options{Redis: pipe})
		for _, w := range batch {
			if err := box.Set(&rediscache.Item{
				Ctx: ctx, Key: r.entryKey(w.slot), Value: w.data, TTL: lifetime(time.Unix(0, w.until).Sub(now)),
			}); err != nil {
				return err
			}
		}
		_, err := pipe.Exec(ctx)
		return err
	})
}

// lifetime is a TTL that Redis and go-redis/cache take as it is: under a second the latter makes it an
// hour. The entry's own end is exact.
func lifetime(d time.Duration) time.Duration { return max(d, time.Second) }

// lease gives those of the slots that this replica may refresh now.
func (r *remote) lease(ctx context.Context, slots []slot) ([]slot, error) {
	taken := make([]*redis.BoolCmd, len(slots))
	err := r.try(ctx, r.writeBudget, func(ctx context.Context) error {
		pipe := r.client.Pipeline()
		for i, s := range slots {
			taken[i] = pipe.SetNX(ctx, r.leaseKey(s), r.self, s.space.lease)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	granted := slots[:0:0]
	for i, s := range slots {
		if taken[i].Val() {
			granted = append(granted, s)
		}
	}
	return granted, nil
}

// evict sends evictions and tells the other replicas, in one pipeline.
func (r *remote) evict(ctx context.Context, evictions []eviction) error {
	return r.try(ctx, r.writeBudget, func(ctx context.Context) error {
		pipe := r.client.Pipeline()
		r.queueEvictions(ctx, pipe, evictions)
		_, err := pipe.Exec(ctx)
		return err
	})
}

func (r *remote) queueEvictions(ctx context.Context, pipe redis.Pipeliner, evictions []eviction) {
	if len(evictions) == 0 {
		return
	}
	news := make([]string, 1, len(evictions)+1)
	news[0] = r.self
	for _, e := range evictions {
		pipe.Set(ctx, r.markKey(e.slot), e.mark, lifetime(e.slot.space.keep))
		pipe.Del(ctx, r.entryKey(e.slot))
		news = append(news, e.slot.id)
	}
	pipe.Publish(ctx, r.channel(), strings.Join(news, " "))
}

// heard takes news of evictions apart; ok is false for our own.
func (r *remote) heard(payload string) (ids []string, ok bool) {
	words := strings.Fields(payload)
	if len(words) == 0 || words[0] == r.self {
		return nil, false
	}
	return words[1:], true
}
