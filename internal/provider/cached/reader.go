package cached

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Spec says what one kind of read is, and how old its answers may be.
type Spec[V any] struct {
	// Name tells the read from others: "kredete.profile".
	Name string
	// Provider is who answers; it is named in errors.
	Provider lending.Provider
	// Soft and Hard are the ages until which an answer is given as it is, and at all. Each entry's are up
	// to a tenth shorter or longer.
	Soft, Hard time.Duration
	// Negative is how long it is believed that the provider knows nothing of a key; 0 is not at all.
	Negative time.Duration
	// Concurrency is how many loads one Read starts at a time; 8 where 0.
	Concurrency int
	// Deadline bounds one load; 10 s where 0.
	Deadline time.Duration
	// Load asks the provider for one key. Its context holds the values of the first caller who wanted the
	// key, and does not end with that caller.
	Load func(ctx context.Context, key string) (V, error)
}

// Reader answers many keys of one kind of read, with their age. V's JSON has to hold all of V: each caller
// gets a value of its own, made from it. It is safe for concurrent use.
type Reader[V any] struct {
	cache *Cache
	spec  Spec[V]
	space *space
}

// NewReader makes a reader. It panics on a spec without a name or a load, which only code can cause.
func NewReader[V any](c *Cache, spec Spec[V]) *Reader[V] {
	if spec.Name == "" || spec.Load == nil {
		panic("cached: a read needs a name and a load")
	}
	orDefault(&spec.Concurrency, 8)
	orDefault(&spec.Deadline, 10*time.Second)
	spec.Hard = max(spec.Hard, spec.Soft)
	return &Reader[V]{cache: c, spec: spec, space: &space{
		read:  spec.Name,
		shape: shapeOf(reflect.TypeFor[V]()),
		keep:  spec.Hard + spec.Hard/10 + spec.Negative + c.cfg.StaleFor,
		lease: lifetime(min(spec.Deadline, spec.Soft)),
	}}
}

// Read answers keys: in their order, each one, duplicates too. Status and Err of an answer are
//
//   - FRESH or CACHED, and nil;
//   - STALE, and why there is nothing newer;
//   - NONE, and NOT_FOUND, where the provider knows nothing of the key;
//   - UNAVAILABLE, and why: the provider's failure, or that ctx ended first.
//
// Every Err is a [lending.Error].
func (r *Reader[V]) Read(ctx context.Context, keys []string, want lending.Freshness) []lending.Fetched[V] {
	began := r.cache.now()
	questions := r.questions(keys)
	r.find(ctx, questions, began)
	r.load(ctx, questions, began, want)
	answers := make([]lending.Fetched[V], len(keys))
	for _, q := range questions {
		for _, place := range q.places {
			answers[place] = r.answer(ctx, q, want)
		}
	}
	r.count(ctx, answers)
	return answers
}

// Evict voids what is known of keys, here and on all replicas: a Read that begins after it does not
// answer from before it. Where Redis does not answer, other replicas go by their entries' ages until it
// does.
func (r *Reader[V]) Evict(ctx context.Context, keys ...string) {
	if len(keys) == 0 {
		return
	}
	slots := make([]slot, len(keys))
	for i, key := range keys {
		slots[i] = r.slot(key)
	}
	r.cache.evict(ctx, slots)
}

func (r *Reader[V]) slot(key string) slot {
	return slot{id: r.cache.keys.identify(r.spec.Name, key), space: r.space}
}

// question is one key of a Read on its way to an answer.
type question[V any] struct {
	key    string
	places []int // where in the answers
	slot   slot
	found  finding
	value  V       // of found; the zero V where that has none
	flight *flight // the load that the answer waits for; nil where found will do
	err    error   // why there is no flight where there should be one
}

// questions are the keys without repetition.
func (r *Reader[V]) questions(keys []string) []*question[V] {
	byKey := make(map[string]*question[V], len(keys))
	list := make([]*question[V], 0, len(keys))
	for place, key := range keys {
		q := byKey[key]
		if q == nil {
			q = &question[V]{key: key, slot: r.slot(key)}
			byKey[key] = q
			list = append(list, q)
		}
		q.places = append(q.places, place)
	}
	return list
}

// find fills in what the tiers know. An entry that does not read as a V any more is none.
func (r *Reader[V]) find(ctx context.Context, questions []*question[V], began moment) {
	slots := make([]slot, len(questions))
	for i, q := range questions {
		slots[i] = q.slot
	}
	for i, f := range r.cache.find(ctx, slots, began) {
		q := questions[i]
		q.found = f
		if f.env == nil || f.env.NotFound {
			continue
		}
		value, err := r.decode(f.env)
		if err != nil {
			r.cache.cfg.Observer.Discarded(r.spec.Name, DiscardDamaged)
			q.found.env = nil
			continue
		}
		q.value = value
	}
}

func (r *Reader[V]) decode(env *envelope) (value V, err error) {
	err = json.Unmarshal(env.Payload, &value)
	return value, err
}

// answer puts together what a question came to, waiting for its load no longer than ctx.
func (r *Reader[V]) answer(ctx context.Context, q *question[V], want lending.Freshness) lending.Fetched[V] {
	if q.flight == nil && q.err == nil {
		return r.kept(q, lending.SourceCached, nil)
	}
	err := q.err
	if q.flight != nil {
		if err = q.flight.wait(ctx); err == nil {
			if err = q.flight.err; err == nil {
				return r.loaded(q.flight.env)
			}
		}
	}
	failure := r.failure(err)
	switch {
	case failure.Kind == lending.KindNotFound:
		return lending.Fetched[V]{Status: lending.SourceNone, AsOf: q.flight.env.fetchedAt(), Err: failure}
	case q.found.env == nil || q.found.env.NotFound || want.RefuseStale:
		return lending.Fetched[V]{Status: lending.SourceUnavailable, Err: failure}
	}
	return r.kept(q, lending.SourceStale, failure)
}

// kept is the answer from before. Each place gets a value of its own.
func (r *Reader[V]) kept(q *question[V], status lending.SourceStatus, why error) lending.Fetched[V] {
	env := q.found.env
	if env.NotFound {
		return lending.Fetched[V]{Status: lending.SourceNone, AsOf: env.fetchedAt(), Err: notFound(r.spec.Provider)}
	}
	value := q.value
	if len(q.places) > 1 {
		value, _ = r.decode(env) // it decoded before
	}
	return lending.Fetched[V]{Value: value, Status: status, AsOf: env.fetchedAt(), Err: why}
}

// loaded is the answer of a load that succeeded.
func (r *Reader[V]) loaded(env *envelope) lending.Fetched[V] {
	if env.NotFound { // another Read's load, taken from the process
		return lending.Fetched[V]{Status: lending.SourceNone, AsOf: env.fetchedAt(), Err: notFound(r.spec.Provider)}
	}
	value, err := r.decode(env)
	if err != nil {
		return lending.Fetched[V]{Status: lending.SourceUnavailable, Err: r.failure(err)}
	}
	return lending.Fetched[V]{Value: value, Status: lending.SourceFresh, AsOf: env.fetchedAt()}
}

// count tells the observer how the answers were.
func (r *Reader[V]) count(ctx context.Context, answers []lending.Fetched[V]) {
	counts := make(map[lending.SourceStatus]int, 2)
	for _, a := range answers {
		counts[a.Status]++
	}
	for status, n := range counts {
		r.cache.cfg.Observer.Answered(ctx, r.spec.Name, status, n)
	}
}
