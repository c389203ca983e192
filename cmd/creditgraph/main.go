// Command creditgraph is one GraphQL API over five credit providers. Without an argument it serves, in its
// sandbox unless a provider's address is set.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/telemetry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Main(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "creditgraph:", err)
		stop()
		os.Exit(1)
	}
}

// commands are what the program can do.
type commands struct {
	Serve   serveCommand   `cmd:"" default:"withargs" help:"Serve the graph; in the sandbox unless a provider's address is set."`
	Sandbox sandboxCommand `cmd:"" help:"Run the five provider twins alone."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's tables up to date, or take the last step back."`
	Import  importCommand  `cmd:"" help:"Take over the customers that a provider lists."`
	Client  clientCommands `cmd:"" help:"Keep the programs that may ask for tokens."`
	Config  configCommand  `cmd:"" help:"Print the settings in force, secrets masked."`
	Version versionCommand `cmd:"" help:"Print which build this is."`
	Schema  schemaCommand  `cmd:"" help:"Print the GraphQL schema."`

	Manifest manifestCommand `cmd:"" help:"Print the manifest of the operations in .graphql files, for CREDITGRAPH_TRUSTED_DOCUMENTS."`
}

// Main parses the arguments and runs the command they name until it is done or ctx ends.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	options, err := config.Options()
	if err != nil {
		return err
	}
	exited := -1
	var cli commands
	parser, err := kong.New(&cli, append(options,
		kong.Description("One GraphQL API over five credit providers."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
	)...)
	if err != nil {
		return err
	}
	chosen, err := parser.Parse(args)
	if exited == 0 { // help was printed
		return nil
	}
	if err != nil {
		return named(err)
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	chosen.BindTo(stdout, (*io.Writer)(nil))
	chosen.Bind(&logs{to: stderr})
	err = chosen.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // it was asked to stop, and did
	}
	return err
}

// named is what is wrong with the command line, under the name of the variable that it is about: most settings
// come from the environment, where kong names the flag.
func named(err error) error {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok || wrong.Context == nil {
		return err
	}
	for _, flag := range wrong.Context.Flags() {
		if len(flag.Envs) > 0 && strings.HasPrefix(err.Error(), "--"+flag.Name+" ") {
			return fmt.Errorf("%s: %w", flag.Envs[0], err)
		}
	}
	return err
}

// logs makes the program's logger.
type logs struct{ to io.Writer }

func (l *logs) at(level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("CREDITGRAPH_LOG_LEVEL: %w", err)
	}
	return slog.New(telemetry.NewLogHandler(slog.NewJSONHandler(l.to, &slog.HandlerOptions{Level: least}))), nil
}
