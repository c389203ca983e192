package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// actFault is one way in which an answer is lost.
type actFault struct {
	name string
	rule twin.Rule
	// effect tells whether the provider carries the request out all the same.
	effect bool
}

func actFaults() []actFault {
	const bad = http.StatusBadGateway
	return []actFault{
		{"cut before the effect", twin.Rule{Kind: twin.CutBeforeEffect}, false},
		{"cut after the effect", twin.Rule{Kind: twin.CutAfterEffect}, true},
		{"half an answer", twin.Rule{Kind: twin.HalfBody}, true},
		{"502 without effect", twin.Rule{Kind: twin.Status, Status: bad}, false},
		{"502 after the effect", twin.Rule{Kind: twin.Status, Status: bad, AfterEffect: true}, true},
		{"a page of HTML after the effect", twin.Rule{Kind: twin.HTML, AfterEffect: true}, true},
		{"garbage after the effect", twin.Rule{Kind: twin.Garbage, AfterEffect: true}, true},
		{"no answer, without effect", twin.Rule{Kind: twin.Hang}, false},
		{"no answer after the effect", twin.Rule{Kind: twin.Hang, AfterEffect: true}, true},
	}
}

// The ways in which an action of unknown outcome comes to an end.
const (
	byNobody   = "nobody"   // only an operator can say
	byWebhook  = "webhook"  // the provider's own news proves it
	byQuery    = "query"    // the provider is asked, and knows
	byListing  = "listing"  // what was made is found in the provider's list
	byRepeated = "repeated" // the provider dedupes, so it is sent until it is answered
)

// actAction is one kind of request, and how its outcome can be learned.
type actAction struct {
	name     string
	provider lending.Provider
	path     string // beginning of what is faulted
	route    string // what is counted
	settled  string
	news     string // beginning of the webhook's event that proves it
	prepare  func(w *actWorld, n int) actRequest
}

func actActions() []actAction {
	key := func(n int) string { return fmt.Sprintf("key-%d", n) }
	decision := func(mutation string, steps ...string) func(*actWorld, int) actRequest {
		return func(w *actWorld, n int) actRequest {
			return w.loanRequest(mutation, key(n), w.loanAt(key(n), n, steps...))
		}
	}
	const (
		kredete, kredmint = lending.Kredete, lending.Kredmint
		decided           = "POST /v2/loans/{id}/"
		eligibility       = "/user/eligibility"
	)
	return []actAction{
		{"Kredete/create customer", kredete, "/v2/customers", "POST /v2/customers", byListing, "", func(w *actWorld, n int) actRequest {
			return w.customerRequest(key(n), n)
		}},
		{"Kredete/apply", kredete, "/v2/loans", "POST /v2/loans", byWebhook, "loan.created", func(w *actWorld, n int) actRequest {
			return w.applyRequest(key(n), n)
		}},
		{"Kredete/approve", kredete, "/v2/loans", decided + "approve", byWebhook, "loan.approved", decision("approveLoan")},
		{"Kredete/reject", kredete, "/v2/loans", decided + "reject", byNobody, "", decision("rejectLoan")},
		{"Kredete/disburse", kredete, "/v2/loans", decided + "disburse", byWebhook, "loan.disbursed", decision("disburseLoan", "approve")},
		{"Kredete/record payment", kredete, "/v2/payments", "POST /v2/payments", byWebhook, "payment.received", func(w *actWorld, n int) actRequest {
			return w.paymentRequest(key(n), w.loanAt(key(n), n, "approve", "disburse"), "TRF-"+key(n))
		}},
		{"Kredete/score", kredete, "/v2/scoring", "POST /v2/scoring/score", byNobody, "", func(w *actWorld, n int) actRequest {
			return w.kredeteScoreRequest(key(n), n)
		}},
		{"Kredete/register webhook", kredete, "/v2/webhooks", "POST /v2/webhooks", byNobody, "", func(w *actWorld, n int) actRequest {
			return w.webhookRequest(key(n), n)
		}},
		{"TrustDecision/order report", lending.TrustDecision, "/query", "POST /query", byWebhook, "report.", func(w *actWorld, n int) actRequest {
			return w.reportRequest(key(n), w.borrower(n))
		}},
		{"Kredmint/create supplier", kredmint, "/account/supplier", "POST /account/supplier", byListing, "", func(w *actWorld, n int) actRequest {
			return w.supplierRequest(key(n), n)
		}},
		{"Kredmint/pay the anchor", kredmint, eligibility, "POST " + eligibility, byWebhook, "", func(w *actWorld, n int) actRequest {
			return w.invoiceRequest(key(n), "INV-"+key(n), "")
		}},
		{"Kredmint/pay a supplier", kredmint, eligibility, "POST " + eligibility, byWebhook, "", func(w *actWorld, n int) actRequest {
			return w.invoiceRequest(key(n), "INV-"+key(n), w.supplier())
		}},
		{"Kredmint/upload financial data", kredmint, "/user/document", "POST /user/document/upload", byNobody, "", func(w *actWorld, n int) actRequest {
			return w.uploadRequest(key(n), "FINANCIAL_DATA", "")
		}},
		{"Kredmint/upload invoice", kredmint, "/account/invoice", "POST /account/invoice/upload", byNobody, "", func(w *actWorld, n int) actRequest {
			return w.uploadRequest(key(n), "INVOICE", "INV-"+key(n))
		}},
		{"Carbon/apply", lending.Carbon, "/v1/loans", "POST /v1/loans/apply", byRepeated, "", func(w *actWorld, n int) actRequest {
			return w.carbonRequest(key(n), n)
		}},
		{"OnePipe/transact", lending.OnePipe, "/v2/transact", "POST /v2/transact", byQuery, "", func(w *actWorld, n int) actRequest {
			return w.onePipeRequest(key(n))
		}},
	}
}

