package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// socket is one websocket. One goroutine reads, one writes; an operation has one of its own only until it is
// answered or, for a subscription, until it has begun.
type socket struct {
	*sockets
	conn   *websocket.Conn
	wire   net.Conn // beneath it
	exec   graphql.GraphExecutor
	ctx    context.Context // of the connection
	cancel context.CancelFunc
	wake   chan struct{} // there is something to write

	mu         sync.Mutex
	ending     bool
	asking     context.Context // with who asks; nil until that is known
	operations map[string]*socketOperation
	followed   []*socketOperation // those that follow events; never changed in place
	outbox     [][]byte
	waiting    int  // bytes in outbox
	flooded    bool // more waits than may
}

// socketOperation is an operation that a client has begun and not ended.
type socketOperation struct {
	id     string
	cancel context.CancelFunc
	sub    *subscription // nil until it has begun, and for what is answered once
	again  time.Time     // when to try again; zero unless it could not be served. The writer's alone
}

// serve runs the connection to its end.
func (s *socket) serve() {
	late := time.AfterFunc(s.limits.init, func() {
		if s.asker() == nil {
			s.gate.Failed(s.ctx)
			s.end(closeInitTimeout, "Connection initialisation timeout")
		}
	})
	defer late.Stop()
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer s.rescue(s.ctx)
		s.write()
	}()
	s.read()
	s.end(websocket.StatusNormalClosure, "") // unless it is ending: the client is gone, or is told by now
	<-s.ctx.Done()                           // ended: what is written meanwhile would cut it short
	<-written
	s.forget()
}

// rescue ends a connection over which something panicked, and no other.
func (s *socket) rescue(ctx context.Context) {
	if cause := recover(); cause != nil {
		s.subscriptions.log.ErrorContext(ctx, "a websocket panicked", "requestId", requestOf(ctx).id,
			"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		s.end(closeInternal, "Something went wrong on our side.")
	}
}

// read takes in messages until the connection ends. Its context never ends: ending a read would cut the
// connection without a word.
func (s *socket) read() {
	defer s.rescue(s.ctx)
	for {
		kind, text, err := s.conn.Read(context.Background())
		if err != nil {
			return
		}
		if kind != websocket.MessageText || !s.handleApart(text) {
			s.end(closeBadRequest, "Invalid message received")
			return
		}
	}
}

// handleApart is handle on a stack of its own. Checking a token takes a deep one, which the reader would keep
// while it waits for the next message, perhaps for hours.
func (s *socket) handleApart(text []byte) bool {
	done := make(chan bool, 1)
	go func() {
		handled := true // a panic has ended the connection
		defer func() { done <- handled }()
		defer s.rescue(s.ctx)
		handled = s.handle(text)
	}()
	return <-done
}

// handle deals with one message; false when it is none of the protocol.
func (s *socket) handle(text []byte) bool {
	if s.isEnding() {
		return true
	}
	var m message
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) || json.Unmarshal(text, &m) != nil {
		return false
	}
	switch m.Type {
	case "connection_init":
		return s.initiate(m.Payload)
	case "ping":
		if !isObject(m.Payload) {
			return false
		}
		s.post(message{Type: "pong", Payload: m.Payload}.encode())
	case "pong":
		return isObject(m.Payload)
	case "subscribe":
		return s.subscribe(m)
	case "complete":
		if m.ID == nil || *m.ID == "" {
			return false
		}
		s.remove(*m.ID)
	default:
		return false
	}
	return true
}

// asker is the context of operations, which tells who asks; nil before connection_init.
func (s *socket) asker() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asking
}

func (s *socket) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// initiate answers connection_init.
func (s *socket) initiate(text json.RawMessage) bool {
	var payload initPayload
	if len(text) > 0 && json.Unmarshal(text, &payload) != nil {
		return false
	}
	if s.asker() != nil {
		s.end(closeTooManyInits, "Too many initialisation requests")
		return true
	}
	principal, err := s.authenticated(s.ctx, payload)
	if err != nil {
		s.subscriptions.told.Unauthenticated("websocket")
		s.end(closeRefused(err), lending.AsError(err).Error())
		return true
	}
	s.mu.Lock()
	s.asking = auth.With(s.ctx, principal)
	s.mu.Unlock()
	if !principal.ExpiresAt.IsZero() {
		expiry := time.AfterFunc(time.Until(principal.ExpiresAt), func() { s.end(closeForbidden, "The token has expired. Get a new one.") })
		context.AfterFunc(s.ctx, func() { expiry.Stop() })
	}
	s.gate.Watch(s.ctx, principal, func(err error) { s.end(closeRefused(err), lending.AsError(err).Error()) })
	s.post(message{Type: "connection_ack"}.encode())
	return true
}

