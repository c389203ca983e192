package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/sandbox/onepipe"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
)

// scenario makes the sandbox a living world: it imports the twins' customers and does what lenders do, by
// the service's own use cases and over the twins' own HTTP. On a database that has customers it does
// nothing but let the import go on.
type scenario struct {
	service *service.Service
	records *store.Store
	twins   *sandbox.Sandbox
	address string
	log     *slog.Logger
}

// actors is how many people things happen to, and replayed how many loans of the past are told.
const (
	actors   = 48
	replayed = 250
)

// scenarioCaller is who does it.
var scenarioCaller = service.Caller{ClientID: "sandbox-scenario"}

func newScenario(s *service.Service, records *store.Store, twins *sandbox.Sandbox, address string, logger *slog.Logger) *scenario {
	return &scenario{service: s, records: records, twins: twins, address: address, log: logger.With("part", "scenario")}
}

// play runs until everything has happened. first is told the showcase customer as soon as there is
// something to see.
func (sc *scenario) play(ctx context.Context, first chan<- lending.CustomerID) error {
	known, err := sc.records.CountCustomers(ctx, lending.CustomerFilter{})
	if err != nil {
		return err
	}
	begun := make(chan struct{})
	imported := make(chan error, 1)
	go func() { imported <- sc.importCustomers(ctx, begun) }()
	select {
	case <-begun:
	case err := <-imported:
		return err
	}
	showcase, err := sc.customer(ctx, sc.twins.World.Person(0))
	if err != nil {
		return errors.Join(err, <-imported)
	}
	if known > 0 {
		first <- showcase
		return <-imported
	}
	if err := sc.registerWebhook(ctx); err != nil {
		return errors.Join(err, <-imported)
	}
	if err := sc.act(ctx, 0); err != nil {
		return errors.Join(err, <-imported)
	}
	first <- showcase
	sc.twins.Kredete.Replay(replayed)
	for i := 1; i < min(actors, sc.twins.World.Size()) && ctx.Err() == nil; i++ {
		if err := sc.act(ctx, i); err != nil {
			sc.log.WarnContext(ctx, "a part of the scenario failed", "person", i, "error", lending.AsError(err).Detail())
		}
	}
	sc.log.InfoContext(ctx, "the scenario is played", "people", min(actors, sc.twins.World.Size()))
	return <-imported
}

// importCustomers takes over all customers of Kredete; begun is closed after the first page.
func (sc *scenario) importCustomers(ctx context.Context, begun chan struct{}) error {
	started, told := time.Now(), time.Now()
	_, err := sc.service.ImportCustomers(ctx, lending.Kredete, func(read, total int) {
		if begun != nil {
			close(begun)
			begun = nil
		}
		if time.Since(told) > time.Second || read == total {
			told = time.Now()
			sc.log.InfoContext(ctx, "customers are imported", "read", read, "total", total, "took", time.Since(started).Round(time.Millisecond).String())
		}
	})
	return err
}

func (sc *scenario) customer(ctx context.Context, p world.Person) (lending.CustomerID, error) {
	return sc.records.CustomerByIdentity(ctx, lending.Kredete, p.KredeteID)
}

func (sc *scenario) registerWebhook(ctx context.Context) error {
	return done(sc.service.RegisterWebhook(ctx, scenarioCaller, service.RegisterWebhookInput{
		IdempotencyKey: "scenario-webhook", Provider: lending.Kredete, URL: sc.address + "/webhooks/" + lending.Kredete.Slug(),
		Events: []lending.EventType{
			lending.EventLoanCreated, lending.EventLoanApproved, lending.EventLoanDisbursed, lending.EventLoanRepayment,
			lending.EventCustomerKYCVerified, lending.EventPaymentReceived,
		},
	}))
}

// done is the error of an action that did not come to what it should.
func done(r *service.Result, err error) error {
	if err != nil {
		return err
	}
	if len(r.Problems) > 0 {
		return fmt.Errorf("%s at %v: %s", r.Problems[0].Kind, r.Problems[0].Field, r.Problems[0].Message)
	}
	if r.Operation != nil && r.Operation.Failure != nil {
		return fmt.Errorf("%s %s: %s", r.Operation.Kind, r.Operation.Status, r.Operation.Failure.Message)
	}
	return nil
}

