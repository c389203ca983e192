package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// proofs are, for each kind of operation on a loan, the statuses that prove that it was carried out.
var proofs = map[lending.OperationKind]func(lending.LoanStatus) bool{
	lending.OpApplyForLoan: func(s lending.LoanStatus) bool { return s.Rank() >= lending.LoanPendingReview.Rank() },
	lending.OpPayInvoice:   func(s lending.LoanStatus) bool { return s.Rank() >= lending.LoanPendingReview.Rank() },
	lending.OpApproveLoan: func(s lending.LoanStatus) bool {
		return s.Rank() >= lending.LoanApproved.Rank() && !s.Ended()
	},
	lending.OpRejectLoan:   func(s lending.LoanStatus) bool { return s == lending.LoanRejected },
	lending.OpDisburseLoan: lending.LoanStatus.PaidOut,
}

// proveOperation settles operations of unknown outcome that a loan's status proves.
func (s *Service) proveOperation(ctx context.Context, loan *lending.Loan, event *lending.Event) error {
	open, err := s.store.OpenOperations(ctx, []lending.CustomerID{loan.CustomerID})
	if err != nil {
		return err
	}
	for _, op := range open[loan.CustomerID] {
		proof := proofs[op.Kind]
		if op.Status != lending.OpOutcomeUnknown || op.LoanID != loan.ID || proof == nil || !proof(loan.Status) {
			continue
		}
		event.OperationID = op.ID
		if err := s.settleProven(ctx, op, Result{Loan: loan}); err != nil {
			return err
		}
	}
	return nil
}

// settleProven ends an operation that turned out to have been carried out, within a transaction.
func (s *Service) settleProven(ctx context.Context, op *lending.Operation, result Result) error {
	op.Status, op.Failure, op.SettledAt, op.UpdatedAt = lending.OpSucceeded, nil, s.now(), s.now()
	op.NextCheckAt = time.Time{}
	result.Operation = op
	if err := remember(op, &result); err != nil {
		return err
	}
	if err := s.store.TakeOperation(ctx, op); err != nil {
		return fmt.Errorf("settle what was proven: %w", err)
	}
	return s.store.AppendEvents(ctx, s.operationEvent(op))
}

// provePayment settles the recording of a payment whose outcome was unknown.
func (s *Service) provePayment(ctx context.Context, p *lending.Payment, event *lending.Event) error {
	open, err := s.store.OpenOperations(ctx, []lending.CustomerID{p.CustomerID})
	if err != nil {
		return err
	}
	for _, op := range open[p.CustomerID] {
		if op.Kind == lending.OpRecordPayment && op.Status == lending.OpOutcomeUnknown && op.EntityID == string(p.ID) && p.Status == lending.PaymentCompleted {
			event.OperationID = op.ID
			return s.settleProven(ctx, op, Result{Payment: p})
		}
	}
	return nil
}

// provenBefore settles an operation whose answer was lost, within the transaction that writes this down, when
// the provider's news was faster: then its outcome is known after all.
func (s *Service) provenBefore(ctx context.Context, op *lending.Operation, result *Result) error {
	if op.Status != lending.OpOutcomeUnknown {
		return nil
	}
	if proof := proofs[op.Kind]; proof != nil {
		loan, err := s.loan(ctx, op.LoanID)
		if err != nil || !proof(loan.Status) {
			return err
		}
		result.Loan = loan
	} else if op.Kind == lending.OpRecordPayment {
		found, err := s.store.Payments(ctx, []lending.PaymentID{lending.PaymentID(op.EntityID)})
		p := found[lending.PaymentID(op.EntityID)]
		if err != nil || p == nil || p.Status != lending.PaymentCompleted {
			return err
		}
		result.Payment = p
	} else {
		return nil
	}
	op.Status, op.Failure, op.SettledAt, op.NextCheckAt = lending.OpSucceeded, nil, op.UpdatedAt, time.Time{}
	return nil
}

// unanswered writes down the loan of an application whose answer was lost: as one that may exist, or as the
// one that the provider has announced since.
func (s *Service) unanswered(ctx context.Context, op *lending.Operation, canonical application) error {
	loan := canonical.draft(op)
	loan.Status = lending.LoanOutcomeUnknown
	known, err := s.announcedLoan(ctx, op, loan)
	if err != nil {
		return err
	}
	if known == nil {
		return s.saveLoan(ctx, op, loan)
	}
	mergeLoan(known, loan)
	op.LoanID, known.UpdatedAt = known.ID, s.now()
	return s.store.SaveLoan(ctx, known)
}

// awaitedWindow is how far apart an application and the news of its loan may lie to be taken for one.
const awaitedWindow = 30 * time.Minute

