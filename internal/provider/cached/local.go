package cached

import (
	"fmt"
	"sync"
	"time"

	rediscache "github.com/go-redis/cache/v9"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// local keeps sealed entries in the process: the most recently used ones, up to a number, each until the
// end that stands in its header. (The TinyLFU that go-redis/cache has for this knows one lifetime for all
// entries and can return a value that was overwritten.)
type local struct {
	clock func() time.Time

	mu      sync.Mutex
	entries *simplelru.LRU[string, localEntry]
	serial  uint64 // of the last entry that this process loaded
}

type localEntry struct {
	data   []byte
	at     time.Time // when it was put here
	serial uint64    // 0 where it came from Redis
}

var _ rediscache.LocalCache = (*local)(nil)

func newLocal(size int, clock func() time.Time) (*local, error) {
	entries, err := simplelru.NewLRU[string, localEntry](size, nil)
	if err != nil {
		return nil, fmt.Errorf("cached: local tier: %w", err)
	}
	return &local{clock: clock, entries: entries}, nil
}

// Set puts a sealed entry. Data that is none is not kept.
func (l *local) Set(key string, data []byte) {
	now := l.clock()
	if until, ok := keptUntil(data); !ok || !now.Before(until) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries.Add(key, localEntry{data: data, at: now})
}

// stamp marks the entry of a key as one that this process has just loaded.
func (l *local) stamp(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if entry, ok := l.entries.Peek(key); ok {
		l.serial++
		entry.serial = l.serial
		l.entries.Add(key, entry)
	}
}

// Get gives an entry that has not come to its end. The bytes are shared: they are only to be read.
func (l *local) Get(key string) ([]byte, bool) {
	entry, ok := l.find(key)
	return entry.data, ok
}

// younger is Get for an entry that was put here less than an age ago.
func (l *local) younger(key string, than time.Duration) ([]byte, bool) {
	entry, ok := l.find(key)
	return entry.data, ok && l.clock().Sub(entry.at) < than
}

// since is Get for an entry that this process loaded after the moment of a serial number.
func (l *local) since(key string, serial uint64) ([]byte, bool) {
	entry, ok := l.find(key)
	return entry.data, ok && entry.serial > serial
}

// moment is the serial number of now.
func (l *local) moment() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.serial
}

func (l *local) find(key string) (localEntry, bool) {
	now := l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, ok := l.entries.Get(key)
	if !ok {
		return localEntry{}, false
	}
	if until, _ := keptUntil(entry.data); !now.Before(until) {
		l.entries.Remove(key)
		return localEntry{}, false
	}
	return entry, true
}

// Del drops an entry.
func (l *local) Del(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries.Remove(key)
}

// clear drops all entries.
func (l *local) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries.Purge()
}

// leases says which slots somebody in this process refreshes, or has just tried to.
type leases struct {
	mu    sync.Mutex
	until *simplelru.LRU[string, time.Time]
}

func newLeases(size int) (*leases, error) {
	until, err := simplelru.NewLRU[string, time.Time](size, nil)
	if err != nil {
		return nil, fmt.Errorf("cached: leases: %w", err)
	}
	return &leases{until: until}, nil
}

// take is true for one caller until the lease runs out.
func (l *leases) take(s slot, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until, held := l.until.Get(s.id); held && now.Before(until) {
		return false
	}
	l.until.Add(s.id, now.Add(s.space.lease))
	return true
}
