package server

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/event"
)

// SocketLimits are the limits of websockets that tests make small.
type SocketLimits struct {
	Operations, Outbox                  int
	Message, Unread                     int64
	Init, Ping, Stall, Farewell, Silent time.Duration
	Standing                            time.Duration
}

// Within gives a configuration other limits, where they are not 0.
func Within(c Config, l SocketLimits) Config {
	d := defaultSocketLimits()
	c.sockets = socketLimits{
		operations: either(l.Operations, d.operations), message: either(l.Message, d.message), init: either(l.Init, d.init),
		ping: either(l.Ping, d.ping), stall: either(l.Stall, d.stall), farewell: either(l.Farewell, d.farewell),
		unread: either(l.Unread, d.unread), outbox: either(l.Outbox, d.outbox),
	}
	c.streams = streamLimits{ping: either(l.Silent, streamPing), stall: either(l.Stall, stallLimit)}
	c.standing = l.Standing
	return c
}

func either[T comparable](given, usual T) T {
	if given == *new(T) {
		return usual
	}
	return given
}

// Feeds are the feeds that somebody follows.
func (s *Server) Feeds() *event.Feeds { return s.feeds }

// Followers are those who follow feeds.
func (s *Server) Followers() int { return s.feeds.Followers() }

// Gone waits until no websocket is left, and nothing that one ran.
func (s *Server) Gone() { s.sockets.Wait() }
