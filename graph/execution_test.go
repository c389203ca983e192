package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// stub resolves what the tests ask for. Embedded interfaces are nil: what is not written below fails.
type stub struct {
	graph.CreditReportResolver
	graph.CustomerResolver
	graph.EventResolver
	graph.LoanResolver
	graph.OperationResolver
	graph.PaymentResolver
	graph.SubscriptionResolver

	loans     *model.LoanConnection
	node      model.Node
	providers []model.Provider
	customer  *lending.Customer

	mu     sync.Mutex
	inputs []any
	scopes []model.Scope
}

func (s *stub) CreditReport() graph.CreditReportResolver { return s.CreditReportResolver }
func (s *stub) Customer() graph.CustomerResolver         { return customerStub{s.CustomerResolver, s} }
func (s *stub) Event() graph.EventResolver               { return s.EventResolver }
func (s *stub) Loan() graph.LoanResolver                 { return s.LoanResolver }
func (s *stub) Operation() graph.OperationResolver       { return s.OperationResolver }
func (s *stub) Payment() graph.PaymentResolver           { return s.PaymentResolver }
func (s *stub) Subscription() graph.SubscriptionResolver { return s.SubscriptionResolver }
func (s *stub) Query() graph.QueryResolver               { return queryStub{stub: s} }
func (s *stub) Mutation() graph.MutationResolver         { return mutationStub{s} }

// take keeps an input and answers as if it had been refused.
func (s *stub) take(input any) (*service.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inputs = append(s.inputs, input)
	return &service.Result{Problems: []lending.Problem{{Kind: lending.KindConflict, Message: "No."}}}, nil
}

type customerStub struct {
	graph.CustomerResolver
	stub *stub
}

func (customerStub) Identities(context.Context, *lending.Customer) ([]lending.Identity, error) {
	return []lending.Identity{{Provider: lending.TrustDecision, ExternalID: "22370756505"}}, nil
}

func (c customerStub) CreditSummary(_ context.Context, _ *lending.Customer, in *model.FreshnessInput) (*lending.CreditSummary, error) {
	_, err := c.stub.take(in.Domain())
	return nil, err
}

type queryStub struct {
	graph.QueryResolver
	stub *stub
}

func (q queryStub) Loans(_ context.Context, in *model.LoanFilter, first *int, after *string, last *int, before *string, order *model.LoanOrder) (*model.LoanConnection, error) {
	filter, err := in.Domain()
	if err != nil {
		return nil, err
	}
	page, err := model.PageRequest(first, after, last, before)
	if err != nil {
		return nil, err
	}
	_, err = q.stub.take([]any{filter, page, order.Domain()})
	return q.stub.loans, err
}

func (q queryStub) Node(context.Context, string) (model.Node, error)    { return q.stub.node, nil }
func (q queryStub) Providers(context.Context) ([]model.Provider, error) { return q.stub.providers, nil }

func (q queryStub) Viewer(context.Context) (*model.Viewer, error) {
	return nil, errors.New("no viewer")
}

func (q queryStub) Customer(context.Context, string) (*lending.Customer, error) {
	return q.stub.customer, nil
}

type mutationStub struct{ stub *stub }

func (m mutationStub) CreateCustomer(_ context.Context, in service.CreateCustomerInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) LinkCustomer(_ context.Context, in service.LinkCustomerInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) UploadDocument(_ context.Context, in service.UploadDocumentInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) ApplyForLoan(_ context.Context, in service.ApplyForLoanInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) ApproveLoan(_ context.Context, in service.LoanActionInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) RejectLoan(_ context.Context, in service.RejectLoanInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) DisburseLoan(_ context.Context, in service.LoanActionInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) ResolveOperation(_ context.Context, in service.ResolveOperationInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) RecordPayment(_ context.Context, in service.RecordPaymentInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) RegisterWebhook(_ context.Context, in service.RegisterWebhookInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) OrderCreditReport(_ context.Context, in service.OrderCreditReportInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) RequestCreditScore(_ context.Context, in service.RequestCreditScoreInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) ConfirmCreditScore(_ context.Context, in service.ConfirmCreditScoreInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) CreateSupplier(_ context.Context, in service.CreateSupplierInput) (*service.Result, error) {
	return m.stub.take(in)
}

func (m mutationStub) PayInvoice(_ context.Context, in service.PayInvoiceInput) (*service.Result, error) {
	return m.stub.take(in)
}

