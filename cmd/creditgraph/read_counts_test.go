package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// The routes by which a summary asks.
const (
	profileRoute    = "GET /v2/customers/{id}"
	listRoute       = "GET /v2/customers"
	creditLineRoute = "POST /user/eligibility"
)

// upstream is how often each provider was called while something was done.
func (p *program) upstream(t *testing.T, do func()) map[lending.Provider]map[string]int {
	t.Helper()
	before := map[lending.Provider]map[string]int{}
	for _, name := range lending.Providers() {
		before[name] = p.calls(t, name)
	}
	do()
	made := map[lending.Provider]map[string]int{}
	for _, name := range lending.Providers() {
		if calls := p.callsSince(t, name, before[name]); len(calls) > 0 {
			made[name] = calls
		}
	}
	return made
}

// patientBatches has look-ups wait long enough for each other on the busiest machine, so that the number of
// statements depends on the query alone.
func patientBatches(c *config.Config) { c.BatchWait = 100 * time.Millisecond }

// sameStatements wants a query to take as many statements for more as for one. It has several tries, because a
// value that grew old is renewed behind an answer, which takes statements too.
func (p *program) sameStatements(t *testing.T, text string, one, more map[string]any) {
	t.Helper()
	p.sameStatementsOf(t, func() int { return p.statementsFor(t, text, one) }, func() int { return p.statementsFor(t, text, more) })
}

func (p *program) sameStatementsOf(t *testing.T, one, more func() int) {
	t.Helper()
	var ones, mores []int
	for range 3 {
		ones, mores = append(ones, one()), append(mores, more())
		if slices.Min(ones) == slices.Min(mores) {
			return
		}
	}
	t.Errorf("one takes %v statements, more take %v", ones, mores)
}

// statementsFor is how many statements a request takes.
func (p *program) statementsFor(t *testing.T, text string, variables map[string]any) int {
	t.Helper()
	before := p.statements()
	p.query(t, text, variables).mustBeClean(t, "the query")
	made := p.statements() - before
	if made == 0 {
		t.Fatal("no statement was counted")
	}
	return made
}

// cold is a freshness for which every provider is asked.
func cold() map[string]any { return map[string]any{"maxAge": "PT0S"} }

func TestASummaryAsksEachProviderOnce(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 1, adjust: patientBatches})
	vars := map[string]any{"id": p.person(t, 0), "freshness": cold()}
	made := p.upstream(t, func() { p.mustAsk(t, "CustomerCreditSummary", vars) })
	want := map[lending.Provider]map[string]int{lending.Kredete: {profileRoute: 1}, lending.Kredmint: {creditLineRoute: 1}}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("calls over HTTP (-want +got):\n%s", diff)
	}

	t.Run("twenty aliases cost as much as one", func(t *testing.T) {
		one, twenty := aliases(1), aliases(20)
		made := p.upstream(t, func() {
			if a := p.query(t, twenty, vars); len(a.Errors) > 0 || len(a.Data) != 20 {
				t.Error(a.text)
			}
		})
		if diff := cmp.Diff(want, made); diff != "" {
			t.Errorf("calls over HTTP (-want +got):\n%s", diff)
		}
		p.sameStatementsOf(t, func() int { return p.statementsFor(t, one, vars) }, func() int { return p.statementsFor(t, twenty, vars) })
	})
}

// aliases asks for one customer's summary many times in a request.
func aliases(n int) string {
	var b strings.Builder
	b.WriteString("query($id: ID!, $freshness: FreshnessInput) {")
	for i := range n {
		fmt.Fprintf(&b, " a%d: customer(id: $id) { fullName creditSummary(freshness: $freshness) { sources { status } scores { value } } }", i)
	}
	return b.String() + " }"
}

func TestTheTableCostsTheSameForAnyNumberOfRows(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, postgres bool) {
		server := miniredis.RunT(t)
		p := boot(t, setup{customers: 60, postgres: postgres, redis: "redis://" + server.Addr(), adjust: patientBatches})
		rows := map[string]any{"first": 50}
		var table *answer
		// One after the other the calls would not end before the deadline.
		p.fault(t, lending.Kredete, map[string]any{"kind": "delay", "delay": "200ms", "match": map[string]any{"path": "/v2/customers"}})
		made := p.upstream(t, func() { table = p.mustAsk(t, "CustomersTable", rows) })
		p.heal(t, lending.Kredete)
		fresh := table.rowsWith("FRESH")
		if len(table.list("customers.edges")) != 50 || fresh["KREDETE"] < 40 || fresh["KREDMINT"] == 0 {
			t.Fatalf("%d rows, fresh from the providers are %v", len(table.list("customers.edges")), fresh)
		}
		profiles := made[lending.Kredete][profileRoute]
		if lists := made[lending.Kredete][listRoute]; lists > 1 || profiles > 0 && lists > 0 || lists == 0 && profiles != fresh["KREDETE"] {
			t.Errorf("%d calls for profiles and %d for lists of them gave %d profiles", profiles, lists, fresh["KREDETE"])
		}
		if lines := made[lending.Kredmint][creditLineRoute]; lines != fresh["KREDMINT"] {
			t.Errorf("%d calls for credit lines gave %d", lines, fresh["KREDMINT"])
		}
		p.warmTableCosts(t, rows)
		p.sameStatements(t, document(t, "CustomersTable"), map[string]any{"first": 1}, rows)
		p.keysNameNobody(t, server)
		p.nodesCostAsMuchAsOne(t, table)
	})
}

