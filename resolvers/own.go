package resolvers

import (
	"context"
	"maps"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
	"github.com/creditgraph/creditgraph/internal/service"
)

// Listings are the lists that are not one owner's, and what is counted and summed over them.
type Listings interface {
	ListCustomers(ctx context.Context, filter lending.CustomerFilter, page lending.PageRequest) (lending.Page[*lending.Customer], error)
	CountCustomers(ctx context.Context, filter lending.CustomerFilter) (int, error)
	ListLoans(ctx context.Context, filter lending.LoanFilter, order lending.LoanOrder, page lending.PageRequest) (lending.Page[*lending.Loan], error)
	CountLoans(ctx context.Context, filter lending.LoanFilter) (int, error)
	LoanTotals(ctx context.Context, filter lending.LoanFilter) ([]lending.LoanTotals, error)
	ListOperations(ctx context.Context, filter lending.OperationFilter, page lending.PageRequest) (lending.Page[*lending.Operation], error)
	ListEvents(ctx context.Context, filter lending.EventFilter, page lending.PageRequest) (lending.Page[*lending.Event], error)
}

// Records is all that resolvers and loaders read of the store.
type Records interface {
	loader.Records
	loader.Lists
	Listings
	Identities(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error)
	Documents(ctx context.Context, ids []lending.DocumentID) (map[lending.DocumentID]*lending.Document, error)
	Webhooks(ctx context.Context, ids []lending.WebhookID) (map[lending.WebhookID]*lending.Webhook, error)
}

// own shows a customer's own token that customer's records and nothing else: what is another's is not there,
// in the same words and by the same statements as what does not exist. It names each read instead of embedding
// the records, so that a read which is added cannot pass it by.
type own struct{ all Records }

var _ Records = own{}

// nobody is the id of a customer, loan or operation that is never there: ids that the service makes are longer.
const nobody = "nobody"

// whose is the only customer whose data who asks may see; "" where nothing narrows.
func whose(ctx context.Context) lending.CustomerID {
	if p := auth.From(ctx); p != nil {
		return p.Customer
	}
	return ""
}

// notCustomers is FORBIDDEN for a customer's own token: for what is not of one customer.
func notCustomers(ctx context.Context) error {
	if whose(ctx) == "" {
		return nil
	}
	return &lending.Error{Kind: lending.KindForbidden, Outcome: lending.NotExecuted, Message: "This is not open to a customer's own token."}
}

// narrowed is the customer whom a filter may keep: of those it asks for, the token's own.
func narrowed(ctx context.Context, asked lending.CustomerID) lending.CustomerID {
	switch me := whose(ctx); me {
	case "", asked:
		return asked
	default:
		if asked == "" {
			return me
		}
		return nobody
	}
}

// theirs are those of the customers whom who asks may see.
func theirs(ctx context.Context, customers []lending.CustomerID) []lending.CustomerID {
	me := whose(ctx)
	if me == "" {
		return customers
	}
	for _, id := range customers {
		if id == me {
			return []lending.CustomerID{me}
		}
	}
	return nil
}

// visible leaves out of what was found what is another's.
func visible[K comparable, V any](ctx context.Context, found map[K]V, err error, owner func(V) lending.CustomerID) (map[K]V, error) {
	if me := whose(ctx); me != "" {
		maps.DeleteFunc(found, func(_ K, v V) bool { return owner(v) != me })
	}
	return found, err
}

func (o own) Customers(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]*lending.Customer, error) {
	found, err := o.all.Customers(ctx, ids)
	return visible(ctx, found, err, func(c *lending.Customer) lending.CustomerID { return c.ID })
}

func (o own) Loans(ctx context.Context, ids []lending.LoanID) (map[lending.LoanID]*lending.Loan, error) {
	found, err := o.all.Loans(ctx, ids)
	return visible(ctx, found, err, func(l *lending.Loan) lending.CustomerID { return l.CustomerID })
}

func (o own) Payments(ctx context.Context, ids []lending.PaymentID) (map[lending.PaymentID]*lending.Payment, error) {
	found, err := o.all.Payments(ctx, ids)
	return visible(ctx, found, err, func(p *lending.Payment) lending.CustomerID { return p.CustomerID })
}

func (o own) Scores(ctx context.Context, ids []lending.ScoreID) (map[lending.ScoreID]*lending.CreditScore, error) {
	found, err := o.all.Scores(ctx, ids)
	return visible(ctx, found, err, func(s *lending.CreditScore) lending.CustomerID { return s.CustomerID })
}

func (o own) Reports(ctx context.Context, ids []lending.ReportID) (map[lending.ReportID]*lending.CreditReport, error) {
	found, err := o.all.Reports(ctx, ids)
	return visible(ctx, found, err, func(r *lending.CreditReport) lending.CustomerID { return r.CustomerID })
}

func (o own) Operations(ctx context.Context, ids []lending.OperationID) (map[lending.OperationID]*lending.Operation, error) {
	found, err := o.all.Operations(ctx, ids)
	return visible(ctx, found, err, func(op *lending.Operation) lending.CustomerID { return op.CustomerID })
}

func (o own) Events(ctx context.Context, ids []lending.EventID) (map[lending.EventID]*lending.Event, error) {
	found, err := o.all.Events(ctx, ids)
	return visible(ctx, found, err, func(e *lending.Event) lending.CustomerID { return e.CustomerID })
}

