package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/server"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
	"github.com/creditgraph/creditgraph/resolvers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reads is a reader that answers what a test put there, and keeps how each read was asked for.
type reads[V any] struct {
	mu      sync.Mutex
	answers map[string]lending.Fetched[V]
	wanted  []string // freshness and keys
}

func (r *reads[V]) Read(_ context.Context, keys []string, want lending.Freshness) []lending.Fetched[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := "any age"
	if want.MaxAge != nil {
		age = want.MaxAge.String()
	}
	if want.RefuseStale {
		age += ", not stale"
	}
	r.wanted = append(r.wanted, fmt.Sprintf("%d of %s", len(keys), age))
	out := make([]lending.Fetched[V], len(keys))
	for i, key := range keys {
		answer, there := r.answers[key]
		if !there {
			answer = lending.Fetched[V]{Status: lending.SourceNone, Err: lending.NotFound("record")}
		}
		out[i] = answer
	}
	return out
}

func (r *reads[V]) Evict(context.Context, ...string) {}

// asked tells how reads were asked for, in no order, and forgets it.
func (r *reads[V]) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.wanted
	r.wanted = nil
	slices.Sort(list)
	return list
}

// bench is the whole graph over the real store and readers without a provider.
type bench struct {
	*testing.T
	store     *store.Store
	root      *resolvers.Resolver
	service   *service.Service
	handler   http.Handler
	issuer    *auth.Issuer
	tokens    func() (string, error) // instead of a client's token with scopes; nil for that
	hub       *event.Hub
	health    *service.Health
	auditor   *service.Auditor
	kredete   *provider.Provider
	profiles  *reads[lending.Profile]
	lines     *reads[lending.CreditLine]
	suppliers *reads[[]lending.Supplier]
}

func setup(t *testing.T) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{
		URL: "sqlite:" + filepath.Join(t.TempDir(), "records.db"), DataKey: bytes.Repeat([]byte{7}, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{
		T: t, store: db, hub: event.NewHub(db, time.Second, slog.New(slog.DiscardHandler)), profiles: &reads[lending.Profile]{answers: map[string]lending.Fetched[lending.Profile]{}},
		lines: &reads[lending.CreditLine]{}, suppliers: &reads[[]lending.Supplier]{answers: map[string]lending.Fetched[[]lending.Supplier]{}},
	}
	b.must(db.Migrate(t.Context()))
	b.hub.Start()
	t.Cleanup(b.hub.Stop)
	b.health, b.kredete = service.NewHealth(time.Now), &provider.Provider{Name: lending.Kredete}
	logger := slog.New(slog.DiscardHandler)
	use := service.New(service.Config{
		Store: db, Health: b.health, Publisher: b.hub, Clock: time.Now, Logger: logger,
		Providers: []*provider.Provider{b.kredete, {Name: lending.Kredmint}, {Name: lending.Carbon}},
		Readers:   service.Readers{Profiles: b.profiles, CreditLines: b.lines, Suppliers: b.suppliers},
	})
	t.Cleanup(func() { b.must(use.Stop(context.WithoutCancel(t.Context()))) })
	b.auditor = service.NewAuditor(db, time.Now, logger)
	b.auditor.Start()
	t.Cleanup(func() { b.must(b.auditor.Stop(context.WithoutCancel(t.Context()))) })
	b.service, b.root = use, resolvers.New(resolvers.Config{Service: use, Store: db, Cursors: db, Audit: db})
	b.issuer, err = auth.NewIssuer([]byte("data key"), time.Now)
	b.must(err)
	b.handler = b.serving(b.root)
	return b
}

// serving is the server over some resolvers.
func (b *bench) serving(root graph.ResolverRoot) http.Handler {
	return server.New(server.Config{
		Resolvers: root, Source: b.root.Source(), Issuer: b.issuer, Webhooks: b.service, Events: b.hub, Cursors: b.store, Audit: b.auditor, Clock: time.Now,
		Logger: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return nil },
	})
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(lending.AsError(err).Detail())
	}
}

// in is the bench within a subtest.
func (b *bench) in(t *testing.T) *bench {
	inner := *b
	inner.T = t
	return &inner
}

// answer is what came back.
type answer struct {
	text   string
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

// codes are the codes of an answer's errors.
func (a answer) codes() []string {
	var list []string
	for _, e := range a.Errors {
		list = append(list, fmt.Sprint(e.Extensions["code"]))
	}
	return list
}

// request is a query on its way, for a token with scopes; with all of them where none is named.
func (b *bench) request(query string, variables map[string]any, scopes ...auth.Scope) *http.Request {
	b.Helper()
	if len(scopes) == 0 {
		scopes = auth.Scopes()
	}
	issue := func() (string, error) { return b.issuer.Issue("web", scopes, time.Hour) }
	if b.tokens != nil {
		issue = b.tokens
	}
	token, err := issue()
	b.must(err)
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	b.must(err)
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func (b *bench) send(r *http.Request) answer {
	b.Helper()
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	a := answer{text: w.Body.String()}
	b.must(json.Unmarshal(w.Body.Bytes(), &a))
	return a
}

func (b *bench) ask(query string, variables map[string]any, scopes ...auth.Scope) answer {
	b.Helper()
	return b.send(b.request(query, variables, scopes...))
}

// customer saves a customer, linked at providers: pairs of provider and id.
func (b *bench) customer(id lending.CustomerID, links ...string) string {
	b.Helper()
	c := &lending.Customer{ID: id, FirstName: "Ada", LastName: "Obi", CreatedAt: time.Now()}
	b.must(b.store.SaveCustomer(b.Context(), c))
	for i := 0; i < len(links); i += 2 {
		b.must(b.store.Link(b.Context(), lending.Identity{
			CustomerID: id, Provider: lending.Provider(links[i]), ExternalID: links[i+1], LinkedAt: time.Now(),
		}))
	}
	return c.NodeID()
}

func (b *bench) loan(id lending.LoanID, customer lending.CustomerID) *lending.Loan {
	b.Helper()
	zero := lending.NewMoney(0, lending.NGN)
	l := &lending.Loan{
		ID: id, CustomerID: customer, Provider: lending.Kredete, ExternalID: "x-" + string(id), Status: lending.LoanApproved,
		Principal: lending.MustMoney("500000", lending.NGN), Paid: zero, Outstanding: zero, Overdue: zero, CreatedAt: time.Now(),
	}
	b.must(b.store.SaveLoan(b.Context(), l))
	return l
}

// operation saves a settled operation.
func (b *bench) operation(id lending.OperationID, change func(*lending.Operation)) string {
	b.Helper()
	op := &lending.Operation{
		ID: id, ClientID: "web", Key: string(id), Kind: lending.OpApplyForLoan, Provider: lending.Kredete,
		Status: lending.OpSucceeded, RequestedAt: time.Now(), UpdatedAt: time.Now(), SettledAt: time.Now(),
	}
	change(op)
	_, _, err := b.store.BeginOperation(b.Context(), op)
	b.must(err)
	return op.NodeID()
}

// supplied makes Kredmint keep suppliers for a username.
func (b *bench) supplied(username string, ids ...string) {
	list := []lending.Supplier{}
	for _, id := range ids {
		list = append(list, lending.Supplier{Provider: lending.Kredmint, ExternalID: id, Name: strings.ToLower(id), Status: lending.SupplierPending})
	}
	b.suppliers.answers[username] = lending.Fetched[[]lending.Supplier]{Status: lending.SourceCached, AsOf: time.Now(), Value: list}
}
