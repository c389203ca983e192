package resolvers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// profiled are some customers whose profiles Kredete has.
func (b *bench) profiled(n int) (first string) {
	b.Helper()
	for i := range n {
		key := fmt.Sprint("cust_", i)
		id := b.customer(lending.CustomerID(fmt.Sprint("c", i)), "KREDETE", key)
		if first == "" {
			first = id
		}
		b.profiles.answers[key] = lending.Fetched[lending.Profile]{
			Status: lending.SourceCached, AsOf: time.Now(), Value: lending.Profile{ExternalID: key, FirstName: "Adaeze", Status: lending.CustomerActive},
		}
	}
	return first
}

func TestProvidersAreAskedAsTheQuerySelects(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.profiled(3)
	for name, test := range map[string]struct {
		query     string
		variables map[string]any
		want      []string
	}{
		"nothing of a profile": {`query($id: ID!) { customer(id: $id) { id nationality createdAt } }`, nil, nil},
		"a name":               {`query($id: ID!) { customer(id: $id) { firstName } }`, nil, []string{"1 of any age"}},
		"a name by another name": {
			`query($id: ID!) { customer(id: $id) { called: fullName } }`, nil, []string{"1 of any age"},
		},
		"a name in a fragment": {
			`query($id: ID!) { customer(id: $id) { ...F } } fragment F on Customer { ... on Customer { ...G } } fragment G on Customer { phone }`,
			nil,
			[]string{"1 of any age"},
		},
		"a summary": {`query($id: ID!) { customer(id: $id) { firstName creditSummary { asOf } } }`, nil, []string{"1 of any age"}},
		"two summaries alike": {
			`query($id: ID!) { customer(id: $id) { a: creditSummary { asOf } b: creditSummary(freshness: {allowStale: true}) { sources { status } } } }`,
			nil,
			[]string{"1 of any age"},
		},
		"two of another age": {
			`query($id: ID!) { customer(id: $id) { a: creditSummary(freshness: {maxAge: "PT5M"}) { asOf } b: creditSummary(freshness: {maxAge: "PT1H", allowStale: false}) { asOf } } }`,
			nil,
			[]string{"1 of 1h0m0s, not stale", "1 of 5m0s"},
		},
		"an age in a variable": {
			`query($id: ID!, $f: FreshnessInput) { customer(id: $id) { ...S } } fragment S on Customer { creditSummary(freshness: $f) { asOf } }`,
			map[string]any{"f": map[string]any{"maxAge": "PT30S", "allowStale": false}},
			[]string{"1 of 30s, not stale"},
		},
		"an age in a variable within": {
			`query($id: ID!, $age: Duration) { customer(id: $id) { creditSummary(freshness: {maxAge: $age}) { asOf } } }`,
			map[string]any{"age": "PT30S"},
			[]string{"1 of 30s"},
		},
		"an age by default": {
			`query($id: ID!, $age: Duration = "PT10S") { customer(id: $id) { creditSummary(freshness: {maxAge: $age}) { asOf } } }`,
			nil,
			[]string{"1 of 10s"},
		},
		"a summary that is left out": {
			`query($id: ID!, $no: Boolean = false) { customer(id: $id) { id creditSummary @include(if: $no) { asOf } } }`, nil, nil,
		},
		"a node": {
			`query($id: ID!) { node(id: $id) { ... on Customer { creditSummary(freshness: {maxAge: "PT5M"}) { asOf } } } }`, nil, []string{"1 of 5m0s"},
		},
		"a table": {
			`{ customers { edges { node { firstName creditSummary { sources { status } } } } } }`, nil, []string{"3 of any age"},
		},
		"a table in fragments": {
			`{ customers { ...C } } fragment C on CustomerConnection { edges { ...E } } fragment E on CustomerEdge { node { ...N } } fragment N on Customer { email }`,
			nil,
			[]string{"3 of any age"},
		},
		"a table of ids": {`{ customers { edges { node { id } } } }`, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			variables := map[string]any{"id": id}
			for key, value := range test.variables {
				variables[key] = value
			}
			if !strings.Contains(test.query, "$id") {
				delete(variables, "id")
			}
			if got := b.ask(test.query, variables); len(got.Errors) != 0 {
				t.Errorf("answered %s", got.text)
			}
			if diff := cmp.Diff(test.want, b.profiles.asked()); diff != "" {
				t.Errorf("reads of profiles (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheProviderSaysGoesBeforeTheRecords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.profiled(1)
	got := b.ask(`query($id: ID!) { customer(id: $id) { firstName lastName status } node(id: $id) { ... on Customer { fullName } } }`, map[string]any{"id": id})
	want := map[string]any{
		"customer": map[string]any{"firstName": "Adaeze", "lastName": "Obi", "status": "ACTIVE"},
		"node":     map[string]any{"fullName": "Adaeze Obi"},
	}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Errorf("%s (-want +got):\n%s", got.text, diff)
	}
}

func TestAProviderThatIsDownCostsItsPartAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.customer("c1", "KREDETE", "cust_0", "KREDMINT", "9876543210")
	b.profiles.answers["cust_0"] = lending.Fetched[lending.Profile]{
		Status: lending.SourceUnavailable, Err: &lending.Error{Kind: lending.KindTimeout, Provider: lending.Kredete, Outcome: lending.NotExecuted, Retryable: true},
	}
	b.suppliers.answers["9876543210"] = lending.Fetched[[]lending.Supplier]{
		Status: lending.SourceStale, Value: []lending.Supplier{{Provider: lending.Kredmint, ExternalID: "SUPB-1"}},
		Err: &lending.Error{Kind: lending.KindUpstreamUnavailable, Provider: lending.Kredmint},
	}
	got := b.ask(`query($id: ID!) { customer(id: $id) { firstName suppliers { externalId } creditSummary { scores { id } creditLines { provider } exposure { currency } sources { provider status error { code } } } } }`, map[string]any{"id": id})
	customer, _ := got.Data["customer"].(map[string]any)
	summary, _ := customer["creditSummary"].(map[string]any)
	if customer["firstName"] != "Ada" || summary == nil {
		t.Fatalf("answered %s", got.text)
	}
	if diff := cmp.Diff([]any{map[string]any{"externalId": "SUPB-1"}}, customer["suppliers"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, list := range []string{"scores", "creditLines", "exposure"} {
		if diff := cmp.Diff([]any{}, summary[list]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", list, diff)
		}
	}
	first := summary["sources"].([]any)[0]
	if diff := cmp.Diff(map[string]any{"provider": "KREDETE", "status": "UNAVAILABLE", "error": map[string]any{"code": "TIMEOUT"}}, first); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	codes := strings.Join(got.codes(), " ")
	if !strings.Contains(codes, "TIMEOUT") || !strings.Contains(codes, "UPSTREAM_UNAVAILABLE") || len(got.Errors) != 2 {
		t.Errorf("errors: %s", codes)
	}
}

func TestACustomerWithoutAnAccountHasNoSuppliers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.customer("c1")
	got := b.ask(`query($id: ID!) { customer(id: $id) { suppliers { name } } }`, map[string]any{"id": id})
	if len(got.Errors) != 0 {
		t.Errorf("answered %s", got.text)
	}
	b.supplied("9876543210")
	linked := b.customer("c2", "KREDMINT", "9876543210")
	got = b.ask(`query($id: ID!) { customer(id: $id) { suppliers { name } } }`, map[string]any{"id": linked})
	if diff := cmp.Diff(map[string]any{"customer": map[string]any{"suppliers": []any{}}}, got.Data); diff != "" {
		t.Errorf("%s (-want +got):\n%s", got.text, diff)
	}
}

func TestAnAgeThatCannotBeReadIsTheSendersToMend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.profiled(1)
	got := b.ask(`query($id: ID!) { customer(id: $id) { creditSummary(freshness: {maxAge: "soon"}) { asOf } } }`, map[string]any{"id": id})
	for _, code := range got.codes() {
		if code != "VALIDATION" {
			t.Errorf("answered %s", got.text)
		}
	}
	if len(got.Errors) == 0 || len(b.profiles.asked()) != 0 {
		t.Errorf("answered %s", got.text)
	}
}
