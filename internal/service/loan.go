package service

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// application is the canonical form of a loan application: what makes two requests the same, and what the
// completer needs to send it again where the provider dedupes.
type application struct {
	lending.Private
	CustomerID          lending.CustomerID   `json:"customerId"`
	ProductID           string               `json:"productId"`
	Principal           lending.Money        `json:"principal"`
	Tenure              lending.Tenure       `json:"tenure"`
	Purpose             lending.LoanPurpose  `json:"purpose"`
	PurposeNote         string               `json:"purposeNote"`
	Reference           string               `json:"reference"`
	DisbursementAccount *lending.BankAccount `json:"disbursementAccount"`
}

// ApplyForLoan applies for a loan at a provider.
func (s *Service) ApplyForLoan(ctx context.Context, caller Caller, in ApplyForLoanInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	canonical := application{
		CustomerID: parseID[lending.CustomerID](&c, "customerId", lending.CustomerNode, in.CustomerID),
		ProductID:  in.ProductID, Principal: c.money("principal", in.Principal), Tenure: in.Tenure,
		Purpose: in.Purpose, PurposeNote: in.PurposeNote, Reference: in.Reference,
		DisbursementAccount: in.DisbursementAccount,
	}
	if canonical.Reference == "" {
		canonical.Reference = in.IdempotencyKey
	}
	c.text("productId", in.ProductID, false, 100)
	c.text("purposeNote", in.PurposeNote, false, 200)
	c.text("reference", in.Reference, false, maxKey)
	c.tenure("tenure", in.Tenure)
	if !in.Purpose.Valid() {
		c.refuse("purpose", "Choose one of the purposes.")
	}
	if account := in.DisbursementAccount; account != nil {
		c.nigerianAccount("disbursementAccount", account)
		if in.Provider == lending.Carbon {
			c.warn("disbursementAccount", "Carbon pays to the account that it knows of the customer; this one is not sent.")
		}
	}
	p, externalID, err := s.actor(ctx, &c, in.Provider, canonical.CustomerID, func(p *provider.Provider) bool { return p.Applications != nil })
	if err != nil {
		return nil, err
	}
	if p != nil {
		c.add(p.Applications.Check(canonical.at(externalID)))
	}
	if c.failed() {
		return c.result(), nil
	}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpApplyForLoan, in.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.LoanID, op.Warnings = canonical.CustomerID, newID[lending.LoanID](), c.warnings
	if p.Recovery[op.Kind] == provider.RecoverByRepeating {
		op.Reference = canonical.Reference // the provider goes by it, so no other operation may have it
	}
	return s.perform(ctx, s.applying(op, p, canonical, externalID))
}

// at is the application as the provider is told it.
func (a application) at(customerExternalID string) provider.LoanApplication {
	return provider.LoanApplication{
		Reference: a.Reference, CustomerExternalID: customerExternalID, ProductID: a.ProductID,
		Principal: a.Principal, Tenure: a.Tenure, Purpose: a.Purpose, PurposeNote: a.PurposeNote,
		DisbursementAccount: a.DisbursementAccount,
	}
}

// draft is the loan as far as the application tells it.
func (a application) draft(op *lending.Operation) *lending.Loan {
	return &lending.Loan{
		ID: op.LoanID, CustomerID: a.CustomerID, Provider: op.Provider, Reference: a.Reference,
		ProductID: a.ProductID, Purpose: a.Purpose, ProviderPurpose: a.PurposeNote, Principal: a.Principal,
		Tenure: a.Tenure, CreatedAt: op.RequestedAt,
		Paid: lending.NewMoney(0, a.Principal.Currency()), Outstanding: lending.NewMoney(0, a.Principal.Currency()),
		Overdue: lending.NewMoney(0, a.Principal.Currency()),
	}
}

// applying is the action of an application, the first time and each time it is repeated.
func (s *Service) applying(op *lending.Operation, p *provider.Provider, canonical application, customerExternalID string) action {
	return action{
		op: op,
		send: func(ctx context.Context) (answer, error) {
			told, err := p.Applications.Apply(ctx, canonical.at(customerExternalID))
			if err != nil {
				return answer{}, err
			}
			return s.applied(op, canonical, told, customerExternalID)
		},
		unknown: func(ctx context.Context) error { return s.unanswered(ctx, op, canonical) },
	}
}

