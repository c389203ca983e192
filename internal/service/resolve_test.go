package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// unanswered makes every write of every fake lose its answer.
func (b *bench) unanswered() {
	for _, f := range []*fake{b.kredete, b.bureau, b.kredmint, b.carbon, b.onepipe} {
		lost := at(f.name, errLost)
		f.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
			return provider.LoanResult{}, lost
		}
		f.decide = func(context.Context, string, string) (provider.LoanResult, error) { return provider.LoanResult{}, lost }
		f.recordPayment = func(provider.NewPayment) (lending.Payment, error) { return lending.Payment{}, lost }
		f.createCustomer = func(provider.NewCustomer) (lending.Profile, error) { return lending.Profile{}, lost }
		f.requestScore = func(provider.ScoreRequest) (provider.ScoreResult, error) { return provider.ScoreResult{}, lost }
		f.orderReport = func(provider.ReportOrder) (provider.ReportReceipt, error) { return provider.ReportReceipt{}, lost }
		f.createSupplier = func(provider.NewSupplier) (lending.Supplier, error) { return lending.Supplier{}, lost }
		f.payInvoice = func(provider.Invoice) (provider.InvoiceResult, error) { return provider.InvoiceResult{}, lost }
		f.upload = func(provider.Upload) (lending.Document, error) { return lending.Document{}, lost }
		f.register = func(provider.Registration) (lending.Webhook, error) { return lending.Webhook{}, lost }
	}
}

// everyAction begins each kind of action, by its kind.
func everyAction() map[lending.OperationKind]func(b *bench, customer lending.CustomerID) *service.Result {
	return map[lending.OperationKind]func(*bench, lending.CustomerID) *service.Result{
		lending.OpCreateCustomer: func(b *bench, _ lending.CustomerID) *service.Result {
			return b.done(b.service.CreateCustomer(b.ctx, caller, newcomer()))
		},
		lending.OpApplyForLoan: func(b *bench, c lending.CustomerID) *service.Result {
			return b.done(b.service.ApplyForLoan(b.ctx, caller, application(c)))
		},
		lending.OpApproveLoan: func(b *bench, c lending.CustomerID) *service.Result {
			return b.act("Approve", "k", b.loan(c, lending.LoanPendingReview))
		},
		lending.OpRejectLoan: func(b *bench, c lending.CustomerID) *service.Result {
			return b.act("Reject", "k", b.loan(c, lending.LoanPendingReview))
		},
		lending.OpDisburseLoan: func(b *bench, c lending.CustomerID) *service.Result {
			return b.act("Disburse", "k", b.loan(c, lending.LoanApproved))
		},
		lending.OpRecordPayment: func(b *bench, c lending.CustomerID) *service.Result {
			return b.done(b.service.RecordPayment(b.ctx, caller, paymentOn(b.loan(c, lending.LoanDisbursed))))
		},
		lending.OpRequestCreditScore: func(b *bench, c lending.CustomerID) *service.Result {
			return b.done(b.service.RequestCreditScore(b.ctx, caller, scoreOf(c)))
		},
		lending.OpOrderCreditReport: func(b *bench, c lending.CustomerID) *service.Result {
			return b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(c, "k")))
		},
		lending.OpCreateSupplier: func(b *bench, c lending.CustomerID) *service.Result {
			return b.done(b.service.CreateSupplier(b.ctx, caller, supplierOf(c)))
		},
		lending.OpPayInvoice: func(b *bench, c lending.CustomerID) *service.Result {
			return b.done(b.service.PayInvoice(b.ctx, caller, invoiceOf(c)))
		},
		lending.OpUploadDocument: func(b *bench, c lending.CustomerID) *service.Result {
			return b.done(b.service.UploadDocument(b.ctx, caller, uploadOf(c)))
		},
		lending.OpRegisterWebhook: func(b *bench, _ lending.CustomerID) *service.Result {
			return b.done(b.service.RegisterWebhook(b.ctx, caller, registrationOf("https://hooks.example.com")))
		},
	}
}

func (b *bench) resolve(op lending.OperationID, outcome service.SettledOutcome, externalID string) *service.Result {
	b.Helper()
	return b.done(b.service.ResolveOperation(b.ctx, caller, service.ResolveOperationInput{
		OperationID: opGID(op), Outcome: outcome, ExternalID: externalID, Evidence: " Ticket 4711 ",
	}))
}

