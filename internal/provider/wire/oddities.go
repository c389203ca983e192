package wire

import (
	"log/slog"
	"sync"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// maxOddities bounds what a provider that makes up words can fill our memory and log with.
const maxOddities = 200

// withheld stands in the log for what is no [Word], and so may be personal.
const withheld = "(withheld)"

// Oddities warns the log of what a provider sends and we do not know, each once, so that somebody adds it to
// our tables. It is safe for concurrent use.
type Oddities struct {
	log *slog.Logger

	mu   sync.Mutex
	seen map[oddity]bool
}

// oddity is what is reported once.
type oddity struct{ message, field, word string }

// NewOddities makes Oddities for the answers of one provider, which every warning names.
func NewOddities(log *slog.Logger, provider lending.Provider) *Oddities {
	return &Oddities{log: log.With("provider", provider.Slug()), seen: map[oddity]bool{}}
}

// Word reports a word of a field that is not in our tables. What is no [Word] is reported without being
// repeated.
func (o *Oddities) Word(field, word string) {
	if word = Word(Text(word)); word == "" {
		word = withheld
	}
	if odd := (oddity{"unknown word", field, word}); o.isNew(odd) {
		o.log.Warn(odd.message, "field", field, "word", word)
	}
}

// Value reports by a fixed message what is odd about a field. The value itself is not told.
func (o *Oddities) Value(message, field string) {
	if o.isNew(oddity{message: message, field: field}) {
		o.log.Warn(message, "field", field)
	}
}

// isNew reports whether an oddity is the first of its kind, and notes it.
func (o *Oddities) isNew(odd oddity) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[odd] || len(o.seen) >= maxOddities {
		return false
	}
	o.seen[odd] = true
	return true
}
