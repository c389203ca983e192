package resolvers_test

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/resolvers"
)

// fullWorld saves one object of each kind with all that it can tell, all of one customer's and each tied to the
// others. n tells two such worlds apart: it is the last digit of every id.
func (b *bench) fullWorld(n string) service.Result {
	b.Helper()
	ctx, now, naira := b.Context(), time.Now().UTC(), lending.MustMoney("5000", lending.NGN)
	today, tenth := lending.DateOf(now), lending.NewDecimal(1, 1)
	r := service.Result{RedirectURL: "https://pay.example.com"}
	r.Customer = &lending.Customer{
		ID: lending.CustomerID("c" + n), FirstName: "Ada", LastName: "Obi", Email: "ada@example.com", Phone: "+2348012345678", DateOfBirth: today, Gender: lending.Female,
		Nationality: "NG", Status: lending.CustomerActive, ProviderStatus: "active", KYCStatus: lending.KYCVerified, CreatedAt: now, UpdatedAt: now,
		Address:        &lending.Address{Street: "1 Road", City: "Lagos", State: "Lagos", Country: "NG", PostalCode: "100001"},
		Employment:     &lending.Employment{Status: lending.Employed, Employer: "Works", JobTitle: "Smith", MonthlyIncome: &naira, Since: today},
		Identification: &lending.Identification{Type: lending.NIN, Number: "12345678901", ExpiresOn: today},
	}
	b.must(b.store.SaveCustomer(ctx, r.Customer))
	b.must(b.store.Link(ctx, lending.Identity{CustomerID: lending.CustomerID("c" + n), Provider: lending.Kredmint, ExternalID: "987654321" + n, LinkedAt: now}))
	failure := &lending.Failure{Kind: lending.KindTimeout, Message: "Late.", ProviderCode: "E1"}
	r.Loan = &lending.Loan{
		ID: lending.LoanID("l" + n), CustomerID: lending.CustomerID("c" + n), Provider: lending.Kredete, ExternalID: "x1-" + n, Reference: "ref", ProductID: "prod", Status: lending.LoanDisbursed,
		ProviderStatus: "disbursed", Purpose: lending.LoanPurpose("OTHERS"), ProviderPurpose: "others", Principal: naira, InterestRate: &tenth,
		TotalInterest: &naira, TotalRepayment: &naira, Installment: &naira, Tenure: lending.Tenure{Value: 3, Unit: lending.Months},
		DisbursedOn: today, DisbursementReference: "d1", FailureReason: "none", CreatedAt: now, UpdatedAt: now, Conflict: true,
	}
	b.must(b.store.SaveLoan(ctx, r.Loan))
	r.Payment = &lending.Payment{
		ID: lending.PaymentID("p" + n), LoanID: lending.LoanID("l" + n), CustomerID: lending.CustomerID("c" + n), Provider: lending.Kredete, ExternalID: "x2-" + n, Status: lending.PaymentCompleted, ProviderStatus: "ok",
		Amount: lending.MustMoney("1000", lending.NGN), Allocation: &lending.Allocation{Principal: &naira, Interest: &naira, Fees: &naira, Penalties: &naira},
		Method: lending.PaymentMethod("CASH"), Reference: "r1", PaidOn: today, CreatedAt: now, UpdatedAt: now,
	}
	b.must(b.store.SavePayment(ctx, r.Payment))
	r.Score = &lending.CreditScore{
		ID: lending.ScoreID("s" + n), CustomerID: lending.CustomerID("c" + n), Provider: lending.Kredete, ExternalID: "x3-" + n, Value: lending.NewDecimal(700, 0), Band: lending.ScoreBand("GOOD"),
		Scale:      &lending.ScoreScale{Min: lending.NewDecimal(300, 0), Max: lending.NewDecimal(850, 0)},
		Normalized: &tenth, ProviderBand: "good", RiskCategory: lending.RiskCategory("LOW"), ProviderRisk: "low", ProbabilityOfDefault: &tenth,
		Confidence: &tenth, RecommendedLimit: &naira, RecommendedTenureDays: 30, ScoredAt: now, ValidUntil: now.Add(time.Hour),
		Factors: []lending.ScoreFactor{{Factor: "history", Impact: lending.ImpactPositive, Description: "Long."}},
	}
	b.must(b.store.SaveScore(ctx, r.Score))
	b.fullReport(&r, n, today)
	r.Document = &lending.Document{
		ID: lending.DocumentID("d" + n), CustomerID: lending.CustomerID("c" + n), Provider: lending.Kredmint, ExternalID: "x5-" + n, Name: "i.pdf", Kind: lending.InvoiceDocument, InvoiceNumber: "1",
		URL: "https://files.example.com", URLExpiresAt: now, CreatedAt: now,
	}
	b.must(b.store.SaveDocument(ctx, r.Document))
	r.Webhook = &lending.Webhook{
		ID: lending.WebhookID("w" + n), Provider: lending.Kredete, ExternalID: "x6-" + n, URL: "https://hooks.example.com", Events: []lending.EventType{lending.EventNACH}, CreatedAt: now,
	}
	b.must(b.store.SaveWebhook(ctx, r.Webhook))
	supplier := lending.Supplier{
		CustomerID: lending.CustomerID("c" + n), Provider: lending.Kredmint, ExternalID: "SUPB-" + n, Name: "Shop", Mobile: "9876543211", Email: "shop@example.com", TaxID: "29ABCDE1234F1Z5",
		Status: lending.SupplierPending, ProviderStatus: "pending", BankAccountID: "b1", CreatedAt: now,
	}
	r.Supplier = &supplier
	b.suppliers.answers["987654321"+n] = lending.Fetched[[]lending.Supplier]{Status: lending.SourceCached, AsOf: now, Value: []lending.Supplier{supplier}}
	b.lines.answers = map[string]lending.Fetched[lending.CreditLine]{"987654321" + n: {Status: lending.SourceCached, AsOf: now, Value: lending.CreditLine{
		Provider: lending.Kredmint, State: lending.LineActive, ProviderState: "active", Limit: &naira, Available: &naira, Outstanding: &naira, ApplyURL: "https://apply.example.com?mobile=9876543210",
	}}}
	r.Operation = &lending.Operation{
		ID: lending.OperationID("o" + n), ClientID: "web", Key: "k" + n, Kind: lending.OpRecordPayment, Provider: lending.Kredete, Status: lending.OpFailed, CustomerID: lending.CustomerID("c" + n), LoanID: lending.LoanID("l" + n),
		EntityID: "p" + n, Reference: "op-" + n, Prompt: "Say.", Failure: failure, RequestedAt: now, UpdatedAt: now, SettledAt: now, Evidence: "seen",
	}
	_, _, err := b.store.BeginOperation(ctx, r.Operation)
	b.must(err)
	b.must(b.store.AppendEvents(ctx, &lending.Event{
		ID: lending.EventID("e" + n), Type: lending.EventLoanRepayment, ProviderType: "repaid", Provider: lending.Kredete, Source: lending.FromWebhook, CustomerID: lending.CustomerID("c" + n), LoanID: lending.LoanID("l" + n),
		PaymentID: lending.PaymentID("p" + n), ScoreID: lending.ScoreID("s" + n), ReportID: lending.ReportID("r" + n), OperationID: lending.OperationID("o" + n), OccurredAt: now, ReceivedAt: now, Payload: []byte(`{"a":1}`),
	}))
	b.must(b.store.AppendAudit(ctx, &lending.AuditRecord{
		ID: "a" + n, At: now.Add(time.Hour), ClientID: "web", RequestID: "q1", Action: lending.AuditMutation, OperationName: "O", Fields: []string{"Mutation.payInvoice"}, CustomerID: lending.CustomerID("c" + n), ErrorCode: lending.KindConflict,
	}))
	for _, err := range []*lending.Error{nil, {Kind: lending.KindTimeout, Provider: lending.Carbon}} {
		b.health.Observe(provider.Observation{Provider: lending.Carbon, Operation: "Profile", Began: now, Took: time.Second, Err: err})
	}
	b.health.Observe(provider.Observation{Provider: lending.Carbon, Operation: "Apply", Err: &lending.Error{Kind: lending.KindBalanceExhausted, Provider: lending.Carbon}})
	_, err = b.store.PutDelivery(ctx, &service.Delivery{
		ID: "d" + n, Provider: lending.Carbon, DedupeKey: "k" + n, Body: []byte("{}"), ReceivedAt: now, State: service.DeliveryApplied, UpdatedAt: now,
	})
	b.must(err)
	r.Problems = []lending.Problem{{Kind: lending.KindValidation, Message: "No.", Field: []string{"input"}}}
	r.Warnings = []lending.Problem{{Kind: lending.KindValidation, Message: "Odd.", Field: []string{"input"}}}
	return r
}

