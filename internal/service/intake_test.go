package service_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// loanNews is news of a loan.
func loanNews(kind lending.EventType, customer string, loan lending.Loan) provider.Notice {
	return provider.Notice{
		Type: kind, ProviderType: strings.ToLower(string(kind)), OccurredAt: today(), CustomerExternalID: customer,
		Loan: &provider.LoanNotice{Loan: loan, CustomerExternalID: customer}, Payload: []byte(`{"told":true}`),
	}
}

func TestAWebhookMakesALoanAndAnEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	b.kredete.tell("created", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{
		ExternalID: "loan_1", Status: lending.LoanPendingReview, ProviderStatus: "loan.created", Principal: naira("500000"),
	}))
	b.clock.pass(time.Minute)
	b.deliver(b.kredete, "created")
	loans := b.loansOf(customer)
	if len(loans) != 1 || loans[0].ExternalID != "loan_1" || loans[0].Status != lending.LoanPendingReview {
		t.Fatalf("loans: %+v", loans)
	}
	log := b.eventLog()
	if len(log) != 1 {
		t.Fatalf("%d events", len(log))
	}
	same(b, *log[0], lending.Event{
		ID: log[0].ID, Sequence: 1, Type: lending.EventLoanCreated, ProviderType: "loan_created", Provider: lending.Kredete,
		Source: lending.FromWebhook, CustomerID: customer, LoanID: loans[0].ID, OccurredAt: today(),
		ReceivedAt: today().Add(time.Minute), Payload: []byte(`{"told":true}`),
	})
	if !b.profiles.gone("cust-1") {
		t.Error("the cached profile was not forgotten")
	}
}

func TestAWebhookDeliveredTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer("KREDETE", "cust-1"), lending.LoanDisbursed)
	news := provider.Notice{Type: lending.EventPaymentReceived, OccurredAt: today(), Payment: &provider.PaymentNotice{
		LoanExternalID: b.theLoan(loan).ExternalID,
		Payment:        lending.Payment{ExternalID: "pmt-1", Status: lending.PaymentCompleted, Amount: naira("100")},
	}}
	b.kredete.tell("received", news)
	b.kredete.tell("received ", news) // the same, in other bytes
	for range 3 {
		b.deliver(b.kredete, "received", "Key", "evt-1")
	}
	b.deliver(b.kredete, "received ", "Key", "evt-1")
	if got := b.theLoan(loan).Paid; got != naira("100") || len(b.eventLog()) != 1 {
		t.Errorf("%s paid, %d events", got, len(b.eventLog()))
	}
	b.deliver(b.kredete, "received ", "Key", "evt-2") // another event of the same payment
	if got := b.theLoan(loan).Paid; got != naira("100") || len(b.eventLog()) != 2 {
		t.Errorf("%s paid, %d events", got, len(b.eventLog()))
	}
}

func TestAProcessThatWakesUpLateAppliesNothingTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	news := provider.Notice{Type: lending.EventUnknown, ProviderType: "storm", OccurredAt: today()}
	b.kredete.tell("good", news)
	b.receive(b.kredete, "good")
	b.receive(b.kredete, "bad") // cannot be read
	claim := func() []*service.Delivery {
		claimed, err := b.store.ClaimDeliveries(b.ctx, b.clock.Now(), b.clock.Now().Add(10*time.Second), 10)
		b.must(err)
		if len(claimed) != 2 {
			b.Fatalf("%d deliveries are due", len(claimed))
		}
		return claimed
	}
	asleep := claim()
	b.clock.pass(time.Minute) // meanwhile its claim runs out
	for _, delivery := range append(claim(), asleep...) {
		b.must(b.service.Deliver(b.ctx, delivery))
	}
	if log := b.eventLog(); len(log) != 1 {
		t.Errorf("%d events of one webhook", len(log))
	}
}

func TestWhatIsNotVerifiedIsNotStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.service.ReceiveWebhook(b.ctx, lending.Kredete, request("x", "Signature", "bad"))
	refusedWith(t, err, http.StatusUnauthorized)
	b.must(b.service.Drain(b.ctx))
	if n := len(b.eventLog()); n != 0 || b.kredete.called("Translate") != 0 {
		t.Errorf("%d events", n)
	}
	for _, name := range []lending.Provider{lending.Carbon, lending.OnePipe} {
		if _, err := b.service.ReceiveWebhook(b.ctx, name, request("x")); !lending.IsNotFound(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.serve(without(lending.Kredete))
	if _, err := b.service.ReceiveWebhook(b.ctx, lending.Kredete, request("x")); lending.KindOf(err) != lending.KindProviderDisabled {
		t.Errorf("a provider that is not configured: %v", err)
	}
}

func refusedWith(t *testing.T, err error, status int) {
	t.Helper()
	if e, ok := err.(*provider.UnverifiedError); !ok || e.Status != status {
		t.Errorf("refused with %v, want status %d", err, status)
	}
}

func TestAProofThatComesWithAnotherBodyIsAForgery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.receive(b.bureau, "report", "Nonce", "sign-1")
	b.receive(b.bureau, "report", "Nonce", "sign-1") // once more, as the bureau does
	_, err := b.service.ReceiveWebhook(b.ctx, lending.TrustDecision, request("forged", "Nonce", "sign-1"))
	refusedWith(t, err, http.StatusForbidden)
}

func TestAPoisonedWebhookIsSetAsideAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	for name, poison := range map[string]func(body []byte) (provider.Notice, error){
		"it cannot be read": func([]byte) (provider.Notice, error) {
			return provider.Notice{}, at(lending.Kredete, &lending.Error{Kind: lending.KindUpstreamProtocol, Outcome: lending.NotExecuted})
		},
		"the driver panics over it": func([]byte) (provider.Notice, error) { panic("index out of range: +2348012345678") },
		"its loan cannot be saved": func([]byte) (provider.Notice, error) {
			return loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "l", Principal: naira("1"), TotalInterest: new(rupees("1"))}), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.customer("KREDETE", "cust-1")
			b.kredete.tell("good", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Principal: naira("5")}))
			b.kredete.translate = func(body []byte) (provider.Notice, error) {
				if string(body) == "poison" {
					b.kredete.note("Translate poison")
					return poison(body)
				}
				return b.kredete.notices[string(body)], nil
			}
			b.receive(b.kredete, "poison")
			b.clock.pass(time.Second)
			b.deliver(b.kredete, "good")
			if n := len(b.eventLog()); n != 1 {
				t.Fatalf("%d events: the good one waits behind the bad one", n)
			}
			for range 20 {
				b.clock.pass(time.Hour)
				b.must(b.service.Drain(b.ctx))
			}
			tries := b.kredete.called("Translate poison")
			if tries < 1 || tries > 8 {
				t.Errorf("it was tried %d times", tries)
			}
			if log := b.log.String(); !strings.Contains(log, "SET_ASIDE") || strings.Contains(log, "+2348012345678") {
				t.Errorf("the log: %s", log)
			}
		})
	}
}

func TestADatabaseThatFailsForAMomentLosesNoWebhook(t *testing.T) {
	t.Parallel()
	down := &failing{}
	b := setup(t, func(c *service.Config) { down.Store = c.Store; c.Store = down })
	customer := b.customer("KREDETE", "cust-1")
	b.kredete.tell("created", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Principal: naira("5")}))
	down.put = true
	if ack := b.receive(b.kredete, "created"); ack.Status != http.StatusServiceUnavailable {
		t.Errorf("what was not stored is acknowledged with %d", ack.Status)
	}
	down.put, down.append = false, true
	b.deliver(b.kredete, "created")
	if n := len(b.loansOf(customer)); n != 0 {
		t.Errorf("%d loans without their event", n)
	}
	down.append = false
	b.clock.pass(time.Minute)
	b.must(b.service.Drain(b.ctx))
	if n := len(b.loansOf(customer)); n != 1 || len(b.eventLog()) != 1 {
		t.Errorf("%d loans, %d events", n, len(b.eventLog()))
	}
}

func TestNewsThatWeCannotPlaceIsKeptAsAnEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.customer("KREDETE", "cust-1")
	for i, news := range []provider.Notice{
		{Type: lending.EventUnknown, ProviderType: "loan.restructured", CustomerExternalID: "cust-1"},
		{Type: lending.EventNACH, ProviderType: "NACH", CustomerExternalID: "nobody"},
		loanNews(lending.EventLoanDisbursed, "nobody", lending.Loan{ExternalID: "loan_9", Status: lending.LoanDisbursed, Principal: naira("5")}),
		loanNews(lending.EventLoanApproved, "cust-1", lending.Loan{ExternalID: "loan_8", Status: lending.LoanApproved}), // no principal
		{Type: lending.EventPaymentReceived, Payment: &provider.PaymentNotice{LoanExternalID: "loan_7", Payment: lending.Payment{ExternalID: "p", Amount: naira("1")}}},
	} {
		body := fmt.Sprint(i)
		b.kredete.tell(body, news)
		b.deliver(b.kredete, body)
		log := b.eventLog()
		if len(log) != i+1 {
			t.Fatalf("news %d: %d events", i, len(log))
		}
		last := log[i]
		if last.Type != news.Type || last.ProviderType != news.ProviderType || last.LoanID != "" || last.OccurredAt.IsZero() {
			t.Errorf("news %d: the event is %+v", i, last)
		}
		if known := news.CustomerExternalID == "cust-1"; known != (last.CustomerID != "") {
			t.Errorf("news %d: the event's customer is %q", i, last.CustomerID)
		}
	}
}