// applied takes over what the provider answered to an application.
func (s *Service) applied(op *lending.Operation, canonical application, told provider.LoanResult, customerExternalID string) (answer, error) {
	loan := canonical.draft(op)
	if told.Existing && contradicts(canonical, told, customerExternalID) {
		// The provider had another application under this reference: it is not ours to take over.
		return answer{}, &lending.Error{
			Kind: lending.KindConflict, Provider: op.Provider, Outcome: lending.NotExecuted,
			Message: "The provider already has an application with this reference and other terms. Use another reference.",
		}
	}
	if !told.Existing && contradicts(canonical, told, customerExternalID) {
		s.log.Warn("a provider names other terms than those that were applied for", "operation", op.ID, "provider", op.Provider)
	}
	told.Loan.Principal = canonical.Principal // compared above; a provider that echoes nothing leaves it zero
	mergeLoan(loan, &told.Loan)
	if loan.Status == "" {
		loan.Status = lending.LoanPendingReview
	}
	got := answer{status: lending.OpSucceeded, result: Result{Loan: loan}}
	event := s.event(lending.EventLoanCreated, op)
	got.save = func(ctx context.Context) error {
		defer func() { event.LoanID = op.LoanID }() // a webhook's row may have become the loan
		return s.saveLoan(ctx, op, loan)
	}
	got.events = []*lending.Event{event}
	return got, nil
}

// contradicts reports whether an application that the provider already had is another than ours, in any
// term that it named.
func contradicts(ours application, told provider.LoanResult, customerExternalID string) bool {
	for _, term := range told.Told {
		switch term {
		case "principal":
			if told.Loan.Principal != ours.Principal {
				return true
			}
		case "tenure":
			if told.Loan.Tenure != ours.Tenure {
				return true
			}
		case "purpose":
			if told.Loan.Purpose != ours.Purpose {
				return true
			}
		case "customer":
			if told.CustomerExternalID != customerExternalID {
				return true
			}
		}
	}
	return false
}

// saveLoan writes a loan that an operation made. A webhook may have been faster: then its row is the loan,
// and the operation is tied to it.
func (s *Service) saveLoan(ctx context.Context, op *lending.Operation, loan *lending.Loan) error {
	known, err := s.findLoan(ctx, loan)
	if err != nil {
		return err
	}
	if known != nil && known.CustomerID != "" && known.CustomerID != loan.CustomerID {
		return &lending.Error{
			Kind: lending.KindUpstreamProtocol, Provider: loan.Provider, Outcome: lending.OutcomeUnknown,
			Err: errors.New("the provider answered with the id of another customer's loan"),
		}
	}
	if known != nil { // also under our own id: news may have moved it since it was written
		mine := *loan
		*loan = *known
		mergeLoan(loan, &mine)
		op.LoanID = loan.ID
	}
	loan.UpdatedAt = s.now()
	return s.store.SaveLoan(ctx, loan)
}

// findLoan finds a loan's row by its external id or its reference; nil when there is none.
func (s *Service) findLoan(ctx context.Context, loan *lending.Loan) (*lending.Loan, error) {
	if loan.ExternalID != "" {
		known, err := s.store.LoanByExternalID(ctx, loan.Provider, loan.ExternalID)
		if err == nil || !lending.IsNotFound(err) {
			return known, err
		}
	}
	if loan.Reference != "" && loan.CustomerID != "" {
		known, err := s.store.LoanByReference(ctx, loan.Provider, loan.CustomerID, loan.Reference)
		if err == nil || !lending.IsNotFound(err) {
			return known, err
		}
	}
	return nil, nil
}

// mergeLoan brings a loan up to date with what was told: fields that it lacks are filled, the provider's
// figures replace ours, and the status advances by rank. It reports whether the news contradicts.
func mergeLoan(loan, told *lending.Loan) (conflict bool) {
	for _, f := range []struct {
		mine *string
		news string
	}{
		{&loan.ExternalID, told.ExternalID},
		{&loan.Reference, told.Reference},
		{&loan.ProductID, told.ProductID},
		{&loan.SupplierID, told.SupplierID},
		{&loan.ProviderPurpose, told.ProviderPurpose},
		{(*string)(&loan.CustomerID), string(told.CustomerID)},
		{(*string)(&loan.Purpose), string(told.Purpose)},
	} {
		if *f.mine == "" {
			*f.mine = f.news
		}
	}
	if loan.Principal.Sign() == 0 {
		loan.Principal = told.Principal
	}
	if loan.Tenure.Value == 0 {
		loan.Tenure = told.Tenure
	}
	if told.InterestRate != nil {
		loan.InterestRate = told.InterestRate
	}
	for _, f := range []struct{ mine, news **lending.Money }{
		{&loan.TotalInterest, &told.TotalInterest},
		{&loan.TotalRepayment, &told.TotalRepayment},
		{&loan.Installment, &told.Installment},
	} {
		if *f.news != nil {
			*f.mine = *f.news
		}
	}
	if on := told.DisbursedOn; !on.IsZero() && (loan.DisbursedOn.IsZero() || on.Before(loan.DisbursedOn)) {
		loan.DisbursedOn = on // news of a repayment, by which a payout is known as well, may be faster than the payout's own
	}
	loan.CreatedAt = earliest(loan.CreatedAt, told.CreatedAt)
	loan.DisbursementReference = longer(loan.DisbursementReference, told.DisbursementReference)
	status, conflict := loan.Status.Advance(told.Status)
	switch {
	case status != loan.Status:
		loan.ProviderStatus = told.ProviderStatus
	case status == told.Status:
		loan.ProviderStatus = ownWord(loan.ProviderStatus, told.ProviderStatus)
	}
	if status != loan.Status && told.FailureReason != "" {
		loan.FailureReason = told.FailureReason
	}
	if status.PaidOut() && status != lending.LoanDefaulted {
		loan.FailureReason = "" // a conflict: what stands is the payout
	}
	loan.Status = status
	if paid := afterPayments(loan); paid != status {
		loan.Status, loan.ProviderStatus = paid, "" // our inference: the provider has no word for it
	}
	loan.Conflict = loan.Conflict || conflict
	return conflict
}

