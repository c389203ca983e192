package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/sandbox/kredmint"
	"github.com/creditgraph/creditgraph/internal/sandbox/trustdecision"
)

type serveCommand struct {
	Settings config.Config `embed:""`
}

// Run serves until ctx ends, then drains.
func (c *serveCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	logger, err := l.at(c.Settings.LogLevel)
	if err != nil {
		return err
	}
	ownProcess(logger)
	return Run(ctx, c.Settings, out, logger)
}

// Run starts the whole program and ends it, drained, when ctx ends.
func Run(ctx context.Context, settings config.Config, out io.Writer, logger *slog.Logger) error {
	a, err := start(ctx, settings, out, logger)
	if err != nil {
		return err
	}
	err = a.welcome(ctx)
	if err == nil {
		err = a.wait(ctx)
	}
	logger.Info("stopping: requests and actions under way are finished first")
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), settings.DrainDelay+settings.DrainTimeout)
	defer cancel()
	return errors.Join(err, a.stop(draining))
}

// startSandbox runs the twins when no real provider is configured, and points the settings at them.
func (a *app) startSandbox(context.Context) error {
	if !a.settings.Embedded() {
		return nil
	}
	twins, err := sandbox.Start(sandbox.Options{
		Customers: a.settings.Sandbox.Customers, Seed: a.settings.Sandbox.Seed, Logger: a.logger.With("part", "sandbox"),
		ReportDelay: trustdecision.DefaultDelay, WebhookStep: kredmint.DefaultStep,
	})
	if err != nil {
		return err
	}
	a.sandbox = twins
	a.onStop(func(context.Context) error { return twins.Stop() })
	twins.SendWebhooksTo(a.address())
	return a.settings.Set(twins.Settings())
}

// demoLifetime is how long the token that the sandbox prints is good for.
const demoLifetime = 12 * time.Hour

// sandboxClient is who asks in the sandbox.
const sandboxClient = "sandbox"

// welcome tells a person where to look and what to send. In the sandbox it also plays the scenario, behind.
func (a *app) welcome(ctx context.Context) error {
	if a.sandbox == nil {
		_, err := fmt.Fprintf(a.out, "creditgraph listens on %s\nTokens: make a client with `creditgraph client create`, then ask %s/oauth/token.\n", a.address(), a.address())
		return err
	}
	token, err := a.issuer.IssueTo(auth.Client{ID: sandboxClient, Plan: auth.EnterprisePlan}, auth.Scopes(), demoLifetime)
	if err != nil {
		return err
	}
	firstCustomer := make(chan lending.CustomerID, 1)
	scenario := newScenario(a.service, a.records, a.sandbox, a.address(), a.logger)
	playing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(a.played)
		if err := scenario.play(playing, firstCustomer); err != nil && playing.Err() == nil {
			a.logger.Error("the sandbox's scenario ended early", "error", lending.AsError(err).Detail())
		}
	}()
	a.onStop(func(context.Context) error { cancel(); <-a.played; return nil })
	var customer lending.CustomerID
	select {
	case customer = <-firstCustomer:
	case <-a.played:
	case <-ctx.Done():
		return nil
	}
	demos := newDemos(customer)
	a.demo.welcome(demos)
	return a.printWelcome(token, customer, demos)
}

// summaryQuery is what the printed command sends: the home screen of a mobile app.
const summaryQuery = `query CustomerCreditSummary($id: ID!) { customer(id: $id) { fullName kycStatus creditSummary { asOf ` +
	`bestScore { provider value band } exposure { currency activeLoanCount outstanding { amount } overdue { amount } } ` +
	`creditLines { provider state limit { amount } available { amount } } bureau { reportNumber openFacilities totalOutstanding { amount } } ` +
	`sources { provider status asOf } } } }`

func (a *app) printWelcome(token string, customer lending.CustomerID, demos []demoClient) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\ncreditgraph %s, with made-up customers at five provider twins\n\n", a.address())
	fmt.Fprintf(&b, "  GraphQL   %s/graphql\n  Explorer  %s/\n", a.address(), a.address())
	for _, name := range lending.Providers() {
		fmt.Fprintf(&b, "  Twin      %s  %s\n", a.sandbox.Server(name).URL(), name.Title())
	}
	fmt.Fprintf(&b, "\nClients for %s/oauth/token, until the sandbox stops:\n", a.address())
	printDemos(&b, demos)
	fmt.Fprintf(&b, "\nToken (%s, all scopes):\n%s\n", demoLifetime, token)
	if customer != "" {
		fmt.Fprintf(&b, "\nA customer's credit summary; paste this:\n\ncurl -s %s/graphql -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{\"query\":\"%s\",\"variables\":{\"id\":\"%s\"}}'\n\n",
			a.address(), token, summaryQuery, lending.GlobalID(lending.CustomerNode, customer))
	}
	_, err := io.WriteString(a.out, b.String())
	return err
}
