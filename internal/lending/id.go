package lending

import (
	"encoding/base64"
	"errors"
	"strings"
)

// The ids of what the graph holds. Each is opaque; only [GlobalID] forms leave the service.
type (
	CustomerID  string
	LoanID      string
	PaymentID   string
	ScoreID     string
	ReportID    string
	OperationID string
	EventID     string
	DocumentID  string
	WebhookID   string
)

// NodeKind is the graph type that a global id names.
type NodeKind string

// The kinds of nodes.
const (
	CustomerNode  NodeKind = "Customer"
	LoanNode      NodeKind = "Loan"
	PaymentNode   NodeKind = "Payment"
	ScoreNode     NodeKind = "CreditScore"
	ReportNode    NodeKind = "CreditReport"
	SupplierNode  NodeKind = "Supplier"
	DocumentNode  NodeKind = "Document"
	WebhookNode   NodeKind = "Webhook"
	OperationNode NodeKind = "Operation"
	EventNode     NodeKind = "Event"
	ProviderNode  NodeKind = "Provider"
)

// ErrNotID says that a text is no global id, or one of another kind.
var ErrNotID = errors.New("not an id of this graph")

// GlobalID makes the opaque id of a node: unique over all kinds, safe in a URL, stable for ever.
func GlobalID[T ~string](kind NodeKind, id T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind) + ":" + string(id)))
}

// ParseGlobalID takes a global id apart; [ErrNotID] where the text is none.
func ParseGlobalID(text string) (NodeKind, string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(text) > 256 {
		return "", "", ErrNotID
	}
	kind, id, found := strings.Cut(string(raw), ":")
	if !found || id == "" || strings.ContainsFunc(id, notPrintable) {
		return "", "", ErrNotID
	}
	return NodeKind(kind), id, nil
}

// ParseID is ParseGlobalID for one kind: an id of another kind is [ErrNotID] too.
func ParseID[T ~string](kind NodeKind, text string) (T, error) {
	got, id, err := ParseGlobalID(text)
	if err != nil || got != kind {
		return "", ErrNotID
	}
	return T(id), nil
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }

// SupplierID is the global id of a supplier, who is kept by a provider and not by us: it names the
// customer, the provider and the provider's id.
func SupplierID(customer CustomerID, provider Provider, externalID string) string {
	return GlobalID(SupplierNode, string(customer)+":"+string(provider)+":"+externalID)
}

// ParseSupplierID takes a supplier's global id apart.
func ParseSupplierID(text string) (customer CustomerID, externalID string, ok bool) {
	id, err := ParseID[string](SupplierNode, text)
	if err != nil {
		return "", "", false
	}
	owner, rest, _ := strings.Cut(id, ":")
	_, externalID, ok = strings.Cut(rest, ":")
	return CustomerID(owner), externalID, ok && owner != "" && externalID != ""
}
