package resolvers_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// audited are the audit records that there are, the newest first, when no more will come; those of the fixture
// are left out.
func (b *bench) audited() []lending.AuditRecord {
	b.Helper()
	b.must(b.auditor.Stop(b.Context()))
	page, err := b.store.ListAudit(b.Context(), lending.AuditFilter{}, lending.PageRequest{First: 100})
	b.must(err)
	var records []lending.AuditRecord
	for _, edge := range page.Edges {
		if edge.Node.RequestID != "q1" {
			records = append(records, *edge.Node)
		}
	}
	return records
}

// sameAudit compares audit records but for what differs each time.
func sameAudit(t *testing.T, got, want []lending.AuditRecord) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(lending.AuditRecord{}, "ID", "At", "RequestID")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const personalQuery = `query Look($id: ID!) { customer(id: $id) {
	phone email address { city } identification { number } identities { externalId }
	creditReports { edges { node { bvn subject { phone identification { number } } } } }
	creditSummary { creditLines { applyUrl } }
	suppliers { mobile email taxId }
} }`

func TestEachLookAtPersonalDataIsWrittenDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.fullWorld("1").Customer.NodeID()
	r := b.request(personalQuery, map[string]any{"id": id})
	r.Header.Set("X-Request-Id", "the-request")
	if got := b.send(r); !strings.Contains(got.text, "+2348012345678") || !strings.Contains(got.text, "apply.example.com") {
		t.Fatal(got.text)
	}
	records := b.audited()
	sameAudit(t, records, []lending.AuditRecord{{
		ClientID: "web", Action: lending.AuditLook, OperationName: "Look", CustomerID: "c1", Fields: []string{
			"CreditLine.applyUrl", "CreditReport.bvn", "Customer.email", "Customer.phone", "Identification.number", "Identity.externalId",
			"ReportSubject.phone", "Supplier.email", "Supplier.mobile", "Supplier.taxId",
		},
	}})
	if records[0].RequestID != "the-request" || time.Since(records[0].At) > time.Hour {
		t.Errorf("the record is %+v", records[0])
	}
}

func TestMaskedDataLeavesNoRecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.fullWorld("1").Customer.NodeID()
	got := b.ask(personalQuery, map[string]any{"id": id}, auth.ReadCustomers, auth.ReadReports, auth.ReadLoans, auth.ReadSuppliers)
	for _, secret := range []string{"2348012345678", "ada@", "shop@", "12345678901", "9876543211", "22370756505", "apply.example.com", "29ABCDE1234F1Z5", "08012345678"} {
		if strings.Contains(got.text, secret) {
			t.Errorf("without read:pii %s is shown: %s", secret, got.text)
		}
	}
	for _, masked := range []string{"**********5678", "a***@example.com", "*******6505", `"applyUrl":null`} {
		if !strings.Contains(got.text, masked) {
			t.Errorf("%s is not in %s", masked, got.text)
		}
	}
	sameAudit(t, b.audited(), nil)
}

