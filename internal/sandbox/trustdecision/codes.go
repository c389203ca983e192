package trustdecision

import (
	"errors"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// Codes of the seed's tables (API Status Code).
const (
	codeSuccess    = 200
	codeEmpty      = 9060
	codeError      = 9061
	codeTooLate    = 9080
	codeTryAgain   = 9083
	codeInProgress = 9084
	codeInternal   = 9500
)

const messageUnavailable = "Service unavailable, please retry later"

// messageOf is the message of a code that does not depend on a parameter, "" for another code.
func messageOf(code int) string {
	switch code {
	case codeSuccess:
		return "Success"
	case 300:
		return "Service not purchased or not effective"
	case 301:
		return "Service not purchased"
	case 302:
		return "Service has been suspend"
	case 303:
		return "Not enough balance"
	case 304:
		return "Service expired"
	case codeTooLate:
		return "Only queries within 48 hours are available."
	case codeTryAgain:
		return "There was an error occurred, please try again"
	case codeInProgress:
		return "Work in progress"
	case codeInternal:
		return "Internal error"
	}
	return ""
}

// account is how the bureau's service stands for the partner. A code of 0 is in order.
type account struct {
	Code       int `json:"code"`        // answers orders
	PushCode   int `json:"push_code"`   // is the outcome of new orders
	BackupCode int `json:"backup_code"` // answers backup queries
}

// errAccount says that a code is none that the seed knows in its place.
var errAccount = errors.New("code is 300 to 304 or 9500, push_code 9500, backup_code 9083 or 9500")

func (a account) check() error {
	order := a.Code == 0 || a.Code >= 300 && a.Code <= 304 || a.Code == codeInternal
	push := a.PushCode == 0 || a.PushCode == codeInternal
	backup := a.BackupCode == 0 || a.BackupCode == codeTryAgain || a.BackupCode == codeInternal
	if !order || !push || !backup {
		return errAccount
	}
	return nil
}

// credentials are who asks; the seed does not say where they stand.
type credentials struct {
	PartnerCode string `json:"partner_code"`
	PartnerKey  string `json:"partner_key"`
}

// complete takes what the body leaves out from the query, or else from the headers.
func (c *credentials) complete(r *http.Request) {
	query := r.URL.Query()
	for _, field := range []struct {
		value *string
		name  string
	}{{&c.PartnerCode, "partner_code"}, {&c.PartnerKey, "partner_key"}} {
		if *field.value == "" {
			*field.value = query.Get(field.name)
		}
		if *field.value == "" {
			*field.value = r.Header.Get(field.name)
		}
	}
}

// parameter is a value that a call needs, and what it has to look like.
type parameter struct {
	name, value string
	valid       func(string) bool
}

// check answers with the first parameter that is empty or wrong; true where all are in order.
func (t *Twin) check(w http.ResponseWriter, parameters ...parameter) bool {
	for _, p := range parameters {
		if p.value == "" {
			t.refuse(w, codeEmpty, p.name+" empty")
			return false
		}
		if p.valid != nil && !p.valid(p.value) {
			t.refuse(w, codeError, p.name+" error")
			return false
		}
	}
	return true
}

// admit checks who asks.
func (t *Twin) admit(w http.ResponseWriter, r *http.Request, c credentials) bool {
	c.complete(r)
	return t.check(w,
		parameter{"partner_code", c.PartnerCode, is(t.options.PartnerCode)},
		parameter{"partner_key", c.PartnerKey, is(t.options.PartnerKey)})
}

// refuseBody answers a body that could not be read.
func (t *Twin) refuseBody(w http.ResponseWriter, err error) {
	name := "body"
	if field, ok := errors.AsType[*twin.FieldError](err); ok {
		name = field.Field
	}
	t.refuse(w, codeError, name+" error")
}

func is(want string) func(string) bool { return func(got string) bool { return got == want } }

// digits reports whether a text has low to high digits and nothing else.
func digits(low, high int) func(string) bool {
	return func(text string) bool {
		for _, r := range text {
			if r < '0' || r > '9' {
				return false
			}
		}
		return len(text) >= low && len(text) <= high
	}
}