// act lets happen to one person what their place in the world allows.
func (sc *scenario) act(ctx context.Context, i int) error {
	p := sc.twins.World.Person(i)
	id, err := sc.customer(ctx, p)
	if err != nil {
		return err
	}
	a := actor{scenario: sc, person: p, id: lending.GlobalID(lending.CustomerNode, id), key: fmt.Sprintf("scenario-%d-", i)}
	var errs []error
	for _, part := range []func(context.Context) error{a.link, a.report, a.score, a.confirmedScore, a.invoice, a.carbonLoan, a.loan} {
		errs = append(errs, part(ctx))
	}
	return errors.Join(errs...)
}

// actor is one person to whom things happen.
type actor struct {
	*scenario
	person world.Person
	id     string // global
	key    string // begins each idempotency key
}

// link ties the person to who they are at the providers that know them.
func (a *actor) link(ctx context.Context) error {
	var errs []error
	for name, externalID := range map[lending.Provider]string{
		lending.TrustDecision: a.person.BVN, lending.Kredmint: a.person.KredmintMobile,
		lending.Carbon: a.person.CarbonID, lending.OnePipe: a.person.CustomerRef,
	} {
		if externalID == "" {
			continue
		}
		errs = append(errs, done(a.service.LinkCustomer(ctx, scenarioCaller, service.LinkCustomerInput{CustomerID: a.id, Provider: name, ExternalID: externalID})))
	}
	return errors.Join(errs...)
}

// consent is given just now.
func consent() *lending.Consent {
	return &lending.Consent{GrantedAt: time.Now().UTC().Add(-time.Second), Channel: lending.ConsentApp}
}

// report orders a credit report, which comes by push.
func (a *actor) report(ctx context.Context) error {
	if a.person.BVN == "" || !strings.HasPrefix(a.person.Phone, "+234") {
		return nil // the bureau asks for a Nigerian number
	}
	return done(a.service.OrderCreditReport(ctx, scenarioCaller, service.OrderCreditReportInput{
		IdempotencyKey: a.key + "report", CustomerID: a.id, Provider: lending.TrustDecision, Consent: consent(),
	}))
}

// score orders a score that comes at once.
func (a *actor) score(ctx context.Context) error {
	if a.person.Index%5 == 4 {
		return nil // some have none
	}
	return done(a.service.RequestCreditScore(ctx, scenarioCaller, service.RequestCreditScoreInput{
		IdempotencyKey: a.key + "score", CustomerID: a.id, Provider: lending.Kredete,
		LoanAmount: naira(500_000), Tenure: &lending.Tenure{Value: 90, Unit: lending.Days},
	}))
}

func naira(major int64) *service.MoneyInput {
	return &service.MoneyInput{Amount: lending.NewDecimal(major, 0), Currency: lending.NGN}
}

// confirmedScore orders a score for which some are asked for a one-time password; each third does not
// answer it.
func (a *actor) confirmedScore(ctx context.Context) error {
	if a.person.CustomerRef == "" {
		return nil
	}
	result, err := a.service.RequestCreditScore(ctx, scenarioCaller, service.RequestCreditScoreInput{
		IdempotencyKey: a.key + "onepipe", CustomerID: a.id, Provider: lending.OnePipe, Consent: consent(),
	})
	if err != nil || result.Operation == nil || result.Operation.Status != lending.OpAwaitingOTP || a.person.Index%3 == 2 {
		return err
	}
	return done(a.service.ConfirmCreditScore(ctx, scenarioCaller, service.ConfirmCreditScoreInput{
		OperationID: lending.GlobalID(lending.OperationNode, result.Operation.ID), OTP: onepipe.RightOTP,
	}))
}

