package loader

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// The service's store is a source of what is kept.
var (
	_ Records = service.Store(nil)
	_ Lists   = service.Store(nil)
)

// archive is a source that has everything but what is called "absent", and counts its calls.
type archive struct {
	mu    sync.Mutex
	calls map[string]int
}

var (
	_ Records = (*archive)(nil)
	_ Lists   = (*archive)(nil)
	_ Credit  = (*archive)(nil)
)

func (a *archive) count(call string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[call]++
}

func give[K ~string, V any](a *archive, call string, keys []K, of func(K) V) map[K]V {
	a.count(call)
	found := map[K]V{}
	for _, key := range keys {
		if key != "absent" {
			found[key] = of(key)
		}
	}
	return found
}

func paged[K ~string, V any](a *archive, call string, keys []K, page lending.PageRequest, of func(K) V) map[K]lending.Page[V] {
	return give(a, fmt.Sprintf("%s %d", call, page.Size()), keys, func(key K) lending.Page[V] {
		return lending.Page[V]{Edges: []lending.Edge[V]{{Node: of(key)}}, HasNext: page.First > 0}
	})
}

func customer(id lending.CustomerID) *lending.Customer { return &lending.Customer{ID: id} }
func loan[K ~string](id K) *lending.Loan               { return &lending.Loan{ID: lending.LoanID(id)} }

func payment[K ~string](id K) *lending.Payment { return &lending.Payment{ID: lending.PaymentID(id)} }

func score[K ~string](id K) *lending.CreditScore {
	return &lending.CreditScore{ID: lending.ScoreID(id)}
}

func report[K ~string](id K) *lending.CreditReport {
	return &lending.CreditReport{ID: lending.ReportID(id)}
}
func operation(id lending.OperationID) *lending.Operation { return &lending.Operation{ID: id} }
func event[K ~string](id K) *lending.Event                { return &lending.Event{ID: lending.EventID(id)} }

func (a *archive) Customers(_ context.Context, ids []lending.CustomerID) (map[lending.CustomerID]*lending.Customer, error) {
	return give(a, "customers", ids, customer), nil
}

func (a *archive) Loans(_ context.Context, ids []lending.LoanID) (map[lending.LoanID]*lending.Loan, error) {
	return give(a, "loans", ids, loan), nil
}

func (a *archive) Payments(_ context.Context, ids []lending.PaymentID) (map[lending.PaymentID]*lending.Payment, error) {
	return give(a, "payments", ids, payment), nil
}

func (a *archive) Scores(_ context.Context, ids []lending.ScoreID) (map[lending.ScoreID]*lending.CreditScore, error) {
	return give(a, "scores", ids, score), nil
}

func (a *archive) Reports(_ context.Context, ids []lending.ReportID) (map[lending.ReportID]*lending.CreditReport, error) {
	return give(a, "reports", ids, report), nil
}

func (a *archive) Operations(_ context.Context, ids []lending.OperationID) (map[lending.OperationID]*lending.Operation, error) {
	return give(a, "operations", ids, operation), nil
}

func (a *archive) Events(_ context.Context, ids []lending.EventID) (map[lending.EventID]*lending.Event, error) {
	return give(a, "events", ids, event), nil
}

func (a *archive) LoansOf(_ context.Context, ids []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Loan], error) {
	return paged(a, "loans of", ids, page, loan), nil
}

func (a *archive) CountLoansOf(_ context.Context, ids []lending.CustomerID) (map[lending.CustomerID]int, error) {
	return give(a, "count loans of", ids, func(id lending.CustomerID) int { return len(id) }), nil
}

func (a *archive) PaymentsOfLoans(_ context.Context, ids []lending.LoanID, page lending.PageRequest) (map[lending.LoanID]lending.Page[*lending.Payment], error) {
	return paged(a, "payments of loans", ids, page, payment), nil
}

func (a *archive) PaymentsOfCustomers(_ context.Context, ids []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Payment], error) {
	return paged(a, "payments of customers", ids, page, payment), nil
}

func (a *archive) ScoresOf(_ context.Context, ids []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditScore], error) {
	return paged(a, "scores of", ids, page, score), nil
}

func (a *archive) ReportsOf(_ context.Context, ids []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditReport], error) {
	return paged(a, "reports of", ids, page, report), nil
}