// fullReport saves a credit report that tells all that a report can.
func (b *bench) fullReport(r *service.Result, n string, today lending.Date) {
	b.Helper()
	one, tenth, naira := 1, lending.NewDecimal(1, 1), lending.MustMoney("5000", lending.NGN)
	counts := lending.ProductEnquiries{ProductType: "Loan", Bank: &one, Microfinance: &one, Mortgage: &one, NonBank: &one, Other: &one, Total: &one}
	r.Report = &lending.CreditReport{
		ID: lending.ReportID("r" + n), CustomerID: lending.CustomerID("c" + n), Provider: lending.TrustDecision, ExternalID: "x4-" + n, Status: lending.ReportReady, OrderedAt: time.Now().UTC(), ReceivedAt: time.Now().UTC(),
		Failure: &lending.Failure{Kind: lending.KindTimeout, Message: "Late.", ProviderCode: "E1"},
		Content: &lending.ReportContent{
			ReportNumber: "n1", OrderedOn: today, Institution: "Bank", BVN: "22370756505", SearchConfidence: &tenth, ViabilityScore: &tenth,
			Subject: lending.ReportSubject{
				Name: "Ada Obi", DateOfBirth: today, Gender: lending.Female, Nationality: "NG", Address: "1 Road", Phone: "08012345678",
				Identification: []lending.Identification{{Type: lending.NIN, Number: "12345678901", ExpiresOn: today}},
			},
			EnquiriesByProduct: []lending.ProductEnquiries{counts}, TotalEnquiries: &counts,
			FacilitiesByProduct: []lending.ProductFacilities{{
				ProductType: "Loan", Currency: lending.NGN, AccountCount: &one, AccountsLast6Months: &one, Sanctioned: &naira, Outstanding: &naira, Overdue: &naira, LastOverdueOn: today,
			}},
			FacilitiesByInstitution: []lending.InstitutionFacilities{{
				InstitutionType: "Bank", Currency: lending.NGN, AccountCount: &one, Sanctioned: &naira, Outstanding: &naira, Overdue: &naira,
			}},
			Enquiries: []lending.Enquiry{{FacilityType: "Loan", InstitutionType: "Bank", EnquiredOn: today, SerialNumber: "1"}},
			Warnings:  []string{"odd"},
		},
	}
	b.must(b.store.SaveReport(b.Context(), r.Report))
}

