package lending

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxScale is the largest number of fraction digits that a Decimal holds.
const maxScale = 18

// ErrNotDecimal says that a text is not a decimal number.
var ErrNotDecimal = errors.New("not a decimal number")

// ErrOutOfRange says that a number is too large, or too finely divided, to be held exactly.
var ErrOutOfRange = errors.New("number out of range")

// Decimal is an exact decimal number: a rate, a probability, a score. It is comparable with == only
// after [Decimal.Normalize]; use [Decimal.Cmp] otherwise.
type Decimal struct {
	coef  int64
	scale uint8
}

// NewDecimal is coef × 10^-scale. It panics when scale is over 18, which only code can cause.
func NewDecimal(coef int64, scale uint8) Decimal {
	if scale > maxScale {
		panic("lending: decimal scale over 18")
	}
	return Decimal{coef: coef, scale: scale}
}

// ParseDecimal reads a number as JSON or a person writes it ("720", "0.03", "-2.50", "1e6"). No
// digit is lost: what cannot be held gives [ErrOutOfRange], what is no number [ErrNotDecimal].
func ParseDecimal(text string) (Decimal, error) {
	negative, digits, scale, err := scanDecimal(text)
	if err != nil {
		return Decimal{}, err
	}
	for scale < 0 {
		digits, scale = digits+"0", scale+1
	}
	for scale > maxScale && strings.HasSuffix(digits, "0") {
		digits, scale = digits[:len(digits)-1], scale-1
	}
	if scale > maxScale {
		return Decimal{}, fmt.Errorf("%w: more than %d decimal places", ErrOutOfRange, maxScale)
	}
	coef, err := signed(negative, digits)
	if err != nil {
		return Decimal{}, err
	}
	return Decimal{coef: coef, scale: uint8(scale)}, nil
}

// MustDecimal is ParseDecimal for literals in code; it panics on an error.
func MustDecimal(text string) Decimal {
	d, err := ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// String is the number in plain notation, with as many fraction digits as it was made with.
func (d Decimal) String() string { return plain(d.coef, int(d.scale)) }

// IsZero reports whether the number is 0.
func (d Decimal) IsZero() bool { return d.coef == 0 }

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.coef < 0:
		return -1
	case d.coef > 0:
		return 1
	}
	return 0
}

// Cmp compares the numbers: -1 when d is the smaller, 0 when they are equal, 1 when it is larger.
func (d Decimal) Cmp(other Decimal) int { return d.rat().Cmp(other.rat()) }

// Normalize drops trailing fraction zeros: 2.50 becomes 2.5.
func (d Decimal) Normalize() Decimal {
	for d.scale > 0 && d.coef%10 == 0 {
		d.coef, d.scale = d.coef/10, d.scale-1
	}
	return d
}

// Within is the place of d between low and high as a fraction from 0 to 1 with four decimal places,
// rounded half to even. ok is false where there is no such place: low ≥ high, or d outside of them.
func (d Decimal) Within(low, high Decimal) (fraction Decimal, ok bool) {
	span := new(big.Rat).Sub(high.rat(), low.rat())
	part := new(big.Rat).Sub(d.rat(), low.rat())
	if span.Sign() <= 0 || part.Sign() < 0 || part.Cmp(span) > 0 {
		return Decimal{}, false
	}
	part.Quo(part, span).Mul(part, big.NewRat(10_000, 1))
	return Decimal{coef: roundHalfEven(part), scale: 4}, true
}

// Percent is d per cent as a fraction: 100 becomes 1, 2.5 becomes 0.025.
func (d Decimal) Percent() (Decimal, error) {
	n := d.Normalize()
	if int(n.scale)+2 > maxScale {
		return Decimal{}, fmt.Errorf("%w: percentage too finely divided", ErrOutOfRange)
	}
	n.scale += 2
	return n.Normalize(), nil
}

// MarshalText writes the plain notation, so that JSON holds the exact digits as a string.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDecimal.
func (d *Decimal) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDecimal(string(text))
	return err
}

func (d Decimal) rat() *big.Rat {
	denominator := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.scale)), nil)
	return new(big.Rat).SetFrac(big.NewInt(d.coef), denominator)
}

// roundHalfEven is the whole number nearest to r; a tie goes to the even one. r is small here.
func roundHalfEven(r *big.Rat) int64 {
	quotient, remainder := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	whole := quotient.Int64()
	twice := remainder.Lsh(remainder.Abs(remainder), 1)
	if c := twice.Cmp(r.Denom()); c > 0 || c == 0 && whole%2 != 0 {
		if r.Sign() < 0 {
			return whole - 1
		}
		return whole + 1
	}
	return whole
}

// scanDecimal takes a number apart: its sign, its digits without a point, and how many of them stand
// behind the point (negative when zeros have to be put after them).
func scanDecimal(text string) (negative bool, digits string, scale int, err error) {
	if len(text) > 64 {
		return false, "", 0, fmt.Errorf("%w: longer than 64 characters", ErrOutOfRange)
	}
	rest := text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		negative, rest = rest[0] == '-', rest[1:]
	}
	mantissa, exponent := rest, 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa = rest[:i]
		exponent, err = strconv.Atoi(rest[i+1:])
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return false, "", 0, ErrNotDecimal
		}
		if err != nil || exponent < -40 || exponent > 40 {
			return false, "", 0, ErrOutOfRange
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return false, "", 0, ErrNotDecimal
	}
	return negative, digits, len(fraction) - exponent, nil
}

func signed(negative bool, digits string) (int64, error) {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, ErrOutOfRange
	}
	if negative {
		return -n, nil
	}
	return n, nil
}

// plain writes coef × 10^-scale without an exponent.
func plain(coef int64, scale int) string {
	magnitude := uint64(coef)
	if coef < 0 {
		magnitude = uint64(-(coef + 1)) + 1 // safe for math.MinInt64
	}
	digits := strconv.FormatUint(magnitude, 10)
	if scale > 0 {
		if pad := scale + 1 - len(digits); pad > 0 {
			digits = strings.Repeat("0", pad) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if coef < 0 {
		return "-" + digits
	}
	return digits
}

// addExact is a + b, or false when the sum does not fit.
func addExact(a, b int64) (int64, bool) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, false
	}
	return a + b, true
}
