package model_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// fields are the paths of what a [lending.Error] says is wrong.
func fields(err error) [][]string {
	var paths [][]string
	if e := lending.AsError(err); e != nil {
		for _, problem := range e.Problems {
			paths = append(paths, problem.Field)
		}
	}
	return paths
}

func TestPageRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first, last   *int
		after, before *string
		want          lending.PageRequest
		wrong         [][]string
	}{
		"nothing":           {want: lending.PageRequest{First: 20}},
		"the first":         {first: new(3), after: new("a"), want: lending.PageRequest{First: 3, After: "a"}},
		"the last":          {last: new(100), before: new("b"), want: lending.PageRequest{Last: 100, Before: "b"}},
		"a cursor alone":    {after: new("a"), want: lending.PageRequest{First: 20, After: "a"}},
		"first and last":    {first: new(1), last: new(1), wrong: [][]string{{"last"}}},
		"none":              {first: new(0), wrong: [][]string{{"first"}}},
		"a negative number": {last: new(-1), wrong: [][]string{{"last"}}},
		"too many":          {first: new(101), wrong: [][]string{{"first"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := model.PageRequest(test.first, test.after, test.last, test.before)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.wrong, fields(err)); diff != "" {
				t.Errorf("what is wrong (-want +got):\n%s", diff)
			}
		})
	}
}

func report(enquiries int) *lending.CreditReport {
	content := &lending.ReportContent{}
	for i := range enquiries {
		content.Enquiries = append(content.Enquiries, lending.Enquiry{SerialNumber: fmt.Sprint(i)})
	}
	return &lending.CreditReport{Content: content}
}

// walk reads all pages of a report's enquiries, and gives the serial numbers in the list's order.
func walk(report *lending.CreditReport, size int, backward bool) ([]string, error) {
	var all []string
	page := lending.PageRequest{First: size}
	if backward {
		page = lending.PageRequest{Last: size}
	}
	for {
		c, err := model.NewEnquiryConnection(report, page)
		if err != nil {
			return nil, err
		}
		var part []string
		for _, edge := range c.Edges {
			part = append(part, edge.Node.SerialNumber)
		}
		more := c.PageInfo.HasNextPage
		if backward {
			all, more = append(part, all...), c.PageInfo.HasPreviousPage
		} else {
			all = append(all, part...)
		}
		if !more {
			return all, nil
		}
		page.After, page.Before = c.PageInfo.EndCursor, ""
		if backward {
			page.After, page.Before = "", c.PageInfo.StartCursor
		}
	}
}

