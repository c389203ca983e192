//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// exampleScopes are those that the examples say they need.
const exampleScopes = "read:customers write:customers read:loans write:loans read:scores read:reports read:events"

// exampleClient is one of the clients in examples. All have the same commands and print the same.
type exampleClient struct {
	name, folder string
	command      []string
	// texts is how often the client sends the text of a query whose hash is not known; 0 where it sends no hashes.
	texts int
}

// TestExamples runs the clients in examples against the program. It needs node, bash and curl, and what "npm ci"
// installs in examples/typescript.
func TestExamples(t *testing.T) {
	t.Parallel()
	if os.Getenv(nodeVariable) == "" {
		t.Skip("the clients run where " + nodeVariable + " is set: they need npm and modules of their own")
	}
	program := crashProgram(t)
	for _, client := range exampleClients(t) {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			for name, test := range map[string]func(t *testing.T, b *crashBench, client exampleClient){
				"lists are read to their end":           exampleLists,
				"a key acts once":                       exampleActsOnce,
				"an answer is lost":                     exampleLosesAnswer,
				"an outcome is unknown":                 exampleWaits,
				"events are followed over restarts":     exampleFollows,
				"a follower is refused":                 exampleIsRefused,
				"a summary, by the client's own tokens": exampleSummary,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, newCrashBench(t, program, "sqlite:"+filepath.Join(t.TempDir(), "records.db")), client)
				})
			}
		})
	}
	t.Run("curl", func(t *testing.T) {
		t.Parallel()
		exampleTour(t, newCrashBench(t, program, "sqlite:"+filepath.Join(t.TempDir(), "records.db")))
	})
}

// exampleClients builds the clients.
func exampleClients(t *testing.T) []exampleClient {
	t.Helper()
	const typescript, golang = "../../examples/typescript", "../../examples/go"
	binary := filepath.Join(t.TempDir(), "client")
	for folder, command := range map[string][]string{typescript: {"npm", "run", "--silent", "build"}, golang: {"go", "build", "-o", binary, "."}} {
		build := exec.CommandContext(t.Context(), command[0], command[1:]...)
		build.Dir = folder
		if said, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s cannot be built: %v\n%s", folder, err, said)
		}
	}
	return []exampleClient{
		{"apollo", typescript, []string{"node", "dist/main.js", "apollo"}, 1},
		{"urql", typescript, []string{"node", "dist/main.js", "urql"}, 2},
		{"go", golang, []string{binary}, 0},
	}
}

// start runs a command of the client at an address.
func (c exampleClient) start(t *testing.T, address, token string, arguments ...string) *nodeProcess {
	t.Helper()
	return startIn(t, c.folder, c.name+" "+arguments[0], append(slices.Clone(c.command), arguments...), "CREDITGRAPH_URL="+address, "CREDITGRAPH_TOKEN="+token)
}

// prints runs a command to its end and tells what it printed, line by line.
func (c exampleClient) prints(t *testing.T, code int, address, token string, arguments ...string) []string {
	t.Helper()
	p := c.start(t, address, token, arguments...)
	if got := p.exitCode(t); got != code {
		t.Fatalf("%s ended with %d, want %d; it printed:\n%s", p.script, got, code, p.out)
	}
	return strings.Split(strings.TrimSuffix(p.out.String(), "\n"), "\n")
}

// exampleLists reads customers and loans in small pages.
func exampleLists(t *testing.T, b *crashBench, client exampleClient) {
	service := b.start(t, "")
	b.happen(t, service, 3)
	front := standBefore(t, service.address)
	var customers []string
	for _, line := range client.prints(t, 0, front.address, b.token, "customers", "4") {
		customers = append(customers, line[strings.LastIndex(line, " ")+1:])
	}
	wanted := slices.Clone(b.customers)
	slices.Sort(wanted)
	slices.Sort(customers)
	if !slices.Equal(customers, wanted) {
		t.Errorf("%d customers are printed, want each of %d once", len(customers), len(wanted))
	}
	if loans := client.prints(t, 0, front.address, b.token, "loans", "2"); len(loans) != 3 || !regexp.MustCompile(`^[A-Z_]+ 100000\.00 NGN \S+$`).MatchString(loans[0]) {
		t.Errorf("the loans are printed as %q, want 3", loans)
	}
	if client.texts == 0 {
		return
	}
	// Each of the two queries is told once; the hash alone is sent for each page, of which the loans have two.
	wantedTexts, wantedHashes := 2*client.texts, 2+(len(b.customers)+3)/4
	if texts, hashes := front.queries(); texts > wantedTexts || hashes < wantedHashes {
		t.Errorf("%d requests had the text of a query and %d its hash alone; want at most %d and at least %d", texts, hashes, wantedTexts, wantedHashes)
	}
}

