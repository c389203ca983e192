package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

func orderOf(customer lending.CustomerID, key string) service.OrderCreditReportInput {
	return service.OrderCreditReportInput{IdempotencyKey: key, CustomerID: gid(customer), Provider: lending.TrustDecision, Consent: agreed()}
}

// order orders a report; the bureau knows it as seq-1, seq-2 and so on.
func (b *bench) order(customer lending.CustomerID) *service.Result {
	b.Helper()
	b.bureau.orderReport = func(provider.ReportOrder) (provider.ReportReceipt, error) {
		return provider.ReportReceipt{ExternalID: b.id("seq")}, nil
	}
	result := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, b.id("order"))))
	b.status(result, lending.OpAwaitingProvider)
	return result
}

func hit(number string) provider.ReportNotice {
	return provider.ReportNotice{Status: lending.ReportReady, Content: &lending.ReportContent{
		ReportNumber: number, BVN: "22370756501", // of everywhere("1")
		Subject: lending.ReportSubject{Name: "ada obi"},
	}}
}

func noRecord() provider.ReportNotice { return provider.ReportNotice{Status: lending.ReportNoRecord} }

// push delivers a bureau's answer to an order.
func (b *bench) push(token, externalID string, told provider.ReportNotice) {
	b.Helper()
	told.Token, told.ExternalID = token, externalID
	body := b.id("push")
	b.bureau.tell(body, provider.Notice{Type: lending.EventCreditReportReady, Report: &told})
	b.deliver(b.bureau, body)
}

func TestAReportComesByPush(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	ordered := b.order(customer)
	if ordered.Report.Status != lending.ReportOrdered || ordered.Report.ExternalID == "" {
		t.Fatalf("ordered: %+v", ordered.Report)
	}
	b.clock.pass(time.Hour)
	b.push(ordered.Operation.Reference, ordered.Report.ExternalID, hit("CIR-1"))
	reports := b.reportsOf(customer)
	if len(reports) != 1 || reports[0].Status != lending.ReportReady || reports[0].ReportNumber() != "CIR-1" || !reports[0].ReceivedAt.Equal(today().Add(time.Hour)) {
		t.Fatalf("reports: %+v", reports)
	}
	if op := b.theOperation(ordered.Operation.ID); op.Status != lending.OpSucceeded || op.SettledAt.IsZero() {
		t.Errorf("the operation is %s", op.Status)
	}
	for _, e := range b.eventLog() {
		if e.CustomerID != customer || e.OperationID != ordered.Operation.ID {
			t.Errorf("the event %s is of customer %q, operation %q", e.Type, e.CustomerID, e.OperationID)
		}
		if strings.Contains(string(e.Payload), "22370756501") {
			t.Error("an event holds the BVN")
		}
	}
	again := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, "order-again")))
	b.status(again, lending.OpAwaitingProvider) // a settled order is in nobody's way
}

func TestAReportThatIsFasterThanTheOrdersAnswer(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"the answer comes": nil, "the answer is lost": at(lending.TrustDecision, errLost)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer(everywhere("1")...)
			b.bureau.orderReport = func(o provider.ReportOrder) (provider.ReportReceipt, error) {
				b.push(o.Token, "seq-1", hit("CIR-1"))
				return provider.ReportReceipt{ExternalID: "seq-1"}, err
			}
			result := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, "k")))
			b.status(result, lending.OpSucceeded)
			reports := b.reportsOf(customer)
			if len(reports) != 1 || reports[0].ReportNumber() != "CIR-1" || reports[0].ExternalID != "seq-1" {
				t.Fatalf("reports: %+v", reports)
			}
			if result.Report == nil || result.Report.ReportNumber() != "CIR-1" {
				t.Errorf("answered with %+v", result.Report)
			}
			b.clock.pass(time.Hour)
			b.must(b.service.Complete(b.ctx))
			b.status(result, lending.OpSucceeded)
		})
	}
}

