package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// look lets the completer look again and again, for as long as told.
func (b *bench) look(times int, apart time.Duration) {
	b.Helper()
	for range times {
		b.clock.pass(apart)
		b.must(b.service.Complete(b.ctx))
	}
}

// crashing is a store that loses what is written once an operation is to be settled: as a process that dies
// between the provider's answer and the commit.
type crashing struct {
	service.Store
	dead bool
}

func (c *crashing) UpdateOperation(ctx context.Context, op *lending.Operation) error {
	if c.dead {
		return errDown
	}
	return c.Store.UpdateOperation(ctx, op)
}

// afterCrash begins an action in a process that dies before its outcome is written down, and gives the
// operation that it leaves behind to another process.
func afterCrash(t *testing.T, begin func(b *bench, customer lending.CustomerID) *service.Result) (*bench, lending.CustomerID, *lending.Operation) {
	t.Helper()
	dying := &crashing{}
	b := setup(t, func(c *service.Config) { dying.Store = c.Store; c.Store = dying })
	customer := b.customer(everywhere("1")...)
	dying.dead = true
	answers := *b
	answers.dying = true
	begin(&answers, customer)
	page, err := b.store.ListOperations(b.ctx, lending.OperationFilter{}, lending.PageRequest{First: 10})
	b.must(err)
	if len(page.Edges) != 1 || page.Edges[0].Node.Status != lending.OpInProgress || page.Edges[0].Node.Step != lending.StepSending {
		t.Fatalf("left behind: %+v", page.Edges)
	}
	b.serve()
	return b, customer, page.Edges[0].Node
}

func TestWhatACrashLeftBehindIsNeverSentAgainBlindly(t *testing.T) {
	t.Parallel()
	calls := map[lending.OperationKind]string{
		lending.OpCreateCustomer: "CreateCustomer", lending.OpApplyForLoan: "Apply", lending.OpApproveLoan: "Approve",
		lending.OpRejectLoan: "Reject", lending.OpDisburseLoan: "Disburse", lending.OpRecordPayment: "RecordPayment",
		lending.OpRequestCreditScore: "RequestScore", lending.OpOrderCreditReport: "OrderReport",
		lending.OpCreateSupplier: "CreateSupplier", lending.OpPayInvoice: "PayInvoice",
		lending.OpUploadDocument: "UploadDocument", lending.OpRegisterWebhook: "RegisterWebhook",
	}
	left := map[lending.OperationKind]string{
		lending.OpApplyForLoan: "OUTCOME_UNKNOWN ", lending.OpPayInvoice: "OUTCOME_UNKNOWN ",
		lending.OpApproveLoan: "PENDING_REVIEW 3", lending.OpRejectLoan: "PENDING_REVIEW 3", lending.OpDisburseLoan: "APPROVED 3",
		lending.OpRecordPayment: "OUTCOME_UNKNOWN  0.00 NGN", lending.OpOrderCreditReport: "OUTCOME_UNKNOWN ",
	}
	for kind, begin := range everyAction() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b, _, op := afterCrash(t, begin)
			b.onepipe.queryScore = func(string) (provider.ScoreResult, error) {
				return provider.ScoreResult{}, at(lending.OnePipe, errLater)
			}
			b.must(b.service.Complete(b.ctx))
			if got := b.theOperation(op.ID).Status; got != lending.OpInProgress {
				t.Fatalf("while its holder's lease runs it is %s", got)
			}
			b.look(10, 10*time.Minute)
			got := b.theOperation(op.ID)
			if got.Status != lending.OpOutcomeUnknown || got.Failure == nil || got.Failure.Kind != lending.KindOutcomeUnknown {
				t.Errorf("it is %s: %+v", got.Status, got.Failure)
			}
			if standing := b.standing(got); standing != left[kind] {
				t.Errorf("it stands %q, want %q", standing, left[kind])
			}
			sent := 0
			for _, f := range []*fake{b.kredete, b.bureau, b.kredmint, b.carbon, b.onepipe} {
				sent += f.called(calls[kind])
			}
			if sent != 1 {
				t.Errorf("sent %d times", sent)
			}
			updates := 0
			for _, e := range b.eventLog() {
				if e.Type == lending.EventOperationUpdated {
					updates++
				}
			}
			if updates != 1 {
				t.Errorf("subscribers were told %d times", updates)
			}
			b.wants(b.resolve(op.ID, service.OutcomeFailed, ""))
		})
	}
}

