package service

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// ResolveOperation settles an operation of unknown outcome by hand, with the evidence kept.
func (s *Service) ResolveOperation(ctx context.Context, caller Caller, in ResolveOperationInput) (*Result, error) {
	var c checks
	id := parseID[lending.OperationID](&c, "operationId", lending.OperationNode, in.OperationID)
	c.text("evidence", in.Evidence, true, 2000)
	c.text("externalId", in.ExternalID, false, 100)
	if !in.Outcome.Valid() {
		c.refuse("outcome", "Give SUCCEEDED or FAILED.")
	}
	if c.failed() {
		return c.result(), nil
	}
	op, err := s.operation(ctx, id)
	if lending.IsNotFound(err) {
		c.problems = append(c.problems, lending.Problem{Kind: lending.KindNotFound, Message: "There is no such operation.", Field: fieldPath("operationId")})
		return c.result(), nil
	}
	if err != nil {
		return nil, err
	}
	if op.Status != lending.OpOutcomeUnknown {
		c.conflict("operationId", "Only an operation of unknown outcome can be settled by hand. This one is "+string(op.Status)+".")
		return &Result{Operation: op, Problems: c.problems}, nil
	}
	if in.Outcome == OutcomeSucceeded && in.ExternalID == "" && (op.Kind == lending.OpApplyForLoan || op.Kind == lending.OpOrderCreditReport) {
		c.refuse("externalId", "Give the provider's id of it: without one nothing more can be learned of it.")
		return c.result(), nil
	}
	now := s.now()
	op.Evidence = strings.TrimSpace(in.Evidence)
	op.Status, op.SettledAt, op.UpdatedAt, op.NextCheckAt = lending.OpSucceeded, now, now, time.Time{}
	op.Failure = nil
	if in.Outcome == OutcomeFailed {
		op.Status = lending.OpFailed
		op.Failure = &lending.Failure{Kind: lending.KindUpstreamRejected, Message: "An operator found that the provider did not carry this out."}
	}
	result := &Result{Operation: op, At: now}
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.resolve(ctx, op, in, result); err != nil {
			return err
		}
		if err := remember(op, result); err != nil {
			return err
		}
		if err := s.store.TakeOperation(ctx, op); err != nil {
			return err
		}
		if err := s.store.AppendEvents(ctx, s.operationEvent(op)); err != nil {
			return err
		}
		return s.meetAnswer(ctx, op, result)
	})
	if err != nil {
		return refusal(err)
	}
	s.log.InfoContext(ctx, "an operation was settled by hand", "operation", op.ID, "outcome", op.Status, "client", caller.ClientID)
	s.published()
	return result, nil
}

// resolved are, for each kind, the statuses that a loan gets when an operator says that the operation
// succeeded or failed; an empty one leaves the loan as it is.
var resolved = map[lending.OperationKind]struct{ succeeded, failed lending.LoanStatus }{
	lending.OpApplyForLoan: {lending.LoanPendingReview, lending.LoanFailed},
	lending.OpPayInvoice:   {lending.LoanPendingReview, lending.LoanFailed},
	lending.OpApproveLoan:  {lending.LoanApproved, ""},
	lending.OpRejectLoan:   {lending.LoanRejected, ""},
	lending.OpDisburseLoan: {lending.LoanDisbursed, ""},
}

// resolve changes what a resolved operation was about, and puts it into the result that replays repeat.
func (s *Service) resolve(ctx context.Context, op *lending.Operation, in ResolveOperationInput, result *Result) (err error) {
	succeeded := in.Outcome == OutcomeSucceeded
	switch op.Kind {
	case lending.OpApplyForLoan, lending.OpPayInvoice, lending.OpApproveLoan, lending.OpRejectLoan, lending.OpDisburseLoan:
		told := &lending.Loan{Status: resolved[op.Kind].failed}
		if succeeded {
			told.Status = resolved[op.Kind].succeeded
			if op.Kind == lending.OpApplyForLoan || op.Kind == lending.OpPayInvoice {
				told.ExternalID = in.ExternalID
			}
		}
		result.Loan, err = s.moveLoan(ctx, op.LoanID, told)
		return err
	case lending.OpRecordPayment:
		found, err := s.store.Payments(ctx, []lending.PaymentID{lending.PaymentID(op.EntityID)})
		if err != nil {
			return err
		}
		p := found[lending.PaymentID(op.EntityID)]
		if p == nil {
			return lending.NotFound("payment")
		}
		p.Status = lending.PaymentFailed
		if succeeded {
			p.Status, p.ExternalID = lending.PaymentCompleted, in.ExternalID
		}
		result.Payment = p
		return s.writePayment(ctx, p)
	case lending.OpOrderCreditReport:
		return s.resolveReport(ctx, op, succeeded, in.ExternalID)
	case lending.OpCreateCustomer, lending.OpCreateSupplier:
		if !succeeded || in.ExternalID == "" {
			return nil
		}
		return s.resolveMaking(ctx, op, in.ExternalID, result)
	}
	return nil
}

// resolveMaking takes over a customer or a supplier that turned out to have been made, under the id that the
// operator found.
func (s *Service) resolveMaking(ctx context.Context, op *lending.Operation, externalID string, result *Result) error {
	if op.Kind == lending.OpCreateSupplier {
		var canonical newSupplier
		if err := json.Unmarshal(op.Input, &canonical); err != nil {
			return fmt.Errorf("read the kept supplier: %w", err)
		}
		in := canonical.Supplier
		result.Supplier = s.createdSupplier(op, in.Username, lending.Supplier{
			Provider: op.Provider, ExternalID: externalID, Name: in.Name, Mobile: in.Mobile, Email: in.Email, TaxID: in.TaxID,
		}).result.Supplier
		return nil
	}
	var canonical newCustomer
	if err := json.Unmarshal(op.Input, &canonical); err != nil {
		return fmt.Errorf("read the kept customer: %w", err)
	}
	made := s.createdCustomer(op, canonical.NewCustomer, lending.Profile{ExternalID: externalID})
	result.Customer = made.result.Customer
	return made.save(ctx)
}

// resolveReport gives an order that turned out to be taken the bureau's id, so that it is asked for; or
// ends it.
func (s *Service) resolveReport(ctx context.Context, op *lending.Operation, succeeded bool, externalID string) error {
	found, err := s.store.Reports(ctx, []lending.ReportID{lending.ReportID(op.EntityID)})
	if err != nil {
		return err
	}
	report := found[lending.ReportID(op.EntityID)]
	if report == nil {
		return lending.NotFound("report")
	}
	report.Status, report.Failure = lending.ReportFailed, op.Failure
	if succeeded {
		report.Status, report.ExternalID = lending.ReportOrdered, externalID
	}
	return s.store.SaveReport(ctx, report)
}