// canned is the graph whose mutations do nothing and answer with everything that there is.
type canned struct {
	*resolvers.Resolver
	all service.Result
}

func (c canned) Mutation() graph.MutationResolver { return cannedMutations{&c.all} }

type cannedMutations struct{ all *service.Result }

func (m cannedMutations) CreateCustomer(context.Context, service.CreateCustomerInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) LinkCustomer(context.Context, service.LinkCustomerInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) UploadDocument(context.Context, service.UploadDocumentInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) ApplyForLoan(context.Context, service.ApplyForLoanInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) ApproveLoan(context.Context, service.LoanActionInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) RejectLoan(context.Context, service.RejectLoanInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) DisburseLoan(context.Context, service.LoanActionInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) ResolveOperation(context.Context, service.ResolveOperationInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) RecordPayment(context.Context, service.RecordPaymentInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) RegisterWebhook(context.Context, service.RegisterWebhookInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) OrderCreditReport(context.Context, service.OrderCreditReportInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) RequestCreditScore(context.Context, service.RequestCreditScoreInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) ConfirmCreditScore(context.Context, service.ConfirmCreditScoreInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) CreateSupplier(context.Context, service.CreateSupplierInput) (*service.Result, error) {
	return m.all, nil
}

func (m cannedMutations) PayInvoice(context.Context, service.PayInvoiceInput) (*service.Result, error) {
	return m.all, nil
}
