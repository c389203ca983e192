package service_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// agreed is a customer's consent of an hour ago.
func agreed() *lending.Consent {
	return &lending.Consent{GrantedAt: today().Add(-time.Hour), Channel: lending.ConsentApp}
}

// scoreOf is a good request of a score at OnePipe, with changes.
func scoreOf(customer lending.CustomerID, changes ...func(*service.RequestCreditScoreInput)) service.RequestCreditScoreInput {
	in := service.RequestCreditScoreInput{
		IdempotencyKey: "score-1", CustomerID: gid(customer), Provider: lending.OnePipe, Consent: agreed(),
		Authorization: &service.ScoreAuthorizationInput{BankAccount: &service.BankAuthorization{AccountNumber: "0000014579", BankCode: "011"}},
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

// nine is a score of nine out of ten.
func nine() *lending.CreditScore {
	s := &lending.CreditScore{
		Value: lending.NewDecimal(9, 0), Scale: &lending.ScoreScale{Min: lending.NewDecimal(0, 0), Max: lending.NewDecimal(10, 0)},
		Confidence: new(lending.NewDecimal(90, 2)), Factors: []lending.ScoreFactor{{Factor: "history", Impact: lending.ImpactPositive}},
	}
	s.Rate()
	return s
}

// awaiting is a request at OnePipe that waits for an OTP.
func (b *bench) awaiting(customer lending.CustomerID) lending.OperationID {
	b.Helper()
	b.onepipe.requestScore = func(provider.ScoreRequest) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScoreOTPRequired, Prompt: "Enter the OTP sent to 0801***5678"}, nil
	}
	result := b.done(b.service.RequestCreditScore(b.ctx, caller, scoreOf(customer)))
	b.status(result, lending.OpAwaitingOTP)
	return result.Operation.ID
}

func (b *bench) confirm(id lending.OperationID, otp string) *service.Result {
	b.Helper()
	return b.done(b.service.ConfirmCreditScore(b.ctx, caller, service.ConfirmCreditScoreInput{OperationID: opGID(id), OTP: otp}))
}

func TestAScoreIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	var told provider.ScoreRequest
	b.kredete.requestScore = func(r provider.ScoreRequest) (provider.ScoreResult, error) {
		told = r
		return provider.ScoreResult{State: provider.ScoreCompleted, Score: nine()}, nil
	}
	in := service.RequestCreditScoreInput{
		IdempotencyKey: "k", CustomerID: gid(customer), Provider: lending.Kredete,
		LoanAmount: new(money("1.0", lending.NGN)), Tenure: &lending.Tenure{Value: 90, Unit: lending.Days},
	}
	result := b.done(b.service.RequestCreditScore(b.ctx, caller, in))
	b.status(result, lending.OpSucceeded)
	in.LoanAmount = new(money("1.00", lending.NGN))
	again := b.done(b.service.RequestCreditScore(b.ctx, caller, in))
	same(b, *again, *result, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	if told.CustomerExternalID != "cust-1" || *told.LoanAmount != naira("1") || told.FirstName != "Ada" || b.kredete.called("RequestScore") != 1 {
		t.Errorf("the provider was told %+v", told)
	}
	kept, err := b.store.Scores(b.ctx, []lending.ScoreID{result.Score.ID})
	b.must(err)
	same(b, kept[result.Score.ID], result.Score)
	if e := b.eventLog()[0]; e.Type != lending.EventCreditScoreReady || e.ScoreID != result.Score.ID || !result.Score.ScoredAt.Equal(today()) {
		t.Errorf("the event is %+v", e)
	}
}

