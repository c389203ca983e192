package cached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// job is a flight that this Read carries out.
type job struct {
	key    string
	slot   slot
	flight *flight
	mark   string // the eviction mark that it goes under
	behind bool   // nobody waits for it
}

// load starts what has to be loaded: before the answer, or behind it.
func (r *Reader[V]) load(ctx context.Context, questions []*question[V], began moment, want lending.Freshness) {
	var jobs []job
	var behind []*question[V]
	for _, q := range questions {
		switch q.found.env.judge(began.at, want.MaxAge) {
		case serveAndRefresh:
			behind = append(behind, q)
		case mustLoad:
			if q.err = ctx.Err(); q.err != nil {
				continue // nobody would wait for it
			}
			f, mine := r.cache.join(q.slot, began, want.MaxAge)
			if q.flight = f; mine {
				jobs = append(jobs, job{key: q.key, slot: q.slot, flight: f, mark: q.found.mark})
			}
		}
	}
	r.launch(ctx, jobs)
	r.refresh(ctx, behind)
}

// launch carries out jobs beside the caller, and beyond its end.
func (r *Reader[V]) launch(ctx context.Context, jobs []job) {
	if len(jobs) > 0 && !r.cache.work.start(func() { r.run(ctx, jobs) }) {
		for _, j := range jobs {
			r.cache.land(j.slot, j.flight, landing{err: r.failure(context.Canceled)})
		}
	}
}

// run carries out jobs, some at a time.
func (r *Reader[V]) run(ctx context.Context, jobs []job) {
	ctx, cancel := r.cache.work.detach(ctx)
	defer cancel()
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(len(jobs), r.spec.Concurrency) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(jobs)); i = next.Add(1) - 1 {
				r.carryOut(ctx, jobs[i])
			}
		})
	}
	group.Wait()
}

// refresh loads behind the answer what is past its soft time, unless somebody does already: in this
// process or, where Redis can be asked, on any replica. A lease is not given back: a replica that saw the
// old entry would take it and load once more, and after a failure the provider is to have a rest.
func (r *Reader[V]) refresh(ctx context.Context, behind []*question[V]) {
	keys := make(map[string]*question[V], len(behind))
	slots := make([]slot, len(behind))
	for i, q := range behind {
		slots[i], keys[q.slot.id] = q.slot, q
	}
	slots = r.cache.refreshable(slots)
	if len(slots) == 0 || ctx.Err() != nil {
		return
	}
	ctx = provider.InBackground(ctx)
	r.cache.work.start(func() {
		var jobs []job
		for _, s := range r.cache.leaseFar(ctx, slots) {
			q := keys[s.id]
			if f, mine := r.cache.join(s, r.cache.now(), nil); mine {
				jobs = append(jobs, job{key: q.key, slot: s, flight: f, mark: q.found.mark, behind: true})
			}
		}
		r.run(ctx, jobs)
	})
}

// carryOut loads one key and ends its flight.
func (r *Reader[V]) carryOut(ctx context.Context, j job) {
	began, started := r.cache.cfg.Clock(), time.Now()
	payload, err := r.attempt(ctx, j.key)
	var l landing
	if err == nil {
		l.env = r.envelope(payload, began, j.mark)
	} else {
		failure := r.failure(err)
		l.err = failure
		if failure.Kind == lending.KindNotFound {
			l.env = r.negative(began, j.mark)
		}
	}
	r.cache.cfg.Observer.Loaded(r.spec.Name, lending.KindOf(l.err), time.Since(started))
	if l.env != nil && l.env.KeepUntil > began.UnixNano() {
		if l.data, err = r.cache.codec.seal(j.slot, l.env); err != nil {
			r.cache.cfg.Logger.ErrorContext(ctx, "an entry could not be sealed", "read", r.spec.Name, "error", err)
		}
	}
	if l.env != nil && l.data == nil {
		r.cache.evict(ctx, []slot{j.slot}) // what was known before is no longer so
	}
	r.cache.land(j.slot, j.flight, l)
	if j.behind && l.err != nil {
		r.cache.cfg.Logger.WarnContext(ctx, "an entry could not be refreshed", "read", r.spec.Name, "kind", lending.KindOf(l.err))
	}
}

// envelope is an answer with its ages.
func (r *Reader[V]) envelope(payload []byte, at time.Time, mark string) *envelope {
	dice := r.cache.throw()
	hard := at.Add(jittered(r.spec.Hard, dice))
	return &envelope{
		Payload: payload, Generation: mark, FetchedAt: at.UnixNano(),
		SoftUntil: at.Add(jittered(r.spec.Soft, dice)).UnixNano(),
		HardUntil: hard.UnixNano(),
		KeepUntil: hard.Add(r.cache.cfg.StaleFor).UnixNano(),
	}
}

// negative says that the provider knows nothing. It is of no use when it is stale.
func (r *Reader[V]) negative(at time.Time, mark string) *envelope {
	until := at.Add(jittered(r.spec.Negative, r.cache.throw())).UnixNano()
	return &envelope{
		NotFound: true, Generation: mark, FetchedAt: at.UnixNano(), SoftUntil: until, HardUntil: until, KeepUntil: until,
	}
}

var errPanic = errors.New("cached: the load panicked")

// attempt is one call of Load within its deadline, as JSON. A Load that does not heed its context is left
// behind.
func (r *Reader[V]) attempt(ctx context.Context, key string) ([]byte, error) {
	type outcome struct {
		payload []byte
		err     error
	}
	ctx, cancel := context.WithTimeout(ctx, r.spec.Deadline)
	defer cancel()
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: errPanic} // also what a Goexit leaves
		defer func() {
			if p := recover(); p != nil {
				// The value is not logged: it may hold the key.
				r.cache.cfg.Logger.ErrorContext(ctx, "a load panicked", "read", r.spec.Name,
					"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			}
			done <- o
		}()
		value, err := r.spec.Load(ctx, key)
		if err == nil {
			o.payload, err = json.Marshal(value)
		}
		o.err = err
	}()
	select {
	case o := <-done:
		return o.payload, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// failure is err as an error of a closed kind. A read changes nothing at the provider.
func (r *Reader[V]) failure(err error) *lending.Error {
	if e, ok := errors.AsType[*lending.Error](err); ok && e != nil {
		return e
	}
	e := &lending.Error{Kind: lending.KindInternal, Provider: r.spec.Provider, Outcome: lending.NotExecuted, Err: err}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.Retryable = lending.KindTimeout, true
	case errors.Is(err, context.Canceled):
		e.Kind, e.Retryable = lending.KindUpstreamUnavailable, true
	}
	return e
}
