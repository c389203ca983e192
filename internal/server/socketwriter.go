package server

import (
	"context"
	"encoding/json"
	"time"

	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// burst is how many events one subscription sends before it is another's turn.
const burst = 16

// gauge knows how much of what was sent the client has not taken in yet. It asks by a ping behind what was sent:
// the pong comes when all before it was read. So no more is ever on its way than a socket's buffers hold, and
// there is room in them for a last word to a client that stopped reading.
type gauge struct {
	unread int64 // bytes sent since what the last pong told of
	asked  int64 // of them, those that the ping on its way is behind
	pong   chan error
	last   time.Time // when the last ping began
}

// write sends answers and events until the connection ends.
func (s *socket) write() {
	var g gauge
	look := time.NewTimer(s.limits.ping)
	defer look.Stop()
	for {
		changed := s.subscriptions.hub.Changed()
		if s.isFlooded() {
			s.giveUp()
			return
		}
		more, err := s.sendOutbox(&g)
		if err == nil && g.unread < s.limits.unread {
			var again bool
			again, err = s.sendEvents(&g)
			more = more || again
		}
		if err != nil {
			s.cancel()
			s.end(closeTooSlow, "The connection does not take what is sent.")
			return
		}
		s.ask(&g)
		if more && g.unread < s.limits.unread {
			select {
			case <-s.ctx.Done():
				return
			case <-s.drain:
				s.end(closeRestart, "The server is restarting. Come back.")
				return
			default:
				continue
			}
		}
		if g.unread >= s.limits.unread {
			changed = nil // first what is on its way
		}
		look.Reset(s.untilLook(&g))
		select {
		case <-s.ctx.Done():
			return
		case <-s.drain:
			s.end(closeRestart, "The server is restarting. Come back.")
			return
		case <-changed:
		case <-s.wake:
		case <-look.C:
		case err := <-g.pong:
			g.pong = nil
			if err != nil {
				s.giveUp()
				return
			}
			g.unread -= g.asked
		}
	}
}

// sendOutbox sends answers that wait, as far as the client reads them.
func (s *socket) sendOutbox(g *gauge) (more bool, err error) {
	for g.unread < s.limits.unread {
		text := s.takeAnswer()
		if text == nil {
			return false, nil
		}
		if err := s.send(g, text, s.limits.stall); err != nil {
			return false, err
		}
	}
	return true, nil
}

// takeAnswer takes the oldest answer that waits; nil where there is none.
func (s *socket) takeAnswer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.outbox) == 0 {
		s.outbox = nil
		return nil
	}
	text := s.outbox[0]
	s.outbox[0] = nil
	s.outbox = s.outbox[1:]
	s.waiting -= len(text)
	return text
}

// sendEvents sends some of what each subscription has.
func (s *socket) sendEvents(g *gauge) (more bool, err error) {
	s.mu.Lock()
	list := s.followed
	s.mu.Unlock()
	for _, op := range list {
		again, err := s.sendSome(g, op)
		if err != nil {
			return false, err
		}
		more = more || again
	}
	return more, nil
}

// sendSome sends a burst of one subscription; more when there may be another. While the database is away it
// waits, and misses nothing.
func (s *socket) sendSome(g *gauge, op *socketOperation) (more bool, err error) {
	if time.Now().Before(op.again) {
		return false, nil
	}
	for range burst {
		op.again = time.Time{}
		frame, ok, err := op.sub.Next(s.ctx)
		switch {
		case s.ctx.Err() != nil || !s.isRunning(op):
			return false, nil
		case err != nil && isGone(err):
			s.finish(op, func() { s.refuse(op.id, failed(s.ctx, err)) })
			return true, nil
		case err != nil:
			op.again = time.Now().Add(retryDelay)
			return false, nil
		case !ok:
			return false, nil
		case frame.Body == nil:
			continue
		}
		if err := s.send(g, next(op.id, frame.Body), s.limits.stall); err != nil {
			return false, err
		}
		if g.unread >= s.limits.unread {
			return true, nil
		}
	}
	return true, nil
}

// retryDelay is how long a subscription waits after it could not be served.
const retryDelay = time.Second

// untilLook is when the writer has something to do, whatever else happens: to ping, or to try again for a
// subscription that could not be served.
func (s *socket) untilLook(g *gauge) time.Duration {
	wait := s.untilPing(g)
	if g.unread >= s.limits.unread {
		return wait
	}
	s.mu.Lock()
	list := s.followed
	s.mu.Unlock()
	for _, op := range list {
		if !op.again.IsZero() {
			wait = min(wait, max(0, time.Until(op.again)))
		}
	}
	return wait
}

// send writes a message. A connection that does not take it within the limit is over.
func (s *socket) send(g *gauge, text []byte, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	g.unread += int64(len(text))
	return s.conn.Write(ctx, websocket.MessageText, text)
}

// askEvery is how often a connection that is written to is asked whether it reads.
const askEvery = time.Second

// ask sends a ping when one is due.
func (s *socket) ask(g *gauge) {
	if g.pong != nil || s.untilPing(g) > 0 {
		return
	}
	g.asked, g.last, g.pong = g.unread, time.Now(), make(chan error, 1)
	pong := g.pong
	go func() {
		ctx, cancel := context.WithTimeout(s.ctx, s.limits.stall)
		defer cancel()
		pong <- s.conn.Ping(ctx)
	}()
}

// untilPing is when the next ping is due.
func (s *socket) untilPing(g *gauge) time.Duration {
	switch {
	case g.pong != nil:
		return s.limits.ping // the one on its way comes first
	case g.unread >= s.limits.unread/4:
		return 0
	case g.last.IsZero() && g.unread == 0:
		g.last = time.Now()
		return s.limits.ping
	case g.unread > 0:
		return max(0, askEvery-time.Since(g.last))
	default:
		return max(0, s.limits.ping-time.Since(g.last))
	}
}

// unread is what a client is told that stopped reading.
const unread = "Events were not being read. Subscribe again"

// giveUp tells each subscription of a client that stopped reading where it stands, and ends the connection.
func (s *socket) giveUp() {
	s.mu.Lock()
	list := s.followed
	s.mu.Unlock()
	var g gauge
	until := time.Now().Add(s.limits.farewell)
	for _, op := range list {
		response := failed(s.ctx, &lending.Error{
			Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true, Message: unread,
		})
		if cursor := op.sub.standing(); cursor != "" {
			response.Errors[0].Message = unread + " with after: the cursor given here"
			response.Errors[0].Extensions["cursor"] = cursor
		}
		response.Errors[0].Message += "."
		text, err := json.Marshal(response.Errors)
		if err != nil {
			panic(err) // an error is text and plain values
		}
		if s.send(&g, message{ID: &op.id, Type: "error", Payload: text}.encode(), time.Until(until)) != nil {
			break
		}
	}
	s.end(closeTooSlow, "Events were not being read. Come back.")
}