func (a *archive) EventsOf(_ context.Context, ids []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.Event], error) {
	return paged(a, "events of", ids, page, event), nil
}

func (a *archive) Identities(_ context.Context, ids []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error) {
	return give(a, "identities", ids, func(id lending.CustomerID) []lending.Identity {
		return []lending.Identity{{CustomerID: id}}
	}), nil
}

func (a *archive) Overviews(_ context.Context, ids []lending.CustomerID, want lending.Freshness) (map[lending.CustomerID]*service.Overview, error) {
	age := "any"
	if want.MaxAge != nil {
		age = want.MaxAge.String()
	}
	return give(a, fmt.Sprintf("summaries %s %t", age, want.RefuseStale), ids, func(id lending.CustomerID) *service.Overview {
		return &service.Overview{Summary: &lending.CreditSummary{CustomerID: id}}
	}), nil
}

func (a *archive) Profiles(_ context.Context, ids []lending.CustomerID) (map[lending.CustomerID]lending.Fetched[lending.Profile], error) {
	return give(a, "profiles", ids, func(id lending.CustomerID) lending.Fetched[lending.Profile] {
		return lending.Fetched[lending.Profile]{Value: lending.Profile{ExternalID: string(id)}}
	}), nil
}

func (a *archive) Suppliers(_ context.Context, ids []lending.CustomerID) (map[lending.CustomerID]lending.Fetched[[]lending.Supplier], error) {
	return give(a, "suppliers", ids, func(id lending.CustomerID) lending.Fetched[[]lending.Supplier] {
		return lending.Fetched[[]lending.Supplier]{Value: []lending.Supplier{{CustomerID: id}}}
	}), nil
}

// asked loads one key from every loader, and returns the names of those that gave another's value.
func (l *Loaders) asked(ctx context.Context, id string) (wrong []string) {
	first, last := lending.PageRequest{First: 10}, lending.PageRequest{Last: 3}
	check := func(name, got string, err error) {
		if got != id || err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %q, %v", name, got, err))
		}
	}
	c := lending.CustomerID(id)
	one, err := l.Customers.Load(ctx, c)
	check("customer", string(one.ID), err)
	two, err := l.Loans.Load(ctx, lending.LoanID(id))
	check("loan", string(two.ID), err)
	three, err := l.Payments.Load(ctx, lending.PaymentID(id))
	check("payment", string(three.ID), err)
	four, err := l.Scores.Load(ctx, lending.ScoreID(id))
	check("score", string(four.ID), err)
	five, err := l.Reports.Load(ctx, lending.ReportID(id))
	check("report", string(five.ID), err)
	six, err := l.Operations.Load(ctx, lending.OperationID(id))
	check("operation", string(six.ID), err)
	seven, err := l.Events.Load(ctx, lending.EventID(id))
	check("event", string(seven.ID), err)
	for _, page := range []lending.PageRequest{first, last} {
		loans, err := l.LoansOf.Load(ctx, PageKey[lending.CustomerID]{c, page})
		check("loans of", string(loans.Edges[0].Node.ID), err)
		ofLoan, err := l.PaymentsOfLoan.Load(ctx, PageKey[lending.LoanID]{lending.LoanID(id), page})
		check("payments of loan", string(ofLoan.Edges[0].Node.ID), err)
		ofCustomer, err := l.PaymentsOf.Load(ctx, PageKey[lending.CustomerID]{c, page})
		check("payments of customer", string(ofCustomer.Edges[0].Node.ID), err)
		scores, err := l.ScoresOf.Load(ctx, PageKey[lending.CustomerID]{c, page})
		check("scores of", string(scores.Edges[0].Node.ID), err)
		reports, err := l.ReportsOf.Load(ctx, PageKey[lending.CustomerID]{c, page})
		check("reports of", string(reports.Edges[0].Node.ID), err)
		events, err := l.EventsOf.Load(ctx, PageKey[lending.CustomerID]{c, page})
		check("events of", string(events.Edges[0].Node.ID), err)
	}
	n, err := l.CountLoansOf.Load(ctx, c)
	check("count", id[:n], err)
	identities, err := l.Identities.Load(ctx, c)
	check("identities", string(identities[0].CustomerID), err)
	suppliers, err := l.Suppliers.Load(ctx, c)
	check("suppliers", string(suppliers.Value[0].CustomerID), err)
	for _, want := range []lending.Freshness{{}, {MaxAge: new(time.Minute)}, {MaxAge: new(time.Duration(0)), RefuseStale: true}} {
		summary, err := l.Overviews.Load(ctx, NewSummaryKey(c, want))
		check("summary", string(summary.Summary.CustomerID), err)
	}
	return wrong
}

