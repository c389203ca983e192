package twin

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// Effect is one change of state that really took place, whether or not the client learned of it. It holds no
// personal data: Key is a reference that the client chose, or an id.
type Effect struct {
	Sequence    int       `json:"sequence"` // 1 for the first
	At          time.Time `json:"at"`
	Operation   string    `json:"operation"` // "loan.create"
	Key         string    `json:"key"`
	EntityID    string    `json:"entity_id"`
	Fingerprint string    `json:"fingerprint"` // of the request's body, see Fingerprint
}

// Effects is the log of effects.
type Effects struct {
	clock func() time.Time
	mu    sync.Mutex
	log   []Effect
	last  int
}

// Record appends an effect; Sequence and At are filled in.
func (e *Effects) Record(effect Effect) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	effect.Sequence, effect.At = e.last, e.clock().UTC()
	e.log = append(e.log, effect)
}

// List is the effects so far, in order; those of one operation where it is not "".
func (e *Effects) List(operation string) []Effect {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := []Effect{}
	for _, effect := range e.log {
		if operation == "" || operation == effect.Operation {
			list = append(list, effect)
		}
	}
	return list
}

func (e *Effects) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log, e.last = nil, 0
}

// Fingerprint is a short digest by which two requests with the same body are recognised.
func Fingerprint(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// Calls counts the calls of each route.
type Calls struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *Calls) count(method, pattern string) {
	if pattern == "" || pattern == "/" {
		pattern = method + " (no route)"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[pattern]++
}

// Counts is how often each route was called, by its pattern: "POST /v2/loans".
func (c *Calls) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make(map[string]int, len(c.counts))
	for pattern, n := range c.counts {
		counts[pattern] = n
	}
	return counts
}

func (c *Calls) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = nil
}

// IDs makes ids in the form of seed 000's ("loan_5tY8kL2mN9pQ"): the same ones in the same order for the same
// run, and never one twice.
type IDs struct {
	run  uint64
	mu   sync.Mutex
	next uint64
}

// NewIDs makes ids for a run. Two processes whose ids are kept in one database need different runs.
func NewIDs(run uint64) *IDs { return &IDs{run: run * 0xd1342543de82ef95} }

// Next is the next id: the prefix, which includes its "_", and twelve letters and digits.
func (i *IDs) Next(prefix string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.next++
	return prefix + world.Token(i.run+i.next*0x9e3779b97f4a7c15)
}
