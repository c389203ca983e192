package server_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// nodeVariable has the reference audits run. They need node, and what "npm ci" installs in testdata/audit.
const nodeVariable = "CREDITGRAPH_TEST_NODE"

// referenceAudits is how many audits the suite has, in the version that is pinned.
const referenceAudits = 60

// TestReferenceAudits runs the audits that come with the specification's reference implementation.
func TestReferenceAudits(t *testing.T) {
	t.Parallel()
	if os.Getenv(nodeVariable) == "" {
		return // TestGraphQLOverHTTP holds the same, without node
	}
	b := setup(t)
	audit := exec.CommandContext(t.Context(), "node", "audit.mjs")
	audit.Dir = "testdata/audit"
	audit.Env = append(os.Environ(), "CREDITGRAPH_URL="+b.url+"/graphql", "CREDITGRAPH_TOKEN="+b.token())
	said, err := audit.CombinedOutput()
	if passed := len(regexp.MustCompile(`(?m)^ok `).FindAll(said, -1)); err != nil || passed != referenceAudits {
		t.Errorf("%d of %d audits passed: %v\n%s", passed, referenceAudits, err, said)
	}
}