// borrower is the nth person of whom the bureau can be asked.
func (w *actWorld) borrower(n int) int {
	w.t.Helper()
	for i := range w.twins.World.Size() {
		p := w.twins.World.Person(i)
		if p.BVN == "" || !strings.HasPrefix(p.Phone, "+234") {
			continue
		}
		if n--; n < 0 {
			return i
		}
	}
	w.t.Fatal("there are not enough people whom the bureau can be asked about")
	return 0
}

// TestLostAnswers lets every answer of every action be lost in every way. What may have happened is never
// called a failure and never sent again where the provider would do it twice; it ends as soon as the
// provider proves it.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	actAtOnce(t, actActions(), func(a actAction) string { return a.name }, func(t *testing.T, action actAction) {
		w := actStart(t, func(c *config.Config) { c.Calls.Retries = 0 }) // which would bring the answer
		for n, fault := range actFaults() {
			if !t.Run(fault.name, func(t *testing.T) { w.on(t).lose(action, fault, n) }) {
				return
			}
		}
		w.settle()
		w.check()
	})
}

// actAtOnce runs parts of a test all at the same time, whatever -parallel says: they wait much more than they
// work.
func actAtOnce[T any](t *testing.T, parts []T, name func(T) string, test func(t *testing.T, part T)) {
	var running sync.WaitGroup
	for _, part := range parts {
		running.Go(func() { t.Run(name(part), func(t *testing.T) { test(t, part) }) })
	}
	running.Wait()
}

