package lending_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// exact compares values that hold amounts, numbers and dates.
var exact = cmp.Options{
	cmp.Comparer(func(a, b lending.Money) bool { return a == b }),
	cmp.Comparer(func(a, b lending.Decimal) bool { return a == b }),
}

// currencies are all that are valid, of all codes of three letters.
var currencies = sync.OnceValue(func() []lending.Currency {
	var known []lending.Currency
	for n := range 26 * 26 * 26 {
		c := lending.Currency([]byte{byte('A' + n/676), byte('A' + n/26%26), byte('A' + n%26)})
		if c.Valid() {
			known = append(known, c)
		}
	}
	return known
})

// anyCurrency draws one with 0, 2 or 3 decimal places.
func anyCurrency(t *rapid.T) lending.Currency {
	return rapid.SampledFrom(currencies()).Draw(t, "currency")
}

// anyMoney draws an amount that can be written and read. (The one below all others can be held, but its
// digits without the sign cannot.)
func anyMoney(t *rapid.T) lending.Money {
	return lending.NewMoney(rapid.Int64Min(math.MinInt64+1).Draw(t, "minor"), anyCurrency(t))
}

func TestCurrenciesAreThoseOfTheStandard(t *testing.T) {
	t.Parallel()
	byDigits := map[int][]lending.Currency{}
	for _, c := range currencies() {
		byDigits[c.Digits()] = append(byDigits[c.Digits()], c)
	}
	// ISO 4217, list one: all others that are in use and in print have two decimal places.
	for digits, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
		3: "BHD IQD JOD KWD LYD OMR TND",
	} {
		var want []lending.Currency
		for code := range strings.FieldsSeq(codes) {
			want = append(want, lending.Currency(code))
		}
		if diff := cmp.Diff(want, byDigits[digits]); diff != "" {
			t.Errorf("%d decimal places (-want +got):\n%s", digits, diff)
		}
	}
	for _, c := range []lending.Currency{lending.NGN, lending.INR, "USD", "EUR", "GBP", "GHS", "KES", "ZAR"} {
		if !slices.Contains(byDigits[2], c) {
			t.Errorf("%s has not two decimal places", c)
		}
	}
	if n := len(byDigits[2]); n < 120 || len(byDigits) != 3 {
		t.Errorf("%d currencies have two decimal places", n)
	}
	for _, c := range []lending.Currency{"", "ngn", "NG", "NGNN", "N N", "XXX", "AED AFN", "D AFN A"} {
		if c.Valid() {
			t.Errorf("%q is taken for a currency", c)
		}
	}
}

func TestMoneySurvivesEveryForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := anyMoney(t)
		for name, parse := range map[string]func() (lending.Money, error){
			"amount":      func() (lending.Money, error) { return lending.ParseMoney(m.Amount(), m.Currency()) },
			"literal":     func() (lending.Money, error) { return lending.ParseMoney(m.Literal(), m.Currency()) },
			"minor units": func() (lending.Money, error) { return lending.ParseMinor(m.MinorUnits(), m.Currency()) },
			"exponent": func() (lending.Money, error) {
				return lending.ParseMoney(m.MinorUnits()+"e-"+string(rune('0'+m.Currency().Digits())), m.Currency())
			},
		} {
			if got, err := parse(); err != nil || got != m {
				t.Fatalf("%s of %s became %s, %v", name, m, got, err)
			}
		}
	})
}

func TestMoneySurvivesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := lending.NewMoney(rapid.Int64().Draw(t, "minor"), anyCurrency(t))
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var got lending.Money
		if err := json.Unmarshal(data, &got); err != nil || got != m {
			t.Fatalf("%s became %s, %v", data, got, err)
		}
	})
	data, err := json.Marshal(lending.NewMoney(1<<53+1, lending.NGN))
	if want := `{"minorUnits":"9007199254740993","currency":"NGN"}`; err != nil || string(data) != want {
		t.Errorf("in JSON it is %s, %v; want %s", data, err, want) // digits as text: readers with floats lose none
	}
	var m lending.Money
	for _, text := range []string{`{"minorUnits":1.5,"currency":"NGN"}`, `{"minorUnits":"1.5"}`, `{"minorUnits":"9223372036854775808"}`, `"500"`} {
		if err := json.Unmarshal([]byte(text), &m); err == nil {
			t.Errorf("%s was read as %s", text, m)
		}
	}
}

