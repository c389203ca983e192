package scalar

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/schema"
)

func names[T ~string](e enum[T]) (string, []string) {
	list := make([]string, len(e.values))
	for i, value := range e.values {
		list[i] = string(value)
	}
	return e.name, list
}

func TestEnumsHaveTheValuesOfTheSchema(t *testing.T) {
	t.Parallel()
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	s, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]bool{"Scope": true} // its names differ from its values
	check := func(name string, got []string) {
		checked[name] = true
		var want []string
		for _, value := range s.Types[name].EnumValues {
			want = append(want, value.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-schema +code):\n%s", name, diff)
		}
	}
	check(names(auditActions))
	check(names(genders))
	check(names(customerStatuses))
	check(names(kycStatuses))
	check(names(employmentStatuses))
	check(names(identificationTypes))
	check(names(consentChannels))
	check(names(supplierStatuses))
	check(names(documentKinds))
	check(names(loanStatuses))
	check(names(loanPurposes))
	check(names(tenureUnits))
	check(names(loanOrderFields))
	check(names(orderDirections))
	check(names(paymentStatuses))
	check(names(paymentMethods))
	check(names(creditLineStates))
	check(names(operationKinds))
	check(names(operationStatuses))
	check(names(operationOutcomes))
	check(names(eventTypes))
	check(names(eventSources))
	check(names(errorCodes))
	check(names(creditProviders))
	check(names(capabilities))
	check(names(providerStatuses))
	check(names(circuitStates))
	check(names(sourceStatuses))
	check(names(scoreBands))
	check(names(riskCategories))
	check(names(impacts))
	check(names(creditReportStatuses))
	for name, def := range s.Types {
		if def.Kind == ast.Enum && !def.BuiltIn && !checked[name] {
			t.Errorf("the enum %s is not checked here", name)
		}
	}
}
