// Command bench measures what the graph costs: each of the shapes that its users ask for, against a plain
// net/http handler that makes the same calls and answers with the same JSON, in one run.
//
//	go run ./bench
//
// It starts everything itself on this machine's loopback, each part as a process of its own: the sandbox's
// twins, the service, the plain handler and, where redis-server is installed, a Redis. What it prints are the
// tables of docs/performance.md. CPU and allocations are those of the measured process alone, not of the twins,
// Redis or the client.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Compare compareCommand `cmd:"" default:"withargs" help:"Measure the service against the plain handler and print the tables."`
	Plain   plainCommand   `cmd:"" hidden:"" help:"Serve the plain handler; compare starts it."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var line commandLine
	parsed := kong.Parse(&line, kong.Name("bench"), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
