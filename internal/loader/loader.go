package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Option adjusts a loader.
type Option func(*options)

type options struct {
	wait     time.Duration
	capacity int
	deadline time.Duration
	log      *slog.Logger
	name     string
	observer Observer
}

// Observer is told of each batch before it is fetched: of which loader, and how many keys. ended is told how it went.
// The fetch goes on in the context that it gives.
type Observer func(ctx context.Context, loader string, keys int) (_ context.Context, ended func(err error))

// WithObserver has all batches told to an observer.
func WithObserver(observer Observer) Option { return func(o *options) { o.observer = observer } }

// as are the options of the loader of a name.
func (o options) as(name string) options {
	o.name = name
	return o
}

// unobserved is the observer of nobody.
func unobserved(ctx context.Context, _ string, _ int) (context.Context, func(error)) {
	return ctx, func(error) {}
}

// WithWait sets how long a batch waits for further keys; 1 ms otherwise.
func WithWait(d time.Duration) Option { return func(o *options) { o.wait = d } }

// WithCapacity sets how many keys make a batch full, so that it waits no longer; 100 otherwise.
func WithCapacity(keys int) Option { return func(o *options) { o.capacity = keys } }

// WithDeadline bounds each call that fetches a batch; 10 s otherwise.
func WithDeadline(d time.Duration) Option { return func(o *options) { o.deadline = d } }

// WithLogger says where a panic is told; nowhere otherwise.
func WithLogger(log *slog.Logger) Option { return func(o *options) { o.log = log } }

func collect(opts []Option) options {
	o := options{
		wait: time.Millisecond, capacity: lending.MaxPageSize, deadline: 10 * time.Second,
		log: slog.New(slog.DiscardHandler), observer: unobserved,
	}
	for _, apply := range opts {
		apply(&o)
	}
	return o
}

// Loader answers by key for the time of one response. It is safe for concurrent use.
type Loader[K comparable, V any] struct {
	options
	fetch   func(ctx context.Context, keys []K) (map[K]V, error)
	missing func(key K) error

	mu      sync.Mutex
	answers map[K]*answer[V]
	pending map[K]*answer[V]                // those of answers that a batch is to fill in
	gather  *dataloader.Loader[K, struct{}] // made with the first key
}

// answer is what became of a key, to be read after done.
type answer[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// ByKey makes a loader. fetch gives what there is of some keys, each of them once; its context holds the
// values of the first caller, does not end with that caller, and has a deadline of its own. missing is
// the error for a key that fetch had nothing for; a nil missing makes that the zero V. An error of fetch
// is the error of each of its keys.
func ByKey[K comparable, V any](fetch func(ctx context.Context, keys []K) (map[K]V, error), missing func(key K) error, opts ...Option) *Loader[K, V] {
	return newLoader(fetch, missing, collect(opts))
}

func newLoader[K comparable, V any](fetch func(ctx context.Context, keys []K) (map[K]V, error), missing func(key K) error, o options) *Loader[K, V] {
	return &Loader[K, V]{
		options: o, fetch: fetch, missing: missing,
		answers: map[K]*answer[V]{}, pending: map[K]*answer[V]{},
	}
}

// Load gives one key's value. It waits no longer than ctx; the batch goes on for the others. Every error
// is a [lending.Error], or what missing gave.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	return l.ask(ctx, key).await(ctx)
}

// LoadAll gives the values of many keys, in their order. errs is nil when all of them came; otherwise it
// has an entry for each key, nil for those that did.
func (l *Loader[K, V]) LoadAll(ctx context.Context, keys []K) (values []V, errs []error) {
	return awaitAll(ctx, keys, l.ask)
}

// awaitAll asks for all keys before it waits for the first.
func awaitAll[K comparable, V any](ctx context.Context, keys []K, ask func(context.Context, K) *answer[V]) (values []V, errs []error) {
	asked := make([]*answer[V], len(keys))
	for i, key := range keys {
		asked[i] = ask(ctx, key)
	}
	values = make([]V, len(keys))
	for i, a := range asked {
		value, err := a.await(ctx)
		if values[i] = value; err != nil {
			if errs == nil {
				errs = make([]error, len(keys))
			}
			errs[i] = err
		}
	}
	return values, errs
}

