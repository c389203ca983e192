package resilient

import "sync"

const (
	// callsPerRetry is how many calls allow one retry: what is sent beyond the calls that were asked for is a tenth
	// of them at most, whatever fails.
	callsPerRetry = 10
	// mostRetries is how many can be saved up. It is one, so that an outage after a long calm has no more of them
	// than one in calm's absence.
	mostRetries = 1
)

// allowance is how many retries a provider has left. It begins with none.
type allowance struct {
	most   int // retries that can be saved up
	mu     sync.Mutex
	tenths int // of a retry
}

// earn counts a call that was asked for.
func (a *allowance) earn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tenths = min(a.tenths+1, a.most*callsPerRetry)
}

// spend takes a retry, if one is left.
func (a *allowance) spend() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tenths < callsPerRetry {
		return false
	}
	a.tenths -= callsPerRetry
	return true
}
