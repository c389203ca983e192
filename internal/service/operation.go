package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// maxKey is the longest idempotency key: it doubles as a reference at providers, who take 100 characters.
const maxKey = 100

// answer is what a provider's call came to, before it is written down.
type answer struct {
	status lending.OperationStatus
	prompt string
	// result is what the caller gets; its operation is filled in later.
	result Result
	// save writes the changes that the answer makes. It runs in the transaction that settles the operation.
	save   func(ctx context.Context) error
	events []*lending.Event
	// evict forgets, after the commit, what the cache holds of what was changed.
	evict func(ctx context.Context)
}

// action is one operation with the call that carries it out.
type action struct {
	op *lending.Operation
	// send calls the provider. It may fill the operation's Reference-bound fields but saves nothing that
	// refused does not put back.
	send func(ctx context.Context) (answer, error)
	// unknown writes down, in the settling transaction, what is left of an action whose outcome cannot be
	// known: a loan that may exist. nil writes nothing.
	unknown func(ctx context.Context) error
	// refused puts back, in the settling transaction, what send wrote before a call that was certainly not
	// carried out. nil writes nothing.
	refused func(ctx context.Context) error
}

// perform carries an action out at most once for its key:
//
//  1. One transaction inserts the operation as SENDING, or finds the one that has its key.
//  2. The provider is called, whatever becomes of the client, under a deadline of our own.
//  3. One transaction writes the outcome, what it changed and the events.
//
// After a crash in between, the completer finds the operation by its expired lease.
func (s *Service) perform(ctx context.Context, a action) (*Result, error) {
	now := s.now()
	a.op.Status, a.op.Step, a.op.Attempts = lending.OpInProgress, lending.StepSending, 1
	a.op.RequestedAt, a.op.UpdatedAt = now, now
	a.op.Lease = lending.Lease{Owner: s.owner, Until: now.Add(s.settings.WriteDeadline + leaseMargin), Fence: 1}
	a.op.NextCheckAt = a.op.Lease.Until
	failpoint("before-intent", a.op)
	stored, created, err := s.store.BeginOperation(ctx, a.op)
	if err != nil {
		return refusal(inTheWay(a.op, err))
	}
	if !created {
		return s.replay(ctx, a.op, stored)
	}
	failpoint("after-intent", a.op)
	s.background.Add(1)
	defer s.background.Done()
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.WriteDeadline)
	defer cancel()
	got, sendErr := a.send(detached)
	failpoint("after-send", a.op)
	return s.settle(context.WithoutCancel(ctx), a, got, sendErr)
}

// inTheWay names the field of the input that another operation holds.
func inTheWay(op *lending.Operation, err error) error {
	e := lending.AsError(err)
	if e.Kind != lending.KindConflict || len(e.Problems) > 0 {
		return err
	}
	field := "idempotencyKey"
	switch {
	case op.Kind == lending.OpApplyForLoan:
		field = "reference"
	case op.Kind == lending.OpPayInvoice:
		field = "invoiceNumber"
	case op.Kind == lending.OpOrderCreditReport:
		field = "customerId"
	case op.LoanID != "":
		field = "loanId"
	}
	told := *e
	told.Problems = []lending.Problem{{Kind: e.Kind, Message: e.Error(), Field: fieldPath(field)}}
	return &told
}

// refusal turns an error that the user can mend into a problem of the result.
func refusal(err error) (*Result, error) {
	if e := lending.AsError(err); mendable(e) {
		return &Result{Problems: problemsOf(e)}, nil
	}
	return nil, err
}

// mendable reports whether whoever sent the request can do something about the error.
func mendable(e *lending.Error) bool {
	switch e.Kind {
	case lending.KindValidation, lending.KindNotFound, lending.KindConflict, lending.KindKYCRequired,
		lending.KindKeyReused, lending.KindInProgress, lending.KindOTPRequired, lending.KindUpstreamRejected,
		lending.KindReportWindowExpired, lending.KindProviderDisabled:
		return true
	}
	return false
}

// problemsOf is an error as problems: its own list, or one of its kind and text.
func problemsOf(e *lending.Error) []lending.Problem {
	if len(e.Problems) > 0 {
		return e.Problems
	}
	return []lending.Problem{{Kind: e.Kind, Message: e.Error(), Field: []string{"input"}}}
}

// replay answers a key that was used before: with the first answer when the input is the same, once it is
// there; with a problem when it is another.
func (s *Service) replay(ctx context.Context, asked, stored *lending.Operation) (*Result, error) {
	if stored.Fingerprint != asked.Fingerprint || stored.Kind != asked.Kind {
		return &Result{Problems: []lending.Problem{{
			Kind: lending.KindKeyReused, Field: []string{"input", "idempotencyKey"},
			Message: "This idempotency key was used for another request. Nothing was sent. Use a new key.",
		}}}, nil
	}
	stored, err := s.awaitAnswer(ctx, stored)
	if err != nil {
		return nil, err
	}
	result, err := recall(stored)
	if err != nil {
		return nil, err
	}
	result.Operation.Replayed = true
	return result, nil
}

