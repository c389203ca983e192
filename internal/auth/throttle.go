package auth

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	// freeFailures may come at once for one client, and another each failurePause.
	freeFailures = 10
	failurePause = 6 * time.Second
	// freeAddressFailures may come at once from one address, behind which may be a whole office, and another each
	// addressPause.
	freeAddressFailures = 300
	addressPause        = time.Second / 5
	// maxThrottled bounds what is remembered, whatever ids and addresses are made up.
	maxThrottled = 4096
	maxAddresses = 16384
)

// throttle counts failures by who fails: a client or an address.
type throttle struct {
	now   func() time.Time
	free  int
	pause time.Duration
	known *lru.Cache[[sha256.Size]byte, *rate.Limiter]
}

func newThrottle(now func() time.Time, free int, pause time.Duration, remembered int) *throttle {
	return &throttle{now: now, free: free, pause: pause, known: newLRU[*rate.Limiter](remembered)}
}

// newLRU is a memory of so many values, of which those go that were asked for the longest time ago.
func newLRU[V any](size int) *lru.Cache[[sha256.Size]byte, V] {
	cache, err := lru.New[[sha256.Size]byte, V](size)
	if err != nil {
		panic(err) // only a size below one is refused
	}
	return cache
}

// failed counts a failure, and is how long whoever failed should wait; 0 while they need not.
func (t *throttle) failed(who string) time.Duration {
	key := sha256.Sum256([]byte(who)) // of one size, whatever is sent as an id
	limiter, known := t.known.Get(key)
	if !known {
		limiter = rate.NewLimiter(rate.Every(t.pause), t.free)
		if other, met, _ := t.known.PeekOrAdd(key, limiter); met {
			limiter = other
		}
	}
	now := t.now()
	reservation := limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// wait is how long it takes until whoever failed may fail again; 0 while they may. It counts nothing.
func (t *throttle) wait(who string) time.Duration {
	limiter, known := t.known.Get(sha256.Sum256([]byte(who)))
	if !known {
		return 0
	}
	missing := 1 - limiter.TokensAt(t.now())
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * float64(t.pause))
}
