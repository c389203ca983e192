// Package onepipe is the sandbox's stand-in for OnePipe's get_credit_score (seed 004): /transact looks a
// customer up, /transact/validate takes what the customer was asked for, /transact/query tells how it stands.
//
// The OTP of everybody is 123456. No text message is sent to anybody.
//
// It is written from the seed alone. Where the seed is silent:
//
//   - Refusals are envelopes of the status Failed in HTTP 200, with codes of this twin's own; only wrong
//     credentials are 401, and a body that cannot be read is 400.
//   - The body of validate is blank in the seed. The OTP is taken from auth.secure, encrypted or plain, or
//     from transaction.details.otp. A wrong one leaves the transaction waiting, the third fails it.
//   - A transaction_ref that was used before is Failed and changes nothing: what stands under it stands.
//   - A customer whose identity was refused (KYC failed) is known, but nothing is known about them: Failed.
//   - Every fifth person (those whose number leaves 3) is PendingValidation: any meta, or anything in
//     auth.secure, is the information that is wanted.
//   - offer_amount is in naira, as the seed's 200000 for a score of 9 suggests.
//
// otp_override is set for every third person (those whose number leaves 2), and can be set otherwise with
//
//	POST /__sandbox/otp-override {"on":true,"customer_ref":"C-1001"}
//
// for one customer, or for all where customer_ref is left out.
package onepipe

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// RightOTP is the OTP that every customer is sent.
const RightOTP = "123456"

// DefaultBase is the path before /transact.
const DefaultBase = "/v2"

// Options are what a Twin is made of. World and the credentials are needed.
type Options struct {
	World  *world.World
	Clock  func() time.Time // time.Now where nil
	Logger *slog.Logger     // nobody is told where nil

	APIKey       string // in Authorization: Bearer …
	ClientSecret string // signs requests and encrypts auth.secure
	// Base is the path before /transact; DefaultBase where "".
	Base string
}

// Twin is the stand-in. It is safe for use from many goroutines.
type Twin struct {
	options Options
	core    *twin.Core
	routes  *http.ServeMux

	mu           sync.Mutex
	lookups      map[string]*lookup // by transaction_ref
	overrideAll  *bool
	overrideEach map[string]bool // by customer_ref
}

// New makes a twin. [Twin.Stop] has to be called at the end.
func New(o Options) *Twin {
	if o.Base == "" {
		o.Base = DefaultBase
	}
	t := &Twin{
		options: o, routes: http.NewServeMux(),
		lookups: map[string]*lookup{}, overrideEach: map[string]bool{},
	}
	t.core = twin.New(twin.Options{Clock: o.Clock, Logger: o.Logger, Refuse: t.refuse})
	path := strings.TrimSuffix(o.Base, "/") + "/transact"
	t.routes.HandleFunc("POST "+path, t.guarded(strict, t.transact))
	t.routes.HandleFunc("POST "+path+"/validate", t.guarded(lenient, t.validate))
	t.routes.HandleFunc("POST "+path+"/query", t.guarded(lenient, t.query))
	t.core.HandleAdmin("POST /__sandbox/otp-override", t.setOverride)
	return t
}

// Handler serves the provider's calls and the sandbox's own endpoints.
func (t *Twin) Handler() http.Handler { return t.core.Handler(t.routes) }

// Stop lets go of requests that a fault holds. It is safe to call twice.
func (t *Twin) Stop() { t.core.Stop() }

// read reads a body into a request and returns it as it came.
type read func(r *http.Request, in *request) ([]byte, error)

// strict is for the call whose body the seed shows.
func strict(r *http.Request, in *request) ([]byte, error) { return twin.ReadJSON(r, in) }

// lenient is for the calls whose bodies the seed leaves blank: fields that are not known are left alone.
func lenient(r *http.Request, in *request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, twin.MaxBody))
	if err != nil {
		return nil, err
	}
	return body, json.Unmarshal(body, in)
}

// guarded checks the credentials of a call before it is carried out.
func (t *Twin) guarded(read read, handle func(*request, []byte) envelope) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !equal(r.Header.Get("Authorization"), "Bearer "+t.options.APIKey) {
			twin.WriteJSON(w, http.StatusUnauthorized, failed("", codeUnauthorized, "Invalid API key"))
			return
		}
		var in request
		body, err := read(r, &in)
		if err != nil {
			twin.WriteJSON(w, http.StatusBadRequest, failed("", codeInvalid, "The request cannot be read"))
			return
		}
		if !equal(r.Header.Get("Signature"), signature(in.RequestRef, t.options.ClientSecret)) {
			twin.WriteJSON(w, http.StatusUnauthorized,
				failed(in.Auth.AuthProvider, codeUnauthorized, "Invalid signature"))
			return
		}
		twin.WriteJSON(w, http.StatusOK, handle(&in, body))
	}
}

// refuse is an answer with a status that only a fault asks for.
func (t *Twin) refuse(w http.ResponseWriter, _ *http.Request, status int) {
	twin.WriteJSON(w, status, failed("", codeUnavailable, http.StatusText(status)))
}

// setOverride lets a customer, or all of them, do without an OTP, or takes that back.
func (t *Twin) setOverride(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		On  bool   `json:"on"`
		Ref string `json:"customer_ref"`
	}
	if _, err := twin.ReadJSON(r, &wanted); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if wanted.Ref == "" {
		t.overrideAll = &wanted.On
	} else {
		t.overrideEach[wanted.Ref] = wanted.On
	}
	w.WriteHeader(http.StatusNoContent)
}

// overridden reports whether a person needs no OTP. The lock is held.
func (t *Twin) overridden(p *world.Person) bool {
	if on, told := t.overrideEach[p.CustomerRef]; told {
		return on
	}
	if t.overrideAll != nil {
		return *t.overrideAll
	}
	return p.Index%3 == 2
}
