package lending

import (
	"fmt"
	"io"
	"log/slog"
)

// Private is embedded by types that hold personal data or secrets. However a value of such a type is printed or
// logged, by itself, behind a pointer or within another, what comes out says that it is there and nothing of what
// it is. It takes no room, and is no part of its type's JSON.
type Private struct{}

// hidden is what is shown of private values.
const hidden = "[private]"

// LogValue implements slog.LogValuer.
func (Private) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format implements fmt.Formatter, for every verb: %d and %x of a structure would show its texts too.
func (Private) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, hidden) // fmt keeps it in memory
}