// standing tells, in words, what an operation was about is like now.
func (b *bench) standing(op *lending.Operation) string {
	b.Helper()
	switch op.Kind {
	case lending.OpRecordPayment:
		payments := b.paymentsOf(op.LoanID)
		return string(payments[0].Status) + " " + payments[0].ExternalID + " " + b.theLoan(op.LoanID).Paid.String()
	case lending.OpOrderCreditReport:
		r := b.reportsOf(op.CustomerID)[0]
		return string(r.Status) + " " + r.ExternalID
	}
	if op.LoanID == "" {
		return ""
	}
	loan := b.theLoan(op.LoanID)
	return string(loan.Status) + " " + strings.TrimPrefix(loan.ExternalID, "loan_x-")
}

func TestAnOperatorSettlesWhatCannotBeKnown(t *testing.T) {
	t.Parallel()
	type ends struct{ succeeded, failed string }
	want := map[lending.OperationKind]ends{
		lending.OpApplyForLoan:      {"PENDING_REVIEW ext-1", "FAILED "},
		lending.OpPayInvoice:        {"PENDING_REVIEW ext-1", "FAILED "},
		lending.OpApproveLoan:       {"APPROVED 3", "PENDING_REVIEW 3"},
		lending.OpRejectLoan:        {"REJECTED 3", "PENDING_REVIEW 3"},
		lending.OpDisburseLoan:      {"DISBURSED 3", "APPROVED 3"},
		lending.OpRecordPayment:     {"COMPLETED ext-1 179166.67 NGN", "FAILED  0.00 NGN"},
		lending.OpOrderCreditReport: {"ORDERED ext-1", "FAILED "},
	}
	for kind, begin := range everyAction() {
		for _, outcome := range []service.SettledOutcome{service.OutcomeSucceeded, service.OutcomeFailed} {
			t.Run(string(kind)+" "+string(outcome), func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				customer := b.customer(everywhere("1")...)
				b.unanswered()
				lost := begin(b, customer)
				b.status(lost, lending.OpOutcomeUnknown)
				b.clock.pass(time.Hour)
				result := b.resolve(lost.Operation.ID, outcome, "ext-1")
				b.wants(result)
				op, expected, status := b.theOperation(lost.Operation.ID), want[kind].succeeded, lending.OpSucceeded
				if outcome == service.OutcomeFailed {
					expected, status = want[kind].failed, lending.OpFailed
				}
				b.status(result, status)
				if op.Evidence != "Ticket 4711" || (op.Failure == nil) != (status == lending.OpSucceeded) {
					t.Errorf("the operation: evidence %q, failure %+v", op.Evidence, op.Failure)
				}
				if got := b.standing(op); got != expected {
					t.Errorf("it stands %q, want %q", got, expected)
				}
				if last := b.eventLog()[len(b.eventLog())-1]; last.Type != lending.EventOperationUpdated || last.OperationID != op.ID {
					t.Errorf("the last event is %+v", last)
				}
				b.wants(b.resolve(lost.Operation.ID, outcome, "ext-1"), "CONFLICT operationId")
			})
		}
	}
}

func TestAnOperatorFreesTheLoan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.unanswered()
	loan := b.loan(b.customer(), lending.LoanApproved)
	lost := b.act("Disburse", "1", loan)
	b.resolve(lost.Operation.ID, service.OutcomeFailed, "")
	b.kredete.decide = nil
	b.status(b.act("Disburse", "2", loan), lending.OpSucceeded)
}

func TestWhatIsWrongWithAResolution(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.unanswered()
	applied := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
	ordered := b.done(b.service.OrderCreditReport(b.ctx, caller, orderOf(customer, "k")))
	for name, test := range map[string]struct {
		in   service.ResolveOperationInput
		want []string
	}{
		"nothing given": {service.ResolveOperationInput{}, []string{"operationId", "evidence", "outcome"}},
		"no operation": {
			service.ResolveOperationInput{OperationID: opGID("x"), Outcome: service.OutcomeFailed, Evidence: "e"}, []string{"NOT_FOUND operationId"},
		},
		"a loan that exists somewhere": {
			service.ResolveOperationInput{OperationID: opGID(applied.Operation.ID), Outcome: service.OutcomeSucceeded, Evidence: "e"}, []string{"externalId"},
		},
		"a report that exists somewhere": {
			service.ResolveOperationInput{OperationID: opGID(ordered.Operation.ID), Outcome: service.OutcomeSucceeded, Evidence: "e"}, []string{"externalId"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.wants(b.done(b.service.ResolveOperation(b.ctx, caller, test.in)), test.want...)
		})
	}
	b.stands(applied, lending.OpOutcomeUnknown)
	b.stands(ordered, lending.OpOutcomeUnknown)
}
