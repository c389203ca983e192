package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
)

// actCounter counts the statements that begin a transaction.
type actCounter struct{ begun atomic.Int64 }

func (c *actCounter) observe(_ context.Context, operation string, _ time.Duration, _ error) {
	if operation == "begin" {
		c.begun.Add(1)
	}
}

// actService is the use cases over twins, without the program around them and without background parts, so
// that every transaction is the test's own.
type actService struct {
	*service.Service
	records *store.Store
	counter *actCounter
	twins   *sandbox.Sandbox
	kredete *provider.Provider
}

func actBare(t testing.TB) *actService {
	t.Helper()
	twins := actTwins(t)
	settings := actBeside(t, twins, "sqlite:"+t.TempDir()+"/records.db", 10*time.Second)
	k, err := datakey.Derive(string(settings.DataKey))
	if err != nil {
		t.Fatal(err)
	}
	s := &actService{counter: &actCounter{}, twins: twins}
	s.records, err = store.Open(t.Context(), store.Config{URL: string(settings.DatabaseURL), DataKey: k.Records}, store.WithObserver(s.counter.observe))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.records.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := s.records.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	health := service.NewHealth(time.Now)
	all, err := providers(&settings, time.Now, slog.New(slog.DiscardHandler), health)
	if err != nil {
		t.Fatal(err)
	}
	s.kredete = all[0]
	s.Service = service.New(service.Config{
		Store: s.records, Providers: all, Health: health,
		Settings: service.Settings{WriteDeadline: settings.WriteDeadline, TokenKey: k.Tokens, WebhookSecret: string(settings.Kredete.WebhookSecret), AllowPrivateWebhooks: true},
	})
	if _, err := s.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// customer is a person whom all providers know.
func (s *actService) customer(t testing.TB) string {
	t.Helper()
	p := s.twins.World.Person(0)
	id, err := s.records.CustomerByIdentity(t.Context(), lending.Kredete, p.KredeteID)
	if err != nil {
		t.Fatal(err)
	}
	global := lending.GlobalID(lending.CustomerNode, id)
	for name, external := range map[lending.Provider]string{lending.Carbon: p.CarbonID, lending.Kredmint: p.KredmintMobile, lending.TrustDecision: p.BVN, lending.OnePipe: p.CustomerRef} {
		if err := done(s.LinkCustomer(t.Context(), actCaller, service.LinkCustomerInput{CustomerID: global, Provider: name, ExternalID: external})); err != nil {
			t.Fatal(err)
		}
	}
	return global
}

var actCaller = service.Caller{ClientID: "cost"}

// apply applies for a loan at Kredete, whose principal is n thousand over a hundred thousand.
func (s *actService) apply(t testing.TB, customer, key string, n int) *lending.Loan {
	t.Helper()
	result, err := s.ApplyForLoan(t.Context(), actCaller, service.ApplyForLoanInput{
		IdempotencyKey: key, CustomerID: customer, Provider: lending.Kredete, ProductID: "prod_personal_loan",
		Principal: *naira(int64(100_000 + 1_000*n)), Tenure: lending.Tenure{Value: 90, Unit: lending.Days}, Purpose: lending.ExpansionAndGrowth,
		DisbursementAccount: &lending.BankAccount{BankCode: "058", AccountNumber: "1234567890", AccountName: "Adewale Okonkwo"},
	})
	if err := done(result, err); err != nil {
		t.Fatal(err)
	}
	return result.Loan
}

func (s *actService) decideOn(loan *lending.Loan, key string) service.LoanActionInput {
	return service.LoanActionInput{IdempotencyKey: key, LoanID: loan.NodeID()}
}

// TestTransactionsOfAnAction: one transaction writes down what is meant to be done, one what became of it, and
// a repetition takes one at most: the one that finds it.
func TestTransactionsOfAnAction(t *testing.T) {
	t.Parallel()
	s := actBare(t)
	customer := s.customer(t)
	loan := s.apply(t, customer, "loan", 1)
	agreed := consent()
	scored := func(name lending.Provider, key string) func(context.Context) error {
		return func(ctx context.Context) error {
			return done(s.RequestCreditScore(ctx, actCaller, service.RequestCreditScoreInput{
				IdempotencyKey: key, CustomerID: customer, Provider: name, LoanAmount: naira(100_000),
				Tenure: &lending.Tenure{Value: 90, Unit: lending.Days}, Consent: agreed,
			}))
		}
	}
	for _, action := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"apply", func(context.Context) error { s.apply(t, customer, "another", 2); return nil }},
		{"approve", func(ctx context.Context) error {
			return done(s.ApproveLoan(ctx, actCaller, s.decideOn(loan, "approve")))
		}},
		{"disburse", func(ctx context.Context) error {
			return done(s.DisburseLoan(ctx, actCaller, s.decideOn(loan, "disburse")))
		}},
		{"record a payment", func(ctx context.Context) error {
			return done(s.RecordPayment(ctx, actCaller, service.RecordPaymentInput{
				IdempotencyKey: "pay", LoanID: loan.NodeID(), Amount: *naira(1_000), Method: lending.CashPayment, Reference: "TRF", PaidOn: lending.DateOf(time.Now()),
			}))
		}},
		{"score", scored(lending.Kredete, "score")},
		{"score with a password", scored(lending.OnePipe, "onepipe")},
		{"report", func(ctx context.Context) error {
			return done(s.OrderCreditReport(ctx, actCaller, service.OrderCreditReportInput{IdempotencyKey: "report", CustomerID: customer, Provider: lending.TrustDecision, Consent: agreed}))
		}},
		{"apply at Carbon", func(ctx context.Context) error {
			return done(s.ApplyForLoan(ctx, actCaller, service.ApplyForLoanInput{
				IdempotencyKey: "carbon", CustomerID: customer, Provider: lending.Carbon, Principal: *naira(20_000),
				Tenure: lending.Tenure{Value: 3, Unit: lending.Months}, Purpose: lending.InventoryMgt,
			}))
		}},
		{"invoice", func(ctx context.Context) error {
			return done(s.PayInvoice(ctx, actCaller, service.PayInvoiceInput{
				IdempotencyKey: "invoice", CustomerID: customer, InvoiceNumber: "INV-1", PaymentDate: lending.DateOf(time.Now()),
				Amount: service.MoneyInput{Amount: lending.NewDecimal(100, 0), Currency: lending.INR},
			}))
		}},
		{"webhook", func(ctx context.Context) error {
			return done(s.RegisterWebhook(ctx, actCaller, service.RegisterWebhookInput{
				IdempotencyKey: "webhook", Provider: lending.Kredete, URL: "http://127.0.0.1:9/", Events: []lending.EventType{lending.EventLoanCreated},
			}))
		}},
	} {
		t.Run(action.name, func(t *testing.T) {
			for repetition, most := range []int64{2, 1} {
				before := s.counter.begun.Load()
				if err := action.do(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := s.counter.begun.Load() - before; n > most || repetition == 0 && n != most {
					t.Errorf("time %d takes %d transactions, want %d", repetition+1, n, most)
				}
			}
		})
	}
}

