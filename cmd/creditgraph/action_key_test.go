package main

import (
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// actDatabases are one database of each engine that there is, by its name.
func actDatabases(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	onEachDatabase(t, func(t *testing.T, postgres bool) {
		if !postgres {
			test(t, "sqlite:"+t.TempDir()+"/records.db")
			return
		}
		address, drop := makePostgres(t)
		t.Cleanup(drop)
		test(t, address)
	})
}

// actTwins are twins that outlive the programs that use them.
func actTwins(t testing.TB) *sandbox.Sandbox {
	t.Helper()
	twins, err := sandbox.Start(sandbox.Options{Customers: 30, Seed: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := twins.Stop(); err != nil {
			t.Errorf("twins: %v", err)
		}
	})
	return twins
}

// actBeside are the settings of a program on a database and twins that others use as well.
func actBeside(t testing.TB, twins *sandbox.Sandbox, database string, deadline time.Duration) config.Config {
	t.Helper()
	settings := actSettings(t)
	settings.DatabaseURL, settings.WriteDeadline = config.Secret(database), deadline
	if err := settings.Set(twins.Settings()); err != nil {
		t.Fatal(err)
	}
	return settings
}

// longest is more than anybody may wait whose key is being worked on.
const longest = 5 * time.Second

// actFifty sends one request fifty times at once, to several programs in turn, and checks that everybody is
// told of the same operation, soon: the machine's own share is what fifty replays take, which wait for nothing.
func actFifty(t *testing.T, clients []*actWorld, request actRequest) {
	t.Helper()
	id, replayed, slowest := actBurst(t, clients, request)
	if replayed != 49 {
		t.Errorf("%d of 50 answers were replays", replayed)
	}
	clients[0].becomes(id, lending.OpSucceeded)
	again, replayed, busy := actBurst(t, clients, request)
	if again != id || replayed != 50 {
		t.Errorf("later %d of 50 answers were replays, of %s instead of %s", replayed, again, id)
	}
	if slowest > longest+2*busy {
		t.Errorf("somebody waited %s, on a machine that takes %s for fifty replays", slowest, busy)
	}
}

// actBurst sends a request fifty times at once. It gives the operation that all answers tell of, how many of
// them are replays, and how long the slowest took.
func actBurst(t *testing.T, clients []*actWorld, request actRequest) (id lending.OperationID, replayed int, slowest time.Duration) {
	t.Helper()
	const requests = 50
	var (
		sent    sync.WaitGroup
		begin   = make(chan struct{})
		answers [requests]actAnswer
		took    [requests]time.Duration
	)
	for i := range requests {
		sent.Go(func() {
			<-begin
			began := time.Now()
			answers[i] = clients[i%len(clients)].sendPatiently(request)
			took[i] = time.Since(began)
		})
	}
	close(begin)
	sent.Wait()
	id = answers[0].operation(t)
	for i, answer := range answers {
		if answer.operation(t) != id {
			t.Errorf("answers tell of two operations: %s and %s", answers[0].raw, answer.raw)
		}
		if s := answer.status(); s != lending.OpInProgress && s != lending.OpSucceeded {
			t.Errorf("answered %s %v", answer.raw, answer.errors)
		}
		if answer.Operation.Replayed {
			replayed++
		}
		slowest = max(slowest, took[i])
	}
	return id, replayed, slowest
}

// sendPatiently repeats a request for which the database had no connection left, as clients do: the tests of
// many packages share one server.
func (w *actWorld) sendPatiently(request actRequest) actAnswer {
	for {
		answer := w.send(request)
		busy := len(answer.errors) == 1 && answer.errors[0].Extensions["code"] == string(lending.KindUnavailable) &&
			answer.errors[0].Extensions["outcome"] == string(lending.NotExecuted)
		if !busy || w.t.Context().Err() != nil {
			return answer
		}
	}
}

// TestFiftyRequestsWithOneKey meet two programs on one database (one on SQLite, where a second one would only
// wait for the file). The provider takes longer than anybody wants to wait.
func TestFiftyRequestsWithOneKey(t *testing.T) {
	t.Parallel()
	for name, delay := range map[string]time.Duration{
		"answered at once": 20 * time.Millisecond, "answered after everybody's patience": 4 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			actDatabases(t, func(t *testing.T, database string) {
				twins := actTwins(t)
				a := actRun(t, actBeside(t, twins, database, 10*time.Second))
				w := actClient(t, a, twins)
				clients := []*actWorld{w}
				if _, err := a.service.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(database, "postgres") {
					second := actClient(t, actRun(t, actBeside(t, twins, database, 10*time.Second)), twins)
					second.told = w.told
					clients = append(clients, second)
				}
				request := w.applyRequest("fifty", 1)
				w.fault(lending.Kredete, twin.Rule{Match: twin.Match{Path: "/v2/loans"}, Kind: twin.Delay, Delay: twin.Duration(delay), Times: 1})
				actFifty(t, clients, request)
				if n := w.calls(lending.Kredete, "POST /v2/loans"); n != 1 {
					t.Errorf("%d calls", n)
				}
				w.check()
			})
		})
	}
}

