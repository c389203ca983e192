package loader

import (
	"context"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// Records gives what the store keeps by its id. What does not exist is left out.
type Records interface {
	Customers(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]*lending.Customer, error)
	Loans(ctx context.Context, ids []lending.LoanID) (map[lending.LoanID]*lending.Loan, error)
	Payments(ctx context.Context, ids []lending.PaymentID) (map[lending.PaymentID]*lending.Payment, error)
	Scores(ctx context.Context, ids []lending.ScoreID) (map[lending.ScoreID]*lending.CreditScore, error)
	Reports(ctx context.Context, ids []lending.ReportID) (map[lending.ReportID]*lending.CreditReport, error)
	Operations(ctx context.Context, ids []lending.OperationID) (map[lending.OperationID]*lending.Operation, error)
	Events(ctx context.Context, ids []lending.EventID) (map[lending.EventID]*lending.Event, error)
}

// Lists gives the same page of what each of many owners has, in one statement. An owner who has nothing
// may be left out.
type Lists interface {
	LoansOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Loan], error)
	CountLoansOf(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]int, error)
	PaymentsOfLoans(ctx context.Context, loans []lending.LoanID, page lending.PageRequest) (map[lending.LoanID]lending.Page[*lending.Payment], error)
	PaymentsOfCustomers(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Payment], error)
	ScoresOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditScore], error)
	ReportsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditReport], error)
	EventsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Event], error)
}

// Credit gives what is put together of records and providers. What a provider could not tell is part of
// the answer, not an error. A customer who does not exist is left out.
type Credit interface {
	Identities(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error)
	Overviews(ctx context.Context, customers []lending.CustomerID, want lending.Freshness) (map[lending.CustomerID]*service.Overview, error)
	Profiles(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]lending.Fetched[lending.Profile], error)
	Suppliers(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]lending.Fetched[[]lending.Supplier], error)
}

// Source is where loaders load from.
type Source struct {
	Records Records
	Lists   Lists
	Credit  Credit
}

// Loaders are the loaders of one response. A record that does not exist is NOT_FOUND, and so is the
// summary, or the suppliers, of a customer who does not exist; a list of nothing is empty.
type Loaders struct {
	Customers  *Loader[lending.CustomerID, *lending.Customer]
	Loans      *Loader[lending.LoanID, *lending.Loan]
	Payments   *Loader[lending.PaymentID, *lending.Payment]
	Scores     *Loader[lending.ScoreID, *lending.CreditScore]
	Reports    *Loader[lending.ReportID, *lending.CreditReport]
	Operations *Loader[lending.OperationID, *lending.Operation]
	Events     *Loader[lending.EventID, *lending.Event]

	// The rest are by customer, but for PaymentsOfLoan.
	LoansOf        *Pages[lending.CustomerID, *lending.Loan]
	CountLoansOf   *Loader[lending.CustomerID, int]
	PaymentsOf     *Pages[lending.CustomerID, *lending.Payment]
	PaymentsOfLoan *Pages[lending.LoanID, *lending.Payment]
	ScoresOf       *Pages[lending.CustomerID, *lending.CreditScore]
	ReportsOf      *Pages[lending.CustomerID, *lending.CreditReport]
	EventsOf       *Pages[lending.CustomerID, *lending.Event]
	Identities     *Loader[lending.CustomerID, []lending.Identity]
	Suppliers      *Loader[lending.CustomerID, lending.Fetched[[]lending.Supplier]]
	Profiles       *Loader[lending.CustomerID, lending.Fetched[lending.Profile]]
	Overviews      *Grouped[SummaryKey, lending.CustomerID, freshness, *service.Overview]
}

// New makes the loaders for one response. It is cheap: a loader costs something when it is first used.
func New(source Source, opts ...Option) *Loaders {
	records, lists, credit, o := source.Records, source.Lists, source.Credit, collect(opts)
	return &Loaders{
		Customers:  newLoader(records.Customers, absent[lending.CustomerID]("customer"), o.as("customers")),
		Loans:      newLoader(records.Loans, absent[lending.LoanID]("loan"), o.as("loans")),
		Payments:   newLoader(records.Payments, absent[lending.PaymentID]("payment"), o.as("payments")),
		Scores:     newLoader(records.Scores, absent[lending.ScoreID]("credit score"), o.as("scores")),
		Reports:    newLoader(records.Reports, absent[lending.ReportID]("credit report"), o.as("reports")),
		Operations: newLoader(records.Operations, absent[lending.OperationID]("operation"), o.as("operations")),
		Events:     newLoader(records.Events, absent[lending.EventID]("event"), o.as("events")),

		LoansOf:        pages(lists.LoansOf, o.as("loansOf")),
		CountLoansOf:   newLoader(lists.CountLoansOf, nil, o.as("countLoansOf")),
		PaymentsOf:     pages(lists.PaymentsOfCustomers, o.as("paymentsOf")),
		PaymentsOfLoan: pages(lists.PaymentsOfLoans, o.as("paymentsOfLoan")),
		ScoresOf:       pages(lists.ScoresOf, o.as("scoresOf")),
		ReportsOf:      pages(lists.ReportsOf, o.as("reportsOf")),
		EventsOf:       pages(lists.EventsOf, o.as("eventsOf")),
		Identities:     newLoader(credit.Identities, nil, o.as("identities")),
		Suppliers:      newLoader(credit.Suppliers, absent[lending.CustomerID]("customer"), o.as("suppliers")),
		Profiles:       newLoader(credit.Profiles, nil, o.as("profiles")),
		Overviews: newGrouped(SummaryKey.apart,
			func(ctx context.Context, ids []lending.CustomerID, want freshness) (map[lending.CustomerID]*service.Overview, error) {
				return credit.Overviews(ctx, ids, want.domain())
			}, absent[lending.CustomerID]("customer"), o.as("overviews")),
	}
}

func absent[K comparable](what string) func(K) error {
	return func(K) error { return lending.NotFound(what) }
}

type contextKey struct{}

// With puts the loaders of a response into its context.
func With(ctx context.Context, loaders *Loaders) context.Context {
	return context.WithValue(ctx, contextKey{}, loaders)
}

// From gives the loaders of a response. It panics where there are none: every response has them.
func From(ctx context.Context) *Loaders {
	loaders, ok := ctx.Value(contextKey{}).(*Loaders)
	if !ok {
		panic("loader: the context belongs to no response")
	}
	return loaders
}
