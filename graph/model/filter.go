package model

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// LoanFilter is a [lending.LoanFilter] as clients send it, with global ids and unchecked amounts.
type LoanFilter struct {
	Providers  []lending.Provider
	Status     []lending.LoanStatus
	CustomerID string
	CreatedAt  *lending.TimeRange
	Principal  *MoneyRange
	Overdue    *bool
	Conflict   *bool
}

// MoneyRange is a [lending.MoneyRange] as clients send it.
type MoneyRange struct {
	Min *service.MoneyInput
	Max *service.MoneyInput
}

// Domain checks the filter; nil does not narrow. The error is a [lending.Error] that lists what is wrong.
func (f *LoanFilter) Domain() (lending.LoanFilter, error) {
	if f == nil {
		return lending.LoanFilter{}, nil
	}
	var c checker
	filter := lending.LoanFilter{
		Providers: f.Providers, Status: f.Status, Overdue: f.Overdue, Conflict: f.Conflict,
		CustomerID: checkID[lending.CustomerID](&c, "customerId", lending.CustomerNode, f.CustomerID),
		CreatedAt:  value(f.CreatedAt),
		Principal:  c.moneyRange("principal", f.Principal),
	}
	return filter, c.err()
}

// OperationFilter is a [lending.OperationFilter] as clients send it, with global ids.
type OperationFilter struct {
	Status     []lending.OperationStatus
	Kinds      []lending.OperationKind
	Providers  []lending.Provider
	CustomerID string
	LoanID     string
}

// Domain checks the filter; nil does not narrow. The error is a [lending.Error] that lists what is wrong.
func (f *OperationFilter) Domain() (lending.OperationFilter, error) {
	if f == nil {
		return lending.OperationFilter{}, nil
	}
	var c checker
	filter := lending.OperationFilter{
		Status: f.Status, Kinds: f.Kinds, Providers: f.Providers,
		CustomerID: checkID[lending.CustomerID](&c, "customerId", lending.CustomerNode, f.CustomerID),
		LoanID:     checkID[lending.LoanID](&c, "loanId", lending.LoanNode, f.LoanID),
	}
	return filter, c.err()
}

// EventFilter is a [lending.EventFilter] as clients send it, with global ids.
type EventFilter struct {
	Providers   []lending.Provider
	Types       []lending.EventType
	CustomerID  string
	LoanID      string
	OperationID string
}

// Domain checks the filter; nil does not narrow. The error is a [lending.Error] that lists what is wrong.
func (f *EventFilter) Domain() (lending.EventFilter, error) {
	if f == nil {
		return lending.EventFilter{}, nil
	}
	var c checker
	filter := lending.EventFilter{
		Providers: f.Providers, Types: f.Types,
		CustomerID:  checkID[lending.CustomerID](&c, "customerId", lending.CustomerNode, f.CustomerID),
		LoanID:      checkID[lending.LoanID](&c, "loanId", lending.LoanNode, f.LoanID),
		OperationID: checkID[lending.OperationID](&c, "operationId", lending.OperationNode, f.OperationID),
	}
	return filter, c.err()
}

// AuditFilter is a [lending.AuditFilter] as clients send it, with global ids.
type AuditFilter struct {
	Actions    []lending.AuditAction
	ClientID   string
	RequestID  string
	CustomerID string
	At         *lending.TimeRange
}

// Domain checks the filter; nil does not narrow. The error is a [lending.Error] that lists what is wrong.
func (f *AuditFilter) Domain() (lending.AuditFilter, error) {
	if f == nil {
		return lending.AuditFilter{}, nil
	}
	var c checker
	filter := lending.AuditFilter{
		Actions: f.Actions, ClientID: f.ClientID, RequestID: f.RequestID, At: value(f.At),
		CustomerID: checkID[lending.CustomerID](&c, "customerId", lending.CustomerNode, f.CustomerID),
	}
	return filter, c.err()
}

// OrderDirection is the direction of an order.
type OrderDirection string

// The directions.
const (
	Ascending  OrderDirection = "ASC"
	Descending OrderDirection = "DESC"
)

// LoanOrder is a [lending.LoanOrder] as clients send it.
type LoanOrder struct {
	Field     lending.LoanOrderField
	Direction OrderDirection
}

// Domain is the order; newest first for nil.
func (o *LoanOrder) Domain() lending.LoanOrder {
	if o == nil {
		return lending.LoanOrder{Field: lending.ByCreatedAt, Descending: true}
	}
	return lending.LoanOrder{Field: o.Field, Descending: o.Direction != Ascending}
}

// FreshnessInput is a [lending.Freshness] as clients send it.
type FreshnessInput struct {
	MaxAge     *time.Duration
	AllowStale *bool
}

// Domain is the freshness; what the cache policy says for nil.
func (f *FreshnessInput) Domain() lending.Freshness {
	if f == nil {
		return lending.Freshness{}
	}
	return lending.Freshness{MaxAge: f.MaxAge, RefuseStale: f.AllowStale != nil && !*f.AllowStale}
}

// checker collects what is wrong with a filter.
type checker struct{ problems []lending.Problem }

func (c *checker) refuse(message string, path ...string) {
	c.problems = append(c.problems, lending.Problem{
		Kind: lending.KindValidation, Message: message, Field: append([]string{"filter"}, path...),
	})
}

func (c *checker) err() error {
	if len(c.problems) == 0 {
		return nil
	}
	return lending.Invalid(c.problems...)
}

func (c *checker) moneyRange(name string, in *MoneyRange) lending.MoneyRange {
	if in == nil {
		return lending.MoneyRange{}
	}
	r := lending.MoneyRange{Min: c.money(in.Min, name, "min"), Max: c.money(in.Max, name, "max")}
	if r.Min != nil && r.Max != nil && r.Min.Currency() != r.Max.Currency() {
		c.refuse("Give both bounds in one currency.", name, "max", "currency")
	}
	return r
}

// money reads a bound. The scalars have seen to it that the currency is one.
func (c *checker) money(in *service.MoneyInput, path ...string) *lending.Money {
	if in == nil {
		return nil
	}
	m, err := lending.ParseMoney(in.Amount.String(), in.Currency)
	if err != nil {
		c.refuse("Give an amount under 90 trillion, with no more decimal places than its currency has.", append(path, "amount")...)
		return nil
	}
	return &m
}

// checkID reads a global id; "" is none.
func checkID[T ~string](c *checker, name string, kind lending.NodeKind, text string) T {
	if text == "" {
		return ""
	}
	id, err := lending.ParseID[T](kind, text)
	if err != nil {
		c.refuse("Give the id of a "+string(kind)+", as this graph gave it.", name)
	}
	return id
}
