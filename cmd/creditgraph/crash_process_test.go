//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// crashProcess is one run of the program.
type crashProcess struct {
	bench   *crashBench
	command *exec.Cmd
	address string
	client  *http.Client
	exited  chan struct{}
	err     error // how it ended, once exited is closed
}

// start runs the program with a failpoint armed, or none where it is "". It answers when start returns.
func (b *crashBench) start(t testing.TB, failpoint string) *crashProcess {
	t.Helper()
	p := &crashProcess{
		bench: b, command: exec.Command(b.program), exited: make(chan struct{}),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	p.command.Env, p.command.Stderr = append(b.settings[:len(b.settings):len(b.settings)], "CREDITGRAPH_FAILPOINT="+failpoint), b.log
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ready := make(chan string, 1)
	go func() {
		defer close(p.exited)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if address, ok := strings.CutPrefix(lines.Text(), "creditgraph listens on "); ok {
				ready <- address
			}
		}
		p.err = p.command.Wait()
	}()
	select {
	case p.address = <-ready:
	case <-p.exited:
		t.Fatal("the program ended before it listened:", p.err)
	case <-time.After(crashPatience):
		t.Fatal("the program does not listen")
	}
	return p
}

// kill is kill -9, from outside.
func (p *crashProcess) kill() {
	_ = p.command.Process.Kill() // it may be dead already
	<-p.exited
}

// signal sends the process a signal.
func (p *crashProcess) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the process's end.
func (p *crashProcess) ended(t *testing.T) error {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(crashPatience):
		t.Fatal("the program does not end")
	}
	return p.err
}

// died waits until the process has killed itself at its failpoint.
func (p *crashProcess) died(t *testing.T) {
	t.Helper()
	var exit *exec.ExitError
	if err := p.ended(t); !errors.As(err, &exit) {
		t.Fatal("the program ended by itself:", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatal("the program did not die at its failpoint:", exit)
	}
}

// crashProblem is an error of an answer, or a problem of the input.
type crashProblem struct {
	Code, Message string
	Extensions    struct{ Code string }
}

// crashOperation is an operation as the graph shows it.
type crashOperation struct {
	ID, Status, Reference string
	Replayed              bool
	Failure               *struct{ Code string }
	Loan                  *crashLoan
}

type crashLoan struct{ ID, ExternalID, Status string }

// crashAnswer is what a mutation answered.
type crashAnswer struct {
	Operation  *crashOperation
	Loan       *crashLoan
	UserErrors []crashProblem
	errors     []crashProblem
}

// status is the operation's; "" where the answer has none.
func (a crashAnswer) status() string {
	if a.Operation == nil {
		return ""
	}
	return a.Operation.Status
}

// ask sends a document to the process and reads data into what into points to. The error says that no answer
// came; errors of the answer are told apart from it.
func (p *crashProcess) ask(ctx context.Context, document string, variables, into any) ([]crashProblem, error) {
	ctx, cancel := context.WithTimeout(ctx, crashPatience)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.bench.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer := struct {
		Data   any
		Errors []crashProblem
	}{Data: into}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	return answer.Errors, nil
}

// act sends a mutation.
func (p *crashProcess) act(ctx context.Context, m crashMutation, input map[string]any) (crashAnswer, error) {
	var data struct{ Acted crashAnswer }
	problems, err := p.ask(ctx, m.document(), map[string]any{"input": input}, &data)
	data.Acted.errors = problems
	return data.Acted, err
}

// mustAct sends a mutation that has to succeed.
func (p *crashProcess) mustAct(t *testing.T, m crashMutation, input map[string]any) crashAnswer {
	t.Helper()
	got, err := p.act(t.Context(), m, input)
	if err != nil || got.status() != string(lending.OpSucceeded) {
		t.Fatalf("%s did not succeed: %v, %+v", m.field, err, got)
	}
	return got
}

// operations are those that a filter matches, newest first, at most a hundred.
func (p *crashProcess) operations(t *testing.T, filter map[string]any) []crashOperation {
	t.Helper()
	var data struct {
		Operations struct {
			Edges []struct{ Node crashOperation }
		}
	}
	const document = `query ($filter: OperationFilter) { operations(filter: $filter, first: 100) { edges { node { id status reference loan { id externalId status } } } } }`
	problems, err := p.ask(t.Context(), document, map[string]any{"filter": filter}, &data)
	if err != nil || len(problems) > 0 {
		t.Fatal("operations:", err, problems)
	}
	var found []crashOperation
	for _, edge := range data.Operations.Edges {
		found = append(found, edge.Node)
	}
	return found
}

// crashEventually looks until what is wanted has come about.
func crashEventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	late := time.After(within)
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("it did not come about within %s that %s", within, what)
		}
	}
}
