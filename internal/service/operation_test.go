package service_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

func TestARepeatedKeyAnswersTheSameAndSendsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	first := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
	again := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, func(in *service.ApplyForLoanInput) {
		in.Principal = money("500000.00", lending.NGN) // the same amount
		in.Reference = in.IdempotencyKey               // the default, said aloud
	})))
	if !again.Operation.Replayed || first.Operation.Replayed {
		t.Errorf("replayed: first %t, then %t", first.Operation.Replayed, again.Operation.Replayed)
	}
	same(b, *again, *first, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	if n := b.kredete.called("Apply"); n != 1 {
		t.Errorf("sent %d times", n)
	}
	if n := len(b.events()); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestAKeyIsForOneRequestOfOneClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
	for name, change := range map[string]func(*service.ApplyForLoanInput){
		"another amount":  func(in *service.ApplyForLoanInput) { in.Principal = money("500000.01", lending.NGN) },
		"another tenure":  func(in *service.ApplyForLoanInput) { in.Tenure.Value = 91 },
		"another account": func(in *service.ApplyForLoanInput) { in.DisbursementAccount = nil },
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, change)))
			b.wants(result, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
			if result.Operation != nil || result.Loan != nil {
				t.Error("the other request's answer was given away")
			}
		})
	}
	loan := b.loan(customer, lending.LoanPendingReview)
	result := b.done(b.service.ApproveLoan(b.ctx, caller, service.LoanActionInput{IdempotencyKey: "apply-1", LoanID: loanGID(loan)}))
	b.wants(result, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
	other := b.done(b.service.ApproveLoan(b.ctx, service.Caller{ClientID: "client-2"}, service.LoanActionInput{IdempotencyKey: "apply-1", LoanID: loanGID(loan)}))
	b.status(other, lending.OpSucceeded)
}

func TestACrashedClientDoesNotStopAnApplication(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	ctx, cancel := context.WithCancel(b.ctx)
	b.kredete.apply = func(ctx context.Context, _ provider.LoanApplication) (provider.LoanResult, error) {
		cancel()
		if ctx.Err() != nil {
			t.Error("the provider's call ended with the client")
		}
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the provider's call has no deadline")
		}
		return provider.LoanResult{Loan: lending.Loan{ExternalID: "loan_1"}}, nil
	}
	b.status(b.done(b.service.ApplyForLoan(ctx, caller, application(customer))), lending.OpSucceeded)
}

func TestAKeyUsedTwiceAtOnceIsOneCall(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *service.Config) { c.Settings.ReplayWait = time.Minute })
	customer := b.customer("KREDETE", "cust-1")
	sent, let := make(chan struct{}, 1), make(chan struct{})
	b.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
		sent <- struct{}{}
		<-let
		return provider.LoanResult{Loan: lending.Loan{ExternalID: "loan_1"}}, nil
	}
	results := make([]*service.Result, 4)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			result, err := b.service.ApplyForLoan(b.ctx, caller, application(customer))
			if err != nil {
				t.Error(err)
			}
			results[i] = result
		})
	}
	<-sent
	close(let)
	all.Wait()
	replayed := 0
	for _, r := range results {
		if r == nil || r.Operation == nil || r.Operation.Status != lending.OpSucceeded || r.Loan == nil || r.Loan.ExternalID != "loan_1" {
			t.Fatalf("an answer is %+v", r)
		}
		if r.Operation.Replayed {
			replayed++
		}
	}
	if replayed != 3 || b.kredete.called("Apply") != 1 {
		t.Errorf("%d answers were repeated, and %d calls made", replayed, b.kredete.called("Apply"))
	}
}

func TestAKeyWhoseAnswerTakesLongIsInProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, func(c *service.Config) {
			c.Settings.ReplayWait, c.Settings.WriteDeadline = 3*time.Second, 15*time.Second
		})
		customer := b.customer("KREDETE", "cust-1")
		b.kredete.apply = func(ctx context.Context, _ provider.LoanApplication) (provider.LoanResult, error) {
			time.Sleep(10 * time.Second)
			return provider.LoanResult{Loan: lending.Loan{ExternalID: "loan_1"}}, ctx.Err()
		}
		first := make(chan *service.Result, 1)
		go func() {
			result, err := b.service.ApplyForLoan(b.ctx, caller, application(customer))
			if err != nil {
				t.Error(err)
			}
			first <- result
		}()
		time.Sleep(time.Second)
		asked := time.Now()
		b.status(b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer))), lending.OpInProgress)
		if took := time.Since(asked); took != 3*time.Second {
			t.Errorf("it waited %s", took)
		}
		b.status(<-first, lending.OpSucceeded)
	})
}

func TestAProviderThatHangsIsLeftAfterTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, func(c *service.Config) { c.Settings.WriteDeadline = 15 * time.Second })
		customer := b.customer("KREDETE", "cust-1")
		b.kredete.apply = func(ctx context.Context, _ provider.LoanApplication) (provider.LoanResult, error) {
			<-ctx.Done()
			return provider.LoanResult{}, at(lending.Kredete, errLost)
		}
		began := time.Now()
		b.status(b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer))), lending.OpOutcomeUnknown)
		if took := time.Since(began); took != 15*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
