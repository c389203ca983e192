package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// Cursors are the places in the event log as clients carry them.
type Cursors interface {
	EventCursor(sequence int64) string
	// EventSequence is VALIDATION for a text that is no cursor.
	EventSequence(cursor string) (int64, error)
}

// subscriptions serve the graph's subscriptions, whatever carries them.
type subscriptions struct {
	hub     *event.Hub
	feeds   *event.Feeds
	cursors Cursors
	log     *slog.Logger
}

// subscription is one that a client follows. It has to be closed.
type subscription struct {
	*event.Stream
	leave func()
}

func (s *subscription) close() { s.leave() }

// open begins a subscription behind lastSeen, or where its own arguments say without one. The response tells
// why it cannot begin; it is nil otherwise.
func (s *subscriptions) open(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext, lastSeen string) (*subscription, *graphql.Response) {
	planning, plan := event.Planning(ctx)
	responses, told := exec.DispatchOperation(planning, op)
	if response := responses(told); response != nil {
		return nil, response
	}
	if !plan.Told {
		return nil, failed(ctx, &lending.Error{Kind: lending.KindInternal, Outcome: lending.NotExecuted})
	}
	topic := plan.Topic
	if lastSeen != "" && !topic.Current {
		place, err := s.cursors.EventSequence(lastSeen)
		if err != nil {
			return nil, failed(ctx, err)
		}
		topic.After = &place
	}
	place, err := s.beginning(ctx, topic)
	if err != nil {
		return nil, failed(ctx, err)
	}
	feed, leave := s.feeds.Join(feedKey(ctx, op), renderer(ctx, exec, op))
	return &subscription{Stream: event.NewStream(s.hub, feed, topic.Filter, place, topic.Current), leave: leave}, nil
}

// beginning is the place behind which a topic begins. A cursor that the log cannot go on from is refused now
// and not with the first event.
func (s *subscriptions) beginning(ctx context.Context, topic event.Topic) (int64, error) {
	if topic.After == nil {
		return s.hub.End(ctx)
	}
	_, err := s.hub.After(ctx, *topic.After)
	return *topic.After, err
}

// renderer executes a subscription's selection for one event.
func renderer(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext) event.Render {
	base := context.WithoutCancel(ctx)
	return func(ctx context.Context, e *lending.Event) ([]byte, error) {
		rendering, cancel := context.WithCancel(base)
		defer cancel()
		if deadline, ok := ctx.Deadline(); ok {
			rendering, cancel = context.WithDeadline(base, deadline)
			defer cancel()
		}
		if e != nil {
			rendering = context.WithValue(rendering, requestKey{}, request{id: fmt.Sprintf("event-%d", e.Sequence)})
		}
		responses, told := exec.DispatchOperation(event.Delivering(rendering, e), op)
		response := responses(told)
		if response == nil {
			return nil, &lending.Error{Kind: lending.KindInternal, Outcome: lending.NotExecuted}
		}
		return json.Marshal(response)
	}
}

// feedKey is equal for subscriptions that show every event alike: the same selection with the same variables, for
// those who may see the same. Where each of them begins makes no difference.
func feedKey(ctx context.Context, op *graphql.OperationContext) string {
	variables := make(map[string]any, len(op.Variables))
	for name, value := range op.Variables {
		if name != placeVariable(op) {
			variables[name] = value
		}
	}
	var scopes []auth.Scope
	var customer, client string
	if p := auth.From(ctx); p != nil {
		scopes, customer = p.Scopes, string(p.Customer)
		if p.May(auth.ReadPII) {
			client = p.ClientID // what each of them sees in full is written down as seen by that one
		}
	}
	key, err := json.Marshal([]any{op.RawQuery, op.OperationName, variables, scopes, customer, client})
	if err != nil { // a variable that is no JSON, such as a file: shared with nobody
		return fmt.Sprintf("%p", op)
	}
	return string(key)
}

// placeVariable is the variable that says where a subscription begins, and nothing else; "" without one.
func placeVariable(op *graphql.OperationContext) string {
	for _, selection := range op.Operation.SelectionSet {
		field, ok := selection.(*ast.Field)
		if !ok {
			continue
		}
		after := field.Arguments.ForName("after")
		if after != nil && after.Value.Kind == ast.Variable && strings.Count(op.RawQuery, "$"+after.Value.Raw) == 2 {
			return after.Value.Raw
		}
	}
	return ""
}

// failed is an answer that is one error.
func failed(ctx context.Context, err error) *graphql.Response {
	e := lending.AsError(err)
	return &graphql.Response{Errors: gqlerror.List{{Message: e.Error(), Extensions: extensions(e, requestOf(ctx).id)}}}
}

// isSubscription reports whether an operation is to be followed.
func isSubscription(op *graphql.OperationContext) bool {
	return op.Operation != nil && op.Operation.Operation == ast.Subscription
}