func applyAtCarbon(b *bench, c lending.CustomerID) *service.Result {
	return b.done(b.service.ApplyForLoan(b.ctx, caller, application(c, atCarbon)))
}

func TestAnApplicationAtCarbonIsRepeatedUnderItsReference(t *testing.T) {
	t.Parallel()
	b, customer, op := afterCrash(t, applyAtCarbon)
	var references []string
	var failure *lending.Error
	b.carbon.apply = func(_ context.Context, a provider.LoanApplication) (provider.LoanResult, error) {
		references = append(references, a.Reference)
		if failure != nil {
			return provider.LoanResult{}, at(lending.Carbon, failure)
		}
		if a.Principal != naira("500000") || a.CustomerExternalID != "carb-1" || a.Tenure.Value != 90 {
			t.Errorf("repeated with %+v", a)
		}
		return provider.LoanResult{Existing: true, Loan: lending.Loan{ExternalID: "app-1", Status: lending.LoanPendingReview, ProviderStatus: "PENDING"}}, nil
	}
	for _, failure = range []*lending.Error{errLater, errRefused} {
		b.look(1, time.Hour)
		if got := b.theOperation(op.ID); got.Status != lending.OpOutcomeUnknown {
			t.Fatalf("after a failure to find out it is %s", got.Status)
		}
	}
	failure = nil
	b.look(1, time.Hour)
	got := b.theOperation(op.ID)
	if got.Status != lending.OpSucceeded || got.Failure != nil {
		t.Errorf("it is %s: %+v", got.Status, got.Failure)
	}
	if loans := b.loansOf(customer); len(loans) != 1 || loans[0].ExternalID != "app-1" || loans[0].Status != lending.LoanPendingReview || loans[0].ID != got.LoanID {
		t.Errorf("loans: %+v", loans)
	}
	same(b, references, []string{"apply-1", "apply-1", "apply-1"})
	replayed := applyAtCarbon(b, customer)
	if !replayed.Operation.Replayed || replayed.Loan == nil || replayed.Loan.ExternalID != "app-1" {
		t.Errorf("the key is answered with %+v", replayed.Loan)
	}
	b.look(3, time.Hour)
	if len(references) != 3 {
		t.Errorf("settled, it was sent again: %v", references)
	}
}

// A refusal is of the repetition: the application that the crash cut off may have been taken.
func TestAnApplicationThatCarbonRefusesWhenRepeatedStaysUnknown(t *testing.T) {
	t.Parallel()
	b, _, op := afterCrash(t, applyAtCarbon)
	b.carbon.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
		return provider.LoanResult{}, at(lending.Carbon, errRejected)
	}
	b.look(1, time.Minute)
	if got := b.theOperation(op.ID); got.Status != lending.OpOutcomeUnknown {
		t.Errorf("it is %s", got.Status)
	}
}

func TestAScoreAtOnePipeIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		told provider.ScoreResult
		err  *lending.Error
		want lending.OperationStatus
	}{
		"it is there":              {provider.ScoreResult{State: provider.ScoreCompleted, Score: nine()}, nil, lending.OpSucceeded},
		"it waits for the OTP":     {provider.ScoreResult{State: provider.ScoreOTPRequired, Prompt: "OTP"}, nil, lending.OpAwaitingOTP},
		"OnePipe works on it":      {provider.ScoreResult{State: provider.ScorePending}, nil, lending.OpAwaitingProvider},
		"it never arrived":         {provider.ScoreResult{}, &lending.Error{Kind: lending.KindNotFound, Outcome: lending.NotExecuted}, lending.OpFailed},
		"OnePipe declined it":      {provider.ScoreResult{}, errRejected, lending.OpFailed},
		"OnePipe does not answer":  {provider.ScoreResult{}, errRefused, lending.OpOutcomeUnknown},
		"OnePipe makes no sense":   {provider.ScoreResult{}, &lending.Error{Kind: lending.KindUpstreamProtocol, Outcome: lending.NotExecuted}, lending.OpOutcomeUnknown},
		"OnePipe refuses our keys": {provider.ScoreResult{}, &lending.Error{Kind: lending.KindUpstreamAuth, Outcome: lending.NotExecuted}, lending.OpOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _, op := afterCrash(t, everyAction()[lending.OpRequestCreditScore])
			b.onepipe.queryScore = func(reference string) (provider.ScoreResult, error) {
				if reference != op.Reference {
					t.Errorf("asked for %q", reference)
				}
				if test.err != nil {
					return provider.ScoreResult{}, at(lending.OnePipe, test.err)
				}
				return test.told, nil
			}
			b.look(1, time.Minute)
			if got := b.theOperation(op.ID); got.Status != test.want || got.Prompt != test.told.Prompt {
				t.Errorf("it is %s, prompting %q: %+v", got.Status, got.Prompt, got.Failure)
			}
			if n := b.onepipe.called("RequestScore"); n != 1 {
				t.Errorf("requested %d times", n)
			}
		})
	}
}

func TestAPendingScoreIsAskedForUntilItIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.onepipe.requestScore = func(provider.ScoreRequest) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScorePending}, nil
	}
	result := b.done(b.service.RequestCreditScore(b.ctx, caller, scoreOf(b.customer(everywhere("1")...))))
	b.status(result, lending.OpAwaitingProvider)
	b.onepipe.queryScore = func(string) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScorePending}, nil
	}
	b.look(60, time.Minute)
	if n := b.onepipe.called("QueryScore"); n < 8 || n > 30 {
		t.Errorf("asked %d times in an hour", n)
	}
	b.onepipe.queryScore = func(string) (provider.ScoreResult, error) {
		return provider.ScoreResult{State: provider.ScoreCompleted, Score: nine()}, nil
	}
	b.look(1, 10*time.Minute)
	b.stands(result, lending.OpSucceeded)
}

func TestASupplierIsLookedForInTheList(t *testing.T) {
	t.Parallel()
	made := func(id string, change func(*lending.Supplier)) lending.Supplier {
		s := lending.Supplier{
			Provider: lending.Kredmint, ExternalID: id, Name: "Ravi Traders", Mobile: "9876543210", TaxID: "27AAPFU0939F1ZV", CreatedAt: today(),
		}
		change(&s)
		return s
	}
	same := func(*lending.Supplier) {}
	for name, test := range map[string]struct {
		list []lending.Supplier
		want lending.OperationStatus
	}{
		"it is there":    {[]lending.Supplier{made("1", func(s *lending.Supplier) { s.Name = "Other" }), made("2", same)}, lending.OpSucceeded},
		"nobody is":      {nil, lending.OpOutcomeUnknown},
		"an older one":   {[]lending.Supplier{made("1", func(s *lending.Supplier) { s.CreatedAt = today().Add(-time.Hour) })}, lending.OpOutcomeUnknown},
		"another mobile": {[]lending.Supplier{made("1", func(s *lending.Supplier) { s.Mobile = "9876543219" })}, lending.OpOutcomeUnknown},
		"another tax id": {[]lending.Supplier{made("1", func(s *lending.Supplier) { s.TaxID = "" })}, lending.OpOutcomeUnknown},
		"two are alike":  {[]lending.Supplier{made("1", same), made("2", same)}, lending.OpOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _, op := afterCrash(t, everyAction()[lending.OpCreateSupplier])
			b.kredmint.suppliers = func(username string) ([]lending.Supplier, error) {
				if username != "9876543211" {
					t.Errorf("listed for %q", username)
				}
				return test.list, nil
			}
			b.look(2, time.Minute)
			got := b.theOperation(op.ID)
			if got.Status != test.want || b.kredmint.called("CreateSupplier") != 1 {
				t.Errorf("it is %s", got.Status)
			}
			if found := got.Status == lending.OpSucceeded; found && (got.EntityID != "2" || !b.suppliers.gone("9876543211")) {
				t.Errorf("found %q", got.EntityID)
			}
		})
	}
}

