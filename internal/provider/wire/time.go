package wire

import (
	"strconv"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// DayMonthYear reads a day as bureaux write it, in any case: "24-aug-2023", "5-jun-1999",
// "24-Sept-2023". A day that does not exist, and a year of two digits, are no date.
func DayMonthYear[S ~string](text S) lending.Date {
	parts := strings.Split(strings.TrimSpace(string(text)), "-")
	if len(parts) != 3 || len(parts[0]) > 2 || len(parts[2]) != 4 || !digits(parts[0]) || !digits(parts[2]) {
		return lending.Date{}
	}
	day, errDay := strconv.Atoi(parts[0])
	year, errYear := strconv.Atoi(parts[2])
	month := monthNamed(parts[1])
	if errDay != nil || errYear != nil || month == 0 {
		return lending.Date{}
	}
	return lending.NewDate(year, month, day)
}

// monthNamed finds a month by its name or by a beginning of it that has three letters or more; 0 where
// there is none.
func monthNamed(name string) time.Month {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
	if len(name) < 3 {
		return 0
	}
	for month := time.January; month <= time.December; month++ {
		if strings.HasPrefix(strings.ToLower(month.String()), name) {
			return month
		}
	}
	return 0
}

// Timestamp reads an RFC 3339 time into UTC; anything else, and a year that UTC
// puts outside of 1 to 9999, is the zero time.
func Timestamp[S ~string](text S) time.Time {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	if at = at.UTC(); err != nil || at.Year() < 1 || at.Year() > 9999 {
		return time.Time{}
	}
	return at
}
