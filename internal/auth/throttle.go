package auth

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	// freeFailures may come at once from one client, and another each failurePause.
	freeFailures = 10
	failurePause = 6 * time.Second
	// maxThrottled bounds what is remembered, whatever ids are made up.
	maxThrottled = 4096
)

// throttle counts failures by client.
type throttle struct {
	now     func() time.Time
	clients *lru.Cache[[sha256.Size]byte, *rate.Limiter]
}

func newThrottle(now func() time.Time) *throttle {
	clients, err := lru.New[[sha256.Size]byte, *rate.Limiter](maxThrottled)
	if err != nil {
		panic(err) // only a size below one is refused
	}
	return &throttle{now: now, clients: clients}
}

// failed counts a failure, and is how long the client should wait; 0 while it need not.
func (t *throttle) failed(id string) time.Duration {
	key := sha256.Sum256([]byte(id)) // of one size, whatever is sent as an id
	limiter, known := t.clients.Get(key)
	if !known {
		limiter = rate.NewLimiter(rate.Every(failurePause), freeFailures)
		if other, met, _ := t.clients.PeekOrAdd(key, limiter); met {
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
