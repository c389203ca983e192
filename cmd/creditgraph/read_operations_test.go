package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// TestTheMobileSummary asks what the mobile app asks, for the showcase customer of the sandbox.
func TestTheMobileSummary(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	a := p.mustAsk(t, "CustomerCreditSummary", variables(t, "CustomerCreditSummary", map[string]string{"customer": p.person(t, 0)}))

	a.want(t, "customer.fullName", "Adewale Okonkwo")
	a.want(t, "customer.kycStatus", "VERIFIED")
	scores := map[string]map[string]any{}
	for _, score := range a.list("customer.creditSummary.scores") {
		scores[at(score, "provider").(string)] = score.(map[string]any)
	}
	for path, want := range map[string]any{
		"KREDETE.value": "720", "KREDETE.normalized": "0.7636", "KREDETE.band": "GOOD", "KREDETE.riskCategory": "LOW",
		"KREDETE.recommendedLimit.amount": "750000.00", "KREDETE.recommendedLimit.minorUnits": "75000000",
		"KREDETE.recommendedLimit.currency": "NGN", "KREDETE.recommendedTenureDays": float64(180),
		"KREDETE.factors.0.factor": "payment_history", "KREDETE.factors.0.impact": "POSITIVE",
		"ONE_PIPE.value": "8", "ONE_PIPE.scale.max": "10", "ONE_PIPE.normalized": "0.8000", "ONE_PIPE.band": "EXCELLENT",
		"ONE_PIPE.recommendedLimit.amount": "1800.00",
	} {
		if got := at(map[string]any{"KREDETE": scores["KREDETE"], "ONE_PIPE": scores["ONE_PIPE"]}, path); got != want {
			t.Errorf("score %s is %v, want %v", path, got, want)
		}
	}
	a.want(t, "customer.creditSummary.bestScore.provider", "ONE_PIPE")
	for path, want := range map[string]any{
		"provider": "KREDMINT", "state": "ACTIVE", "limit.amount": "500000.00", "limit.minorUnits": "50000000",
		"limit.currency": "INR", "available.amount": "274000.00", "outstanding.amount": "226000.00",
	} {
		a.want(t, "customer.creditSummary.creditLines.0."+path, want)
	}
	if url := a.textAt("customer.creditSummary.creditLines.0.applyUrl"); !strings.HasPrefix(url, p.sandbox.Server(lending.Kredmint).URL()+"/auth?") || !strings.Contains(url, "mobile=9887206895") {
		t.Errorf("the address for drawing on the line is %q", url)
	}
	if number := a.textAt("customer.creditSummary.bureau.reportNumber"); !strings.HasPrefix(number, "w-2370756505/") {
		t.Errorf("the report's number is %q", number)
	}
	a.want(t, "customer.creditSummary.bureau.openFacilities", 3)
	a.want(t, "customer.creditSummary.bureau.totalOutstanding.currency", "NGN")
	want := map[string]string{"KREDETE": "FRESH", "TRUST_DECISION": "CACHED", "KREDMINT": "FRESH", "CARBON": "CACHED", "ONE_PIPE": "CACHED"}
	got := a.sources()
	for name, status := range got {
		if status == "CACHED" && want[name] == "FRESH" {
			got[name] = "FRESH" // another test asked before
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

// TestTheSummaryAddsUpTheLoans compares the exposure with the loans that the profile lists.
func TestTheSummaryAddsUpTheLoans(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	id := map[string]any{"id": p.person(t, 0)}
	profile := p.mustAsk(t, "CustomerProfile", id)

	sums, counts := map[string]int64{}, map[string]int{}
	running := []string{"DISBURSED", "ACTIVE", "DEFAULTED"}
	for _, edge := range profile.list("customer.loans.edges") {
		if status, _ := at(edge, "node.status").(string); slices.Contains(running, status) {
			currency := at(edge, "node.principal.currency").(string)
			sums[currency] += minor(t, at(edge, "node.outstanding"))
			counts[currency]++
		}
	}
	summary := p.mustAsk(t, "CustomerCreditSummary", id)
	exposures := summary.list("customer.creditSummary.exposure")
	if len(exposures) != 2 || len(sums) != 2 {
		t.Fatalf("the showcase owes in %d currencies by the summary and in %d by the loans, want INR and NGN", len(exposures), len(sums))
	}
	for _, e := range exposures {
		currency := at(e, "currency").(string)
		if got := minor(t, at(e, "outstanding")); got != sums[currency] {
			t.Errorf("%s: the summary says %d is outstanding, the loans add up to %d", currency, got, sums[currency])
		}
		if got := at(e, "activeLoanCount"); got != float64(counts[currency]) {
			t.Errorf("%s: the summary counts %v loans, the profile %d", currency, got, counts[currency])
		}
	}
}

// minor is an amount of money in an answer, in minor units.
func minor(t *testing.T, money any) int64 {
	t.Helper()
	amount, _ := at(money, "amount").(string)
	currency, _ := at(money, "currency").(string)
	m, err := lending.ParseMoney(amount, lending.Currency(currency))
	if err != nil {
		t.Fatalf("%v is no amount of money: %v", money, err)
	}
	return m.Minor()
}

// TestTheCustomerProfile asks what the back office asks on a customer's page.
func TestTheCustomerProfile(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	a := p.mustAsk(t, "CustomerProfile", variables(t, "CustomerProfile", map[string]string{"customer": p.person(t, 0)}))
	person := p.sandbox.World.Person(0)
	for path, want := range map[string]any{
		"firstName": "Adewale", "lastName": "Okonkwo", "email": person.Email, "phone": person.Phone,
		"status": "ACTIVE", "kycStatus": "VERIFIED",
		"loans.totalCount": float64(5), "creditReports.edges.0.node.status": "READY",
	} {
		a.want(t, "customer."+path, want)
	}
	identities := map[string]any{}
	for _, identity := range a.list("customer.identities") {
		identities[at(identity, "provider").(string)] = at(identity, "externalId")
	}
	want := map[string]any{
		"KREDETE": "cust_2xK9mN3pQ7vR", "TRUST_DECISION": "22370756505", "KREDMINT": "9887206895",
		"CARBON": "1732ca47-42b2-4990-a65d-c369e934eed3", "ONE_PIPE": "C-1001",
	}
	if diff := cmp.Diff(want, identities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	loans := map[string]map[string]any{}
	for _, edge := range a.list("customer.loans.edges") {
		loans[fmt.Sprint(at(edge, "node.reference"))] = at(edge, "node").(map[string]any)
	}
	for path, want := range map[string]any{
		"scenario-0-loan.provider": "KREDETE", "scenario-0-loan.status": "ACTIVE", "scenario-0-loan.providerStatus": "loan.repayment",
		"scenario-0-loan.principal.minorUnits": "10000000", "scenario-0-loan.interestRate": "2.5",
		"scenario-0-loan.totalInterest.amount": "7500.00", "scenario-0-loan.totalRepayment.amount": "107500.00",
		"scenario-0-loan.installment.amount": "35834.00", "scenario-0-loan.outstanding.amount": "71666.00",
		"scenario-0-loan.purpose": "EXPANSION_AND_GROWTH", "scenario-0-loan.tenure.unit": "DAY",
		"scenario-0-loan.customer.fullName":                                 "Adewale Okonkwo",
		"scenario-0-loan.payments.edges.0.node.amount.amount":               "35834.00",
		"scenario-0-loan.payments.edges.0.node.allocation.principal.amount": "33334.00",
		"scenario-0-loan.payments.edges.0.node.allocation.interest.amount":  "2500.00",
		"scenario-0-loan.payments.edges.0.node.method":                      "BANK_TRANSFER",
		"scenario-0-carbon.provider":                                        "CARBON", "scenario-0-carbon.status": "PENDING_REVIEW",
		"scenario-0-carbon.providerStatus": "PENDING", "scenario-0-carbon.principal.amount": "20000.00",
		"INV-00000.provider": "KREDMINT", "INV-00000.status": "DISBURSED", "INV-00000.providerStatus": "Completed",
		"INV-00000.principal.currency": "INR", "INV-00000.outstanding.amount": "1000.00",
	} {
		reference, rest, _ := strings.Cut(path, ".")
		if got := at(loans[reference], rest); got != want {
			t.Errorf("loan %s is %v, want %v", path, got, want)
		}
	}
	if len(a.list("customer.events.edges")) == 0 {
		t.Error("the customer has no events")
	}
	types := map[string]bool{} // of all the customer's events: which are the newest is a matter of moments
	log := p.mustAsk(t, "EventLog", map[string]any{"first": 100, "filter": map[string]any{"customerId": p.person(t, 0)}})
	for _, edge := range log.list("events.edges") {
		types[at(edge, "node.type").(string)] = true
	}
	for _, wanted := range []string{"CREDIT_REPORT_READY", "LOAN_DISBURSED", "PAYMENT_RECEIVED"} {
		if !types[wanted] {
			t.Errorf("no event %s among the customer's: %v", wanted, slices.Sorted(maps.Keys(types)))
		}
	}
}

// TestTheCustomersTableFilters asks for the customers table as the back office does.
func TestTheCustomersTableFilters(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	a := p.mustAsk(t, "CustomersTable", variables(t, "CustomersTable", nil))
	rows := a.list("customers.edges")
	if len(rows) == 0 || at(a.Data, "customers.totalCount") != float64(len(rows)) {
		t.Fatalf("%d rows, totalCount %v", len(rows), a.at("customers.totalCount"))
	}
	names := map[string]bool{}
	for _, row := range rows {
		name, email := at(row, "node.fullName").(string), at(row, "node.email").(string)
		names[name] = true
		if !strings.Contains(strings.ToLower(name+email), "okonkwo") || at(row, "node.status") != "ACTIVE" || at(row, "node.kycStatus") != "VERIFIED" {
			t.Errorf("%s (%v, %v) does not match the filter", name, at(row, "node.status"), at(row, "node.kycStatus"))
		}
	}
	if !names["Adewale Okonkwo"] {
		t.Error("the showcase customer is not found")
	}
}

// TestTheAnalystsQueries runs what analysts ask from the playground.
func TestTheAnalystsQueries(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	profile := p.mustAsk(t, "CustomerProfile", map[string]any{"id": p.person(t, 0)})
	var invoice string
	for _, edge := range profile.list("customer.loans.edges") {
		if at(edge, "node.reference") == "INV-00000" {
			invoice = at(edge, "node.id").(string)
		}
	}
	ids := map[string]string{"customer": p.person(t, 0), "loan": invoice}

	t.Run("Portfolio", func(t *testing.T) {
		vars := variables(t, "Portfolio", ids)
		p.mustAsk(t, "Portfolio", vars)
		filter := vars["filter"].(map[string]any)
		filter["status"], filter["createdAt"] = []string{"ACTIVE", "PENDING_REVIEW"}, nil
		a := p.mustAsk(t, "Portfolio", vars)
		a.want(t, "loans.totalCount", 3)
		a.want(t, "loans.totals.0.currency", "NGN")
		a.want(t, "loans.totals.0.principal.amount", "620000.00") // 100,000 and 20,000 of the scenario, 500,000 of before
		a.want(t, "loans.edges.0.node.customer.fullName", "Adewale Okonkwo")
	})
	t.Run("EventLog", func(t *testing.T) {
		vars := variables(t, "EventLog", ids)
		p.mustAsk(t, "EventLog", vars)
		types := []string{"LOAN_CREATED", "INVOICE_STATUS_CHANGED"}
		vars["filter"].(map[string]any)["types"] = types
		var words []any
		for _, edge := range p.mustAsk(t, "EventLog", vars).list("events.edges") {
			if at(edge, "node.provider") != "KREDMINT" || !slices.Contains(types, at(edge, "node.type").(string)) {
				t.Errorf("%v of %v does not match the filter", at(edge, "node.type"), at(edge, "node.provider"))
			}
			words = append(words, at(edge, "node.payload.status"))
		}
		if diff := cmp.Diff([]any{nil, "Initiated", "Verified", "Approved", "Paid", "Completed"}, words); diff != "" {
			t.Errorf("what the webhooks told of the invoice (-want +got):\n%s", diff)
		}
	})
	t.Run("Operations", func(t *testing.T) {
		vars := variables(t, "Operations", ids)
		if a := p.mustAsk(t, "Operations", vars); len(a.list("operations.edges")) != 0 {
			t.Error("the outcome of a scenario's operation is unknown")
		}
		vars["filter"].(map[string]any)["status"] = []string{"SUCCEEDED"}
		a := p.mustAsk(t, "Operations", vars)
		if len(a.list("operations.edges")) == 0 {
			t.Fatal("the showcase's applications are not in the operation log")
		}
		for _, edge := range a.list("operations.edges") {
			if at(edge, "node.kind") != "APPLY_FOR_LOAN" || at(edge, "node.customer.id") != ids["customer"] || at(edge, "node.loan.id") == nil {
				t.Errorf("%v does not match the filter", edge)
			}
		}
	})
	t.Run("Anything", func(t *testing.T) {
		a := p.mustAsk(t, "Anything", variables(t, "Anything", map[string]string{"any": ids["customer"]}))
		a.want(t, "node.__typename", "Customer")
		a.want(t, "node.fullName", "Adewale Okonkwo")
		a = p.mustAsk(t, "Anything", variables(t, "Anything", map[string]string{"any": invoice}))
		a.want(t, "node.__typename", "Loan")
		a.want(t, "node.status", "DISBURSED")
	})
	t.Run("Viewer", func(t *testing.T) {
		a := p.mustAsk(t, "Viewer", variables(t, "Viewer", nil))
		a.want(t, "viewer.clientId", "test")
		if !slices.Contains(a.list("viewer.scopes"), any("read:customers")) {
			t.Errorf("scopes are %v", a.at("viewer.scopes"))
		}
	})
	t.Run("ProviderHealth", func(t *testing.T) {
		a := p.mustAsk(t, "ProviderHealth", variables(t, "ProviderHealth", nil))
		names := []string{}
		for _, provider := range a.list("providers") {
			names = append(names, at(provider, "name").(string))
			if at(provider, "status") != "UP" || at(provider, "latency.p50") == nil || len(at(provider, "capabilities").([]any)) == 0 {
				t.Errorf("%v", provider)
			}
		}
		if diff := cmp.Diff([]string{"Kredete", "TrustDecision", "Kredmint", "Carbon", "OnePipe"}, names); diff != "" {
			t.Errorf("providers (-want +got):\n%s", diff)
		}
		a.want(t, "providers.0.rateLimit.limit", 10_000_000)
	})
}

// TestTheScenarioWasPlayedOverHTTP finds what the summary shows among what took place at the twins.
func TestTheScenarioWasPlayedOverHTTP(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	for name, want := range map[lending.Provider]struct{ operation, route string }{
		lending.Kredete:       {"loan.create", "POST /v2/loans"},
		lending.TrustDecision: {"report.order", "POST /query"},
		lending.Kredmint:      {"invoice.pay", "POST /user/eligibility"},
		lending.Carbon:        {"loan.apply", "POST /v1/loans/apply"},
		lending.OnePipe:       {"score.request", "POST /v2/transact"},
	} {
		took, called := len(p.effects(t, name, want.operation)), p.calls(t, name)[want.route]
		if took == 0 || called < took {
			t.Errorf("%s: %d calls of %s had %d effects %s", name, called, want.route, took, want.operation)
		}
	}
	var stats struct{ Delivered, Failed int }
	if err := p.admin(t.Context(), lending.TrustDecision, http.MethodGet, "webhooks", nil, &stats); err != nil {
		t.Fatal(err)
	}
	if stats.Delivered == 0 || stats.Failed != 0 {
		t.Errorf("reports came by %d pushes, %d failed", stats.Delivered, stats.Failed)
	}
}
