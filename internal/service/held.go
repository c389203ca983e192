package service

import (
	"context"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// News may come before the loan that it is about: a payment before the loan's creation was told, or an approval
// that names no amount. It is an event at once; what it tells is held, and applied when the loan is known.

// meet brings held news and its loan together, as the last step of a delivery's transaction. Appending the
// event has taken the lock that all who append wait for: whoever comes second sees what the first committed,
// so that the two cannot miss each other.
func (s *Service) meet(ctx context.Context, delivery *Delivery, notice *provider.Notice) error {
	if delivery.State != DeliveryHeld {
		if notice.Loan == nil {
			return nil
		}
		_, err := s.applyHeld(ctx, delivery.Provider, notice.Loan.Loan.ExternalID)
		return err
	}
	_, err := s.store.LoanByExternalID(ctx, delivery.Provider, delivery.Awaits)
	if lending.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	// The loan was committed in between: the next try finds it.
	return &lending.Error{Kind: lending.KindInProgress, Provider: delivery.Provider, Outcome: lending.NotExecuted}
}

// applyHeld applies the news that was held for a loan which is known now, and tells how much there was. What
// cannot be applied is set aside: it must not keep the loan from being known.
func (s *Service) applyHeld(ctx context.Context, name lending.Provider, loanExternalID string) (int, error) {
	if loanExternalID == "" {
		return 0, nil
	}
	held, err := s.store.HeldDeliveries(ctx, name, loanExternalID)
	if err != nil {
		return 0, err
	}
	for _, delivery := range held {
		delivery.State, delivery.Awaits, delivery.UpdatedAt = DeliveryApplied, "", s.now()
		if err := s.applyAgain(ctx, delivery); ours(err) {
			return 0, err
		} else if err != nil {
			delivery.State, delivery.LastError = DeliverySetAside, string(lending.KindOf(err))
			s.log.WarnContext(ctx, "a webhook that was held could not be applied", "provider", name, "delivery", delivery.ID,
				"error", lending.AsError(err).Detail())
		}
		if err := s.store.SettleHeld(ctx, delivery); err != nil {
			return 0, err
		}
	}
	return len(held), nil
}

// applyAgain applies a delivery whose event is in the log already.
func (s *Service) applyAgain(ctx context.Context, delivery *Delivery) error {
	p, err := s.Provider(delivery.Provider)
	if err != nil {
		return err
	}
	notice, err := translate(p, delivery.Body)
	if err != nil {
		return err
	}
	_, err = s.applyNotice(ctx, delivery.Provider, &notice, s.deliveredEvent(delivery, &notice))
	return err
}

// meetAnswer applies the news that was held for the loan of an operation, once its provider's id is known, as
// the last step of the operation's transaction.
func (s *Service) meetAnswer(ctx context.Context, op *lending.Operation, result *Result) error {
	if result.Loan == nil || op.Kind != lending.OpApplyForLoan && op.Kind != lending.OpPayInvoice {
		return nil
	}
	n, err := s.applyHeld(ctx, op.Provider, result.Loan.ExternalID)
	if err != nil || n == 0 {
		return err
	}
	loan, err := s.loan(ctx, result.Loan.ID)
	if err == nil {
		*result.Loan = *loan
	}
	return err
}
