package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// TestTheWelcomeIsEnough does what a person does who has read what the program prints.
func TestTheWelcomeIsEnough(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 1})
	printed := p.printed.String()
	for _, line := range []string{"GraphQL   " + p.address() + "/graphql", "Explorer  " + p.address() + "/", p.sandbox.Server(lending.Carbon).URL() + "  Carbon"} {
		if !strings.Contains(printed, line) {
			t.Errorf("the welcome does not say %q:\n%s", line, printed)
		}
	}
	command := regexp.MustCompile(`(?m)^curl .*$`).FindString(printed)
	if command == "" {
		t.Fatalf("there is no command to paste:\n%s", printed)
	}
	var a answer
	if err := json.Unmarshal(paste(t, command), &a); err != nil {
		t.Fatal(err)
	}
	a.want(t, "customer.fullName", "Adewale Okonkwo")
	a.want(t, "customer.creditSummary.creditLines.0.limit.amount", "500000.00")
	if len(a.Errors) > 0 || len(a.list("customer.creditSummary.sources")) != 5 {
		t.Errorf("errors %v, sources %v", a.Errors, a.at("customer.creditSummary.sources"))
	}
}

// paste runs a curl command as a person would; where there is no curl, it sends what the command says.
func paste(t *testing.T, command string) []byte {
	t.Helper()
	if _, err := exec.LookPath("curl"); err == nil {
		run := exec.CommandContext(t.Context(), "bash", "-c", command)
		run.Env = append(os.Environ(), "no_proxy=127.0.0.1")
		out, err := run.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	parts := regexp.MustCompile(`^curl -s (\S+) -H '([^:]+): ([^']+)' -H '([^:]+): ([^']+)' -d '([^']+)'$`).FindStringSubmatch(command)
	if parts == nil {
		t.Fatalf("the command cannot be read: %s", command)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, parts[1], strings.NewReader(parts[6]))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set(parts[2], parts[3])
	request.Header.Set(parts[4], parts[5])
	_, body := send(t, request)
	return body
}

// send sends a request and reads the whole answer.
func send(t *testing.T, request *http.Request) (*http.Response, []byte) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// get asks for one of the program's addresses.
func (p *program) get(t *testing.T, path string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.address()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, body := send(t, request)
	return response, string(body)
}

func TestWhatIsServedBesideTheGraph(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 1})

	t.Run("the explorer", func(t *testing.T) {
		response, page := p.get(t, "/")
		policy := response.Header.Get("Content-Security-Policy")
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") || !strings.Contains(page, `<script type="module"`) {
			t.Errorf("%d %s: %.100s", response.StatusCode, response.Header.Get("Content-Type"), page)
		}
		for _, rule := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, rule) {
				t.Errorf("the page's policy %q lacks %q", policy, rule)
			}
		}
	})
	t.Run("nothing else", func(t *testing.T) {
		if response, _ := p.get(t, "/elsewhere"); response.StatusCode != http.StatusNotFound {
			t.Errorf("got %d, want 404", response.StatusCode)
		}
	})
	t.Run("the graph wants a token", func(t *testing.T) {
		for _, header := range [][]string{nil, {"Authorization", "Bearer " + p.token + "x"}, {"Authorization", "Basic " + p.token}} {
			response, body := p.get(t, "/graphql?query=%7B__typename%7D", header...)
			if response.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer") || strings.Contains(body, "Query") {
				t.Errorf("%v: %d, %q: %s", len(header), response.StatusCode, response.Header.Get("WWW-Authenticate"), body)
			}
		}
		if response, body := p.get(t, "/graphql?query=%7B__typename%7D", "Authorization", "Bearer "+p.token); response.StatusCode != http.StatusOK || !strings.Contains(body, "Query") {
			t.Errorf("with a token: %d: %s", response.StatusCode, body)
		}
	})
	t.Run("life and readiness", func(t *testing.T) {
		for path, want := range map[string]string{"/healthz": "alive", "/readyz": "ready"} {
			if response, body := p.get(t, path); response.StatusCode != http.StatusOK || strings.TrimSpace(body) != want {
				t.Errorf("%s: %d %q", path, response.StatusCode, body)
			}
		}
		if err := p.records.Close(); err != nil {
			t.Fatal(err)
		}
		if response, body := p.get(t, "/readyz"); response.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "sql") {
			t.Errorf("without a database: %d %q, want 503", response.StatusCode, body)
		}
		if response, _ := p.get(t, "/healthz"); response.StatusCode != http.StatusOK {
			t.Errorf("without a database the process counts as dead: %d", response.StatusCode)
		}
	})
}

// TestTheWelcomeDoesNotWaitForTheImport starts with as many customers as the sandbox can have.
func TestTheWelcomeDoesNotWaitForTheImport(t *testing.T) {
	t.Parallel()
	const customers = 100_000
	p := bootEarly(t, setup{customers: customers}) // returns when the welcome is printed
	count, err := p.records.CountCustomers(t.Context(), lending.CustomerFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if count >= customers || !strings.Contains(p.printed.String(), "curl -s ") {
		t.Errorf("%d customers were imported before the welcome:\n%s", count, p.printed.String())
	}
	p.mustAsk(t, "CustomerCreditSummary", map[string]any{"id": p.person(t, 0)}).want(t, "customer.fullName", "Adewale Okonkwo")
	eventually(t, "the log tells how far the import is", func() bool {
		for line := range strings.Lines(p.log.String()) {
			var entry struct {
				Msg         string
				Read, Total int
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "customers are imported" {
				return entry.Read > 0 && entry.Read < customers && entry.Total == customers
			}
		}
		return false
	})
}