// exampleActsOnce sends an application, sends it again, and sends another one with its key.
func exampleActsOnce(t *testing.T, b *crashBench, client exampleClient) {
	service, customer := b.start(t, ""), b.customers[crashKnown]
	first := client.prints(t, 0, service.address, b.token, "apply", customer, "one-key")
	second := client.prints(t, 0, service.address, b.token, "apply", customer, "one-key")
	if !strings.HasPrefix(first[0], "SUCCEEDED new ") || second[0] != strings.Replace(first[0], " new ", " replayed ", 1) {
		t.Errorf("it printed %q, and then %q", first, second)
	}
	other := client.start(t, service.address, b.token, "apply", customer, "one-key", "600000")
	if code := other.exitCode(t); code != 2 || !strings.HasPrefix(other.errors.String(), "IDEMPOTENCY_KEY_REUSED input.idempotencyKey: ") {
		t.Errorf("with another amount it ended with %d and said %q", code, other.errors)
	}
	b.hasLent(t, 1)
}

// exampleLosesAnswer cuts the connection instead of giving the first answer.
func exampleLosesAnswer(t *testing.T, b *crashBench, client exampleClient) {
	service := b.start(t, "")
	front := standBefore(t, service.address)
	front.cuts.Store(1)
	if got := client.prints(t, 0, front.address, b.token, "apply", b.customers[crashKnown], "lost-answer"); !strings.HasPrefix(got[0], "SUCCEEDED replayed ") {
		t.Errorf("it printed %q", got)
	}
	if front.cuts.Load() > 0 {
		t.Error("no answer was cut")
	}
	b.hasLent(t, 1)
}

// exampleWaits has the provider lend and not answer, restarts the service under the client that waits, and settles
// the operation by hand.
func exampleWaits(t *testing.T, b *crashBench, client exampleClient) {
	address := clientsAddress(t)
	service := b.startAt(t, address)
	b.twin(t, http.MethodPost, crashApply.provider, "faults", twin.Rule{Kind: twin.CutAfterEffect, Times: 1, Match: twin.Match{Method: http.MethodPost, Path: crashApply.path}}, nil)
	p := client.start(t, service.address, b.token, "apply", b.customers[crashKnown], "unknown-outcome")
	p.says(t, "the operation is OUTCOME_UNKNOWN", 1)
	service.kill()
	service = b.startAt(t, address)
	p.says(t, "the operation is OUTCOME_UNKNOWN", 2)
	b.settle(t, service, strings.Fields(p.out.String())[3])
	if code, printed := p.exitCode(t), p.out.String(); code != 0 || !regexp.MustCompile(`^OUTCOME_UNKNOWN new - \S+\nsettled SUCCEEDED\n$`).MatchString(printed) {
		t.Errorf("it ended with %d and printed %q", code, printed)
	}
	b.hasLent(t, 1)
}

// settle does what an operator does who has asked the provider.
func (b *crashBench) settle(t *testing.T, p *crashProcess, operation string) {
	t.Helper()
	var loan string
	for key := range b.effects(t, crashApply) {
		loan = key
	}
	var data struct {
		ResolveOperation struct {
			Operation  struct{ Status string }
			UserErrors []crashProblem
		}
	}
	const document = `mutation ($input: ResolveOperationInput!) { resolveOperation(input: $input) { operation { status } userErrors { code message } } }`
	input := map[string]any{"operationId": operation, "outcome": "SUCCEEDED", "externalId": loan, "evidence": "The provider's list has it."}
	problems, err := p.ask(t.Context(), document, map[string]any{"input": input}, &data)
	if err != nil || data.ResolveOperation.Operation.Status != string(lending.OpSucceeded) {
		t.Fatal("the operation could not be settled:", err, problems, data)
	}
}

// hasLent wants Kredete to have made so many loans.
func (b *crashBench) hasLent(t *testing.T, loans int) {
	t.Helper()
	if made := b.effects(t, crashApply); len(made) != loans {
		t.Errorf("Kredete made %d loans, want %d", len(made), loans)
	}
}

