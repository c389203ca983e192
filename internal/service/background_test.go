package service_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// running is a bench in a bubble whose background parts run until the test ends.
func running(t *testing.T, change ...func(*service.Config)) *bench {
	t.Helper()
	b := inBubble(t, change...)
	b.service.Start()
	b.service.Start() // once is enough
	t.Cleanup(func() {
		for range 2 {
			if err := b.service.Stop(context.WithoutCancel(b.ctx)); err != nil {
				t.Error(err)
			}
		}
	})
	return b
}

func TestAWebhookIsAppliedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		synctest.Wait()
		customer := b.customer("KREDETE", "cust-1")
		b.kredete.tell("created", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Principal: naira("5")}))
		began := time.Now()
		b.receive(b.kredete, "created")
		synctest.Wait()
		// It is stored together with what comes in the same moment, and no tick is waited for.
		if n := len(b.loansOf(customer)); n != 1 || time.Since(began) > 10*time.Millisecond {
			t.Errorf("%d loans after %s", n, time.Since(began))
		}
	})
}

func TestAWebhookWithoutAHintIsAppliedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		synctest.Wait()
		customer := b.customer("KREDETE", "cust-1")
		b.kredete.tell("created", loanNews(lending.EventLoanCreated, "cust-1", lending.Loan{ExternalID: "loan_1", Principal: naira("5")}))
		_, err := b.store.PutDelivery(b.ctx, &service.Delivery{ // by another replica, which died then
			ID: "d", Provider: lending.Kredete, DedupeKey: "k", Body: []byte("created"), ReceivedAt: time.Now(), State: service.DeliveryReceived, NextTryAt: time.Now(),
		})
		b.must(err)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if n := len(b.loansOf(customer)); n != 1 {
			t.Errorf("%d loans", n)
		}
	})
}

func TestNothingStaysUnfinished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dying := &crashing{dead: true}
		b := inBubble(t, func(c *service.Config) { dying.Store = c.Store; c.Store = dying })
		customer := b.customer(everywhere("1")...)
		answers := *b
		answers.dying = true
		applyAtCarbon(&answers, customer)
		b.must(b.service.Stop(b.ctx))
		b.serve(func(c *service.Config) { c.Clock = time.Now })
		b.service.Start()
		defer func() { b.must(b.service.Stop(context.WithoutCancel(b.ctx))) }()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if loans := b.loansOf(customer); len(loans) != 1 || loans[0].Status != lending.LoanPendingReview {
			t.Errorf("loans: %+v", loans)
		}
	})
}

func TestAnOverdueReportIsAskedForBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		customer := b.customer(everywhere("1")...)
		b.bureau.fetchReport = func(string) (provider.ReportNotice, error) { return hit("CIR-1"), nil }
		ordered := b.order(customer)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		b.stands(ordered, lending.OpSucceeded)
	})
}

func TestStopWaitsForActionsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, func(c *service.Config) { c.Settings.WriteDeadline = 20 * time.Second })
		b.service.Start()
		customer := b.customer(everywhere("1")...)
		b.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
			time.Sleep(10 * time.Second)
			return provider.LoanResult{Loan: lending.Loan{ExternalID: "loan_1"}}, nil
		}
		applied := make(chan *service.Result, 1)
		go func() { applied <- b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer))) }()
		time.Sleep(time.Second)
		short, cancel := context.WithTimeout(b.ctx, 2*time.Second)
		defer cancel()
		if err := b.service.Stop(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with an action under way it stopped: %v", err)
		}
		began := time.Now()
		b.must(b.service.Stop(b.ctx))
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("it waited %s", took)
		}
		b.status(<-applied, lending.OpSucceeded)
	})
}