func TestParseMoney(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		currency lending.Currency
		amount   string // "" for an error
		err      error
	}{
		{"500000", lending.NGN, "500000.00", nil},
		{"179166.67", lending.NGN, "179166.67", nil},
		{"179166.670000", lending.NGN, "179166.67", nil},
		{"1e6", lending.NGN, "1000000.00", nil},
		{"1E+2", lending.NGN, "100.00", nil},
		{"12345e-2", lending.NGN, "123.45", nil},
		{"-0.01", lending.INR, "-0.01", nil},
		{"+5", lending.INR, "5.00", nil},
		{".5", lending.INR, "0.50", nil},
		{"5.", lending.INR, "5.00", nil},
		{"-0", lending.NGN, "0.00", nil},
		{"0.000", lending.NGN, "0.00", nil},
		{"0e-40", lending.NGN, "0.00", nil},
		{"5", "JPY", "5", nil},
		{"5.0", "JPY", "5", nil},
		{"0.001", "KWD", "0.001", nil},
		{"92233720368547758.07", lending.NGN, "92233720368547758.07", nil},
		{"-92233720368547758.07", lending.NGN, "-92233720368547758.07", nil},

		{"0.001", lending.NGN, "", lending.ErrTooPrecise},
		{"5.5", "JPY", "", lending.ErrTooPrecise},
		{"1e-3", lending.NGN, "", lending.ErrTooPrecise},
		{"92233720368547758.08", lending.NGN, "", lending.ErrOutOfRange},
		{"1e40", lending.NGN, "", lending.ErrOutOfRange},
		{"1e41", lending.NGN, "", lending.ErrOutOfRange},
		{"1e99999999999999999999", lending.NGN, "", lending.ErrOutOfRange},
		{strings.Repeat("0", 65), lending.NGN, "", lending.ErrOutOfRange},
		{"", lending.NGN, "", lending.ErrNotDecimal},
		{"-", lending.NGN, "", lending.ErrNotDecimal},
		{".", lending.NGN, "", lending.ErrNotDecimal},
		{"--1", lending.NGN, "", lending.ErrNotDecimal},
		{"1.2.3", lending.NGN, "", lending.ErrNotDecimal},
		{"1,000", lending.NGN, "", lending.ErrNotDecimal},
		{"1_000", lending.NGN, "", lending.ErrNotDecimal},
		{" 1", lending.NGN, "", lending.ErrNotDecimal},
		{"1 ", lending.NGN, "", lending.ErrNotDecimal},
		{"1e", lending.NGN, "", lending.ErrNotDecimal},
		{"e1", lending.NGN, "", lending.ErrNotDecimal},
		{"1e1.5", lending.NGN, "", lending.ErrNotDecimal},
		{"1e5e5", lending.NGN, "", lending.ErrNotDecimal},
		{"0x10", lending.NGN, "", lending.ErrNotDecimal},
		{"NaN", lending.NGN, "", lending.ErrNotDecimal},
		{"Infinity", lending.NGN, "", lending.ErrNotDecimal},
		{"１", lending.NGN, "", lending.ErrNotDecimal},
		{"₦5", lending.NGN, "", lending.ErrNotDecimal},
	} {
		got, err := lending.ParseMoney(test.text, test.currency)
		if !errors.Is(err, test.err) {
			t.Errorf("%q in %s: error %v, want %v", test.text, test.currency, err, test.err)
		} else if err == nil && (got.Amount() != test.amount || got.Currency() != test.currency) {
			t.Errorf("%q in %s became %s, want %s", test.text, test.currency, got, test.amount)
		}
	}
}

func TestParseMinor(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"2000000", "2000000.0", "2e6", "+2000000.000"} {
		if got, err := lending.ParseMinor(text, lending.NGN); err != nil || got != lending.NewMoney(2_000_000, lending.NGN) {
			t.Errorf("%q became %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]error{
		"0.5": lending.ErrTooPrecise, "1e-1": lending.ErrTooPrecise, "": lending.ErrNotDecimal,
		"9223372036854775808": lending.ErrOutOfRange,
	} {
		if got, err := lending.ParseMinor(text, lending.NGN); !errors.Is(err, want) {
			t.Errorf("%q became %s, %v; want %v", text, got, err, want)
		}
	}
}

func TestMoneyIsWrittenExactly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		money                          lending.Money
		amount, literal, minor, string string
	}{
		{lending.NewMoney(50_000_000, lending.NGN), "500000.00", "500000", "50000000", "500000.00 NGN"},
		{lending.NewMoney(17_916_667, lending.NGN), "179166.67", "179166.67", "17916667", "179166.67 NGN"},
		{lending.NewMoney(10_050, lending.INR), "100.50", "100.5", "10050", "100.50 INR"},
		{lending.NewMoney(-5, lending.INR), "-0.05", "-0.05", "-5", "-0.05 INR"},
		{lending.NewMoney(0, lending.INR), "0.00", "0", "0", "0.00 INR"},
		{lending.NewMoney(7, "JPY"), "7", "7", "7", "7 JPY"},
		{lending.NewMoney(math.MinInt64, lending.NGN), "-92233720368547758.08", "-92233720368547758.08", "-9223372036854775808", "-92233720368547758.08 NGN"},
		{lending.NewMoney(1<<53+1, "KWD"), "9007199254740.993", "9007199254740.993", "9007199254740993", "9007199254740.993 KWD"},
	} {
		m := test.money
		if m.Amount() != test.amount || m.Literal() != test.literal || m.MinorUnits() != test.minor || m.String() != test.string {
			t.Errorf("%d %s is written %q %q %q %q", m.Minor(), m.Currency(), m.Amount(), m.Literal(), m.MinorUnits(), m.String())
		}
	}
}

func TestSumsAreExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := anyCurrency(t)
		a := lending.NewMoney(rapid.Int64().Draw(t, "a"), currency)
		b := lending.NewMoney(rapid.Int64().Draw(t, "b"), currency)
		want := new(big.Int).Add(big.NewInt(a.Minor()), big.NewInt(b.Minor()))
		sum, err := a.Add(b)
		if fits := want.IsInt64(); fits != (err == nil) || fits && sum != lending.NewMoney(want.Int64(), currency) {
			t.Fatalf("%s + %s = %s, %v; want %s", a, b, sum, err, want)
		}
		if err != nil && !errors.Is(err, lending.ErrOutOfRange) {
			t.Fatalf("error %v", err)
		}
		want.Sub(big.NewInt(a.Minor()), big.NewInt(b.Minor()))
		difference, err := a.Sub(b)
		if err == nil && difference != lending.NewMoney(want.Int64(), currency) {
			t.Fatalf("%s - %s = %s, want %s", a, b, difference, want)
		}
		if err != nil && want.IsInt64() && b.Minor() != math.MinInt64 || err == nil && !want.IsInt64() {
			t.Fatalf("%s - %s: %v", a, b, err)
		}
		if order, err := a.Cmp(b); err != nil || order != big.NewInt(a.Minor()).Cmp(big.NewInt(b.Minor())) {
			t.Fatalf("%s against %s is %d, %v", a, b, order, err)
		}
		if a.Sign() != big.NewInt(a.Minor()).Sign() {
			t.Fatalf("the sign of %s is %d", a, a.Sign())
		}
	})
}

func TestTheLeastAmountIsNotTakenAway(t *testing.T) {
	t.Parallel()
	if got, err := lending.NewMoney(-1, lending.NGN).Sub(lending.NewMoney(math.MinInt64, lending.NGN)); !errors.Is(err, lending.ErrOutOfRange) {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAmountsOfDifferentCurrenciesDoNotMeet(t *testing.T) {
	t.Parallel()
	a, b := lending.MustMoney("1", lending.NGN), lending.MustMoney("1", lending.INR)
	_, add := a.Add(b)
	_, sub := a.Sub(b)
	_, order := a.Cmp(b)
	for _, err := range []error{add, sub, order} {
		if !errors.Is(err, lending.ErrCurrencyMismatch) {
			t.Errorf("error %v, want %v", err, lending.ErrCurrencyMismatch)
		}
	}
	if a.Minor() != 100 || a.Currency() != lending.NGN {
		t.Errorf("MustMoney made %s", a)
	}
	panics(t, "MustMoney", func() { lending.MustMoney("1.001", lending.NGN) })
}

func panics(t *testing.T, what string, do func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s did not panic", what)
		}
	}()
	do()
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"500000", "179166.67", "-0.01", "1e6", "12345E-2", "9223372036854775807", "0e-40", ".", "1e", "+.5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, currency := range []lending.Currency{lending.NGN, "JPY", "KWD"} {
			m, err := lending.ParseMoney(text, currency)
			if err != nil {
				if !errors.Is(err, lending.ErrNotDecimal) && !errors.Is(err, lending.ErrOutOfRange) && !errors.Is(err, lending.ErrTooPrecise) {
					t.Fatalf("%q: an error of no kind: %v", text, err)
				}
				continue
			}
			value, ok := new(big.Rat).SetString(text)
			back, _ := new(big.Rat).SetString(m.Amount())
			if !ok || value.Cmp(back) != 0 {
				t.Fatalf("%q became %s", text, m)
			}
			if again, err := lending.ParseMoney(m.Literal(), currency); err != nil || again != m {
				t.Fatalf("%s became %s, %v", m, again, err)
			}
		}
	})
}
