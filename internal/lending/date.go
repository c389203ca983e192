package lending

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotDate says that a text is not a calendar day.
var ErrNotDate = errors.New("not a date of the form YYYY-MM-DD")

// Date is a calendar day without a time zone. The zero value is no date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// NewDate is the given day; it is the zero Date when there is no such day.
func NewDate(year int, month time.Month, day int) Date {
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if t.Year() != year || t.Month() != month || t.Day() != day {
		return Date{}
	}
	return Date{Year: year, Month: month, Day: day}
}

// DateOf is the day of t in UTC; the zero time has no day.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	year, month, day := t.UTC().Date()
	return Date{Year: year, Month: month, Day: day}
}

// ParseDate reads YYYY-MM-DD; anything else, and a day that does not exist, gives [ErrNotDate].
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, ErrNotDate
	}
	return DateOf(t), nil
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Time is the day's first instant in UTC.
func (d Date) Time() time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// AddDays is the day n days later; no date stays none.
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	return DateOf(d.Time().AddDate(0, 0, n))
}

// AddMonths is the same day n months later, or that month's last day where it has no such day. No date
// stays none.
func (d Date) AddMonths(n int) Date {
	if d.IsZero() {
		return d
	}
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date{Year: first.Year(), Month: first.Month(), Day: min(d.Day, last)}
}

// Before reports whether d is an earlier day than other.
func (d Date) Before(other Date) bool { return d.Time().Before(other.Time()) }

// String is YYYY-MM-DD, "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// MarshalText writes [Date.String].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDate; empty text is no date.
func (d *Date) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(text))
	return err
}

// TenureUnit is what a tenure is counted in.
type TenureUnit string

// The units of a tenure.
const (
	Days        TenureUnit = "DAY"
	Months      TenureUnit = "MONTH"
	UnitUnknown TenureUnit = "UNKNOWN"
)

// Valid reports whether u is a known unit.
func (u TenureUnit) Valid() bool { return u == Days || u == Months }

// Tenure is how long a loan runs. The zero value is not told.
type Tenure struct {
	Value int        `json:"value"`
	Unit  TenureUnit `json:"unit"`
}

// After is the day on which a loan of this tenure that began on start is over.
func (t Tenure) After(start Date) Date {
	if t.Unit == Months {
		return start.AddMonths(t.Value)
	}
	return start.AddDays(t.Value)
}