// lose sends a request whose answer is lost, and checks what the client is told.
func (w *actWorld) lose(action actAction, fault actFault, n int) {
	w.t.Helper()
	request := action.prepare(w, n)
	w.settle() // so that the fault meets nothing else
	before, did := w.allCalls(action.provider)[action.route], len(w.effects(action.provider))
	rule := fault.rule
	rule.Match, rule.Times = twin.Match{Method: http.MethodPost, Path: action.path}, 1
	w.fault(action.provider, rule)
	if fault.rule.Kind == twin.CutAfterEffect && action.news != "" {
		// Once the proof comes after the answer is given up; without the delay it often comes before.
		w.fault(action.provider, twin.Rule{Kind: twin.Late, Match: twin.Match{Event: action.news}, Delay: twin.Duration(300 * time.Millisecond), Times: 1})
	}
	answer := w.send(request)
	id := answer.operation(w.t)
	switch status := answer.status(); {
	case status == lending.OpOutcomeUnknown:
		w.wantError(answer, lending.KindOutcomeUnknown, lending.OutcomeUnknown)
	case status == lending.OpSucceeded && fault.effect && action.settled == byWebhook:
		// The proof was faster than our own deadline.
	default:
		w.t.Errorf("answered %s, errors %v", answer.raw, answer.errors)
	}
	w.becomes(id, w.ends(action, fault)...)
	again := w.send(request)
	if !again.Operation.Replayed || again.operation(w.t) != id {
		w.t.Errorf("the same request was answered %s", again.raw)
	}
	calls, effects := w.allCalls(action.provider)[action.route]-before, len(w.effects(action.provider))-did
	if most := w.mostCalls(action); calls < 1 || calls > most {
		w.t.Errorf("%d calls of %s, want 1 to %d", calls, action.route, most)
	}
	if fault.effect != (effects > 0) && action.settled != byRepeated {
		w.t.Errorf("%d effects", effects)
	}
}

// wantError checks that an answer says in its errors what its operation says.
func (w *actWorld) wantError(answer actAnswer, kind lending.ErrorKind, outcome lending.Outcome) {
	w.t.Helper()
	if len(answer.errors) != 1 || answer.errors[0].Extensions["code"] != string(kind) || answer.errors[0].Extensions["outcome"] != string(outcome) {
		w.t.Errorf("errors are %v, want one of %s with outcome %s", answer.errors, kind, outcome)
	}
}

func (w *actWorld) mostCalls(action actAction) int {
	if action.settled == byRepeated {
		return 2
	}
	return 1
}

// ends are the statuses that an operation may come to after its answer was lost.
func (w *actWorld) ends(action actAction, fault actFault) []lending.OperationStatus {
	switch {
	case action.settled == byRepeated:
		return []lending.OperationStatus{lending.OpSucceeded}
	case action.settled == byQuery && fault.effect:
		return []lending.OperationStatus{lending.OpAwaitingOTP}
	case action.settled == byQuery:
		return []lending.OperationStatus{lending.OpFailed}
	case fault.effect && action.settled != byNobody:
		return []lending.OperationStatus{lending.OpSucceeded}
	}
	return []lending.OperationStatus{lending.OpOutcomeUnknown}
}

// TestNothingSent stops a provider before each action: nothing was sent, so the action failed, may be tried
// again with another key, and then takes place.
func TestNothingSent(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	for n, action := range actActions() {
		t.Run(action.name, func(t *testing.T) { w.on(t).refuse(action, n) })
	}
	w.settle()
	w.check()
}

func (w *actWorld) refuse(action actAction, n int) {
	w.t.Helper()
	request := action.prepare(w, n)
	w.settle()
	calls, effects := w.allCalls(action.provider)[action.route], len(w.effects(action.provider))
	server := w.twins.Server(action.provider)
	if err := server.Stop(); err != nil {
		w.t.Fatal(err)
	}
	w.forgetConnections(action.provider)
	answer := w.send(request)
	if err := server.Start(); err != nil {
		w.t.Fatal(err)
	}
	if answer.status() != lending.OpFailed || !answer.Operation.Failure.Retryable {
		w.t.Errorf("answered %s", answer.raw)
	}
	w.wantError(answer, lending.KindUpstreamUnavailable, lending.NotExecuted)
	if again := w.send(request); again.status() != lending.OpFailed || !again.Operation.Replayed {
		w.t.Errorf("the same key was answered %s", again.raw)
	}
	if n := w.allCalls(action.provider)[action.route] - calls; n != 0 {
		w.t.Errorf("%d calls", n)
	}
	anew := w.send(request.with(actFields{"idempotencyKey": request.key() + "-anew"}))
	if s := anew.status(); s != lending.OpSucceeded && s != lending.OpAwaitingOTP && s != lending.OpAwaitingProvider {
		w.t.Errorf("with a new key: %s, errors %v", anew.raw, anew.errors)
	}
	if n := len(w.effects(action.provider)) - effects; n < 1 {
		w.t.Errorf("%d effects of the second try", n)
	}
}