// TestSameRequestOtherwiseWritten: what a request means decides, not how it is written.
func TestSameRequestOtherwiseWritten(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	consent := func(at string) actFields { return actFields{"grantedAt": at, "channel": "APP"} }
	for name, test := range map[string]struct {
		request actRequest
		changes []actFields
	}{
		"an application": {w.applyRequest("same-1", 1), []actFields{
			{"principal": actMoney("101000.00", lending.NGN)},
			{"principal": actMoney("101000.0", lending.NGN)},
			{"purposeNote": nil},
			{"purposeNote": ""},
			{"reference": nil},
			{"reference": "same-1"},
			{"disbursementAccount": actFields{"bankCode": "058", "accountNumber": "1234567890", "accountName": "Adewale Okonkwo", "ifsc": nil}},
		}},
		"a customer": {w.customerRequest("same-2", 1), []actFields{
			{"provider": "KREDETE"},
			{"provider": nil},
			{"phone": "+234 801 234 0001"},
			{"firstName": " Chidinma "},
			{"employment": actFields{"status": "EMPLOYED", "employer": "ABC Ltd", "jobTitle": "Engineer", "monthlyIncome": actMoney("850000.00", lending.NGN), "since": "2018-03-01"}},
		}},
		"a webhook": {w.webhookRequest("same-3", 1), []actFields{
			{"active": nil}, {"events": []string{"CUSTOMER_KYC_VERIFIED", "CUSTOMER_KYC_VERIFIED"}},
		}},
		"a report": {w.reportRequest("same-4", 0).with(actFields{"consent": consent("2026-05-01T09:00:00Z")}), []actFields{
			{"consent": consent("2026-05-01T10:00:00+01:00")}, {"consent": consent("2026-05-01T09:00:00.000Z")},
		}},
		"a score": {w.kredeteScoreRequest("same-5", 1), []actFields{
			{"loanAmount": actMoney("101000.00", lending.NGN)}, {"consent": nil}, {"authorization": nil},
		}},
		"an invoice": {w.invoiceRequest("same-6", "INV-same", ""), []actFields{
			{"amount": actMoney("100", lending.INR)}, {"provider": "KREDMINT"}, {"supplierId": nil}, {"returnUrls": nil},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.on(t)
			test.request.meaning = name
			first := w.send(test.request)
			if first.Operation == nil {
				t.Fatalf("the first: %s %v", first.raw, first.errors)
			}
			for _, change := range test.changes {
				again := w.send(test.request.with(change))
				if again.Operation == nil || !again.Operation.Replayed || again.Operation.ID != first.Operation.ID {
					t.Errorf("with %v: %s %v", change, again.raw, again.errors)
				}
			}
		})
	}
	w.settle()
	w.check()
}

// TestFieldsInAnyOrder sends one input as two texts.
func TestFieldsInAnyOrder(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	_, customer := w.person(0)
	document := actRequest{mutation: "applyForLoan"}.document()
	ids := map[string]bool{}
	for _, input := range []string{
		`{"idempotencyKey":"order","customerId":"` + customer + `","provider":"CARBON","purpose":"INVENTORY_MGT","principal":{"amount":"20000","currency":"NGN"},"tenure":{"value":3,"unit":"MONTH"}}`,
		`{"tenure":{"unit":"MONTH","value":3},"principal":{"currency":"NGN","amount":"20000.00"},"purpose":"INVENTORY_MGT","provider":"CARBON","customerId":"` + customer + `","idempotencyKey":"order"}`,
	} {
		var data map[string]actAnswer
		errs := w.post(actFields{"query": document, "variables": actFields{"input": json.RawMessage(input)}}, &data)
		answer := data["applyForLoan"]
		if answer.status() != lending.OpSucceeded {
			t.Fatalf("answered %v %v", answer, errs)
		}
		ids[answer.Operation.ID] = true
	}
	if len(ids) != 1 || w.calls(lending.Carbon, "POST /v1/loans/apply") != 1 {
		t.Errorf("operations %v", ids)
	}
}