func TestWhatIsWrongWithARequestForAScore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	for name, test := range map[string]struct {
		change func(*service.RequestCreditScoreInput)
		want   []string
	}{
		"nothing given": {
			func(in *service.RequestCreditScoreInput) { *in = service.RequestCreditScoreInput{} },
			[]string{"idempotencyKey", "customerId", "provider"},
		},
		"no consent": {func(in *service.RequestCreditScoreInput) { in.Consent = nil }, []string{"consent"}},
		"a consent of tomorrow": {
			func(in *service.RequestCreditScoreInput) { in.Consent.GrantedAt = today().Add(time.Hour) }, []string{"consent.grantedAt"},
		},
		"a consent from nowhere": {
			func(in *service.RequestCreditScoreInput) { in.Consent.Channel = "DREAM" }, []string{"consent.channel"},
		},
		"two accounts": {
			func(in *service.RequestCreditScoreInput) {
				in.Authorization.Wallet = &service.WalletAuthorization{WalletNumber: "1", ProviderCode: "x"}
			},
			[]string{"authorization"},
		},
		"no account": {
			func(in *service.RequestCreditScoreInput) { in.Authorization = &service.ScoreAuthorizationInput{} }, []string{"authorization"},
		},
		"an account of letters": {
			func(in *service.RequestCreditScoreInput) {
				in.Authorization.BankAccount = &service.BankAuthorization{AccountNumber: "abc", BankCode: "GTB"}
			},
			[]string{"authorization.bankAccount.accountNumber", "authorization.bankAccount.bankCode"},
		},
		"Kredete without a loan": {
			func(in *service.RequestCreditScoreInput) { in.Provider = lending.Kredete }, []string{"loanAmount"},
		},
		"a bureau": {func(in *service.RequestCreditScoreInput) { in.Provider = lending.TrustDecision }, []string{"provider"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			in := scoreOf(customer)
			test.change(&in)
			b.wants(b.done(b.service.RequestCreditScore(b.ctx, caller, in)), test.want...)
		})
	}
	if b.onepipe.called("RequestScore")+b.kredete.called("RequestScore") != 0 {
		t.Error("a provider was asked")
	}
}

func TestAnotherAccountUnderTheSameKeyIsAnotherRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.awaiting(customer)
	other := b.done(b.service.RequestCreditScore(b.ctx, caller, scoreOf(customer, func(in *service.RequestCreditScoreInput) {
		in.Authorization.BankAccount.AccountNumber = "0000000220"
	})))
	b.wants(other, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
	replayed := b.done(b.service.RequestCreditScore(b.ctx, caller, scoreOf(customer)))
	if !replayed.Operation.Replayed || replayed.Operation.Prompt == "" {
		t.Errorf("the same request is answered with %+v", replayed.Operation)
	}
}

func TestAScoreIsConfirmedByTheCustomer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.awaiting(b.customer(everywhere("1")...))
	b.onepipe.confirmScore = func(c provider.ScoreConfirmation) (provider.ScoreResult, error) {
		if c.Reference != b.theOperation(id).Reference || c.Secret != "123456" {
			t.Errorf("confirmed with %+v", c)
		}
		return provider.ScoreResult{State: provider.ScoreCompleted, Score: nine()}, nil
	}
	result := b.confirm(id, "123456")
	b.status(result, lending.OpSucceeded)
	if result.Score == nil || string(result.Score.ID) != b.theOperation(id).EntityID || result.Operation.Prompt != "" {
		t.Errorf("the answer is %+v", result)
	}
	b.wants(b.confirm(id, "123456"), "CONFLICT operationId")
	if op := b.theOperation(id); strings.Contains(string(op.Input)+string(op.Result), "123456") {
		t.Error("the OTP was kept")
	}
	if strings.Contains(b.log.String(), "123456") {
		t.Error("the OTP was logged")
	}
}

func TestAWrongOTPMayBeCorrectedThreeTimes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.awaiting(b.customer(everywhere("1")...))
	b.onepipe.confirmScore = func(provider.ScoreConfirmation) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScoreOTPRequired, Prompt: "Again"}, nil
	}
	for range 3 {
		result := b.confirm(id, "000000")
		b.status(result, lending.OpAwaitingOTP)
		b.wants(result, "OTP_REQUIRED otp")
	}
	b.wants(b.confirm(id, "123456"), "CONFLICT operationId")
	if n := b.onepipe.called("ConfirmScore"); n != 3 {
		t.Errorf("%d tries reached the provider", n)
	}
	b.clock.pass(16 * time.Minute)
	b.must(b.service.Complete(b.ctx))
	if op := b.theOperation(id); op.Status != lending.OpFailed || op.Failure.Kind != lending.KindOTPRequired || op.SettledAt.IsZero() {
		t.Errorf("given up, it is %s: %+v", op.Status, op.Failure)
	}
	b.wants(b.confirm(id, "123456"), "CONFLICT operationId")
}

