package resolvers_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/schema"
)

// owner is the bench for a customer's own token, which has every scope.
func (b *bench) owner(customer lending.CustomerID) *bench {
	inner := *b
	inner.tokens = func() (string, error) {
		return b.issuer.IssueTo(auth.Client{ID: "app", Customer: customer}, auth.Scopes(), time.Hour)
	}
	return &inner
}

// askAs is ask with a customer's own token.
func (b *bench) askAs(customer lending.CustomerID, query string) answer {
	b.Helper()
	return b.owner(customer).ask(query, nil)
}

// twoWorlds are two customers who have one of everything each.
func twoWorlds(t *testing.T) (*bench, service.Result, service.Result) {
	t.Helper()
	b := setup(t)
	return b, b.fullWorld("1"), b.fullWorld("2")
}

// idsOf are the global ids of a world, by type.
func idsOf(r service.Result) map[string]string {
	n := strings.TrimPrefix(string(r.Customer.ID), "c")
	return map[string]string{
		"Customer": r.Customer.NodeID(), "Loan": r.Loan.NodeID(), "Payment": r.Payment.NodeID(), "CreditScore": r.Score.NodeID(),
		"CreditReport": r.Report.NodeID(), "Supplier": r.Supplier.NodeID(), "Document": r.Document.NodeID(),
		"Operation": r.Operation.NodeID(), "Event": lending.GlobalID(lending.EventNode, lending.EventID("e"+n)),
	}
}

// guessed are ids of things that are not there, by type.
func guessed() map[string]string {
	ids := map[string]string{"Supplier": lending.SupplierID("c9", lending.Kredmint, "SUPB-9")}
	for _, kind := range []string{"Customer", "Loan", "Payment", "CreditScore", "CreditReport", "Document", "Operation", "Event"} {
		ids[kind] = lending.GlobalID[string](lending.NodeKind(kind), "c9")
	}
	return ids
}

// byID are queries that name something, with "<Type>" in the place of its id.
func byID() map[string]string {
	queries := map[string]string{
		"customer":                      `{ customer(id: "<Customer>") { id phone creditSummary { asOf sources { provider status } } loans { totalCount totals { count } } } }`,
		"loan":                          `{ loan(id: "<Loan>") { id customer { id } payments { edges { node { id } } } } }`,
		"payment":                       `{ payment(id: "<Payment>") { id } }`,
		"report":                        `{ creditReport(id: "<CreditReport>") { id bvn } }`,
		"operation":                     `{ operation(id: "<Operation>") { id result { id } } }`,
		"loans of a customer":           `{ loans(filter: {customerId: "<Customer>"}) { totalCount totals { count currency } edges { node { id } } } }`,
		"operations of a customer":      `{ operations(filter: {customerId: "<Customer>"}) { edges { node { id } } } }`,
		"operations of a loan":          `{ operations(filter: {loanId: "<Loan>"}) { edges { node { id } } } }`,
		"events of a customer":          `{ events(filter: {customerId: "<Customer>"}) { edges { node { id } } } }`,
		"events of a loan":              `{ events(filter: {loanId: "<Loan>"}) { edges { node { id } } } }`,
		"events of an operation":        `{ events(filter: {operationId: "<Operation>"}) { edges { node { id } } } }`,
		"many nodes":                    `{ nodes(ids: ["<Customer>", "<Loan>", "<Payment>", "<CreditScore>", "<CreditReport>", "<Supplier>", "<Document>", "<Operation>", "<Event>"]) { id } }`,
		"a loan that is followed":       `subscription { loanUpdated(id: "<Loan>") { id } }`,
		"an operation that is followed": `subscription { operationUpdated(id: "<Operation>") { id } }`,
	}
	for kind := range guessed() {
		queries["node "+kind] = fmt.Sprintf(`{ node(id: "<%s>") { id __typename } }`, kind)
	}
	return queries
}

func filled(query string, ids map[string]string) string {
	for kind, id := range ids {
		query = strings.ReplaceAll(query, "<"+kind+">", id)
	}
	return query
}

var requestIDs = regexp.MustCompile(`"requestId":"[^"]*"`)

// without takes ids of requests out of an answer.
func without(text string) string { return requestIDs.ReplaceAllString(text, "") }

