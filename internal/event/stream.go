package event

import (
	"context"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Frame is one thing to send to a subscriber.
type Frame struct {
	// Place is what to send as after, to go on behind this frame.
	Place int64
	// Body is nil where there is nothing to send, and more to look through.
	Body []byte
}

// Stream is one subscriber's place in the log. It is not safe for concurrent use.
type Stream struct {
	hub     *Hub
	feed    *Feed
	filter  lending.EventFilter
	place   int64
	current bool // the present state is to be sent first
	ahead   []*lending.Event
}

// NewStream begins behind a place in the log. With current it begins with the present state.
func NewStream(hub *Hub, feed *Feed, filter lending.EventFilter, place int64, current bool) *Stream {
	return &Stream{hub: hub, feed: feed, filter: filter, place: place, current: current}
}

// Place is the last event that was dealt with: sent, or not one of those that are followed.
func (s *Stream) Place() int64 { return s.place }

// Next gives the next frame, and false when there is none yet; then [Hub.Changed], taken before, tells when to
// look again. It looks through one page of the log at most, so that a long way through events which are not
// followed keeps nobody else waiting. After an error the same can be tried again. CURSOR_EXPIRED means that events
// between are lost.
func (s *Stream) Next(ctx context.Context) (Frame, bool, error) {
	if s.current {
		body, err := s.feed.now(ctx)
		if err != nil {
			return Frame{}, false, err
		}
		s.current = false
		return Frame{Place: s.place, Body: body}, true, nil
	}
	if len(s.ahead) == 0 {
		events, err := s.hub.After(ctx, s.place)
		if err != nil || len(events) == 0 {
			return Frame{}, false, err
		}
		s.ahead = events[:min(len(events), batch)]
	}
	for len(s.ahead) > 0 {
		e := s.ahead[0]
		if !s.filter.Matches(e) {
			s.pass(e)
			continue
		}
		body, err := s.feed.frame(ctx, e)
		if err != nil {
			return Frame{}, false, err
		}
		s.pass(e)
		return Frame{Place: e.Sequence, Body: body}, true, nil
	}
	return Frame{Place: s.place}, true, nil
}

func (s *Stream) pass(e *lending.Event) {
	s.place = e.Sequence
	if s.ahead = s.ahead[1:]; len(s.ahead) == 0 {
		s.ahead = nil // lets go of the page
	}
}