// ask runs one operation and gives its data, and the messages of its errors.
func (s *stub) ask(t *testing.T, query string, variables map[string]any) (data any, failures []string) {
	t.Helper()
	config := graph.Config{Resolvers: s}
	config.Directives.Requires = func(ctx context.Context, _ any, next graphql.Resolver, scope model.Scope) (any, error) {
		s.mu.Lock()
		s.scopes = append(s.scopes, scope)
		s.mu.Unlock()
		return next(ctx)
	}
	config.Directives.Personal = func(ctx context.Context, _ any, next graphql.Resolver, keep int, _ bool) (any, error) {
		whole, err := next(ctx)
		if err != nil {
			return nil, err
		}
		text := whole.(string)
		return strings.Repeat("*", len(text)-keep) + text[len(text)-keep:], nil
	}
	exec := executor.New(graph.NewExecutableSchema(config))
	ctx := graphql.StartOperationTrace(context.Background())
	op, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if len(errs) > 0 {
		for _, err := range errs {
			failures = append(failures, err.Message)
		}
		return nil, failures
	}
	respond, ctx := exec.DispatchOperation(ctx, op)
	response := respond(ctx)
	if err := json.Unmarshal(response.Data, &data); err != nil {
		t.Fatalf("%v in %s", err, response.Data)
	}
	for _, err := range response.Errors {
		failures = append(failures, err.Message)
	}
	return data, failures
}

func decode(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func naira(amount string) lending.Money { return lending.MustMoney(amount, lending.NGN) }

func TestAbsentIsNullAndUnknownWordsAreUnknown(t *testing.T) {
	t.Parallel()
	loan := &lending.Loan{
		ID: "1", Provider: lending.Carbon, Status: "SOMETHING_NEW", ProviderStatus: "something-new", Purpose: "",
		Principal: naira("500000"), CreatedAt: time.Date(2026, 5, 1, 10, 0, 0, 123_456_789, time.FixedZone("WAT", 3600)),
	}
	connection := model.NewLoanConnection(lending.Page[*lending.Loan]{
		Edges: []lending.Edge[*lending.Loan]{{Node: loan, Cursor: "c1"}}, HasNext: true,
	})
	connection.Count = func(context.Context) (int, error) { return 7, nil }
	connection.Sums = func(context.Context) ([]lending.LoanTotals, error) {
		return []lending.LoanTotals{{Currency: lending.NGN, Count: 7, Principal: naira("1"), Outstanding: naira("2"), Overdue: naira("0")}}, nil
	}
	s := &stub{loans: connection}
	data, failures := s.ask(t, `{ loans {
		totalCount totals { currency count outstanding { amount } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
		edges { cursor node {
			id provider status providerStatus purpose externalId reference interestRate totalInterest { amount }
			tenure { value } schedule { dueOn } disbursedOn conflict createdAt updatedAt
			principal { amount minorUnits currency } } } } }`, nil)
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	want := decode(t, `{"loans": {
		"totalCount": 7, "totals": [{"currency": "NGN", "count": 7, "outstanding": {"amount": "2.00"}}],
		"pageInfo": {"hasNextPage": true, "hasPreviousPage": false, "startCursor": "c1", "endCursor": "c1"},
		"edges": [{"cursor": "c1", "node": {
			"id": "TG9hbjox", "provider": "CARBON", "status": "UNKNOWN", "providerStatus": "something-new",
			"purpose": null, "externalId": null, "reference": null, "interestRate": null, "totalInterest": null,
			"tenure": null, "schedule": [], "disbursedOn": null, "conflict": false,
			"createdAt": "2026-05-01T09:00:00.123Z", "updatedAt": null,
			"principal": {"amount": "500000.00", "minorUnits": "50000000", "currency": "NGN"}}}]}}`)
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.Equal(s.scopes, []model.Scope{model.ReadLoans}) {
		t.Errorf("the scopes %v were asked for", s.scopes)
	}
}

func TestEveryNodeIsOfTheTypeThatItsIDNames(t *testing.T) {
	t.Parallel()
	provider := model.NewProvider(service.ProviderHealth{Provider: lending.Kredete})
	for _, node := range []model.Node{
		&lending.Customer{ID: "1"}, &lending.Loan{ID: "1"}, &lending.Payment{ID: "1"}, &lending.CreditScore{ID: "1"},
		&lending.CreditReport{ID: "1"}, &lending.Supplier{CustomerID: "1", Provider: lending.Kredmint, ExternalID: "S"},
		&lending.Document{ID: "1"}, &lending.Webhook{ID: "1"}, &lending.Operation{ID: "1"}, &lending.Event{ID: "1"},
		&provider,
	} {
		s := &stub{node: node}
		data, failures := s.ask(t, `query($id: ID!) { node(id: $id) { id __typename } }`, map[string]any{"id": node.NodeID()})
		kind, _, err := lending.ParseGlobalID(node.NodeID())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"node": map[string]any{"id": node.NodeID(), "__typename": string(kind)}}
		if diff := cmp.Diff(any(want), data); diff != "" || len(failures) > 0 {
			t.Errorf("%s %v (-want +got):\n%s", kind, failures, diff)
		}
	}
}

