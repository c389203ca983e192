package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// read decodes JSON into a wire type, which never fails.
func read[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return v
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]wire.Text{
		`" NGN "`: "NGN", `""`: "", `null`: "", `12345678901`: "12345678901", `1.50`: "1.50", `true`: "true",
		`{"a":1}`: "", `["a"]`: "", `"na"`: "na",
	} {
		if got := read[wire.Text](t, in); got != want {
			t.Errorf("%s = %q, want %q", in, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, literal string
		malformed   bool
	}{
		{in: `500000`, literal: "500000"},
		{in: `179166.67`, literal: "179166.67"},
		{in: `1e6`, literal: "1e6"},
		{in: `"500000"`, literal: "500000"},
		{in: `" 139,691 "`, literal: "139691"},
		{in: `"1,39,691"`, literal: "139691"},
		{in: `"-2.50"`, literal: "-2.50"},
		{in: `"007"`, literal: "007"},
		{in: `null`},
		{in: `""`},
		{in: `"na"`},
		{in: `"N/A"`},
		{in: `"-"`},
		{in: `" "`},
		{in: `"13,9691"`, malformed: true},
		{in: `"1,5"`, malformed: true},
		{in: `"abc"`, malformed: true},
		{in: `"e"`, malformed: true},
		{in: `true`, malformed: true},
		{in: `{}`, malformed: true},
		{in: `[1]`, malformed: true},
		{in: `1e400`, literal: "1e400"},
		{in: `99999999999999999999999999`, literal: "99999999999999999999999999"},
	} {
		n := read[wire.Number](t, c.in)
		if n.Literal() != c.literal || n.Malformed() != c.malformed || n.IsSet() != (c.literal != "") {
			t.Errorf("%s = literal %q malformed %v set %v", c.in, n.Literal(), n.Malformed(), n.IsSet())
		}
	}
}

func TestNumberDecimal(t *testing.T) {
	t.Parallel()
	if d, ok := read[wire.Number](t, `0.03`).Decimal(); !ok || d.String() != "0.03" {
		t.Errorf("0.03 = %v, %v", d, ok)
	}
	for _, in := range []string{`null`, `"x"`, `1e400`} {
		if d, ok := read[wire.Number](t, in).Decimal(); ok || d != nil {
			t.Errorf("%s = %v, %v; want none", in, d, ok)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]*int{
		`6`: new(6), `"6"`: new(6), `6.0`: new(6), `"1,024"`: new(1024), `"011"`: new(11), `0`: new(0), `1e3`: new(1000),
		`""`: nil, `null`: nil, `"na"`: nil, `6.5`: nil, `-1`: nil, `2147483648`: nil, `1e400`: nil, `[]`: nil,
	} {
		got := read[wire.Count](t, in)
		if diff := cmp.Diff(want, got.Int()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
		if want == nil && got.Or(7) != 7 || want != nil && got.Or(7) != *want {
			t.Errorf("%s.Or(7) = %d", in, got.Or(7))
		}
	}
}

func TestBool(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]bool{
		`true`: {true, true}, `"Yes"`: {true, true}, `1`: {true, true}, `false`: {false, true}, `"0"`: {false, true},
		`null`: {}, `"perhaps"`: {}, `2`: {}, `{}`: {},
	} {
		got := read[wire.Bool](t, in)
		if got.True() != want[0] || got.IsSet() != want[1] {
			t.Errorf("%s = %v, set %v", in, got.True(), got.IsSet())
		}
	}
}

func TestMillis(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 28, 3, 38, 39, 200_000_000, time.UTC)
	for in, want := range map[string]time.Time{
		`1716867519200`: at, `"1716867519200"`: at, `1716867519200.7`: at, `1.7168675192e12`: at,
		`0`: {}, `-5`: {}, `null`: {}, `"x"`: {}, `999999999999999999`: {}, `1e300`: {},
	} {
		if got := read[wire.Millis](t, in).Time(); !got.Equal(want) || got.Location() != time.UTC && !got.IsZero() {
			t.Errorf("%s = %v, want %v", in, got, want)
		}
	}
}

type row struct {
	Name  wire.Text   `json:"name"`
	Count wire.Number `json:"count"`
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     []string
		skipped  int
	}{
		{"an array", `[{"name":"a"},{"name":"b"}]`, []string{"a", "b"}, 0},
		{"a single object", `{"name":"a"}`, []string{"a"}, 0},
		{"null", `null`, nil, 0},
		{"empty text", `""`, nil, 0},
		{"an empty array", `[]`, nil, 0},
		{"elements of other shapes", `[{"name":"a"},null,"x",[1],5,{"name":"b"}]`, []string{"a", "b"}, 4},
		{"a word", `"none"`, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list := read[wire.List[row]](t, c.in)
			var names []string
			for _, r := range list.Items {
				names = append(names, r.Name.String())
			}
			if diff := cmp.Diff(c.want, names); diff != "" || list.Skipped != c.skipped {
				t.Errorf("skipped %d (-want +got):\n%s", list.Skipped, diff)
			}
		})
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"name":"a"}`: "a", `[{"name":"a"},{"name":"b"}]`: "a", `["x",{"name":"b"}]`: "b", `[]`: "", `null`: "", `"x"`: "",
	} {
		o := read[wire.Object[row]](t, in)
		if o.Or().Name.String() != want || (o.Value != nil) != (want != "") {
			t.Errorf("%s = %+v", in, o.Value)
		}
	}
}

func TestParseGrouped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"139,691": "139691", "1,39,691": "139691", "12,34,56,789": "123456789", "1,234,567.89": "1234567.89",
		"139691": "139691", "0": "0", "-1,000": "-1000", "+5": "5", " 7 ": "7", "12,345": "12345",
	} {
		if got, ok := wire.ParseGrouped(in); !ok || got != want {
			t.Errorf("ParseGrouped(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{
		"", "13,9691", "1,5", "1,,234", ",234", "1,234,", "1234,567", "123,45,678", "1,23,45", "1.", ".5", "1.2.3",
		"1e5", "--5", "١٢", "12 345", "1,234.5,6",
	} {
		if got, ok := wire.ParseGrouped(in); ok {
			t.Errorf("ParseGrouped(%q) = %q, want a refusal", in, got)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	ngn := func(minor int64) *lending.Money { return new(lending.NewMoney(minor, lending.NGN)) }
	for _, c := range []struct {
		in           string
		major, minor *lending.Money
		majorErr     error
		minorErr     error
	}{
		{in: `500000`, major: ngn(50_000_000), minor: ngn(500_000)},
		{in: `"1,39,691.50"`, major: ngn(13_969_150), minorErr: lending.ErrTooPrecise},
		{in: `1e6`, major: ngn(100_000_000), minor: ngn(1_000_000)},
		{in: `2000000.0`, major: ngn(200_000_000), minor: ngn(2_000_000)},
		{in: `0.001`, majorErr: lending.ErrTooPrecise, minorErr: lending.ErrTooPrecise},
		{in: `1e400`, majorErr: lending.ErrOutOfRange, minorErr: lending.ErrOutOfRange},
		{in: `"x"`, majorErr: wire.ErrNotNumber, minorErr: wire.ErrNotNumber},
		{in: `null`},
		{in: `"na"`},
	} {
		n := read[wire.Number](t, c.in)
		major, majorErr := wire.MajorMoney(n, lending.NGN)
		minor, minorErr := wire.MinorMoney(n, lending.NGN)
		if !errors.Is(majorErr, c.majorErr) || !errors.Is(minorErr, c.minorErr) {
			t.Errorf("%s: errors %v, %v; want %v, %v", c.in, majorErr, minorErr, c.majorErr, c.minorErr)
		}
		same := cmp.Comparer(func(a, b lending.Money) bool { return a == b })
		if diff := cmp.Diff([]*lending.Money{c.major, c.minor}, []*lending.Money{major, minor}, same); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"100%": "1", "85.5 %": "0.855", " 0.9 ": "0.9", "0%": "0", "0.5%": "0.005", "1": "1", "90": "0.9", "0": "0",
		"na": "", "": "", "101%": "", "-1%": "", "x%": "", "150": "", "%": "",
	} {
		got := wire.Percent(in)
		switch {
		case want == "" && got != nil:
			t.Errorf("Percent(%q) = %v, want none", in, got)
		case want != "" && (got == nil || got.Cmp(lending.MustDecimal(want)) != 0):
			t.Errorf("Percent(%q) = %v, want %s", in, got, want)
		}
	}
}

func TestDayMonthYear(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"24-aug-2023": "2023-08-24", "5-jun-1999": "1999-06-05", "24-Sept-2023": "2023-09-24", "01-SEP-2022": "2022-09-01",
		"29-feb-2024": "2024-02-29", " 3-January-2001 ": "2001-01-03", "7-may-2020": "2020-05-07",
		"29-feb-2023": "", "31-apr-2023": "", "0-jan-2023": "", "24-aug-23": "", "24-au-2023": "", "aug-24-2023": "",
		"24-xyz-2023": "", "24/08/2023": "", "": "", "na": "", "024-aug-2023": "", "24-aug-2023-1": "", "1--2023": "",
	} {
		if got := wire.DayMonthYear(in).String(); got != want {
			t.Errorf("DayMonthYear(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 4, 16, 10, 30, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"2026-04-16T10:30:00Z": at, " 2026-04-16T11:30:00+01:00 ": at, "2026-04-16": {}, "": {}, "1776333600": {},
		"9999-12-31T23:59:59-01:00": {},
	} {
		if got := wire.Timestamp(in); got != want {
			t.Errorf("Timestamp(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestKeyword(t *testing.T) {
	t.Parallel()
	if got := wire.Keyword(wire.Text(" Pending_Review ")); got != "pending_review" {
		t.Errorf("Keyword = %q", got)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var r row
	if err := wire.Decode([]byte("\xef\xbb\xbf {\"name\":\"a\"} "), &r); err != nil || r.Name != "a" {
		t.Errorf("Decode = %+v, %v", r, err)
	}
	for _, body := range []string{"", " ", "null", "[]", `"x"`, "<html>", `{"a":`, `{} {}`, `{"a":1} trailing`} {
		if err := wire.Decode([]byte(body), &r); !errors.Is(err, wire.ErrNotJSON) {
			t.Errorf("Decode(%q) = %v, want ErrNotJSON", body, err)
		}
	}
	var strict struct{ BVN string }
	err := wire.Decode([]byte(`{"bvn":22370756505}`), &strict)
	if !errors.Is(err, wire.ErrShape) || strings.Contains(err.Error(), "22370756505") {
		t.Errorf("Decode = %v, want ErrShape without the value", err)
	}
}
