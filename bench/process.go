package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long a part may take to start or to end, and one request to be answered.
const patience = time.Minute

// process is a part of the run that has a process of its own.
type process struct {
	name string
	cmd  *exec.Cmd
	told chan string // each line that it prints
	done chan error
}

// launch starts a program with the given variables beside this process's own.
func launch(ctx context.Context, name, program string, variables []string, arguments ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, told: make(chan string, 1024), done: make(chan error, 1)}
	go func() {
		defer close(p.told)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			select {
			case p.told <- lines.Text():
			default: // nobody wants that much
			}
		}
	}()
	go func() { p.done <- cmd.Wait() }()
	return p, nil
}

// await gives the first line for which want is true, and all before it.
func (p *process) await(want func(line string) bool) ([]string, error) {
	var lines []string
	for timeout := time.After(patience); ; {
		select {
		case line, ok := <-p.told:
			if !ok {
				return nil, fmt.Errorf("%s ended before it was ready", p.name)
			}
			if lines = append(lines, line); want(line) {
				return lines, nil
			}
		case <-timeout:
			return nil, fmt.Errorf("%s is not ready after %s", p.name, patience)
		}
	}
}

// address is the one that a server prints when it is ready.
func (p *process) address() (string, error) {
	lines, err := p.await(func(line string) bool { return strings.Contains(line, "listens on http://") })
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(lines[len(lines)-1], "listens on ")
	return strings.Fields(rest)[0], nil
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil // how it ends after it was told to says nothing of what was measured
	case <-time.After(patience):
		return fmt.Errorf("%s does not end", p.name)
	}
}

// cpu is the CPU time of all the process's threads so far, to the nanosecond: the kernel's own account in
// /proc, because the usual one counts ticks of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("the CPU time of %s cannot be read: bench needs Linux", p.name)
	}
	var total time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n)
	}
	return total, nil
}

// freeAddress is an address of this machine that nobody listened on a moment ago.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// output runs a program to its end and gives what it printed.
func output(ctx context.Context, program string, variables []string, arguments ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Env = append(os.Environ(), variables...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(&out)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(arguments, " "), err, out.String())
	}
	return out.String(), nil
}
