package wire

import (
	"strconv"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Text is a string, or a number or boolean as it was written; trimmed. Null, an object and an array
// are "".
type Text string

// UnmarshalJSON never fails.
func (t *Text) UnmarshalJSON(data []byte) error {
	text, _ := scalar(data)
	*t = Text(text)
	return nil
}

// String is the text.
func (t Text) String() string { return string(t) }

// Number is a JSON number, or a string with one ("500000", "139,691", "1,39,691.50"), with its digits
// kept. The words for nothing ("na", "-", "", null) are no number; anything else is a malformed one.
type Number struct {
	literal   string
	malformed bool
}

// UnmarshalJSON never fails.
func (n *Number) UnmarshalJSON(data []byte) error {
	*n = Number{}
	text, ok := scalar(data)
	switch {
	case !ok && !isNull(data):
		n.malformed = true
	case ok:
		*n = NumberOf(text)
	}
	return nil
}

// NumberOf reads a number from text.
func NumberOf(text string) Number {
	text = strings.TrimSpace(text)
	if absent(text) {
		return Number{}
	}
	if plain, ok := ParseGrouped(text); ok {
		return Number{literal: plain}
	}
	if _, err := lending.ParseDecimal(text); err == nil || isJSONNumber(text) {
		return Number{literal: text} // with an exponent
	}
	return Number{malformed: true}
}

// isJSONNumber keeps numbers that lending cannot hold apart from text that is no number: the one is out
// of range when it is used, the other malformed.
func isJSONNumber(text string) bool {
	return strings.Trim(text, "+-.0123456789eE") == "" && strings.ContainsAny(text, "0123456789") &&
		strings.Trim(text[:1], "+-.0123456789") == ""
}

// IsSet reports whether a number was told.
func (n Number) IsSet() bool { return n.literal != "" }

// Malformed reports whether something was told that is no number.
func (n Number) Malformed() bool { return n.malformed }

// Literal is the number as it was written, without the separators of thousands; "" where there is none.
func (n Number) Literal() string { return n.literal }

// Decimal is the exact number; ok is false, and the pointer nil, where there is none that can be held.
func (n Number) Decimal() (d *lending.Decimal, ok bool) {
	if n.literal == "" {
		return nil, false
	}
	v, err := lending.ParseDecimal(n.literal)
	if err != nil {
		return nil, false
	}
	return &v, true
}

// Count is a whole number from 0 up to what a 32-bit integer holds: 6, "6", 6.0, "1,024". Anything else
// is not told.
type Count struct{ value *int }

// UnmarshalJSON never fails.
func (c *Count) UnmarshalJSON(data []byte) error {
	var n Number
	_ = n.UnmarshalJSON(data) // never fails
	c.value = whole(n)
	return nil
}

// Int is the count; nil where it was not told.
func (c Count) Int() *int { return c.value }

// Or is the count, or fallback where it was not told.
func (c Count) Or(fallback int) int {
	if c.value == nil {
		return fallback
	}
	return *c.value
}

func whole(n Number) *int {
	d, ok := n.Decimal()
	if !ok {
		return nil
	}
	v, err := strconv.ParseInt(d.Normalize().String(), 10, 32)
	if err != nil || v < 0 {
		return nil
	}
	return new(int(v))
}

// Bool is true or false, also as a string ("true", "yes", "y", "1") or a number (1, 0).
type Bool struct{ value, set bool }

// UnmarshalJSON never fails.
func (b *Bool) UnmarshalJSON(data []byte) error {
	*b = Bool{}
	text, _ := scalar(data)
	switch strings.ToLower(text) {
	case "true", "yes", "y", "1":
		*b = Bool{value: true, set: true}
	case "false", "no", "n", "0":
		*b = Bool{set: true}
	}
	return nil
}

// True reports whether true was told.
func (b Bool) True() bool { return b.value }

// IsSet reports whether anything was told.
func (b Bool) IsSet() bool { return b.set }

// Millis is a time as milliseconds since the epoch, a number or a string with one.
type Millis struct{ at time.Time }

// UnmarshalJSON never fails.
func (m *Millis) UnmarshalJSON(data []byte) error {
	*m = Millis{}
	var n Number
	_ = n.UnmarshalJSON(data) // never fails
	d, ok := n.Decimal()
	if !ok {
		return nil
	}
	digits, _, _ := strings.Cut(d.Normalize().String(), ".")
	ms, err := strconv.ParseInt(digits, 10, 64)
	if err == nil && ms > 0 && ms <= lastMillis {
		m.at = time.UnixMilli(ms).UTC()
	}
	return nil
}

// lastMillis is the last millisecond of the year 9999, the last that RFC 3339 can write.
const lastMillis = 253402300799999

// Time is the time in UTC; zero where none was told that makes sense.
func (m Millis) Time() time.Time { return m.at }