// invoice pays a supplier's invoice out of a credit line; one in seven fails at the provider.
func (a *actor) invoice(ctx context.Context) error {
	line := a.person.CreditLine
	if line == nil || line.State != lending.LineActive {
		return nil
	}
	amount := lending.NewDecimal(100_000, 2)
	if a.person.Index%7 == 5 {
		amount = lending.NewDecimal(100_013, 2) // the twin lets these fail
	}
	return done(a.service.PayInvoice(ctx, scenarioCaller, service.PayInvoiceInput{
		IdempotencyKey: a.key + "invoice", CustomerID: a.id, InvoiceNumber: fmt.Sprintf("INV-%05d", a.person.Index),
		Amount: service.MoneyInput{Amount: amount, Currency: lending.INR}, PaymentDate: lending.DateOf(time.Now()),
	}))
}

// carbonLoan applies for a loan at Carbon, which takes customers with a verified identity alone.
func (a *actor) carbonLoan(ctx context.Context) error {
	if a.person.CarbonID == "" || a.person.KYCStatus != lending.KYCVerified {
		return nil
	}
	return done(a.service.ApplyForLoan(ctx, scenarioCaller, service.ApplyForLoanInput{
		IdempotencyKey: a.key + "carbon", CustomerID: a.id, Provider: lending.Carbon, Principal: *naira(20_000),
		Tenure: lending.Tenure{Value: 3, Unit: lending.Months}, Purpose: lending.InventoryMgt,
	}))
}

// loan takes a loan at Kredete as far as the person's number says: applied for, approved, rejected, paid
// out, partly repaid, repaid.
func (a *actor) loan(ctx context.Context) error {
	if a.person.Status != lending.CustomerActive {
		return nil
	}
	result, err := a.service.ApplyForLoan(ctx, scenarioCaller, service.ApplyForLoanInput{
		IdempotencyKey: a.key + "loan", CustomerID: a.id, Provider: lending.Kredete, ProductID: "prod_personal_loan",
		Principal: *naira(int64(100_000 + 50_000*(a.person.Index%9))), Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
		Purpose:             lending.ExpansionAndGrowth,
		DisbursementAccount: &lending.BankAccount{BankCode: "058", AccountNumber: "1234567890", AccountName: a.person.FullName()},
	})
	if err := done(result, err); err != nil || result.Loan == nil {
		return err
	}
	loan := result.Loan
	action := service.LoanActionInput{IdempotencyKey: a.key + "approve", LoanID: loan.NodeID()}
	steps := a.person.Index % 6
	if steps == 2 {
		return done(a.service.RejectLoan(ctx, scenarioCaller, service.RejectLoanInput{
			IdempotencyKey: a.key + "reject", LoanID: loan.NodeID(), Reason: "Income not verified",
		}))
	}
	if steps == 1 {
		return nil
	}
	if err := done(a.service.ApproveLoan(ctx, scenarioCaller, action)); err != nil || steps == 3 {
		return err
	}
	action.IdempotencyKey = a.key + "disburse"
	if err := done(a.service.DisburseLoan(ctx, scenarioCaller, action)); err != nil || steps == 4 {
		return err
	}
	payments := 1
	if steps == 5 {
		payments = 3
	}
	return a.repay(ctx, loan, payments)
}

// repay pays the first installments of a loan; three of three repay it.
func (a *actor) repay(ctx context.Context, loan *lending.Loan, payments int) error {
	if loan.Installment == nil || loan.TotalRepayment == nil {
		return nil
	}
	left := *loan.TotalRepayment
	for n := 1; n <= payments; n++ {
		amount := *loan.Installment
		if over, err := amount.Cmp(left); err == nil && over > 0 {
			amount = left
		}
		value, err := lending.ParseDecimal(amount.Literal())
		if err != nil {
			return err
		}
		err = done(a.service.RecordPayment(ctx, scenarioCaller, service.RecordPaymentInput{
			IdempotencyKey: fmt.Sprintf("%spay-%d", a.key, n), LoanID: loan.NodeID(),
			Amount: service.MoneyInput{Amount: value, Currency: lending.NGN}, Method: lending.BankTransfer,
			Reference: fmt.Sprintf("TRF-%05d-%d", a.person.Index, n), PaidOn: lending.DateOf(time.Now()),
		}))
		if err != nil {
			return err
		}
		if left, err = left.Sub(amount); err != nil {
			return err
		}
	}
	return nil
}
