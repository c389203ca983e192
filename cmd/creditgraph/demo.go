package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// demoClient is a client of the sandbox, for one of the groups that use the graph.
type demoClient struct {
	auth.Client
	secret string
}

// newDemos makes the sandbox's clients, with secrets that are other ones at each start. The mobile client is
// bound to a customer; without one there is none.
func newDemos(customer lending.CustomerID) []demoClient {
	read := []auth.Scope{auth.ReadCustomers, auth.ReadLoans, auth.ReadPayments, auth.ReadScores, auth.ReadReports, auth.ReadSuppliers}
	write := []auth.Scope{auth.WriteCustomers, auth.WriteLoans, auth.WritePayments, auth.WriteScores, auth.WriteReports, auth.WriteSuppliers}
	clients := []auth.Client{
		{ID: "demo-front-end", Name: "front end", Scopes: join(read, write, auth.ReadEvents)},
		{
			ID: "demo-mobile", Name: "mobile", Customer: customer,
			Scopes: []auth.Scope{auth.ReadCustomers, auth.ReadLoans, auth.ReadPayments, auth.ReadScores, auth.ReadReports, auth.WriteScores},
		},
		{ID: "demo-analyst", Name: "analyst", Scopes: join(read, nil, auth.ReadEvents)},
		{ID: "demo-operator", Name: "operator", Scopes: auth.Scopes()},
	}
	var demos []demoClient
	for _, client := range clients {
		if client.Name == "mobile" && customer == "" {
			continue
		}
		secret := auth.NewSecret()
		client.SecretHash, client.Plan = auth.HashSecret(secret), auth.EnterprisePlan
		demos = append(demos, demoClient{client, secret})
	}
	return demos
}

func join(read, write []auth.Scope, more ...auth.Scope) []auth.Scope {
	return append(append(append([]auth.Scope{}, read...), write...), more...)
}

// demoClients finds the sandbox's clients beside those in the database. They are kept in memory alone, so that
// none outlives the sandbox in a database that serves real customers later.
type demoClients struct {
	next  auth.ClientFinder
	mu    sync.Mutex
	byID  map[string]auth.Client
	order []auth.Client // as they came
}

func newDemoClients(next auth.ClientFinder) *demoClients {
	return &demoClients{next: next, byID: map[string]auth.Client{}}
}

// welcome lets demo clients in.
func (d *demoClients) welcome(demos []demoClient) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, demo := range demos {
		d.byID[demo.ID] = demo.Client
		d.order = append(d.order, demo.Client)
	}
}

// guests are the demo clients, in the order in which people are shown them.
func (d *demoClients) guests() []auth.Client {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.order)
}

// Client implements [auth.ClientFinder].
func (d *demoClients) Client(ctx context.Context, id string) (auth.Client, error) {
	d.mu.Lock()
	client, found := d.byID[id]
	d.mu.Unlock()
	if found {
		return client, nil
	}
	return d.next.Client(ctx, id)
}

// printDemos tells a person what the demo clients are.
func printDemos(out io.Writer, demos []demoClient) {
	for _, demo := range demos {
		bond := ""
		if demo.Customer != "" {
			bond = " (one customer's own: " + lending.GlobalID(lending.CustomerNode, demo.Customer) + ")"
		}
		fmt.Fprintf(out, "  %s%s\n    client_id: %s\n    client_secret: %s\n    scopes: %s\n", demo.Name, bond, demo.ID, demo.secret, auth.FormatScopes(demo.Scopes))
	}
}