func TestEventsCarryTheirPayloadAsItIs(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	s := &stub{node: &lending.Event{
		ID: "1", Type: lending.EventNACH, OccurredAt: at, ReceivedAt: at, Payload: []byte(`{"a":[1,2.50]}`),
	}}
	data, failures := s.ask(t, `{ node(id: "x") { ... on Event { type provider source payload occurredAt } } }`, nil)
	want := decode(t, `{"node": {"type": "NACH_EVENT", "provider": null, "source": null, "payload": {"a": [1, 2.50]}, "occurredAt": "2026-05-01T09:00:00.000Z"}}`)
	if diff := cmp.Diff(want, data); diff != "" || len(failures) > 0 {
		t.Errorf("%v (-want +got):\n%s", failures, diff)
	}
}

func TestProvidersAreShownWithTheirHealth(t *testing.T) {
	t.Parallel()
	rate := lending.MustDecimal("0.0250")
	reset := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	s := &stub{providers: []model.Provider{
		model.NewProvider(service.ProviderHealth{
			Provider: lending.Kredete, Capabilities: []lending.Capability{lending.CanScore}, Status: service.HealthDegraded,
			P50: 12 * time.Millisecond, P99: 61 * time.Second, ErrorRate: &rate, Calls: 40,
			RateLimit: &service.RateLimit{Limit: 100, Remaining: 99, ResetsAt: reset}, LastCallAt: reset,
			LastFailure: &lending.Failure{Kind: lending.KindTimeout, Message: "Slow.", Retryable: true},
			Circuit:     "HALF_OPEN", Problem: &service.ProviderProblem{Kind: lending.KindBalanceExhausted, Message: "Used up.", Since: reset},
			LastWebhookAt: reset, SharedBy: 3,
		}),
		model.NewProvider(service.ProviderHealth{Provider: lending.Carbon, Status: service.HealthNotConfigured}),
	}}
	data, failures := s.ask(t, `{ providers {
		provider name capabilities status circuit latency { p50 p99 } errorRate
		rateLimit { limit remaining resetsAt } checkedAt lastError { code message retryable providerCode }
		problem { code message since } calls lastWebhookAt sharedBy } }`, nil)
	want := decode(t, `{"providers": [
		{"provider": "KREDETE", "name": "Kredete", "capabilities": ["CREDIT_SCORES"], "status": "DEGRADED",
		 "circuit": "HALF_OPEN", "latency": {"p50": "PT0.012S", "p99": "PT1M1S"}, "errorRate": 0.025,
		 "rateLimit": {"limit": 100, "remaining": 99, "resetsAt": "2026-05-01T09:00:00.000Z"},
		 "checkedAt": "2026-05-01T09:00:00.000Z",
		 "lastError": {"code": "TIMEOUT", "message": "Slow.", "retryable": true, "providerCode": null},
		 "problem": {"code": "PROVIDER_BALANCE_EXHAUSTED", "message": "Used up.", "since": "2026-05-01T09:00:00.000Z"},
		 "calls": 40, "lastWebhookAt": "2026-05-01T09:00:00.000Z", "sharedBy": 3},
		{"provider": "CARBON", "name": "Carbon", "capabilities": [], "status": "NOT_CONFIGURED", "circuit": "UNKNOWN",
		 "latency": null, "errorRate": null, "rateLimit": null, "checkedAt": null, "lastError": null,
		 "problem": null, "calls": 0, "lastWebhookAt": null, "sharedBy": 0}]}`)
	if diff := cmp.Diff(want, data); diff != "" || len(failures) > 0 {
		t.Errorf("%v (-want +got):\n%s", failures, diff)
	}
}

func TestPersonalFieldsGoThroughTheirDirective(t *testing.T) {
	t.Parallel()
	s := &stub{customer: &lending.Customer{ID: "1", Identification: &lending.Identification{Type: lending.NIN, Number: "12345678901"}}}
	data, failures := s.ask(t, `{ customer(id: "x") { identities { externalId } identification { type number } } }`, nil)
	want := decode(t, `{"customer": {"identities": [{"externalId": "*******6505"}], "identification": {"type": "NIN", "number": "*******8901"}}}`)
	if diff := cmp.Diff(want, data); diff != "" || len(failures) > 0 {
		t.Errorf("%v (-want +got):\n%s", failures, diff)
	}
}