func TestEachCustomerOfAListIsWrittenDown(t *testing.T) {
	t.Parallel()
	b, _, _ := twoWorlds(t)
	b.ask(`{ customers { edges { node { phone } } } }`, nil)
	var seen []string
	for _, record := range b.audited() {
		seen = append(seen, fmt.Sprint(record.CustomerID, record.Fields))
	}
	if diff := cmp.Diff([]string{"c1[Customer.phone]", "c2[Customer.phone]"}, seen, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEachMutationIsWrittenDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	world := b.fullWorld("1")
	reject := func(id string, scopes ...auth.Scope) {
		b.ask(`mutation No($id: ID!) { rejectLoan(input: {idempotencyKey: "k", loanId: $id, reason: "x"}) { userErrors { code } } }`, map[string]any{"id": id}, scopes...)
	}
	mutation := func(customer lending.CustomerID, code lending.ErrorKind) lending.AuditRecord {
		return lending.AuditRecord{
			ClientID: "web", Action: lending.AuditMutation, OperationName: "No", Fields: []string{"Mutation.rejectLoan"}, CustomerID: customer, ErrorCode: code,
		}
	}
	reject(lending.GlobalID(lending.LoanNode, lending.LoanID("none")))
	reject(world.Loan.NodeID(), auth.ReadLoans)
	world.Problems = nil
	b.handler = b.serving(canned{b.root, world})
	reject(world.Loan.NodeID())
	b.handler = b.serving(panicking{b.root})
	reject(world.Loan.NodeID())
	sameAudit(t, b.audited(), []lending.AuditRecord{
		mutation("", lending.KindInternal), mutation("c1", lending.KindTimeout), mutation("", lending.KindForbidden), mutation("", lending.KindNotFound),
	})
}

// panicking is a graph whose mutations panic.
type panicking struct{ graph.ResolverRoot }

func (panicking) Mutation() graph.MutationResolver { return nil }

// counting is a graph that counts the mutations that were run.
type counting struct {
	graph.ResolverRoot
	cannedMutations
	n *int
}

func (c counting) Mutation() graph.MutationResolver { return c }

func (c counting) RejectLoan(context.Context, service.RejectLoanInput) (*service.Result, error) {
	*c.n++
	return c.all, nil
}

func TestWhatCannotBeWrittenDownDoesNotHappen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	world, n := b.fullWorld("1"), 0
	b.handler = b.serving(counting{b.root, cannedMutations{&world}, &n})
	b.must(b.auditor.Stop(t.Context()))
	got := b.ask(`mutation { rejectLoan(input: {idempotencyKey: "k", loanId: "x", reason: "x"}) { userErrors { code } } }`, nil)
	if n != 0 || got.Data != nil || len(got.Errors) != 1 || got.codes()[0] != "UNAVAILABLE" {
		t.Errorf("%d mutations were run: %s", n, got.text)
	}
	got = b.ask(`{ customers { edges { node { phone } } } }`, nil)
	if got.Data != nil || len(got.Errors) != 1 || got.codes()[0] != "UNAVAILABLE" {
		t.Errorf("answered %s", got.text)
	}
	if got = b.ask(`{ customers { edges { node { id } } } }`, nil); len(got.Errors) != 0 {
		t.Errorf("what is not personal is answered %s", got.text)
	}
}

func TestFollowersWhoSeePersonalDataAreWrittenDownEach(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fullWorld("1")
	for _, client := range []string{"web", "desk"} {
		inner := *b
		inner.tokens = func() (string, error) { return b.issuer.Issue(client, auth.Scopes(), time.Hour) }
		next := inner.follow(fmt.Sprintf(`subscription { events(after: %q) { event { customer { phone } } } }`, b.store.EventCursor(0)))
		if got := next(); !strings.Contains(got, "+2348012345678") {
			t.Fatalf("%s is shown %s", client, got)
		}
	}
	var clients []string
	for _, record := range b.audited() {
		clients = append(clients, record.ClientID)
	}
	if diff := cmp.Diff([]string{"desk", "web"}, clients, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAuditRecordsAreForOperators(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.fullWorld("1").Customer.NodeID()
	const query = `query($f: AuditFilter) { auditRecords(filter: $f) { edges { node { clientId requestId action operationName fields customerId errorCode } } } }`
	filter := func(name string, value any) map[string]any { return map[string]any{"f": map[string]any{name: value}} }
	for _, narrow := range []map[string]any{nil, filter("customerId", id), filter("clientId", "web"), filter("requestId", "q1"), filter("actions", []string{"MUTATION"})} {
		got := b.ask(query, narrow, auth.Operate)
		if !strings.Contains(got.text, fmt.Sprintf(`{"clientId":"web","requestId":"q1","action":"MUTATION","operationName":"O","fields":["Mutation.payInvoice"],"customerId":%q,"errorCode":"CONFLICT"}`, id)) {
			t.Errorf("%v: %s", narrow, got.text)
		}
	}
	for _, narrow := range []map[string]any{filter("clientId", "app"), filter("actions", []string{"LOOK"}), filter("at", map[string]any{"to": "2020-01-01T00:00:00Z"})} {
		if got := b.ask(query, narrow, auth.Operate); !strings.Contains(got.text, `"edges":[]`) {
			t.Errorf("%v: %s", narrow, got.text)
		}
	}
	if got := b.ask(query, filter("customerId", "x"), auth.Operate); len(got.Errors) != 1 || got.codes()[0] != "VALIDATION" {
		t.Errorf("an id that is none: %s", got.text)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, b.request(query, nil, auth.ReadPII))
	if !strings.Contains(w.Body.String(), "FORBIDDEN") {
		t.Errorf("without operate: %s", w.Body.String())
	}
}
