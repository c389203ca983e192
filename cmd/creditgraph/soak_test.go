package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// soakVariable says for how long the program is under load; `make soak` sets ten minutes.
const soakVariable = "CREDITGRAPH_SOAK"

// soakTime is short where nobody asks for more.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(soakVariable)
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", soakVariable, err)
	}
	return d
}

const (
	soakWorkers   = 6
	soakCustomers = 60
)

// TestSoak keeps the program under load while one provider after the other misbehaves at random, and Redis does so
// too. An answer may miss what a misbehaving provider should have told, and nothing else; afterwards nothing is left of
// it all.
func TestSoak(t *testing.T) {
	long := soakTime(t)
	cache := newGate(t, miniredis.RunT(t).Addr())
	p := boot(t, setup{customers: soakCustomers, deadline: shortDeadline, redis: "redis://" + cache.address})
	s := &soak{program: p, cache: cache, seed: rand.Uint64()}
	t.Logf("seed %d", s.seed)
	for i := range soakCustomers {
		s.customers = append(s.customers, p.person(t, i))
	}
	s.documents = map[string]string{}
	for _, name := range []string{"CustomerCreditSummary", "CustomersTable", "CustomerProfile", "Portfolio", "EventLog", "RequestCreditScore"} {
		s.documents[name] = document(t, name)
	}
	s.run(t, time.Second, nil) // what is made once and kept is made
	before := s.remains(t)
	s.run(t, long, s.misbehave)
	after := s.remains(t)
	t.Logf("%d requests, %d faults, %d errors of providers that were at fault; %v before and %v after", s.requests.Load(), s.faults.Load(), s.excused.Load(), before, after)
	if s.requests.Load() < 20 || s.faults.Load() == 0 {
		t.Errorf("%d requests and %d faults are no load", s.requests.Load(), s.faults.Load())
	}
	before.compare(t, after)
}

// soak is a program under load.
type soak struct {
	*program
	cache     *gate // before Redis
	seed      uint64
	customers []string
	documents map[string]string

	requests, faults, excused, keys atomic.Int64

	mu     sync.Mutex
	faulty map[lending.Provider]time.Time // until when a provider's errors are its own
}

// run asks for some time, with a part that goes on beside the load.
func (s *soak) run(t *testing.T, long time.Duration, beside func(ctx context.Context, t *testing.T)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var all sync.WaitGroup
	for n := range soakWorkers {
		dice := rand.New(rand.NewPCG(s.seed, uint64(n)))
		all.Go(func() {
			for ctx.Err() == nil {
				s.ask(t, dice)
			}
		})
	}
	if beside != nil {
		beside(ctx, t)
	}
	all.Wait()
}

// ask sends one request of some kind.
func (s *soak) ask(t *testing.T, dice *rand.Rand) {
	id := s.customers[dice.IntN(len(s.customers))]
	var name string
	var vars map[string]any
	switch dice.IntN(12) {
	case 0:
		name, vars = "CustomersTable", map[string]any{"first": 20}
	case 1:
		name, vars = "CustomerProfile", map[string]any{"id": id}
	case 2:
		name, vars = "Portfolio", map[string]any{"first": 50}
	case 3:
		name, vars = "EventLog", map[string]any{"first": 20}
	case 4:
		name, vars = "RequestCreditScore", map[string]any{"input": map[string]any{
			"idempotencyKey": fmt.Sprintf("soak-%d", s.keys.Add(1)), "customerId": id, "provider": "KREDETE",
			"loanAmount": map[string]any{"amount": "500000", "currency": "NGN"}, "tenure": map[string]any{"value": 90, "unit": "DAY"},
		}}
	default:
		name, vars = "CustomerCreditSummary", map[string]any{"id": id}
		if dice.IntN(2) == 0 {
			vars["freshness"] = cold()
		}
	}
	a := s.query(t, s.documents[name], vars)
	s.requests.Add(1)
	s.judge(t, name, a)
}

// judge finds errors that no provider at fault explains.
func (s *soak) judge(t *testing.T, name string, a *answer) {
	if a.Data == nil && len(a.Errors) == 0 {
		t.Errorf("%s: %d %s", name, a.status, a.text)
	}
	for _, e := range a.Errors {
		if s.excuses(lending.Provider(e.Extensions.Provider)) {
			s.excused.Add(1)
			continue
		}
		t.Errorf("%s: %s of %q at %v: %s", name, e.Extensions.Code, e.Extensions.Provider, e.Path, e.Message)
	}
}

