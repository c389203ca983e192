package resolvers

import (
	"context"
	"slices"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// Cursors are the places in the event log as clients carry them.
type Cursors interface {
	EventCursor(sequence int64) string
	EventSequence(cursor string) (int64, error)
}

// followEvents follows the events that a filter lets through: those behind a cursor first, then what comes.
func (r *Resolver) followEvents(ctx context.Context, filter *model.EventFilter, after *string) (<-chan *model.EventEnvelope, error) {
	return event.Subscribe(ctx, func() (topic event.Topic, err error) {
		topic.Filter, err = filter.Domain()
		topic.Filter.CustomerID = narrowed(ctx, topic.Filter.CustomerID)
		if err != nil || after == nil || *after == "" {
			return topic, err
		}
		sequence, err := r.cursors.EventSequence(*after)
		topic.After = &sequence
		return topic, err
	}, func(e *lending.Event) (*model.EventEnvelope, error) {
		return &model.EventEnvelope{Cursor: r.cursors.EventCursor(e.Sequence), Event: e}, nil
	})
}

// follow follows an object: as it is now, and again after each event about it.
func follow[K ~string, T any](ctx context.Context, kind lending.NodeKind, text string, about func(K) lending.EventFilter, load func(context.Context, K) (*T, error)) (<-chan *T, error) {
	id, err := lending.ParseID[K](kind, text)
	if err != nil {
		return nil, lending.NotFound(noun(kind))
	}
	read := func() (*T, error) {
		object, err := load(ctx, id)
		if err == nil && object == nil {
			err = lending.NotFound(noun(kind))
		}
		return object, err
	}
	return event.Subscribe(ctx, func() (event.Topic, error) {
		_, err := read()
		return event.Topic{Filter: about(id), Current: true}, err
	}, func(*lending.Event) (*T, error) { return read() })
}

// followHealth follows how providers do.
func (r *Resolver) followHealth(ctx context.Context, names []lending.Provider) (<-chan []model.Provider, error) {
	followed := r.service.FollowHealth(names)
	return event.Subscribe(ctx, func() (event.Topic, error) {
		if slices.ContainsFunc(names, func(name lending.Provider) bool { return !name.Valid() }) {
			return event.Topic{}, lending.Invalid(lending.Problem{
				Kind: lending.KindValidation, Message: "Name providers that this service knows.", Field: []string{"providers"},
			})
		}
		return event.Topic{State: followed}, notCustomers(ctx)
	}, func(*lending.Event) ([]model.Provider, error) {
		return model.NewProviders(followed.Now(ctx)), nil
	})
}