func TestALostOrderIsSettledByItsPush(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.bureau.orderReport = func(provider.ReportOrder) (provider.ReportReceipt, error) {
		return provider.ReportReceipt{}, at(lending.TrustDecision, errLost)
	}
	lost := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, "k")))
	b.status(lost, lending.OpOutcomeUnknown)
	if got := b.reportsOf(customer); len(got) != 1 || got[0].Status != lending.ReportOutcomeUnknown {
		t.Fatalf("reports: %+v", got)
	}
	second := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, "k2")))
	if got := fields(second.Problems); len(got) != 1 || !strings.HasPrefix(got[0], "CONFLICT") {
		t.Errorf("a second order may be billed: %v", got)
	}
	b.push(lost.Operation.Reference, "seq-9", hit("CIR-9"))
	b.stands(lost, lending.OpSucceeded)
}

func TestAReportIsTakenForItsOrderAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine, other := b.order(b.customer(everywhere("1")...)), b.order(b.customer(everywhere("2")...))
	for name, test := range map[string]struct{ token, externalID string }{
		"no token":                   {"", mine.Report.ExternalID},
		"an operation without proof": {string(mine.Operation.ID), mine.Report.ExternalID},
		"a forged proof":             {string(mine.Operation.ID) + ".00112233445566778899aabbccddeeff", mine.Report.ExternalID},
		"the token of another order": {mine.Operation.Reference, other.Report.ExternalID},
		"the token of no order":      {b.service.ReportToken("nothing"), mine.Report.ExternalID},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.push(test.token, test.externalID, hit("FORGED"))
			for _, result := range []*service.Result{mine, other} {
				b.status(result, lending.OpAwaitingProvider)
				if r := b.reportsOf(result.Operation.CustomerID); len(r) != 1 || r[0].Status != lending.ReportOrdered {
					t.Errorf("reports: %+v", r)
				}
			}
		})
	}
}

func TestWhatAnswersToAnOrderEndAs(t *testing.T) {
	t.Parallel()
	failed := provider.ReportNotice{Status: lending.ReportFailed, Failure: &lending.Failure{Kind: lending.KindUpstreamRejected, Message: "The bureau could not make it."}}
	for name, test := range map[string]struct {
		told      []provider.ReportNotice
		want      lending.ReportStatus
		conflict  bool
		operation lending.OperationStatus
		received  time.Duration // when the answer that counts came
	}{
		"a hit":                         {[]provider.ReportNotice{hit("1")}, lending.ReportReady, false, lending.OpSucceeded, 1},
		"nothing known":                 {[]provider.ReportNotice{noRecord()}, lending.ReportNoRecord, false, lending.OpSucceeded, 1},
		"a failure":                     {[]provider.ReportNotice{failed}, lending.ReportFailed, false, lending.OpFailed, 1},
		"a correction":                  {[]provider.ReportNotice{noRecord(), hit("1")}, lending.ReportReady, false, lending.OpSucceeded, 2},
		"nothing known, after a hit":    {[]provider.ReportNotice{hit("1"), noRecord()}, lending.ReportReady, true, lending.OpSucceeded, 1},
		"a failure after a hit":         {[]provider.ReportNotice{hit("1"), failed}, lending.ReportReady, false, lending.OpSucceeded, 1},
		"a failure after nothing known": {[]provider.ReportNotice{noRecord(), failed}, lending.ReportNoRecord, false, lending.OpSucceeded, 1},
		"a second hit":                  {[]provider.ReportNotice{hit("1"), hit("2")}, lending.ReportReady, false, lending.OpSucceeded, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer(everywhere("1")...)
			ordered := b.order(customer)
			for _, told := range test.told {
				b.clock.pass(time.Hour)
				b.push(ordered.Operation.Reference, ordered.Report.ExternalID, told)
			}
			r := b.reportsOf(customer)[0]
			if r.Status != test.want || r.Conflict != test.conflict || !r.ReceivedAt.Equal(today().Add(test.received*time.Hour)) {
				t.Errorf("the report is %s, in conflict %t, received %s", r.Status, r.Conflict, r.ReceivedAt)
			}
			if r.Status == lending.ReportReady && r.ReportNumber() != "1" {
				t.Errorf("it is number %s", r.ReportNumber())
			}
			b.stands(ordered, test.operation)
		})
	}
}