func TestACustomersOwnTokenGuessesInVain(t *testing.T) {
	t.Parallel()
	b, mine, others := twoWorlds(t)
	for name, query := range byID() {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			ask := func(ids map[string]string) string {
				query := filled(query, ids)
				if strings.HasPrefix(query, "subscription") {
					return without(b.followAs("c1", query)())
				}
				return without(b.askAs("c1", query).text)
			}
			own, other, none := ask(idsOf(mine)), ask(idsOf(others)), ask(guessed())
			if other != none {
				t.Errorf("another's is answered with %s, and what is not there with %s", other, none)
			}
			if own == none {
				t.Errorf("the customer's own is not there: %s", own)
			}
		})
	}
}

func TestACustomersOwnTokenListsNobodyElses(t *testing.T) {
	t.Parallel()
	b, mine, _ := twoWorlds(t)
	const query = `{
		customers { totalCount edges { node { id } } }
		some: customers(filter: {search: "ada"}) { totalCount edges { node { id } } }
		none: customers(filter: {search: "nobody is called so"}) { totalCount edges { node { id } } }
		loans { totalCount totals { count } edges { node { id } } }
		operations { edges { node { id } } }
		events { edges { node { id } } }
	}`
	ids := idsOf(mine)
	list := func(kind string) string { return fmt.Sprintf(`"edges":[{"node":{"id":%q}}]`, ids[kind]) }
	want := fmt.Sprintf(`{"customers":{"totalCount":1,%s},"some":{"totalCount":1,%[1]s},"none":{"totalCount":0,"edges":[]},"loans":{"totalCount":1,"totals":[{"count":1}],%s},"operations":{%s},"events":{%s}}`,
		list("Customer"), list("Loan"), list("Operation"), list("Event"))
	var wanted map[string]any
	b.must(json.Unmarshal([]byte(want), &wanted))
	got := b.askAs("c1", query)
	if diff := cmp.Diff(wanted, got.Data); diff != "" {
		t.Errorf("%s (-want +got):\n%s", got.text, diff)
	}
	if all := b.ask(`{ customers { totalCount } }`, nil); !strings.Contains(all.text, `"totalCount":2`) {
		t.Errorf("a client's token sees %s", all.text)
	}
}

// actions are mutations that name something, with "<Type>" in the place of its id.
func actions() map[string]string {
	const problems = `{ operation { id } userErrors { code message field } }`
	return map[string]string{
		"applyForLoan":       `mutation { applyForLoan(input: {idempotencyKey: "k", customerId: "<Customer>", provider: KREDETE, principal: {amount: "5", currency: "NGN"}, tenure: {value: 3, unit: MONTH}}) ` + problems + ` }`,
		"approveLoan":        `mutation { approveLoan(input: {idempotencyKey: "k", loanId: "<Loan>"}) ` + problems + ` }`,
		"rejectLoan":         `mutation { rejectLoan(input: {idempotencyKey: "k", loanId: "<Loan>", reason: "no"}) ` + problems + ` }`,
		"disburseLoan":       `mutation { disburseLoan(input: {idempotencyKey: "k", loanId: "<Loan>"}) ` + problems + ` }`,
		"recordPayment":      `mutation { recordPayment(input: {idempotencyKey: "k", loanId: "<Loan>", amount: {amount: "5", currency: "NGN"}, method: CASH, reference: "r", paidOn: "2026-01-01"}) ` + problems + ` }`,
		"requestCreditScore": `mutation { requestCreditScore(input: {idempotencyKey: "k", customerId: "<Customer>", provider: KREDETE}) ` + problems + ` }`,
		"confirmCreditScore": `mutation { confirmCreditScore(input: {operationId: "<Operation>", otp: "123456"}) ` + problems + ` }`,
		"createCustomer":     `mutation { createCustomer(input: {idempotencyKey: "k", firstName: "A", lastName: "B", email: "a@example.com", phone: "+2348012345678"}) ` + problems + ` }`,
		"linkCustomer":       `mutation { linkCustomer(input: {customerId: "<Customer>", provider: KREDMINT, externalId: "9876543212"}) { userErrors { code message field } } }`,
		"registerWebhook":    `mutation { registerWebhook(input: {idempotencyKey: "k", provider: KREDETE, url: "https://hooks.example.com", events: [LOAN_CREATED]}) ` + problems + ` }`,
		"resolveOperation":   `mutation { resolveOperation(input: {operationId: "<Operation>", outcome: FAILED, evidence: "x"}) ` + problems + ` }`,
		"orderCreditReport":  `mutation { orderCreditReport(input: {idempotencyKey: "k", customerId: "<Customer>", provider: KREDETE}) ` + problems + ` }`,
		"createSupplier":     `mutation { createSupplier(input: {idempotencyKey: "k", customerId: "<Customer>", provider: KREDETE, name: "S", mobile: "9876543210", bankAccount: {accountHolderName: "S", accountNumber: "123456789", ifsc: "HDFC0000001"}}) ` + problems + ` }`,
		"payInvoice":         `mutation { payInvoice(input: {idempotencyKey: "k", customerId: "<Customer>", provider: KREDETE, invoiceNumber: "1", amount: {amount: "5", currency: "INR"}, paymentDate: "2026-01-01"}) ` + problems + ` }`,
		"uploadDocument":     `mutation { uploadDocument(input: {idempotencyKey: "k", customerId: "<Customer>", provider: KREDETE, kind: FINANCIAL_DATA, file: "UPLOAD"}) ` + problems + ` }`,
	}
}

