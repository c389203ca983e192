package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// present is the one place where an error becomes what a client sees: a closed code, a sentence for
// people, and nothing of our inside. What broke on our side is logged here, once, with the request's id.
func present(logger *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := graphql.DefaultErrorPresenter(ctx, err)
		known, ok := errors.AsType[*lending.Error](err)
		switch {
		case ok:
		case isQuerys(err):
			known = &lending.Error{Kind: lending.KindValidation, Outcome: lending.NotExecuted, Message: clipped(shown.Message)}
		case errors.Is(err, context.Canceled):
			known = &lending.Error{Kind: lending.KindTimeout, Outcome: lending.OutcomeUnknown, Message: "The request was given up.", Err: err}
		case errors.Is(err, context.DeadlineExceeded):
			known = &lending.Error{Kind: lending.KindTimeout, Outcome: lending.OutcomeUnknown, Message: "The request took too long.", Retryable: true, Err: err}
		default:
			known = &lending.Error{Kind: lending.KindInternal, Outcome: lending.OutcomeUnknown, Err: err}
		}
		id := requestOf(ctx).id
		if known.Kind == lending.KindInternal || known.Kind == lending.KindUnavailable {
			logger.ErrorContext(ctx, "a field failed", "requestId", id, "path", shown.Path.String(), "error", known.Detail())
		}
		told := extensions(known, id)
		if shown.Extensions["code"] == persistedQueryNotFound {
			told["code"] = persistedQueryNotFound
		}
		shown.Message, shown.Extensions = known.Error(), told
		return shown
	}
}

// maxMessage is the longest that the parser's and the validator's messages may be: they repeat names of the query.
const maxMessage = 300

func clipped(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "…"
}

const (
	// maxQueryErrors is how many errors are told of a request that is not carried out.
	maxQueryErrors = 10
	// maxFieldErrors is how many are told of one that was: more than one for each row of a page.
	maxFieldErrors = 200
)

// fewErrors leaves out errors that are too many to be of use.
func fewErrors(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response == nil {
		return nil
	}
	most := maxFieldErrors
	if response.Data == nil {
		most = maxQueryErrors
	}
	if len(response.Errors) > most {
		response.Errors = response.Errors[:most]
	}
	return response
}

// persistedQueryNotFound asks a client that sent a query's hash alone for the whole query: clients know it by
// this code, which is Apollo's and none of ours.
const persistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND"

// isQuerys reports whether an error is about the query itself: the parser, the validator and the reading of
// arguments make such errors, which have no other error behind them.
func isQuerys(err error) bool {
	e, ok := errors.AsType[*gqlerror.Error](err)
	return ok && errors.Unwrap(e) == nil
}

// extensions are the machine's part of an error.
func extensions(e *lending.Error, requestID string) map[string]any {
	out := map[string]any{"code": e.Kind, "retryable": e.Retryable, "outcome": e.Outcome}
	if e.Outcome == "" {
		out["outcome"] = lending.NotExecuted
	}
	if requestID != "" {
		out["requestId"] = requestID
	}
	if e.Provider != "" {
		out["provider"] = e.Provider
	}
	if e.ProviderCode != "" {
		out["providerCode"] = e.ProviderCode
	}
	if e.RetryAfter > 0 {
		out["retryAfterSeconds"] = int(math.Ceil(e.RetryAfter.Seconds()))
	}
	if len(e.Problems) > 0 {
		out["problems"] = e.Problems
	}
	return out
}

// recovered turns a panic in a resolver into an error, and logs where it came from.
func recovered(logger *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, cause any) error {
		logger.ErrorContext(ctx, "a resolver panicked", "requestId", requestOf(ctx).id, "stack", string(debug.Stack()))
		return &lending.Error{Kind: lending.KindInternal, Outcome: lending.OutcomeUnknown, Err: fmt.Errorf("panic: %v", cause)}
	}
}
