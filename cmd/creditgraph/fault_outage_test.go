package main

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/quota"
)

const (
	outageSpan = time.Minute
	// outageEvery is the time between two reads, and fewWrites how many reads there are to a write.
	outageEvery = 50 * time.Millisecond
	fewWrites   = 10
	// recovery is how long calls may still fail after a provider is back.
	recovery = 10 * time.Second
)

// TestAnOutageOfAMinute has Kredete away for a minute, in three ways, under a clock of the test. What goes out is a
// tenth more than what was asked for until the circuits open, and after that what it takes to see whether it is back.
func TestAnOutageOfAMinute(t *testing.T) {
	t.Parallel()
	for _, mishap := range []string{"refused", "503", "hang"} {
		t.Run(mishap, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { outageOfAMinute(t, mishap) })
		})
	}
}

func outageOfAMinute(t *testing.T, mishap string) {
	b := newFaultBench(t, "", func(*config.Config) {})
	o := &outageLog{}
	call := func() {
		o.offer()
		o.note(b.read())
		if o.isForWrites() {
			o.offer()
			o.note(b.write())
		}
	}
	load(10*time.Second, outageEvery, call)
	if o.failures != 0 {
		t.Fatalf("%d calls failed before the outage", o.failures)
	}
	callsBefore, _ := b.wire.count()
	offeredBefore := o.offered
	var callsOpen, offeredOpen int
	b.heard.opened = func() { callsOpen, _ = b.wire.count(); offeredOpen = o.count() }
	b.wire.set(mishap)
	load(outageSpan, outageEvery, call)
	if callsOpen == 0 {
		t.Fatal("no circuit opened")
	}
	callsAfter, _ := b.wire.count()
	until, asked := callsOpen-callsBefore, offeredOpen-offeredBefore
	if until > asked+asked/10+1 { // one retry was saved up
		t.Errorf("%d calls went out for %d until the circuit opened", until, asked)
	}
	// What was under way when reads stopped, writes that had their own circuit to open, and then one try a delay
	// and class: a delay is 5 s, more or less a tenth.
	tries := 2 * (int(outageSpan/(4500*time.Millisecond)) + 1)
	underWay := 2 * int(2*time.Second/outageEvery)
	if mishap != "hang" {
		underWay = 25
	}
	if behind := callsAfter - callsOpen; behind > tries+underWay {
		t.Errorf("%d calls went out after the circuit opened, want %d tries and %d under way at most", behind, tries, underWay)
	}
	t.Logf("%s: %d calls for %d until the circuit opened, %d in the rest of the minute for %d", mishap, until, asked, callsAfter-callsOpen, o.offered-offeredOpen)
	b.wire.set("")
	back := time.Now()
	load(30*time.Second, outageEvery, call)
	if last := o.lastFailure.Sub(back); last > recovery {
		t.Errorf("calls failed until %s after the provider was back", last)
	}
	t.Logf("%s: the last failure was %s after the provider was back", mishap, o.lastFailure.Sub(back))
}

// outageLog counts calls as their callers see them.
type outageLog struct {
	mu          sync.Mutex
	offered     int
	reads       int
	failures    int
	lastFailure time.Time
}

func (o *outageLog) offer() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.offered++
}

func (o *outageLog) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.offered
}

func (o *outageLog) isForWrites() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
	return o.reads%fewWrites == 0
}

func (o *outageLog) note(err error) {
	if err == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures++
	o.lastFailure = time.Now()
}

// TestFiveTimesThePlan asks Kredete for five times what a plan allows, for five minutes of a clock of the test. The
// twin holds to the plan as Kredete's page says.
func TestFiveTimesThePlan(t *testing.T) {
	t.Parallel()
	for _, plan := range []struct {
		name, twin string
		perMinute  int
	}{{"sandbox", "Sandbox", 60}, {"starter", "Starter", 300}, {"professional", "Professional", 1000}} {
		for name, set := range map[string]string{plan.name: plan.name, plan.name + " as Kredete tells it": "told"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { fiveTimes(t, set, plan.twin, plan.perMinute) })
			})
		}
	}
}

