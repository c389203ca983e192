package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
)

const followKredete = `{"query":"subscription { providerHealth(providers: [KREDETE]) { status problem { code } circuit errorRate calls sharedBy } }"}`

// kredeteNow is Kredete as a subscriber is told.
type kredeteNow struct {
	Status   string
	Calls    int
	SharedBy int
}

// followKredeteAt subscribes to Kredete's health at a replica, and gives what it is told next.
func followKredeteAt(t *testing.T, p *program) (next func() kredeteNow) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address()+"/graphql", strings.NewReader(followKredete))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = response.Body.Close() // nobody reads on
	})
	lines := bufio.NewScanner(response.Body)
	return func() kredeteNow {
		t.Helper()
		for lines.Scan() {
			data, found := strings.CutPrefix(lines.Text(), "data: ")
			if !found {
				continue
			}
			var told struct {
				Data struct{ ProviderHealth []kredeteNow }
			}
			if err := json.Unmarshal([]byte(data), &told); err != nil || len(told.Data.ProviderHealth) != 1 {
				t.Fatalf("told %s: %v", data, err)
			}
			return told.Data.ProviderHealth[0]
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return kredeteNow{}
	}
}

// toldUntil reads on until a subscriber is told what is wanted.
func toldUntil(t *testing.T, next func() kredeteNow, what string, want func(k kredeteNow) bool) kredeteNow {
	t.Helper()
	var told []kredeteNow
	for range 200 {
		k := next()
		if told = append(told, k); want(k) {
			return k
		}
	}
	t.Fatalf("never told that %s; told %+v", what, told)
	return kredeteNow{}
}

// TestHealthIsSeenFromEveryReplica lets Kredete fail for one replica's users, and looks from another.
func TestHealthIsSeenFromEveryReplica(t *testing.T) {
	t.Parallel()
	t.Run("stand-in", func(t *testing.T) {
		t.Parallel()
		server := miniredis.RunT(t)
		healthAcross(t, "redis://"+server.Addr(), server.Close)
	})
	if url := os.Getenv("CREDITGRAPH_TEST_REDIS"); url != "" {
		t.Run("Redis", func(t *testing.T) {
			t.Parallel()
			healthAcross(t, url, nil)
		})
	}
}

// healthAcross runs it on a Redis; cut, where there is one, takes that away.
func healthAcross(t *testing.T, redis string, cut func()) {
	key := config.Secret(rand.Text() + rand.Text()) // replicas of other tests have another
	same := func(c *config.Config) { c.DataKey = key }
	a := boot(t, setup{customers: 20, redis: redis, adjust: same})
	b := bootEarly(t, setup{customers: 20, redis: redis, adjust: same, real: a.sandbox.Settings()})
	c := bootEarly(t, setup{customers: 20, redis: redis, adjust: same, real: a.sandbox.Settings()})
	id := a.person(t, 0)
	use := func() { // each asks Kredete once
		a.ask(t, "CustomerCreditSummary", map[string]any{"id": id, "freshness": map[string]any{"maxAge": "PT0S", "allowStale": false}})
	}

	next := followKredeteAt(t, b)
	toldUntil(t, next, "it is up, by three replicas", func(k kredeteNow) bool { return k.Status == "UP" && k.SharedBy == 3 })

	a.fault(t, lending.Kredete, map[string]any{"kind": "status", "status": 500})
	for range 3 {
		use()
	}
	toldUntil(t, next, "it is down", func(k kredeteNow) bool { return k.Status == "DOWN" })
	if got := b.query(t, `{ providers { provider status lastError { code } } }`, nil); got.textAt("providers.0.status") != "DOWN" || got.textAt("providers.0.lastError.code") != "UPSTREAM_UNAVAILABLE" {
		t.Errorf("read instead of followed: %s", got.text)
	}

	a.heal(t, lending.Kredete)
	for range 60 { // few of its last calls failed then
		use()
	}
	if k := toldUntil(t, next, "it is up again", func(k kredeteNow) bool { return k.Status == "UP" }); k.Calls < 60 {
		t.Errorf("%d calls are counted, and the other replica made more", k.Calls)
	}
	eventually(t, "the replica whose calls failed has logged it once", func() bool {
		log := a.log.String()
		return strings.Count(log, `"a provider is down","provider":"KREDETE"`) == 1 && strings.Count(log, `"a provider is up again","provider":"KREDETE"`) == 1
	})

	if err := c.end(); err != nil {
		t.Error(err)
	}
	toldUntil(t, next, "one replica has left", func(k kredeteNow) bool { return k.SharedBy == 2 })
	if cut == nil {
		return
	}
	cut()
	toldUntil(t, next, "it is alone", func(k kredeteNow) bool { return k.SharedBy == 1 })
	if got := b.query(t, `{ providers { status sharedBy } }`, nil); len(got.Errors) > 0 || got.at("providers.0.sharedBy") != float64(1) {
		t.Errorf("without Redis: %s", got.text)
	}
}
