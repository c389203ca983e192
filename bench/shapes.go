package main

import (
	"encoding/json"
	"net/url"
)

// The sizes of the shapes.
const (
	tableRows     = 50
	tableLoans    = 3
	pageCustomers = 100
	pageLoans     = 10
)

// shape is one question, as a document of the graph and as an address of the plain handler.
type shape struct {
	name      string
	path      string
	document  string
	customers int // how many customers one request is about
}

// The documents are those of examples/operations, but for applyUrl, which carries a token that the plain
// handler has no business with.
var (
	summaryShape = shape{name: "summary", path: "/summary", customers: 1, document: `query CustomerCreditSummary($id: ID!) {
  customer(id: $id) { id fullName kycStatus creditSummary {
    asOf bestScore { ...Score } scores { ...Score }
    exposure { currency activeLoanCount outstanding { ...Money } overdue { ...Money } }
    creditLines { provider state limit { ...Money } available { ...Money } outstanding { ...Money } }
    bureau { reportNumber orderedOn openFacilities totalOutstanding { ...Money } amountOverdue { ...Money } enquiriesLast12Months }
    sources { provider status asOf error { code message retryable } }
  } }
}
fragment Score on CreditScore {
  id provider value scale { min max } normalized band riskCategory probabilityOfDefault recommendedLimit { ...Money }
  recommendedTenureDays factors { factor impact description } scoredAt validUntil
}
fragment Money on Money { amount minorUnits currency }`}

	tableShape = shape{name: "50-row table", path: "/table", customers: tableRows, document: `query CustomersTable($after: String) {
  customers(first: 50, after: $after) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      id fullName email phone status kycStatus createdAt
      creditSummary {
        bestScore { provider value normalized band }
        exposure { currency activeLoanCount outstanding { amount currency } overdue { amount currency } }
        sources { provider status }
      }
      loans(first: 3) { edges { node { id provider status principal { amount currency } } } }
    } }
  }
}`}

	pageShape = shape{name: "1,000-row page", path: "/page", customers: pageCustomers, document: `query LoansOfCustomers($after: String) {
  customers(first: 100, after: $after) {
    edges { node { id loans(first: 10) { edges { node { id provider status principal { amount currency } } } } } }
  }
}`}
)

// question is one request of a shape: a customer's id, or the cursor behind which a page begins.
type question struct {
	shape shape
	id    string
	after string
}

// body is what the graph is sent.
func (q question) body() ([]byte, error) {
	variables := map[string]any{}
	if q.id != "" {
		variables["id"] = q.id
	}
	if q.after != "" {
		variables["after"] = q.after
	}
	return json.Marshal(map[string]any{"query": q.shape.document, "variables": variables})
}

// address is what the plain handler is asked.
func (q question) address() string {
	return q.shape.path + "?" + url.Values{"id": {q.id}, "after": {q.after}}.Encode()
}