func fiveTimes(t *testing.T, plan, twin string, perMinute int) {
	b := newFaultBench(t, twin, func(c *config.Config) { c.Kredete.Plan = plan })
	every := time.Minute / time.Duration(5*perMinute)
	writes := &outageLog{}
	overload := func(span time.Duration) int {
		return load(span, every, func() {
			if writes.isForWrites() { // one in ten: half of what the plan allows
				writes.offer()
				writes.note(b.write())
				return
			}
			_ = b.read() // most are refused, and that is as it should be
		})
	}
	overload(time.Minute)
	callsFirst, slowedFirst := b.wire.count()
	if writes.failures > 0 && plan != "told" { // which is learned in that minute, from a refusal
		t.Errorf("%d of %d writes failed in the first minute", writes.failures, writes.offered)
	}
	*writes = outageLog{}
	offered := overload(4 * time.Minute)
	calls, slowed := b.wire.count()
	calls, slowed = calls-callsFirst, slowed-slowedFirst
	t.Logf("%s: %d calls offered, %d made, %d answered with 429 (in the first minute %d of %d); %d of %d writes failed",
		plan, offered, calls, slowed, slowedFirst, callsFirst, writes.failures, writes.offered)
	if slowed*100 > calls {
		t.Errorf("%d of %d calls were answered with 429", slowed, calls)
	}
	if calls < 4*perMinute*8/10 {
		t.Errorf("%d calls in four minutes: the plan allows %d", calls, 4*perMinute)
	}
	if writes.failures*100 > writes.offered {
		t.Errorf("%d of %d writes failed: reads left them too little", writes.failures, writes.offered)
	}
}

// TestOurPlans reads what we may ask of providers from the settings.
func TestOurPlans(t *testing.T) {
	t.Parallel()
	c := config.Config{Kredete: config.Kredete{Plan: "starter"}, Carbon: config.Carbon{RatePerMinute: 61}, OnePipe: config.OnePipe{RatePerMinute: 1}}
	got := plans(&c)
	for name, want := range map[lending.Provider]quota.Plan{
		lending.Kredete:       {Name: "starter", Minute: 300, Day: 100_000, Burst: 50, Refill: 250},
		lending.Carbon:        {Name: "rate", Minute: 61, Burst: 11, Refill: 50},
		lending.OnePipe:       {Name: "rate", Minute: 1, Burst: 1, Refill: 1},
		lending.Kredmint:      {Name: "rate", Refill: 1}, // a plan of no minute limits nothing
		lending.TrustDecision: {Name: "rate", Refill: 1},
	} {
		if got[name] != want {
			t.Errorf("%s: %+v, want %+v", name, got[name], want)
		}
	}
}

// TestAnOutageOfTheTwin is an outage over real connections, with a shorter delay.
func TestAnOutageOfTheTwin(t *testing.T) {
	p := boot(t, setup{customers: 1, adjust: func(c *config.Config) {
		c.Calls.CircuitDelay, c.Calls.CircuitWindow = 200*time.Millisecond, patience // on however slow a machine
	}})
	before := takeFootprint(t)
	ask := func() map[string]string {
		return p.ask(t, "CustomerCreditSummary", map[string]any{"id": p.person(t, 0), "freshness": cold()}).sources()
	}
	ask()
	calls := p.calls(t, lending.Kredete)
	p.fault(t, lending.Kredete, map[string]any{"kind": "status", "status": 503})
	began, asked := time.Now(), 0
	for ; p.guards.Circuit(lending.Kredete) == provider.CircuitClosed; asked++ {
		ask()
	}
	made := p.callsSince(t, lending.Kredete, calls)[profileRoute]
	if made > asked+asked/10+1 {
		t.Errorf("%d calls went out for %d until the circuit opened", made, asked)
	}
	opened := time.Now()
	for range 200 {
		if got := ask()["KREDETE"]; got != "STALE" {
			t.Fatalf("during the outage Kredete's part is %s", got)
		}
	}
	span := time.Since(opened)
	tries := p.callsSince(t, lending.Kredete, calls)[profileRoute] - made
	if most := int(span/(180*time.Millisecond)) + 1; tries > most {
		t.Errorf("%d calls went out in %s of an open circuit, want %d at most", tries, span, most)
	}
	t.Logf("%d calls for %d until it opened, after %s; %d in the next %s, for 200", made, asked, opened.Sub(began), tries, span)
	p.heal(t, lending.Kredete)
	back := time.Now()
	eventually(t, "Kredete's part is fresh again", func() bool { return ask()["KREDETE"] == "FRESH" })
	t.Logf("fresh again after %s", time.Since(back))
	before.restored(t, 4)
}
