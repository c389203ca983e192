package kredete

import (
	"net/http"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// maxRetryAfter bounds how long Kredete can make us wait: its limits are counted by the minute.
const maxRetryAfter = time.Minute

// errorBody is the error envelope (seed 000, Error Response Format).
type errorBody struct {
	Error wire.Object[struct {
		Code      wire.Text             `json:"code"`
		Details   wire.List[detailBody] `json:"details"`
		RequestID wire.Text             `json:"request_id"`
	}] `json:"error"`
}

type detailBody struct {
	Field   wire.Text `json:"field"`
	Message wire.Text `json:"message"`
}

// codeStatus is the status that the documentation gives for each code (seed 000, Error Codes).
var codeStatus = map[string]int{
	"AUTHENTICATION_FAILED": http.StatusUnauthorized,
	"AUTHORIZATION_DENIED":  http.StatusForbidden,
	"RESOURCE_NOT_FOUND":    http.StatusNotFound,
	"VALIDATION_ERROR":      http.StatusBadRequest,
	"RATE_LIMIT_EXCEEDED":   http.StatusTooManyRequests,
	"INTERNAL_ERROR":        http.StatusInternalServerError,
}

// failure turns an answer that is no success into an error of ours.
func failure(q call, resp *restclient.Response, now time.Time) *lending.Error {
	var body errorBody
	_ = wire.Decode(resp.Body, &body) // an envelope that cannot be read leaves the status to speak
	told := body.Error.Or()
	e := provider.StatusFailure(lending.Kredete, q.class, effectiveStatus(resp.Status, told.Code), retryAfter(resp, now))
	e.ProviderCode = wire.Code(told.Code)
	e.RequestID = shownID(told.RequestID.String())
	if e.Kind == lending.KindValidation {
		for _, detail := range told.Details.Items {
			e.Problems = append(e.Problems, problem(detail, q.fields))
		}
	}
	return e
}

// effectiveStatus lets the code speak where a client error has another status than documented. Neither
// a refusal by status 401 or 429 nor a server's error is talked away by a code, because they decide
// what may be sent again.
func effectiveStatus(status int, code wire.Text) int {
	if status < 400 || status >= 500 || status == http.StatusUnauthorized || status == http.StatusTooManyRequests {
		return status
	}
	if documented, known := codeStatus[strings.ToUpper(code.String())]; known {
		return documented
	}
	return status
}

func retryAfter(resp *restclient.Response, now time.Time) time.Duration {
	if resp.Status != http.StatusTooManyRequests && resp.Status != http.StatusServiceUnavailable {
		return 0
	}
	return restclient.RetryAfter(resp.Header, now, maxRetryAfter)
}

// longestID is the most of an id of Kredete's that is shown where it is no key: in errors, events and logs.
const longestID = 40

// shownID is an id where it has the shape of one.
func shownID(id string) string { return wire.ID(wire.Text(id), longestID) }

// problem is what Kredete said of one field, by the graph's name of the field.
func problem(detail detailBody, fields map[string]string) lending.Problem {
	p := lending.Problem{Kind: lending.KindValidation, Message: "Kredete refused this value.", Field: []string{"input"}}
	if ours, known := fields[wire.Keyword(detail.Field)]; known {
		p.Field = append(p.Field, strings.Split(ours, ".")...)
	}
	if message := wire.Sentence(detail.Message); message != "" {
		p.Message = message
	}
	return p
}