func (s *soak) excuses(name lending.Provider) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.faulty[name])
}

// soakRecovery is how long a provider may be given up for after it is well again.
const soakRecovery = 15 * time.Second

// misbehave lets one provider after the other fail, each for a moment, and heals them all in the end.
func (s *soak) misbehave(ctx context.Context, t *testing.T) {
	dice := rand.New(rand.NewPCG(s.seed, soakWorkers))
	rules := []map[string]any{
		{"kind": "hang"},
		{"kind": "garbage"},
		{"kind": "html"},
		{"kind": "half_body"},
		{"kind": "rate_limited", "header": map[string]any{"Retry-After": "2"}}, // by itself it would ask for a minute
		{"kind": "status", "status": 503},
		{"kind": "cut_before_effect"},
		{"kind": "cut_after_effect"},
		{"kind": "delay", "delay": "100ms"},
	}
	s.mu.Lock()
	s.faulty = map[lending.Provider]time.Time{}
	s.mu.Unlock()
	for ctx.Err() == nil {
		name := lending.Providers()[dice.IntN(5)]
		s.blame(name, time.Now().Add(time.Hour))
		s.fault(t, name, rules[dice.IntN(len(rules))])
		s.faults.Add(1)
		s.disturb(dice.IntN(8))
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(500+dice.IntN(3000)) * time.Millisecond):
		}
		s.heal(t, name)
		s.blame(name, time.Now().Add(soakRecovery))
		s.cache.open()
	}
}

// disturb lets Redis fail now and then. Nothing excuses an error that comes of it.
func (s *soak) disturb(die int) {
	switch die {
	case 0:
		s.cache.refuse()
	case 1:
		s.cache.hang()
	case 2:
		s.cache.slow(200 * time.Millisecond)
	}
}

func (s *soak) blame(name lending.Provider, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faulty[name] = until
}

// remains are what a program that is at rest holds.
type remains struct {
	goroutines, files int
	heap              uint64
}

func (r remains) String() string {
	return fmt.Sprintf("%d goroutines, %d open files, %d KB of heap", r.goroutines, r.files, r.heap>>10)
}

// remains waits until what is under way has ended: the least that is seen within a while.
func (s *soak) remains(t *testing.T) remains {
	t.Helper()
	if err := s.quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What tests and twins keep to be looked at is none of the program's.
	for _, leak := range s.leaks() {
		t.Error("the log tells", leak)
	}
	s.log.forget()
	for _, name := range lending.Providers() {
		if err := s.admin(t.Context(), name, http.MethodPost, "reset-counts", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	var seen []remains
	settled := func() bool {
		if n := len(seen); n >= 20 {
			last := seen[n-10:]
			return slices.IndexFunc(last, func(r remains) bool { return r.goroutines != last[0].goroutines || r.files != last[0].files }) < 0
		}
		return false
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_ = until(ctx, "the program is at rest", func() (bool, error) { // the least counts, whether or not it stays
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil && !os.IsNotExist(err) {
			return false, err
		}
		seen = append(seen, remains{runtime.NumGoroutine(), len(files), memory.HeapAlloc})
		return settled(), nil
	})
	least := seen[0]
	for _, r := range seen {
		least.goroutines, least.files, least.heap = min(least.goroutines, r.goroutines), min(least.files, r.files), min(least.heap, r.heap)
	}
	return least
}

// compare fails where more is left than idle connections explain.
func (r remains) compare(t *testing.T, after remains) {
	t.Helper()
	const (
		spareGoroutines = 40 // connections that stay open for a while have two each, at both ends
		spareFiles      = 40
		spareHeap       = 8 << 20
	)
	var grown []string
	if after.goroutines > r.goroutines+spareGoroutines {
		grown = append(grown, "goroutines")
	}
	if after.files > r.files+spareFiles {
		grown = append(grown, "open files")
	}
	if after.heap > r.heap+spareHeap {
		grown = append(grown, "the heap")
	}
	if len(grown) > 0 {
		t.Errorf("%s have grown: %v before, %v after", strings.Join(grown, " and "), r, after)
	}
}
