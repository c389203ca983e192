package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/telemetry"
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
	told    *telemetry.Telemetry
}

// frames is what a client is sent, one after the other.
type frames interface {
	Next(ctx context.Context) (event.Frame, bool, error)
}

// subscription is one that a client follows. It has to be closed.
type subscription struct {
	frames
	log     *event.Stream // nil where a state is followed, and not the log
	cursors Cursors
	leave   func()
}

func (s *subscription) close() { s.leave() }

// cursor is what a client sends to go on behind a place; "" where there is nothing to go on from.
func (s *subscription) cursor(place int64) string {
	if s.log == nil {
		return ""
	}
	return s.cursors.EventCursor(place)
}

// standing is the cursor of what was sent last.
func (s *subscription) standing() string {
	if s.log == nil {
		return ""
	}
	return s.cursor(s.log.Place())
}

// open begins a subscription over a transport, behind lastSeen, or where its own arguments say without one. The response tells
// why it cannot begin; it is nil otherwise. notify is called when there may be something to send that the log does not
// tell of; it must not block.
func (s *subscriptions) open(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext, transport, lastSeen string, notify func()) (*subscription, *graphql.Response) {
	planning, plan := event.Planning(ctx)
	responses, told := exec.DispatchOperation(planning, op)
	if response := responses(told); response != nil {
		return nil, response
	}
	if !plan.Told {
		return nil, failed(ctx, &lending.Error{Kind: lending.KindInternal, Outcome: lending.NotExecuted})
	}
	topic := plan.Topic
	if topic.State != nil {
		return s.counted(transport, s.openState(ctx, exec, op, topic.State, notify)), nil
	}
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
	feed, leave := s.feeds.Join(feedKey(ctx, op), s.renderer(ctx, exec, op))
	stream := event.NewStream(s.hub, feed, topic.Filter, place, topic.Current)
	return s.counted(transport, &subscription{frames: stream, log: stream, cursors: s.cursors, leave: leave}), nil
}

// counted is a subscription that is counted for as long as it is followed.
func (s *subscriptions) counted(transport string, sub *subscription) *subscription {
	uncounted, leave := s.told.Subscribed(transport), sub.leave
	sub.leave = func() {
		uncounted()
		leave()
	}
	return sub
}

// openState begins a subscription to a state.
func (s *subscriptions) openState(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext, state event.State, notify func()) *subscription {
	feed, leave := s.feeds.Join(feedKey(ctx, op), s.renderer(ctx, exec, op))
	part := state.Join(notify)
	return &subscription{frames: event.NewStateStream(state, feed), cursors: s.cursors, leave: func() {
		part()
		leave()
	}}
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

// renderer executes a subscription's selection for one event. While our own records cannot be reached it fails, and
// is to be tried again.
func (s *subscriptions) renderer(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext) event.Render {
	base := context.WithoutCancel(ctx)
	return func(ctx context.Context, e *lending.Event) (body []byte, err error) {
		defer func() {
			if cause := recover(); cause != nil { // subscribers are told, and go on behind the event
				s.log.ErrorContext(base, "the rendering of an event panicked", "requestId", requestOf(base).id,
					"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
				body, err = json.Marshal(failed(base, &lending.Error{Kind: lending.KindInternal, Outcome: lending.NotExecuted}))
			}
		}()
		rendering, cancel := context.WithCancel(base)
		defer cancel()
		if deadline, ok := ctx.Deadline(); ok {
			rendering, cancel = context.WithDeadline(base, deadline)
			defer cancel()
		}
		if e != nil {
			rendering = telemetry.WithRequestID(rendering, fmt.Sprintf("event-%d", e.Sequence))
		}
		responses, told := exec.DispatchOperation(event.Delivering(rendering, e), op)
		response := responses(told)
		if response == nil {
			return nil, &lending.Error{Kind: lending.KindTimeout, Outcome: lending.NotExecuted, Retryable: true}
		}
		if slices.ContainsFunc(response.Errors, isOurs) {
			return nil, &lending.Error{Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true}
		}
		return json.Marshal(response)
	}
}

// isOurs reports whether an error says that our own records could not be reached.
func isOurs(e *gqlerror.Error) bool { return e.Extensions["code"] == lending.KindUnavailable }

// isGone reports whether an error of following says that the log cannot be followed on from a place.
func isGone(err error) bool {
	kind := lending.KindOf(err)
	return kind == lending.KindCursorExpired || kind == lending.KindValidation
}

// feedKey is equal for subscriptions that show every event alike: the same selection with the same variables, for
// those who may see the same. Where each of them begins makes no difference.
func feedKey(ctx context.Context, op *graphql.OperationContext) string {
	variables := maps.Clone(op.Variables)
	delete(variables, placeVariable(op))
	var scopes []auth.Scope
	var customer, client string
	if p := auth.From(ctx); p != nil {
		scopes, customer = slices.Sorted(slices.Values(p.Scopes)), string(p.Customer)
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
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 {
		return ""
	}
	after := fields[0].Arguments.ForName("after")
	if after == nil || after.Value.Kind != ast.Variable || variableUses(op)[after.Value.Raw] != 1 {
		return ""
	}
	return after.Value.Raw
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
