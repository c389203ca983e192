//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/onepipe"
)

// The people of the tests' world: those whom the twins' notes name, and behind them one for each
// application at Kredete, which tells applications apart by their customer alone.
const (
	crashKnown    = 0  // has an active credit line at Kredmint, and OnePipe asks for a one-time password
	crashVerified = 14 // may apply at Carbon, and is scored by OnePipe without a one-time password
	crashPeople   = 15
)

// crashMutation is a mutation, and how its effect shows at the twin.
type crashMutation struct {
	field, input string // of the schema
	more         string // what is selected of the payload beside the operation
	provider     lending.Provider
	path         string // where the provider is called
	effect       string // what the twin calls the effect
}

var (
	crashApply = crashMutation{
		field: "applyForLoan", input: "ApplyForLoanInput", more: "loan { id externalId status }",
		provider: lending.Kredete, path: "/v2/loans", effect: "loan.create",
	}
	crashApprove = crashMutation{
		field: "approveLoan", input: "ApproveLoanInput", more: "loan { id externalId status }",
		provider: lending.Kredete, path: "/v2/loans", effect: "loan.approve",
	}
	crashDisburse = crashMutation{
		field: "disburseLoan", input: "DisburseLoanInput", more: "loan { id externalId status }",
		provider: lending.Kredete, path: "/v2/loans", effect: "loan.disburse",
	}
	crashPay = crashMutation{
		field: "recordPayment", input: "RecordPaymentInput",
		provider: lending.Kredete, path: "/v2/payments", effect: "payment.record",
	}
	crashInvoice = crashMutation{
		field: "payInvoice", input: "PayInvoiceInput", more: "loan { id externalId status }",
		provider: lending.Kredmint, path: "/user/eligibility", effect: "invoice.pay",
	}
	crashCarbon = crashMutation{
		field: "applyForLoan", input: "ApplyForLoanInput", more: "loan { id externalId status }",
		provider: lending.Carbon, path: "/v1/loans/apply", effect: "loan.apply",
	}
	crashScore = crashMutation{
		field: "requestCreditScore", input: "RequestCreditScoreInput",
		provider: lending.OnePipe, path: "/v2/transact", effect: "score.request",
	}
	crashConfirm = crashMutation{
		field: "confirmCreditScore", input: "ConfirmCreditScoreInput",
		provider: lending.OnePipe, path: "/v2/transact/validate", effect: "score.release",
	}
)

func (m crashMutation) document() string {
	return fmt.Sprintf("mutation ($input: %s!) { acted: %s(input: $input) { operation { id status replayed reference failure { code } } userErrors { code message } %s } }",
		m.input, m.field, m.more)
}

// crashAction is an action that a process is killed in, and what has to come of it.
type crashAction struct {
	crashMutation
	name string
	// prepare brings about on a living process what the action needs, and gives its input. effect is the
	// key of the effect at the twin, "" where that is the operation's reference.
	prepare func(t *testing.T, b *crashBench, p *crashProcess, key string) (input map[string]any, effect string)
	// resumed says that the action goes on with an operation that prepare began by crashScore, whose key
	// is sent again instead of the action. It passes the failpoints for the second time.
	resumed bool
	// unsent is how the operation ends when the request never went out, sent when it did and the answer
	// is lost; resent says that the completer sends the first kind after all.
	unsent, sent lending.OperationStatus
	resent       bool
	// done and open are the loan's statuses once the operation has succeeded, and while its outcome is
	// unknown; "" where there is no loan.
	done, open lending.LoanStatus
}

