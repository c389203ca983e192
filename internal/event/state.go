package event

import "context"

// State is something that is followed as it stands, beside the log: who comes is told how it is, and again when it
// is otherwise. Nothing that was in between is told, so there is no place to go on from.
type State interface {
	// Join begins to follow. notify is called when Version has grown; it must not block. leave has to be called.
	Join(notify func()) (leave func())
	// Version grows with each change that is to be told; 0 while nothing is known.
	Version() int64
}

// StateStream is one subscriber to a state. It is not safe for concurrent use.
type StateStream struct {
	state State
	feed  *Feed
	seen  int64
}

// NewStateStream begins with how the state is. The state has to be joined.
func NewStateStream(state State, feed *Feed) *StateStream {
	return &StateStream{state: state, feed: feed}
}

// Next gives the next frame, and false when there is none yet. Who fell behind is told how the state is now.
func (s *StateStream) Next(ctx context.Context) (Frame, bool, error) {
	version := s.state.Version()
	if version == s.seen {
		return Frame{}, false, nil
	}
	body, err := s.feed.rendered(ctx, version, nil)
	if err != nil {
		return Frame{}, false, err
	}
	s.seen = version
	return Frame{Body: body}, true, nil
}