// ownMutations says of every mutation whether a customer's own token may send it.
func ownMutations() map[string]bool {
	return map[string]bool{
		"applyForLoan": true, "requestCreditScore": true, "confirmCreditScore": true, "orderCreditReport": true, "payInvoice": true, "uploadDocument": true,

		"approveLoan": false, "rejectLoan": false, "disburseLoan": false, // the lender decides
		"recordPayment":  false,                        // who owes would say what was paid
		"createSupplier": false,                        // says where the money of a credit line goes
		"createCustomer": false, "linkCustomer": false, // say who is who
		"registerWebhook": false, "resolveOperation": false, // operators'
	}
}

func TestWhatACustomersOwnTokenMaySend(t *testing.T) {
	t.Parallel()
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	b, mine, _ := twoWorlds(t)
	b.kredete.Applications, b.kredete.Scores, b.kredete.Reports = offers{}, offers{}, offers{}
	for _, field := range gqlparser.MustLoadSchema(&ast.Source{Input: sdl}).Mutation.Fields {
		may, decided := ownMutations()[field.Name]
		query := actions()[field.Name]
		if !decided || query == "" {
			t.Errorf("it was not decided whether a customer's own token may send %s", field.Name)
			continue
		}
		if told := strings.Contains(field.Description, "A customer's own token may send it."); told != may {
			t.Errorf("the description of %s says otherwise: %s", field.Name, field.Description)
		}
		t.Run(field.Name, func(t *testing.T) {
			w := walker{bench: b.in(t).owner("c1")}
			// Of what is not there, so that what is let through does nothing.
			send := func() answer { return w.ask(filled(query, guessed()), nil) }
			if field.Name == "uploadDocument" {
				send = func() answer { return w.upload(filled(query, guessed())) }
			}
			got := send()
			if refused := len(got.Errors) == 1 && got.codes()[0] == "FORBIDDEN" && strings.Contains(got.text, "own token"); refused == may || !may && got.Data != nil {
				t.Errorf("answered %s", got.text)
			}
			if !may { // the customer's own is refused too
				if got := w.ask(filled(query, idsOf(mine)), nil); len(got.Errors) != 1 || got.codes()[0] != "FORBIDDEN" {
					t.Errorf("the own is answered %s", got.text)
				}
				if got := b.in(t).ask(filled(query, guessed()), nil); strings.Contains(got.text, "FORBIDDEN") {
					t.Errorf("a client's token is answered %s", got.text)
				}
			}
		})
	}
}

// offers are all capabilities that actions need. None of them can be called: no test here gets so far.
type offers struct {
	provider.LoanApplier
	provider.Scorer
	provider.ReportOrderer
	provider.SupplierManager
	provider.InvoicePayer
	provider.DocumentKeeper
}