// awaitedLoan finds the loan whose application's outcome is unknown and which the news is about: the same
// customer and principal, at about the same time, and the same reference where the news names one. Where
// several fit, none is taken: that is for a person. While another application with the same terms is under
// way the news may be of that one: IN_PROGRESS, and the news is looked at again.
func (s *Service) awaitedLoan(ctx context.Context, told *lending.Loan, event *lending.Event) (*lending.Loan, error) {
	if told.CustomerID == "" {
		return nil, nil
	}
	pages, err := s.store.LoansOf(ctx, []lending.CustomerID{told.CustomerID}, lending.PageRequest{First: lending.MaxPageSize})
	if err != nil {
		return nil, err
	}
	var fitting []*lending.Loan
	for _, edge := range pages[told.CustomerID].Edges {
		loan := edge.Node
		apart := loan.CreatedAt.Sub(event.OccurredAt).Abs()
		if loan.Status == lending.LoanOutcomeUnknown && loan.Provider == told.Provider && loan.ExternalID == "" &&
			loan.Principal == told.Principal && apart <= awaitedWindow && (told.Reference == "" || loan.Reference == told.Reference) {
			fitting = append(fitting, loan)
		}
	}
	if len(fitting) != 1 {
		return nil, nil
	}
	rival, err := s.rival(ctx, told, "", lending.OpInProgress)
	if err != nil {
		return nil, err
	}
	if rival {
		return nil, &lending.Error{Kind: lending.KindInProgress, Provider: told.Provider, Outcome: lending.NotExecuted, Message: "Another application with the same terms is under way."}
	}
	return fitting[0], nil
}

// announcedLoan finds the loan that news made while its application was under way: it has the provider's id
// and no reference of ours. Where several fit, or it may be that of another application with the same terms,
// none is taken, as in awaitedLoan.
func (s *Service) announcedLoan(ctx context.Context, op *lending.Operation, mine *lending.Loan) (*lending.Loan, error) {
	pages, err := s.store.LoansOf(ctx, []lending.CustomerID{mine.CustomerID}, lending.PageRequest{First: lending.MaxPageSize})
	if err != nil {
		return nil, err
	}
	var fitting []*lending.Loan
	for _, edge := range pages[mine.CustomerID].Edges {
		loan := edge.Node
		if loan.Provider == mine.Provider && loan.ExternalID != "" && loan.Reference == "" &&
			loan.Principal == mine.Principal && loan.CreatedAt.Sub(mine.CreatedAt).Abs() <= awaitedWindow {
			fitting = append(fitting, loan)
		}
	}
	if len(fitting) != 1 {
		return nil, nil
	}
	if rival, err := s.rival(ctx, mine, op.ID, lending.OpInProgress, lending.OpOutcomeUnknown); err != nil || rival {
		return nil, err
	}
	return s.loan(ctx, fitting[0].ID)
}

// rival reports whether another application of the customer for the same principal stands in one of the
// statuses, so that news without our reference may be about either.
func (s *Service) rival(ctx context.Context, loan *lending.Loan, own lending.OperationID, statuses ...lending.OperationStatus) (bool, error) {
	open, err := s.store.OpenOperations(ctx, []lending.CustomerID{loan.CustomerID})
	if err != nil {
		return false, err
	}
	for _, op := range open[loan.CustomerID] {
		if op.ID == own || op.Kind != lending.OpApplyForLoan || op.Provider != loan.Provider || !slices.Contains(statuses, op.Status) {
			continue
		}
		var other application
		if err := json.Unmarshal(op.Input, &other); err != nil {
			return false, fmt.Errorf("read the kept application: %w", err)
		}
		if other.Principal == loan.Principal {
			return true, nil
		}
	}
	return false, nil
}

// awaitedPayment finds the payment whose recording has an unknown outcome and which news without our
// reference is about. One action at a time is open on a loan, so that there is at most one with the amount.
func (s *Service) awaitedPayment(ctx context.Context, told *lending.Payment) (*lending.Payment, error) {
	return s.onlyPayment(ctx, told.LoanID, func(p *lending.Payment) bool {
		return told.Reference == "" && p.Status == lending.PaymentOutcomeUnknown && p.ExternalID == "" && p.Amount == told.Amount
	})
}

// announcedPayment finds the payment that news without our reference made while its recording was under way.
func (s *Service) announcedPayment(ctx context.Context, op *lending.Operation, mine *lending.Payment) (*lending.Payment, error) {
	return s.onlyPayment(ctx, mine.LoanID, func(p *lending.Payment) bool {
		return p.Reference == "" && p.ExternalID != "" && p.Amount == mine.Amount && !p.UpdatedAt.Before(op.RequestedAt)
	})
}

// onlyPayment is the one payment on a loan that fits; nil where none or several do.
func (s *Service) onlyPayment(ctx context.Context, loan lending.LoanID, fits func(*lending.Payment) bool) (*lending.Payment, error) {
	pages, err := s.store.PaymentsOfLoans(ctx, []lending.LoanID{loan}, lending.PageRequest{First: lending.MaxPageSize})
	if err != nil {
		return nil, err
	}
	var fitting []*lending.Payment
	for _, edge := range pages[loan].Edges {
		if fits(edge.Node) {
			fitting = append(fitting, edge.Node)
		}
	}
	if len(fitting) != 1 {
		return nil, nil
	}
	return fitting[0], nil
}
