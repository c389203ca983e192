package service

import (
	"context"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// payment is the canonical form of a payment to be recorded.
type payment struct {
	LoanID    lending.LoanID        `json:"loanId"`
	Amount    lending.Money         `json:"amount"`
	Method    lending.PaymentMethod `json:"method"`
	Reference string                `json:"reference"`
	PaidOn    lending.Date          `json:"paidOn"`
}

// RecordPayment tells the provider of a payment that came in. A reference counts once for each loan,
// whatever the idempotency key.
func (s *Service) RecordPayment(ctx context.Context, caller Caller, in RecordPaymentInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	canonical := payment{
		LoanID: parseID[lending.LoanID](&c, "loanId", lending.LoanNode, in.LoanID),
		Amount: c.money("amount", in.Amount), Method: in.Method, Reference: in.Reference, PaidOn: in.PaidOn,
	}
	c.text("reference", in.Reference, true, 100)
	if !in.Method.Valid() {
		c.refuse("method", "Choose one of the methods.")
	}
	today := lending.DateOf(s.now())
	switch {
	case in.PaidOn.IsZero():
		c.refuse("paidOn", "Give the day of the payment.")
	case today.AddDays(1).Before(in.PaidOn):
		c.refuse("paidOn", "The day lies in the future.")
	}
	loan, err := s.theLoan(ctx, &c, canonical.LoanID)
	if err != nil {
		return nil, err
	}
	if loan == nil || c.failed() {
		return c.result(), nil
	}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpRecordPayment, loan.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.LoanID, op.Target, op.Warnings = loan.CustomerID, loan.ID, loanTarget(loan.ID), c.warnings
	op.EntityID = newID[string]()
	if repeated, err := s.repeated(ctx, op); repeated != nil || err != nil {
		return repeated, err
	}
	p, err := s.payable(ctx, &c, loan, canonical)
	if err != nil {
		return nil, err
	}
	if c.failed() {
		return c.result(), nil
	}
	return s.perform(ctx, s.paying(op, p, loan, canonical))
}

// payable checks that a payment can be recorded on a loan, and finds the provider for it.
func (s *Service) payable(ctx context.Context, c *checks, loan *lending.Loan, canonical payment) (*provider.Provider, error) {
	p, err := s.Provider(loan.Provider)
	switch {
	case err != nil:
		c.problems = append(c.problems, lending.Problem{Kind: lending.KindProviderDisabled, Message: err.Error(), Field: fieldPath("loanId")})
		return nil, nil
	case p.Payments == nil:
		c.refuse("loanId", "%s takes no payments through this service.", loan.Provider.Title())
	case canonical.Amount.Currency() != loan.Principal.Currency():
		c.refuse("amount.currency", "The loan is in %s.", loan.Principal.Currency())
	case loan.ExternalID == "":
		c.conflict("loanId", "It is not known yet whether the provider has this loan.")
	case loan.Status == lending.LoanRepaid:
		c.conflict("loanId", "The loan is repaid.")
	case !loan.Status.PaidOut() && loan.Status != lending.LoanDisbursing:
		c.conflict("loanId", "Only a loan that is paid out can be repaid. This one is "+string(loan.Status)+".")
	}
	earlier, err := s.store.PaymentByReference(ctx, loan.ID, canonical.Reference)
	if err != nil && !lending.IsNotFound(err) {
		return nil, err
	}
	if earlier != nil && earlier.Status != lending.PaymentFailed {
		c.conflict("reference", "A payment with this reference is already recorded on the loan.")
	}
	return p, nil
}

// conflict adds a problem of the kind CONFLICT.
func (c *checks) conflict(path, message string) {
	c.problems = append(c.problems, lending.Problem{Kind: lending.KindConflict, Message: message, Field: fieldPath(path)})
}

// refusal is the error of an action that turned out to be impossible before anything was sent.
func (c *checks) refusal() error {
	first := c.problems[0]
	return &lending.Error{Kind: first.Kind, Message: first.Message, Outcome: lending.NotExecuted, Problems: c.problems}
}

func (s *Service) paying(op *lending.Operation, p *provider.Provider, loan *lending.Loan, canonical payment) action {
	draft := &lending.Payment{
		ID: lending.PaymentID(op.EntityID), LoanID: loan.ID, CustomerID: loan.CustomerID, Provider: loan.Provider,
		Amount: canonical.Amount, Method: canonical.Method, Reference: canonical.Reference, PaidOn: canonical.PaidOn,
	}
	return action{
		op: op,
		send: func(ctx context.Context) (answer, error) {
			// All is looked at again under the operation's target, which keeps other actions away: the reference
			// may have been recorded, or the loan repaid, since.
			current, err := s.loan(ctx, loan.ID)
			if err != nil {
				return answer{}, unsent(err)
			}
			var c checks
			if _, err := s.payable(ctx, &c, current, canonical); err != nil {
				return answer{}, unsent(err)
			}
			if c.failed() {
				return answer{}, c.refusal()
			}
			told, err := p.Payments.RecordPayment(ctx, provider.NewPayment{
				LoanExternalID: current.ExternalID, Amount: canonical.Amount, Method: canonical.Method,
				Reference: canonical.Reference, PaidOn: canonical.PaidOn,
			})
			if err != nil {
				return answer{}, err
			}
			mergePayment(draft, &told)
			got := answer{status: lending.OpSucceeded, result: Result{Payment: draft}}
			event := s.event(lending.EventPaymentReceived, op)
			got.save = func(ctx context.Context) error {
				defer func() { event.PaymentID = draft.ID }()
				return s.savePayment(ctx, op, draft)
			}
			got.events = []*lending.Event{event}
			return got, nil
		},
		unknown: func(ctx context.Context) error {
			draft.Status = lending.PaymentOutcomeUnknown
			announced, err := s.announcedPayment(ctx, op, draft)
			if err != nil {
				return err
			}
			if announced != nil {
				draft.ExternalID = announced.ExternalID // by which it is found and merged into
			}
			return s.savePayment(ctx, op, draft)
		},
	}
}

// savePayment writes a payment that an operation made, or merges it into the one that a webhook wrote
// first, and moves the loan along.
func (s *Service) savePayment(ctx context.Context, op *lending.Operation, p *lending.Payment) error {
	// The loan first: it keeps other news of its payments waiting until this one is written.
	if _, err := s.loan(ctx, p.LoanID); err != nil {
		return err
	}
	known, err := s.findPayment(ctx, p)
	if err != nil {
		return err
	}
	if known != nil && known.ID != p.ID {
		mine := *p
		*p = *known
		mergePayment(p, &mine)
		p.Method, p.PaidOn = mine.Method, mine.PaidOn // the caller knows better than what is inferred from news
	}
	op.EntityID = string(p.ID)
	return s.writePayment(ctx, p)
}

// writePayment saves a payment and brings its loan's status up to date.
func (s *Service) writePayment(ctx context.Context, p *lending.Payment) error {
	now := s.now()
	if p.CreatedAt.IsZero() {
		p.CreatedAt = now
	}
	p.UpdatedAt = now
	if err := s.store.SavePayment(ctx, p); err != nil {
		return err
	}
	if p.Status != lending.PaymentCompleted || p.LoanID == "" {
		return nil
	}
	loan, err := s.loan(ctx, p.LoanID)
	if err != nil {
		return err
	}
	if afterPayments(loan) == loan.Status {
		return nil
	}
	_, err = s.moveLoan(ctx, loan.ID, &lending.Loan{})
	return err
}

// findPayment finds a payment's row by its external id or by its loan and reference; nil without one.
func (s *Service) findPayment(ctx context.Context, p *lending.Payment) (*lending.Payment, error) {
	if p.ExternalID != "" {
		known, err := s.store.PaymentByExternalID(ctx, p.Provider, p.ExternalID)
		if err == nil || !lending.IsNotFound(err) {
			return known, err
		}
	}
	if p.Reference != "" && p.LoanID != "" {
		known, err := s.store.PaymentByReference(ctx, p.LoanID, p.Reference)
		if err == nil || !lending.IsNotFound(err) {
			return known, err
		}
	}
	return nil, nil
}

var paymentRanks = map[lending.PaymentStatus]int{
	lending.PaymentUnknown: 1, lending.PaymentOutcomeUnknown: 2, lending.PaymentPending: 3,
	lending.PaymentFailed: 4, lending.PaymentCompleted: 5,
}

// mergePayment brings a payment up to date with what was told; the status moves up by rank alone.
func mergePayment(p, told *lending.Payment) {
	if p.ExternalID == "" {
		p.ExternalID = told.ExternalID
	}
	if p.Reference == "" {
		p.Reference = told.Reference
	}
	if p.Method == "" {
		p.Method = told.Method
	}
	if p.PaidOn.IsZero() {
		p.PaidOn = told.PaidOn
	}
	if p.Allocation == nil {
		p.Allocation = told.Allocation
	}
	if p.Amount.Sign() == 0 {
		p.Amount = told.Amount
	}
	p.CreatedAt = earliest(p.CreatedAt, told.CreatedAt)
	switch {
	case paymentRanks[told.Status] > paymentRanks[p.Status]:
		p.Status, p.ProviderStatus = told.Status, told.ProviderStatus
	case told.Status == p.Status:
		p.ProviderStatus = ownWord(p.ProviderStatus, told.ProviderStatus)
	}
}
