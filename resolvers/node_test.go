package resolvers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/store"
)

// everything saves one object of each kind, and gives its id and the scope that shows it.
func (b *bench) everything() map[lending.NodeKind]struct {
	id    string
	scope auth.Scope
} {
	b.Helper()
	ctx, now := b.Context(), time.Now()
	customer := b.customer("c1", "KREDMINT", "9876543210")
	loan := b.loan("l1", "c1")
	payment := &lending.Payment{
		ID: "p1", LoanID: "l1", CustomerID: "c1", Provider: lending.Kredete, Status: lending.PaymentPending,
		Amount: lending.MustMoney("1", lending.NGN), CreatedAt: now, UpdatedAt: now,
	}
	b.must(b.store.SavePayment(ctx, payment))
	score := &lending.CreditScore{ID: "s1", CustomerID: "c1", Provider: lending.OnePipe, Value: lending.NewDecimal(9, 0), ScoredAt: now}
	b.must(b.store.SaveScore(ctx, score))
	report := &lending.CreditReport{ID: "r1", CustomerID: "c1", Provider: lending.TrustDecision, Status: lending.ReportOrdered, OrderedAt: now}
	b.must(b.store.SaveReport(ctx, report))
	document := &lending.Document{ID: "d1", CustomerID: "c1", Provider: lending.Kredmint, Kind: lending.InvoiceDocument, CreatedAt: now}
	b.must(b.store.SaveDocument(ctx, document))
	hook := &lending.Webhook{ID: "w1", Provider: lending.Kredete, URL: "https://hooks.example.com", CreatedAt: now}
	b.must(b.store.SaveWebhook(ctx, hook))
	event := &lending.Event{ID: "e1", Type: lending.EventNACH, Provider: lending.Kredmint, Source: lending.FromWebhook, OccurredAt: now, ReceivedAt: now}
	b.must(b.store.AppendEvents(ctx, event))
	b.supplied("9876543210", "SUPB-1", "SUPB-2")
	return map[lending.NodeKind]struct {
		id    string
		scope auth.Scope
	}{
		lending.CustomerNode:  {customer, auth.ReadCustomers},
		lending.LoanNode:      {loan.NodeID(), auth.ReadLoans},
		lending.PaymentNode:   {payment.NodeID(), auth.ReadPayments},
		lending.ScoreNode:     {score.NodeID(), auth.ReadScores},
		lending.ReportNode:    {report.NodeID(), auth.ReadReports},
		lending.SupplierNode:  {lending.SupplierID("c1", lending.Kredmint, "SUPB-2"), auth.ReadSuppliers},
		lending.DocumentNode:  {document.NodeID(), auth.ReadCustomers},
		lending.WebhookNode:   {hook.NodeID(), auth.Operate},
		lending.OperationNode: {b.operation("o1", func(o *lending.Operation) { o.LoanID = "l1" }), auth.ReadLoans},
		lending.EventNode:     {event.NodeID(), auth.ReadEvents},
		lending.ProviderNode:  {lending.GlobalID(lending.ProviderNode, lending.Carbon), ""},
	}
}

const nodeQuery = `query($id: ID!) { node(id: $id) { __typename id } }`

func TestEveryObjectIsFoundByItsIDWithItsScope(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for kind, object := range b.everything() {
		t.Run(string(kind), func(t *testing.T) {
			b := b.in(t)
			scope := object.scope
			if scope == "" {
				scope = auth.ReadPII // any will do
			}
			got := b.ask(nodeQuery, map[string]any{"id": object.id}, scope)
			want := map[string]any{"node": map[string]any{"__typename": string(kind), "id": object.id}}
			if diff := cmp.Diff(want, got.Data); diff != "" {
				t.Errorf("%s (-want +got):\n%s", got.text, diff)
			}
			var others []auth.Scope
			for _, s := range auth.Scopes() {
				if s != object.scope {
					others = append(others, s)
				}
			}
			got = b.ask(nodeQuery, map[string]any{"id": object.id}, others...)
			if seen := got.Data["node"] != nil; seen != (object.scope == "") || !seen && got.codes()[0] != "FORBIDDEN" {
				t.Errorf("without %s: %s", object.scope, got.text)
			}
		})
	}
}

func TestAnIDThatNamesNothingIsNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.everything()
	ids := map[string]string{
		"no id": "abc", "nothing": "", "another kind": lending.GlobalID[string]("Bank", "x"),
		"a supplier without a provider": lending.GlobalID[string](lending.SupplierNode, "c1"),
		"another supplier":              lending.SupplierID("c1", lending.Kredmint, "SUPB-9"),
		"a supplier of nobody":          lending.SupplierID("c9", lending.Kredmint, "SUPB-1"),
		"another provider":              lending.GlobalID[string](lending.ProviderNode, "STRIPE"),
	}
	for _, kind := range []lending.NodeKind{
		lending.CustomerNode, lending.LoanNode, lending.PaymentNode, lending.ScoreNode, lending.ReportNode, lending.DocumentNode,
		lending.WebhookNode, lending.OperationNode, lending.EventNode,
	} {
		ids[string(kind)] = lending.GlobalID(kind, "nothing")
	}
	for name, id := range ids {
		t.Run(name, func(t *testing.T) {
			got := b.in(t).ask(nodeQuery, map[string]any{"id": id})
			if diff := cmp.Diff([]string{"NOT_FOUND"}, got.codes()); diff != "" || got.Data["node"] != nil {
				t.Errorf("answered %s", got.text)
			}
		})
	}
	got := b.ask(`query($id: ID!) { loan(id: $id) { id } customer(id: $id) { id } }`, map[string]any{"id": lending.GlobalID[string](lending.EventNode, "e1")})
	if diff := cmp.Diff([]string{"NOT_FOUND", "NOT_FOUND"}, got.codes()); diff != "" {
		t.Errorf("an id of another kind: %s", got.text)
	}
}

func TestASupplierWhoseProviderDoesNotAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.customer("c1", "KREDMINT", "9876543210")
	b.suppliers.answers["9876543210"] = lending.Fetched[[]lending.Supplier]{
		Status: lending.SourceUnavailable, Err: &lending.Error{Kind: lending.KindTimeout, Provider: lending.Kredmint, Retryable: true},
	}
	got := b.ask(nodeQuery, map[string]any{"id": lending.SupplierID("c1", lending.Kredmint, "SUPB-1")})
	if diff := cmp.Diff([]string{"TIMEOUT"}, got.codes()); diff != "" {
		t.Errorf("answered %s", got.text)
	}
}

const nodesQuery = `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`

func TestManyObjectsAreFoundEachForItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.everything()
	ids := []string{all[lending.LoanNode].id, "abc", all[lending.PaymentNode].id, all[lending.LoanNode].id, lending.GlobalID[string](lending.LoanNode, "l9")}
	got := b.ask(nodesQuery, map[string]any{"ids": ids}, auth.ReadLoans)
	loan := map[string]any{"id": ids[0]}
	if diff := cmp.Diff([]any{loan, nil, nil, loan, nil}, got.Data["nodes"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"NOT_FOUND", "FORBIDDEN", "NOT_FOUND"}, got.codes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = b.ask(nodesQuery, map[string]any{"ids": make([]string, 101)})
	if diff := cmp.Diff([]string{"COMPLEXITY_LIMIT"}, got.codes()); diff != "" {
		t.Errorf("101 of them: %s", got.text)
	}
}

func TestManyObjectsAreReadTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.customer("c1")
	var ids []string
	for i := range 60 {
		ids = append(ids, b.loan(lending.LoanID(fmt.Sprint("l", i)), "c1").NodeID())
	}
	count := func(ids []string) int {
		r := b.request(nodesQuery, map[string]any{"ids": ids})
		ctx, statements := store.CountStatements(r.Context())
		if got := b.send(r.WithContext(ctx)); len(got.Errors) != 0 {
			t.Fatal(got.text)
		}
		return statements()
	}
	if one, many := count(ids[:1]), count(ids); many > one+10 { // a busy machine may need some batches
		t.Errorf("one takes %d statements, %d take %d", one, len(ids), many)
	}
}

func TestWhatCameOfAnOperation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.everything()
	for name, test := range map[string]struct {
		change func(*lending.Operation)
		want   lending.NodeKind
		scope  auth.Scope
	}{
		"a loan":     {func(o *lending.Operation) { o.LoanID = "l1" }, lending.LoanNode, ""},
		"a decision": {func(o *lending.Operation) { o.Kind, o.LoanID = lending.OpDisburseLoan, "l1" }, lending.LoanNode, ""},
		"a customer": {func(o *lending.Operation) { o.Kind, o.EntityID = lending.OpCreateCustomer, "c1" }, lending.CustomerNode, auth.ReadCustomers},
		"a payment": {
			func(o *lending.Operation) { o.Kind, o.LoanID, o.EntityID = lending.OpRecordPayment, "l1", "p1" }, lending.PaymentNode, auth.ReadPayments,
		},
		"a score":    {func(o *lending.Operation) { o.Kind, o.EntityID = lending.OpRequestCreditScore, "s1" }, lending.ScoreNode, auth.ReadScores},
		"a report":   {func(o *lending.Operation) { o.Kind, o.EntityID = lending.OpOrderCreditReport, "r1" }, lending.ReportNode, auth.ReadReports},
		"a document": {func(o *lending.Operation) { o.Kind, o.EntityID = lending.OpUploadDocument, "d1" }, lending.DocumentNode, auth.ReadCustomers},
		"a webhook":  {func(o *lending.Operation) { o.Kind, o.EntityID = lending.OpRegisterWebhook, "w1" }, lending.WebhookNode, auth.Operate},
		"a supplier": {func(o *lending.Operation) {
			o.Kind, o.CustomerID, o.Provider, o.EntityID = lending.OpCreateSupplier, "c1", lending.Kredmint, "SUPB-2"
		}, lending.SupplierNode, auth.ReadSuppliers},
		"nothing yet":           {func(o *lending.Operation) { o.Kind = lending.OpCreateSupplier }, "", ""},
		"a score not there yet": {func(o *lending.Operation) { o.Kind, o.EntityID = lending.OpRequestCreditScore, "s9" }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			id := b.operation(lending.OperationID(name), test.change)
			query := `query($id: ID!) { operation(id: $id) { result { __typename id } } }`
			var want any
			if test.want != "" {
				want = map[string]any{"__typename": string(test.want), "id": all[test.want].id}
			}
			got := b.ask(query, map[string]any{"id": id})
			if diff := cmp.Diff(map[string]any{"operation": map[string]any{"result": want}}, got.Data); diff != "" || len(got.Errors) != 0 {
				t.Errorf("%s (-want +got):\n%s", got.text, diff)
			}
			if test.scope == "" {
				return
			}
			got = b.ask(query, map[string]any{"id": id}, auth.ReadLoans)
			if diff := cmp.Diff(map[string]any{"operation": map[string]any{"result": nil}}, got.Data); diff != "" || len(got.Errors) != 0 {
				t.Errorf("without %s: %s", test.scope, got.text)
			}
		})
	}
}
