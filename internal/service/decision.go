package service

import (
	"context"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// decision is one of the three decisions on a loan.
type decision struct {
	kind  lending.OperationKind
	after lending.LoanStatus // when the provider's answer names none
	event lending.EventType
	// allowed are the statuses in which the decision makes sense; hint says what to do otherwise.
	allowed []lending.LoanStatus
	hint    string
	send    func(ctx context.Context, d provider.LoanDecider, externalID string) (provider.LoanResult, error)
}

// ApproveLoan approves a loan that is under review.
func (s *Service) ApproveLoan(ctx context.Context, caller Caller, in LoanActionInput) (*Result, error) {
	return s.decide(ctx, caller, in.IdempotencyKey, in.LoanID, nil, decision{
		kind: lending.OpApproveLoan, after: lending.LoanApproved, event: lending.EventLoanApproved,
		allowed: []lending.LoanStatus{lending.LoanPendingReview, lending.LoanKYCPending, lending.LoanUnknown},
		hint:    "Only a loan under review can be approved.",
		send: func(ctx context.Context, d provider.LoanDecider, id string) (provider.LoanResult, error) {
			return d.Approve(ctx, id)
		},
	})
}

// RejectLoan rejects a loan that is not paid out yet.
func (s *Service) RejectLoan(ctx context.Context, caller Caller, in RejectLoanInput) (*Result, error) {
	var c checks
	c.text("reason", in.Reason, false, 500)
	return s.decide(ctx, caller, in.IdempotencyKey, in.LoanID, &c, decision{
		kind: lending.OpRejectLoan, after: lending.LoanRejected, event: lending.EventLoanRejected,
		allowed: []lending.LoanStatus{lending.LoanPendingReview, lending.LoanKYCPending, lending.LoanUnknown},
		hint:    "Only a loan under review can be rejected.",
		send: func(ctx context.Context, d provider.LoanDecider, id string) (provider.LoanResult, error) {
			return d.Reject(ctx, id, in.Reason)
		},
	}, in.Reason)
}

// DisburseLoan has the provider pay out an approved loan. It moves money.
func (s *Service) DisburseLoan(ctx context.Context, caller Caller, in LoanActionInput) (*Result, error) {
	return s.decide(ctx, caller, in.IdempotencyKey, in.LoanID, nil, decision{
		kind: lending.OpDisburseLoan, after: lending.LoanDisbursing, event: lending.EventLoanDisbursing,
		allowed: []lending.LoanStatus{lending.LoanApproved},
		hint:    "Only an approved loan can be paid out, and only once.",
		send: func(ctx context.Context, d provider.LoanDecider, id string) (provider.LoanResult, error) {
			return d.Disburse(ctx, id)
		},
	})
}

// loanTarget is what two actions on one loan have in common: they are done one after the other.
func loanTarget(id lending.LoanID) string { return "loan:" + string(id) }

func (s *Service) decide(ctx context.Context, caller Caller, key, loanID string, c *checks, d decision, more ...string) (*Result, error) {
	if c == nil {
		c = &checks{}
	}
	c.key(key)
	id := parseID[lending.LoanID](c, "loanId", lending.LoanNode, loanID)
	loan, err := s.theLoan(ctx, c, id)
	if err != nil {
		return nil, err
	}
	if loan == nil || c.failed() {
		return c.result(), nil
	}
	op, err := s.begin(caller, key, d.kind, loan.Provider, struct {
		LoanID lending.LoanID `json:"loanId"`
		More   []string       `json:"more"`
	}{id, more})
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.LoanID, op.Target = loan.CustomerID, loan.ID, loanTarget(loan.ID)
	if repeated, err := s.repeated(ctx, op); repeated != nil || err != nil {
		return repeated, err
	}
	p, problem := s.decider(loan, d)
	if problem != nil {
		c.problems = append(c.problems, *problem)
		return c.result(), nil
	}
	return s.perform(ctx, action{op: op, send: func(ctx context.Context) (answer, error) {
		// The state is read again under the operation's target, which keeps other actions away: what was
		// read before it may have moved.
		current, err := s.loan(ctx, loan.ID)
		if err != nil {
			return answer{}, unsent(err)
		}
		if _, problem := s.decider(current, d); problem != nil {
			return answer{}, &lending.Error{Kind: problem.Kind, Message: problem.Message, Outcome: lending.NotExecuted, Problems: []lending.Problem{*problem}}
		}
		told, err := d.send(ctx, p.Decisions, current.ExternalID)
		if err != nil {
			return answer{}, err
		}
		if told.Loan.Status == "" || told.Loan.Status == lending.LoanUnknown {
			told.Loan.Status = d.after
		}
		return s.decided(op, current.ID, told, d), nil
	}})
}

// decided takes over what the provider answered to a decision.
func (s *Service) decided(op *lending.Operation, id lending.LoanID, told provider.LoanResult, d decision) answer {
	got := answer{status: lending.OpSucceeded, result: Result{Loan: &lending.Loan{}}}
	got.save = func(ctx context.Context) error {
		loan, err := s.moveLoan(ctx, id, &told.Loan)
		if err != nil {
			return err
		}
		*got.result.Loan = *loan
		return nil
	}
	event := d.event
	if told.Loan.Status == lending.LoanDisbursed {
		event = lending.EventLoanDisbursed
	}
	got.events = []*lending.Event{s.event(event, op)}
	return got
}

// moveLoan merges news into a loan within a transaction and gives it as it is then.
func (s *Service) moveLoan(ctx context.Context, id lending.LoanID, told *lending.Loan) (*lending.Loan, error) {
	loan, err := s.loan(ctx, id)
	if err != nil {
		return nil, err
	}
	if told.Status.PaidOut() && told.DisbursedOn.IsZero() {
		told.DisbursedOn = lending.DateOf(s.now())
	}
	if mergeLoan(loan, told) {
		s.log.WarnContext(ctx, "contradictory news of a loan", "loan", id, "provider", loan.Provider, "status", loan.Status, "told", told.Status)
	}
	loan.UpdatedAt = s.now()
	if err := s.store.SaveLoan(ctx, loan); err != nil {
		return nil, err
	}
	return s.loan(ctx, id)
}

// decider is the provider that decides on a loan, or the problem that keeps the decision from being made.
func (s *Service) decider(loan *lending.Loan, d decision) (*provider.Provider, *lending.Problem) {
	problem := func(kind lending.ErrorKind, message string) *lending.Problem {
		return &lending.Problem{Kind: kind, Message: message, Field: fieldPath("loanId")}
	}
	p, err := s.Provider(loan.Provider)
	if err != nil {
		return nil, problem(lending.KindProviderDisabled, err.Error())
	}
	if p.Decisions == nil {
		return nil, problem(lending.KindValidation, loan.Provider.Title()+" decides on its loans itself.")
	}
	if loan.ExternalID == "" {
		return nil, problem(lending.KindConflict, "It is not known yet whether the provider has this loan.")
	}
	for _, status := range d.allowed {
		if loan.Status == status {
			return p, nil
		}
	}
	return nil, problem(lending.KindConflict, d.hint+" This one is "+string(loan.Status)+".")
}

// theLoan reads the loan that an action is about; it is refused in c when there is none.
func (s *Service) theLoan(ctx context.Context, c *checks, id lending.LoanID) (*lending.Loan, error) {
	if id == "" {
		return nil, nil
	}
	loan, err := s.loan(ctx, id)
	if lending.IsNotFound(err) {
		c.problems = append(c.problems, lending.Problem{Kind: lending.KindNotFound, Message: "There is no such loan.", Field: fieldPath("loanId")})
		return nil, nil
	}
	return loan, err
}

func (s *Service) loan(ctx context.Context, id lending.LoanID) (*lending.Loan, error) {
	found, err := s.store.Loans(ctx, []lending.LoanID{id})
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, lending.NotFound("loan")
	}
	return found[id], nil
}

// unsent marks an error of our own, before anything was sent.
func unsent(err error) *lending.Error {
	e := *lending.AsError(err)
	e.Outcome = lending.NotExecuted
	e.Retryable = true
	return &e
}
