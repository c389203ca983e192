package main

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// run carries out a command line to its end.
func run(t *testing.T, args ...string) (printed string, err error) {
	t.Helper()
	var stdout, stderr logbook
	err = Main(t.Context(), args, &stdout, &stderr)
	return stdout.String(), err
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	printed, err := run(t, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return printed
}

// running is a command that goes on until it is stopped.
type running struct {
	stdout, stderr logbook
	stop           context.CancelFunc
	done           chan error
}

// runBehind begins a command; the test ends it.
func runBehind(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- Main(ctx, args, &r.stdout, &r.stderr) }()
	t.Cleanup(func() {
		cancel()
		if err := <-r.done; err != nil {
			t.Errorf("%v did not stop well: %v", args, err)
		}
	})
	return r
}

// says waits until a command has printed something, and gives what its first group matched.
func (r *running) says(t *testing.T, pattern string) string {
	t.Helper()
	var found []string
	eventually(t, "the command prints "+pattern, func() bool {
		found = regexp.MustCompile(pattern).FindStringSubmatch(r.stdout.String())
		return found != nil
	})
	return found[len(found)-1]
}

// setAll sets environment variables for a test.
func setAll(t *testing.T, settings ...[2]string) {
	t.Helper()
	for _, s := range settings {
		t.Setenv(s[0], s[1])
	}
}

