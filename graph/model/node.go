// Package model holds the shapes that only the graph has: connections, filters, the provider as it is
// shown, and who is asking. Everything else of the graph is package lending as it is.
package model

import "github.com/creditgraph/creditgraph/internal/lending"

// Node is an object with a global id. The names of the types that are nodes are the [lending.NodeKind]s.
type Node interface {
	NodeID() string
}

var (
	_ Node = (*lending.Customer)(nil)
	_ Node = (*lending.Loan)(nil)
	_ Node = (*lending.Payment)(nil)
	_ Node = (*lending.CreditScore)(nil)
	_ Node = (*lending.CreditReport)(nil)
	_ Node = (*lending.Supplier)(nil)
	_ Node = (*lending.Document)(nil)
	_ Node = (*lending.Webhook)(nil)
	_ Node = (*lending.Operation)(nil)
	_ Node = (*lending.Event)(nil)
	_ Node = (*Provider)(nil)
)
