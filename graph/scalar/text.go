// Package scalar carries values between Go and GraphQL: a pair of functions for each scalar and each
// enum of the schema.
//
// It keeps the convention of package lending that zero means absent: "", a zero date and a zero time
// leave as null, and null arrives as the zero value. Errors are fit for people and repeat nothing of what
// was sent.
package scalar

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var (
	errText     = invalid("must be text in quotes")
	errNUL      = invalid("must not hold the character U+0000")
	errID       = invalid("must be an id")
	errPhone    = invalid(`must be a telephone number with its country: "+2348012345678"`)
	errCurrency = invalid(`must be an ISO 4217 code in capital letters: "NGN"`)
)

// MarshalText writes a String; "" is null.
func MarshalText(v string) graphql.Marshaler {
	if v == "" {
		return graphql.Null
	}
	return graphql.MarshalString(v)
}

// UnmarshalText reads a String; null is "". Numbers and truth values are refused, and so is U+0000,
// which PostgreSQL cannot store.
func UnmarshalText(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	text, ok := v.(string)
	switch {
	case !ok:
		return "", errText
	case strings.ContainsRune(text, 0):
		return "", errNUL
	}
	return text, nil
}

// MarshalID writes an ID; "" is null.
func MarshalID(v string) graphql.Marshaler { return MarshalText(v) }

// UnmarshalID reads an ID, for which GraphQL takes text and whole numbers; null is "".
func UnmarshalID(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v.String(), nil
		}
	}
	return "", errID
}

// MarshalPhoneNumber writes a PhoneNumber; "" is null.
func MarshalPhoneNumber(v string) graphql.Marshaler { return MarshalText(v) }

// UnmarshalPhoneNumber reads a PhoneNumber: a plus sign and 7 to 15 digits, the first not 0, between which
// spaces, dashes, points and brackets may stand. It gives the E.164 form; null is "".
func UnmarshalPhoneNumber(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	text, ok := v.(string)
	if !ok {
		return "", errPhone
	}
	number := strings.Map(dropSeparator, text)
	digits, plus := strings.CutPrefix(number, "+")
	if !plus || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return "", errPhone
	}
	return number, nil
}

func dropSeparator(r rune) rune {
	switch r {
	case ' ', '-', '.', '(', ')':
		return -1
	}
	return r
}

// MarshalCurrencyCode writes a CurrencyCode; "" is null.
func MarshalCurrencyCode(v lending.Currency) graphql.Marshaler { return MarshalText(string(v)) }

// UnmarshalCurrencyCode reads a CurrencyCode, which has to be active; null is "".
func UnmarshalCurrencyCode(v any) (lending.Currency, error) {
	if v == nil {
		return "", nil
	}
	code, ok := v.(string)
	if !ok || !lending.Currency(code).Valid() {
		return "", errCurrency
	}
	return lending.Currency(code), nil
}
