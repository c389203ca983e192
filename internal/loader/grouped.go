package loader

import (
	"context"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Grouped answers keys C that are made of a plain key K and a wish W: those with the same wish become one
// call. The calls for different wishes run beside each other, and fail apart. It is safe for concurrent
// use.
type Grouped[C, K, W comparable, V any] struct {
	apart   func(key C) (K, W)
	fetch   func(ctx context.Context, keys []K, wish W) (map[K]V, error)
	missing func(key K) error
	options options

	mu     sync.Mutex
	byWish map[W]*Loader[K, V]
}

// InGroups makes a grouped loader, with the rules of [ByKey] for the keys of each wish. apart takes a key
// apart.
func InGroups[C, K, W comparable, V any](
	apart func(key C) (K, W), fetch func(ctx context.Context, keys []K, wish W) (map[K]V, error),
	missing func(key K) error, opts ...Option,
) *Grouped[C, K, W, V] {
	return newGrouped(apart, fetch, missing, collect(opts))
}

func newGrouped[C, K, W comparable, V any](
	apart func(key C) (K, W), fetch func(ctx context.Context, keys []K, wish W) (map[K]V, error),
	missing func(key K) error, o options,
) *Grouped[C, K, W, V] {
	return &Grouped[C, K, W, V]{apart: apart, fetch: fetch, missing: missing, options: o, byWish: map[W]*Loader[K, V]{}}
}

// Load is [Loader.Load].
func (g *Grouped[C, K, W, V]) Load(ctx context.Context, key C) (V, error) {
	return g.ask(ctx, key).await(ctx)
}

// LoadAll is [Loader.LoadAll].
func (g *Grouped[C, K, W, V]) LoadAll(ctx context.Context, keys []C) (values []V, errs []error) {
	return awaitAll(ctx, keys, g.ask)
}

// Prime is [Loader.Prime].
func (g *Grouped[C, K, W, V]) Prime(key C, value V) {
	plain, wish := g.apart(key)
	g.of(wish).Prime(plain, value)
}

func (g *Grouped[C, K, W, V]) ask(ctx context.Context, key C) *answer[V] {
	plain, wish := g.apart(key)
	return g.of(wish).ask(ctx, plain)
}

func (g *Grouped[C, K, W, V]) of(wish W) *Loader[K, V] {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.byWish[wish]
	if l == nil {
		l = newLoader(func(ctx context.Context, keys []K) (map[K]V, error) {
			return g.fetch(ctx, keys, wish)
		}, g.missing, g.options)
		g.byWish[wish] = l
	}
	return l
}

// PageKey asks for one page of what an owner has.
type PageKey[O comparable] struct {
	Owner O
	Page  lending.PageRequest
}

func (k PageKey[O]) apart() (O, lending.PageRequest) { return k.Owner, k.Page }

// Pages answers a page of what each owner has. An owner who has nothing has an empty page.
type Pages[O comparable, T any] = Grouped[PageKey[O], O, lending.PageRequest, lending.Page[T]]

func pages[O comparable, T any](fetch func(ctx context.Context, owners []O, page lending.PageRequest) (map[O]lending.Page[T], error), o options) *Pages[O, T] {
	return newGrouped(PageKey[O].apart, fetch, nil, o)
}

// SummaryKey asks for one customer's summary of a freshness. Unlike that, it can be compared.
type SummaryKey struct {
	customer lending.CustomerID
	want     freshness
}

// NewSummaryKey is the key of a customer's summary.
func NewSummaryKey(customer lending.CustomerID, want lending.Freshness) SummaryKey {
	key := SummaryKey{customer: customer, want: freshness{refuseStale: want.RefuseStale}}
	if want.MaxAge != nil {
		key.want.maxAge, key.want.limited = *want.MaxAge, true
	}
	return key
}

func (k SummaryKey) apart() (lending.CustomerID, freshness) { return k.customer, k.want }

// freshness is a [lending.Freshness] that can be compared.
type freshness struct {
	maxAge      time.Duration
	limited     bool
	refuseStale bool
}

func (f freshness) domain() lending.Freshness {
	want := lending.Freshness{RefuseStale: f.refuseStale}
	if f.limited {
		want.MaxAge = &f.maxAge
	}
	return want
}
