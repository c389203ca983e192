package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/sandbox/kredmint"
	"github.com/creditgraph/creditgraph/internal/sandbox/trustdecision"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
	"github.com/creditgraph/creditgraph/internal/telemetry"
	"github.com/creditgraph/creditgraph/schema"
)

type sandboxCommand struct {
	World    config.Sandbox `embed:""`
	Port     int            `default:"9101" help:"Port of the first twin; the others follow. 0 takes any free ones."`
	Webhooks string         `default:"http://127.0.0.1:8080" help:"Where the gateway listens for webhooks."`
	LogLevel string         `env:"CREDITGRAPH_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least level that is logged."`
}

// Run serves the five twins alone, with credentials that are the same each time, and prints the gateway's
// settings for them.
func (c *sandboxCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	logger, err := l.at(c.LogLevel)
	if err != nil {
		return err
	}
	twins, err := sandbox.Start(sandbox.Options{
		Customers: c.World.Customers, Seed: c.World.Seed, Logger: logger, FirstPort: c.Port, Secrets: sandbox.KnownSecrets(),
		ReportDelay: trustdecision.DefaultDelay, WebhookStep: kredmint.DefaultStep,
	})
	if err != nil {
		return err
	}
	twins.SendWebhooksTo(strings.TrimSuffix(c.Webhooks, "/"))
	fmt.Fprintf(out, "# The five twins run. Settings of a gateway that uses them:\n")
	for _, setting := range twins.Settings() {
		if _, err := fmt.Fprintf(out, "export %s='%s'\n", setting[0], setting[1]); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return twins.Stop()
}

type migrateCommand struct {
	Settings config.Config `embed:""`
	Down     bool          `help:"Take the last step back instead."`
}

func (c *migrateCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	return withRecords(ctx, &c.Settings, l, func(records *store.Store) error {
		if c.Down {
			if err := records.Rollback(ctx); err != nil {
				return err
			}
			_, err := fmt.Fprintln(out, "the last step is taken back")
			return err
		}
		_, err := fmt.Fprintln(out, "the tables are up to date")
		return err
	})
}

type importCommand struct {
	Settings config.Config    `embed:""`
	Provider lending.Provider `default:"KREDETE" help:"Whose customers to take over."`
}

func (c *importCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	logger, err := l.at(c.Settings.LogLevel)
	if err != nil {
		return err
	}
	return withRecords(ctx, &c.Settings, l, func(records *store.Store) error {
		health := service.NewHealth(time.Now)
		all, err := providers(&c.Settings, time.Now, logger, health)
		if err != nil {
			return err
		}
		guards, err := newGuards(&c.Settings, nil, nil, nil, logger) // it keeps to one replica's share of a plan
		if err != nil {
			return err
		}
		s := service.New(service.Config{Store: records, Providers: guarded(all, guards), Health: health, Logger: logger})
		added, err := s.ImportCustomers(ctx, c.Provider, func(read, total int) {
			fmt.Fprintf(out, "read %d of %s\n", read, ofTotal(total))
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%d customers are new\n", added)
		return err
	})
}

func ofTotal(total int) string {
	if total < 0 {
		return "an unknown number"
	}
	return fmt.Sprint(total)
}

type versionCommand struct{}

// Run prints which build this is.
func (c *versionCommand) Run(out io.Writer) error {
	v := telemetry.BuildVersion()
	_, err := fmt.Fprintf(out, "creditgraph %s\nrevision %s\n%s\n", v.Version, v.Revision, v.Go)
	return err
}

type configCommand struct {
	Settings config.Config `embed:""`
}

func (c *configCommand) Run(out io.Writer) error { return c.Settings.Print(out) }

type schemaCommand struct{}

func (c *schemaCommand) Run(out io.Writer) error {
	sdl, err := schema.SDL()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, sdl)
	return err
}
