package service

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// maxConfirmations is how often an OTP may be tried for one request.
const maxConfirmations = 3

// scoreOrder is the canonical form of a score request. What authorises it is secret: only its keyed hash
// is kept, so that another account under the same key is noticed.
type scoreOrder struct {
	lending.Private
	CustomerID    lending.CustomerID `json:"customerId"`
	LoanAmount    *lending.Money     `json:"loanAmount"`
	Tenure        *lending.Tenure    `json:"tenure"`
	Consent       *lending.Consent   `json:"consent"`
	Authorization string             `json:"authorization"`
}

// RequestCreditScore orders a score. A provider that asks the customer for something leaves the operation
// AWAITING_OTP or AWAITING_INFO, to be answered by ConfirmCreditScore.
func (s *Service) RequestCreditScore(ctx context.Context, caller Caller, in RequestCreditScoreInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	canonical := scoreOrder{
		CustomerID: parseID[lending.CustomerID](&c, "customerId", lending.CustomerNode, in.CustomerID),
		Tenure:     in.Tenure, Consent: in.Consent,
	}
	if in.LoanAmount != nil {
		canonical.LoanAmount = new(c.money("loanAmount", *in.LoanAmount))
	}
	if in.Tenure != nil {
		c.tenure("tenure", *in.Tenure)
	}
	account := s.scoreAccount(&c, in.Authorization)
	if account != nil {
		canonical.Authorization = hex.EncodeToString(s.sign("authorization", string(account.Type), accountText(account)))
	}
	p, externalID, err := s.actor(ctx, &c, in.Provider, canonical.CustomerID, func(p *provider.Provider) bool { return p.Scores != nil })
	if err != nil {
		return nil, err
	}
	if p != nil && p.Confirmations != nil {
		c.consent(in.Consent, s) // the provider's contract asks for the customer's consent (seed 004)
	}
	if p != nil && in.Provider == lending.Kredete && (in.LoanAmount == nil || in.Tenure == nil) {
		c.refuse("loanAmount", "Kredete scores a loan: give its amount and its tenure.")
	}
	if c.failed() {
		return c.result(), nil
	}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpRequestCreditScore, in.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.EntityID, op.Warnings = canonical.CustomerID, newID[string](), c.warnings
	op.Reference = string(op.ID)
	known, err := s.store.Customers(ctx, []lending.CustomerID{canonical.CustomerID})
	if err != nil {
		return nil, err
	}
	customer := known[canonical.CustomerID]
	if customer == nil {
		return nil, lending.NotFound("customer")
	}
	return s.perform(ctx, action{op: op, send: func(ctx context.Context) (answer, error) {
		told, err := p.Scores.RequestScore(ctx, provider.ScoreRequest{
			Reference: op.Reference, CustomerExternalID: externalID, FirstName: customer.FirstName,
			LastName: customer.LastName, Email: customer.Email, Phone: customer.Phone,
			LoanAmount: canonical.LoanAmount, Tenure: canonical.Tenure, Account: account,
		})
		if err != nil {
			return answer{}, err
		}
		return s.scored(op, told), nil
	}})
}

// scoreAccount reads what authorises a score request: nothing, or exactly one of the ways.
func (s *Service) scoreAccount(c *checks, in *ScoreAuthorizationInput) *provider.ScoreAccount {
	if in == nil {
		return nil
	}
	var account *provider.ScoreAccount
	given := 0
	if b := in.BankAccount; b != nil {
		given++
		c.digits("authorization.bankAccount.accountNumber", b.AccountNumber, 10, 10)
		c.digits("authorization.bankAccount.bankCode", b.BankCode, 3, 6)
		account = &provider.ScoreAccount{Type: provider.AccountBank, Bank: &lending.BankAccount{AccountNumber: b.AccountNumber, BankCode: b.BankCode}}
	}
	if w := in.Wallet; w != nil {
		given++
		c.text("authorization.wallet.walletNumber", w.WalletNumber, true, 40)
		c.text("authorization.wallet.providerCode", w.ProviderCode, true, 40)
		account = &provider.ScoreAccount{Type: provider.AccountWallet, WalletNumber: w.WalletNumber, WalletProvider: w.ProviderCode}
	}
	if card := in.Card; card != nil {
		given++
		account = &provider.ScoreAccount{Type: provider.AccountCard, CardNumber: card.Number, CardCVV: card.CVV, CardExpiry: card.Expiry, CardPIN: card.PIN}
	}
	if given != 1 {
		c.refuse("authorization", "Give exactly one of bankAccount, wallet and card.")
	}
	return account
}

func accountText(a *provider.ScoreAccount) string {
	text := a.WalletNumber + ";" + a.WalletProvider + ";" + a.CardNumber + ";" + a.CardExpiry
	if a.Bank != nil {
		text += ";" + a.Bank.AccountNumber + ";" + a.Bank.BankCode
	}
	return text
}

// scored takes over what the provider answered to a score request, a confirmation or a query.
func (s *Service) scored(op *lending.Operation, told provider.ScoreResult) answer {
	got := answer{prompt: told.Prompt}
	switch told.State {
	case provider.ScoreOTPRequired:
		got.status = lending.OpAwaitingOTP
	case provider.ScoreInfoRequired:
		got.status = lending.OpAwaitingInfo
	case provider.ScorePending:
		got.status = lending.OpAwaitingProvider
	case provider.ScoreCompleted:
		got.status = lending.OpSucceeded
		score := told.Score
		score.ID, score.CustomerID, score.Provider = lending.ScoreID(op.EntityID), op.CustomerID, op.Provider
		if score.ScoredAt.IsZero() {
			score.ScoredAt = s.now()
		}
		got.result.Score = score
		got.save = func(ctx context.Context) error { return s.saveScore(ctx, score) }
		got.events = []*lending.Event{s.event(lending.EventCreditScoreReady, op, func(e *lending.Event) { e.ScoreID = score.ID })}
	}
	return got
}

