// Package resolvers answers the fields of the graph that are not plain fields of a struct. A resolver reads
// its arguments, calls a loader or the service, and wraps what comes back.
package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/quota"
	"github.com/creditgraph/creditgraph/internal/service"
)

// Config is what resolvers are made of.
type Config struct {
	Service *service.Service
	Store   Records
	Cursors Cursors
	// Audit keeps the audit records.
	Audit service.AuditStore
	// Limits knows what clients have left of their plans; nobody is limited where nil.
	Limits *quota.Limiter
}

// Resolver is what all resolvers share.
type Resolver struct {
	service *service.Service
	records own
	cursors Cursors
	audit   service.AuditStore
	limits  *quota.Limiter
}

// New makes the resolvers.
func New(c Config) *Resolver {
	return &Resolver{service: c.Service, records: own{c.Store}, cursors: c.Cursors, audit: c.Audit, limits: c.Limits}
}

// caller is who asks, for what is written down of an action. Customers who come through one client have each
// their own idempotency keys.
func caller(ctx context.Context) service.Caller {
	p := auth.From(ctx)
	switch {
	case p == nil:
		return service.Caller{}
	case p.Customer != "":
		return service.Caller{ClientID: p.ClientID + "/" + string(p.Customer)}
	}
	return service.Caller{ClientID: p.ClientID}
}

// answered passes an action's result on. What the user can mend stands in the payload; what broke is an
// error of the request as well, beside the operation that tells the same.
func answered(ctx context.Context) func(*service.Result, error) (*service.Result, error) {
	return func(result *service.Result, err error) (*service.Result, error) {
		if err != nil {
			return nil, err
		}
		if op := result.Operation; op != nil && op.Failure != nil && len(result.Problems) == 0 {
			graphql.AddError(ctx, failureError(op))
		}
		return result, nil
	}
}

// failureError is an operation's failure as an error.
func failureError(op *lending.Operation) *lending.Error {
	outcome := lending.NotExecuted
	if op.Status == lending.OpOutcomeUnknown {
		outcome = lending.OutcomeUnknown
	}
	return &lending.Error{
		Kind: op.Failure.Kind, Provider: op.Provider, Message: op.Failure.Message, Retryable: op.Failure.Retryable,
		Outcome: outcome, ProviderCode: op.Failure.ProviderCode,
	}
}

// byID reads a global id and loads what it names; a wrong id names nothing.
func byID[K ~string, V any](ctx context.Context, kind lending.NodeKind, text string, load func(context.Context, K) (V, error)) (V, error) {
	id, err := lending.ParseID[K](kind, text)
	if err != nil {
		var none V
		return none, lending.NotFound(noun(kind))
	}
	return load(ctx, id)
}

// noun is a kind of node in a sentence.
func noun(kind lending.NodeKind) string {
	switch kind {
	case lending.CustomerNode:
		return "customer"
	case lending.LoanNode:
		return "loan"
	case lending.PaymentNode:
		return "payment"
	case lending.ScoreNode:
		return "credit score"
	case lending.ReportNode:
		return "credit report"
	case lending.SupplierNode:
		return "supplier"
	case lending.OperationNode:
		return "operation"
	case lending.EventNode:
		return "event"
	}
	return "object"
}

// ref loads what a reference names; nothing for no reference, and for one to something that is gone.
func ref[K ~string, V any](ctx context.Context, id K, load func(context.Context, K) (*V, error)) (*V, error) {
	if id == "" {
		return nil, nil
	}
	v, err := load(ctx, id)
	if lending.IsNotFound(err) {
		return nil, nil
	}
	return v, err
}

// page reads the arguments of a list and loads one page of it for its owner.
func page[T any](first *int, after *string, last *int, before *string, load func(lending.PageRequest) (lending.Page[T], error)) (*model.Connection[T], error) {
	request, err := model.PageRequest(first, after, last, before)
	if err != nil {
		return nil, err
	}
	got, err := load(request)
	if err != nil {
		return nil, err
	}
	return model.NewConnection(got), nil
}
