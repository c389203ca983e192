package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

const (
	maxQueryTokens = 2000
	maxRequestBody = 256 << 10
	// maxUploadBody is a document with what a multipart request puts around it.
	maxUploadBody = service.MaxUpload + 64<<10
)

// graphQL is the handler of /graphql.
func (s *Server) graphQL(c Config, gate *auth.Gate) http.Handler {
	logger := c.Logger
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: c.Resolvers, Directives: directives()})
	srv, guarding := handler.New(schema), newGuard(schema.Schema(), c.Trusted)
	metered := metering{c.Limits, c.Telemetry}
	subscribed := &subscriptions{hub: c.Events, feeds: s.feeds, cursors: c.Cursors, log: logger, told: c.Telemetry}
	for _, transport := range []graphql.Transport{
		&sockets{subscriptions: subscribed, gate: gate, limits: c.sockets, drain: s.drain, open: &s.sockets, origins: c.Origins},
		eventStream{subscriptions: subscribed, gate: gate, drain: s.drain, limits: c.streams},
		uploads{},
		requests{},
	} {
		srv.AddTransport(guarding.around(metered.around(transport)))
	}
	srv.SetQueryCache(handedOver{})
	srv.SetErrorPresenter(present(logger))
	srv.SetRecoverFunc(recovered(logger))
	srv.AroundOperations(accounted(c.Telemetry))
	srv.AroundOperations(admit)
	srv.AroundOperations(logged(logger))
	srv.AroundOperations(introspected(schema.Schema()))
	batching := []loader.Option{loader.WithLogger(logger), loader.WithObserver(c.Telemetry.Batch)}
	if c.BatchWait > 0 {
		batching = append(batching, loader.WithWait(c.BatchWait))
	}
	srv.AroundResponses(reportAccount(c.Telemetry))
	srv.AroundResponses(fewErrors)
	srv.AroundResponses(reportCost)
	srv.AroundResponses(audited(c.Audit))
	srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		return next(loader.With(budgeted(ctx, c.ReadBudget), loader.New(c.Source, batching...)))
	})
	return metered.admit(c.Patience.limited(srv))
}

// budgeted gives an answer one budget for what it reads of providers. A mutation has none: what it did may have taken
// longer than reads are to take, and it is read after that.
func budgeted(ctx context.Context, span time.Duration) context.Context {
	if span <= 0 || !graphql.HasOperationContext(ctx) {
		return ctx
	}
	if op := graphql.GetOperationContext(ctx); op.Operation == nil || op.Operation.Operation == ast.Mutation {
		return ctx
	}
	return provider.WithBudget(ctx, span)
}

// moneyMovers are the mutations that pay out, or count money as paid.
var moneyMovers = map[string]bool{"disburseLoan": true, "recordPayment": true, "payInvoice": true}

// admit refuses operations that must not begin: a document that moves money twice, one of whose answer a part would
// not come, or a subscription to more than one thing, which the validator lets through.
func admit(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if op.Operation == nil {
		return next(ctx)
	}
	if defers(op) {
		return refused(ctx, "An answer comes in one part here: send the query without @defer.")
	}
	if isSubscription(op) && !followsOne(op) {
		return refused(ctx, "A subscription follows one thing: name one field at its root, and no more.")
	}
	movers := 0
	if op.Operation.Operation == ast.Mutation {
		for _, field := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Mutation"}) {
			if moneyMovers[field.Name] {
				movers++
			}
		}
	}
	if movers > 1 {
		return refused(ctx, "A document may move money once: send disburseLoan, recordPayment and payInvoice each in a request of its own.")
	}
	return next(ctx)
}

// refused is the one answer to an operation that does not begin.
func refused(ctx context.Context, message string) graphql.ResponseHandler {
	err := &lending.Error{Kind: lending.KindValidation, Outcome: lending.NotExecuted, Message: message}
	return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{{Message: message, Extensions: extensions(err, requestOf(ctx).id)}}})
}

// logged writes one line for each operation: its name and figures, never its text or variables.
func logged(logger *slog.Logger) graphql.OperationMiddleware {
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		op := graphql.GetOperationContext(ctx)
		began := time.Now()
		respond := next(ctx)
		return func(ctx context.Context) *graphql.Response {
			response := respond(ctx)
			if response != nil && op.Operation != nil && !event.IsDelivering(ctx) {
				logger.InfoContext(ctx, "operation", "requestId", requestOf(ctx).id, "type", op.Operation.Operation,
					"name", operationName(op), "errors", len(response.Errors), "took", time.Since(began).Round(time.Microsecond).String())
			}
			return response
		}
	}
}

// operationName is the operation's name as far as it may stand in a log.
func operationName(op *graphql.OperationContext) string {
	name := op.Operation.Name
	if len(name) > 64 {
		return name[:64]
	}
	return name
}