// crashActions are the actions of the tests. Kredete and Kredmint can neither be asked nor told twice.
func crashActions() []crashAction {
	const unknown, succeeded, failed = lending.OpOutcomeUnknown, lending.OpSucceeded, lending.OpFailed
	return []crashAction{
		{
			crashMutation: crashDisburse, name: "disburse", unsent: unknown, sent: unknown,
			done: lending.LoanDisbursed, open: lending.LoanApproved,
			prepare: func(t *testing.T, b *crashBench, p *crashProcess, key string) (map[string]any, string) {
				loan := b.approvedLoan(t, p)
				return map[string]any{"idempotencyKey": key, "loanId": loan.ID}, loan.ExternalID
			},
		},
		{
			crashMutation: crashApply, name: "apply", unsent: unknown, sent: unknown,
			done: lending.LoanPendingReview, open: lending.LoanOutcomeUnknown,
			prepare: func(_ *testing.T, b *crashBench, _ *crashProcess, key string) (map[string]any, string) {
				person := b.twins.World.Size() - 1 - b.applicants
				b.applicants++
				return b.application(key, person), b.twins.World.Person(person).KredeteID
			},
		},
		{
			crashMutation: crashPay, name: "record a payment", unsent: unknown, sent: unknown,
			done: lending.LoanActive, open: lending.LoanDisbursed,
			prepare: func(t *testing.T, b *crashBench, p *crashProcess, key string) (map[string]any, string) {
				loan := b.approvedLoan(t, p)
				p.mustAct(t, crashDisburse, map[string]any{"idempotencyKey": b.key(), "loanId": loan.ID})
				b.expected[crashDisburse.effect]++
				return map[string]any{
					"idempotencyKey": key, "loanId": loan.ID, "amount": crashMoney("1000", lending.NGN),
					"method": lending.BankTransfer, "reference": "TRF-" + key, "paidOn": crashToday(),
				}, "TRF-" + key
			},
		},
		{
			crashMutation: crashInvoice, name: "pay an invoice", unsent: unknown, sent: unknown,
			done: lending.LoanPendingReview, open: lending.LoanOutcomeUnknown,
			prepare: func(_ *testing.T, b *crashBench, _ *crashProcess, key string) (map[string]any, string) {
				return map[string]any{
					"idempotencyKey": key, "customerId": b.customers[crashKnown], "invoiceNumber": "INV-" + key,
					"amount": crashMoney("10", lending.INR), "paymentDate": crashToday(),
				}, "INV-" + key
			},
		},
		{
			crashMutation: crashCarbon, name: "apply at Carbon", unsent: succeeded, sent: succeeded, resent: true,
			done: lending.LoanPendingReview,
			prepare: func(_ *testing.T, b *crashBench, _ *crashProcess, key string) (map[string]any, string) {
				return b.carbonApplication(key), key
			},
		},
		{
			crashMutation: crashScore, name: "request a score", unsent: failed, sent: succeeded,
			prepare: func(_ *testing.T, b *crashBench, _ *crashProcess, key string) (map[string]any, string) {
				return b.scoreRequest(key, crashVerified), ""
			},
		},
		{
			crashMutation: crashConfirm, name: "confirm a score", resumed: true, unsent: lending.OpAwaitingOTP, sent: succeeded,
			prepare: func(t *testing.T, b *crashBench, p *crashProcess, key string) (map[string]any, string) {
				got, err := p.act(t.Context(), crashScore, b.scoreRequest(key, crashKnown))
				if err != nil || got.status() != string(lending.OpAwaitingOTP) {
					t.Fatalf("a score request came to %+v, %v, want it to wait for a one-time password", got, err)
				}
				b.expected[crashScore.effect]++
				return map[string]any{"operationId": got.Operation.ID, "otp": onepipe.RightOTP}, got.Operation.Reference
			},
		},
	}
}

func crashMoney(amount string, currency lending.Currency) map[string]any {
	return map[string]any{"amount": amount, "currency": currency}
}

func crashToday() string { return time.Now().UTC().Format(time.DateOnly) }

func (b *crashBench) application(key string, person int) map[string]any {
	return map[string]any{
		"idempotencyKey": key, "customerId": b.customers[person], "provider": lending.Kredete,
		"productId": "prod_personal_loan", "principal": crashMoney("100000", lending.NGN),
		"tenure": map[string]any{"value": 90, "unit": lending.Days}, "purpose": lending.ExpansionAndGrowth,
		"disbursementAccount": map[string]any{"bankCode": "058", "accountNumber": "1234567890", "accountName": "A. Person"},
	}
}

func (b *crashBench) carbonApplication(key string) map[string]any {
	input := maps.Clone(b.application(key, crashVerified))
	delete(input, "productId")
	delete(input, "disbursementAccount")
	input["provider"], input["tenure"] = lending.Carbon, map[string]any{"value": 3, "unit": lending.Months}
	input["purpose"] = lending.InventoryMgt
	return input
}

func (b *crashBench) scoreRequest(key string, person int) map[string]any {
	return map[string]any{
		"idempotencyKey": key, "customerId": b.customers[person], "provider": lending.OnePipe,
		"consent": map[string]any{"grantedAt": b.began, "channel": lending.ConsentApp},
	}
}

// approvedLoan takes a loan at Kredete as far as its approval.
func (b *crashBench) approvedLoan(t *testing.T, p *crashProcess) crashLoan {
	t.Helper()
	loan := p.mustAct(t, crashApply, b.application(b.key(), crashKnown)).Loan
	if loan == nil {
		t.Fatal("an application succeeded without a loan")
	}
	p.mustAct(t, crashApprove, map[string]any{"idempotencyKey": b.key(), "loanId": loan.ID})
	b.expected[crashApply.effect]++
	return *loan
}

// crashRounds is how often each action is killed at each point.
func crashRounds(t testing.TB) int {
	t.Helper()
	text := os.Getenv("CREDITGRAPH_CRASH_ROUNDS")
	if text == "" {
		return 1
	}
	rounds, err := strconv.Atoi(text)
	if err != nil || rounds < 1 {
		t.Fatalf("CREDITGRAPH_CRASH_ROUNDS is %q and not a number over 0", text)
	}
	return rounds
}
