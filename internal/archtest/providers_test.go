package archtest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryDriverIsHeldToTheSuite wants the tests of each driver to use the conformance suite.
func TestEveryDriverIsHeldToTheSuite(t *testing.T) {
	t.Parallel()
	packages, err := load(root, module)
	if err != nil {
		t.Fatal(err)
	}
	for _, driver := range below(port) {
		i := slices.IndexFunc(packages, func(p pkg) bool { return p.path == driver })
		if i < 0 || !slices.Contains(packages[i].tests, port+"/providertest") {
			t.Errorf("no test of %s uses %s/providertest", driver, port)
		} else if !strings.Contains(testsIn(t, driver), "providertest.Run(t, ") {
			t.Errorf("no test of %s runs the suite", driver)
		}
	}
}

var (
	suiteFault = regexp.MustCompile(`(?m)^\t\{"([^"]+)", `)
	toldFault  = regexp.MustCompile(`(?m)^\| ([^|]+) \| [^|]+ \|$`)
)

// TestTheChecklistForProvidersIsTrue holds docs/adding-a-provider.md to the suite and to the tests that it names.
func TestTheChecklistForProvidersIsTrue(t *testing.T) {
	t.Parallel()
	page := readText(t, "docs", "adding-a-provider.md")
	told := map[string]bool{}
	for _, row := range toldFault.FindAllStringSubmatch(page, -1) {
		told[row[1]] = true
	}
	faults := suiteFault.FindAllStringSubmatch(readText(t, "internal", "provider", "providertest", "faults.go"), -1)
	if len(faults) < 10 {
		t.Fatalf("only %d faults were found in the suite", len(faults))
	}
	for _, fault := range faults {
		if !told[fault[1]] {
			t.Errorf("the page does not tell what is wanted at %q", fault[1])
		}
		delete(told, fault[1])
	}
	// The head of the table, and the row that is no fault.
	if rest := len(told) - 2; rest != 0 {
		t.Errorf("%d rows are of no fault of the suite: %v", rest, told)
	}
	tests := namedTest.FindAllStringSubmatch(page, -1)
	if len(tests) < 6 {
		t.Errorf("only %d tests are named", len(tests))
	}
	for _, test := range tests {
		if !strings.Contains(testsIn(t, test[2]), "\nfunc "+test[1]+"(") {
			t.Errorf("%s has no test %s", test[2], test[1])
		}
	}
}
