package trustdecision

import (
	"errors"
	"regexp"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// The codes of seed 001, API Status Code. The first six belong to the order (step 1), the next three to
// the backup query, the last to all.
const (
	codeSuccess       = 200
	codeNotPurchased  = 300 // not purchased, or not effective
	codeNotPurchased2 = 301
	codeSuspended     = 302
	codeNoBalance     = 303
	codeExpired       = 304
	codeEmpty         = 9060 // a parameter is empty
	codeError         = 9061 // a parameter is wrong
	codeWindowOver    = 9080 // "24 hours" in the text, "48 hours" in the message
	codeTryAgain      = 9083
	codeInProgress    = 9084
	codeInternal      = 9500
)

// call is one of the two calls, with what its codes mean.
type call struct {
	name  string
	class provider.Class
}

var (
	ordering = call{name: "order", class: provider.Write}
	fetching = call{name: "backup query", class: provider.Read}
)

// failure is the error for a code that the page lists for the call; nil for success and for any other
// code.
func (c call) failure(a answer) *lending.Error {
	e := &lending.Error{Provider: lending.TrustDecision, Outcome: lending.NotExecuted}
	switch code := a.code(); code {
	case codeNotPurchased, codeNotPurchased2, codeSuspended, codeExpired:
		e.Kind = lending.KindProviderDisabled
	case codeNoBalance:
		e.Kind = lending.KindBalanceExhausted
	case codeEmpty, codeError:
		refuseParameter(e, string(a.Message))
	case codeInternal:
		c.internal(e)
	case codeWindowOver, codeTryAgain, codeInProgress:
		if c.class != provider.Read {
			return nil // the page does not list these for an order
		}
		e.Kind, e.Retryable = waitFor(code)
	default:
		return nil
	}
	e.Err = errors.New(c.name + ": code " + a.codeText())
	e.ProviderCode, e.RequestID = a.codeText(), a.sequence()
	return e
}

// internal is code 9500. An order may have been taken, and billed, before the bureau failed.
func (c call) internal(e *lending.Error) {
	if c.class == provider.Read {
		e.Kind, e.Retryable = lending.KindUpstreamUnavailable, true
		return
	}
	e.Kind, e.Outcome = lending.KindOutcomeUnknown, lending.OutcomeUnknown
}

func waitFor(code int) (kind lending.ErrorKind, retryable bool) {
	switch code {
	case codeInProgress:
		return lending.KindInProgress, true
	case codeTryAgain:
		return lending.KindUpstreamUnavailable, true
	}
	return lending.KindReportWindowExpired, false
}

// refusal is the message of 9060 and 9061: "{parameter} empty", "{parameter} error".
var refusal = regexp.MustCompile(`^\{?([a-z_]{1,40})\}? (empty|error)\b`)

// inputs are the order's parameters as the graph's input knows them, and in words.
var inputs = map[string]struct{ field, words string }{
	"id_number":    {"bvn", "the bank verification number"},
	"phone_number": {"phone", "the phone number"},
	"name":         {"name", "the name"},
}

// refuseParameter puts the parameter that was refused into our words. A refusal of our own credentials
// is none of the input's.
func refuseParameter(e *lending.Error, message string) {
	e.Kind = lending.KindValidation
	match := refusal.FindStringSubmatch(strings.ToLower(strings.TrimSpace(message)))
	if match == nil {
		return
	}
	if match[1] == "partner_code" || match[1] == "partner_key" {
		e.Kind = lending.KindUpstreamAuth
		return
	}
	input, ours := inputs[match[1]]
	if !ours {
		return
	}
	text := "TrustDecision does not accept " + input.words + "."
	if match[2] == "empty" {
		text = "TrustDecision needs " + input.words + "."
	}
	e.Problems = []lending.Problem{{Kind: lending.KindValidation, Message: text, Field: []string{"input", input.field}}}
}