// poll looks for due reports every half minute for as long as told, in the steps that matter.
func (b *bench) poll(poller func(), hours int) (asked []time.Duration) {
	began := b.clock.Now()
	b.clock.pass(time.Minute) // the poller looks at no round time
	for b.clock.Now().Sub(began) < time.Duration(hours)*time.Hour {
		b.clock.pass(5 * time.Minute)
		before := b.bureau.called("FetchReport")
		poller()
		if b.bureau.called("FetchReport") > before {
			asked = append(asked, b.clock.Now().Sub(began))
		}
	}
	return asked
}

func (b *bench) poller() func() {
	poll := b.service.Poller()
	return func() { b.must(poll(b.ctx)) }
}

func TestAReportWhosePushDoesNotComeIsAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	ordered := b.order(customer)
	b.bureau.fetchReport = func(id string) (provider.ReportNotice, error) {
		if id != ordered.Report.ExternalID {
			t.Errorf("asked for %s", id)
		}
		if b.clock.Now().Sub(today()) < 3*time.Hour {
			return provider.ReportNotice{}, at(lending.TrustDecision, &lending.Error{Kind: lending.KindInProgress, Outcome: lending.NotExecuted})
		}
		return hit("CIR-1"), nil
	}
	asked := b.poll(b.poller(), 8)
	same(b, asked, []time.Duration{
		6 * time.Minute, 11 * time.Minute, 21 * time.Minute, 41 * time.Minute, 61 * time.Minute, 121 * time.Minute, 181 * time.Minute,
	})
	b.stands(ordered, lending.OpSucceeded)
	if r := b.reportsOf(customer)[0]; r.ReportNumber() != "CIR-1" {
		t.Errorf("the report is %+v", r)
	}
	last := b.eventLog()[len(b.eventLog())-1]
	if last.Type != lending.EventCreditReportReady || last.Source != lending.FromPoll || last.ReportID == "" {
		t.Errorf("the last event is %+v", last)
	}
}

func TestAReportIsAskedForOftenEnough(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.order(b.customer(everywhere("1")...))
	b.bureau.fetchReport = func(string) (provider.ReportNotice, error) {
		return provider.ReportNotice{}, at(lending.TrustDecision, &lending.Error{Kind: lending.KindInProgress, Outcome: lending.NotExecuted})
	}
	within := 0
	asked := b.poll(b.poller(), 47)
	for _, age := range asked {
		if age < 24*time.Hour {
			within++
		}
	}
	if within < 12 || len(asked) > 60 {
		t.Errorf("asked %d times, %d of them within the first day", len(asked), within)
	}
}

func TestAReportThatCanNoLongerBeHadIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]*lending.Error{
		"the bureau says so (9080)":      {Kind: lending.KindReportWindowExpired, Outcome: lending.NotExecuted},
		"the bureau never gets so far":   {Kind: lending.KindInProgress, Outcome: lending.NotExecuted},
		"the bureau cannot be reached":   errRefused,
		"the bureau knows of no such id": {Kind: lending.KindValidation, Outcome: lending.NotExecuted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer(everywhere("1")...)
			ordered := b.order(customer)
			b.bureau.fetchReport = func(string) (provider.ReportNotice, error) {
				return provider.ReportNotice{}, at(lending.TrustDecision, err)
			}
			poll := b.poller()
			for range 50 {
				b.clock.pass(time.Hour)
				poll()
			}
			if r := b.reportsOf(customer)[0]; r.Status != lending.ReportExpired || r.Failure == nil {
				t.Errorf("the report is %s: %+v", r.Status, r.Failure)
			}
			b.stands(ordered, lending.OpFailed)
			b.order(customer)
			asked := b.bureau.called("FetchReport")
			b.serve() // a process that starts later does not ask for it again
			b.must(b.service.Poller()(b.ctx))
			if n := b.bureau.called("FetchReport"); n != asked {
				t.Errorf("asked %d times more", n-asked)
			}
		})
	}
}

