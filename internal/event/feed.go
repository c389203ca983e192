package event

import (
	"context"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	feedFrames     = 256       // rendered events that a feed keeps
	feedBytes      = 256 << 10 // and how large they may be together
	renderDeadline = 10 * time.Second
)

// Render makes what is sent for an event; nothing where it is not to be sent. For a nil event it makes what is
// sent first, where a topic begins with the present state.
type Render func(ctx context.Context, e *lending.Event) ([]byte, error)

// Feeds are the feeds that somebody follows.
type Feeds struct {
	mu    sync.Mutex
	feeds map[string]*Feed
}

// NewFeeds makes an empty set.
func NewFeeds() *Feeds { return &Feeds{feeds: map[string]*Feed{}} }

// Join gives the feed of a key, and makes it for the first who asks. The key says everything that the
// rendering depends on, who may see what included. The render of the first is used for all. leave has to be
// called once; the feed ends with the last who leaves.
func (f *Feeds) Join(key string, render Render) (feed *Feed, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	feed = f.feeds[key]
	if feed == nil {
		feed = &Feed{render: render, frames: map[int64]*frame{}}
		f.feeds[key] = feed
	}
	feed.followers++
	return feed, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if feed.followers--; feed.followers == 0 {
			delete(f.feeds, key)
		}
	}
}

// Len is how many feeds there are.
func (f *Feeds) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.feeds)
}

// Followers is how many follow them.
func (f *Feeds) Followers() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, feed := range f.feeds {
		n += feed.followers
	}
	return n
}

// Feed renders events for all who follow the same thing in the same way, each event once for those who come
// for it at about the same time.
type Feed struct {
	render    Render
	followers int // guarded by Feeds

	mu     sync.Mutex
	frames map[int64]*frame // by the event's sequence number, or the state's version
	order  []int64          // of frames, the oldest first
	bytes  int
}

type frame struct {
	ready chan struct{}
	body  []byte
	err   error
}

// frame gives what is sent for an event.
func (f *Feed) frame(ctx context.Context, e *lending.Event) ([]byte, error) {
	return f.rendered(ctx, e.Sequence, e)
}

// rendered gives what is sent for an event, or for a version of a state where e is nil. It waits no longer than ctx for
// somebody else's rendering.
func (f *Feed) rendered(ctx context.Context, number int64, e *lending.Event) ([]byte, error) {
	f.mu.Lock()
	known := f.frames[number]
	if known == nil {
		known = &frame{ready: make(chan struct{})}
		f.frames[number], f.order = known, append(f.order, number)
		f.mu.Unlock()
		f.fill(ctx, number, e, known)
		return known.body, known.err
	}
	f.mu.Unlock()
	select {
	case <-known.ready:
		return known.body, known.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// now gives what is sent first: the present state, which is read anew for each who asks.
func (f *Feed) now(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, renderDeadline)
	defer cancel()
	return f.render(ctx, nil)
}

// fill renders on behalf of all: the one who came first may leave.
func (f *Feed) fill(ctx context.Context, number int64, e *lending.Event, into *frame) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renderDeadline)
	defer cancel()
	into.err = errUnrendered
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(into.ready)
		if f.frames[number] == into { // not dropped meanwhile
			f.bytes += len(into.body)
		}
		if into.err != nil {
			f.drop(number) // the next one tries again
		}
		for len(f.order) > feedFrames || f.bytes > feedBytes && len(f.order) > 1 {
			f.drop(f.order[0])
		}
	}()
	into.body, into.err = f.render(ctx, e)
}

var errUnrendered = &lending.Error{Kind: lending.KindInternal, Outcome: lending.NotExecuted}

// drop forgets a frame. One that is still rendered is finished for those who wait for it.
func (f *Feed) drop(sequence int64) {
	known := f.frames[sequence]
	if known == nil {
		return
	}
	select {
	case <-known.ready:
		f.bytes -= len(known.body)
	default:
	}
	delete(f.frames, sequence)
	for i, at := range f.order {
		if at == sequence {
			f.order = append(f.order[:i], f.order[i+1:]...)
			return
		}
	}
}
