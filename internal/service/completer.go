package service

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// completerBatch is how many operations the completer takes over at a time.
const completerBatch = 20

// every runs do at once and then at each tick, until the service stops.
func (s *Service) every(tick time.Duration, do func(ctx context.Context) error) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if err := do(s.stopped); err != nil && s.stopped.Err() == nil {
			s.log.WarnContext(s.stopped, "a background step failed", "error", lending.AsError(err).Detail())
		}
		select {
		case <-s.stopped.Done():
			return
		case <-ticker.C:
		}
	}
}

// runCompleter finishes what was left unfinished, until the service stops.
func (s *Service) runCompleter() { s.every(completerTick, s.complete) }

// complete takes over operations whose holder is gone, or that are to be looked at again, and finishes
// each as far as its provider lets us.
func (s *Service) complete(ctx context.Context) error {
	for ctx.Err() == nil {
		now := s.now()
		batch, err := s.store.ClaimOperations(ctx, s.owner, now, now.Add(s.settings.WriteDeadline+leaseMargin), completerBatch)
		if err != nil {
			return eventually("claim operations", err)
		}
		for _, op := range batch {
			if err := s.finish(ctx, op); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "an operation could not be finished", "operation", op.ID, "kind", op.Kind, "error", lending.AsError(err).Detail())
			}
		}
		if len(batch) < completerBatch {
			return nil
		}
	}
	return nil
}

// finish finds out what became of one operation, or says that it cannot be known.
func (s *Service) finish(ctx context.Context, op *lending.Operation) error {
	failpoint("after-claim", op)
	switch op.Status {
	case lending.OpAwaitingOTP, lending.OpAwaitingInfo:
		return s.giveUp(ctx, op)
	}
	a := action{op: op, unknown: func(ctx context.Context) error { return s.recordUnknown(ctx, op) }}
	op.Attempts++
	p := s.providers[op.Provider]
	var recovery provider.Recovery
	if p != nil {
		recovery = p.Recovery[op.Kind]
	}
	deadline, cancel := context.WithTimeout(ctx, s.settings.WriteDeadline)
	defer cancel()
	var got answer
	err := s.lostAnswer(op)
	switch {
	case recovery == provider.RecoverByRepeating && op.Kind == lending.OpApplyForLoan:
		got, err = s.repeatApplication(deadline, p, op)
	case recovery == provider.RecoverByQuery && op.Kind == lending.OpRequestCreditScore:
		got, err = s.queryScore(deadline, p, op)
	case recovery == provider.RecoverByListing && op.Kind == lending.OpCreateSupplier:
		got, err = s.findSupplier(deadline, p, op)
	case recovery == provider.RecoverByListing && op.Kind == lending.OpCreateCustomer:
		got, err = s.findCustomer(deadline, p, op)
	}
	if ctx.Err() != nil {
		return ctx.Err() // the service stops: the lease runs out, and the next holder carries on
	}
	_, err = s.settle(ctx, a, got, err)
	return err
}

// lostAnswer is the error of an operation whose process ended before the answer was written down.
func (s *Service) lostAnswer(op *lending.Operation) error {
	return &lending.Error{
		Kind: lending.KindOutcomeUnknown, Provider: op.Provider, Outcome: lending.OutcomeUnknown,
		Err: fmt.Errorf("no answer was written down for attempt %d", op.Attempts),
	}
}

// giveUp ends an operation whose customer did not answer in time.
func (s *Service) giveUp(ctx context.Context, op *lending.Operation) error {
	err := &lending.Error{
		Kind: lending.KindOTPRequired, Provider: op.Provider, Outcome: lending.NotExecuted,
		Message: "The customer did not answer in time. Request the score again.",
	}
	_, settleErr := s.settle(ctx, action{op: op}, answer{}, err)
	return settleErr
}

// repeatApplication sends an application again under the same reference.
func (s *Service) repeatApplication(ctx context.Context, p *provider.Provider, op *lending.Operation) (answer, error) {
	var canonical application
	if err := json.Unmarshal(op.Input, &canonical); err != nil {
		return answer{}, fmt.Errorf("read the kept application: %w", err)
	}
	identities, err := s.identitiesByProvider(ctx, []lending.CustomerID{op.CustomerID})
	if err != nil {
		return answer{}, stillUnknown(err)
	}
	got, err := s.applying(op, p, canonical, identities[op.CustomerID][op.Provider]).send(ctx)
	if err != nil {
		return answer{}, stillUnknown(err) // a refusal is of this attempt: an earlier one may have been taken
	}
	return got, nil
}

// stillUnknown is a failure to find out: it leaves the outcome as unknown as it was.
func stillUnknown(err error) error {
	e := *lending.AsError(err)
	e.Kind, e.Outcome, e.Retryable, e.Message = lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""
	return &e
}

// queryScore asks how a score request stands. One that never arrived is FAILED: nothing was sent again.
func (s *Service) queryScore(ctx context.Context, p *provider.Provider, op *lending.Operation) (answer, error) {
	told, err := p.Confirmations.QueryScore(ctx, op.Reference)
	switch e := lending.AsError(err); {
	case e == nil:
		return s.scored(op, told), nil
	case e.Kind == lending.KindNotFound:
		return answer{}, &lending.Error{
			Kind: lending.KindUpstreamUnavailable, Provider: op.Provider, Outcome: lending.NotExecuted, Retryable: true,
			Message: op.Provider.Title() + " did not receive the request. Send it again with a new key.", Err: err,
		}
	case e.Kind == lending.KindUpstreamRejected:
		return answer{}, err
	}
	return answer{}, stillUnknown(err)
}

