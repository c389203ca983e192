package scalar_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/graph/scalar"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

func written(m graphql.Marshaler) string {
	var b strings.Builder
	m.MarshalGQL(&b)
	return b.String()
}

func TestZeroIsWrittenAsNull(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]graphql.Marshaler{
		"String": scalar.MarshalText(""), "ID": scalar.MarshalID(""), "PhoneNumber": scalar.MarshalPhoneNumber(""),
		"CurrencyCode": scalar.MarshalCurrencyCode(""), "Date": scalar.MarshalDate(lending.Date{}),
		"DateTime": scalar.MarshalDateTime(time.Time{}), "JSON": scalar.MarshalJSON(nil),
		"Decimal as text": scalar.MarshalDecimalText(""), "an enum": scalar.MarshalLoanStatus(""),
		"JSON that is none": scalar.MarshalJSON([]byte(`{"a":`)), "Upload": scalar.MarshalUpload(service.File{}),
	} {
		if m != graphql.Null {
			t.Errorf("%s is written as %s", name, written(m))
		}
	}
}

func TestValuesAreWritten(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]graphql.Marshaler{
		`"a\"b"`:                     scalar.MarshalText(`a"b`),
		`-5`:                         scalar.MarshalInt(-5),
		`"9223372036854775807"`:      scalar.MarshalInt64(math.MaxInt64),
		`"0.0250"`:                   scalar.MarshalDecimal(lending.MustDecimal("0.0250")),
		`0.025`:                      scalar.MarshalRate(lending.MustDecimal("0.0250")),
		`"2026-05-16"`:               scalar.MarshalDate(lending.NewDate(2026, 5, 16)),
		`"2026-05-16T08:30:00.000Z"`: scalar.MarshalDateTime(time.Date(2026, 5, 16, 9, 30, 0, 0, time.FixedZone("WAT", 3600))),
		`"PT0S"`:                     scalar.MarshalDuration(0),
		`"PT0.012S"`:                 scalar.MarshalDuration(12 * time.Millisecond),
		`"PT26H5M0.5S"`:              scalar.MarshalDuration(26*time.Hour + 5*time.Minute + 500*time.Millisecond),
		`"NGN"`:                      scalar.MarshalCurrencyCode(lending.NGN),
		`"DISBURSED"`:                scalar.MarshalLoanStatus(lending.LoanDisbursed),
		`"UNKNOWN"`:                  scalar.MarshalLoanStatus("paid_out_twice"),
		`{"a":1}`:                    scalar.MarshalJSON([]byte(`{"a":1}`)),
		`"READ_PII"`:                 scalar.MarshalScope("read:pii"),
	} {
		if got := written(m); got != want {
			t.Errorf("%s is written as %s", want, got)
		}
	}
}

// read lets one table hold scalars of many Go types.
func read[T any](f func(any) (T, error)) func(any) (any, error) {
	return func(v any) (any, error) {
		got, err := f(v)
		return got, err
	}
}