// BenchmarkApprove compares an approval through the service with the same call straight to the provider's
// twin: what is left is the service's own cost, two synced transactions above all.
func BenchmarkApprove(b *testing.B) {
	s := actBare(b)
	customer := s.customer(b)
	loans := func(b *testing.B, what string) []*lending.Loan {
		b.Helper()
		var made []*lending.Loan
		for n := range b.N {
			made = append(made, s.apply(b, customer, fmt.Sprintf("%s-%d-%d", what, b.N, n), n))
		}
		b.ResetTimer()
		return made
	}
	b.Run("driver", func(b *testing.B) {
		for _, loan := range loans(b, "driver") {
			if _, err := s.kredete.Decisions.Approve(b.Context(), loan.ExternalID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("service", func(b *testing.B) {
		for n, loan := range loans(b, "service") {
			if err := done(s.ApproveLoan(b.Context(), actCaller, s.decideOn(loan, fmt.Sprintf("approve-%d-%d", b.N, n)))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkApproveOverHTTP is the same from the outside: the program's own endpoint, and the twin's for
// comparison.
func BenchmarkApproveOverHTTP(b *testing.B) {
	w := actStart(b)
	all, err := providers(&w.app.settings, time.Now, w.app.logger, service.NewHealth(time.Now))
	if err != nil {
		b.Fatal(err)
	}
	loans := func(b *testing.B, what string) []actLoan {
		b.Helper()
		var made []actLoan
		for n := range b.N {
			made = append(made, w.on(b).loanAt(fmt.Sprintf("%s-%d-%d", what, b.N, n), n))
		}
		b.ResetTimer()
		return made
	}
	b.Run("direct", func(b *testing.B) {
		for _, loan := range loans(b, "direct") {
			if _, err := all[0].Decisions.Approve(b.Context(), loan.external); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("graph", func(b *testing.B) {
		for n, loan := range loans(b, "graph") {
			if answer := w.on(b).send(w.loanRequest("approveLoan", fmt.Sprintf("bench-%d-%d", b.N, n), loan)); answer.status() != lending.OpSucceeded {
				b.Fatalf("%s %v", answer.raw, answer.errors)
			}
		}
	})
	if w.calls(lending.Kredete, http.MethodPost+" /v2/loans/{id}/approve") == 0 {
		b.Error("nothing was approved")
	}
}
