//go:build failpoints

package service

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The times that failpoint.go has for production, shorter: a crash is found out soon.
const (
	leaseMargin   = time.Second
	completerTick = 250 * time.Millisecond
	inboxLease    = 2 * time.Second
)

// failpoint ends the process, as kill -9 does, or stops it, as kill -STOP does, where the environment
// variable CREDITGRAPH_FAILPOINT says so: [stop:]NAME[@N][=KEY]. NAME is one of
//
//	before-intent     nothing is written down
//	after-intent      the operation is written down, nothing is sent
//	after-send        the provider's answer is there, nothing of it is written down
//	mid-commit        the transaction has the outcome, and not yet the events
//	before-commit     the transaction has everything, and is not committed
//	after-commit      everything is written down, and nobody was told
//	after-claim       the completer has taken the operation over
//	delivery-stored   a webhook is stored, and not acknowledged
//	delivery-applied  the transaction has what a webhook tells, and not yet its event
//
// It happens at the Nth passage, the first without N; with KEY, passages of the operation with that
// idempotency key alone count. Webhooks have no operation.
func failpoint(name string, op *lending.Operation) {
	trap := armed()
	if name != trap.name || trap.key != "" && (op == nil || trap.key != op.Key) || trap.passages.Add(1) != trap.at {
		return
	}
	if !trap.stops {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing more happens in this process
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	<-continued // not a step further in the moment before the signal arrives
}

// trap is what CREDITGRAPH_FAILPOINT asks for.
type trap struct {
	name, key string
	stops     bool
	at        int64
	passages  atomic.Int64
}

// armed is the process's trap. It is read once, as whoever starts the process cannot change it later.
var armed = sync.OnceValue(func() *trap {
	text, key, _ := strings.Cut(os.Getenv("CREDITGRAPH_FAILPOINT"), "=")
	text, stops := strings.CutPrefix(text, "stop:")
	name, passage, counted := strings.Cut(text, "@")
	t := &trap{name: name, key: key, stops: stops, at: 1}
	if counted {
		n, err := strconv.ParseInt(passage, 10, 64)
		if err != nil || n < 1 {
			panic(fmt.Sprintf("CREDITGRAPH_FAILPOINT: %q is no number of a passage", passage))
		}
		t.at = n
	}
	return t
})
