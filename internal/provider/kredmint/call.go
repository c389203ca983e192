package kredmint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// maxRetryAfter is the longest that Kredmint may ask us to wait.
const maxRetryAfter = time.Minute

// envelope is what every answer comes in (seed 002, "Response Body"). "sum" means nothing. The invoice
// upload has no "error"; the last three names are what Kredmint's own client library looks for.
type envelope struct {
	Payload          json.RawMessage `json:"payload"`
	Timestamp        wire.Number     `json:"timestamp"`
	Error            json.RawMessage `json:"error"`
	ErrorMessage     wire.Text       `json:"errorMessage"`
	ErrorDescription wire.Text       `json:"error_description"`
	Msg              wire.Text       `json:"msg"`
}

// problem is the error of an envelope where it is an object. Nobody documents its fields.
type problem struct {
	Code      wire.Text `json:"code"`
	ErrorCode wire.Text `json:"errorCode"`
	Error     wire.Text `json:"error"`
}

// call sends a request and opens the envelope of its answer. Every failure is a *lending.Error.
func (c *client) call(ctx context.Context, host *restclient.Client, class provider.Class, request restclient.Request) (envelope, error) {
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Authorization", c.authorization)
	request.Header.Set("Accept", "application/json")
	answer, err := host.Do(ctx, request)
	if err != nil {
		return envelope{}, provider.TransportFailure(lending.Kredmint, class, err)
	}
	if answer.Status < 200 || answer.Status > 299 {
		return envelope{}, c.statusFailure(class, answer)
	}
	return open(class, answer.Body)
}

// callJSON is call with a JSON body.
func (c *client) callJSON(ctx context.Context, host *restclient.Client, class provider.Class, path string, body any) (envelope, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return envelope{}, &lending.Error{
			Provider: lending.Kredmint, Kind: lending.KindInternal, Outcome: lending.NotExecuted,
			Err: fmt.Errorf("encode a request: %w", err),
		}
	}
	return c.call(ctx, host, class, restclient.Request{
		Method: http.MethodPost, Path: path, ContentType: "application/json", Body: encoded,
	})
}

// statusFailure is the error for an HTTP status of Kredmint's table (seed 002, Errors), which is read as
// HTTP means it. "I'm a teapot" is in that table and means nothing to us: UPSTREAM_PROTOCOL.
func (c *client) statusFailure(class provider.Class, answer *restclient.Response) *lending.Error {
	wait := restclient.RetryAfter(answer.Header, c.clock(), maxRetryAfter)
	failure := provider.StatusFailure(lending.Kredmint, class, answer.Status, wait)
	var e envelope
	if wire.Decode(answer.Body, &e) == nil {
		failure.ProviderCode = e.code()
	}
	return failure
}

// open reads an envelope. An error in it counts even where there is a payload beside it.
func open(class provider.Class, body []byte) (envelope, error) {
	var e envelope
	if err := wire.Decode(body, &e); err != nil {
		return envelope{}, provider.Garbled(lending.Kredmint, class, err)
	}
	if e.failed() {
		return envelope{}, e.rejection()
	}
	return e, nil
}

// failed reports whether the envelope tells of an error. A "msg" beside a payload is no error: it may
// say that all went well.
func (e *envelope) failed() bool {
	if !isNothing(e.Error) || e.ErrorMessage != "" || e.ErrorDescription != "" {
		return true
	}
	return isNull(e.Payload) && e.Msg != ""
}

// rejection is the error that Kredmint put into a success. Its own words stay out of it.
func (e *envelope) rejection() *lending.Error {
	failure := &lending.Error{
		Provider: lending.Kredmint, Kind: lending.KindUpstreamRejected, Outcome: lending.NotExecuted,
		ProviderCode: e.code(), Err: errors.New("an error inside an HTTP success"),
	}
	switch wire.Keyword(failure.ProviderCode) {
	case "invalid_token", "invalid_client", "unauthorized":
		failure.Kind = lending.KindUpstreamAuth
	}
	return failure
}

// code is the error's code, "" where it has none that is fit to be shown.
func (e *envelope) code() string {
	var word wire.Text
	var object wire.Object[problem]
	if isNull(e.Error) || json.Unmarshal(e.Error, &word) != nil || json.Unmarshal(e.Error, &object) != nil {
		return ""
	}
	p := object.Or()
	return wire.Code(word, p.Code, p.ErrorCode, p.Error)
}

// isNull reports whether a value is absent or null.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// isNothing reports whether an error field says that there is no error.
func isNothing(raw json.RawMessage) bool {
	return isNull(raw) || string(raw) == "false" || strings.TrimSpace(strings.Trim(string(raw), `"`)) == ""
}

// payloadOf reads the payload; one that is absent, null or of another shape is a protocol failure.
func payloadOf[T any](class provider.Class, e envelope) (T, error) {
	var payload wire.Object[T]
	if isNull(e.Payload) || json.Unmarshal(e.Payload, &payload) != nil || payload.Value == nil {
		return payload.Or(), garbled(class, "no payload, or one of another shape")
	}
	return *payload.Value, nil
}

// garbled says why an answer makes no sense, without quoting any of it.
func garbled(class provider.Class, why string) *lending.Error {
	return provider.Garbled(lending.Kredmint, class, errors.New(why))
}
