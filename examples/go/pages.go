package main

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/creditgraph/creditgraph/examples/go/graph"
)

// page is what the walk over a list needs of one page.
type page[Node any] struct {
	nodes []Node
	more  bool
	end   *string
}

// everything walks over a list to its end, one page in memory at a time. The next page is asked for when the last one has
// been taken. An error is the last that is yielded.
func everything[Node any](ask func(after *string) (*page[Node], error)) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		var after *string
		for {
			read, err := ask(after)
			if err != nil {
				var none Node
				yield(none, err)
				return
			}
			for _, node := range read.nodes {
				if !yield(node, nil) {
					return
				}
			}
			if !read.more {
				return
			}
			after = read.end
		}
	}
}

type customer = *graph.CustomersTableCustomersCustomerConnectionEdgesCustomerEdgeNodeCustomer

func customers(ctx context.Context, s *session, first int) iter.Seq2[customer, error] {
	return everything(func(after *string) (*page[customer], error) {
		data, err := graph.CustomersTable(ctx, s.graph(), first, after, nil)
		if data == nil || data.Customers == nil {
			return nil, missing("customers", err)
		}
		read := &page[customer]{more: data.Customers.PageInfo.HasNextPage, end: data.Customers.PageInfo.EndCursor}
		for _, edge := range data.Customers.Edges {
			read.nodes = append(read.nodes, edge.Node)
		}
		return read, nil // an error that comes with data concerns parts of it
	})
}

type loan = *graph.PortfolioLoansLoanConnectionEdgesLoanEdgeNodeLoan

func loans(ctx context.Context, s *session, first int) iter.Seq2[loan, error] {
	return everything(func(after *string) (*page[loan], error) {
		data, err := graph.Portfolio(ctx, s.graph(), nil, &first, after)
		if data == nil || data.Loans == nil {
			return nil, missing("loans", err)
		}
		read := &page[loan]{more: data.Loans.PageInfo.HasNextPage, end: data.Loans.PageInfo.EndCursor}
		for _, edge := range data.Loans.Edges {
			read.nodes = append(read.nodes, edge.Node)
		}
		return read, nil
	})
}

// missing is why something that was asked for is not there.
func missing(what string, err error) error {
	if err == nil {
		return fmt.Errorf("%s: the answer has none", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func printCustomers(ctx context.Context, s *session, out io.Writer, first int) error {
	for one, err := range customers(ctx, s, first) {
		if err != nil {
			return err
		}
		fmt.Fprintln(out, deref(one.FullName), one.Id)
	}
	return nil
}

func printLoans(ctx context.Context, s *session, out io.Writer, first int) error {
	for one, err := range loans(ctx, s, first) {
		if err != nil {
			return err
		}
		fmt.Fprintln(out, one.Status, one.Principal.Amount, one.Principal.Currency, one.Id)
	}
	return nil
}

// printSummary prints a customer's standing. A provider that is down costs its part: its source says which, and why.
func printSummary(ctx context.Context, s *session, out io.Writer, id string) error {
	age, stale := "PT5M", true
	data, err := graph.CustomerCreditSummary(ctx, s.graph(), id, &graph.FreshnessInput{MaxAge: &age, AllowStale: &stale})
	if data == nil || data.Customer == nil || data.Customer.CreditSummary == nil {
		return missing("summary", err)
	}
	for _, owed := range data.Customer.CreditSummary.Exposure {
		fmt.Fprintln(out, "owes", owed.Outstanding.Amount, owed.Currency)
	}
	for _, source := range data.Customer.CreditSummary.Sources {
		why := ""
		if source.Error != nil {
			why = string(source.Error.Code)
		}
		fmt.Fprintln(out, source.Provider, source.Status, why)
	}
	return nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