// subscribe begins an operation of any kind.
func (s *socket) subscribe(m message) bool {
	var params graphql.RawParams
	if m.ID == nil || *m.ID == "" || !isRequest(m.Payload) || decodeNumbers(m.Payload, &params) != nil || params.Query == "" && len(params.Extensions) == 0 {
		return false
	}
	asking := s.asker()
	if asking == nil {
		s.end(closeUnauthorized, "Unauthorized")
		return true
	}
	ctx, cancel := context.WithCancel(asking)
	op := &socketOperation{id: *m.ID, cancel: cancel}
	s.mu.Lock()
	taken, full := s.operations[op.id] != nil, len(s.operations) >= s.limits.operations
	if !taken && !full {
		s.operations[op.id] = op
	}
	s.mu.Unlock()
	switch {
	case taken:
		cancel()
		s.end(closeSubscriberExists, fmt.Sprintf("Subscriber for %.40s already exists", op.id))
	case full:
		cancel()
		s.refuse(op.id, failed(ctx, &lending.Error{
			Kind: lending.KindRateLimited, Outcome: lending.NotExecuted, Retryable: true,
			Message: fmt.Sprintf("One connection carries %d operations at a time. Complete one, or open another connection.", s.limits.operations),
		}))
	default:
		now := graphql.Now()
		params.ReadTime = graphql.TraceTiming{Start: now, End: now}
		s.open.Add(1)
		go func() {
			defer s.open.Done()
			s.run(ctx, op, &params)
		}()
	}
	return true
}

// run answers a query or a mutation, and begins a subscription.
func (s *socket) run(ctx context.Context, op *socketOperation, params *graphql.RawParams) {
	defer s.rescue(ctx)
	ctx = graphql.StartOperationTrace(ctx)
	opCtx, errs := s.exec.CreateOperationContext(ctx, params)
	switch {
	case len(errs) > 0:
		s.finish(op, func() { s.refuse(op.id, s.exec.DispatchError(graphql.WithOperationContext(ctx, opCtx), errs)) })
	case isSubscription(opCtx):
		sub, refusal := s.subscriptions.open(ctx, s.exec, opCtx, "websocket", "", s.nudge)
		if refusal != nil {
			s.finish(op, func() { s.refuse(op.id, refusal) })
			return
		}
		s.follow(op, sub)
	default:
		responses, told := s.exec.DispatchOperation(ctx, opCtx)
		response := responses(told)
		s.finish(op, func() { s.answer(op.id, response) })
	}
}

// finish ends an operation on our side; tell says so, unless the client ended it before. Its id is free before
// that is said: the client may use it again at once.
func (s *socket) finish(op *socketOperation, tell func()) {
	if s.isRunning(op) && s.remove(op.id) {
		tell()
	}
}

func (s *socket) isRunning(op *socketOperation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.operations[op.id] == op
}

// answer sends the one answer of an operation, and its end.
func (s *socket) answer(id string, response *graphql.Response) {
	if response != nil {
		body, err := json.Marshal(response)
		if err != nil {
			panic(err) // it was made by the executor
		}
		s.post(next(id, body))
	}
	s.post(message{ID: &id, Type: "complete"}.encode())
}

// refuse tells why an operation cannot be carried out. Nothing follows it.
func (s *socket) refuse(id string, response *graphql.Response) {
	list, err := json.Marshal(response.Errors)
	if err != nil {
		panic(err) // an error is text and plain values
	}
	s.post(message{ID: &id, Type: "error", Payload: list}.encode())
}

// follow hands a subscription that has begun to the writer.
func (s *socket) follow(op *socketOperation, sub *subscription) {
	s.mu.Lock()
	running := s.operations[op.id] == op
	if running {
		op.sub = sub
		s.followed = append(slices.Clone(s.followed), op)
	}
	s.mu.Unlock()
	if !running {
		sub.close()
	}
	s.nudge()
}

// remove ends an operation; false when there is none of this id.
func (s *socket) remove(id string) bool {
	s.mu.Lock()
	op := s.operations[id]
	delete(s.operations, id)
	if op != nil && op.sub != nil {
		s.followed = slices.DeleteFunc(slices.Clone(s.followed), func(other *socketOperation) bool { return other == op })
	}
	s.mu.Unlock()
	if op == nil {
		return false
	}
	op.cancel()
	if op.sub != nil {
		op.sub.close()
	}
	return true
}

// forget ends all operations.
func (s *socket) forget() {
	s.mu.Lock()
	ids := make([]string, 0, len(s.operations))
	for id := range s.operations {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.remove(id)
	}
}

// post puts a message into the outbox. A client that asks for much and reads nothing is cut.
func (s *socket) post(text []byte) {
	s.mu.Lock()
	s.flooded = s.flooded || s.waiting+len(text) > s.limits.outbox
	if !s.flooded {
		s.waiting += len(text)
		s.outbox = append(s.outbox, text)
	}
	s.mu.Unlock()
	s.nudge()
}

func (s *socket) isFlooded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flooded
}

func (s *socket) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end closes the connection, for the first reason that is given. It does not wait for the client's farewell,
// for which there is a moment.
func (s *socket) end(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	ending := s.ending
	s.ending = true
	s.mu.Unlock()
	if ending {
		return
	}
	if len(reason) > 120 { // a close frame holds 123 bytes
		reason = strings.ToValidUTF8(reason[:120], "")
	}
	s.open.Add(1) // while the connection is served: that ends with a reason too
	go func() {
		defer s.open.Done()
		defer s.cancel()
		cut := time.AfterFunc(s.limits.farewell, func() { s.discard(s.wire.Close()) }) // [websocket.Conn] would wait longer
		defer cut.Stop()
		s.discard(s.conn.Close(code, reason))
	}()
}

// discard takes the error of closing a connection that is over in any case.
func (s *socket) discard(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.subscriptions.log.DebugContext(s.ctx, "a websocket ended without a farewell", "error", err.Error())
	}
}
