package service_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// healthOf is a provider's health; it is asked for through all.
func (b *bench) healthOf(name lending.Provider) service.ProviderHealth {
	b.Helper()
	all := b.service.ProviderHealth(b.ctx)
	i := slices.IndexFunc(all, func(h service.ProviderHealth) bool { return h.Provider == name })
	if len(all) != len(lending.Providers()) || i < 0 {
		b.Fatalf("%d providers", len(all))
	}
	return all[i]
}

// unpinged takes the probes away, so that the calls alone count.
func unpinged(c *service.Config) {
	for i, p := range c.Providers {
		plain := *p
		plain.Pinger = nil
		c.Providers[i] = &plain
	}
}

// calls are calls of Carbon's, one a second: "." succeeded, "x" is a fault, "r" a refusal.
func (b *bench) calls(text string) {
	for _, c := range text {
		o := provider.Observation{Provider: lending.Carbon, Operation: "Apply", Began: b.clock.Now(), Took: 100 * time.Millisecond}
		switch c {
		case 'x':
			o.Err = lending.AsError(at(lending.Carbon, errRefused))
		case 'r':
			o.Err = lending.AsError(at(lending.Carbon, errRejected))
		}
		b.health.Observe(o)
		b.clock.pass(time.Second)
	}
}

func TestHealthFollowsFromTheCalls(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		calls string
		want  service.HealthStatus
		rate  string
	}{
		"nothing was called":               {"", service.HealthUnknown, ""},
		"all went well":                    {"....", service.HealthUp, "0.0000"},
		"refusals are answers":             {".rrr", service.HealthUp, "0.0000"},
		"one in ten failed":                {"x.........", service.HealthUp, "0.1000"},
		"more than one in ten":             {"x........", service.HealthDegraded, "0.1111"},
		"the last two failed":              {"..xx", service.HealthDegraded, "0.5000"},
		"the last three failed":            {"............................xxx", service.HealthDown, "0.0967"},
		"it came back":                     {"xxxxx.", service.HealthDegraded, "0.8333"},
		"a refusal after faults is a sign": {"xxxr", service.HealthDegraded, "0.7500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, unpinged)
			b.calls(test.calls)
			h := b.healthOf(lending.Carbon)
			if h.Status != test.want || h.Calls != len(test.calls) {
				t.Errorf("it is %s after %d calls, want %s", h.Status, h.Calls, test.want)
			}
			if rate := h.ErrorRate; (rate == nil) != (test.rate == "") || rate != nil && rate.String() != test.rate {
				t.Errorf("the error rate is %v", rate)
			}
			if outage := b.health.Outage(lending.Carbon); (outage != nil) != (test.want == service.HealthDown) {
				t.Errorf("the outage is %v", outage)
			}
			if h.Calls > 0 && (h.P50 != 100*time.Millisecond || h.P99 != 100*time.Millisecond) {
				t.Errorf("it takes %s, %s", h.P50, h.P99)
			}
		})
	}
}

func TestHealthIsOfTheLastFiveMinutes(t *testing.T) {
	t.Parallel()
	b := setup(t, unpinged)
	b.calls("xx")
	b.clock.pass(4 * time.Minute)
	b.calls("..")
	b.clock.pass(time.Minute)
	if h := b.healthOf(lending.Carbon); h.Status != service.HealthUp || h.Calls != 2 || h.ErrorRate.String() != "0.0000" {
		t.Errorf("it is %s after %d calls with %s", h.Status, h.Calls, h.ErrorRate)
	}
	b.calls("xxx")
	if b.health.Outage(lending.Carbon) == nil {
		t.Error("it is not down")
	}
	b.clock.pass(6 * time.Minute)
	if h := b.healthOf(lending.Carbon); h.Status != service.HealthUnknown || h.Calls != 0 || h.P50 != 0 || h.LastFailure == nil || h.LastCallAt.IsZero() {
		t.Errorf("long after, it is %+v", h)
	}
	if outage := b.health.Outage(lending.Carbon); outage != nil {
		t.Errorf("what failed long ago counts as down for ever: %v", outage)
	}
}

func TestAProviderIsWellAgainAMinuteAfter(t *testing.T) {
	t.Parallel()
	b := setup(t, unpinged)
	b.calls("xxx.....")
	if h := b.healthOf(lending.Carbon); h.Status != service.HealthDegraded {
		t.Errorf("it is %s", h.Status)
	}
	b.clock.pass(time.Minute)
	b.calls(".")
	if h := b.healthOf(lending.Carbon); h.Status != service.HealthUp || h.ErrorRate.String() != "0.3333" {
		t.Errorf("it is %s with %s", h.Status, h.ErrorRate)
	}
	b.clock.pass(2 * time.Minute)
	if h := b.healthOf(lending.Carbon); h.Status != service.HealthUp {
		t.Errorf("after silence it is %s", h.Status)
	}
}

