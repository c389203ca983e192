package service_test

import (
	"context"
	"errors"
	"slices"
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

func TestManyCallsAreKeptInBounds(t *testing.T) {
	t.Parallel()
	b := setup(t, unpinged)
	for range 5000 {
		b.health.Observe(provider.Observation{Provider: lending.Carbon, Operation: "Apply", Began: b.clock.Now()})
	}
	if h := b.healthOf(lending.Carbon); h.Calls < 100 || h.Calls > 1000 {
		t.Errorf("%d calls are kept", h.Calls)
	}
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
	b := setup(t)
	b.serve(observed(b), func(c *service.Config) { c.Clock = time.Now }) // Observe measures by the wall's clock
	for range 3 {
		b.service.ProviderHealth(b.ctx)
	}
	if n := b.kredete.called("Ping"); n != 1 {
		t.Errorf("pinged %d times", n)
	}
}

func TestAClientThatGoesAwayDoesNotBringProvidersDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.serve(observed(b))
	b.kredete.ping = func(ctx context.Context) error {
		return at(lending.Kredete, &lending.Error{Kind: lending.KindUpstreamUnavailable, Outcome: lending.NotExecuted, Err: ctx.Err()})
	}
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	b.service.ProviderHealth(ctx)
	if outage := b.health.Outage(lending.Kredete); outage != nil {
		t.Errorf("down: %v", outage)
	}
}