// exampleFollows kills and ends the service while events happen at another.
func exampleFollows(t *testing.T, b *crashBench, client exampleClient) {
	other, address := b.start(t, ""), clientsAddress(t)
	service := b.startAt(t, address)
	begin := b.happen(t, other, 1)
	follower := client.start(t, service.address, b.token, "follow", begin)
	for round := range 4 {
		b.happen(t, service, 2)
		follower.hasPrinted(t, b.eventLog(t, other, begin))
		if round%2 == 0 {
			service.kill()
		} else {
			service.signal(t, syscall.SIGTERM)
			if err := service.ended(t); err != nil {
				t.Error("the service did not end well:", err)
			}
		}
		b.happen(t, other, 3)
		service = b.startAt(t, address)
	}
	b.happen(t, service, 1)
	follower.hasPrinted(t, b.eventLog(t, other, begin))
}

// exampleIsRefused follows with a token that is not good, and behind a cursor that is none.
func exampleIsRefused(t *testing.T, b *crashBench, client exampleClient) {
	service := b.start(t, "")
	begin := b.happen(t, service, 1)
	for _, c := range []struct{ token, cursor, want string }{
		{b.token + "x", "", "The token is not valid."},
		{b.token + "x", begin, "The token is not valid."},
		{b.token, "nowhere", "The input has problems"},
	} {
		p := client.start(t, service.address, c.token, "follow", c.cursor)
		if code := p.exitCode(t); code != 1 || !strings.Contains(p.errors.String(), c.want) {
			t.Errorf("with cursor %q it ended with %d and said %q, want %q", c.cursor, code, p.errors, c.want)
		}
	}
}

// exampleSummary lets the client ask for tokens itself; the first that it gets is none.
func exampleSummary(t *testing.T, b *crashBench, client exampleClient) {
	service := b.start(t, "")
	front, given := shortTokens(t, service.address)
	p := startIn(t, client.folder, client.name+" summary", append(slices.Clone(client.command), "summary", b.customers[crashKnown]),
		"CREDITGRAPH_URL="+front, "CREDITGRAPH_CLIENT_ID=someone", "CREDITGRAPH_CLIENT_SECRET=secret")
	if code := p.exitCode(t); code != 0 || !regexp.MustCompile(`(?m)^KREDETE (FRESH|CACHED)`).MatchString(p.out.String()) {
		t.Errorf("it ended with %d and printed %q", code, p.out)
	}
	if got := given.Load(); got < 2 {
		t.Errorf("it asked for %d tokens, want another one after the first was refused", got)
	}
}

// exampleTour runs the script that needs nothing but curl.
func exampleTour(t *testing.T, b *crashBench) {
	service := b.start(t, "")
	b.happen(t, service, 1) // so that the log has a cursor to begin behind
	create := exec.CommandContext(t.Context(), b.program, "client", "create", "--name", "tour", "--scopes", exampleScopes)
	create.Env = b.settings
	said, err := create.Output()
	credentials := regexp.MustCompile(`client_id: (\S+)\nclient_secret: (\S+)`).FindSubmatch(said)
	if err != nil || credentials == nil {
		t.Fatalf("no client: %v %s", err, said)
	}
	tour := startIn(t, "../../examples/curl", "tour.sh", []string{"bash", "tour.sh"}, "CREDITGRAPH_URL="+service.address, "KEY=tour-key",
		fmt.Sprintf("CREDITGRAPH_CLIENT_ID=%s", credentials[1]), fmt.Sprintf("CREDITGRAPH_CLIENT_SECRET=%s", credentials[2]))
	if code := tour.exitCode(t); code != 0 {
		t.Fatalf("it ended with %d and printed:\n%s", code, tour.out)
	}
	rest := []byte(tour.out.String())
	for _, want := range []string{
		`good for 3600 seconds, for ` + exampleScopes,
		`customer \S+`, `5 providers`, `provider:KREDETE status:(FRESH|CACHED)`,
		`SUCCEEDED replayed: false loan \S+`, `SUCCEEDED replayed: true loan \S+`,
		`PERSISTED_QUERY_NOT_FOUND`, `told: \d+`, `by its hash: \d+`, `SUCCEEDED document \S+`,
		`LOAN_CREATED`, `DOCUMENT_UPLOADED`,
	} {
		found := regexp.MustCompile(`(?m)` + want + `.*$`).FindIndex(rest)
		if found == nil {
			t.Fatalf("it does not print %q where it should; it printed:\n%s", want, tour.out)
		}
		rest = bytes.Clone(rest[found[1]:])
	}
	b.hasLent(t, 1)
}