// repeated answers an operation whose key was used before, so that a repetition is never judged by a state
// that the first one brought about; nil when the key is new.
func (s *Service) repeated(ctx context.Context, asked *lending.Operation) (*Result, error) {
	stored, err := s.store.OperationByKey(ctx, asked.ClientID, asked.Key)
	if lending.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.replay(ctx, asked, stored)
}

// awaitAnswer waits a little for an operation that another request is carrying out.
func (s *Service) awaitAnswer(ctx context.Context, op *lending.Operation) (*lending.Operation, error) {
	// The wait alone has a limit: a look at the database that it cut short would be told as a failure.
	waiting, cancel := context.WithTimeout(ctx, s.settings.ReplayWait)
	defer cancel()
	// Most answers are there soon. Those who wait for a slow one look less and less often: there may be many.
	span := 20 * time.Millisecond
	pause := time.NewTimer(span)
	defer pause.Stop()
	for op.Status == lending.OpInProgress {
		select {
		case <-waiting.Done():
			return op, nil // it is answered as it stands: IN_PROGRESS
		case <-pause.C:
			span = min(2*span, 500*time.Millisecond)
			pause.Reset(span)
		}
		found, err := s.store.Operations(ctx, []lending.OperationID{op.ID})
		if err != nil {
			return nil, err
		}
		if found[op.ID] != nil {
			op = found[op.ID]
		}
	}
	return op, nil
}

// settle writes down what became of a call.
func (s *Service) settle(ctx context.Context, a action, got answer, sendErr error) (*Result, error) {
	ctx, cancel := context.WithTimeout(ctx, leaseMargin)
	defer cancel()
	a.op.Failure = nil // of an earlier attempt
	if sendErr != nil {
		got = s.failed(ctx, a, sendErr)
	}
	op, before := a.op, a.op.Status
	op.Status, op.Step, op.Prompt = got.status, lending.StepAnswered, got.prompt
	op.UpdatedAt = s.now()
	op.Lease.Until = op.UpdatedAt
	op.NextCheckAt = s.nextCheck(op)
	if op.Status.Settled() {
		op.SettledAt = op.UpdatedAt
	}
	result := got.result
	result.Operation, result.At = op, op.UpdatedAt
	result.Warnings = op.Warnings
	err := s.commit(ctx, op, before, got, &result)
	if errors.Is(err, ErrLeaseLost) {
		return s.overtaken(ctx, op)
	}
	if lending.KindOf(err) == lending.KindUpstreamProtocol && sendErr == nil {
		// The answer contradicts our records: it is of no use, and what it stands for may have happened.
		return s.settle(ctx, a, answer{}, err)
	}
	if err != nil {
		// What the provider did is done; the completer takes over when the lease has run out.
		s.log.ErrorContext(ctx, "an answer could not be written down", "operation", op.ID, "kind", op.Kind, "error", lending.AsError(err).Detail())
		return nil, unwritten(op, err)
	}
	failpoint("after-commit", op)
	if got.evict != nil {
		got.evict(ctx)
	}
	s.published()
	return &result, nil
}

// unwritten is the error of an answer that could not be written down: the provider was asked, so nothing of
// the store's own words on the outcome holds.
func unwritten(op *lending.Operation, err error) *lending.Error {
	e := &lending.Error{
		Kind: lending.KindInternal, Provider: op.Provider, Outcome: lending.OutcomeUnknown, Retryable: true, Err: err,
		Message: "The request was sent, and its answer could not be written down yet. Send it again with the same idempotencyKey, or look at the operation.",
	}
	if lending.KindOf(err) == lending.KindUnavailable {
		e.Kind = lending.KindUnavailable
	}
	return e
}

// commitTries is how often a commit is tried when a webhook wrote the same loan or payment in between: the
// next try finds its row and merges into it.
const commitTries = 3

// commit writes what an answer changes, the operation and the events, all or nothing. Subscribers are told of
// the operation when it moved from where it stood before: not each time that the completer asks in vain.
func (s *Service) commit(ctx context.Context, op *lending.Operation, before lending.OperationStatus, got answer, result *Result) error {
	for try := 1; ; try++ {
		err := s.store.InTx(ctx, func(ctx context.Context) error {
			if got.save != nil {
				if err := got.save(ctx); err != nil {
					return err
				}
			}
			if err := s.provenBefore(ctx, op, result); err != nil {
				return err
			}
			if err := remember(op, result); err != nil {
				return err
			}
			if err := s.store.UpdateOperation(ctx, op); err != nil {
				return err
			}
			failpoint("mid-commit", op)
			events := got.events
			if op.Status != before {
				events = append(slices.Clone(events), s.operationEvent(op))
			}
			if err := s.store.AppendEvents(ctx, events...); err != nil {
				return err
			}
			if err := s.meetAnswer(ctx, op, result); err != nil {
				return err
			}
			failpoint("before-commit", op)
			return nil
		})
		if lending.KindOf(err) != lending.KindConflict || errors.Is(err, ErrLeaseLost) || try == commitTries {
			return err
		}
	}
}

