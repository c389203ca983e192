package model

import (
	"slices"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Scope is what a token may allow, as it stands in the token: "read:customers".
type Scope string

// The scopes.
const (
	ReadCustomers  Scope = "read:customers"
	WriteCustomers Scope = "write:customers"
	ReadLoans      Scope = "read:loans"
	WriteLoans     Scope = "write:loans"
	ReadPayments   Scope = "read:payments"
	WritePayments  Scope = "write:payments"
	ReadScores     Scope = "read:scores"
	WriteScores    Scope = "write:scores"
	ReadReports    Scope = "read:reports"
	WriteReports   Scope = "write:reports"
	ReadSuppliers  Scope = "read:suppliers"
	WriteSuppliers Scope = "write:suppliers"
	ReadEvents     Scope = "read:events"
	ReadPII        Scope = "read:pii"
	Operate        Scope = "operate"
)

// Scopes lists every scope.
func Scopes() []Scope {
	return []Scope{
		ReadCustomers, WriteCustomers, ReadLoans, WriteLoans, ReadPayments, WritePayments, ReadScores,
		WriteScores, ReadReports, WriteReports, ReadSuppliers, WriteSuppliers, ReadEvents, ReadPII, Operate,
	}
}

// Valid reports whether s is one of [Scopes].
func (s Scope) Valid() bool { return slices.Contains(Scopes(), s) }

// EnumValue is the scope's name in the schema: READ_CUSTOMERS.
func (s Scope) EnumValue() string {
	return strings.ToUpper(strings.ReplaceAll(string(s), ":", "_"))
}

// NodeScope is the scope that a token needs to find a node of a kind by its id; "" where every token may.
// The schema says the same with @nodeScope.
func NodeScope(kind lending.NodeKind) Scope {
	switch kind {
	case lending.CustomerNode, lending.DocumentNode:
		return ReadCustomers
	case lending.LoanNode, lending.OperationNode:
		return ReadLoans
	case lending.PaymentNode:
		return ReadPayments
	case lending.ScoreNode:
		return ReadScores
	case lending.ReportNode:
		return ReadReports
	case lending.SupplierNode:
		return ReadSuppliers
	case lending.EventNode:
		return ReadEvents
	case lending.WebhookNode:
		return Operate
	}
	return ""
}
