package resolvers

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
)

// node finds any object by its global id, for tokens that may see its type.
func (r *Resolver) node(ctx context.Context, id string) (model.Node, error) {
	kind, key, err := lending.ParseGlobalID(id)
	if err != nil {
		return nil, lending.NotFound("object")
	}
	if scope := model.NodeScope(kind); scope != "" {
		if err := auth.Require(ctx, auth.Scope(scope)); err != nil {
			return nil, err
		}
	}
	if kind == lending.WebhookNode { // which is no customer's
		if err := notCustomers(ctx); err != nil {
			return nil, err
		}
	}
	l := loader.From(ctx)
	switch kind {
	case lending.CustomerNode:
		customer, err := l.Customers.Load(ctx, lending.CustomerID(key))
		if err != nil {
			return nil, err
		}
		views, err := r.view(ctx, []*lending.Customer{customer})
		if err != nil {
			return nil, err
		}
		return views[0], nil
	case lending.LoanNode:
		return found(l.Loans.Load(ctx, lending.LoanID(key)))
	case lending.PaymentNode:
		return found(l.Payments.Load(ctx, lending.PaymentID(key)))
	case lending.ScoreNode:
		return found(l.Scores.Load(ctx, lending.ScoreID(key)))
	case lending.ReportNode:
		return found(l.Reports.Load(ctx, lending.ReportID(key)))
	case lending.OperationNode:
		return found(l.Operations.Load(ctx, lending.OperationID(key)))
	case lending.EventNode:
		return found(l.Events.Load(ctx, lending.EventID(key)))
	case lending.SupplierNode:
		return r.supplier(ctx, id)
	case lending.DocumentNode:
		documents, err := r.records.Documents(ctx, []lending.DocumentID{lending.DocumentID(key)})
		return stored(documents[lending.DocumentID(key)], err)
	case lending.WebhookNode:
		webhooks, err := r.records.Webhooks(ctx, []lending.WebhookID{lending.WebhookID(key)})
		return stored(webhooks[lending.WebhookID(key)], err)
	case lending.ProviderNode:
		for _, health := range r.service.ProviderHealth(ctx) {
			if string(health.Provider) == key {
				return new(model.NewProvider(health)), nil
			}
		}
	}
	return nil, lending.NotFound("object")
}

// found passes a loaded object on as a node, and no object as none.
func found[T model.Node](object T, err error) (model.Node, error) {
	if err != nil {
		return nil, err
	}
	return object, nil
}

// stored is found for a look-up that gives nil where there is nothing.
func stored[T any, P interface {
	*T
	model.Node
}](object P, err error) (model.Node, error) {
	if err == nil && object == nil {
		err = lending.NotFound("object")
	}
	return found(object, err)
}

// supplier finds a supplier in its customer's list: the provider has no look-up by id.
func (r *Resolver) supplier(ctx context.Context, id string) (model.Node, error) {
	customer, externalID, ok := lending.ParseSupplierID(id)
	if !ok {
		return nil, lending.NotFound("supplier")
	}
	list, err := loader.From(ctx).Suppliers.Load(ctx, customer)
	if err != nil {
		return nil, err
	}
	if !list.Has() && list.Err != nil {
		return nil, list.Err
	}
	for i := range list.Value {
		if list.Value[i].ExternalID == externalID {
			return &list.Value[i], nil
		}
	}
	return nil, lending.NotFound("supplier")
}

// nodes finds many objects; one that is not there, or may not be seen, is null with an error of its own. All
// are asked for at once, so that loaders gather what is alike.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	all, errs := make([]model.Node, len(ids)), make([]error, len(ids))
	var group sync.WaitGroup
	for i, id := range ids {
		group.Go(func() {
			defer func() {
				if cause := recover(); cause != nil { // here gqlgen does not
					errs[i] = graphql.GetOperationContext(ctx).Recover(ctx, cause)
				}
			}()
			all[i], errs[i] = r.node(ctx, id)
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			graphql.AddError(ctx, err)
		}
	}
	return all, nil
}

// resultNodes are the kinds of what comes of an operation, by the kind of the operation.
var resultNodes = map[lending.OperationKind]lending.NodeKind{
	lending.OpCreateCustomer:     lending.CustomerNode,
	lending.OpRecordPayment:      lending.PaymentNode,
	lending.OpRequestCreditScore: lending.ScoreNode,
	lending.OpOrderCreditReport:  lending.ReportNode,
	lending.OpUploadDocument:     lending.DocumentNode,
	lending.OpRegisterWebhook:    lending.WebhookNode,
}

// resultOf is what came of an operation, as far as it is known and the token may see it.
func (r *Resolver) resultOf(ctx context.Context, op *lending.Operation) (model.Node, error) {
	var id string
	switch kind := resultNodes[op.Kind]; {
	case kind != "" && op.EntityID != "":
		id = lending.GlobalID(kind, op.EntityID)
	case op.Kind == lending.OpCreateSupplier && op.EntityID != "":
		id = lending.SupplierID(op.CustomerID, op.Provider, op.EntityID)
	case op.LoanID != "":
		id = lending.GlobalID(lending.LoanNode, op.LoanID)
	default:
		return nil, nil
	}
	object, err := r.node(ctx, id)
	if kind := lending.KindOf(err); kind == lending.KindNotFound || kind == lending.KindForbidden {
		return nil, nil
	}
	return object, err
}
