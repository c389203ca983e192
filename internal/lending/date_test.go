package lending_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func anyDate(t *rapid.T) lending.Date {
	days := rapid.IntRange(1, 365*400).Draw(t, "days")
	return lending.DateOf(time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, days))
}

func day(text string) lending.Date {
	d, err := lending.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestADateSurvivesItsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := anyDate(t)
		if got, err := lending.ParseDate(d.String()); err != nil || got != d {
			t.Fatalf("%s became %s, %v", d, got, err)
		}
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var got lending.Date
		if err := json.Unmarshal(data, &got); err != nil || got != d {
			t.Fatalf("%s became %s, %v", data, got, err)
		}
		if lending.DateOf(d.Time()) != d || lending.NewDate(d.Year, d.Month, d.Day) != d {
			t.Fatalf("%s does not survive its parts", d)
		}
	})
}

func TestOnlyCalendarDaysAreDates(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31", "26-01-01", "2026-1-1", "2026/01/01",
		"2026-01-01T00:00:00Z", "01-01-2026", " 2026-01-01", "2026-01-01 ",
	} {
		if d, err := lending.ParseDate(text); !errors.Is(err, lending.ErrNotDate) || !d.IsZero() {
			t.Errorf("%q became %s, %v", text, d, err)
		}
	}
	for _, d := range []lending.Date{lending.NewDate(2026, 2, 29), lending.NewDate(2026, 13, 1), lending.NewDate(2026, 1, 0), lending.NewDate(2026, 0, 1)} {
		if !d.IsZero() {
			t.Errorf("%s was made of no day", d)
		}
	}
	if d := day("2028-02-29"); d != lending.NewDate(2028, time.February, 29) {
		t.Errorf("a leap day became %s", d)
	}
}

func TestNoDateStaysNoDate(t *testing.T) {
	t.Parallel()
	var none lending.Date
	if none.String() != "" || !none.Time().IsZero() || lending.DateOf(time.Time{}) != none {
		t.Error("no date is some date")
	}
	if none.AddDays(1) != none || none.AddMonths(1) != none {
		t.Errorf("no date and a day is %v, and a month %v", none.AddDays(1), none.AddMonths(1))
	}
	data, err := json.Marshal(none)
	if err != nil || string(data) != `""` {
		t.Errorf("in JSON it is %s, %v", data, err)
	}
	got := day("2026-05-01")
	if err := json.Unmarshal(data, &got); err != nil || got != none {
		t.Errorf("from JSON it is %s, %v", got, err)
	}
}

func TestADayIsThatOfUTC(t *testing.T) {
	t.Parallel()
	lagos := time.FixedZone("WAT", 3600)
	if d := lending.DateOf(time.Date(2026, 1, 1, 0, 30, 0, 0, lagos)); d != day("2025-12-31") {
		t.Errorf("half past midnight in Lagos is on %s", d)
	}
}

func TestDaysAndMonthsLater(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from string
		unit lending.TenureUnit
		n    int
		want string
	}{
		{"2026-01-31", lending.Months, 1, "2026-02-28"},
		{"2028-01-31", lending.Months, 1, "2028-02-29"},
		{"2026-01-31", lending.Months, 2, "2026-03-31"},
		{"2026-12-15", lending.Months, 1, "2027-01-15"},
		{"2026-03-31", lending.Months, -1, "2026-02-28"},
		{"2026-08-31", lending.Months, 18, "2028-02-29"},
		{"2026-05-05", lending.Months, 0, "2026-05-05"},
		{"2026-12-31", lending.Days, 1, "2027-01-01"},
		{"2028-02-28", lending.Days, 1, "2028-02-29"},
		{"2026-01-01", lending.Days, 90, "2026-04-01"},
		{"2026-01-01", lending.Days, -1, "2025-12-31"},
	} {
		if got := (lending.Tenure{Value: test.n, Unit: test.unit}).After(day(test.from)); got != day(test.want) {
			t.Errorf("%d %s after %s is %s, want %s", test.n, test.unit, test.from, got, test.want)
		}
	}
}

func TestAMonthLaterIsInThatMonth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, n := anyDate(t), rapid.IntRange(-600, 600).Draw(t, "months")
		got := d.AddMonths(n)
		if lending.NewDate(got.Year, got.Month, got.Day) != got {
			t.Fatalf("%d months after %s is %v, which is no day", n, d, got)
		}
		if months := (got.Year-d.Year)*12 + int(got.Month-d.Month); months != n {
			t.Fatalf("%d months after %s is %s", n, d, got)
		}
		if got.Day != d.Day && (got.Day > d.Day || got.AddDays(1).Month == got.Month) {
			t.Fatalf("%d months after %s is %s, neither the same day nor the last", n, d, got)
		}
		if days := rapid.IntRange(-9999, 9999).Draw(t, "days"); d.AddDays(days).AddDays(-days) != d || d.AddDays(days).Before(d) != (days < 0) {
			t.Fatalf("%d days after %s is %s", days, d, d.AddDays(days))
		}
	})
}
