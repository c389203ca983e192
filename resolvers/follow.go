package resolvers

import (
	"context"
	"errors"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// Cursors are the places in the event log as clients carry them.
type Cursors interface {
	EventCursor(sequence int64) string
	EventSequence(cursor string) (int64, error)
}

// followEvents sends the events that a filter lets through: those behind a cursor first, then what comes.
func (r *Resolver) followEvents(ctx context.Context, filter lending.EventFilter, after *string) (<-chan *model.EventEnvelope, error) {
	var from int64
	var err error
	if after != nil && *after != "" {
		from, err = r.Cursors.EventSequence(*after)
	} else {
		from, err = r.Tail.End(ctx)
	}
	if err != nil {
		return nil, err
	}
	out := make(chan *model.EventEnvelope)
	go func() {
		defer close(out)
		r.ended(ctx, r.Tail.Follow(ctx, from, func(e *lending.Event) error {
			if !filter.Matches(e) {
				return nil
			}
			return send(ctx, out, &model.EventEnvelope{Cursor: r.Cursors.EventCursor(e.Sequence), Event: e})
		}))
	}()
	return out, nil
}

// follow sends an object as it is now, and again after each event about it.
func follow[K ~string, T any](ctx context.Context, r *Resolver, kind lending.NodeKind, text string, about func(*lending.Event) K, load func(context.Context, K) (*T, error)) (<-chan *T, error) {
	id, err := lending.ParseID[K](kind, text)
	if err != nil {
		return nil, lending.NotFound(noun(kind))
	}
	from, err := r.Tail.End(ctx) // before the object is read, so that no change is missed
	if err != nil {
		return nil, err
	}
	now, err := load(ctx, id)
	if err != nil {
		return nil, err
	}
	if now == nil {
		return nil, lending.NotFound(noun(kind))
	}
	out := make(chan *T)
	go func() {
		defer close(out)
		if send(ctx, out, now) != nil {
			return
		}
		r.ended(ctx, r.Tail.Follow(ctx, from, func(e *lending.Event) error {
			if about(e) != id {
				return nil
			}
			object, err := load(ctx, id)
			if err != nil || object == nil {
				return err
			}
			return send(ctx, out, object)
		}))
	}()
	return out, nil
}

// send hands a value over unless the subscriber goes away first.
func send[T any](ctx context.Context, out chan<- T, value T) error {
	select {
	case out <- value:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ended logs why a subscription ended, when it was not the subscriber who ended it.
func (r *Resolver) ended(ctx context.Context, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
		r.Logger.WarnContext(ctx, "a subscription ended early", "error", lending.AsError(err).Detail())
	}
}
