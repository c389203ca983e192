package reliability_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/reliability"
)

// good is a history with one of everything: an application that was repeated, an approval, a payment whose
// answer was lost, a refused order, a look-up that a customer has to confirm, and a key used twice.
func good() reliability.History {
	op := func(id, key string, kind lending.OperationKind, at lending.Provider, status lending.OperationStatus) *lending.Operation {
		return &lending.Operation{ID: lending.OperationID(id), ClientID: "web", Key: key, Kind: kind, Provider: at, Status: status, LoanID: "L1"}
	}
	apply := op("op1", "k1", lending.OpApplyForLoan, lending.Kredete, lending.OpSucceeded)
	approve := op("op2", "k2", lending.OpApproveLoan, lending.Kredete, lending.OpSucceeded)
	pay := op("op3", "k3", lending.OpRecordPayment, lending.Kredete, lending.OpOutcomeUnknown)
	pay.EntityID = "P1"
	refused := op("op4", "k4", lending.OpOrderCreditReport, lending.TrustDecision, lending.OpFailed)
	refused.Failure = &lending.Failure{Kind: lending.KindUpstreamUnavailable, Retryable: true}
	score := op("op5", "k5", lending.OpRequestCreditScore, lending.OnePipe, lending.OpAwaitingOTP)
	score.Reference = "op5"
	disburse := op("op6", "k6", lending.OpDisburseLoan, lending.Kredete, lending.OpSucceeded)
	told := func(key, input, subject, id string, status lending.OperationStatus, payload string) reliability.Exchange {
		return reliability.Exchange{Client: "web", Key: key, Input: input, Subject: subject, Operation: lending.OperationID(id), Status: status, Payload: payload}
	}
	return reliability.History{
		Exchanges: []reliability.Exchange{
			told("k1", "500000 for Ada", "cust_1", "op1", lending.OpInProgress, `{"status":"IN_PROGRESS"}`),
			told("k1", "500000 for Ada", "cust_1", "op1", lending.OpSucceeded, `{"loan":"L1"}`),
			told("k1", "500000 for Ada", "cust_1", "op1", lending.OpSucceeded, `{"loan":"L1"}`),
			{Client: "web", Key: "k1", Input: "600000 for Ada", Subject: "cust_1", Problems: []lending.ErrorKind{lending.KindKeyReused}},
			told("k2", "approve L1", "loan_1", "op2", lending.OpSucceeded, `{"loan":"L1"}`),
			told("k6", "disburse L1", "loan_1", "op6", lending.OpSucceeded, `{"loan":"L1"}`),
			told("k3", "pay L1", "TRF-1", "op3", lending.OpOutcomeUnknown, `{}`),
			told("k4", "report on Ada", "", "op4", lending.OpFailed, `{}`),
			told("k5", "score of Ada", "", "op5", lending.OpAwaitingOTP, `{}`),
		},
		Effects: []reliability.Effect{
			{Provider: lending.Kredete, Name: "loan.create", Key: "cust_1", EntityID: "loan_1"},
			{Provider: lending.Kredete, Name: "loan.approve", Key: "loan_1", EntityID: "loan_1"},
			{Provider: lending.Kredete, Name: "loan.disburse", Key: "loan_1", EntityID: "loan_1"},
			{Provider: lending.Kredete, Name: "payment.record", Key: "TRF-1", EntityID: "pmt_1"},
			{Provider: lending.OnePipe, Name: "score.request", Key: "op5", EntityID: "C-1"},
			{Provider: lending.OnePipe, Name: "otp.send", Key: "op5", EntityID: "C-1"},
			{Provider: lending.Kredmint, Name: "user.create", EntityID: "USR-1"},
		},
		Operations: []*lending.Operation{apply, approve, pay, refused, score, disburse},
		Loans:      []*lending.Loan{{ID: "L1", Provider: lending.Kredete, ExternalID: "loan_1", Status: lending.LoanActive}},
		Payments:   []*lending.Payment{{ID: "P1", LoanID: "L1", Reference: "TRF-1"}},
	}
}

