package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
	"github.com/creditgraph/creditgraph/internal/service"
)

const (
	maxQueryTokens   = 2000
	maxCachedQueries = 1000
	maxRequestBody   = 256 << 10
	// maxUploadBody is a document with what a multipart request puts around it.
	maxUploadBody   = service.MaxUpload + 64<<10
	maxUploadMemory = 1 << 20 // what is larger waits in a temporary file
)

// graphQL is the handler of /graphql.
func (s *Server) graphQL(c Config) http.Handler {
	logger := c.Logger
	srv := handler.New(graph.NewExecutableSchema(graph.Config{Resolvers: c.Resolvers, Directives: directives()}))
	subscribed := &subscriptions{hub: c.Events, feeds: s.feeds, cursors: c.Cursors, log: logger}
	srv.AddTransport(&sockets{subscriptions: subscribed, verify: c.Issuer.Verify, limits: c.sockets, drain: s.drain, open: &s.sockets})
	srv.AddTransport(eventStream{subscriptions: subscribed, drain: s.drain, limits: c.streams})
	srv.AddTransport(transport.Options{})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.MultipartForm{MaxUploadSize: maxUploadBody, MaxMemory: maxUploadMemory})
	srv.AddTransport(transport.POST{})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](maxCachedQueries))
	srv.SetParserTokenLimit(maxQueryTokens)
	srv.Use(extension.Introspection{})
	srv.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](maxCachedQueries)})
	srv.SetErrorPresenter(present(logger))
	srv.SetRecoverFunc(recovered(logger))
	srv.AroundOperations(admit)
	srv.AroundOperations(logged(logger))
	batching := []loader.Option{loader.WithLogger(logger)}
	if c.BatchWait > 0 {
		batching = append(batching, loader.WithWait(c.BatchWait))
	}
	srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		return next(loader.With(ctx, loader.New(c.Source, batching...)))
	})
	return limited(srv)
}

// limited bounds the body before anything reads it. A multipart request needs no header of its own against
// pages of other sites: every request carries a bearer token in a header that browsers send for nobody without
// asking first, and no cookie opens anything here. What is no request at all is answered here: gqlgen would repeat the body in its answer, and for a stream in the log.
func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // "" for none: a transport refuses it
		most := int64(maxRequestBody)
		if mediaType == "multipart/form-data" {
			most = maxUploadBody
		}
		if r.ContentLength > most {
			refuse(w, r, http.StatusRequestEntityTooLarge, "The request is too large.")
			return
		}
		if !isWebsocket(r) {
			r.Header.Del("Upgrade") // an offer that need not be taken, such as h2c: gqlgen would refuse the request
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		if r.Method == http.MethodPost && mediaType == "application/json" {
			body, err := io.ReadAll(r.Body)
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				refuse(w, r, http.StatusRequestEntityTooLarge, "The request is too large.")
				return
			}
			if err != nil || !isRequest(body) {
				refuse(w, r, http.StatusBadRequest, notARequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		next.ServeHTTP(w, r)
	})
}

// notARequest is said of what has not the shape of a request.
const notARequest = "Send a JSON object with the query as text, and variables as an object."

// isRequest reports whether a body has the shape of a GraphQL request.
func isRequest(body []byte) bool {
	var request struct {
		Query, OperationName  string
		Variables, Extensions map[string]json.RawMessage
	}
	return json.Unmarshal(body, &request) == nil
}

// refuse answers a request that does not get as far as the graph.
func refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	err := &lending.Error{Kind: lending.KindValidation, Outcome: lending.NotExecuted, Message: message}
	if status == http.StatusUnauthorized {
		err.Kind = lending.KindUnauthenticated
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(graphql.Response{ // the client went away: nobody is left to tell
		Errors: gqlerror.List{{Message: message, Extensions: extensions(err, requestOf(r.Context()).id)}},
	})
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