func TestAPaymentThatNothingIdentifiesIsNotCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.loan(b.customer("KREDETE", "cust-1"), lending.LoanDisbursed)
	b.kredete.tell("received", provider.Notice{Type: lending.EventPaymentReceived, Payment: &provider.PaymentNotice{
		LoanExternalID: b.theLoan(loan).ExternalID, Payment: lending.Payment{Status: lending.PaymentCompleted, Amount: naira("100")},
	}})
	b.deliver(b.kredete, "received")
	if b.theLoan(loan).Paid != naira("0") || b.eventLog()[0].LoanID != loan {
		t.Error("it was counted, or its event is not the loan's")
	}
}

func TestTheTwoEventsOfOneRepaymentAreOnePayment(t *testing.T) {
	t.Parallel()
	repayment := func(loan string) provider.Notice {
		return provider.Notice{
			Type: lending.EventLoanRepayment, OccurredAt: today(),
			Loan:    &provider.LoanNotice{Loan: lending.Loan{ExternalID: loan, Status: lending.LoanActive}},
			Payment: &provider.PaymentNotice{LoanExternalID: loan, Payment: lending.Payment{Reference: "TRX-1", Status: lending.PaymentCompleted, Amount: naira("100")}},
		}
	}
	received := func(loan string) provider.Notice {
		return provider.Notice{Type: lending.EventPaymentReceived, OccurredAt: today(), Payment: &provider.PaymentNotice{
			LoanExternalID: loan,
			Payment:        lending.Payment{ExternalID: "pmt-1", Reference: "TRX-1", Status: lending.PaymentCompleted, Amount: naira("100"), Method: lending.BankTransfer},
		}}
	}
	for name, order := range map[string][]func(string) provider.Notice{
		"the repayment first": {repayment, received}, "the payment first": {received, repayment},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			loan := b.loan(b.customer("KREDETE", "cust-1"), lending.LoanDisbursed)
			for i, news := range order {
				b.kredete.tell(fmt.Sprint(i), news(b.theLoan(loan).ExternalID))
				b.deliver(b.kredete, fmt.Sprint(i))
			}
			payments := b.paymentsOf(loan)
			if len(payments) != 1 || payments[0].ExternalID != "pmt-1" || payments[0].Method != lending.BankTransfer || b.theLoan(loan).Paid != naira("100") {
				t.Errorf("payments: %+v, %s paid", payments, b.theLoan(loan).Paid)
			}
			for _, e := range b.eventLog() {
				if e.PaymentID != payments[0].ID {
					t.Errorf("the event %s is of payment %q", e.Type, e.PaymentID)
				}
			}
		})
	}
}

func TestAVerifiedIdentityIsTakenOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	b.kredete.tell("verified", provider.Notice{Type: lending.EventCustomerKYCVerified, CustomerExternalID: "cust-1", KYCStatus: lending.KYCVerified})
	b.deliver(b.kredete, "verified")
	found, err := b.store.Customers(b.ctx, []lending.CustomerID{customer})
	b.must(err)
	if found[customer].KYCStatus != lending.KYCVerified || !b.profiles.gone("cust-1") {
		t.Errorf("the customer is %s", found[customer].KYCStatus)
	}
}

// failing is a store that fails where it is told to.
type failing struct {
	service.Store
	put, append bool
}

var errDown = &lending.Error{Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true}

func (f *failing) PutDelivery(ctx context.Context, d *service.Delivery) (bool, error) {
	if f.put {
		return false, errDown
	}
	return f.Store.PutDelivery(ctx, d)
}

func (f *failing) AppendEvents(ctx context.Context, events ...*lending.Event) error {
	if f.append {
		return errDown
	}
	return f.Store.AppendEvents(ctx, events...)
}
