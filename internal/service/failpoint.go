//go:build !failpoints

package service

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The times that the build for tests of crashes shortens, so that those need not wait as long as production
// does.
const (
	// leaseMargin is how much longer than its deadline an action holds its lease.
	leaseMargin = 4 * time.Second
	// completerTick is how often the completer looks for what was left unfinished.
	completerTick = time.Second
	// inboxLease is how long a delivery that is being applied is left alone by others.
	inboxLease = 10 * time.Second
)

// failpoint marks a step boundary at which tests of crashes end the process. In a normal build it is
// nothing at all.
func failpoint(string, *lending.Operation) {}