func TestCallsDoNotDependOnTheNumberOfParents(t *testing.T) {
	t.Parallel()
	want := map[string]int{
		"customers": 1, "loans": 1, "payments": 1, "scores": 1, "reports": 1, "operations": 1, "events": 1,
		"loans of 10": 1, "loans of 3": 1, "payments of loans 10": 1, "payments of loans 3": 1,
		"payments of customers 10": 1, "payments of customers 3": 1, "scores of 10": 1, "scores of 3": 1,
		"reports of 10": 1, "reports of 3": 1, "events of 10": 1, "events of 3": 1,
		"count loans of": 1, "identities": 1, "suppliers": 1,
		"summaries any false": 1, "summaries 1m0s false": 1, "summaries 0s true": 1,
	}
	for _, parents := range []int{1, 50} {
		t.Run(fmt.Sprint(parents), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &archive{calls: map[string]int{}}
				loaders := New(Source{Records: a, Lists: a, Credit: a})
				var group sync.WaitGroup
				for i := range parents {
					group.Go(func() {
						for _, wrong := range loaders.asked(t.Context(), fmt.Sprint("id", i)) {
							t.Error(wrong)
						}
					})
				}
				group.Wait()
				if diff := cmp.Diff(want, a.calls); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestWhatIsAbsent(t *testing.T) {
	t.Parallel()
	a := &archive{calls: map[string]int{}}
	l := New(Source{Records: a, Lists: a, Credit: a})
	ctx, page := t.Context(), lending.PageRequest{First: 1}
	for name, load := range map[string]func() error{
		"customer": func() error { _, err := l.Customers.Load(ctx, "absent"); return err },
		"loan":     func() error { _, err := l.Loans.Load(ctx, "absent"); return err },
		"event":    func() error { _, err := l.Events.Load(ctx, "absent"); return err },
		"summary": func() error {
			_, err := l.Overviews.Load(ctx, NewSummaryKey("absent", lending.Freshness{}))
			return err
		},
		"suppliers": func() error { _, err := l.Suppliers.Load(ctx, "absent"); return err },
	} {
		if err := load(); !lending.IsNotFound(err) {
			t.Errorf("%s: %v, want NOT_FOUND", name, err)
		}
	}
	if loans, err := l.LoansOf.Load(ctx, PageKey[lending.CustomerID]{"absent", page}); err != nil || len(loans.Edges) != 0 {
		t.Errorf("loans: %v, %v, want an empty page", loans, err)
	}
	if n, err := l.CountLoansOf.Load(ctx, "absent"); err != nil || n != 0 {
		t.Errorf("count: %d, %v, want 0", n, err)
	}
	if list, err := l.Identities.Load(ctx, "absent"); err != nil || len(list) != 0 {
		t.Errorf("identities: %v, %v, want none", list, err)
	}
}

func TestASummaryKeyIsItsFreshness(t *testing.T) {
	t.Parallel()
	for _, want := range []lending.Freshness{
		{}, {RefuseStale: true}, {MaxAge: new(time.Duration(0))}, {MaxAge: new(time.Hour), RefuseStale: true},
	} {
		same := want
		if want.MaxAge != nil {
			same.MaxAge = new(*want.MaxAge)
		}
		key := NewSummaryKey("c", want)
		if key != NewSummaryKey("c", same) || key == NewSummaryKey("d", want) {
			t.Errorf("%v does not equal itself alone", want)
		}
		if diff := cmp.Diff(want, key.want.domain()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if NewSummaryKey("c", lending.Freshness{}) == NewSummaryKey("c", lending.Freshness{MaxAge: new(time.Duration(0))}) {
		t.Error("any age and no age are one key")
	}
}

func TestLoadersTravelInTheContext(t *testing.T) {
	t.Parallel()
	l := &Loaders{}
	if From(With(t.Context(), l)) != l {
		t.Error("the loaders are lost")
	}
	defer func() {
		if recover() == nil {
			t.Error("loaders come of nothing")
		}
	}()
	From(t.Context())
}