// saveScore keeps a score. A provider that answers with the same score again, within its validity, repeats
// its id: the second one is kept without it.
func (s *Service) saveScore(ctx context.Context, score *lending.CreditScore) error {
	err := s.store.SaveScore(ctx, score)
	if lending.KindOf(err) != lending.KindConflict || score.ExternalID == "" {
		return err
	}
	score.ExternalID = ""
	return s.store.SaveScore(ctx, score)
}

// ConfirmCreditScore passes on what the customer answered to a score request. It is not repeated by a key:
// the operation's own state keeps it from being done twice.
func (s *Service) ConfirmCreditScore(ctx context.Context, caller Caller, in ConfirmCreditScoreInput) (*Result, error) {
	var c checks
	id := parseID[lending.OperationID](&c, "operationId", lending.OperationNode, in.OperationID)
	secret := in.OTP
	switch {
	case in.OTP != "" && in.Information != "":
		c.refuse("otp", "Give the one-time password or the information, not both.")
	case in.OTP != "":
		c.digits("otp", in.OTP, 4, 10)
	default:
		c.text("information", in.Information, true, 500)
		secret = in.Information
	}
	if c.failed() {
		return c.result(), nil
	}
	op, err := s.operation(ctx, id)
	if lending.IsNotFound(err) || err == nil && op.Kind != lending.OpRequestCreditScore {
		return &Result{Problems: []lending.Problem{{Kind: lending.KindNotFound, Message: "There is no such score request.", Field: fieldPath("operationId")}}}, nil
	}
	if err != nil {
		return nil, err
	}
	if problem := confirmable(op, in); problem != nil {
		return &Result{Operation: op, Problems: []lending.Problem{*problem}}, nil
	}
	p, err := s.Provider(op.Provider)
	if err != nil {
		return refusal(err)
	}
	if p.Confirmations == nil {
		return nil, &lending.Error{Kind: lending.KindInternal, Provider: op.Provider, Outcome: lending.NotExecuted}
	}
	waiting, prompt := op.Status, op.Prompt
	return s.resume(ctx, op, action{op: op, send: func(ctx context.Context) (answer, error) {
		told, err := p.Confirmations.ConfirmScore(ctx, provider.ScoreConfirmation{Reference: op.Reference, Secret: secret})
		if e := lending.AsError(err); e != nil && e.Outcome == lending.NotExecuted && e.Retryable {
			// Nothing reached the provider: the request still waits, and this was no try.
			op.Attempts--
			return answer{status: waiting, prompt: prompt, result: Result{Problems: problemsOf(e)}}, nil
		}
		if err != nil {
			return answer{}, err
		}
		got := s.scored(op, told)
		if got.status == lending.OpAwaitingOTP {
			got.result.Problems = []lending.Problem{{
				Kind: lending.KindOTPRequired, Field: fieldPath("otp"), Message: "The one-time password was not accepted. Ask the customer again.",
			}}
		}
		return got, nil
	}})
}

// confirmable is the problem that keeps an operation from being confirmed; nil when there is none.
func confirmable(op *lending.Operation, in ConfirmCreditScoreInput) *lending.Problem {
	switch {
	case op.Status == lending.OpAwaitingOTP && in.OTP == "":
		return &lending.Problem{Kind: lending.KindValidation, Field: fieldPath("otp"), Message: "This request waits for the one-time password."}
	case op.Status == lending.OpAwaitingInfo && in.OTP != "":
		return &lending.Problem{Kind: lending.KindValidation, Field: fieldPath("information"), Message: "This request waits for information, not for a one-time password."}
	case op.Status != lending.OpAwaitingOTP && op.Status != lending.OpAwaitingInfo:
		return &lending.Problem{Kind: lending.KindConflict, Field: fieldPath("operationId"), Message: "This request waits for nothing from the customer: it is " + string(op.Status) + "."}
	case op.Attempts > maxConfirmations:
		return &lending.Problem{Kind: lending.KindConflict, Field: fieldPath("operationId"), Message: "It was tried too often. Request the score again."}
	}
	return nil
}

// resume carries on with an operation that waited for somebody: it takes the lease, so that two answers
// at once are one call, and then goes on like a new one.
func (s *Service) resume(ctx context.Context, op *lending.Operation, a action) (*Result, error) {
	now := s.now()
	op.Status, op.Step, op.Attempts, op.UpdatedAt = lending.OpInProgress, lending.StepSending, op.Attempts+1, now
	op.Lease.Owner, op.Lease.Until = s.owner, now.Add(s.settings.WriteDeadline+leaseMargin)
	op.NextCheckAt = op.Lease.Until
	if err := s.store.TakeOperation(ctx, op); err != nil {
		return refusal(err)
	}
	failpoint("after-intent", op)
	s.background.Add(1)
	defer s.background.Done()
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.WriteDeadline)
	defer cancel()
	got, err := a.send(detached)
	failpoint("after-send", op)
	return s.settle(context.WithoutCancel(ctx), a, got, err)
}

func (s *Service) operation(ctx context.Context, id lending.OperationID) (*lending.Operation, error) {
	found, err := s.store.Operations(ctx, []lending.OperationID{id})
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, lending.NotFound("operation")
	}
	return found[id], nil
}

// otpLifetime is how long a request waits for the customer before it is given up. Providers do not say.
const otpLifetime = 15 * time.Minute