// overtaken answers with what somebody else wrote down of an operation while its call was under way: news
// that proved it, or the completer when this process slept through its lease.
func (s *Service) overtaken(ctx context.Context, op *lending.Operation) (*Result, error) {
	stored, err := s.operation(ctx, op.ID)
	if err != nil {
		return nil, err
	}
	s.log.WarnContext(ctx, "an operation was settled by another while its call was under way", "operation", op.ID, "kind", op.Kind, "status", stored.Status)
	return recall(stored)
}

// failed is the answer for a call that failed: FAILED when certainly nothing happened, else
// OUTCOME_UNKNOWN.
func (s *Service) failed(ctx context.Context, a action, err error) answer {
	e := lending.AsError(err)
	e = inTermsOfInput(a.op.Kind, e)
	a.op.Failure = lending.FailureOf(e)
	if len(e.Problems) == 1 {
		a.op.Failure.Message = e.Problems[0].Message
	}
	s.log.WarnContext(ctx, "a provider did not carry out an action", "operation", a.op.ID, "kind", a.op.Kind,
		"provider", a.op.Provider, "code", e.Kind, "outcome", e.Outcome, "cause", e.Detail())
	if e.Outcome == lending.NotExecuted {
		got := answer{status: lending.OpFailed, save: a.refused}
		if mendable(e) {
			got.result.Problems = problemsOf(e)
		}
		return got
	}
	if e.Kind != lending.KindOutcomeUnknown {
		unknown := &lending.Error{Kind: lending.KindOutcomeUnknown, Provider: e.Provider, ProviderCode: e.ProviderCode}
		a.op.Failure = lending.FailureOf(unknown)
	}
	return answer{status: lending.OpOutcomeUnknown, save: a.unknown}
}

// nextCheck is when the completer looks at an operation next: soon where the provider can be asked what
// became of it, when patience ends where the customer was asked something, and never where nothing of ours
// may settle it.
func (s *Service) nextCheck(op *lending.Operation) time.Time {
	switch op.Status {
	case lending.OpAwaitingOTP, lending.OpAwaitingInfo:
		return s.now().Add(otpLifetime)
	case lending.OpOutcomeUnknown, lending.OpAwaitingProvider:
		if p := s.providers[op.Provider]; p == nil || p.Recovery[op.Kind] == provider.RecoverNever {
			return time.Time{}
		}
		return s.now().Add(min(time.Second<<min(op.Attempts-1, 10), 10*time.Minute))
	}
	return time.Time{}
}

// operationEvent tells subscribers that an operation moved.
func (s *Service) operationEvent(op *lending.Operation) *lending.Event {
	return s.event(lending.EventOperationUpdated, op, func(e *lending.Event) {
		e.Payload, _ = json.Marshal(map[string]string{"kind": string(op.Kind), "status": string(op.Status)}) // strings cannot fail
	})
}

// event is news of our own making about an operation.
func (s *Service) event(kind lending.EventType, op *lending.Operation, fill ...func(*lending.Event)) *lending.Event {
	now := s.now()
	e := &lending.Event{
		ID: newID[lending.EventID](), Type: kind, Provider: op.Provider, Source: lending.FromAPI,
		CustomerID: op.CustomerID, LoanID: op.LoanID, OperationID: op.ID, OccurredAt: now, ReceivedAt: now,
	}
	for _, f := range fill {
		f(e)
	}
	return e
}

// fingerprint is a hash of a request in canonical form: what the service made of the input, so that the
// order of keys, defaults and 1.0 against 1.00 make no difference. parts must marshal the same each time.
func (s *Service) fingerprint(parts ...any) (string, error) {
	data, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256(append(slices.Clone(s.settings.TokenKey), data...))
	return hex.EncodeToString(sum[:]), nil
}

// begin makes the operation of an action: canonical is what makes two requests the same.
func (s *Service) begin(caller Caller, key string, kind lending.OperationKind, name lending.Provider, canonical any) (*lending.Operation, error) {
	print, err := s.fingerprint(kind, name, canonical)
	if err != nil {
		return nil, err
	}
	input, err := json.Marshal(canonical)
	if err != nil {
		return nil, fmt.Errorf("keep the input: %w", err)
	}
	return &lending.Operation{
		ID: newID[lending.OperationID](), ClientID: caller.ClientID, Key: key, Fingerprint: print,
		Kind: kind, Provider: name, Input: input,
	}, nil
}

// eventually joins the errors of a background step with its name.
func eventually(step string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", step, err)
}
