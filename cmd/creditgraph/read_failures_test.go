package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// outage is a way for providers to fail, and what a summary says of it.
type outage struct {
	name       string
	fail, mend func(t *testing.T, p *program, name lending.Provider)
	// noticed says that a sign of life fails as well, so that what rests on records is STALE.
	noticed bool
	codes   []string // of errors[].extensions
}

func outages() []outage {
	misbehave := func(kind string) func(*testing.T, *program, lending.Provider) {
		return func(t *testing.T, p *program, name lending.Provider) {
			p.fault(t, name, map[string]any{"kind": kind})
		}
	}
	heal := func(t *testing.T, p *program, name lending.Provider) { p.heal(t, name) }
	return []outage{
		{
			name: "down", noticed: true, codes: []string{"UPSTREAM_UNAVAILABLE"},
			fail: func(t *testing.T, p *program, name lending.Provider) {
				if err := p.sandbox.Server(name).Stop(); err != nil {
					t.Fatal(err)
				}
			},
			mend: func(t *testing.T, p *program, name lending.Provider) {
				if err := p.sandbox.Server(name).Start(); err != nil {
					t.Fatal(err)
				}
			},
		},
		{name: "slow", noticed: true, codes: []string{"TIMEOUT"}, fail: misbehave("hang"), mend: heal},
		{name: "garbage", codes: []string{"UPSTREAM_PROTOCOL"}, fail: misbehave("garbage"), mend: heal},
	}
}

const (
	// shortDeadline is how long reads may take in these tests, and grace what an answer may take beyond it.
	shortDeadline = 300 * time.Millisecond
	grace         = 100 * time.Millisecond
	// measurements is how often a time is taken before it counts as too long: others use this machine.
	measurements = 3
)

// TestAProviderThatFailsCostsASection lets each subset of the providers fail in each way.
func TestAProviderThatFailsCostsASection(t *testing.T) {
	t.Parallel()
	for _, o := range outages() {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			p := boot(t, setup{customers: 1, deadline: shortDeadline})
			w := &failing{program: p, outage: o, id: p.person(t, 0)}
			w.healthy = w.recovered(t)
			for subset := range 1 << 5 {
				var failed []lending.Provider
				for i, name := range lending.Providers() {
					if subset>>i&1 == 1 {
						failed = append(failed, name)
					}
				}
				t.Run(fmt.Sprintf("%05b", subset), func(t *testing.T) { w.try(t, failed) })
			}
		})
	}
}

// failing is a program whose providers fail, and what it answers when they do not.
type failing struct {
	*program
	outage
	id      string
	healthy *answer
}

// try lets providers fail, asks, and lets them recover.
func (w *failing) try(t *testing.T, failed []lending.Provider) {
	for _, name := range failed {
		w.fail(t, w.program, name)
	}
	defer func() {
		for _, name := range failed {
			w.mend(t, w.program, name)
		}
		w.recovered(t)
	}()
	w.probe(t)
	for _, allowStale := range []bool{true, false} {
		w.check(t, w.timed(t, allowStale), failed, allowStale)
	}
}

// summary asks for a summary for which every provider that can be asked is asked.
func (w *failing) summary(t *testing.T, allowStale bool) *answer {
	t.Helper()
	return w.ask(t, "CustomerCreditSummary", map[string]any{
		"id": w.id, "freshness": map[string]any{"maxAge": "PT0S", "allowStale": allowStale},
	})
}

// timed asks until an answer comes in time, some times.
func (w *failing) timed(t *testing.T, allowStale bool) *answer {
	t.Helper()
	var took []time.Duration
	for range measurements {
		a := w.summary(t, allowStale)
		if a.took <= shortDeadline+grace {
			return a
		}
		took = append(took, a.took)
	}
	t.Fatalf("the summary took %v; it has %v and %v more", took, shortDeadline, grace)
	return nil
}

// probe lets health know how the providers do that a summary does not ask.
func (w *failing) probe(t *testing.T) {
	t.Helper()
	var probes sync.WaitGroup
	for _, name := range lending.Providers() {
		if isAsked(name) {
			continue
		}
		p, err := w.service.Provider(name)
		if err != nil {
			t.Fatal(err)
		}
		probes.Go(func() { _ = p.Pinger.Ping(t.Context()) }) // health keeps what came of it
	}
	probes.Wait()
}

// isAsked reports whether a summary asks the provider. The parts of the others rest on records.
func isAsked(name lending.Provider) bool { return name == lending.Kredete || name == lending.Kredmint }

// recovered waits until all providers answer again, and gives the summary then.
func (w *failing) recovered(t *testing.T) *answer {
	t.Helper()
	var a *answer
	eventually(t, "all providers answer again", func() bool {
		w.probe(t)
		a = w.summary(t, false)
		return cmp.Equal(a.sources(), healthySources())
	})
	return a
}

func healthySources() map[string]string {
	sources := map[string]string{}
	for _, name := range lending.Providers() {
		sources[string(name)] = "CACHED"
		if isAsked(name) {
			sources[string(name)] = "FRESH"
		}
	}
	return sources
}

