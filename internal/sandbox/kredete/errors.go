package kredete

import (
	"errors"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// detail is what is wrong with one field of a request.
type detail struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

type errorBody struct {
	Code      string   `json:"code"`
	Message   string   `json:"message"`
	Details   []detail `json:"details,omitempty"`
	RequestID string   `json:"request_id"`
}

// refuse answers with a status in the form of seed 000, Error Response Format.
func (t *Twin) refuse(w http.ResponseWriter, _ *http.Request, status int) {
	t.fail(w, status, nil)
}

func (t *Twin) fail(w http.ResponseWriter, status int, details []detail) {
	code, message := describe(status)
	twin.WriteJSON(w, status, map[string]errorBody{"error": {
		Code: code, Message: message, Details: details, RequestID: t.ids.Next("req_"),
	}})
}

// describe is a status's code and sentence (seed 000, Error Codes). A status that the table does not have is
// an INTERNAL_ERROR.
func describe(status int) (code, message string) {
	switch status {
	case http.StatusBadRequest:
		return "VALIDATION_ERROR", "Request validation failed"
	case http.StatusUnauthorized:
		return "AUTHENTICATION_FAILED", "Invalid or expired credentials"
	case http.StatusForbidden:
		return "AUTHORIZATION_DENIED", "Insufficient permissions"
	case http.StatusNotFound:
		return "RESOURCE_NOT_FOUND", "Requested resource not found"
	case http.StatusTooManyRequests:
		return "RATE_LIMIT_EXCEEDED", "Too many requests"
	}
	return "INTERNAL_ERROR", "Internal server error"
}

// read decodes a body into v; where it cannot, the request is refused and ok is false.
func (t *Twin) read(w http.ResponseWriter, r *http.Request, v any) (body []byte, ok bool) {
	body, err := twin.ReadJSON(r, v)
	if err == nil {
		return body, true
	}
	problem := detail{Field: "body", Message: "Body must be a JSON object"}
	if field, found := errors.AsType[*twin.FieldError](err); found {
		problem = detail{Field: field.Field, Message: "Field is unknown or of another type"}
	}
	t.fail(w, http.StatusBadRequest, []detail{problem})
	return body, false
}

// checks gathers what is wrong with a request.
type checks []detail

func (c *checks) that(holds bool, field, message string) {
	if !holds {
		*c = append(*c, detail{Field: field, Message: message})
	}
}

func (c *checks) required(field, value string) { c.that(value != "", field, field+" is required") }
