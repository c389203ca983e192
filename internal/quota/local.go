package quota

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxLocal is how many clients are counted here at a time. The one that was silent longest is forgotten first, and
// begins anew.
const maxLocal = 10_000

// local is the count of this replica alone.
type local struct {
	now     func() time.Time
	mu      sync.Mutex
	tallies *simplelru.LRU[string, tally]
}

func newLocal(now func() time.Time, most int) (*local, error) {
	tallies, err := simplelru.NewLRU[string, tally](most, nil)
	return &local{now: now, tallies: tallies}, err
}

func (l *local) take(key string, p Plan, n, spare int) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UnixMicro()
	before, _ := l.tallies.Get(key)
	after, allowed := before.take(p, now, n, spare)
	if n != 0 && allowed {
		l.tallies.Add(key, after)
	}
	return after.verdict(p, now, n+spare, allowed)
}

func (l *local) hold(key string, p Plan, pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, _ := l.tallies.Get(key)
	l.tallies.Add(key, before.hold(p, l.now().UnixMicro(), pause.Microseconds()))
}
