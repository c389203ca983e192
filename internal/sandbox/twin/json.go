package twin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// MaxBody is the most bytes of a body that a twin reads.
const MaxBody = 16 << 20

const maxJSON = 1 << 20

// ErrBody says that a body is not the JSON object that is asked for.
var ErrBody = errors.New("not the JSON that is asked for")

// FieldError is an ErrBody that is known to come from one field: of another type, or unknown.
type FieldError struct{ Field string }

// Error names the field.
func (e *FieldError) Error() string { return fmt.Sprintf("%v: field %s", ErrBody, e.Field) }

// Unwrap is ErrBody.
func (e *FieldError) Unwrap() error { return ErrBody }

// ReadJSON reads a request's body, which is also returned as it came, into v. It is strict: a field that v
// does not have, anything behind the object, and more than 1 MiB are [ErrBody], so that a client that sends
// what the provider does not document is found out. Decode amounts into json.Number, never into a float.
func ReadJSON(r *http.Request, v any) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxJSON+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if len(body) > maxJSON {
		return body, fmt.Errorf("%w: over 1 MiB", ErrBody)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return body, bodyError(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return body, fmt.Errorf("%w: something behind the object", ErrBody)
	}
	return body, nil
}

func bodyError(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mismatch.Field != "" {
		return &FieldError{Field: mismatch.Field}
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &FieldError{Field: strings.Trim(field, `"`)}
	}
	return fmt.Errorf("%w: %w", ErrBody, err)
}

// WriteJSON answers with a status and v. v is the twin's own and can be written; a client that is gone is
// the client's affair.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("twin: an answer that is no JSON: %v", err))
	}
	w.Header().Set("Content-Type", "application/json")
	send(w, status, body.Bytes())
}
