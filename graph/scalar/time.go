package scalar

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var (
	errDate     = invalid(`must be a day that exists, as "2026-05-16"`)
	errDateTime = invalid(`must be a moment with its offset, as "2026-05-16T09:30:00Z"`)
	errDuration = invalid(`must be a length of time in weeks, days, hours, minutes and seconds, as "PT5M"`)
)

// dateTimeLayout is RFC 3339 in UTC with milliseconds.
const dateTimeLayout = "2006-01-02T15:04:05.000Z"

// MarshalDate writes a Date; no date is null.
func MarshalDate(v lending.Date) graphql.Marshaler { return MarshalText(v.String()) }

// UnmarshalDate reads a Date; null is no date.
func UnmarshalDate(v any) (lending.Date, error) {
	if v == nil {
		return lending.Date{}, nil
	}
	text, ok := v.(string)
	if !ok {
		return lending.Date{}, errDate
	}
	date, err := lending.ParseDate(text)
	if err != nil {
		return lending.Date{}, errDate
	}
	return date, nil
}

// MarshalDateTime writes a DateTime in UTC with milliseconds; the zero time is null.
func MarshalDateTime(v time.Time) graphql.Marshaler {
	if v.IsZero() {
		return graphql.Null
	}
	return graphql.MarshalString(v.UTC().Format(dateTimeLayout))
}

// UnmarshalDateTime reads a DateTime of any offset; null is the zero time.
func UnmarshalDateTime(v any) (time.Time, error) {
	if v == nil {
		return time.Time{}, nil
	}
	text, ok := v.(string)
	if !ok {
		return time.Time{}, errDateTime
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	if err != nil {
		return time.Time{}, errDateTime
	}
	return t.UTC(), nil
}

// MarshalDuration writes a Duration in hours, minutes and seconds. None that this service gives is
// negative.
func MarshalDuration(v time.Duration) graphql.Marshaler {
	return graphql.MarshalString(formatDuration(v))
}

func formatDuration(v time.Duration) string {
	var b strings.Builder
	b.WriteString("PT")
	if hours := v / time.Hour; hours > 0 {
		b.WriteString(strconv.FormatInt(int64(hours), 10) + "H")
	}
	if minutes := v % time.Hour / time.Minute; minutes > 0 {
		b.WriteString(strconv.FormatInt(int64(minutes), 10) + "M")
	}
	if rest := v % time.Minute; rest > 0 || v == 0 {
		b.WriteString(lending.NewDecimal(int64(rest), 9).Normalize().String() + "S")
	}
	return b.String()
}

// UnmarshalDuration reads a Duration that is not negative, down to the nanosecond; null is 0. Years and
// months are refused, because they have no fixed length.
func UnmarshalDuration(v any) (time.Duration, error) {
	if v == nil {
		return 0, nil
	}
	text, ok := v.(string)
	if !ok || len(text) > 40 {
		return 0, errDuration
	}
	rest, ok := strings.CutPrefix(text, "P")
	days, clock, hasClock := strings.Cut(rest, "T")
	if !ok || hasClock && clock == "" || !hasClock && days == "" {
		return 0, errDuration
	}
	total, ok := addParts(0, days, []durationUnit{{"W", 7 * 24 * time.Hour}, {"D", 24 * time.Hour}})
	if !ok {
		return 0, errDuration
	}
	if total, ok = addParts(total, clock, []durationUnit{{"H", time.Hour}, {"M", time.Minute}, {"S", time.Second}}); !ok {
		return 0, errDuration
	}
	return total, nil
}

type durationUnit struct {
	letter string
	length time.Duration
}

// addParts adds the parts of text to total: a number and a unit each, in the order of the units, each
// unit at most once. It is false where the text is not made so, or the sum does not fit.
func addParts(total time.Duration, text string, units []durationUnit) (time.Duration, bool) {
	for _, unit := range units {
		number, rest, found := strings.Cut(text, unit.letter)
		if !found {
			continue
		}
		text = rest
		part, ok := durationPart(number, unit.length)
		if !ok || total > math.MaxInt64-part {
			return 0, false
		}
		total += part
	}
	return total, text == ""
}

// durationPart is a number of units. Seconds alone may have a fraction, of up to nine digits.
func durationPart(number string, unit time.Duration) (time.Duration, bool) {
	whole, fraction, hasFraction := strings.Cut(number, ".")
	if hasFraction && (unit != time.Second || fraction == "" || len(fraction) > 9) {
		return 0, false
	}
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || n > uint64(math.MaxInt64/unit) {
		return 0, false
	}
	part := time.Duration(n) * unit
	if !hasFraction {
		return part, true
	}
	nanos, err := strconv.ParseUint((fraction + "00000000")[:9], 10, 63)
	if err != nil || part > math.MaxInt64-time.Duration(nanos) {
		return 0, false
	}
	return part + time.Duration(nanos), true
}
