package carbon

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// refusals are the messages of seed 003, Error Responses, by what they contain, with our own words for
// them. Carbon's words are never passed on.
var refusals = []struct {
	contains string
	kind     lending.ErrorKind
	field    string
	message  string
}{
	{"customer not found", lending.KindNotFound, "customerId", "Carbon does not know this customer as one of ours."},
	{"customer_id is required", lending.KindValidation, "customerId", "Carbon needs the customer's id."},
	{"minimum loan amount", lending.KindValidation, "principal", "Carbon lends 3000 NGN or more."},
	{"repayment_period", lending.KindValidation, "tenure", "Carbon lends for 1 to 6 months."},
	{"loan_purpose", lending.KindValidation, "purpose", "Carbon needs one of the purposes of its list."},
	{"reference", lending.KindValidation, "idempotencyKey", "Carbon's reference has 100 characters or less."},
	{"customer_id", lending.KindValidation, "customerId", "Carbon does not accept the customer's id."},
	{"amount", lending.KindValidation, "principal", "Carbon does not accept the amount."},
}

// refusal is the error for an answer that is no success: by its message where the page lists it, else by
// its status.
func refusal(response *restclient.Response, now time.Time) *lending.Error {
	f := readFailure(response.Body)
	wait := restclient.RetryAfter(response.Header, now, maxWait)
	e := provider.StatusFailure(lending.Carbon, provider.DedupedWrite, response.Status, wait)
	e.ProviderCode = f.code()
	message := f.message()
	switch response.Status {
	case http.StatusBadRequest:
		explain(e, message)
	case http.StatusUnprocessableEntity:
		// The page lists this status for nothing else; another message is a refusal of another kind.
		if message == "" || strings.Contains(message, "kyc") {
			e.Kind, e.Err = lending.KindKYCRequired, errors.New("422: KYC")
			e.Problems = []lending.Problem{{
				Kind: lending.KindKYCRequired, Field: []string{"input", "customerId"},
				Message: "Carbon needs the customer's identity to be verified first.",
			}}
		}
	}
	return e
}

// explain finds what a 400 is about.
func explain(e *lending.Error, message string) {
	for _, r := range refusals {
		if strings.Contains(message, r.contains) {
			e.Kind, e.Err = r.kind, errors.New("400: "+r.contains)
			p := problem(r.field, r.message)
			p.Kind = r.kind
			e.Problems = []lending.Problem{p}
			if r.kind == lending.KindNotFound {
				e.Message = r.message
			}
			return
		}
	}
}

// failure is an error's body. The seed shows none; each of the usual forms is read: message as a text or
// several, error as a text or an object with a message of its own.
type failure struct {
	Message wire.List[wire.Text] `json:"message"`
	Code    wire.Text            `json:"code"`
	Error   cause                `json:"error"`
}

type cause struct {
	text   wire.Text
	object struct {
		Message wire.List[wire.Text] `json:"message"`
		Code    wire.Text            `json:"code"`
	}
}

// UnmarshalJSON never fails: what is neither text nor object says nothing.
func (c *cause) UnmarshalJSON(data []byte) error {
	*c = cause{}
	_ = c.text.UnmarshalJSON(data)      // never fails
	_ = json.Unmarshal(data, &c.object) // fails for text, which is read above
	return nil
}

// readFailure reads an error's body; one that is no JSON object says nothing.
func readFailure(body []byte) failure {
	var f failure
	if wire.Decode(body, &f) != nil {
		return failure{}
	}
	return f
}

// message is all that the body says, in lower case: for comparing with the page's table alone.
func (f failure) message() string {
	texts := append(slices.Clone(f.Error.object.Message.Items), f.Message.Items...)
	var all strings.Builder
	for _, text := range append(texts, f.Error.text) {
		all.WriteString(wire.Keyword(text) + "\n")
	}
	return strings.TrimSpace(all.String())
}

// code is Carbon's own code, where the body has one of the shape of a code.
func (f failure) code() string { return wire.Code(f.Error.object.Code, f.Code) }