// forgetConnections has the program find out that its pooled connections to a provider are closed: a read
// tries one after the other. A write on such a connection may have been received, for all we can know.
func (w *actWorld) forgetConnections(name lending.Provider) {
	w.t.Helper()
	p, err := w.app.service.Provider(name)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := p.Pinger.Ping(w.t.Context()); err == nil {
		w.t.Fatalf("%s answers although it is stopped", name)
	}
}

// confirmRequest answers what a score request asked for.
func (w *actWorld) confirmRequest(operation string) actRequest {
	return actRequest{mutation: "confirmCreditScore", input: actFields{"operationId": operation, "otp": "123456"}}
}

// TestLostConfirmations loses the answer to a one-time password: the provider is asked how the request
// stands, and the password is not sent again by itself.
func TestLostConfirmations(t *testing.T) {
	t.Parallel()
	actAtOnce(t, actFaults(), func(f actFault) string { return f.name }, func(t *testing.T, fault actFault) {
		const validate = "POST /v2/transact/validate"
		w := actStart(t)
		asked := w.send(w.onePipeRequest("score"))
		if asked.status() != lending.OpAwaitingOTP {
			t.Fatalf("asked: %s %v", asked.raw, asked.errors)
		}
		rule := fault.rule
		rule.Match, rule.Times = twin.Match{Path: "/v2/transact/validate"}, 1
		w.fault(lending.OnePipe, rule)
		request := w.confirmRequest(asked.Operation.ID)
		if answer := w.send(request); answer.status() != lending.OpOutcomeUnknown {
			t.Fatalf("answered %s %v", answer.raw, answer.errors)
		}
		id := asked.operation(t)
		if fault.effect {
			w.becomes(id, lending.OpSucceeded)
		} else {
			w.becomes(id, lending.OpAwaitingOTP)
		}
		if n := w.calls(lending.OnePipe, validate); n != 1 {
			t.Errorf("the password was sent %d times", n)
		}
		if again := w.send(request); !fault.effect && again.status() != lending.OpSucceeded {
			t.Errorf("the customer's second answer: %s %v", again.raw, again.errors)
		}
		w.check()
	})
}

// TestConfirmationsThatAreNotSent leave the request as it was: the customer may answer again.
func TestConfirmationsThatAreNotSent(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	asked := w.send(w.onePipeRequest("score"))
	server := w.twins.Server(lending.OnePipe)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	w.forgetConnections(lending.OnePipe)
	request := w.confirmRequest(asked.Operation.ID)
	answer := w.send(request)
	if answer.status() != lending.OpAwaitingOTP || len(answer.UserErrors)+len(answer.errors) == 0 {
		t.Errorf("answered %s %v", answer.raw, answer.errors)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if answer = w.send(request); answer.status() != lending.OpSucceeded {
		t.Errorf("the second time: %s %v", answer.raw, answer.errors)
	}
	w.check()
}

// TestDeadConnections takes the provider away between calls and during them, so that requests meet pooled
// connections that are closed. A POST is sent at most once, whatever net/http thinks of the connection.
func TestDeadConnections(t *testing.T) {
	t.Parallel()
	const rounds = 25
	w := actStart(t)
	server := w.twins.Server(lending.Kredete)
	var loans []actLoan
	for n := range rounds {
		loans = append(loans, w.loanAt(fmt.Sprintf("dead-%d", n), n))
	}
	w.settle()
	const route = "POST /v2/loans/{id}/approve"
	before := w.calls(lending.Kredete, route)
	for n, loan := range loans {
		restarted := make(chan error, 1)
		restart := func() { restarted <- errors.Join(server.Stop(), server.Start()) }
		if n%2 == 0 {
			restart()
		} else {
			go restart()
		}
		answer := w.send(w.loanRequest("approveLoan", fmt.Sprintf("dead-approve-%d", n), loan))
		if answer.Operation == nil {
			t.Errorf("answered %v", answer.errors)
		}
		if err := <-restarted; err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	if n := w.calls(lending.Kredete, route) - before; n > rounds {
		t.Errorf("%d calls for %d requests", n, rounds)
	}
	w.check()
}
