package service_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/health"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// board is what a test lets other replicas tell, and what this one told.
type board struct {
	mu        sync.Mutex
	others    []health.Report
	asked     int
	told      []health.Report
	withdrawn int
}

func (b *board) Publish(_ context.Context, own health.Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, own)
}

func (b *board) Others(context.Context) []health.Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return b.others
}

func (b *board) Withdraw(context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.withdrawn++
}

func (b *board) tell(others ...health.Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.others = others
}

func (b *board) counts() (asked, told, withdrawn int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked, len(b.told), b.withdrawn
}

func TestFiguresAreOfAllReplicas(t *testing.T) {
	t.Parallel()
	shared := &board{}
	b := setup(t, unpinged, func(c *service.Config) { c.Board = shared })
	far := service.NewHealth(b.clock.Now)
	for range 3 {
		far.Observe(provider.Observation{Provider: lending.Carbon, Took: time.Second, Err: &lending.Error{Kind: lending.KindTimeout}})
	}
	b.clock.pass(time.Second)
	b.calls(".")
	shared.tell(far.Report(), health.Report{lending.Kredmint: {}})
	h := b.healthOf(lending.Carbon)
	if h.Status != service.HealthDegraded || h.Calls != 4 || h.SharedBy != 2 || h.P99 != time.Second || h.ErrorRate.String() != "0.7500" || h.LastFailure == nil {
		t.Errorf("it is %+v", h)
	}
	if h := b.healthOf(lending.Kredete); h.SharedBy != 1 {
		t.Errorf("Kredete is told by %d", h.SharedBy)
	}
	if outage := b.health.Outage(lending.Carbon); outage != nil {
		t.Errorf("this replica is answered, and says %v", outage)
	}
}

func TestWhatAnotherReplicaCalledIsNotProbed(t *testing.T) {
	t.Parallel()
	shared := &board{}
	b := setup(t, func(c *service.Config) { c.Board = shared })
	far := service.NewHealth(b.clock.Now)
	far.Observe(provider.Observation{Provider: lending.Carbon})
	shared.tell(far.Report())
	if h := b.healthOf(lending.Carbon); h.Status != service.HealthUp || b.carbon.called("Ping") != 0 || b.kredete.called("Ping") != 1 {
		t.Errorf("it is %s after %d probes; Kredete had %d", h.Status, b.carbon.called("Ping"), b.kredete.called("Ping"))
	}
}

// watched is a bench in a bubble whose providers are measured by the bubble's clock. Carbon alone has no Pinger.
func watched(t *testing.T, change ...func(*service.Config)) *bench {
	t.Helper()
	measured := service.NewHealth(time.Now)
	b := running(t, append([]func(*service.Config){func(c *service.Config) {
		c.Health = measured
		for i, p := range c.Providers {
			if p.Name == lending.Carbon {
				p.Pinger = nil
			}
			c.Providers[i] = provider.Observe(p, provider.Limits{Read: time.Minute, Write: time.Minute}, measured)
		}
	}}, change...)...)
	b.health = measured
	return b
}

// ends lets calls of Carbon's end: kind "" is a success.
func (b *bench) ends(times int, kind lending.ErrorKind) {
	for range times {
		o := provider.Observation{Provider: lending.Carbon, Operation: "Apply", Class: provider.Write, Took: 100 * time.Millisecond}
		if kind != "" {
			o.Err = &lending.Error{Kind: kind, Provider: lending.Carbon}
		}
		b.health.Observe(o)
	}
	time.Sleep(1100 * time.Millisecond) // of the bubble: a round
	synctest.Wait()
}

func TestEachChangeIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var changes []string
		var mu sync.Mutex
		b := watched(t, func(c *service.Config) {
			c.HealthChanged = func(name lending.Provider, from, to service.HealthStatus) {
				mu.Lock()
				defer mu.Unlock()
				changes = append(changes, fmt.Sprint(name, " ", from, " ", to))
			}
		})
		synctest.Wait()
		b.ends(1, "")
		for range 3 {
			b.ends(3, lending.KindTimeout)
		}
		b.ends(1, "")
		time.Sleep(time.Minute) // of the bubble
		b.ends(1, "")
		b.ends(1, lending.KindBalanceExhausted)
		b.ends(1, lending.KindBalanceExhausted)
		time.Sleep(time.Minute)
		b.ends(1, "")
		time.Sleep(6 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		want := []string{
			"CARBON UNKNOWN UP", "CARBON UP DOWN", "CARBON DOWN DEGRADED", "CARBON DEGRADED UP", "CARBON UP DEGRADED", "CARBON DEGRADED UP", "CARBON UP UNKNOWN",
		}
		if diff := cmp.Diff(want, changes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for text, times := range map[string]int{
			`msg="a provider is down" provider=CARBON kind=TIMEOUT`: 1, `msg="a provider is degraded" provider=CARBON`: 2, `msg="a provider is up again" provider=CARBON`: 2,
			`msg="a provider refuses its service until somebody acts" provider=CARBON kind=PROVIDER_BALANCE_EXHAUSTED`: 1,
			`msg="a provider does its service again" provider=CARBON kind=PROVIDER_BALANCE_EXHAUSTED`:                  1,
		} {
			if n := strings.Count(b.log.String(), text); n != times {
				t.Errorf("%s: %d times, want %d", text, n, times)
			}
		}
	})
}

