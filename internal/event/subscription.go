package event

import (
	"context"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Topic is what a subscription follows.
type Topic struct {
	// Filter says which events.
	Filter lending.EventFilter
	// After is the place to begin behind; nil for what happens from now on.
	After *int64
	// Current says that the present state comes first.
	Current bool
	// State is what is followed instead of the log; nil for the log.
	State State
}

// The executor of the graph knows subscriptions as channels, one for each subscriber, and renders what comes
// out of each of them anew. Here it is used in two steps instead: once to plan, when its resolver tells what is
// to be followed, and then once for each event, when its resolver gives what there is to say of that event.

type planKey struct{}

type deliveryKey struct{}

// Plan is what a subscription's resolver told.
type Plan struct {
	Topic Topic
	// Told is false when the resolver did not get so far.
	Told bool
}

type delivery struct{ event *lending.Event }

// Planning is the context in which a subscription's resolver tells what it follows.
func Planning(ctx context.Context) (context.Context, *Plan) {
	plan := &Plan{}
	return context.WithValue(ctx, planKey{}, plan), plan
}

// Delivering is the context in which a subscription's resolver gives what there is to say of one event; of the
// present state for nil, also where it is a [State] that is followed.
func Delivering(ctx context.Context, e *lending.Event) context.Context {
	return context.WithValue(ctx, deliveryKey{}, delivery{e})
}

// IsDelivering reports whether ctx is one of [Delivering].
func IsDelivering(ctx context.Context) bool {
	_, ok := ctx.Value(deliveryKey{}).(delivery)
	return ok
}

// Subscribe is the body of a subscription's resolver: plan tells the topic, deliver what is sent for an event.
// The executor gets a channel with at most one value. VALIDATION outside of both steps: the transport cannot
// carry a subscription.
func Subscribe[T any](ctx context.Context, plan func() (Topic, error), deliver func(e *lending.Event) (T, error)) (<-chan T, error) {
	out := make(chan T, 1)
	defer close(out)
	if d, ok := ctx.Value(deliveryKey{}).(delivery); ok {
		value, err := deliver(d.event)
		if err != nil {
			return nil, err
		}
		out <- value
		return out, nil
	}
	p, ok := ctx.Value(planKey{}).(*Plan)
	if !ok {
		return nil, &lending.Error{
			Kind: lending.KindValidation, Outcome: lending.NotExecuted,
			Message: "Subscriptions need a websocket (graphql-transport-ws) or Accept: text/event-stream.",
		}
	}
	topic, err := plan()
	if err != nil {
		return nil, err
	}
	p.Topic, p.Told = topic, true
	return out, nil
}