func TestAWrongSettingStopsTheStart(t *testing.T) {
	for _, tc := range []struct{ name, value, named string }{
		{name: "CREDITGRAPH_LISTEN", value: "8080"},
		{name: "CREDITGRAPH_READ_DEADLINE", value: "soon"},
		{name: "CREDITGRAPH_LOG_LEVEL", value: "loud"},
		{name: "CREDITGRAPH_SANDBOX_CUSTOMERS", value: "100001"},
		{name: "CREDITGRAPH_SANDBOX_CUSTOMERS", value: "many"},
		{name: "DATABASE_URL", value: "mysql://127.0.0.1/credit"},
		{name: "REDIS_URL", value: "127.0.0.1:6379"},
		{name: "DATA_KEY", value: "canary-short"},
		{name: "KREDETE_AMOUNT_UNIT", value: "cowries"},
		{name: "KREDETE_BASE_URL", value: "api.kredete.example"},
		{name: "CARBON_BASE_URL", value: "https://carbon.example", named: "DATABASE_URL"}, // real data is kept
		{name: "CARBON_BASE_URL", value: "https://carbon.example", named: "DATA_KEY"},
		{name: "AUTH_JWKS_URL", value: "http://id.example/keys"},
		{name: "AUTH_JWKS_URL", value: "https://id.example/keys", named: "AUTH_ISSUER"},
		{name: "AUTH_JWKS_URL", value: "https://id.example/keys", named: "AUTH_AUDIENCE"},
		{name: "AUTH_AUDIENCE", value: "credit", named: "AUTH_JWKS_URL"},
		{name: "CREDITGRAPH_CONFIG", value: "/nonexistent/settings"},
	} {
		t.Run(tc.name+"="+tc.value, func(t *testing.T) {
			t.Setenv(tc.name, tc.value)
			_, err := run(t, "serve")
			if named := cmp.Or(tc.named, tc.name); err == nil || !strings.Contains(err.Error(), named) {
				t.Errorf("got %v, want it to name %s", err, named)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
	t.Run("a port that is taken", func(t *testing.T) {
		listener := listenLocally(t)
		defer listener.Close()
		t.Setenv("CREDITGRAPH_LISTEN", listener.Addr().String())
		if _, err := run(t); err == nil || !strings.Contains(err.Error(), "CREDITGRAPH_LISTEN") {
			t.Errorf("got %v, want it to name CREDITGRAPH_LISTEN", err)
		}
	})
	t.Run("a command that is none", func(t *testing.T) {
		if _, err := run(t, "dance"); err == nil {
			t.Error("it did something")
		}
	})
}

func TestConfigMasksSecrets(t *testing.T) {
	setAll(t, [2]string{"DATA_KEY", "canary-data-key-of-thirty-two-characters"}, [2]string{"REDIS_URL", "redis://:canary-password@cache.example:6379"},
		[2]string{"DATABASE_URL", "postgres://someone:canary-password@db.example/credit"}, [2]string{"CREDITGRAPH_READ_DEADLINE", "3s"})
	printed := mustRun(t, "config")
	if strings.Contains(printed, "canary") {
		t.Errorf("a secret is printed:\n%s", printed)
	}
	for _, line := range []string{"DATA_KEY=********", "CREDITGRAPH_READ_DEADLINE=3s", "DATABASE_URL=postgres://db.example/credit"} {
		if !slices.Contains(strings.Split(printed, "\n"), line) {
			t.Errorf("it does not say %q:\n%s", line, printed)
		}
	}
}

func TestSchemaPrintsTheSchema(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "printed", Input: mustRun(t, "schema")})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"customer", "loans", "providers", "viewer"} {
		if schema.Query.Fields.ForName(field) == nil {
			t.Errorf("the schema has no query %s", field)
		}
	}
}

// TestASandboxOfItsOwnAndAGateway follows what the sandbox alone prints: a second program runs on its
// settings, its customers are imported, and a client made for it may ask.
func TestASandboxOfItsOwnAndAGateway(t *testing.T) {
	gateway := listenLocally(t)
	address := gateway.Addr().String()
	if err := gateway.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDITGRAPH_SANDBOX_CUSTOMERS", "3")
	twins := runBehind(t, "sandbox", "--port", "0", "--webhooks", "http://"+address)
	twins.says(t, `export ONEPIPE_AUTH_PROVIDER='([^']+)'`)
	for _, setting := range regexp.MustCompile(`(?m)^export ([A-Z_]+)='([^']*)'$`).FindAllStringSubmatch(twins.stdout.String(), -1) {
		t.Setenv(setting[1], setting[2])
	}
	setAll(t, [2]string{"DATABASE_URL", "sqlite:" + filepath.Join(t.TempDir(), "records.db")}, [2]string{"DATA_KEY", testKey},
		[2]string{"CREDITGRAPH_LISTEN", address}, [2]string{"CREDITGRAPH_LOG_LEVEL", "debug"})

	if printed := mustRun(t, "migrate"); !strings.Contains(printed, "up to date") {
		t.Errorf("migrate says %q", printed)
	}
	for _, added := range []string{"3 customers are new", "0 customers are new"} {
		if printed := mustRun(t, "import"); !strings.Contains(printed, added) || !strings.Contains(printed, "read 3 of 3") {
			t.Errorf("import says %q, want %q", printed, added)
		}
	}
	created := mustRun(t, "client", "create", "--name", "front end", "--plan", "enterprise", "--scopes", "read:customers write:customers read:loans read:scores read:reports write:reports")
	parts := regexp.MustCompile(`^client_id: (\S+)\nclient_secret: (\S+)\n$`).FindStringSubmatch(created)
	if parts == nil {
		t.Fatalf("client create says %q", created)
	}
	serving := runBehind(t)
	base := serving.says(t, `creditgraph listens on (\S+)\n`)
	p := &program{app: &app{}, token: grant(t, base, parts[1], parts[2])}
	p.orderReport(t, base)

	if listed := mustRun(t, "client", "list"); !strings.Contains(listed, "front end  active") || strings.Contains(listed, parts[2]) {
		t.Errorf("client list says %q", listed)
	}
	mustRun(t, "client", "revoke", parts[1])
	if response, _ := askForToken(t, base, parts[1], parts[2]); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a revoked client gets %d", response.StatusCode)
	}
	for _, secret := range []string{parts[2], p.token, testKey, "22370756505", "sandbox-client-secret"} {
		if strings.Contains(serving.stderr.String(), secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}

// orderReport links the first customer to the bureau and orders a report, which comes by the sandbox's push.
func (p *program) orderReport(t *testing.T, base string) {
	t.Helper()
	p.base = base
	table := p.mustAsk(t, "CustomersTable", map[string]any{"first": 50, "filter": map[string]any{"search": "okonkwo"}})
	table.want(t, "customers.totalCount", 1)
	ids := map[string]string{"customer": table.textAt("customers.edges.0.node.id")}
	p.mustAsk(t, "LinkCustomer", variables(t, "LinkCustomer (bureau)", ids))
	p.mustAsk(t, "OrderCreditReport", variables(t, "OrderCreditReport", ids))
	eventually(t, "the report is pushed", func() bool {
		a := p.mustAsk(t, "CustomerCreditSummary", map[string]any{"id": ids["customer"]})
		return a.sources()[string(lending.TrustDecision)] == "CACHED" && a.textAt("customer.creditSummary.bureau.reportNumber") != ""
	})
	a := p.ask(t, "EventLog", map[string]any{"first": 1})
	if len(a.Errors) == 0 || a.Errors[0].Extensions.Code != "FORBIDDEN" || a.at("events") != nil {
		t.Errorf("the client has no scope for events, and gets %s", a.text)
	}
}

// grant gets a token for a client.
func grant(t *testing.T, base, id, secret string) string {
	t.Helper()
	response, body := askForToken(t, base, id, secret)
	var granted struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	if err := json.Unmarshal(body, &granted); err != nil || response.StatusCode != http.StatusOK || granted.TokenType != "Bearer" {
		t.Fatalf("no token: %d %s", response.StatusCode, body)
	}
	return granted.AccessToken
}

func askForToken(t *testing.T, base, id, secret string) (*http.Response, []byte) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, request)
}
