package kredete

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

var errCurrency = errors.New("not a currency")

// currencyOf is a currency as Kredete wrote it, or fallback where it wrote none.
func currencyOf(word wire.Text, fallback lending.Currency) (lending.Currency, error) {
	if word == "" {
		return fallback, nil
	}
	currency := lending.Currency(strings.ToUpper(word.String()))
	if !currency.Valid() {
		return "", errCurrency
	}
	return currency, nil
}

// amount reads an amount exactly; nil where none was told.
func (c *client) amount(n wire.Number, currency lending.Currency) (*lending.Money, error) {
	if c.minorUnits {
		return wire.MinorMoney(n, currency)
	}
	return wire.MajorMoney(n, currency)
}

// figure reads an amount that the rest of an answer can do without: one that cannot be read exactly is
// left out and logged by its name.
func (c *client) figure(name string, n wire.Number, currency lending.Currency) *lending.Money {
	m, err := c.amount(n, currency)
	if err != nil {
		c.log.Warn("Kredete told an amount that cannot be read exactly", "field", name)
		return nil
	}
	return m
}

// literal writes an amount as Kredete counts it, digit for digit.
func (c *client) literal(m lending.Money) json.Number {
	if c.minorUnits {
		return json.Number(m.MinorUnits())
	}
	return json.Number(m.Literal())
}

// tenureDays is a tenure in days, which is all that Kredete knows: a month is 30 of them.
func tenureDays(t lending.Tenure) int {
	if t.Unit == lending.Months {
		return t.Value * 30
	}
	return t.Value
}