func TestAGoodHistoryHasNoViolations(t *testing.T) {
	t.Parallel()
	if found := reliability.Check(good()); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	effect := func(h *reliability.History, p lending.Provider, name, key, id string) {
		h.Effects = append(h.Effects, reliability.Effect{Provider: p, Name: name, Key: key, EntityID: id})
	}
	for name, test := range map[string]struct {
		spoil func(h *reliability.History)
		want  []string
	}{
		"a POST that was sent again": {
			func(h *reliability.History) { effect(h, lending.Kredete, "loan.create", "cust_1", "loan_2") },
			[]string{reliability.RuleEffects},
		},
		"an intent that was committed after the send, and lost": {
			func(h *reliability.History) { effect(h, lending.Kredmint, "invoice.pay", "INV-1", "IN-1") },
			[]string{reliability.RuleEffects},
		},
		"an effect for another subject than was asked for": {
			func(h *reliability.History) { h.Effects[0].Key = "cust_2" },
			[]string{reliability.RuleEffects, reliability.RuleEffects},
		},
		"a success without an effect": {
			func(h *reliability.History) {
				h.Effects = append(h.Effects[:3:3], h.Effects[4:]...)
				h.Operations[2].Status = lending.OpSucceeded
			},
			[]string{reliability.RuleEffects},
		},
		"a failure that took place": {
			func(h *reliability.History) { effect(h, lending.TrustDecision, "report.order", "x", "seq1") },
			[]string{reliability.RuleEffects},
		},
		"an unknown outcome that took place twice": {
			func(h *reliability.History) { effect(h, lending.Kredete, "payment.record", "TRF-1", "pmt_2") },
			[]string{reliability.RuleEffects},
		},
		"a fence that was not checked: two results": {
			func(h *reliability.History) { h.Exchanges[2].Payload = `{"loan":"L2"}` },
			[]string{reliability.RuleSameAnswer},
		},
		"a fence that was not checked: the last writer says otherwise": {
			func(h *reliability.History) {
				h.Operations[0].Status = lending.OpFailed
				h.Effects = h.Effects[1:]
				h.Loans = nil
			},
			[]string{reliability.RuleRecords, reliability.RuleRecords},
		},
		"two operations for one key": {
			func(h *reliability.History) { h.Exchanges[1].Operation = "op7" },
			[]string{reliability.RuleOneOperation},
		},
		"two operations under one key in the records": {
			func(h *reliability.History) {
				second := *h.Operations[3]
				second.ID = "op7"
				h.Operations = append(h.Operations, &second)
			},
			[]string{reliability.RuleOneOperation, reliability.RuleOneOperation},
		},
		"another input that a key was taken for": {
			func(h *reliability.History) { h.Exchanges[1].Input = "700000 for Ada" },
			[]string{reliability.RuleKeyReused},
		},
		"another input that was refused with other words": {
			func(h *reliability.History) { h.Exchanges[3].Problems = []lending.ErrorKind{lending.KindConflict} },
			[]string{reliability.RuleKeyReused},
		},
		"an operation that nobody ends": {
			func(h *reliability.History) { h.Operations[4].Status = lending.OpInProgress },
			[]string{reliability.RuleSettled},
		},
		"a second password": {
			func(h *reliability.History) { effect(h, lending.OnePipe, "otp.send", "op5", "C-1") },
			[]string{reliability.RuleSideEffects},
		},
		"one loan of two operations": {
			func(h *reliability.History) {
				second := *h.Operations[0]
				second.ID, second.Key = "op7", "k7"
				h.Operations = append(h.Operations, &second)
				effect(h, lending.Kredete, "loan.create", "", "loan_2")
			},
			[]string{reliability.RuleClaimed},
		},
		"a payment counted twice": {
			func(h *reliability.History) {
				h.Payments = append(h.Payments, &lending.Payment{ID: "P2", LoanID: "L1", Reference: "TRF-1"})
			},
			[]string{reliability.RulePayments},
		},
		"a loan further than at the provider": {
			func(h *reliability.History) { h.Effects = append(h.Effects[:2:2], h.Effects[3:]...) },
			[]string{reliability.RuleEffects, reliability.RuleLoans},
		},
		"a loan less far than at the provider": {
			func(h *reliability.History) {
				h.Loans[0].Status = lending.LoanApproved
				h.Operations[2].Status, h.Operations[4].Status = lending.OpSucceeded, lending.OpSucceeded
			},
			[]string{reliability.RuleLoans},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := good()
			test.spoil(&h)
			found := reliability.Check(h)
			var rules []string
			for _, v := range found {
				rules = append(rules, v.Rule)
			}
			if diff := cmp.Diff(test.want, rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s\n%v", diff, found)
			}
		})
	}
}