// findSupplier looks in the provider's list for a supplier whose making has no answer.
func (s *Service) findSupplier(ctx context.Context, p *provider.Provider, op *lending.Operation) (answer, error) {
	var canonical newSupplier
	if err := json.Unmarshal(op.Input, &canonical); err != nil {
		return answer{}, fmt.Errorf("read the kept supplier: %w", err)
	}
	want := canonical.Supplier
	suppliers, err := p.Suppliers.Suppliers(ctx, want.Username)
	if err != nil {
		return answer{}, stillUnknown(err)
	}
	taken, err := s.madeByOthers(ctx, op, op.CustomerID)
	if err != nil {
		return answer{}, stillUnknown(err)
	}
	var found []lending.Supplier
	for _, candidate := range suppliers {
		if taken[candidate.ExternalID] {
			continue
		}
		if candidate.Mobile == want.Mobile && candidate.Name == want.Name && candidate.TaxID == want.TaxID &&
			!candidate.CreatedAt.Before(op.RequestedAt.Add(-time.Minute)) {
			found = append(found, candidate)
		}
	}
	if len(found) != 1 {
		return answer{}, s.lostAnswer(op)
	}
	return s.createdSupplier(op, want.Username, found[0]), nil
}

// madeByOthers are the things that came of other operations of the same kind for a customer, of late: what one
// operation made is no proof of another with the same input.
func (s *Service) madeByOthers(ctx context.Context, op *lending.Operation, customer lending.CustomerID) (map[string]bool, error) {
	page, err := s.store.ListOperations(ctx, lending.OperationFilter{
		Kinds: []lending.OperationKind{op.Kind}, Providers: []lending.Provider{op.Provider},
		Status: []lending.OperationStatus{lending.OpSucceeded}, CustomerID: customer,
	}, lending.PageRequest{First: lending.MaxPageSize})
	if err != nil {
		return nil, err
	}
	made := map[string]bool{}
	for _, edge := range page.Edges {
		made[edge.Node.EntityID] = edge.Node.ID != op.ID
	}
	return made, nil
}

// customerPages is how many pages of the provider's list are looked through for a customer.
const customerPages = 20

// findCustomer looks in the provider's list for a customer whose making has no answer: the same e-mail and
// phone, made since.
func (s *Service) findCustomer(ctx context.Context, p *provider.Provider, op *lending.Operation) (answer, error) {
	var canonical newCustomer
	if err := json.Unmarshal(op.Input, &canonical); err != nil {
		return answer{}, fmt.Errorf("read the kept customer: %w", err)
	}
	for number := 1; p.ProfileList != nil && number <= customerPages; number++ {
		page, err := p.ProfileList.ListProfiles(ctx, provider.ProfileQuery{Page: number, Limit: importPage})
		if err != nil {
			return answer{}, stillUnknown(err)
		}
		for _, profile := range page.Profiles {
			if profile.Email != canonical.Email || profile.Phone != canonical.Phone || profile.CreatedAt.Before(op.RequestedAt.Add(-time.Minute)) {
				continue
			}
			taken, err := s.takenProfile(ctx, op, profile)
			if err != nil {
				return answer{}, stillUnknown(err)
			}
			if !taken {
				return s.createdCustomer(op, canonical.NewCustomer, profile), nil
			}
		}
		if !page.HasMore {
			break
		}
	}
	return answer{}, s.lostAnswer(op)
}

// takenProfile reports whether a profile is that of a customer whom another operation made.
func (s *Service) takenProfile(ctx context.Context, op *lending.Operation, profile lending.Profile) (bool, error) {
	known, err := s.store.CustomerByIdentity(ctx, op.Provider, profile.ExternalID)
	if lending.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	made, err := s.madeByOthers(ctx, op, known)
	return made[string(known)], err
}

// recordUnknown writes down, for an operation that a crash left behind, what may exist at the provider.
func (s *Service) recordUnknown(ctx context.Context, op *lending.Operation) error {
	switch op.Kind {
	case lending.OpApplyForLoan:
		var canonical application
		if err := json.Unmarshal(op.Input, &canonical); err != nil {
			return fmt.Errorf("read the kept application: %w", err)
		}
		return s.unanswered(ctx, op, canonical)
	case lending.OpPayInvoice:
		var canonical invoice
		if err := json.Unmarshal(op.Input, &canonical); err != nil {
			return fmt.Errorf("read the kept invoice: %w", err)
		}
		return s.payingInvoice(op, nil, canonical, nil).unknown(ctx)
	case lending.OpRecordPayment:
		var canonical payment
		if err := json.Unmarshal(op.Input, &canonical); err != nil {
			return fmt.Errorf("read the kept payment: %w", err)
		}
		loan, err := s.loan(ctx, canonical.LoanID)
		if err != nil {
			return err
		}
		return s.paying(op, nil, loan, canonical).unknown(ctx)
	case lending.OpOrderCreditReport:
		report := &lending.CreditReport{
			ID: lending.ReportID(op.EntityID), CustomerID: op.CustomerID, Provider: op.Provider,
			Status: lending.ReportOutcomeUnknown, OrderedAt: op.RequestedAt,
		}
		return s.saveOrder(ctx, op, report)
	}
	return nil
}
