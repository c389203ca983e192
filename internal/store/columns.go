package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// micros is a time as it is stored; 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the reverse of micros.
func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// minorOf is an amount's minor units; nil for no amount.
func minorOf(m *lending.Money) *int64 {
	if m == nil {
		return nil
	}
	return new(m.Minor())
}

// moneyOf is the reverse of minorOf.
func moneyOf(minor *int64, currency lending.Currency) *lending.Money {
	if minor == nil {
		return nil
	}
	return new(lending.NewMoney(*minor, currency))
}

// decimalText is a number's exact digits; "" for none.
func decimalText(d *lending.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

// encoder turns values into columns and keeps the first error.
type encoder struct {
	vault *vault
	err   error
}

// json is v as JSON; "" where v is nil or an empty list.
func (e *encoder) json(v any) string {
	text, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("store: %T cannot be written as JSON: %w", v, err)
	}
	switch string(text) {
	case "null", "[]":
		return ""
	}
	return string(text)
}

// sealJSON is v as sealed JSON; nil where v is nil.
func (e *encoder) sealJSON(at cell, v any) []byte { return e.vault.seal(at, []byte(e.json(v))) }

// decoder turns columns back into values and keeps the first error.
type decoder struct {
	vault *vault
	err   error
}

func (d *decoder) fail(err error) {
	if err != nil && d.err == nil {
		d.err = failure("read a stored value", err)
	}
}

func (d *decoder) date(text string) (day lending.Date) {
	d.fail(day.UnmarshalText([]byte(text)))
	return day
}

func (d *decoder) decimal(text string) *lending.Decimal {
	if text == "" {
		return nil
	}
	number, err := lending.ParseDecimal(text)
	d.fail(err)
	return &number
}

// json reads text into what into points to, and leaves it alone where there is no text.
func (d *decoder) json(text string, into any) {
	if text != "" {
		d.fail(json.Unmarshal([]byte(text), into))
	}
}

func (d *decoder) open(at cell, sealed []byte) []byte {
	plain, err := d.vault.open(at, sealed)
	d.fail(err)
	return plain
}

func (d *decoder) openJSON(at cell, sealed []byte, into any) {
	d.json(string(d.open(at, sealed)), into)
}
