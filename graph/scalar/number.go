package scalar

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var (
	errInt         = invalid("must be a whole number from -2147483648 to 2147483647, without quotes")
	errInt64       = invalid(`must be a whole number of up to 64 bits, in quotes: "50000000"`)
	errDecimal     = invalid(`must be a decimal number in quotes: "179166.67"`)
	errDecimalSize = invalid("must have at most 18 digits, of which at most 18 stand behind the point")
)

// MarshalInt writes an Int.
func MarshalInt(v int) graphql.Marshaler { return raw(strconv.Itoa(v)) }

// UnmarshalInt reads an Int: 32 bits, and no text; null is 0.
func UnmarshalInt(v any) (int, error) {
	var n int64
	switch v := v.(type) {
	case nil:
	case int: // the default of a directive's argument
		n = int64(v)
	case int64:
		n = v
	case json.Number:
		parsed, err := v.Int64()
		if err != nil {
			return 0, errInt
		}
		n = parsed
	default:
		return 0, errInt
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, errInt
	}
	return int(n), nil
}

// MarshalInt64 writes an Int64, as text.
func MarshalInt64(v int64) graphql.Marshaler { return graphql.MarshalString(strconv.FormatInt(v, 10)) }

// UnmarshalInt64 reads an Int64 from text or a whole number; null is 0.
func UnmarshalInt64(v any) (int64, error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case int64:
		return v, nil
	case json.Number:
		return parseInt64(v.String())
	case string:
		return parseInt64(v)
	}
	return 0, errInt64
}

func parseInt64(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errInt64
	}
	return n, nil
}

// MarshalDecimal writes a Decimal, as text with all its digits.
func MarshalDecimal(v lending.Decimal) graphql.Marshaler { return graphql.MarshalString(v.String()) }

// UnmarshalDecimal reads a Decimal from its digits; null is 0. A number with a fraction that stands in the
// document itself is refused: by the time it gets here its digits have gone through a float.
func UnmarshalDecimal(v any) (lending.Decimal, error) {
	switch v := v.(type) {
	case nil:
		return lending.Decimal{}, nil
	case string:
		return parseDecimal(v)
	case json.Number:
		return parseDecimal(v.String())
	case int64:
		return lending.NewDecimal(v, 0), nil
	}
	return lending.Decimal{}, errDecimal
}

func parseDecimal(text string) (lending.Decimal, error) {
	d, err := lending.ParseDecimal(text)
	switch {
	case errors.Is(err, lending.ErrOutOfRange):
		return lending.Decimal{}, errDecimalSize
	case err != nil:
		return lending.Decimal{}, errDecimal
	}
	return d, nil
}

// MarshalDecimalText writes a Decimal that is text already, such as [lending.Money.Amount]; "" is null.
func MarshalDecimalText(v string) graphql.Marshaler { return MarshalText(v) }

// UnmarshalDecimalText reads a Decimal as text in plain notation; null is "".
func UnmarshalDecimalText(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	d, err := UnmarshalDecimal(v)
	if err != nil {
		return "", err
	}
	return d.String(), nil
}

// raw is JSON that is text already. A write error shows when the response as a whole is
// written; this signature has no place for it.
type raw string

// MarshalGQL writes the text.
func (r raw) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, string(r)) }

// MarshalRate writes a Float that is held as its digits, so that no float is needed for it.
func MarshalRate(v lending.Decimal) graphql.Marshaler { return raw(v.Normalize().String()) }

// UnmarshalRate reads a Float from its digits; null is 0.
func UnmarshalRate(v any) (lending.Decimal, error) { return UnmarshalDecimal(v) }
