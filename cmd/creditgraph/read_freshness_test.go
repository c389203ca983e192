package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestFreshnessIsAskedForAndTold(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 1})
	id := p.person(t, 0)
	asked := map[lending.Provider]map[string]int{lending.Kredete: {profileRoute: 1}, lending.Kredmint: {creditLineRoute: 1}}
	for _, step := range []struct {
		name, maxAge string
		refuseStale  bool
		stopped      bool
		want         string // status of the parts that providers are asked for
		calls        map[lending.Provider]map[string]int
	}{
		{name: "at once", maxAge: "PT0S", want: "FRESH", calls: asked},
		{name: "some minutes old is good enough", maxAge: "PT5M", want: "CACHED"},
		{name: "at once again", maxAge: "PT0S", want: "FRESH", calls: asked},
		{name: "what the policy says", want: "CACHED"},
		{name: "nobody has to be reached for what is good enough", maxAge: "PT5M", refuseStale: true, stopped: true, want: "CACHED"},
		{name: "old beats none", maxAge: "PT0S", stopped: true, want: "STALE"},
		{name: "none beats old", maxAge: "PT0S", refuseStale: true, stopped: true, want: "UNAVAILABLE"},
	} {
		t.Run(step.name, func(t *testing.T) {
			freshness := map[string]any{"allowStale": !step.refuseStale}
			if step.maxAge != "" {
				freshness["maxAge"] = step.maxAge
			}
			vars := map[string]any{"id": id, "freshness": freshness}
			var a *answer
			if step.stopped {
				p.withoutAsked(t, func() { a = p.ask(t, "CustomerCreditSummary", vars) })
			} else {
				made := p.upstream(t, func() { a = p.mustAsk(t, "CustomerCreditSummary", vars) })
				want := step.calls
				if want == nil {
					want = map[lending.Provider]map[string]int{}
				}
				if diff := cmp.Diff(want, made); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			}
			for _, name := range []lending.Provider{lending.Kredete, lending.Kredmint} {
				if got := a.sources()[string(name)]; got != step.want {
					t.Errorf("%s is %s, want %s", name, got, step.want)
				}
			}
		})
	}
}

// withoutAsked does something while the providers that a summary asks are down.
func (p *program) withoutAsked(t *testing.T, do func()) {
	t.Helper()
	for _, name := range []lending.Provider{lending.Kredete, lending.Kredmint} {
		if err := p.sandbox.Server(name).Stop(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := p.sandbox.Server(name).Start(); err != nil {
				t.Error(err)
			}
		}()
	}
	do()
}

// TestWhatIsPastItsSoftAgeIsRenewedBehindTheAnswer lets the provider hang: who waits for it is seen.
func TestWhatIsPastItsSoftAgeIsRenewedBehindTheAnswer(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 1, adjust: func(c *config.Config) { c.ProfileSoftTTL, c.CreditLineSoftTTL = time.Millisecond, time.Millisecond }})
	vars := map[string]any{"id": p.person(t, 0)}
	p.mustAsk(t, "CustomerCreditSummary", vars)
	p.fault(t, lending.Kredete, map[string]any{"kind": "delay", "delay": "1s", "match": map[string]any{"path": "/v2/customers/"}})
	before := p.calls(t, lending.Kredete)
	eventually(t, "the profile is asked for behind an answer that does not wait", func() bool {
		a := p.mustAsk(t, "CustomerCreditSummary", vars)
		return a.took < time.Second && a.sources()["KREDETE"] == "CACHED" && p.callsSince(t, lending.Kredete, before)[profileRoute] > 0
	})
}

// TestAWebhookEndsWhatTheCacheHolds changes something at the provider, which tells of it.
func TestAWebhookEndsWhatTheCacheHolds(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 6})
	vars := map[string]any{"id": p.person(t, 5)}
	p.mustAsk(t, "CustomerCreditSummary", vars).want(t, "customer.kycStatus", "NOT_STARTED")
	p.verifyKYC(t, 5)
	a := p.mustAsk(t, "CustomerCreditSummary", vars)
	a.want(t, "customer.kycStatus", "VERIFIED")
	if got := a.sources()["KREDETE"]; got != "FRESH" {
		t.Errorf("Kredete's part is %s, want FRESH", got)
	}
}

// verifyKYC lets Kredete verify a person's identity, and waits until its webhook is applied.
func (p *program) verifyKYC(t *testing.T, i int) {
	t.Helper()
	path := "customers/" + p.sandbox.World.Person(i).KredeteID + "/verify-kyc"
	if err := p.admin(t.Context(), lending.Kredete, http.MethodPost, path, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
}
