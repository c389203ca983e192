package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// The bounds of what an outage of Redis may cost once it is noticed.
const (
	redisRequests = 400                   // in each measurement: none may fail, which is more than 99.9 % ask for
	redisDelay    = 20 * time.Millisecond // added to the slowest hundredth
)

// TestRedisGoesAwayAndComesBack lets Redis fail in each way while summaries are asked for.
func TestRedisGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	for _, outage := range []struct {
		name      string
		cut, mend func(g *gate, server *miniredis.Miniredis)
	}{
		{"refused", func(g *gate, _ *miniredis.Miniredis) { g.refuse() }, func(g *gate, _ *miniredis.Miniredis) { g.open() }},
		{"hung", func(g *gate, _ *miniredis.Miniredis) { g.hang() }, func(g *gate, _ *miniredis.Miniredis) { g.open() }},
		{"slow by 2 s", func(g *gate, _ *miniredis.Miniredis) { g.slow(2 * time.Second) }, func(g *gate, _ *miniredis.Miniredis) { g.open() }},
		{"wiped", func(_ *gate, s *miniredis.Miniredis) { s.FlushAll() }, func(*gate, *miniredis.Miniredis) {}},
		{
			"read-only",
			func(_ *gate, s *miniredis.Miniredis) {
				s.SetError("READONLY You can't write against a read only replica.")
			},
			func(_ *gate, s *miniredis.Miniredis) { s.SetError("") },
		},
	} {
		t.Run(outage.name, func(t *testing.T) {
			server := miniredis.RunT(t)
			g := newGate(t, server.Addr())
			w := &withRedis{program: boot(t, setup{customers: 20, redis: "redis://" + g.address})}
			for i := range 20 {
				w.customers = append(w.customers, w.person(t, i))
			}
			w.load(t) // what is new to the process is over
			healthy, failed := w.load(t)
			if failed > 0 {
				t.Fatalf("%d requests fail while all is well", failed)
			}
			outage.cut(g, server)
			if !w.holds(t, healthy) {
				t.Errorf("with a Redis that is %s", outage.name)
			}
			outage.mend(g, server)
			eventually(t, "the cache is in Redis again", func() bool {
				w.ask(t, "CustomerCreditSummary", map[string]any{"id": w.customers[0], "freshness": cold()})
				return len(server.Keys()) > 0 && server.CommandCount() > 0 && w.reaches(t, server)
			})
		})
	}
}

// withRedis is a program whose cache is in Redis.
type withRedis struct {
	*program
	customers []string
}

// load asks for summaries one after the other and gives the time that 99 of 100 are answered in, and how many
// fail.
func (w *withRedis) load(t *testing.T) (p99 time.Duration, failed int) {
	t.Helper()
	text := document(t, "CustomerCreditSummary")
	took := make([]time.Duration, redisRequests)
	for i := range took {
		a := w.query(t, text, map[string]any{"id": w.customers[i%len(w.customers)]})
		if took[i] = a.took; len(a.Errors) > 0 || a.Data == nil {
			failed++
		}
	}
	slices.Sort(took)
	return took[redisRequests*99/100], failed
}

// holds measures while Redis fails. The first requests notice it; a slow measurement is taken again, because
// others use this machine, and a failed request is not forgiven.
func (w *withRedis) holds(t *testing.T, healthy time.Duration) bool {
	t.Helper()
	var told []string
	for range 2 * measurements {
		p99, failed := w.load(t)
		if failed > 0 {
			t.Errorf("%d of %d requests fail", failed, redisRequests)
			return false
		}
		if p99 <= healthy+redisDelay {
			return true
		}
		told = append(told, fmt.Sprint(p99))
	}
	t.Errorf("99 of 100 requests take %v, and %s before", told, healthy)
	return false
}

// reaches tells whether a request makes Redis do something.
func (w *withRedis) reaches(t *testing.T, server *miniredis.Miniredis) bool {
	t.Helper()
	before := server.CommandCount()
	w.ask(t, "CustomerCreditSummary", map[string]any{"id": w.customers[0]})
	return server.CommandCount() > before
}