func TestValuesAreRead(t *testing.T) {
	t.Parallel()
	type reader = func(any) (any, error)
	tests := []struct {
		name string
		read reader
		in   any
		want any
	}{
		{"text", read(scalar.UnmarshalText), "Ada", "Ada"},
		{"no text", read(scalar.UnmarshalText), nil, ""},
		{"an id", read(scalar.UnmarshalID), "TG9hbjox", "TG9hbjox"},
		{"an id that is a number", read(scalar.UnmarshalID), json.Number("7"), "7"},
		{"an id that is a number in the document", read(scalar.UnmarshalID), int64(7), "7"},
		{"the greatest Int", read(scalar.UnmarshalInt), json.Number("2147483647"), math.MaxInt32},
		{"the least Int", read(scalar.UnmarshalInt), int64(math.MinInt32), math.MinInt32},
		{"an Int64 in quotes", read(scalar.UnmarshalInt64), "-9223372036854775808", int64(math.MinInt64)},
		{"an Int64 without", read(scalar.UnmarshalInt64), json.Number("9223372036854775807"), int64(math.MaxInt64)},
		{"a Decimal in quotes", read(scalar.UnmarshalDecimal), "179166.67", lending.MustDecimal("179166.67")},
		{"a Decimal without", read(scalar.UnmarshalDecimal), json.Number("0.10"), lending.MustDecimal("0.10")},
		{"a whole Decimal in the document", read(scalar.UnmarshalDecimal), int64(500000), lending.MustDecimal("500000")},
		{"a Decimal as text", read(scalar.UnmarshalDecimalText), "1e3", "1000"},
		{"a day", read(scalar.UnmarshalDate), "2028-02-29", lending.NewDate(2028, 2, 29)},
		{"a moment elsewhere", read(scalar.UnmarshalDateTime), "2026-05-16T10:30:00.5+01:00", time.Date(2026, 5, 16, 9, 30, 0, 500_000_000, time.UTC)},
		{"minutes", read(scalar.UnmarshalDuration), "PT5M", 5 * time.Minute},
		{"a day and a half", read(scalar.UnmarshalDuration), "P1DT12H", 36 * time.Hour},
		{"two weeks", read(scalar.UnmarshalDuration), "P2W", 14 * 24 * time.Hour},
		{"a part of a second", read(scalar.UnmarshalDuration), "PT0.25S", 250 * time.Millisecond},
		{"a nanosecond", read(scalar.UnmarshalDuration), "PT0.000000001S", time.Nanosecond},
		{"a telephone number", read(scalar.UnmarshalPhoneNumber), "+234 801-234 5678", "+2348012345678"},
		{"a currency", read(scalar.UnmarshalCurrencyCode), "INR", lending.INR},
		{"an enum", read(scalar.UnmarshalLoanStatus), "DISBURSED", lending.LoanDisbursed},
		{"no enum", read(scalar.UnmarshalLoanStatus), nil, lending.LoanStatus("")},
		{"JSON", read(scalar.UnmarshalJSON), map[string]any{"a": json.Number("1.50")}, []byte(`{"a":1.50}`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.read(test.in)
			same := cmp.Comparer(func(a, b lending.Decimal) bool { return a == b })
			if diff := cmp.Diff(test.want, got, same); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestWhatIsNoSuchValueIsRefused(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]struct {
		read   func(any) (any, error)
		inputs []any
	}{
		"String":       {read(scalar.UnmarshalText), []any{json.Number("1"), true, int64(1), "a\x00b", []any{}}},
		"ID":           {read(scalar.UnmarshalID), []any{1.5, json.Number("1.5"), true}},
		"Int":          {read(scalar.UnmarshalInt), []any{"1", json.Number("2147483648"), int64(-2147483649), json.Number("1.5"), 1.0, true}},
		"Int64":        {read(scalar.UnmarshalInt64), []any{"9223372036854775808", "1.5", "", json.Number("1.5"), 1.0, true}},
		"Decimal":      {read(scalar.UnmarshalDecimal), []any{0.1, "", "1,5", "NaN", "0x10", "1234567890123456789012", json.Number("1e99"), true}},
		"Date":         {read(scalar.UnmarshalDate), []any{"2026-02-29", "16.05.2026", "", "2026-05-16T00:00:00Z", json.Number("20260516")}},
		"DateTime":     {read(scalar.UnmarshalDateTime), []any{"2026-07-01", "2026-07-01T10:00:00", "", json.Number("1778923800")}},
		"Duration":     {read(scalar.UnmarshalDuration), []any{"", "P", "PT", "5M", "P1Y", "P1M", "-PT5M", "PT-5M", "PT5", "PTM", "PT5M5M", "PT5S5M", "PT1.5M", "PT.5S", "PT1.S", "PT1.0000000001S", "P1DT", "PT+5M", "P999999999W", "PT9223372036.9S", "P106751DT24H", int64(5)}},
		"PhoneNumber":  {read(scalar.UnmarshalPhoneNumber), []any{"", "08012345678", "+0801234567", "+123456", "+1234567890123456", "+23480x2345678", json.Number("2348012345678")}},
		"CurrencyCode": {read(scalar.UnmarshalCurrencyCode), []any{"", "ngn", "XXX", "NAIRA", json.Number("566")}},
		"enum":         {read(scalar.UnmarshalLoanStatus), []any{"", "disbursed", "NOPE", json.Number("1"), true}},
		"Scope":        {read(scalar.UnmarshalScope), []any{nil, "", "read:loans"}},
		"Upload":       {read(scalar.UnmarshalUpload), []any{nil, "<upload>", graphql.Upload{}}},
	} {
		for _, input := range refused.inputs {
			got, err := refused.read(input)
			if err == nil {
				t.Errorf("%s takes %#v as %v", name, input, got)
				continue
			}
			if text, ok := input.(string); ok && len(text) > 3 && strings.Contains(err.Error(), text) {
				t.Errorf("%s repeats %q in its error: %v", name, text, err)
			}
		}
	}
}

func TestErrorsOfEnumsSayWhatToSend(t *testing.T) {
	t.Parallel()
	_, err := scalar.UnmarshalTenureUnit("WEEK")
	if err == nil || err.Error() != "must be one of DAY, MONTH, UNKNOWN" {
		t.Errorf("a short enum: %v", err)
	}
	_, err = scalar.UnmarshalEventType("LOAN")
	if err == nil || err.Error() != "must be a value of the enum EventType" {
		t.Errorf("a long enum: %v", err)
	}
}

func TestDurationsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Min(0).Draw(t, "nanoseconds"))
		text := strings.Trim(written(scalar.MarshalDuration(want)), `"`)
		if got, err := scalar.UnmarshalDuration(text); got != want || err != nil {
			t.Fatalf("%d is written %s and read %d, %v", want, text, got, err)
		}
	})
}

func TestDecimalsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := lending.NewDecimal(rapid.Int64Min(math.MinInt64+1).Draw(t, "digits"), uint8(rapid.IntRange(0, 18).Draw(t, "scale")))
		text := strings.Trim(written(scalar.MarshalDecimal(want)), `"`)
		if got, err := scalar.UnmarshalDecimal(text); got != want || err != nil {
			t.Fatalf("%v is written %s and read %v, %v", want, text, got, err)
		}
	})
}