func TestEveryExampleOfAMutationReachesItsResolver(t *testing.T) {
	t.Parallel()
	operations := loadExamples(t)
	for label, variables := range loadVariables(t) {
		name, _, _ := strings.Cut(label, " ")
		if !strings.HasPrefix(operations[name].text, "mutation") {
			continue
		}
		s := &stub{}
		data, failures := s.ask(t, operations[name].text, variables)
		if len(failures) > 0 || len(s.inputs) != 1 {
			t.Errorf("%s: %v, %d inputs arrived", label, failures, len(s.inputs))
		}
		if text, err := json.Marshal(data); err != nil || !bytes.Contains(text, []byte(`"code":"CONFLICT"`)) {
			t.Errorf("%s: the answer %s does not hold the user error (%v)", label, text, err)
		}
	}
}

func TestInputsArriveWhole(t *testing.T) {
	t.Parallel()
	operations, variables := loadExamples(t), loadVariables(t)
	amount := func(digits string, currency lending.Currency) service.MoneyInput {
		return service.MoneyInput{Amount: lending.MustDecimal(digits), Currency: currency}
	}
	income := amount("850000", lending.NGN)
	active := true
	for label, want := range map[string]any{
		"CreateCustomer": service.CreateCustomerInput{
			IdempotencyKey: "k-1", FirstName: "Adewale", LastName: "Okonkwo", Email: "adewale.okonkwo@email.com",
			Phone: "+2348012345678", DateOfBirth: lending.NewDate(1990, 5, 15), Gender: lending.Male, Nationality: "NG",
			Identification: &service.IdentificationInput{Type: lending.NIN, Number: "12345678901", ExpiresOn: lending.NewDate(2030, 12, 31)},
			Address:        &lending.Address{Street: "15 Victoria Island", City: "Lagos", State: "Lagos", Country: "NG", PostalCode: "101233"},
			Employment: &service.EmploymentInput{
				Status: lending.Employed, Employer: "ABC Company Ltd", JobTitle: "Software Engineer",
				MonthlyIncome: &income, Since: lending.NewDate(2018, 3, 1),
			},
		},
		"ApplyForLoan": service.ApplyForLoanInput{
			IdempotencyKey: "k-2", CustomerID: "<customer>", Provider: lending.Kredete, ProductID: "prod_personal_loan",
			Principal: amount("500000", lending.NGN), Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
			Purpose:             lending.ExpansionAndGrowth,
			DisbursementAccount: &lending.BankAccount{BankCode: "058", AccountNumber: "1234567890", AccountName: "Adewale Okonkwo"},
		},
		"RequestCreditScore (OnePipe)": service.RequestCreditScoreInput{
			IdempotencyKey: "k-8", CustomerID: "<customer>", Provider: lending.OnePipe,
			Consent: &lending.Consent{GrantedAt: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC), Channel: lending.ConsentApp},
		},
		"PayInvoice": service.PayInvoiceInput{
			IdempotencyKey: "k-11", CustomerID: "<customer>", SupplierID: "<supplier>", InvoiceNumber: "5435323121",
			Amount: amount("1000.00", lending.INR), PaymentDate: lending.NewDate(2026, 5, 10), InvoicePDF: "https://example.com/invoice.pdf",
			ReturnURLs: &service.ReturnURLs{
				Success: "https://example.com/handler/success", Failure: "https://example.com/handler/failed",
				Back: "https://example.com/handler/back",
			},
		},
		"RegisterWebhook": service.RegisterWebhookInput{
			IdempotencyKey: "k-14", Provider: lending.Kredete, URL: "https://your-server.com/webhooks/kredete", Active: &active,
			Events: []lending.EventType{
				lending.EventLoanCreated, lending.EventLoanApproved, lending.EventLoanDisbursed, lending.EventLoanRepayment,
				lending.EventCustomerKYCVerified, lending.EventPaymentReceived,
			},
		},
		"ResolveOperation": service.ResolveOperationInput{
			OperationID: "<operation>", Outcome: service.OutcomeSucceeded, ExternalID: "loan_5tY8kL2mN9pQ",
			Evidence: "Confirmed by the provider's support, ticket 4711",
		},
	} {
		s := &stub{}
		name, _, _ := strings.Cut(label, " ")
		if _, failures := s.ask(t, operations[name].text, variables[label]); len(failures) > 0 {
			t.Errorf("%s: %v", label, failures)
			continue
		}
		same := cmp.Comparer(func(a, b lending.Decimal) bool { return a == b })
		if diff := cmp.Diff(want, s.inputs[0], same); diff != "" {
			t.Errorf("%s (-want +got):\n%s", label, diff)
		}
	}
}

