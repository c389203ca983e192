package lending

import "strings"

// MaxPageSize is the most that one page holds.
const MaxPageSize = 100

// PageRequest asks for a part of an ordered list: the First after After, or the Last before Before. The
// cursors are opaque; the service that gave them reads them. Exactly one of First and Last is over zero.
type PageRequest struct {
	First, Last   int
	After, Before string
}

// Backward reports whether the page is counted from the end.
func (p PageRequest) Backward() bool { return p.Last > 0 }

// Size is how many entries are asked for.
func (p PageRequest) Size() int { return max(p.First, p.Last) }

// Edge is an entry of a list with its place in it.
type Edge[T any] struct {
	Node   T
	Cursor string
}

// Page is a part of an ordered list, always in the list's own order.
type Page[T any] struct {
	Edges       []Edge[T]
	HasNext     bool
	HasPrevious bool
}

// upperSnake turns a provider's word into the form of our enum values: " Very poor " is VERY_POOR.
func upperSnake(word string) string {
	return strings.ToUpper(strings.Join(strings.FieldsFunc(word, func(r rune) bool {
		return r == ' ' || r == '-' || r == '_'
	}), "_"))
}
