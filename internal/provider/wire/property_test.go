package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// spell writes an amount in one of the ways in which a provider may write it.
func spell(t *rapid.T, m lending.Money) string {
	plain := rapid.SampledFrom([]string{m.Amount(), m.Literal()}).Draw(t, "digits")
	switch rapid.IntRange(0, 3).Draw(t, "spelling") {
	case 1:
		return `"` + plain + `"`
	case 2:
		return `"` + group(plain, 3) + `"`
	case 3:
		return `"` + group(plain, 2) + `"`
	}
	return plain
}

// group puts commas between digits: before the last three, then before each size.
func group(plain string, size int) string {
	sign, rest := "", plain
	if strings.HasPrefix(rest, "-") {
		sign, rest = "-", rest[1:]
	}
	whole, fraction, point := strings.Cut(rest, ".")
	out := ""
	for step := 3; len(whole) > step; step = size {
		whole, out = whole[:len(whole)-step], ","+whole[len(whole)-step:]+out
	}
	if point {
		out += "." + fraction
	}
	return sign + whole + out
}

func TestMoneyIsExactHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := lending.NewMoney(rapid.Int64().Draw(t, "minor"), lending.NGN)
		text := spell(t, want)
		var n wire.Number
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		got, err := wire.MajorMoney(n, lending.NGN)
		if want.Minor() == -1<<63 {
			return // the one amount whose magnitude does not fit
		}
		if err != nil || *got != want {
			t.Fatalf("%s = %v, %v; want %v", text, got, err, want)
		}
	})
}

func TestEveryDayIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := lending.NewDate(1970, 1, 1).AddDays(rapid.IntRange(-20_000, 60_000).Draw(t, "day"))
		name := day.Month.String()[:rapid.IntRange(3, len(day.Month.String())).Draw(t, "letters")]
		if rapid.Bool().Draw(t, "upper") {
			name = strings.ToUpper(name)
		}
		text := fmt.Sprintf("%d-%s-%04d", day.Day, name, day.Year)
		if got := wire.DayMonthYear(text); got != day {
			t.Fatalf("DayMonthYear(%q) = %v, want %v", text, got, day)
		}
	})
}

// everything holds each type once, for any JSON to be read into.
type everything struct {
	Text   wire.Text              `json:"a"`
	Number wire.Number            `json:"b"`
	Count  wire.Count             `json:"c"`
	Bool   wire.Bool              `json:"d"`
	Millis wire.Millis            `json:"e"`
	List   wire.List[everything]  `json:"f"`
	Texts  wire.List[wire.Text]   `json:"g"`
	Object wire.Object[wire.Text] `json:"h"`
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"a":"x","b":1.5,"c":"6","d":true,"e":1716865119200,"f":[{"a":1}],"g":"x","h":["y"]}`,
		`{"a":{},"b":[],"c":null,"d":"no","e":"1e400","f":{"f":{"f":[]}},"g":[[1],2,"3"],"h":{}}`,
		`[]`, ``, `{"b":"1,39,691.50"}`, `{"b":"-"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v everything
		if err := wire.Decode(body, &v); err != nil && json.Valid(body) && strings.HasPrefix(strings.TrimSpace(string(body)), "{") {
			t.Fatalf("a JSON object was refused: %v", err)
		}
		if m, err := wire.MajorMoney(v.Number, lending.NGN); err == nil && m != nil && !v.Number.IsSet() {
			t.Fatalf("an amount out of nothing: %v", m)
		}
	})
}

func FuzzWords(f *testing.F) {
	for _, seed := range []string{"100%", "85.5 %", "24-aug-2023", "1,39,691", "na", "-", "2026-04-16T10:30:00Z", "1e400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p := wire.Percent(text); p != nil && (p.Sign() < 0 || p.Cmp(lending.NewDecimal(1, 0)) > 0) {
			t.Fatalf("Percent(%q) = %v", text, p)
		}
		if day := wire.DayMonthYear(text); day != lending.NewDate(day.Year, day.Month, day.Day) && !day.IsZero() {
			t.Fatalf("DayMonthYear(%q) = %v, which is no day", text, day)
		}
		if plain, ok := wire.ParseGrouped(text); ok && strings.Contains(plain, ",") {
			t.Fatalf("ParseGrouped(%q) = %q", text, plain)
		}
		if _, err := wire.Timestamp(text).MarshalJSON(); err != nil {
			t.Fatalf("Timestamp(%q): %v", text, err)
		}
	})
}
