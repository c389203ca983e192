package store

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// What a Recall keeps: enough for the customers whom a replica answers about within the time, and for so short
// that nobody is shown as they were yesterday.
const (
	recalledCustomers = 10_000
	recallFor         = time.Hour
	// recallAfter is how long the database is waited for by whoever could answer without it.
	recallAfter = 2 * time.Second
)

// Recall is a store that still knows, while the database cannot be reached, the customers and identities that
// were read through it within the last hour, so that the providers can be asked about them. Everything else is
// UNAVAILABLE, as it is without it. It is for answering queries: an action has to read the store itself. It is
// safe for concurrent use.
type Recall struct {
	*Store
	customers  *remembered[lending.CustomerID, *lending.Customer]
	identities *remembered[lending.CustomerID, []lending.Identity]
}

// NewRecall makes one that remembers nothing yet.
func NewRecall(s *Store, clock func() time.Time) (*Recall, error) {
	customers, err := newRemembered[lending.CustomerID, *lending.Customer](clock)
	if err != nil {
		return nil, err
	}
	identities, err := newRemembered[lending.CustomerID, []lending.Identity](clock)
	if err != nil {
		return nil, err
	}
	return &Recall{Store: s, customers: customers, identities: identities}, nil
}

// Customers gives those of the ids that exist.
func (r *Recall) Customers(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]*lending.Customer, error) {
	return r.customers.through(ctx, ids, r.Store.Customers)
}

// ListCustomers lists newest first, and remembers whom it listed.
func (r *Recall) ListCustomers(ctx context.Context, filter lending.CustomerFilter, page lending.PageRequest) (lending.Page[*lending.Customer], error) {
	found, err := r.Store.ListCustomers(ctx, filter, page)
	for _, edge := range found.Edges {
		r.customers.keep(edge.Node.ID, edge.Node)
	}
	return found, err
}

// Identities gives who the customers are at the providers.
func (r *Recall) Identities(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error) {
	return r.identities.through(ctx, customers, func(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error) {
		found, err := r.Store.Identities(ctx, customers)
		if err != nil {
			return nil, err
		}
		for _, id := range customers { // nobody anywhere is an answer too
			r.identities.keep(id, found[id])
		}
		return found, nil
	})
}

// remembered is what was read last of some keys.
type remembered[K ~string, V any] struct {
	now  func() time.Time
	kept *lru.Cache[K, recalled[V]]
}

type recalled[V any] struct {
	value V
	at    time.Time
}

func newRemembered[K ~string, V any](clock func() time.Time) (*remembered[K, V], error) {
	kept, err := lru.New[K, recalled[V]](recalledCustomers)
	return &remembered[K, V]{now: clock, kept: kept}, err
}

func (m *remembered[K, V]) keep(key K, value V) { m.kept.Add(key, recalled[V]{value, m.now()}) }

// through reads and remembers. Where the database cannot be reached it gives what is remembered of the keys,
// if that is all of them: of one that is not it cannot be told whether it exists. Who has an answer waits less
// for a better one.
func (m *remembered[K, V]) through(ctx context.Context, keys []K, read func(context.Context, []K) (map[K]V, error)) (map[K]V, error) {
	known, complete := m.all(keys)
	reading := ctx
	if complete {
		var end context.CancelFunc
		reading, end = context.WithTimeout(ctx, recallAfter)
		defer end()
	}
	found, err := read(reading, keys)
	if err == nil {
		for key, value := range found {
			m.keep(key, value)
		}
		return found, nil
	}
	if kind := lending.KindOf(err); !complete || ctx.Err() != nil || kind != lending.KindUnavailable && kind != lending.KindTimeout {
		return nil, err
	}
	return known, nil
}

// all is what is remembered of the keys; complete says that it is each of them.
func (m *remembered[K, V]) all(keys []K) (known map[K]V, complete bool) {
	known = make(map[K]V, len(keys))
	for _, key := range keys {
		kept, ok := m.kept.Get(key)
		if !ok || m.now().Sub(kept.at) > recallFor {
			return nil, false
		}
		known[key] = kept.value
	}
	return known, true
}
