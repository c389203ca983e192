package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/cached"
)

// TestASlowProviderSlowsNoOther has Kredmint take two seconds for each of many calls, and measures Kredete's.
func TestASlowProviderSlowsNoOther(t *testing.T) {
	const slots = 64
	p := boot(t, setup{customers: 20, adjust: func(c *config.Config) {
		c.Calls.ReadConcurrency, c.Calls.CircuitCalls = slots, 1_000_000 // the bulkhead alone is on trial
		c.ReadDeadline = 10 * time.Second
	}})
	kredete, err := p.service.Provider(lending.Kredete)
	if err != nil {
		t.Fatal(err)
	}
	kredmint, err := p.service.Provider(lending.Kredmint)
	if err != nil {
		t.Fatal(err)
	}
	before := takeFootprint(t)
	id, mobile := p.sandbox.World.Person(0).KredeteID, p.sandbox.World.Person(0).KredmintMobile
	p99 := func() time.Duration {
		return percentile(t, 99, func() error {
			_, err := kredete.Profiles.Profile(t.Context(), id)
			return err
		})
	}
	p99() // connections
	p.fault(t, lending.Kredmint, map[string]any{"kind": "delay", "delay": "2s"})
	var tried []string
	for range measurements {
		calm := p99()
		stop := crowd(t, 4*slots, func(ctx context.Context) { _, _ = kredmint.CreditLines.CreditLine(ctx, mobile) })
		crowded := takeFootprint(t)
		slow := p99()
		refused := stop()
		if refused == 0 || crowded.files > before.files+2*(slots+callers)+10 {
			t.Errorf("%d calls are turned away, %d files are open: nothing bounds what a slow provider takes", refused, crowded.files)
		}
		tried = append(tried, fmt.Sprintf("%s without and %s with the slow one (%d callers, %d calls turned away, %d files)", calm, slow, 4*slots, refused, crowded.files))
		if slow <= 3*calm+100*time.Millisecond {
			t.Log("p99 of Kredete's reads: " + tried[len(tried)-1])
			p.heal(t, lending.Kredmint)
			before.restored(t, slots)
			return
		}
	}
	t.Errorf("p99 of Kredete's reads: %v", tried)
}

// callers ask for what is measured, at a time.
const callers = 8

// percentile calls 2,000 times.
func percentile(t *testing.T, percent int, call func() error) time.Duration {
	t.Helper()
	const each = 250
	took := make([]time.Duration, callers*each)
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := range each {
				began := time.Now()
				if err := call(); err != nil {
					t.Error(lending.AsError(err).Detail())
					return
				}
				took[caller*each+i] = time.Since(began)
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took[len(took)*percent/100]
}

// crowd calls without end from many callers, until stop, which tells how many calls were over at once.
func crowd(t *testing.T, size int, call func(ctx context.Context)) (stop func() (refused int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var quick, begun atomic.Int64
	for range size {
		all.Go(func() {
			for ctx.Err() == nil {
				begun.Add(1)
				began := time.Now()
				call(ctx)
				if time.Since(began) < time.Second && ctx.Err() == nil {
					quick.Add(1)
					select { // who is turned away comes back after a while
					case <-ctx.Done():
					case <-time.After(100 * time.Millisecond):
					}
				}
			}
		})
	}
	eventually(t, "all callers have called", func() bool { return begun.Load() >= int64(size) })
	return func() int {
		cancel()
		all.Wait()
		return int(quick.Load())
	}
}

// countedProfiles tells a profile when its gate is open.
type countedProfiles struct {
	calls atomic.Int64
	gate  chan struct{}
}

func (p *countedProfiles) Profile(ctx context.Context, _ string) (lending.Profile, error) {
	p.calls.Add(1)
	select {
	case <-p.gate:
		return lending.Profile{FirstName: "told"}, nil
	case <-ctx.Done():
		return lending.Profile{}, ctx.Err()
	}
}

// profileReplica is what one replica reads profiles with: the cache on Redis, and the guards below it.
func profileReplica(t *testing.T, c *config.Config, address string, source provider.ProfileReader, cfg cached.Config) (read func() lending.Fetched[lending.Profile], stop func()) {
	t.Helper()
	redis, err := cached.NewRedis(address)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Redis = redis
	cache, err := cached.NewCache(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cache.Start()
	guards, err := newGuards(c, redis, []byte(testKey), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	guarded := guards.Around(&provider.Provider{Name: lending.Kredete, Profiles: source})
	profiles := readers(c, cache, []*provider.Provider{guarded}).Profiles
	read = func() lending.Fetched[lending.Profile] {
		return profiles.Read(t.Context(), []string{"id"}, lending.Freshness{})[0]
	}
	return read, func() {
		cache.Stop()
		keys, err := redis.Keys(t.Context(), cfg.Prefix+"*").Result()
		if err == nil && len(keys) > 0 {
			err = redis.Del(t.Context(), keys...).Err()
		}
		if err := errors.Join(err, redis.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestAnExpiredKeyIsLoadedOnce has 10,000 requests at two replicas ask for one profile that has grown too old, at the
// same time. Each replica loads it once at most.
func TestAnExpiredKeyIsLoadedOnce(t *testing.T) {
	address := os.Getenv("CREDITGRAPH_TEST_REDIS")
	if address == "" {
		address = "redis://" + miniredis.RunT(t).Addr()
	}
	c, err := testSettings(t.TempDir(), setup{adjust: func(c *config.Config) { c.ReadDeadline = patience }})
	if err != nil {
		t.Fatal(err)
	}
	before := takeFootprint(t)
	source := &countedProfiles{gate: make(chan struct{})}
	prefix, passed := "creditgraph-test:"+rand.Text(), atomic.Int64{}
	clock := func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	var replicas []func() lending.Fetched[lending.Profile]
	var stops []func()
	for range 2 {
		read, stop := profileReplica(t, &c, address, source, cached.Config{KeySecret: []byte(testKey), Prefix: prefix, Clock: clock, ReadBudget: patience, WriteBudget: patience})
		replicas, stops = append(replicas, read), append(stops, stop)
	}
	close(source.gate)
	if a := replicas[0](); a.Err != nil || a.Status != lending.SourceFresh {
		t.Fatalf("the first read: %+v", a)
	}
	source.gate = make(chan struct{})
	passed.Store(int64(2 * c.ProfileHardTTL))
	const requests = 10_000
	answers := make([]lending.Fetched[lending.Profile], requests)
	var ready, all sync.WaitGroup
	ready.Add(requests)
	for i := range requests {
		all.Go(func() {
			ready.Done()
			answers[i] = replicas[i%2]()
		})
	}
	ready.Wait()
	eventually(t, "the profile is asked for", func() bool { return source.calls.Load() > 1 })
	close(source.gate)
	all.Wait()
	for i := range answers {
		if answers[i].Err != nil || answers[i].Value.FirstName != "told" {
			t.Fatalf("request %d was answered %+v", i, answers[i])
		}
	}
	if calls := source.calls.Load() - 1; calls > 2 {
		t.Errorf("%d calls for %d requests, want two at most", calls, requests)
	} else {
		t.Logf("%d calls for %d requests at two replicas", calls, requests)
	}
	for _, stop := range stops {
		stop()
	}
	before.restored(t, 0)
}
