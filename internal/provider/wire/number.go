package wire

import (
	"errors"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// ErrNotNumber says that something else stands where a number should. It is not quoted.
var ErrNotNumber = errors.New("not a number")

// ParseGrouped takes the separators out of a number without an exponent: "139,691" and, by the Indian
// grouping, "1,39,691" are 139691; "139691.50" stays. ok is false for malformed grouping ("13,9691"),
// because it may be a decimal comma.
func ParseGrouped(text string) (plain string, ok bool) {
	text = strings.TrimSpace(text)
	sign, rest := "", text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		sign, rest = rest[:1], rest[1:]
	}
	whole, fraction, point := strings.Cut(rest, ".")
	if point && (fraction == "" || !digits(fraction)) {
		return "", false
	}
	groups := strings.Split(whole, ",")
	if !grouped(groups) {
		return "", false
	}
	if sign == "+" {
		sign = ""
	}
	plain = sign + strings.Join(groups, "")
	if point {
		plain += "." + fraction
	}
	return plain, true
}

// grouped reports whether groups of digits are those of a number: one of any length, or all but the
// first of three digits, or (lakh, crore) the last of three and those before it of two.
func grouped(groups []string) bool {
	for _, group := range groups {
		if !digits(group) {
			return false
		}
	}
	last := len(groups) - 1
	if last == 0 {
		return true
	}
	return len(groups[last]) == 3 && (sized(groups[:last], 3) || sized(groups[:last], 2))
}

// sized reports whether the first group has up to size digits and the others have exactly size.
func sized(groups []string, size int) bool {
	for i, group := range groups {
		if len(group) > size || i > 0 && len(group) != size {
			return false
		}
	}
	return true
}

func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// MajorMoney is a number of major units (naira, rupees) as an amount; nil where none was told. What
// cannot be held exactly is an error: nothing is rounded.
func MajorMoney(n Number, currency lending.Currency) (*lending.Money, error) {
	return money(n, currency, lending.ParseMoney)
}

// MinorMoney is a number of minor units (kobo, paise) as an amount, like [MajorMoney].
func MinorMoney(n Number, currency lending.Currency) (*lending.Money, error) {
	return money(n, currency, lending.ParseMinor)
}

func money(
	n Number, currency lending.Currency, parse func(string, lending.Currency) (lending.Money, error),
) (*lending.Money, error) {
	if n.malformed {
		return nil, ErrNotNumber
	}
	if n.literal == "" {
		return nil, nil // no amount is no failure
	}
	m, err := parse(n.literal, currency)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Percent reads a percentage as a fraction from 0 to 1: "100%" is 1, "85.5 %" 0.855. Without a sign a
// number up to 1 is a fraction already, and a larger one a percentage. nil where there is none, or one
// outside of 0 to 100 per cent.
func Percent[S ~string](text S) *lending.Decimal {
	number, signed := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	d, ok := NumberOf(number).Decimal()
	if !ok || d.Sign() < 0 {
		return nil
	}
	one := lending.NewDecimal(1, 0)
	if signed || d.Cmp(one) > 0 {
		fraction, err := d.Percent()
		if err != nil {
			return nil
		}
		d = &fraction
	}
	if d.Cmp(one) > 0 {
		return nil
	}
	return d
}
