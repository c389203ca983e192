//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// nodeProcess is a client of examples that runs.
type nodeProcess struct {
	script  string
	command *exec.Cmd
	out     *logbook
	errors  *logbook
	exited  chan struct{}
}

// startNode runs a script with its arguments, with these settings alone.
func startNode(t *testing.T, script string, settings ...string) *nodeProcess {
	t.Helper()
	return startIn(t, "../../examples/events", script, append([]string{"node"}, strings.Fields(script)...), settings...)
}

// startIn runs a command in a folder, with these settings alone. The name is what it is called when it fails.
func startIn(t *testing.T, folder, name string, command []string, settings ...string) *nodeProcess {
	t.Helper()
	p := &nodeProcess{
		script: name, command: exec.Command(command[0], command[1:]...),
		out: &logbook{}, errors: &logbook{}, exited: make(chan struct{}),
	}
	p.command.Dir, p.command.Stdout, p.command.Stderr = folder, p.out, p.errors
	p.command.Env = append(settings, "PATH="+os.Getenv("PATH"))
	if err := p.command.Start(); err != nil {
		t.Fatal(name, "does not start:", err)
	}
	go func() {
		defer close(p.exited)
		_ = p.command.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // it may be dead already
		<-p.exited
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.errors)
		}
	})
	return p
}

// lines are the last words of the lines that were printed: of an event, its id.
func (p *nodeProcess) lines() (words []string) {
	for line := range bytes.Lines([]byte(p.out.String())) {
		if fields := bytes.Fields(line); len(fields) > 0 && bytes.HasSuffix(line, []byte("\n")) {
			words = append(words, string(fields[len(fields)-1]))
		}
	}
	return words
}

// said tells how often a script has said something.
func (p *nodeProcess) said(what string) int { return strings.Count(p.errors.String(), what) }

// says waits until a script has said something a number of times.
func (p *nodeProcess) says(t *testing.T, what string, times int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s says %q %d times", p.script, what, times), func() bool {
		return p.said(what) >= times
	})
}

// hasPrinted waits until as many events are printed as there have to be, and compares them.
func (p *nodeProcess) hasPrinted(t *testing.T, wanted []string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s prints %d events", p.script, len(wanted)), func() bool { return len(p.lines()) >= len(wanted) })
	got := p.lines()
	if slices.Equal(got, wanted) {
		return
	}
	seen := map[string]int{}
	for _, id := range got {
		seen[id]++
	}
	missed := 0
	for _, id := range wanted {
		if seen[id] == 0 {
			missed++
		}
	}
	t.Fatalf("%s printed %d events, %d of them different ones; the log has %d, of which it missed %d", p.script, len(got), len(seen), len(wanted), missed)
}

// interrupt is Ctrl-C.
func (p *nodeProcess) interrupt(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.exitCode(t); code != 0 {
		t.Errorf("%s was interrupted and ended with %d, want 0", p.script, code)
	}
}

// exitCode waits for a script's end.
func (p *nodeProcess) exitCode(t *testing.T) int {
	t.Helper()
	eventually(t, p.script+" ends", func() bool {
		select {
		case <-p.exited:
			return true
		default:
			return false
		}
	})
	return p.command.ProcessState.ExitCode()
}

// clientsAddress is a free address below the ports that the system hands out by itself, so that nobody takes it
// while the program restarts.
func clientsAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000)))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return listener.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}