func TestFreshnessAndFiltersArrive(t *testing.T) {
	t.Parallel()
	s := &stub{customer: &lending.Customer{ID: "1"}}
	_, failures := s.ask(t, `{ customer(id: "x") { creditSummary(freshness: { maxAge: "PT5M", allowStale: false }) { asOf } } }`, nil)
	five := 5 * time.Minute
	if diff := cmp.Diff([]any{lending.Freshness{MaxAge: &five, RefuseStale: true}}, s.inputs); diff != "" || len(failures) > 0 {
		t.Errorf("%v (-want +got):\n%s", failures, diff)
	}
	s = &stub{}
	_, failures = s.ask(t, `query($filter: LoanFilter) { loans(filter: $filter, last: 5, before: "b", orderBy: { field: PRINCIPAL }) { totalCount } }`,
		map[string]any{"filter": map[string]any{
			"providers": []any{"CARBON"}, "customerId": lending.GlobalID(lending.CustomerNode, "7"),
			"createdAt": map[string]any{"from": "2026-01-01T00:00:00+01:00"},
			"principal": map[string]any{"min": map[string]any{"amount": json.Number("10000.5"), "currency": "NGN"}},
		}})
	least := naira("10000.50")
	want := []any{[]any{
		lending.LoanFilter{
			Providers: []lending.Provider{lending.Carbon}, CustomerID: "7",
			CreatedAt: lending.TimeRange{From: time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC)},
			Principal: lending.MoneyRange{Min: &least},
		},
		lending.PageRequest{Last: 5, Before: "b"},
		lending.LoanOrder{Field: lending.ByPrincipal, Descending: true},
	}}
	same := cmp.Comparer(func(a, b lending.Money) bool { return a == b })
	if diff := cmp.Diff(want, s.inputs, same); diff != "" || len(failures) > 0 {
		t.Errorf("%v (-want +got):\n%s", failures, diff)
	}
}

func TestInputsOfTheWrongKindAreRefused(t *testing.T) {
	t.Parallel()
	const loans = `query($first: Int, $filter: LoanFilter) { loans(first: $first, filter: $filter) { totalCount } }`
	filter := func(field string, v any) map[string]any {
		return map[string]any{"filter": map[string]any{field: v}}
	}
	tests := map[string]struct {
		query     string
		variables map[string]any
		message   string
	}{
		"a number in quotes":           {loans, map[string]any{"first": "1"}, "must be a whole number"},
		"a number of over 32 bits":     {loans, map[string]any{"first": json.Number("2147483648")}, "must be a whole number"},
		"an enum in small letters":     {loans, filter("providers", []any{"carbon"}), "must be one of KREDETE"},
		"a day that does not exist":    {loans, filter("createdAt", map[string]any{"from": "2026-02-30T00:00:00Z"}), "must be a moment"},
		"a float in the document":      {`{ loans(filter: { principal: { min: { amount: 10.5, currency: "NGN" } } }) { totalCount } }`, nil, "in quotes"},
		"a currency that is none":      {`{ loans(filter: { principal: { min: { amount: 10, currency: "ngn" } } }) { totalCount } }`, nil, "ISO 4217"},
		"an amount too finely divided": {`{ loans(filter: { principal: { min: { amount: "10.555", currency: "NGN" } } }) { totalCount } }`, nil, "has problems"},
		"the id of something else":     {loans, filter("customerId", lending.GlobalID(lending.LoanNode, "1")), "has problems"},
		"a page that is too long":      {loans, map[string]any{"first": json.Number("101")}, "has problems"},
		"two ways of authorising": {
			`mutation($input: RequestCreditScoreInput!) { requestCreditScore(input: $input) { userErrors { code } } }`,
			map[string]any{"input": map[string]any{"idempotencyKey": "k", "customerId": "c", "provider": "ONE_PIPE", "authorization": 1}},
			"must be a ScoreAuthorizationInput",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stub{}
			_, failures := s.ask(t, test.query, test.variables)
			if len(failures) == 0 || !strings.Contains(failures[0], test.message) {
				t.Errorf("the errors are %q, not one with %q", failures, test.message)
			}
			if len(s.inputs) > 0 {
				t.Error("it reached the resolver")
			}
		})
	}
}