func TestACustomerIsLookedForInTheList(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		profile lending.Profile
		want    lending.OperationStatus
	}{
		"on the third page": {lending.Profile{ExternalID: "cust_9", Email: "ada@example.com", Phone: "+2348012345678", CreatedAt: today()}, lending.OpSucceeded},
		"another phone":     {lending.Profile{ExternalID: "cust_9", Email: "ada@example.com", Phone: "+2348012345679", CreatedAt: today()}, lending.OpOutcomeUnknown},
		"from before":       {lending.Profile{ExternalID: "cust_9", Email: "ada@example.com", Phone: "+2348012345678", CreatedAt: today().Add(-time.Hour)}, lending.OpOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _, op := afterCrash(t, everyAction()[lending.OpCreateCustomer])
			b.kredete.listProfiles = func(q provider.ProfileQuery) (provider.ProfilePage, error) {
				if q.Page < 3 {
					return provider.ProfilePage{HasMore: true}, nil
				}
				return provider.ProfilePage{Profiles: []lending.Profile{test.profile}}, nil
			}
			b.look(2, time.Minute)
			got := b.theOperation(op.ID)
			if got.Status != test.want || b.kredete.called("CreateCustomer") != 1 {
				t.Fatalf("it is %s", got.Status)
			}
			if id, err := b.store.CustomerByIdentity(b.ctx, lending.Kredete, "cust_9"); (err == nil) != (test.want == lending.OpSucceeded) || err == nil && id != got.CustomerID {
				t.Errorf("linked to %q: %v", id, err)
			}
		})
	}
}

func TestAHolderThatSleptCannotCommitOverItsSuccessor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.carbon.apply = func(ctx context.Context, _ provider.LoanApplication) (provider.LoanResult, error) {
		if b.carbon.called("Apply") > 1 { // the successor
			return provider.LoanResult{Existing: true, Loan: lending.Loan{ExternalID: "app-1", Status: lending.LoanPendingReview}}, nil
		}
		other := b.in(t) // another process takes over while this one sleeps
		other.serve()
		other.look(1, time.Hour)
		return provider.LoanResult{Loan: lending.Loan{ExternalID: "app-late", Status: lending.LoanApproved}}, nil
	}
	result := applyAtCarbon(b, customer)
	b.status(result, lending.OpSucceeded)
	loans := b.loansOf(customer)
	if len(loans) != 1 || loans[0].ExternalID != "app-1" || loans[0].Status != lending.LoanPendingReview {
		t.Errorf("loans: %+v", loans)
	}
	if result.Loan == nil || result.Loan.ExternalID != "app-1" {
		t.Errorf("answered with %+v", result.Loan)
	}
	if op := b.theOperation(result.Operation.ID); op.Lease.Fence != 2 {
		t.Errorf("the fence is %d", op.Lease.Fence)
	}
	created := 0
	for _, kind := range b.events() {
		if kind == lending.EventLoanCreated {
			created++
		}
	}
	if created != 1 {
		t.Errorf("announced %d times", created)
	}
}

func TestAnOldFenceChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.unanswered()
	lost := b.act("Disburse", "k", b.loan(b.customer(), lending.LoanApproved))
	first, second := b.theOperation(lost.Operation.ID), b.theOperation(lost.Operation.ID)
	first.Status = lending.OpSucceeded
	b.must(b.store.TakeOperation(b.ctx, first))
	second.Status = lending.OpFailed
	for _, commit := range []func(context.Context, *lending.Operation) error{b.store.TakeOperation, b.store.UpdateOperation} {
		if err := commit(b.ctx, second); !errors.Is(err, service.ErrLeaseLost) {
			t.Errorf("an older holder's commit: %v", err)
		}
	}
	if got := b.theOperation(first.ID); got.Status != lending.OpSucceeded {
		t.Errorf("it is %s", got.Status)
	}
}

func TestManyAreFinishedInOneLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.unanswered()
	for range 45 {
		b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, atCarbon, keyed(b.id("k")))))
	}
	b.carbon.apply = nil
	b.look(1, time.Hour)
	page, err := b.store.ListOperations(b.ctx, lending.OperationFilter{Status: []lending.OperationStatus{lending.OpSucceeded}}, lending.PageRequest{First: 100})
	b.must(err)
	if len(page.Edges) != 45 {
		t.Errorf("%d of 45 were finished", len(page.Edges))
	}
}