// warmTableCosts asks for a table that is in the cache: Redis is asked once for each kind of read, and no
// provider.
func (p *program) warmTableCosts(t *testing.T, rows map[string]any) {
	t.Helper()
	count := &trips{}
	p.redis.AddHook(count)
	// Answers are written behind, and again when Redis was too slow for the first try.
	eventually(t, "a table costs two round trips to Redis and no call", func() bool {
		before := count.Load()
		var table *answer
		made := p.upstream(t, func() { table = p.mustAsk(t, "CustomersTable", rows) })
		return len(made) == 0 && count.Load()-before == 2 && table.rowsWith("CACHED")["KREDETE"] == len(table.list("customers.edges"))
	})
}

// keysNameNobody looks for people in the keys of a cache.
func (p *program) keysNameNobody(t *testing.T, server *miniredis.Miniredis) {
	t.Helper()
	keys := strings.Join(server.Keys(), "\n")
	if keys == "" {
		t.Error("nothing is in Redis")
	}
	for i := range p.sandbox.World.Size() {
		person := p.sandbox.World.Person(i)
		for _, id := range []string{person.KredeteID, person.KredmintMobile} {
			if id != "" && strings.Contains(keys, id) {
				t.Errorf("a key names %s", id)
			}
		}
	}
}

// rowsWith counts the rows of a table in which a provider's part has a status, by provider.
func (a *answer) rowsWith(status string) map[string]int {
	counts := map[string]int{}
	for _, row := range a.list("customers.edges") {
		sources, _ := at(row, "node.creditSummary.sources").([]any)
		for _, source := range sources {
			if at(source, "status") == status {
				counts[at(source, "provider").(string)]++
			}
		}
	}
	return counts
}

// nodesCostAsMuchAsOne asks for a table's customers by their ids.
func (p *program) nodesCostAsMuchAsOne(t *testing.T, table *answer) {
	const text = `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Customer { fullName creditSummary { sources { status } } loans(first: 1) { edges { node { id } } } } } }`
	var ids []string
	for _, row := range table.list("customers.edges") {
		ids = append(ids, at(row, "node.id").(string))
	}
	a := p.query(t, text, map[string]any{"ids": ids})
	for i, id := range ids {
		a.want(t, fmt.Sprintf("nodes.%d.id", i), id)
	}
	p.sameStatements(t, text, map[string]any{"ids": ids[:1]}, map[string]any{"ids": ids})
}

// trips counts the round trips to Redis.
type trips struct{ atomic.Int64 }

var _ redis.Hook = (*trips)(nil)

func (c *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		c.Add(1)
		return next(ctx, command)
	}
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		c.Add(1)
		return next(ctx, commands)
	}
}

// TestReplicasShareTheCache runs a second program on the first one's twins, database and Redis, with the
// settings that a deployment has.
func TestReplicasShareTheCache(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	first := boot(t, setup{customers: 14, redis: "redis://" + server.Addr()})
	second := boot(t, setup{
		redis: "redis://" + server.Addr(), real: first.sandbox.Settings(),
		adjust: func(c *config.Config) { c.DatabaseURL = first.settings.DatabaseURL },
	})
	second.sandbox = first.sandbox // for counting; it was started without
	defer func() { second.sandbox = nil }()
	vars := map[string]any{"id": first.person(t, 12)}
	first.mustAsk(t, "CustomerCreditSummary", vars)
	eventually(t, "the other replica answers from the cache", func() bool {
		var a *answer
		made := second.upstream(t, func() { a = second.mustAsk(t, "CustomerCreditSummary", vars) })
		return len(made) == 0 && a.sources()["KREDETE"] == "CACHED" && a.sources()["KREDMINT"] == "CACHED"
	})

	// What a webhook changes is forgotten on both.
	vars["id"] = first.person(t, 5)
	second.mustAsk(t, "CustomerProfile", vars).want(t, "customer.kycStatus", "NOT_STARTED")
	first.verifyKYC(t, 5)
	for _, p := range []*program{first, second} {
		p.mustAsk(t, "CustomerProfile", vars).want(t, "customer.kycStatus", "VERIFIED")
	}
}

func TestTheServiceGoesOnWithoutRedis(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		listen func(t *testing.T) (address string)
	}{
		{"refuses connections", func(t *testing.T) string {
			listener := listenLocally(t)
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			return listener.Addr().String()
		}},
		{"never answers", func(t *testing.T) string {
			listener := listenLocally(t) // the kernel takes connections, and nobody reads
			t.Cleanup(func() { _ = listener.Close() })
			return listener.Addr().String()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := boot(t, setup{customers: 1, redis: "redis://" + tc.listen(t)})
			vars := map[string]any{"id": p.person(t, 0)}
			p.mustAsk(t, "CustomerCreditSummary", vars)
			made := p.upstream(t, func() {
				if status := p.mustAsk(t, "CustomerCreditSummary", vars).sources()["KREDETE"]; status != "CACHED" {
					t.Errorf("the process does not keep what it read: %s", status)
				}
			})
			if len(made) > 0 {
				t.Errorf("calls: %v", made)
			}
			var took []time.Duration
			for range measurements {
				a := p.mustAsk(t, "CustomerCreditSummary", vars)
				if took = append(took, a.took); a.took < grace {
					return
				}
			}
			t.Errorf("with a Redis that %s answers take %v", tc.name, took)
		})
	}
}

func listenLocally(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}
