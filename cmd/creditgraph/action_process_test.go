//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// TestTwoProcesses is the real program, twice, on one PostgreSQL. Where there is none it is once on SQLite.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	program, twins := crashProgram(t), actTwins(t)
	database, processes := "sqlite:"+t.TempDir()+"/records.db", 1
	if os.Getenv(postgresVariable) != "" {
		address, drop := makePostgres(t)
		t.Cleanup(drop)
		database, processes = address, 2
	}
	settings := actBeside(t, twins, database, 10*time.Second)
	inside := actRun(t, settings) // brings the customers, and looks into the database
	if _, err := inside.service.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
		t.Fatal(err)
	}
	w := actClient(t, inside, twins)
	request := w.applyRequest("processes", 1)
	var clients []*actWorld
	for range processes {
		client := w.on(t)
		client.at = actProcess(t, program, settings, twins)
		clients = append(clients, client)
	}
	w.fault(lending.Kredete, twin.Rule{Match: twin.Match{Method: http.MethodPost, Path: "/v2/loans"}, Kind: twin.Delay, Delay: twin.Duration(time.Second), Times: 1})
	actFifty(t, clients, request)
	if n := w.calls(lending.Kredete, "POST /v2/loans"); n != 1 {
		t.Errorf("%d calls", n)
	}
	w.check()
}

// actProcess runs the program as a process of its own until the test ends, and gives its address.
func actProcess(t *testing.T, program string, settings config.Config, twins *sandbox.Sandbox) string {
	t.Helper()
	command := exec.Command(program)
	command.Env = actEnvironment(settings, twins)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if found, ok := strings.CutPrefix(lines.Text(), "creditgraph listens on "); ok {
				address <- found
			}
		}
		ended <- command.Wait()
	}()
	t.Cleanup(func() {
		if err := errors.Join(command.Process.Signal(syscall.SIGTERM), <-ended); err != nil {
			t.Errorf("the process did not end well: %v", err)
		}
	})
	select {
	case found := <-address:
		return found
	case <-time.After(actPatience):
		t.Fatal("the process does not listen")
	}
	return ""
}

// actEnvironment are settings as a process is told them.
func actEnvironment(settings config.Config, twins *sandbox.Sandbox) []string {
	env := append(os.Environ(), "CREDITGRAPH_LISTEN=127.0.0.1:0", "DATABASE_URL="+string(settings.DatabaseURL),
		"DATA_KEY="+string(settings.DataKey), "CREDITGRAPH_DEFAULT_PLAN=unlimited", "CREDITGRAPH_WRITE_DEADLINE="+settings.WriteDeadline.String())
	for _, pair := range twins.Settings() {
		env = append(env, fmt.Sprintf("%s=%s", pair[0], pair[1]))
	}
	return env
}
