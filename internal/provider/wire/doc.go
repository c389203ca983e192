// Package wire reads what providers send: JSON in which a number may be a string, a list a single
// object, and a missing value "na", "-" or "". Its types never fail on an odd shape, so that one odd
// field does not cost the rest of an answer; what could not be read is told by the type instead.
//
// Numbers keep the digits that stood on the wire. There is no float anywhere.
//
// What a provider writes may be personal wherever it stands. [Word], [Code], [ID], [Sentence] and [Prompt]
// are the rules by which its text may be shown or logged, and [Oddities] tells the log of what it sends that
// nobody knows.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// ErrNotJSON says that a body is not one JSON object. The body is not quoted: it may be personal.
var ErrNotJSON = errors.New("body is not a JSON object")

// ErrShape says that a JSON body is not of the shape that it should have.
var ErrShape = errors.New("JSON of another shape")

// Decode reads a body that has to be one JSON object into v. Its errors are [ErrNotJSON] and
// [ErrShape], because those of encoding/json quote the values that they stumble on.
func Decode(body []byte, v any) error {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 || body[0] != '{' || !json.Valid(body) {
		return ErrNotJSON
	}
	if err := json.Unmarshal(body, v); err != nil {
		return ErrShape
	}
	return nil
}

// Keyword is a provider's word as enum tables are looked up with it: trimmed and in lower case.
func Keyword[S ~string](word S) string { return strings.ToLower(strings.TrimSpace(string(word))) }

// isNull reports whether a JSON value is null.
func isNull(data []byte) bool { return len(data) == 0 || data[0] == 'n' }

// scalar is the text of a JSON string, number or boolean; ok is false for null, an object and an array.
func scalar(data []byte) (text string, ok bool) {
	data = bytes.TrimSpace(data)
	if isNull(data) || data[0] == '{' || data[0] == '[' {
		return "", false
	}
	if data[0] != '"' {
		return string(data), true
	}
	if json.Unmarshal(data, &text) != nil {
		return "", false
	}
	return strings.TrimSpace(text), true
}

// absent reports whether a text is one of the ways in which providers say that there is no value.
func absent(text string) bool {
	switch strings.ToLower(text) {
	case "", "-", "--", "na", "n/a", "nil", "null", "none":
		return true
	}
	return false
}
