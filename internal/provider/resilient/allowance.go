package resilient

import "sync"

const (
	// callsPerRetry is how many calls allow one retry: what is sent beyond the calls that were asked for is at most
	// a tenth of them, whatever fails.
	callsPerRetry = 10
	// mostRetries is how many can be saved up.
	mostRetries = 10
)

// allowance is how many retries a provider has left. It begins with none.
type allowance struct {
	mu    sync.Mutex
	tenth int // in parts of a retry
}

// earn counts a call that was asked for.
func (a *allowance) earn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tenth = min(a.tenth+1, mostRetries*callsPerRetry)
}

// spend takes a retry, if one is left.
func (a *allowance) spend() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tenth < callsPerRetry {
		return false
	}
	a.tenth -= callsPerRetry
	return true
}