// mergeNews is mergeLoan for what a provider tells by itself: its word takes the place of those that come
// before it at the same status.
func mergeNews(loan, told *lending.Loan, after []string) (conflict bool) {
	conflict = mergeLoan(loan, told)
	if loan.Status == told.Status && slices.Contains(after, loan.ProviderStatus) {
		loan.ProviderStatus = told.ProviderStatus
	}
	return conflict
}

// What several pieces of news tell of one thing in different words has to end the same in any order.

// earliest is the earlier of two times; a zero one is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// longer is the longer of two references of one payout: the bank's own, which is known last, is longer than
// the number that the provider gives it at first.
func longer(a, b string) string {
	if c := cmp.Compare(len(a), len(b)); c < 0 || c == 0 && a < b {
		return b
	}
	return a
}

// ownWord is which of two words for one status is kept: the first, unless it is the type of an event
// ("loan.approved") and the other is of a status field.
func ownWord(a, b string) string {
	if a == "" || b != "" && strings.Contains(a, ".") && !strings.Contains(b, ".") {
		return b
	}
	return a
}

// afterPayments is the status of a loan as far as its payments tell it: ACTIVE after the first completed one,
// REPAID when they reach the total that the provider named. Where money came back on a loan that is not known
// to be paid out, the status is not ours to guess.
func afterPayments(loan *lending.Loan) lending.LoanStatus {
	if !loan.Status.PaidOut() || loan.Paid.Sign() <= 0 {
		return loan.Status
	}
	next := lending.LoanActive
	if loan.TotalRepayment != nil {
		if c, err := loan.Paid.Cmp(*loan.TotalRepayment); err == nil && c >= 0 {
			next = lending.LoanRepaid
		}
	}
	status, _ := loan.Status.Advance(next) // one payout after another: no conflict
	return status
}

// actor finds the provider that an action goes to and who the customer is there. Either is refused in c
// when it cannot be had; the provider is nil then.
func (s *Service) actor(ctx context.Context, c *checks, name lending.Provider, customer lending.CustomerID, offers func(*provider.Provider) bool) (*provider.Provider, string, error) {
	c.known("provider", name)
	if !name.Valid() {
		return nil, "", nil
	}
	p, err := s.Provider(name)
	if err != nil {
		c.problems = append(c.problems, lending.Problem{Kind: lending.KindProviderDisabled, Message: err.Error(), Field: fieldPath("provider")})
		return nil, "", nil
	}
	if !offers(p) {
		c.refuse("provider", "%s does not offer this.", name.Title())
		return nil, "", nil
	}
	if customer == "" {
		return p, "", nil
	}
	known, err := s.store.Customers(ctx, []lending.CustomerID{customer})
	if err != nil {
		return nil, "", err
	}
	if known[customer] == nil {
		c.problems = append(c.problems, lending.Problem{Kind: lending.KindNotFound, Message: "There is no such customer.", Field: fieldPath("customerId")})
		return nil, "", nil
	}
	identities, err := s.identitiesByProvider(ctx, []lending.CustomerID{customer})
	if err != nil {
		return nil, "", err
	}
	externalID := identities[customer][name]
	if externalID == "" {
		c.refuse("customerId", "The customer is not linked at %s: link them first (linkCustomer).", name.Title())
		return nil, "", nil
	}
	return p, externalID, nil
}