func (o own) Documents(ctx context.Context, ids []lending.DocumentID) (map[lending.DocumentID]*lending.Document, error) {
	found, err := o.all.Documents(ctx, ids)
	return visible(ctx, found, err, func(d *lending.Document) lending.CustomerID { return d.CustomerID })
}

// Webhooks are of no customer.
func (o own) Webhooks(ctx context.Context, ids []lending.WebhookID) (map[lending.WebhookID]*lending.Webhook, error) {
	if err := notCustomers(ctx); err != nil {
		return nil, err
	}
	return o.all.Webhooks(ctx, ids)
}

func (o own) Identities(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error) {
	return o.all.Identities(ctx, theirs(ctx, customers))
}

func (o own) LoansOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Loan], error) {
	return o.all.LoansOf(ctx, theirs(ctx, customers), page)
}

func (o own) CountLoansOf(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID]int, error) {
	return o.all.CountLoansOf(ctx, theirs(ctx, customers))
}

// PaymentsOfLoans leaves a loan's page out where a payment on it is another's.
func (o own) PaymentsOfLoans(ctx context.Context, loans []lending.LoanID, page lending.PageRequest) (map[lending.LoanID]lending.Page[*lending.Payment], error) {
	found, err := o.all.PaymentsOfLoans(ctx, loans, page)
	return visible(ctx, found, err, func(page lending.Page[*lending.Payment]) lending.CustomerID {
		me := whose(ctx)
		for _, edge := range page.Edges {
			if edge.Node.CustomerID != me {
				return nobody
			}
		}
		return me
	})
}

func (o own) PaymentsOfCustomers(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Payment], error) {
	return o.all.PaymentsOfCustomers(ctx, theirs(ctx, customers), page)
}

func (o own) ScoresOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditScore], error) {
	return o.all.ScoresOf(ctx, theirs(ctx, customers), page)
}

func (o own) ReportsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditReport], error) {
	return o.all.ReportsOf(ctx, theirs(ctx, customers), page)
}

func (o own) EventsOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Event], error) {
	return o.all.EventsOf(ctx, theirs(ctx, customers), page)
}

func (o own) ListCustomers(ctx context.Context, filter lending.CustomerFilter, page lending.PageRequest) (lending.Page[*lending.Customer], error) {
	filter.Only = narrowed(ctx, filter.Only)
	return o.all.ListCustomers(ctx, filter, page)
}

func (o own) CountCustomers(ctx context.Context, filter lending.CustomerFilter) (int, error) {
	filter.Only = narrowed(ctx, filter.Only)
	return o.all.CountCustomers(ctx, filter)
}

func (o own) ListLoans(ctx context.Context, filter lending.LoanFilter, order lending.LoanOrder, page lending.PageRequest) (lending.Page[*lending.Loan], error) {
	filter.CustomerID = narrowed(ctx, filter.CustomerID)
	return o.all.ListLoans(ctx, filter, order, page)
}

func (o own) CountLoans(ctx context.Context, filter lending.LoanFilter) (int, error) {
	filter.CustomerID = narrowed(ctx, filter.CustomerID)
	return o.all.CountLoans(ctx, filter)
}

func (o own) LoanTotals(ctx context.Context, filter lending.LoanFilter) ([]lending.LoanTotals, error) {
	filter.CustomerID = narrowed(ctx, filter.CustomerID)
	return o.all.LoanTotals(ctx, filter)
}

func (o own) ListOperations(ctx context.Context, filter lending.OperationFilter, page lending.PageRequest) (lending.Page[*lending.Operation], error) {
	filter.CustomerID = narrowed(ctx, filter.CustomerID)
	return o.all.ListOperations(ctx, filter, page)
}

func (o own) ListEvents(ctx context.Context, filter lending.EventFilter, page lending.PageRequest) (lending.Page[*lending.Event], error) {
	filter.CustomerID = narrowed(ctx, filter.CustomerID)
	return o.all.ListEvents(ctx, filter, page)
}

// The inputs of mutations name what they act on by its id. An id of another's is exchanged for one that names
// nothing before the service sees it, so that the answer is the one for an id that does not exist.

// asOwner is the id of a customer as a mutation may use it.
func asOwner(ctx context.Context, text string) string {
	id, err := lending.ParseID[lending.CustomerID](lending.CustomerNode, text)
	if err != nil || whose(ctx) == "" || id == whose(ctx) {
		return text
	}
	return lending.GlobalID[string](lending.CustomerNode, nobody)
}

// asOwnerOf is asOwner for something that has an owner, which find gives to its owner alone.
func asOwnerOf[K ~string, V any](ctx context.Context, kind lending.NodeKind, text string, find func(context.Context, []K) (map[K]V, error)) (string, error) {
	id, err := lending.ParseID[K](kind, text)
	if err != nil || whose(ctx) == "" {
		return text, nil
	}
	found, err := find(ctx, []K{id})
	if _, there := found[id]; there || err != nil {
		return text, err
	}
	return lending.GlobalID[string](kind, nobody), nil
}

// acting runs an action on something that has an owner, by the id in its input.
func acting[I any, K ~string, V any](ctx context.Context, kind lending.NodeKind, id *string, input *I, find func(context.Context, []K) (map[K]V, error), act func(context.Context, service.Caller, I) (*service.Result, error)) (*service.Result, error) {
	var err error
	if *id, err = asOwnerOf(ctx, kind, *id, find); err != nil {
		return nil, err
	}
	return answered(ctx)(act(ctx, caller(ctx), *input))
}
