package reliability

import (
	"maps"
	"slices"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The rules on effects and records.
const (
	RuleEffects     = "effects agree with operations"
	RuleSideEffects = "customers are bothered once"
	RuleClaimed     = "one thing comes of one operation"
	RulePayments    = "one payment for a loan and reference"
	RuleLoans       = "loans agree with the provider"
)

// deed is what a kind of operation does at a provider.
type deed struct {
	provider lending.Provider
	kind     lending.OperationKind
}

// traces are the names by which the providers' logs of effects tell of deeds.
var traces = map[deed][]string{
	{lending.Kredete, lending.OpCreateCustomer}:          {"customer.create"},
	{lending.Kredete, lending.OpApplyForLoan}:            {"loan.create"},
	{lending.Kredete, lending.OpApproveLoan}:             {"loan.approve"},
	{lending.Kredete, lending.OpRejectLoan}:              {"loan.reject"},
	{lending.Kredete, lending.OpDisburseLoan}:            {"loan.disburse"},
	{lending.Kredete, lending.OpRecordPayment}:           {"payment.record"},
	{lending.Kredete, lending.OpRequestCreditScore}:      {"score.request"},
	{lending.Kredete, lending.OpRegisterWebhook}:         {"webhook.register"},
	{lending.TrustDecision, lending.OpOrderCreditReport}: {"report.order"},
	{lending.Kredmint, lending.OpCreateSupplier}:         {"supplier.create"},
	{lending.Kredmint, lending.OpPayInvoice}:             {"invoice.pay"},
	{lending.Kredmint, lending.OpUploadDocument}:         {"document.upload", "invoice.upload"},
	{lending.Carbon, lending.OpApplyForLoan}:             {"loan.apply"},
	{lending.OnePipe, lending.OpRequestCreditScore}:      {"score.request"},
}

// bounds is how many effects an operation may have had, by what it says of itself.
func bounds(op *lending.Operation) (least, most int) {
	switch op.Status {
	case lending.OpSucceeded, lending.OpAwaitingOTP, lending.OpAwaitingInfo, lending.OpAwaitingProvider:
		return 1, 1
	case lending.OpFailed:
		// A look-up that came to nothing was carried out all the same, unless nothing was sent.
		lookup := op.Kind == lending.OpRequestCreditScore || op.Kind == lending.OpOrderCreditReport
		if lookup && op.Failure != nil && !op.Failure.Retryable {
			return 0, 1
		}
		return 0, 0
	}
	return 0, 1
}

// group is what is counted together: one subject of one deed, or all of them where the subject is "".
type group struct {
	deed
	subject string
}

type tally struct {
	least, most, effects int
	operations           []lending.OperationID
}

// effectsAgree compares the effects with the operations, group by group. An effect of a kind of deed that
// operations exist for, and that belongs to none of them, was had by nobody who asked.
func (c *checker) effectsAgree() {
	tallies, coarse := c.tallies()
	for _, e := range c.Effects {
		deeds := deedsOf(e)
		for _, d := range deeds {
			g := group{d, e.Key}
			if coarse[d] {
				g.subject = ""
			}
			t := tallies[g]
			if t == nil {
				t = &tally{}
				tallies[g] = t
			}
			t.effects++
		}
	}
	order := func(a, b group) int { return compareGroups(a, b) }
	for _, g := range slices.SortedFunc(maps.Keys(tallies), order) {
		t := tallies[g]
		if t.effects < t.least || t.effects > t.most {
			c.report(RuleEffects, "%s at %s on %q: %d effects where the operations %v allow %d to %d",
				g.kind, g.provider, g.subject, t.effects, t.operations, t.least, t.most)
		}
	}
}

// tallies sums the bounds of all operations by group; coarse are the deeds of which at least one subject is
// not known.
func (c *checker) tallies() (map[group]*tally, map[deed]bool) {
	subjects := map[lending.OperationID]string{}
	coarse := map[deed]bool{}
	for _, op := range c.Operations {
		d := deed{op.Provider, op.Kind}
		subjects[op.ID] = c.subject(op)
		coarse[d] = coarse[d] || subjects[op.ID] == ""
	}
	tallies := map[group]*tally{}
	for _, op := range c.Operations {
		g := group{deed{op.Provider, op.Kind}, subjects[op.ID]}
		if coarse[g.deed] {
			g.subject = ""
		}
		if tallies[g] == nil {
			tallies[g] = &tally{}
		}
		least, most := bounds(op)
		t := tallies[g]
		t.least, t.most, t.operations = t.least+least, t.most+most, append(t.operations, op.ID)
	}
	return tallies, coarse
}

// subject is what the provider's log has as the key of an operation's effect: what the client's request said,
// or our reference where the provider keeps that.
func (c *checker) subject(op *lending.Operation) string {
	for _, x := range c.byKey[clientKey{op.ClientID, op.Key}] {
		if x.Subject != "" {
			return x.Subject
		}
	}
	if op.Provider == lending.Carbon || op.Provider == lending.OnePipe {
		return op.Reference
	}
	return ""
}

func deedsOf(e Effect) []deed {
	var found []deed
	for d, names := range traces {
		if d.provider == e.Provider && slices.Contains(names, e.Name) {
			found = append(found, d)
		}
	}
	return found
}

func compareGroups(a, b group) int {
	for _, pair := range [][2]string{
		{string(a.provider), string(b.provider)}, {string(a.kind), string(b.kind)}, {a.subject, b.subject},
	} {
		if pair[0] != pair[1] {
			if pair[0] < pair[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// sideEffectsOnce: no customer is sent a second password for one request, and no score is released twice.
func (c *checker) sideEffectsOnce() {
	seen := map[Effect]bool{}
	for _, e := range c.Effects {
		if e.Name != "otp.send" && e.Name != "score.release" {
			continue
		}
		id := Effect{Provider: e.Provider, Name: e.Name, Key: e.Key}
		if seen[id] {
			c.report(RuleSideEffects, "%s at %s for %s took place twice", e.Name, e.Provider, e.Key)
		}
		seen[id] = true
	}
}

// makers are the kinds of operations that bring something into being, of which nothing can come twice.
var makers = []lending.OperationKind{
	lending.OpCreateCustomer, lending.OpApplyForLoan, lending.OpRecordPayment, lending.OpRequestCreditScore,
	lending.OpOrderCreditReport, lending.OpCreateSupplier, lending.OpUploadDocument, lending.OpRegisterWebhook,
}

// nothingClaimedTwice: no two operations say that the same thing came of them.
func (c *checker) nothingClaimedTwice() {
	claimed := map[string]lending.OperationID{}
	for _, op := range c.Operations {
		if op.Status != lending.OpSucceeded || !slices.Contains(makers, op.Kind) {
			continue
		}
		id := op.EntityID
		if op.Kind == lending.OpApplyForLoan {
			id = string(op.LoanID)
		}
		what := string(op.Provider) + " " + string(op.Kind) + " " + id
		if other, twice := claimed[what]; twice {
			c.report(RuleClaimed, "operations %s and %s both made %s", other, op.ID, what)
		}
		claimed[what] = op.ID
	}
}

// paymentsOnce: a reference counts once for a loan.
func (c *checker) paymentsOnce() {
	type payment struct {
		loan      lending.LoanID
		reference string
	}
	seen := map[payment]lending.PaymentID{}
	for _, p := range c.Payments {
		id := payment{p.LoanID, p.Reference}
		if other, twice := seen[id]; twice && p.Reference != "" {
			c.report(RulePayments, "loan %s has the payments %s and %s for %q", p.LoanID, other, p.ID, p.Reference)
		}
		seen[id] = p.ID
	}
}

// reached are the statuses that Kredete's effects bring its loans to.
var reached = map[string]lending.LoanStatus{
	"loan.create": lending.LoanPendingReview, "loan.approve": lending.LoanApproved,
	"loan.reject": lending.LoanRejected, "loan.disburse": lending.LoanDisbursed,
}

// loansAgree: a loan is never further in our records than at the provider, and no less far once no outcome
// on it is open.
func (c *checker) loansAgree() {
	theirs := map[string]lending.LoanStatus{}
	for _, e := range c.Effects {
		if next := reached[e.Name]; e.Provider == lending.Kredete && next.Rank() > theirs[e.EntityID].Rank() {
			theirs[e.EntityID] = next
		}
	}
	open := map[lending.LoanID]bool{}
	for _, op := range c.Operations {
		if !op.Status.Settled() {
			open[op.LoanID] = true
		}
	}
	for _, loan := range c.Loans {
		status, known := theirs[loan.ExternalID]
		if !known {
			continue
		}
		ours := beforePayments(loan.Status)
		if ours.Rank() > status.Rank() || ours != status && !open[loan.ID] {
			c.report(RuleLoans, "loan %s is %s; at the provider it is %s", loan.ID, loan.Status, status)
		}
	}
}

// beforePayments is a status as it was reached by decisions: those that follow from payments, and the wait
// for the news of a payout, count as the payout.
func beforePayments(s lending.LoanStatus) lending.LoanStatus {
	switch s {
	case lending.LoanDisbursing, lending.LoanActive, lending.LoanRepaid:
		return lending.LoanDisbursed
	}
	return s
}