func TestOneThatWasDownAndForgottenIsUpAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := watched(t)
		b.ends(3, lending.KindTimeout)
		time.Sleep(6 * time.Minute) // of the bubble: nobody knows any more
		b.ends(1, "")
		if log := b.log.String(); strings.Count(log, "a provider is up again") != 1 {
			t.Errorf("the log tells:\n%s", log)
		}
	})
}

func TestAReplicaTellsTheOthersUntilItStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &board{}
		b := watched(t, func(c *service.Config) { c.Board = shared; c.Circuits = circuits{lending.Carbon: provider.CircuitOpen} })
		b.ends(2, "")
		asked, told, withdrawn := shared.counts()
		if told < 2 || asked != 0 || withdrawn != 0 {
			t.Fatalf("told %d times, asked %d times, withdrawn %d times", told, asked, withdrawn)
		}
		if last := shared.told[told-1]; last[lending.Carbon].Writes.Calls != 2 || last[lending.Carbon].Circuit != provider.CircuitOpen || last[lending.OnePipe] == nil {
			t.Errorf("told %+v", last[lending.Carbon])
		}
		b.must(b.service.Stop(b.ctx))
		if _, _, withdrawn := shared.counts(); withdrawn != 1 {
			t.Errorf("withdrawn %d times", withdrawn)
		}
	})
}

// follower counts how often it is notified.
type follower struct {
	*service.FollowedHealth
	notified atomic.Int64
	leave    func()
}

func (b *bench) follows(names ...lending.Provider) *follower {
	f := &follower{FollowedHealth: b.service.FollowHealth(names)}
	f.leave = f.Join(func() { f.notified.Add(1) })
	synctest.Wait()
	return f
}

// of is a provider as the follower sees it.
func (f *follower) of(t *testing.T, name lending.Provider) service.ProviderHealth {
	t.Helper()
	all := f.Now(t.Context())
	i := slices.IndexFunc(all, func(h service.ProviderHealth) bool { return h.Provider == name })
	if i < 0 {
		t.Fatalf("%s is not among %d", name, len(all))
	}
	return all[i]
}

func TestAFollowerIsToldHowItIsAndWhenItChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := watched(t)
		b.kredete.ping = func(ctx context.Context) error {
			time.Sleep(time.Second) // of the bubble
			return nil
		}
		everything := b.follows()
		defer everything.leave()
		carbon, onepipe := b.follows(lending.Carbon), b.follows(lending.OnePipe)
		defer carbon.leave()
		defer onepipe.leave()
		// At once, though a probe is under way.
		if v := everything.Version(); v == 0 || everything.notified.Load() == 0 || len(everything.Now(t.Context())) != 5 || len(carbon.Now(t.Context())) != 1 {
			t.Fatalf("version %d, notified %d times", v, everything.notified.Load())
		}
		time.Sleep(10 * time.Second) // of the bubble: all probes are answered
		synctest.Wait()
		if h := everything.of(t, lending.Kredete); h.Status != service.HealthUp {
			t.Errorf("it is %s", h.Status)
		}
		before, other, notified := carbon.Version(), onepipe.Version(), carbon.notified.Load()
		b.ends(3, lending.KindTimeout)
		if h := carbon.of(t, lending.Carbon); h.Status != service.HealthDown || carbon.Version() <= before || carbon.notified.Load() == notified {
			t.Errorf("it is %s, version %d after %d", h.Status, carbon.Version(), before)
		}
		if onepipe.Version() != other || everything.Version() != carbon.Version() {
			t.Errorf("versions %d, %d, %d", onepipe.Version(), everything.Version(), carbon.Version())
		}
		before = carbon.Version()
		b.ends(1, lending.KindBalanceExhausted)
		if h := carbon.of(t, lending.Carbon); h.Problem == nil || h.Status != service.HealthDegraded || carbon.Version() <= before {
			t.Errorf("it is %s with %+v", h.Status, h.Problem)
		}
		before = carbon.Version()
		b.ends(1, lending.KindProviderDisabled) // another problem, and otherwise no news
		if h := carbon.of(t, lending.Carbon); h.Problem.Kind != lending.KindProviderDisabled || carbon.Version() <= before {
			t.Errorf("it has %+v, and nobody is told", h.Problem)
		}
	})
}

func TestFiguresAloneAreToldEveryFewSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := watched(t)
		b.ends(1, "")
		f := b.follows(lending.Carbon)
		defer f.leave()
		versions := map[int64]bool{}
		for i := range 20 { // each call takes longer than the one before
			b.health.Observe(provider.Observation{Provider: lending.Carbon, Took: time.Second << (i / 2)})
			time.Sleep(time.Second) // of the bubble
			synctest.Wait()
			versions[f.Version()] = true
		}
		if n := len(versions); n < 3 || n > 5 {
			t.Errorf("told %d times in 20 s, want every five seconds", n)
		}
		time.Sleep(6 * time.Minute) // all of that is forgotten
		alike := func() {
			b.health.Observe(provider.Observation{Provider: lending.Carbon, Took: time.Second})
			time.Sleep(time.Second)
			synctest.Wait()
		}
		alike()
		still := f.Version()
		for range 20 {
			alike()
		}
		if f.Version() != still {
			t.Errorf("told %d times that nothing changed", f.Version()-still)
		}
	})
}

func TestNobodyWatchesForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &board{}
		b := watched(t, func(c *service.Config) { c.Board = shared })
		time.Sleep(time.Minute) // of the bubble
		if asked, _, _ := shared.counts(); asked != 0 || b.kredete.called("Ping") != 0 {
			t.Errorf("with no follower it asked %d times, and pinged %d times", asked, b.kredete.called("Ping"))
		}
		first, second := b.follows(), b.follows()
		time.Sleep(time.Minute)
		asked, _, _ := shared.counts()
		if asked < 50 || asked > 65 {
			t.Errorf("two followers had it ask %d times a minute, want each second", asked)
		}
		if n := b.kredete.called("Ping"); n < 3 || n > 5 {
			t.Errorf("pinged %d times a minute, want every 15 s", n)
		}
		first.leave()
		first.leave()
		time.Sleep(3 * time.Second)
		if now, _, _ := shared.counts(); now == asked {
			t.Error("the one who stays is left alone")
		}
		second.leave()
		synctest.Wait()
		asked, _, _ = shared.counts()
		if time.Sleep(time.Minute); second.Version() != 0 {
			t.Errorf("version %d", second.Version())
		}
		if now, _, _ := shared.counts(); now != asked {
			t.Errorf("after all have left it asked %d times", now-asked)
		}
		b.ends(3, lending.KindTimeout)
		third := b.follows(lending.Carbon) // is not told what the watch before saw
		defer third.leave()
		if h := third.of(t, lending.Carbon); h.Status != service.HealthDown || third.Version() == 0 {
			t.Errorf("it is %s", h.Status)
		}
	})
}

func TestAStoppedServiceWatchesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := watched(t, func(c *service.Config) { c.Logger = slog.New(slog.DiscardHandler) })
		f := b.follows()
		b.must(b.service.Stop(b.ctx))
		f.leave()
		late := b.follows()
		if late.leave(); late.Version() != 0 {
			t.Errorf("version %d", late.Version())
		}
	})
}

func TestARateLimitThatRunsLowIsToldAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limited{remaining: 60}
		b := watched(t, func(c *service.Config) {
			for _, p := range c.Providers {
				if p.Name == lending.OnePipe {
					l.Pinger, p.Pinger = p.Pinger, l
				}
			}
		})
		f := b.follows(lending.OnePipe)
		defer f.leave()
		time.Sleep(14 * time.Second) // of the bubble
		for _, step := range []struct {
			remaining int
			told      bool
		}{{59, false}, {31, false}, {30, true}, {29, false}, {13, false}, {12, true}, {4, false}, {3, true}, {1, false}, {0, true}, {60, true}} {
			before := f.Version()
			l.left(step.remaining)
			time.Sleep(time.Second)
			synctest.Wait()
			if told := f.Version() > before; told != step.told {
				t.Errorf("%d are left: told %t", step.remaining, told)
			}
		}
	})
}