// TestKeysTakeOneInput: the same key with anything else is refused with the field that is at fault, and
// nothing is sent.
func TestKeysTakeOneInput(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	first := w.applyRequest("one", 1)
	if answer := w.send(first); answer.status() != lending.OpSucceeded {
		t.Fatalf("the first: %s", answer.raw)
	}
	before := w.allCalls(lending.Kredete)
	loan := actLoan{id: w.send(w.applyRequest("another", 2)).Loan.ID}
	before["POST /v2/loans"]++
	for name, request := range map[string]actRequest{
		"another amount":       first.with(actFields{"principal": actMoney("101000.01", lending.NGN)}),
		"another tenure":       first.with(actFields{"tenure": actFields{"value": 91, "unit": "DAY"}}),
		"another unit":         first.with(actFields{"tenure": actFields{"value": 3, "unit": "MONTH"}}),
		"another purpose":      first.with(actFields{"purpose": "OTHERS"}),
		"another account":      first.with(actFields{"disbursementAccount": actFields{"bankCode": "011", "accountNumber": "0000014579", "accountName": "Adewale Okonkwo"}}),
		"another product":      first.with(actFields{"productId": "prod_business"}),
		"another provider":     w.carbonRequest("one", 1),
		"another kind of work": w.loanRequest("approveLoan", "one", loan),
	} {
		t.Run(name, func(t *testing.T) {
			answer := w.on(t).send(request)
			want := []actUserError{{Code: "IDEMPOTENCY_KEY_REUSED", Field: []string{"input", "idempotencyKey"}}}
			if diff := cmp.Diff(want, actWithoutText(answer.UserErrors)); diff != "" || answer.Operation != nil {
				t.Errorf("answered %s\n%s", answer.raw, diff)
			}
		})
	}
	if diff := cmp.Diff(before, w.allCalls(lending.Kredete)); diff != "" {
		t.Errorf("calls (-before +after):\n%s", diff)
	}
	w.check()
}

// actWithoutText are user errors without their sentences, which have to be there.
func actWithoutText(all []actUserError) []actUserError {
	var bare []actUserError
	for _, e := range all {
		if e.Message == "" {
			e.Message = "no sentence"
		} else {
			e.Message = ""
		}
		bare = append(bare, e)
	}
	return bare
}

// TestReplayAfterRestart: a program that is started anew on the same database answers a key as the one before
// it did, to the byte, and sends nothing.
func TestReplayAfterRestart(t *testing.T) {
	t.Parallel()
	actDatabases(t, func(t *testing.T, database string) {
		twins := actTwins(t)
		settings := actBeside(t, twins, database, actDeadline)
		first := actRun(t, settings)
		if _, err := first.service.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
			t.Fatal(err)
		}
		w := actClient(t, first, twins)
		loan := w.loanAt("replay", 1, "approve")
		requests := []actRequest{
			w.applyRequest("replay-apply", 1), w.loanRequest("approveLoan", "replay-approve", loan),
			w.loanRequest("disburseLoan", "replay-disburse", loan), w.paymentRequest("replay-pay", loan, "TRF-1"),
			w.loanRequest("rejectLoan", "replay-too-late", w.loanAt("replay-2", 2, "approve")),
			w.kredeteScoreRequest("replay-score", 1), w.onePipeRequest("replay-otp"), w.customerRequest("replay-customer", 1),
			w.supplierRequest("replay-supplier", 1), w.invoiceRequest("replay-invoice", "INV-1", ""), w.carbonRequest("replay-carbon", 1),
			w.uploadRequest("replay-upload", "FINANCIAL_DATA", ""), w.reportRequest("replay-report", 0),
		}
		var told []string
		for _, r := range requests {
			told = append(told, w.send(r).raw)
		}
		calls := map[lending.Provider]map[string]int{}
		for _, p := range lending.Providers() {
			calls[p] = w.allCalls(p)
		}
		actStop(t, first)
		again := actClient(t, actRun(t, settings), twins)
		again.told = w.told
		for i, r := range requests {
			got := again.send(r)
			if diff := cmp.Diff(told[i], strings.Replace(got.raw, `"replayed":true`, `"replayed":false`, 1)); diff != "" && !strings.Contains(told[i], `"replayed":true`) {
				t.Errorf("%s (-first +replay):\n%s", r.key(), diff)
			}
		}
		for _, p := range lending.Providers() {
			if diff := cmp.Diff(calls[p], again.allCalls(p)); diff != "" {
				t.Errorf("calls of %s (-before +after):\n%s", p, diff)
			}
		}
		again.check()
	})
}
