package telemetry

import "sync"

const (
	// maxNames is how many names of operations metrics have where any document may be sent.
	maxNames = 100
	// maxNamesOfClient is how many of them one client can bring in, so that none takes the place of all others.
	maxNamesOfClient = 25

	anonymous = "anonymous"
	other     = "other"
)

// Names decides which names of operations may be labels. A client makes names up as it likes, and each label is
// memory that is never given back: so there is a bounded number.
type Names struct {
	trusted map[string]bool // nil where any document may be sent

	mu       sync.Mutex
	known    map[string]bool
	byClient map[string]int
}

// NewNames lets through the names of a list, and no others; the first that come where the list is nil.
func NewNames(trusted []string) *Names {
	n := &Names{known: map[string]bool{}, byClient: map[string]int{}}
	if trusted != nil {
		n.trusted = make(map[string]bool, len(trusted))
		for _, name := range trusted {
			n.trusted[name] = true
		}
	}
	return n
}

// Label is the name of a client's operation as it may stand in a metric.
func (n *Names) Label(client, name string) string {
	if name == "" {
		return anonymous
	}
	if n.trusted != nil {
		if n.trusted[name] {
			return name
		}
		return other
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.known[name]:
		return name
	case len(n.known) >= maxNames || n.byClient[client] >= maxNamesOfClient:
		return other
	}
	n.known[name] = true
	n.byClient[client]++ // at most maxNames clients are ever counted
	return name
}