func TestACustomersOwnTokenActsOnNobodyElses(t *testing.T) {
	t.Parallel()
	b, mine, others := twoWorlds(t)
	b.kredete.Applications, b.kredete.Scores, b.kredete.Reports = offers{}, offers{}, offers{}
	b.kredete.Suppliers, b.kredete.Invoices, b.kredete.Documents = offers{}, offers{}, offers{}
	b.must(b.store.SaveLoan(t.Context(), &lending.Loan{
		ID: "l1", CustomerID: "c1", Provider: lending.Kredete, ExternalID: "x1-1", Status: lending.LoanDisbursed, Principal: lending.MustMoney("5000", lending.NGN),
	}))
	for _, world := range []service.Result{mine, others} { // what is waiting for a password
		op := *world.Operation
		op.Kind, op.ID, op.Key, op.Reference, op.LoanID = lending.OpRequestCreditScore, op.ID+"s", op.Key+"s", "", ""
		_, _, err := b.store.BeginOperation(t.Context(), &op)
		b.must(err)
	}
	scoring := func(ids map[string]string, id lending.OperationID) map[string]string {
		ids["Operation"] = lending.GlobalID(lending.OperationNode, id)
		return ids
	}
	for name, query := range actions() {
		if !ownMutations()[name] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := walker{bench: b.in(t).owner("c1")}
			act := func(ids map[string]string) string {
				if name == "uploadDocument" {
					return without(w.upload(filled(query, ids)).text)
				}
				return without(w.ask(filled(query, ids), nil).text)
			}
			own, other, none := act(scoring(idsOf(mine), "o1s")), act(scoring(idsOf(others), "o2s")), act(guessed())
			if other != none || !strings.Contains(none, "NOT_FOUND") {
				t.Errorf("another's is answered with %s, and what is not there with %s", other, none)
			}
			if own == none {
				t.Errorf("the customer's own is answered with %s", own)
			}
		})
	}
}

// TestProvidersAreOpenToEveryToken as they are to tokens without any scope: how a provider is doing is no secret.
func TestProvidersAreOpenToEveryToken(t *testing.T) {
	t.Parallel()
	b, mine, _ := twoWorlds(t)
	got := b.askAs("c1", fmt.Sprintf(`{ providers { provider } node(id: %q) { id } customer(id: %q) { id } }`,
		lending.GlobalID(lending.ProviderNode, lending.Kredete), mine.Customer.NodeID()))
	if len(got.Errors) > 0 || !strings.Contains(got.text, `"KREDETE"`) || !strings.Contains(got.text, mine.Customer.NodeID()) {
		t.Errorf("answered %s", got.text)
	}
}

// TestAddressesOfDocumentsAreTheirOwners asks for the address of a document in all ways that lead there.
func TestAddressesOfDocumentsAreTheirOwners(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.fullWorld("1")
	ordinary := []auth.Scope{auth.ReadCustomers, auth.WriteCustomers, auth.ReadLoans, auth.WriteLoans}
	again := fmt.Sprintf(`{ node(id: %q) { ... on Document { url name } } }`, all.Document.NodeID())
	const shown = `"url":"https://files.example.com"`
	if got := b.ask(again, nil, ordinary...); !strings.Contains(got.text, `"url":null,"name":"i.pdf"`) || len(got.Errors) > 0 {
		t.Errorf("a client without read:pii is shown %s", got.text)
	}
	if got := b.ask(again, nil, append(ordinary, auth.ReadPII)...); !strings.Contains(got.text, shown) {
		t.Errorf("a client with read:pii is shown %s", got.text)
	}
	bound := *b
	bound.tokens = func() (string, error) {
		return b.issuer.IssueTo(auth.Client{ID: "app", Customer: "c1"}, ordinary, time.Hour)
	}
	if got := bound.ask(again, nil); !strings.Contains(got.text, shown) {
		t.Errorf("the customer is shown %s", got.text)
	}
	b.handler = b.serving(canned{b.root, all})
	sent := walker{bench: b, as: role{scopes: ordinary}}
	payload := `mutation { uploadDocument(input: {idempotencyKey: "k", customerId: "x", provider: KREDMINT, kind: FINANCIAL_DATA, file: "UPLOAD"}) { document { url } } }`
	if got := sent.upload(payload); !strings.Contains(got.text, shown) {
		t.Errorf("who uploads is shown %s", got.text)
	}
	const paying = `mutation {
		payInvoice(input: {idempotencyKey: "k", customerId: "x", provider: KREDMINT, invoiceNumber: "1", amount: {amount: "5", currency: "INR"}, paymentDate: "2026-01-01"}) { redirectUrl }
		createCustomer(input: {idempotencyKey: "k", firstName: "A", lastName: "B", email: "a@example.com", phone: "+2348012345678"}) { customer { phone } }
	}`
	if got := b.ask(paying, nil, ordinary...); !strings.Contains(got.text, `"redirectUrl":"https://pay.example.com"`) || strings.Contains(got.text, "+2348012345678") {
		t.Errorf("who pays is shown %s", got.text)
	}
	records := b.audited()
	var looks int
	for _, record := range records {
		if record.Action == lending.AuditLook {
			looks++
		}
	}
	if looks != 4 { // with read:pii, the customer, the upload and the payment
		t.Errorf("%d looks were written down: %+v", looks, records)
	}
}

