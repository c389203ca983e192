package model

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// DefaultPageSize is how many entries a page has when the request does not say.
const DefaultPageSize = 20

// PageInfo is where a page stands in its list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     string // "" for an empty page
	EndCursor       string // "" for an empty page
}

// Connection is a page of a list, as Relay has it. What is asked for seldom is a function, which runs
// only when the field is asked for.
type Connection[T any] struct {
	Edges    []lending.Edge[T]
	PageInfo PageInfo
	// Count counts the whole list; nil where nobody counts.
	Count func(ctx context.Context) (int, error)
}

// NewConnection shows a page.
func NewConnection[T any](page lending.Page[T]) *Connection[T] {
	c := &Connection[T]{
		Edges:    page.Edges,
		PageInfo: PageInfo{HasNextPage: page.HasNext, HasPreviousPage: page.HasPrevious},
	}
	if n := len(page.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = page.Edges[0].Cursor, page.Edges[n-1].Cursor
	}
	return c
}

// TotalCount counts the whole list; nil where nobody counts.
func (c *Connection[T]) TotalCount(ctx context.Context) (*int, error) {
	if c.Count == nil {
		return nil, nil
	}
	n, err := c.Count(ctx)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// LoanConnection is a page of loans, with sums over the whole list.
type LoanConnection struct {
	Connection[*lending.Loan]
	// Sums adds up the whole list; nil where nobody does.
	Sums func(ctx context.Context) ([]lending.LoanTotals, error)
}

// NewLoanConnection shows a page of loans.
func NewLoanConnection(page lending.Page[*lending.Loan]) *LoanConnection {
	return &LoanConnection{Connection: *NewConnection(page)}
}

// Totals adds up the whole list, one entry for each currency; nil where nobody does.
func (c *LoanConnection) Totals(ctx context.Context) ([]lending.LoanTotals, error) {
	if c.Sums == nil {
		return nil, nil
	}
	return c.Sums(ctx)
}

// The connections and edges of the graph by their names there.
type (
	CustomerConnection     = Connection[*lending.Customer]
	PaymentConnection      = Connection[*lending.Payment]
	CreditScoreConnection  = Connection[*lending.CreditScore]
	CreditReportConnection = Connection[*lending.CreditReport]
	OperationConnection    = Connection[*lending.Operation]
	EventConnection        = Connection[*lending.Event]
	EnquiryConnection      = Connection[lending.Enquiry]
	AuditRecordConnection  = Connection[*lending.AuditRecord]

	CustomerEdge     = lending.Edge[*lending.Customer]
	LoanEdge         = lending.Edge[*lending.Loan]
	PaymentEdge      = lending.Edge[*lending.Payment]
	CreditScoreEdge  = lending.Edge[*lending.CreditScore]
	CreditReportEdge = lending.Edge[*lending.CreditReport]
	OperationEdge    = lending.Edge[*lending.Operation]
	EventEdge        = lending.Edge[*lending.Event]
	EnquiryEdge      = lending.Edge[lending.Enquiry]
	AuditRecordEdge  = lending.Edge[*lending.AuditRecord]
)

// PageRequest reads the four arguments of a list; without first and last it asks for the first
// [DefaultPageSize]. What makes no sense is a [lending.Error] that lists each argument.
func PageRequest(first *int, after *string, last *int, before *string) (lending.PageRequest, error) {
	page := lending.PageRequest{After: value(after), Before: value(before)}
	if first != nil && last != nil {
		return lending.PageRequest{}, invalid("last", "Give first or last, not both.")
	}
	for name, size := range map[string]*int{"first": first, "last": last} {
		if size != nil && (*size < 1 || *size > lending.MaxPageSize) {
			return lending.PageRequest{}, invalid(name, "Ask for 1 to "+strconv.Itoa(lending.MaxPageSize)+" entries.")
		}
	}
	switch {
	case last != nil:
		page.Last = *last
	case first != nil:
		page.First = *first
	default:
		page.First = DefaultPageSize
	}
	return page, nil
}

// NewEnquiryConnection shows a part of a report's enquiries. A cursor that this list did not give is a
// [lending.Error].
func NewEnquiryConnection(report *lending.CreditReport, page lending.PageRequest) (*EnquiryConnection, error) {
	all := report.EnquiryList()
	from, to, err := window(len(all), page)
	if err != nil {
		return nil, err
	}
	part := lending.Page[lending.Enquiry]{HasPrevious: from > 0, HasNext: to < len(all)}
	for i := from; i < to; i++ {
		part.Edges = append(part.Edges, lending.Edge[lending.Enquiry]{Node: all[i], Cursor: placeCursor(i)})
	}
	c := NewConnection(part)
	c.Count = func(context.Context) (int, error) { return len(all), nil }
	return c, nil
}

// window is which of n entries a page has: from (inclusive) to (exclusive); none where from is not below to.
func window(n int, page lending.PageRequest) (from, to int, err error) {
	to = n
	if page.After != "" {
		if from, err = readPlace("after", page.After); err != nil {
			return 0, 0, err
		}
		from++
	}
	if page.Before != "" {
		if to, err = readPlace("before", page.Before); err != nil {
			return 0, 0, err
		}
	}
	from, to = min(from, n), min(to, n)
	if page.Backward() {
		return max(from, to-page.Last), to, nil
	}
	return from, min(to, from+page.First), nil
}

const placePrefix = "at:"

func placeCursor(place int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(placePrefix + strconv.Itoa(place)))
}

func readPlace(argument, cursor string) (int, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		if digits, ok := strings.CutPrefix(string(raw), placePrefix); ok {
			if place, err := strconv.ParseUint(digits, 10, 31); err == nil {
				return int(place), nil
			}
		}
	}
	return 0, invalid(argument, "Give a cursor of this list.")
}

func invalid(argument, message string) error {
	return lending.Invalid(lending.Problem{Kind: lending.KindValidation, Message: message, Field: []string{argument}})
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