func TestAPushThatIsFasterThanTheAnswerToAQueryIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"the query finds the same":        nil,
		"the query finds the window over": at(lending.TrustDecision, &lending.Error{Kind: lending.KindReportWindowExpired, Outcome: lending.NotExecuted}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ordered := b.order(b.customer(everywhere("1")...))
			b.bureau.fetchReport = func(string) (provider.ReportNotice, error) {
				b.push(ordered.Operation.Reference, ordered.Report.ExternalID, hit("CIR-1"))
				return hit("CIR-1"), err
			}
			b.clock.pass(time.Hour)
			b.must(b.service.Poller()(b.ctx))
			same(b, b.events(), []lending.EventType{lending.EventCreditReportOrdered, lending.EventCreditReportReady})
			b.stands(ordered, lending.OpSucceeded)
		})
	}
}

func TestAFailureForAMomentEndsNoOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ordered := b.order(b.customer(everywhere("1")...))
	b.bureau.fetchReport = func(string) (provider.ReportNotice, error) {
		return provider.ReportNotice{}, at(lending.TrustDecision, errRefused)
	}
	b.clock.pass(time.Hour)
	b.must(b.service.Poller()(b.ctx))
	b.stands(ordered, lending.OpAwaitingProvider)
}

func TestAnOrderIsTakenOnceForACustomer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	first := b.order(customer)
	second := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, "k2")))
	if got := fields(second.Problems); len(got) != 1 || !strings.HasPrefix(got[0], "CONFLICT") || b.bureau.called("OrderReport") != 1 {
		t.Errorf("problems: %v after %d orders", got, b.bureau.called("OrderReport"))
	}
	again := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, first.Operation.Key)))
	same(b, *again, *first, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	b.wants(b.done(b.service.OrderCreditReport(b.ctx, caller, service.OrderCreditReportInput{})), "idempotencyKey", "customerId", "consent", "provider")
}

func TestAnOrderThatTheBureauRefusesFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, test := range []struct {
		err      *lending.Error
		problems []string
	}{
		{&lending.Error{Kind: lending.KindProviderDisabled, Outcome: lending.NotExecuted}, []string{"PROVIDER_DISABLED "}},
		{&lending.Error{Kind: lending.KindBalanceExhausted, Outcome: lending.NotExecuted}, nil},
		{lending.Invalid(lending.Problem{Kind: lending.KindValidation, Message: "not 11 digits", Field: []string{"input", "bvn"}}), []string{"customerId"}},
	} {
		customer := b.customer("TRUST_DECISION", fmt.Sprint("2237075650", i))
		b.bureau.orderReport = func(provider.ReportOrder) (provider.ReportReceipt, error) {
			return provider.ReportReceipt{}, at(lending.TrustDecision, test.err)
		}
		result := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, fmt.Sprint(i))))
		b.status(result, lending.OpFailed)
		if len(b.reportsOf(customer)) != 0 {
			t.Error("a report was kept")
		}
		if got := fields(result.Problems); len(got) != len(test.problems) || len(got) == 1 && !strings.HasPrefix(got[0], test.problems[0]) {
			t.Errorf("%s: problems %v", test.err.Kind, got)
		}
	}
}

func TestAReportThatNamesAnotherBVNIsMarked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("2")...) // the report is about everywhere("1")
	ordered := b.order(customer)
	b.push(ordered.Operation.Reference, ordered.Report.ExternalID, hit("CIR-1"))
	if r := b.reportsOf(customer)[0]; r.Status != lending.ReportReady || !r.Conflict {
		t.Errorf("the report is %s, in conflict %t; want it kept and marked", r.Status, r.Conflict)
	}
}
