package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/store"
)

// clientFinder finds the programs that may ask for tokens in the database.
type clientFinder struct{ records *store.Store }

func (f clientFinder) Client(ctx context.Context, id string) (auth.Client, error) {
	row, err := f.records.Client(ctx, id)
	if err != nil {
		return auth.Client{}, err
	}
	client := auth.Client{
		ID: row.ID, Name: row.Name, SecretHash: string(row.SecretHash), Customer: row.CustomerID, Plan: row.Plan,
		Revoked: !row.RevokedAt.IsZero(),
	}
	for _, word := range row.Scopes {
		client.Scopes = append(client.Scopes, auth.Scope(word))
	}
	return client, nil
}

// clientCommands keep the programs that may ask for tokens.
type clientCommands struct {
	Create clientCreateCommand `cmd:"" help:"Make a client; its secret is printed once."`
	List   clientListCommand   `cmd:"" help:"List the clients."`
	Rotate clientRotateCommand `cmd:"" help:"Give a client a new secret, printed once; the old one is good for nothing from then on."`
	Revoke clientRevokeCommand `cmd:"" help:"Refuse a client from now on, with the tokens that it has."`
}

type clientCreateCommand struct {
	Settings config.Config `embed:""`
	Name     string        `required:"" help:"What the client is called."`
	Scopes   string        `required:"" help:"Its scopes, separated by spaces."`
	Customer string        `help:"The id of the only customer that its tokens open; all where it is not given."`
	Plan     string        `default:"" enum:",sandbox,starter,professional,enterprise" help:"How much it may ask for: sandbox, starter, professional or enterprise; what CREDITGRAPH_DEFAULT_PLAN says without one."`
}

func (c *clientCreateCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	scopes, err := auth.ParseScopes(c.Scopes)
	if err != nil {
		return fmt.Errorf("--scopes: %w", err)
	}
	if len(scopes) == 0 {
		return fmt.Errorf("--scopes: name at least one of %s", auth.FormatScopes(auth.Scopes()))
	}
	return withRecords(ctx, &c.Settings, l, func(records *store.Store) error {
		customer, err := c.customer(ctx, records)
		if err != nil {
			return err
		}
		secret := auth.NewSecret()
		client := store.Client{
			ID: auth.NewClientID(), Name: c.Name, SecretHash: []byte(auth.HashSecret(secret)), CustomerID: customer, Plan: c.Plan,
			CreatedAt: time.Now().UTC(),
		}
		for _, scope := range scopes {
			client.Scopes = append(client.Scopes, string(scope))
		}
		if err := records.AddClient(ctx, client); err != nil {
			return err
		}
		return printSecret(out, client.ID, secret)
	})
}

// customer is whom the client is bound to; "" for nobody.
func (c *clientCreateCommand) customer(ctx context.Context, records *store.Store) (lending.CustomerID, error) {
	if c.Customer == "" {
		return "", nil
	}
	id, err := lending.ParseID[lending.CustomerID](lending.CustomerNode, c.Customer)
	if err != nil {
		return "", fmt.Errorf("--customer: give the id that the graph has for the customer")
	}
	found, err := records.Customers(ctx, []lending.CustomerID{id})
	if err != nil {
		return "", err
	}
	if found[id] == nil {
		return "", fmt.Errorf("--customer: there is no such customer")
	}
	return id, nil
}

// printSecret prints what is never seen again.
func printSecret(out io.Writer, id, secret string) error {
	_, err := fmt.Fprintf(out, "client_id: %s\nclient_secret: %s\n", id, secret)
	return err
}

type clientListCommand struct {
	Settings config.Config `embed:""`
}

func (c *clientListCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	return withRecords(ctx, &c.Settings, l, func(records *store.Store) error {
		clients, err := records.ListClients(ctx)
		if err != nil {
			return err
		}
		for _, client := range clients {
			state := "active"
			if !client.RevokedAt.IsZero() {
				state = "revoked " + client.RevokedAt.Format(time.RFC3339)
			}
			bond := "all customers"
			if client.CustomerID != "" {
				bond = lending.GlobalID(lending.CustomerNode, client.CustomerID)
			}
			if _, err := fmt.Fprintf(out, "%s  %s  %s  %s  %s  %v\n", client.ID, client.Name, state, client.Plan, bond, client.Scopes); err != nil {
				return err
			}
		}
		return nil
	})
}

type clientRotateCommand struct {
	Settings config.Config `embed:""`
	ID       string        `arg:"" help:"The client_id."`
}

func (c *clientRotateCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	return withRecords(ctx, &c.Settings, l, func(records *store.Store) error {
		secret := auth.NewSecret()
		err := records.RotateClient(ctx, c.ID, []byte(auth.HashSecret(secret)))
		if lending.KindOf(err) == lending.KindConflict {
			return fmt.Errorf("client %q is revoked; make a new one with `creditgraph client create`", c.ID)
		}
		if err != nil {
			return namingClient(c.ID, err)
		}
		return printSecret(out, c.ID, secret)
	})
}

// namingClient is an error of a command that names a client.
func namingClient(id string, err error) error {
	if lending.IsNotFound(err) {
		return fmt.Errorf("there is no client %q; `creditgraph client list` names them", id)
	}
	return err
}

type clientRevokeCommand struct {
	Settings config.Config `embed:""`
	ID       string        `arg:"" help:"The client_id."`
}

func (c *clientRevokeCommand) Run(ctx context.Context, out io.Writer, l *logs) error {
	return withRecords(ctx, &c.Settings, l, func(records *store.Store) error {
		if err := records.RevokeClient(ctx, c.ID, time.Now().UTC()); err != nil {
			return namingClient(c.ID, err)
		}
		_, err := fmt.Fprintln(out, "revoked: it gets no new tokens, and those that it has are good for a few seconds more")
		return err
	})
}

// withRecords opens the database that the settings name, up to date, for one command.
func withRecords(ctx context.Context, c *config.Config, l *logs, do func(*store.Store) error) error {
	if c.DatabaseURL == "" || c.DataKey == "" {
		return fmt.Errorf("DATABASE_URL and DATA_KEY: name the database that the service runs on, and its key")
	}
	logger, err := l.at(c.LogLevel)
	if err != nil {
		return err
	}
	k, err := datakey.Derive(string(c.DataKey))
	if err != nil {
		return err
	}
	records, err := store.Open(ctx, store.Config{URL: string(c.DatabaseURL), DataKey: k.Records, Logger: logger})
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	defer records.Close()
	if err := records.Migrate(ctx); err != nil {
		return err
	}
	return do(records)
}