// circuits are those of providers.
type circuits map[lending.Provider]provider.CircuitState

func (c circuits) Circuit(name lending.Provider) provider.CircuitState { return c[name] }

func TestACircuitThatIsOpenHinders(t *testing.T) {
	t.Parallel()
	for circuit, want := range map[provider.CircuitState]service.HealthStatus{
		provider.CircuitOpen: service.HealthDegraded, provider.CircuitHalfOpen: service.HealthDegraded,
		provider.CircuitClosed: service.HealthUp, "": service.HealthUp,
	} {
		b := setup(t, unpinged, func(c *service.Config) { c.Circuits = circuits{lending.Carbon: circuit} })
		b.calls("..")
		if h := b.healthOf(lending.Carbon); h.Status != want || h.Circuit != circuit {
			t.Errorf("with a circuit %s it is %s, %s", circuit, h.Status, h.Circuit)
		}
	}
}

// limited is a Pinger that knows its rate limit.
type limited struct {
	provider.Pinger
	mu        sync.Mutex
	remaining int
	resetsAt  time.Time
}

func (l *limited) left(remaining int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remaining = remaining
}

func (l *limited) RateLimit() (limit, remaining int, resetsAt time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return 60, l.remaining, l.resetsAt, true
}

func TestARateLimitIsToldAsLongAsItHolds(t *testing.T) {
	t.Parallel()
	l := &limited{remaining: 7, resetsAt: today().Add(time.Minute)}
	b := setup(t)
	b.serve(func(c *service.Config) {
		for _, p := range c.Providers {
			if p.Name == lending.Kredete {
				l.Pinger, p.Pinger = p.Pinger, l
			}
		}
	})
	if got := b.healthOf(lending.Kredete).RateLimit; got == nil || *got != (service.RateLimit{Limit: 60, Remaining: 7, ResetsAt: l.resetsAt}) {
		t.Errorf("the limit is %+v", got)
	}
	b.clock.pass(time.Minute + time.Second)
	if got := b.healthOf(lending.Kredete).RateLimit; got != nil {
		t.Errorf("of a time that is over: %+v", got)
	}
}

// orders lets an order of TrustDecision's end.
func (b *bench) orders(kind lending.ErrorKind) {
	o := provider.Observation{Provider: lending.TrustDecision, Operation: "OrderReport", Class: provider.Write}
	if kind != "" {
		o.Err = &lending.Error{Kind: kind, Provider: lending.TrustDecision}
	}
	b.health.Observe(o)
}

func TestAProblemIsNotHiddenByASignOfLife(t *testing.T) {
	t.Parallel()
	b := setup(t, unpinged)
	b.orders(lending.KindBalanceExhausted)
	b.clock.pass(10 * time.Minute) // the rates say nothing any more
	b.health.Observe(provider.Observation{Provider: lending.TrustDecision, Operation: "Ping"})
	h := b.healthOf(lending.TrustDecision)
	want := service.ProviderProblem{Kind: lending.KindBalanceExhausted, Message: "The prepaid balance at TrustDecision is used up.", Since: today()}
	if h.Status != service.HealthDegraded || h.Problem == nil || *h.Problem != want {
		t.Errorf("it is %s with %+v", h.Status, h.Problem)
	}
	if outage := b.health.Outage(lending.TrustDecision); outage == nil || outage.Kind != lending.KindBalanceExhausted {
		t.Errorf("what there is cannot be renewed, and the outage is %v", outage)
	}
	b.orders("")
	if h := b.healthOf(lending.TrustDecision); h.Status != service.HealthUp || h.Problem != nil || b.health.Outage(lending.TrustDecision) != nil {
		t.Errorf("after an order it is %s with %+v", h.Status, h.Problem)
	}
}

func TestTheNewestWebhookIsTold(t *testing.T) {
	t.Parallel()
	away := &awayDeliveries{}
	b := setup(t, unpinged, func(c *service.Config) { away.Store, c.Store = c.Store, away })
	if at := b.healthOf(lending.Kredete).LastWebhookAt; !at.IsZero() {
		t.Errorf("before any: %s", at)
	}
	b.clock.pass(time.Hour)
	b.kredete.tell("created", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Principal: naira("5")}))
	b.receive(b.kredete, "created")
	came := b.clock.Now()
	for range 2 {
		if at := b.healthOf(lending.Kredete).LastWebhookAt; !at.Equal(came) {
			t.Errorf("it came at %s, want %s", at, came)
		}
		if at := b.healthOf(lending.Kredmint).LastWebhookAt; !at.IsZero() {
			t.Errorf("Kredmint's came at %s", at)
		}
	}
	if away.asked != 2 {
		t.Errorf("the records were asked %d times, want once for each time that something can have changed", away.asked)
	}
	away.err = &lending.Error{Kind: lending.KindUnavailable}
	b.clock.pass(time.Hour)
	for range 3 {
		if at := b.healthOf(lending.Kredete).LastWebhookAt; !at.Equal(came) {
			t.Errorf("with the records away it came at %s", at)
		}
		b.clock.pass(time.Minute)
	}
	if n := strings.Count(b.log.String(), "it is not known when webhooks came last"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
}

