package server

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/telemetry"
)

const (
	// traceExtension is what a request asks for the account of what it made the service do by, and where it gets it.
	traceExtension = "trace"
	// traceHeader asks for it as well, for clients whose requests are made by a library.
	traceHeader = "X-Trace"
)

// accounted opens the account of each operation and tells how it ended: by its name and type, never by its text or
// variables.
func accounted(told *telemetry.Telemetry) graphql.OperationMiddleware {
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		op := graphql.GetOperationContext(ctx)
		if op.Operation == nil {
			return next(ctx)
		}
		kind, client := string(op.Operation.Operation), ""
		if event.IsDelivering(ctx) {
			kind = "event"
		}
		if p := auth.From(ctx); p != nil {
			client = p.ClientID
		}
		ctx, ended := told.Operation(ctx, client, operationName(op), kind)
		respond, over := next(ctx), false
		return func(ctx context.Context) *graphql.Response {
			response := respond(ctx)
			if !over {
				over = true
				ended(outcomeOf(response))
			}
			return response
		}
	}
}

// outcomeOf is how an operation ended. None that has nothing to answer has failed: it begins a subscription.
func outcomeOf(response *graphql.Response) telemetry.Outcome {
	switch {
	case response == nil || len(response.Errors) == 0:
		return telemetry.OutcomeOK
	case len(response.Data) == 0 || string(response.Data) == "null":
		return telemetry.OutcomeFailed
	}
	return telemetry.OutcomePartial
}

// reportAccount counts the errors of answers, and tells those who ask, and may know, what their operation made the
// service do.
func reportAccount(told *telemetry.Telemetry) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		response := next(ctx)
		if response == nil {
			return nil
		}
		for _, err := range response.Errors {
			told.Failed(codeIn(err.Extensions))
		}
		if wantsAccount(ctx) && !event.IsDelivering(ctx) {
			if response.Extensions == nil {
				response.Extensions = map[string]any{}
			}
			response.Extensions[traceExtension] = accountFor(ctx)
		}
		return response
	}
}

// codeIn is the code of an error as it may be a label: of the closed list, or Apollo's.
func codeIn(extensions map[string]any) string {
	switch code := extensions["code"].(type) {
	case lending.ErrorKind:
		if code.Valid() {
			return string(code)
		}
	case string:
		if code == persistedQueryNotFound {
			return code
		}
	}
	return string(lending.KindInternal)
}

// wantsAccount reports whether a request asks for its account.
func wantsAccount(ctx context.Context) bool {
	op := graphql.GetOperationContext(ctx)
	asked, _ := op.Extensions[traceExtension].(bool)
	return asked || strings.EqualFold(op.Headers.Get(traceHeader), "true")
}

// accountFor is an operation's account, for operators; others are told that it is not for them. An operation that did
// not begin has none.
func accountFor(ctx context.Context) any {
	if p := auth.From(ctx); !p.May(auth.Operate) || p.Customer != "" {
		return map[string]any{"unavailable": "This needs the scope " + string(auth.Operate) + "."}
	}
	account, ok := telemetry.AccountOf(ctx, costOf(ctx))
	if !ok {
		return map[string]any{"unavailable": "The operation did not begin."}
	}
	return account
}
