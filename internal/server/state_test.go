package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/server"
)

const followHealth = `subscription($names: [CreditProvider!]) { providerHealth(providers: $names) { provider status circuit problem { code } } }`

// fails lets calls of Kredete fail.
func (b *bench) fails() {
	for range 3 {
		b.health.Observe(provider.Observation{Provider: lending.Kredete, Operation: "Approve", Class: provider.Write, Err: &lending.Error{Kind: lending.KindTimeout}})
	}
}

// hearUntil hears on until a text is told. A look at the providers may fall between two calls, so that there is one more.
func hearUntil(t *testing.T, heard func() string, text string) {
	t.Helper()
	for range 5 {
		if strings.Contains(heard(), text) {
			return
		}
	}
	t.Fatalf("never heard: %s", text)
}

func TestTheProvidersHealthIsToldAtOnceAndWhenItChanges(t *testing.T) {
	t.Parallel()
	for name, follow := range map[string]func(b *bench) (heard func() string){
		"over a websocket": func(b *bench) func() string {
			p := b.connect()
			p.ask("1", followHealth, nil)
			return func() string { return string(p.hear().Payload) }
		},
		"in a stream": func(b *bench) func() string {
			r := b.request(followHealth, nil)
			r.Header.Set("Last-Event-ID", "of another stream") // browsers send it; here is nothing to go on from
			s := b.follow(r)
			return func() string {
				e := s.hear()
				if e.id != "" || s.place != "" {
					t.Errorf("a cursor is told: %q", e.id)
				}
				return e.data
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Nothing but the news itself has it look.
			b := setupWithin(t, server.SocketLimits{Ping: time.Hour, Silent: time.Hour})
			heard := follow(b)
			first := heard()
			if strings.Count(first, `"provider":`) != 5 || !strings.Contains(first, `{"provider":"KREDETE","status":"UNKNOWN","circuit":"UNKNOWN","problem":null}`) ||
				!strings.Contains(first, `{"provider":"CARBON","status":"NOT_CONFIGURED"`) {
				t.Errorf("at first: %s", first)
			}
			b.fails()
			hearUntil(t, heard, `{"provider":"KREDETE","status":"DOWN"`)
			b.health.Observe(provider.Observation{Provider: lending.Kredete, Operation: "Approve", Err: &lending.Error{Kind: lending.KindBalanceExhausted}})
			hearUntil(t, heard, `{"provider":"KREDETE","status":"DEGRADED","circuit":"UNKNOWN","problem":{"code":"PROVIDER_BALANCE_EXHAUSTED"}}`)
		})
	}
}

func TestWhoFollowsProvidersSharesTheWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all, same, few := b.connect(), b.connect(), b.connect()
	all.ask("1", followHealth, nil)
	same.ask("1", followHealth, nil)
	few.ask("1", followHealth, map[string]any{"names": []string{"KREDMINT"}})
	for _, p := range []*peer{all, same, few} {
		p.hear()
	}
	if feeds, followers := b.handler.Feeds().Len(), b.handler.Followers(); feeds != 2 || followers != 3 {
		t.Errorf("%d feeds with %d followers", feeds, followers)
	}
	b.fails()
	for _, p := range []*peer{all, same} {
		hearUntil(t, func() string { return string(p.hear().Payload) }, "DOWN")
	}
	few.quiet() // what the others were told is none of its providers
	for _, p := range []*peer{all, same, few} {
		p.say(`{"id":"1","type":"complete"}`)
	}
	eventually(t, "all feeds end", func() bool { return b.handler.Feeds().Len() == 0 })
}

func TestOneSocketFollowsProvidersAndEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.connect()
	p.ask("health", followHealth, nil)
	p.hear()
	b.following(p, "events")
	b.fails()
	if got := p.hear(); got.ID != "health" {
		t.Errorf("heard %s", got)
	}
	b.aboutLoan("e1", b.approved("loan-1"))
	for deadline := time.Now().Add(patience); ; { // figures of the providers may come between
		if got := p.hear(); got.ID == "events" {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("heard %s", got)
		}
	}
}