// check holds an answer to what it has to be when some providers fail.
func (w *failing) check(t *testing.T, a *answer, failed []lending.Provider, allowStale bool) {
	t.Helper()
	want := healthySources()
	var told []string
	for _, name := range failed {
		switch {
		case isAsked(name) && !allowStale:
			want[string(name)] = "UNAVAILABLE"
		case isAsked(name), w.noticed:
			want[string(name)] = "STALE"
		default:
			continue
		}
		told = append(told, string(name))
	}
	if diff := cmp.Diff(want, a.sources()); diff != "" {
		t.Errorf("sources, allowStale %t (-want +got):\n%s", allowStale, diff)
	}
	w.checkErrors(t, a, told)
	sections := w.healthy.sections()
	if !allowStale && slices.Contains(failed, lending.Kredmint) {
		sections["creditLines"] = nil // nobody can tell
	}
	if diff := cmp.Diff(sections, a.sections()); diff != "" {
		t.Errorf("sections, allowStale %t (-healthy +got):\n%s", allowStale, diff)
	}
}

// checkErrors wants one error for each provider, in errors and in sources, for a program and for people.
func (w *failing) checkErrors(t *testing.T, a *answer, failed []string) {
	t.Helper()
	var told []string
	for _, e := range a.Errors {
		told = append(told, e.Extensions.Provider)
		if !slices.Contains(w.codes, e.Extensions.Code) || e.Message == "" || e.Extensions.RequestID == "" {
			t.Errorf("error %+v, want one of %v", e, w.codes)
		}
		if e.Extensions.Retryable != (e.Extensions.Code != "UPSTREAM_PROTOCOL") {
			t.Errorf("%s is retryable: %t", e.Extensions.Code, e.Extensions.Retryable)
		}
	}
	slices.Sort(told)
	slices.Sort(failed)
	if diff := cmp.Diff(failed, told); diff != "" {
		t.Errorf("providers among the errors (-want +got):\n%s", diff)
	}
	for _, source := range a.list("customer.creditSummary.sources") {
		name, _ := at(source, "provider").(string)
		code, _ := at(source, "error.code").(string)
		if slices.Contains(failed, name) != (code != "") || code != "" && !slices.Contains(w.codes, code) {
			t.Errorf("the source %s has the error %q", name, code)
		}
	}
}

// sections are the parts of a summary that hold for some time: all but sources and asOf.
func (a *answer) sections() map[string]any {
	sections := map[string]any{"fullName": a.at("customer.fullName"), "kycStatus": a.at("customer.kycStatus")}
	summary, _ := a.at("customer.creditSummary").(map[string]any)
	for name, section := range summary {
		if name != "sources" && name != "asOf" {
			sections[name] = section
		}
	}
	return sections
}

// TestNothingIsMadeUpForAProviderThatWasNeverReached asks for a customer whom nobody asked for before.
func TestNothingIsMadeUpForAProviderThatWasNeverReached(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 14, deadline: shortDeadline})
	for _, name := range []lending.Provider{lending.Kredete, lending.Kredmint} {
		if err := p.sandbox.Server(name).Stop(); err != nil {
			t.Fatal(err)
		}
	}
	a := p.ask(t, "CustomerCreditSummary", map[string]any{"id": p.person(t, 12)})
	sources := a.sources()
	if sources["KREDETE"] != "UNAVAILABLE" || sources["KREDMINT"] != "UNAVAILABLE" || a.at("customer.creditSummary.creditLines") != nil {
		t.Errorf("sources are %v, credit lines %v", sources, a.at("customer.creditSummary.creditLines"))
	}
	person := p.sandbox.World.Person(12)
	a.want(t, "customer.fullName", person.FullName()) // from our own records
	if len(a.list("customer.creditSummary.scores")) == 0 {
		t.Error("the scores that are kept are gone with Kredete")
	}
	if strings.Contains(a.text, "127.0.0.1") {
		t.Errorf("the answer tells a provider's address: %s", a.text)
	}
}

// TestTheProvidersPageNoticesAnOutage asks, as analysts do, until the page has looked for itself: providers
// that were called lately are not asked again.
func TestTheProvidersPageNoticesAnOutage(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 1, deadline: shortDeadline})
	if err := p.sandbox.Server(lending.Carbon).Stop(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := until(ctx, "Carbon is DOWN", func() (bool, error) {
		return p.mustAsk(t, "ProviderHealth", nil).at("providers.3.status") == "DOWN", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a := p.ask(t, "CustomerCreditSummary", map[string]any{"id": p.person(t, 0)})
	if got := a.sources()["CARBON"]; got != "STALE" {
		t.Errorf("Carbon's part is %s, want STALE", got)
	}
	if err := p.sandbox.Server(lending.Carbon).Start(); err != nil {
		t.Fatal(err)
	}
	err = until(ctx, "Carbon is UP again", func() (bool, error) {
		return p.mustAsk(t, "ProviderHealth", nil).at("providers.3.status") != "DOWN", nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
