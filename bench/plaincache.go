package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// plainTTL is longer than any run, as the service's is set for the comparison.
const plainTTL = time.Hour

// cachedValue is an answer of a provider with the time when it was fetched.
type cachedValue[V any] struct {
	Value V         `json:"value"`
	AsOf  time.Time `json:"asOf"`
	fresh bool      // it was fetched just now
}

// plainCache keeps answers in a map or, where there is one, in Redis alone.
type plainCache[V any] struct {
	prefix string
	shared redis.UniversalClient
	load   func(ctx context.Context, key string) (V, error)

	mu   sync.Mutex
	kept map[string]cachedValue[V]
}

func newPlainCache[V any](prefix string, shared redis.UniversalClient, load func(context.Context, string) (V, error)) *plainCache[V] {
	return &plainCache[V]{prefix: "bench:" + prefix, shared: shared, load: load, kept: map[string]cachedValue[V]{}}
}

// get answers all keys: one look into the cache for all, then one call for each that is missing.
func (c *plainCache[V]) get(ctx context.Context, keys []string) (map[string]cachedValue[V], error) {
	found, err := c.find(ctx, keys)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, key := range keys {
		if _, ok := found[key]; !ok {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	fetched := make([]cachedValue[V], len(missing))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, key := range missing {
		group.Go(func() error {
			value, err := c.load(groupCtx, key)
			fetched[i] = cachedValue[V]{Value: value, AsOf: time.Now().UTC(), fresh: true}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, key := range missing {
		found[key] = fetched[i]
	}
	return found, c.keep(ctx, missing, fetched)
}

func (c *plainCache[V]) find(ctx context.Context, keys []string) (map[string]cachedValue[V], error) {
	found := make(map[string]cachedValue[V], len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	if c.shared == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, key := range keys {
			if value, ok := c.kept[key]; ok {
				found[key] = value
			}
		}
		return found, nil
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = c.prefix + key
	}
	texts, err := c.shared.MGet(ctx, names...).Result()
	if err != nil {
		return nil, err
	}
	for i, text := range texts {
		s, ok := text.(string)
		if !ok {
			continue
		}
		var value cachedValue[V]
		if err := json.Unmarshal([]byte(s), &value); err != nil {
			return nil, err
		}
		found[keys[i]] = value
	}
	return found, nil
}

func (c *plainCache[V]) keep(ctx context.Context, keys []string, values []cachedValue[V]) error {
	if c.shared == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, key := range keys {
			value := values[i]
			value.fresh = false
			c.kept[key] = value
		}
		return nil
	}
	pipe := c.shared.Pipeline()
	for i, key := range keys {
		text, err := json.Marshal(values[i])
		if err != nil {
			return err
		}
		pipe.Set(ctx, c.prefix+key, text, plainTTL)
	}
	_, err := pipe.Exec(ctx)
	return err
}