func TestAnOTPThatDidNotReachTheProviderIsNoTry(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.awaiting(b.customer(everywhere("1")...))
	b.onepipe.confirmScore = func(provider.ScoreConfirmation) (provider.ScoreResult, error) {
		return provider.ScoreResult{}, at(lending.OnePipe, errRefused)
	}
	for range 5 {
		result := b.confirm(id, "123456")
		b.status(result, lending.OpAwaitingOTP)
		if result.Operation.Prompt == "" || len(result.Problems) != 1 || result.Problems[0].Kind != lending.KindUpstreamUnavailable {
			t.Errorf("the answer is %+v", result)
		}
	}
	b.onepipe.confirmScore = func(provider.ScoreConfirmation) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScoreCompleted, Score: nine()}, nil
	}
	b.status(b.confirm(id, "123456"), lending.OpSucceeded)
}

func TestAConfirmationWhoseAnswerIsLostIsAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.awaiting(b.customer(everywhere("1")...))
	b.onepipe.confirmScore = func(provider.ScoreConfirmation) (provider.ScoreResult, error) {
		return provider.ScoreResult{}, at(lending.OnePipe, errLost)
	}
	b.status(b.confirm(id, "123456"), lending.OpOutcomeUnknown)
	b.onepipe.queryScore = func(reference string) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScoreCompleted, Score: nine()}, nil
	}
	b.clock.pass(time.Minute)
	b.must(b.service.Complete(b.ctx))
	if op := b.theOperation(id); op.Status != lending.OpSucceeded || b.onepipe.called("ConfirmScore") != 1 || b.onepipe.called("RequestScore") != 1 {
		t.Errorf("it is %s after %v", op.Status, b.onepipe.calls)
	}
}

func TestTwoConfirmationsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.awaiting(b.customer(everywhere("1")...))
	let := make(chan struct{})
	began := make(chan struct{}, 2)
	b.onepipe.confirmScore = func(provider.ScoreConfirmation) (provider.ScoreResult, error) {
		began <- struct{}{}
		<-let
		return provider.ScoreResult{State: provider.ScoreCompleted, Score: nine()}, nil
	}
	var all sync.WaitGroup
	all.Go(func() { b.status(b.confirm(id, "123456"), lending.OpSucceeded) })
	<-began
	b.wants(b.confirm(id, "123456"), "CONFLICT operationId")
	close(let)
	all.Wait()
	if n := b.onepipe.called("ConfirmScore"); n != 1 {
		t.Errorf("confirmed %d times", n)
	}
}

func TestWhatIsWrongWithAConfirmation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	id := b.awaiting(customer)
	loan := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
	for name, test := range map[string]struct {
		in   service.ConfirmCreditScoreInput
		want []string
	}{
		"nothing given":   {service.ConfirmCreditScoreInput{}, []string{"operationId", "information"}},
		"both":            {service.ConfirmCreditScoreInput{OperationID: opGID(id), OTP: "1234", Information: "x"}, []string{"otp"}},
		"an OTP of words": {service.ConfirmCreditScoreInput{OperationID: opGID(id), OTP: "12 34"}, []string{"otp"}},
		"a loan":          {service.ConfirmCreditScoreInput{OperationID: opGID(loan.Operation.ID), OTP: "1234"}, []string{"NOT_FOUND operationId"}},
		"no operation":    {service.ConfirmCreditScoreInput{OperationID: opGID("x"), OTP: "1234"}, []string{"NOT_FOUND operationId"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.wants(b.done(b.service.ConfirmCreditScore(b.ctx, caller, test.in)), test.want...)
		})
	}
}

func TestInformationIsPassedOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.onepipe.requestScore = func(provider.ScoreRequest) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScoreInfoRequired, Prompt: "Date of birth?"}, nil
	}
	result := b.done(b.service.RequestCreditScore(b.ctx, caller, scoreOf(customer)))
	b.status(result, lending.OpAwaitingInfo)
	b.onepipe.confirmScore = func(c provider.ScoreConfirmation) (provider.ScoreResult, error) {
		if c.Secret != "1990-05-17" {
			t.Errorf("told %q", c.Secret)
		}
		return provider.ScoreResult{State: provider.ScorePending}, nil
	}
	b.status(b.done(b.service.ConfirmCreditScore(b.ctx, caller, service.ConfirmCreditScoreInput{
		OperationID: opGID(result.Operation.ID), Information: "1990-05-17",
	})), lending.OpAwaitingProvider)
}