// Prime puts in a value that was read otherwise: who asks from now on gets it, without a batch.
func (l *Loader[K, V]) Prime(key K, value V) {
	a := &answer[V]{done: make(chan struct{}), value: value}
	close(a.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[key] = a
}

// ask gives the answer of a key, and sees to it that it comes.
func (l *Loader[K, V]) ask(ctx context.Context, key K) *answer[V] {
	l.mu.Lock()
	a := l.answers[key]
	if a != nil {
		l.mu.Unlock()
		return a
	}
	a = &answer[V]{done: make(chan struct{})}
	if err := ctx.Err(); err != nil { // the caller has left: others may still ask
		l.mu.Unlock()
		a.err = failure(err)
		close(a.done)
		return a
	}
	l.answers[key], l.pending[key] = a, a
	if l.gather == nil {
		l.gather = dataloader.NewBatchedLoader(l.batch,
			dataloader.WithWait[K, struct{}](l.wait),
			dataloader.WithBatchCapacity[K, struct{}](l.capacity),
			dataloader.WithInputCapacity[K, struct{}](l.capacity),
			dataloader.WithCache[K, struct{}](&dataloader.NoCache[K, struct{}]{}))
	}
	gather := l.gather
	l.mu.Unlock()
	gather.Load(ctx, key) // what it returns is not needed: batch fills in the answer
	return a
}

// await gives the answer when it is there, or the reason why ctx ended before.
func (a *answer[V]) await(ctx context.Context) (V, error) {
	select {
	case <-a.done:
		return a.value, a.err
	default:
	}
	select {
	case <-a.done:
		return a.value, a.err
	case <-ctx.Done():
		var none V
		return none, failure(ctx.Err())
	}
}

var errPanic = errors.New("loader: the fetch of a batch panicked")

// batch fills in the answers of its keys, each one, whatever fetch does.
func (l *Loader[K, V]) batch(ctx context.Context, keys []K) []*dataloader.Result[struct{}] {
	answers := l.take(keys)
	err := error(failure(errPanic)) // also what a Goexit leaves
	defer func() {
		for _, a := range answers {
			if a.err == nil {
				a.err = err
			}
			close(a.done)
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			// Neither the value nor the keys are logged: they may be personal.
			l.log.ErrorContext(ctx, "the fetch of a batch panicked",
				"keys", len(keys), "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.deadline)
	defer cancel()
	ctx, ended := l.observer(ctx, l.name, len(keys))
	defer func() { ended(err) }() // before the answers are told: who was answered finds the batch counted
	found, failed := l.fetch(ctx, keys)
	if failed != nil {
		err = failure(failed)
		return results(len(keys))
	}
	for i, key := range keys {
		value, ok := found[key]
		if answers[i].value = value; !ok && l.missing != nil {
			answers[i].err = l.missing(key)
		}
	}
	err = nil
	return results(len(keys))
}

// take gives the answers that a batch is to fill in.
func (l *Loader[K, V]) take(keys []K) []*answer[V] {
	l.mu.Lock()
	defer l.mu.Unlock()
	answers := make([]*answer[V], len(keys))
	for i, key := range keys {
		answers[i] = l.pending[key]
		delete(l.pending, key)
	}
	return answers
}

// results are what dataloader wants for each key. Nobody reads them.
func results(n int) []*dataloader.Result[struct{}] {
	list := make([]*dataloader.Result[struct{}], n)
	for i := range list {
		list[i] = &dataloader.Result[struct{}]{}
	}
	return list
}

// failure is err as an error of a closed kind. Nothing that a loader does changes anything.
func failure(err error) *lending.Error {
	if e, ok := errors.AsType[*lending.Error](err); ok && e != nil {
		return e
	}
	e := &lending.Error{Kind: lending.KindInternal, Outcome: lending.NotExecuted, Err: err}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.Retryable, e.Message = lending.KindTimeout, true, "The answer did not come in time. Try again."
	case errors.Is(err, context.Canceled):
		e.Kind, e.Retryable, e.Message = lending.KindUnavailable, true, "The request was ended before the answer came."
	}
	return e
}
