package lending_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func anyDecimal(t *rapid.T, label string) lending.Decimal {
	return lending.NewDecimal(rapid.Int64Min(math.MinInt64+1).Draw(t, label), rapid.Uint8Range(0, 18).Draw(t, label+" scale"))
}

func rat(t *rapid.T, d lending.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("%q is no number", d)
	}
	return r
}

func TestADecimalSurvivesItsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := anyDecimal(t, "d")
		if got, err := lending.ParseDecimal(d.String()); err != nil || got != d {
			t.Fatalf("%s became %s, %v", d, got, err)
		}
		data, err := json.Marshal(d)
		if err != nil || string(data) != `"`+d.String()+`"` {
			t.Fatalf("%s in JSON is %s, %v", d, data, err)
		}
		var got lending.Decimal
		if err := json.Unmarshal(data, &got); err != nil || got != d {
			t.Fatalf("%s became %s, %v", data, got, err)
		}
		n := d.Normalize()
		if n.Cmp(d) != 0 || n != n.Normalize() {
			t.Fatalf("%s normalised is %s", d, n)
		}
	})
}

func TestExponentsLoseNoDigit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		coef, fraction := rapid.Int64().Draw(t, "coef"), rapid.Uint32().Draw(t, "fraction")
		text := fmt.Sprintf("%d.%de%d", coef, fraction, rapid.IntRange(-60, 60).Draw(t, "exponent"))
		want, _ := new(big.Rat).SetString(text)
		got, err := lending.ParseDecimal(text)
		if err == nil && rat(t, got).Cmp(want) != 0 {
			t.Fatalf("%s became %s", text, got)
		}
		if err != nil && !errors.Is(err, lending.ErrOutOfRange) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, want string // "" for an error
		err        error
	}{
		{"720", "720", nil},
		{"0.03", "0.03", nil},
		{"-2.50", "-2.50", nil},
		{"1e6", "1000000", nil},
		{"1.5e1", "15", nil},
		{"1.5e-1", "0.15", nil},
		{"1E+3", "1000", nil},
		{"-0", "0", nil},
		{"0.0", "0.0", nil},
		{"0.123456789012345678", "0.123456789012345678", nil},
		{"0.1234567890123456780", "0.123456789012345678", nil},
		{"0.00000000000000000000", "0.000000000000000000", nil},
		{"9223372036854775807", "9223372036854775807", nil},
		{"0.1234567890123456789", "", lending.ErrOutOfRange},
		{"9223372036854775808", "", lending.ErrOutOfRange},
		{"1e19", "", lending.ErrOutOfRange},
		{"1e-19", "", lending.ErrOutOfRange},
		{"1e-41", "", lending.ErrOutOfRange},
		{"1e-99999999999999999999", "", lending.ErrOutOfRange},
		{"abc", "", lending.ErrNotDecimal},
		{"1e+-5", "", lending.ErrNotDecimal},
		{"", "", lending.ErrNotDecimal},
	} {
		got, err := lending.ParseDecimal(test.text)
		if !errors.Is(err, test.err) || err == nil && got.String() != test.want {
			t.Errorf("%q became %s, %v; want %s, %v", test.text, got, err, test.want, test.err)
		}
	}
	panics(t, "MustDecimal", func() { lending.MustDecimal("x") })
	panics(t, "NewDecimal", func() { lending.NewDecimal(1, 19) })
	if got := lending.NewDecimal(math.MinInt64, 18).String(); got != "-9.223372036854775808" {
		t.Errorf("the least number is written %s", got)
	}
}

func TestDecimalsAreOrderedAsNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyDecimal(t, "a"), anyDecimal(t, "b")
		if a.Cmp(b) != rat(t, a).Cmp(rat(t, b)) || a.Sign() != rat(t, a).Sign() || a.IsZero() != (a.Sign() == 0) {
			t.Fatalf("%s against %s is %d", a, b, a.Cmp(b))
		}
	})
	if lending.MustDecimal("2.50").Cmp(lending.MustDecimal("2.5")) != 0 {
		t.Error("2.50 is not 2.5")
	}
}

func TestWithinRoundsHalfToEven(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ value, low, high, want string }{ // "" for no place
		{"720", "300", "850", "0.7636"},
		{"300", "300", "850", "0.0000"},
		{"850", "300", "850", "1.0000"},
		{"1", "0", "20000", "0.0000"},
		{"3", "0", "20000", "0.0002"},
		{"5", "0", "20000", "0.0002"},
		{"7", "0", "20000", "0.0004"},
		{"0.5", "-0.5", "1.5", "0.5000"},
		{"299.99", "300", "850", ""},
		{"850.01", "300", "850", ""},
		{"5", "5", "5", ""},
		{"5", "9", "1", ""},
	} {
		got, ok := lending.MustDecimal(test.value).Within(lending.MustDecimal(test.low), lending.MustDecimal(test.high))
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("%s from %s to %s is at %s, %t; want %q", test.value, test.low, test.high, got, ok, test.want)
		}
	}
}

func TestWithinIsTheNearestPlace(t *testing.T) {
	t.Parallel()
	half := big.NewRat(1, 20_000)
	rapid.Check(t, func(t *rapid.T) {
		d, low, high := anyDecimal(t, "d"), anyDecimal(t, "low"), anyDecimal(t, "high")
		got, ok := d.Within(low, high)
		if inside := low.Cmp(high) < 0 && d.Cmp(low) >= 0 && d.Cmp(high) <= 0; inside != ok {
			t.Fatalf("%s from %s to %s: %t", d, low, high, ok)
		}
		if !ok {
			return
		}
		place := new(big.Rat).Sub(rat(t, d), rat(t, low))
		place.Quo(place, new(big.Rat).Sub(rat(t, high), rat(t, low)))
		off := new(big.Rat).Sub(place, rat(t, got))
		if off.Abs(off).Cmp(half) > 0 || len(got.String()) != len("0.0000") {
			t.Fatalf("%s from %s to %s is at %s, not %s", d, low, high, place.FloatString(8), got)
		}
	})
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"100": "1", "2.5": "0.025", "0": "0", "-30": "-0.3", "2.50": "0.025"} {
		if got, err := lending.MustDecimal(text).Percent(); err != nil || got.String() != want {
			t.Errorf("%s per cent is %s, %v; want %s", text, got, err, want)
		}
	}
	if _, err := lending.NewDecimal(1, 17).Percent(); !errors.Is(err, lending.ErrOutOfRange) {
		t.Errorf("a percentage too finely divided gave %v", err)
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, seed := range []string{"720", "-2.50", "1e6", "0.123456789012345678", "1e-18", "00.1", "+1.", "1e+", "e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := lending.ParseDecimal(text)
		if err != nil {
			if !errors.Is(err, lending.ErrNotDecimal) && !errors.Is(err, lending.ErrOutOfRange) {
				t.Fatalf("%q: an error of no kind: %v", text, err)
			}
			return
		}
		value, ok := new(big.Rat).SetString(text)
		back, _ := new(big.Rat).SetString(d.String())
		if !ok || value.Cmp(back) != 0 {
			t.Fatalf("%q became %s", text, d)
		}
		if again, err := lending.ParseDecimal(d.String()); err != nil || again != d {
			t.Fatalf("%s became %s, %v", d, again, err)
		}
	})
}