// awayDeliveries is a store whose deliveries may be out of reach.
type awayDeliveries struct {
	service.Store
	asked int
	err   error
}

func (a *awayDeliveries) NewestDeliveries(ctx context.Context) (map[lending.Provider]time.Time, error) {
	a.asked++
	if a.err != nil {
		return nil, a.err
	}
	return a.Store.NewestDeliveries(ctx)
}

func TestACallThatItsCallerGaveUpSaysNothingOfTheProvider(t *testing.T) {
	t.Parallel()
	b := setup(t, unpinged)
	for range 5 {
		b.health.Observe(provider.Observation{Provider: lending.Carbon, Operation: "Apply", Began: b.clock.Now(), Err: &lending.Error{
			Kind: lending.KindUpstreamUnavailable, Provider: lending.Carbon, Err: errors.Join(errors.New("cut"), context.Canceled),
		}})
	}
	if h := b.healthOf(lending.Carbon); h.Status != service.HealthUnknown {
		t.Errorf("it is %s", h.Status)
	}
}

// observed puts the port's own wrapper around all providers, so that probes are counted as calls.
func observed(b *bench) func(*service.Config) {
	return func(c *service.Config) {
		for i, p := range c.Providers {
			c.Providers[i] = provider.Observe(p, provider.Limits{Read: time.Minute, Write: time.Minute}, b.health)
		}
	}
}

func TestAProviderThatWasNotCalledIsProbed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.serve(observed(b), without(lending.OnePipe))
	b.kredmint.ping = func(ctx context.Context) error {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the probe has no deadline")
		}
		return at(lending.Kredmint, errRefused)
	}
	for name, want := range map[lending.Provider]service.HealthStatus{
		lending.Kredete: service.HealthUp, lending.Kredmint: service.HealthDown, lending.OnePipe: service.HealthNotConfigured,
	} {
		h := b.healthOf(name)
		if h.Status != want || (len(h.Capabilities) == 0) != (want == service.HealthNotConfigured) {
			t.Errorf("%s is %s with %v", name, h.Status, h.Capabilities)
		}
	}
	if h := b.healthOf(lending.Kredmint); h.LastFailure == nil || h.LastFailure.Kind != lending.KindUpstreamUnavailable {
		t.Errorf("its failure is %+v", h.LastFailure)
	}
}

func TestAProbeIsNotRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t) // nobody observes: as where the probe is refused before it is a call
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {time.Second, 1}, {3 * time.Second, 1}, {time.Second, 2}, {time.Hour, 3}} {
		b.clock.pass(step.pass)
		b.service.ProviderHealth(b.ctx)
		if n := b.kredete.called("Ping"); n != step.want {
			t.Errorf("after %s: pinged %d times, want %d", step.pass, n, step.want)
		}
	}
}

func TestManyWhoAskShareAProbe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.serve(observed(b))
	started, gate := make(chan struct{}, 1), make(chan struct{})
	b.kredete.ping = func(context.Context) error {
		started <- struct{}{}
		<-gate
		return nil
	}
	var group sync.WaitGroup
	ask := func() {
		if h := b.healthOf(lending.Kredete); h.Status != service.HealthUp {
			b.Errorf("it is %s: the probe was not waited for", h.Status)
		}
	}
	group.Go(ask)
	<-started
	gone, leave := context.WithCancel(b.ctx)
	leave()
	b.service.ProviderHealth(gone) // who has left does not wait, and takes the probe from nobody
	for range 20 {
		group.Go(ask)
	}
	close(gate)
	group.Wait()
	if n := b.kredete.called("Ping"); n != 1 {
		t.Errorf("pinged %d times", n)
	}
}

func TestAClientThatGoesAwayDoesNotBringProvidersDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.serve(observed(b))
	done := make(chan struct{})
	b.kredete.ping = func(ctx context.Context) error {
		defer close(done)
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	b.service.ProviderHealth(ctx)
	<-done
	if h := b.healthOf(lending.Kredete); h.Status != service.HealthUp {
		t.Errorf("it is %s", h.Status)
	}
}

func TestAServiceThatStopsBeginsNoProbe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(b.service.Stop(b.ctx))
	if h := b.healthOf(lending.Kredete); h.Status != service.HealthUnknown || b.kredete.called("Ping") != 0 {
		t.Errorf("it is %s after %d probes", h.Status, b.kredete.called("Ping"))
	}
}