func TestPagesOfEnquiriesAddUpToTheList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "enquiries")
		size := rapid.IntRange(1, 12).Draw(t, "page")
		var want []string
		for i := range n {
			want = append(want, fmt.Sprint(i))
		}
		got, err := walk(report(n), size, rapid.Bool().Draw(t, "backward"))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestEnquiriesAreCountedAndForeignCursorsRefused(t *testing.T) {
	t.Parallel()
	c, err := model.NewEnquiryConnection(report(3), lending.PageRequest{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.TotalCount(t.Context()); err != nil || n == nil || *n != 3 {
		t.Errorf("the total is %v, %v", n, err)
	}
	for argument, page := range map[string]lending.PageRequest{
		"after":  {First: 1, After: "bm9wZQ"},
		"before": {Last: 1, Before: "###"},
	} {
		_, err := model.NewEnquiryConnection(report(3), page)
		if diff := cmp.Diff([][]string{{argument}}, fields(err)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	past, err := model.NewEnquiryConnection(report(3), lending.PageRequest{First: 1, After: "YXQ6OTk"}) // at:99
	if err != nil || len(past.Edges) != 0 || past.PageInfo.HasNextPage {
		t.Errorf("behind the end there are %v, %v", past, err)
	}
}

func TestCountsAndSumsAreTakenOnlyWhereSomebodyTakesThem(t *testing.T) {
	t.Parallel()
	c := model.NewLoanConnection(lending.Page[*lending.Loan]{})
	if n, err := c.TotalCount(t.Context()); n != nil || err != nil {
		t.Errorf("nobody counted %v, %v", n, err)
	}
	if sums, err := c.Totals(t.Context()); sums != nil || err != nil {
		t.Errorf("nobody added up %v, %v", sums, err)
	}
	broken := errors.New("broken")
	c.Count = func(context.Context) (int, error) { return 0, broken }
	c.Sums = func(context.Context) ([]lending.LoanTotals, error) { return nil, broken }
	if n, err := c.TotalCount(t.Context()); n != nil || !errors.Is(err, broken) {
		t.Errorf("a count that failed is %v, %v", n, err)
	}
	if _, err := c.Totals(t.Context()); !errors.Is(err, broken) {
		t.Errorf("sums that failed give %v", err)
	}
}

func TestFiltersListAllThatIsWrong(t *testing.T) {
	t.Parallel()
	money := func(digits string, currency lending.Currency) *service.MoneyInput {
		return &service.MoneyInput{Amount: lending.MustDecimal(digits), Currency: currency}
	}
	_, err := (&model.LoanFilter{
		CustomerID: "nonsense", Principal: &model.MoneyRange{Min: money("1.005", lending.NGN), Max: money("1", lending.INR)},
	}).Domain()
	if diff := cmp.Diff([][]string{{"filter", "customerId"}, {"filter", "principal", "min", "amount"}}, fields(err)); diff != "" {
		t.Errorf("loans (-want +got):\n%s", diff)
	}
	_, err = (&model.LoanFilter{Principal: &model.MoneyRange{Min: money("1", lending.NGN), Max: money("1", lending.INR)}}).Domain()
	if diff := cmp.Diff([][]string{{"filter", "principal", "max", "currency"}}, fields(err)); diff != "" {
		t.Errorf("bounds of two currencies (-want +got):\n%s", diff)
	}
	loan := lending.GlobalID(lending.LoanNode, "1")
	_, err = (&model.OperationFilter{CustomerID: loan, LoanID: "x"}).Domain()
	if diff := cmp.Diff([][]string{{"filter", "customerId"}, {"filter", "loanId"}}, fields(err)); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	_, err = (&model.EventFilter{CustomerID: loan, LoanID: loan, OperationID: loan}).Domain()
	if diff := cmp.Diff([][]string{{"filter", "customerId"}, {"filter", "operationId"}}, fields(err)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestFiltersNarrowAsTheySay(t *testing.T) {
	t.Parallel()
	customer, loan, operation := lending.GlobalID(lending.CustomerNode, "c"), lending.GlobalID(lending.LoanNode, "l"), lending.GlobalID(lending.OperationNode, "o")
	operations, err := (&model.OperationFilter{
		Status: []lending.OperationStatus{lending.OpFailed}, Kinds: []lending.OperationKind{lending.OpPayInvoice},
		Providers: []lending.Provider{lending.Kredmint}, CustomerID: customer, LoanID: loan,
	}).Domain()
	wantOperations := lending.OperationFilter{
		Status: []lending.OperationStatus{lending.OpFailed}, Kinds: []lending.OperationKind{lending.OpPayInvoice},
		Providers: []lending.Provider{lending.Kredmint}, CustomerID: "c", LoanID: "l",
	}
	if diff := cmp.Diff(wantOperations, operations); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	events, err := (&model.EventFilter{
		Providers: []lending.Provider{lending.Carbon}, Types: []lending.EventType{lending.EventUser},
		CustomerID: customer, LoanID: loan, OperationID: operation,
	}).Domain()
	wantEvents := lending.EventFilter{
		Providers: []lending.Provider{lending.Carbon}, Types: []lending.EventType{lending.EventUser},
		CustomerID: "c", LoanID: "l", OperationID: "o",
	}
	if diff := cmp.Diff(wantEvents, events); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWhatIsLeftOutLeavesTheChoiceToTheService(t *testing.T) {
	t.Parallel()
	loans, loansErr := (*model.LoanFilter)(nil).Domain()
	operations, operationsErr := (*model.OperationFilter)(nil).Domain()
	events, eventsErr := (*model.EventFilter)(nil).Domain()
	if err := errors.Join(loansErr, operationsErr, eventsErr); err != nil {
		t.Fatal(err)
	}
	got := []any{loans, operations, events, (*model.LoanOrder)(nil).Domain(), (*model.FreshnessInput)(nil).Domain()}
	want := []any{
		lending.LoanFilter{},
		lending.OperationFilter{},
		lending.EventFilter{},
		lending.LoanOrder{Field: lending.ByCreatedAt, Descending: true},
		lending.Freshness{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOrderAndFreshness(t *testing.T) {
	t.Parallel()
	up := (&model.LoanOrder{Field: lending.ByPrincipal, Direction: model.Ascending}).Domain()
	if diff := cmp.Diff(lending.LoanOrder{Field: lending.ByPrincipal}, up); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	age := time.Minute
	for name, test := range map[string]struct {
		in   model.FreshnessInput
		want lending.Freshness
	}{
		"stale is welcome": {model.FreshnessInput{MaxAge: &age, AllowStale: new(true)}, lending.Freshness{MaxAge: &age}},
		"stale is refused": {model.FreshnessInput{AllowStale: new(false)}, lending.Freshness{RefuseStale: true}},
		"nothing is said":  {model.FreshnessInput{}, lending.Freshness{}},
	} {
		if diff := cmp.Diff(test.want, test.in.Domain()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, scope := range model.Scopes() {
		if !scope.Valid() {
			t.Errorf("%s is not valid", scope)
		}
	}
	if model.Scope("read:everything").Valid() || model.Scope("").Valid() {
		t.Error("a scope that is none is valid")
	}
	if model.NodeScope(lending.ProviderNode) != "" {
		t.Error("a provider needs a scope")
	}
}
