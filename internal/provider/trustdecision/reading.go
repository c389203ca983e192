package trustdecision

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// maxWarnings bounds a report's warnings, however odd it is.
const maxWarnings = 100

// noCurrency is ISO 4217's code for "no currency": what a row has whose currency is none that we know.
const noCurrency lending.Currency = "XXX"

// reading collects what could not be read of one report. A warning names the field as the graph does,
// and never repeats what stood there.
type reading struct {
	odd      *wire.Oddities
	warnings []string
}

func (r *reading) warn(field, problem string) {
	switch {
	case len(r.warnings) < maxWarnings:
		r.warnings = append(r.warnings, field+": "+problem)
	case len(r.warnings) == maxWarnings:
		r.warnings = append(r.warnings, "more fields could not be read")
	}
}

func (r *reading) skipped(field string, n int) {
	if n > 0 {
		r.warn(field, fmt.Sprintf("rows that could not be read: %d", n))
	}
}

// told is a text without the words that the bureau writes for "nothing".
func told(text wire.Text) string {
	switch wire.Keyword(text) {
	case "", "-", "--", "na", "n/a", "n.a.", "nil", "null", "none", "not available", "not applicable":
		return ""
	}
	return string(text)
}

func (r *reading) date(field string, text wire.Text) lending.Date {
	day := parseDate(text)
	if day.IsZero() && told(text) != "" {
		r.warn(field, "not a date that can be read")
	}
	return day
}

// parseDate reads a day as the bureau writes it, or YYYY-MM-DD.
func parseDate(text wire.Text) lending.Date {
	if day, err := lending.ParseDate(string(text)); err == nil {
		return day
	}
	return wire.DayMonthYear(text)
}

func (r *reading) percent(field string, text wire.Text) *lending.Decimal {
	if told(text) == "" {
		return nil
	}
	fraction := wire.Percent(text)
	if fraction == nil {
		r.warn(field, "not a percentage that can be read")
	}
	return fraction
}

func (r *reading) decimal(field string, text wire.Text) *lending.Decimal {
	d, ok := wire.NumberOf(told(text)).Decimal()
	if !ok && told(text) != "" {
		r.warn(field, "not a number that can be read")
	}
	return d
}

func (r *reading) count(field string, text wire.Text) *int {
	if told(text) == "" {
		return nil
	}
	if d, ok := wire.NumberOf(string(text)).Decimal(); ok {
		if n, err := strconv.ParseUint(d.Normalize().String(), 10, 31); err == nil {
			return new(int(n))
		}
	}
	r.warn(field, "not a count that can be read")
	return nil
}

// money reads an amount in major units. Nothing is rounded or guessed: an amount with malformed grouping
// ("13,9691") may be a decimal comma, and is left out.
func (r *reading) money(field string, text wire.Text, currency lending.Currency) *lending.Money {
	if told(text) == "" {
		return nil
	}
	if currency == noCurrency {
		r.warn(field, "left out, as its currency is not known")
		return nil
	}
	amount, err := wire.MajorMoney(wire.NumberOf(string(text)), currency)
	if err != nil || amount == nil {
		r.warn(field, "not an amount that can be read")
		return nil
	}
	return amount
}

// currency reads an ISO 4217 code in any case. The bureau covers Nigeria alone, so a row that tells no
// currency is taken to be in naira, with a warning; a currency that we do not know is not.
func (r *reading) currency(field string, text wire.Text) lending.Currency {
	word := told(text)
	if word == "" {
		r.warn(field, "not told; taken to be NGN")
		return lending.NGN
	}
	if currency := lending.Currency(strings.ToUpper(word)); currency.Valid() {
		return currency
	}
	r.odd.Word("currency", word)
	r.warn(field, "not a currency that is known")
	return noCurrency
}
