package lending

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Currency is an ISO 4217 code in upper case.
type Currency string

// The currencies in which the providers lend.
const (
	NGN Currency = "NGN" // Nigerian naira, 100 kobo
	INR Currency = "INR" // Indian rupee, 100 paise
)

// currencyCodes are the active ISO 4217 codes of currencies with two decimal places, and
// otherDigits those with another number of them.
const currencyCodes = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD " +
	"HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT " +
	"MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD " +
	"SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED " +
	"VES WST XCD YER ZAR ZMW ZWG"

var otherDigits = map[Currency]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Valid reports whether c is an active ISO 4217 code.
func (c Currency) Valid() bool {
	_, known := c.digits()
	return known
}

// Digits is how many decimal places the currency's major unit has; 2 for a code that is not known.
func (c Currency) Digits() int {
	n, _ := c.digits()
	return n
}

func (c Currency) digits() (int, bool) {
	if n, ok := otherDigits[c]; ok {
		return n, true
	}
	return 2, len(c) == 3 && strings.Contains(" "+currencyCodes+" ", " "+string(c)+" ")
}

// ErrCurrencyMismatch says that amounts of different currencies were to be added or compared.
var ErrCurrencyMismatch = errors.New("amounts of different currencies")

// ErrTooPrecise says that an amount has more decimal places than its currency.
var ErrTooPrecise = errors.New("more decimal places than the currency has")

// Money is an exact amount: whole minor units (kobo, paise) of one currency. The zero value is no
// amount; a pointer is used where an amount may be absent.
type Money struct {
	minor    int64
	currency Currency
}

// NewMoney is minor units of a currency: NewMoney(50_000_000, NGN) is ₦500,000.
func NewMoney(minor int64, currency Currency) Money {
	return Money{minor: minor, currency: currency}
}

// ParseMoney reads an amount in major units from its digits ("500000", "179166.67", "1e6"). Digits
// beyond the currency's decimal places give [ErrTooPrecise] unless they are zeros; nothing is rounded.
func ParseMoney(text string, currency Currency) (Money, error) {
	negative, digits, scale, err := scanDecimal(text)
	if err != nil {
		return Money{}, err
	}
	want := currency.Digits()
	for scale < want {
		digits, scale = digits+"0", scale+1
	}
	for scale > want && strings.HasSuffix(digits, "0") {
		digits, scale = digits[:len(digits)-1], scale-1
	}
	if scale > want && strings.Trim(digits, "0") != "" {
		return Money{}, fmt.Errorf("%w: %s has %d", ErrTooPrecise, currency, want)
	}
	minor, err := signed(negative, digits)
	if err != nil {
		return Money{}, err
	}
	return Money{minor: minor, currency: currency}, nil
}

// ParseMinor reads an amount in whole minor units from its digits ("2000000", "2000000.0", "2e6"). A
// fraction other than zero gives [ErrTooPrecise].
func ParseMinor(text string, currency Currency) (Money, error) {
	d, err := ParseDecimal(text)
	if err != nil {
		return Money{}, err
	}
	if d = d.Normalize(); d.scale != 0 {
		return Money{}, fmt.Errorf("%w: a part of a minor unit", ErrTooPrecise)
	}
	return Money{minor: d.coef, currency: currency}, nil
}

// MustMoney is ParseMoney for literals in code; it panics on an error.
func MustMoney(text string, currency Currency) Money {
	m, err := ParseMoney(text, currency)
	if err != nil {
		panic(err)
	}
	return m
}

// Minor is the amount in minor units.
func (m Money) Minor() int64 { return m.minor }

// Currency is the amount's currency.
func (m Money) Currency() Currency { return m.currency }

// Amount is the amount in major units with all the currency's decimal places: "500000.00".
func (m Money) Amount() string { return plain(m.minor, m.currency.Digits()) }

// Literal is the amount in major units in its shortest exact form, as providers take it: "500000",
// "179166.67", "100.5".
func (m Money) Literal() string {
	return Decimal{coef: m.minor, scale: uint8(m.currency.Digits())}.Normalize().String()
}

// MinorUnits is the amount in minor units, as digits.
func (m Money) MinorUnits() string { return plain(m.minor, 0) }

// String is for people and logs: "500000.00 NGN".
func (m Money) String() string { return m.Amount() + " " + string(m.currency) }

// Sign is -1, 0 or 1.
func (m Money) Sign() int { return Decimal{coef: m.minor}.Sign() }

// Add is the sum. It fails with [ErrCurrencyMismatch] or [ErrOutOfRange], and never wraps around.
func (m Money) Add(other Money) (Money, error) {
	if m.currency != other.currency {
		return Money{}, fmt.Errorf("%w: %s and %s", ErrCurrencyMismatch, m.currency, other.currency)
	}
	sum, ok := addExact(m.minor, other.minor)
	if !ok {
		return Money{}, ErrOutOfRange
	}
	return Money{minor: sum, currency: m.currency}, nil
}

// Sub is the difference, with the errors of [Money.Add].
func (m Money) Sub(other Money) (Money, error) {
	if other.minor == math.MinInt64 {
		return Money{}, ErrOutOfRange
	}
	other.minor = -other.minor
	return m.Add(other)
}

// Cmp compares two amounts of one currency: -1, 0 or 1. Other currencies give [ErrCurrencyMismatch].
func (m Money) Cmp(other Money) (int, error) {
	if m.currency != other.currency {
		return 0, fmt.Errorf("%w: %s and %s", ErrCurrencyMismatch, m.currency, other.currency)
	}
	return Decimal{coef: m.minor}.Cmp(Decimal{coef: other.minor}), nil
}

type moneyJSON struct {
	MinorUnits int64    `json:"minorUnits,string"`
	Currency   Currency `json:"currency"`
}

// MarshalJSON writes {"minorUnits":"50000000","currency":"NGN"}: how amounts are stored and cached.
func (m Money) MarshalJSON() ([]byte, error) {
	return json.Marshal(moneyJSON{MinorUnits: m.minor, Currency: m.currency})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Money) UnmarshalJSON(data []byte) error {
	var wire moneyJSON
	if err := json.Unmarshal(data, &wire); err != nil {
		return fmt.Errorf("money: %w", err)
	}
	*m = Money{minor: wire.MinorUnits, currency: wire.Currency}
	return nil
}
