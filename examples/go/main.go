// Command go is a client of creditgraph, over functions that genqlient generates from the operations:
//
//	go run . customers [PAGE SIZE]       all customers
//	go run . loans [PAGE SIZE]           all loans
//	go run . summary CUSTOMER            a customer's standing
//	go run . apply CUSTOMER KEY [NAIRA]  apply for a loan, once for each KEY
//	go run . follow [CURSOR]             the events as they happen
//
// It ends with 2 where the input has to be mended, and with 1 where something failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
)

//go:generate go tool genqlient

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, newSession(os.Getenv), os.Stdout, os.Stderr, os.Args[1:])
	var refused *refusedError
	switch {
	case err == nil:
	case errors.As(err, &refused), errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errUsage = errors.New("go run . customers|loans|summary|apply|follow [ARGUMENT…]")

// run does one command: what it finds goes to out, what it does to log.
func run(ctx context.Context, s *session, out, log io.Writer, arguments []string) error {
	if len(arguments) == 0 {
		return errUsage
	}
	command, given := arguments[0], func(i int, otherwise string) string {
		if i < len(arguments) {
			return arguments[i]
		}
		return otherwise
	}
	switch command {
	case "customers", "loans":
		first, err := strconv.Atoi(given(1, "20"))
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		if command == "customers" {
			return printCustomers(ctx, s, out, first)
		}
		return printLoans(ctx, s, out, first)
	case "summary":
		return printSummary(ctx, s, out, given(1, ""))
	case "apply":
		return printApplication(ctx, s, out, log, given(1, ""), given(2, ""), given(3, "500000"))
	case "follow":
		return printEvents(ctx, s, out, log, given(1, ""))
	}
	return errUsage
}