func TestWhatIsNotOneCustomersIsForbidden(t *testing.T) {
	t.Parallel()
	b, mine, _ := twoWorlds(t)
	b.must(b.store.SaveWebhook(t.Context(), &lending.Webhook{ID: "w1", Provider: lending.Kredete, URL: "https://hooks.example.com"}))
	for name, query := range map[string]string{
		"a webhook":       fmt.Sprintf(`{ node(id: %q) { id } }`, lending.GlobalID(lending.WebhookNode, lending.WebhookID("w1"))),
		"no webhook":      fmt.Sprintf(`{ node(id: %q) { id } }`, lending.GlobalID(lending.WebhookNode, lending.WebhookID("w9"))),
		"audit records":   `{ auditRecords { edges { cursor } } }`,
		"evidence":        fmt.Sprintf(`{ operation(id: %q) { evidence } }`, mine.Operation.NodeID()),
		"a new customer":  `mutation { createCustomer(input: {idempotencyKey: "k", firstName: "A", lastName: "B", email: "a@example.com", phone: "+2348012345678"}) { userErrors { code } } }`,
		"another's name":  fmt.Sprintf(`mutation { linkCustomer(input: {customerId: %q, provider: KREDMINT, externalId: "9876543212"}) { userErrors { code } } }`, mine.Customer.NodeID()),
		"a registration":  `mutation { registerWebhook(input: {idempotencyKey: "k", provider: KREDETE, url: "https://hooks.example.com", events: [LOAN_CREATED]}) { userErrors { code } } }`,
		"settling a deed": fmt.Sprintf(`mutation { resolveOperation(input: {operationId: %q, outcome: FAILED, evidence: "x"}) { userErrors { code } } }`, mine.Operation.NodeID()),
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.in(t).askAs("c1", query); len(got.Errors) != 1 || got.codes()[0] != "FORBIDDEN" {
				t.Errorf("answered %s", got.text)
			}
		})
	}
}

// followAs is follow with a customer's own token.
func (b *bench) followAs(customer lending.CustomerID, query string) func() string {
	b.Helper()
	return b.owner(customer).follow(query)
}

func TestACustomersOwnTokenFollowsNobodyElses(t *testing.T) {
	t.Parallel()
	b, mine, others := twoWorlds(t)
	from := b.store.EventCursor(0)
	for name, filter := range map[string]string{
		"without a filter": "", "with the own": fmt.Sprintf(`filter: {customerId: %q}, `, mine.Customer.NodeID()),
	} {
		next := b.followAs("c1", fmt.Sprintf(`subscription { events(%safter: %q) { event { customer { id } } } }`, filter, from))
		for _, id := range []lending.CustomerID{"c2", "c1"} {
			b.must(b.store.AppendEvents(t.Context(), &lending.Event{
				ID: lending.EventID(name + string(id)), Type: lending.EventNACH, CustomerID: id, OccurredAt: time.Now(), ReceivedAt: time.Now(),
			}))
		}
		b.hub.Publish()
		for range 2 {
			if got := next(); !strings.Contains(got, mine.Customer.NodeID()) || strings.Contains(got, others.Customer.NodeID()) {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	other := b.followAs("c2", fmt.Sprintf(`subscription { events(after: %q) { event { customer { id } } } }`, from)) // as the first of c1's
	if got := other(); !strings.Contains(got, others.Customer.NodeID()) {
		t.Errorf("the other customer is shown %s", got)
	}
	everything := b.follow(fmt.Sprintf(`subscription { events(after: %q) { event { customer { id } } } }`, from))
	if first, second := everything(), everything(); !strings.Contains(first+second, others.Customer.NodeID()) {
		t.Errorf("a client's token is shown %s and %s", first, second)
	}
}

func TestACustomersOwnTokenDoesNotFollowProviders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got := b.followAs("c1", `subscription { providerHealth { id } }`)(); !strings.Contains(got, "FORBIDDEN") {
		t.Errorf("answered %s", got)
	}
}
