package server

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/quota"
	"github.com/creditgraph/creditgraph/internal/telemetry"
)

// unitCost is the cost that one unit of a plan pays for: a mobile app's screen and an action take one, a table of 50
// customers with their loans and scores takes six, and the dearest operation that is carried out 21.
const unitCost = 500

// metering holds clients to their plans. The first unit is taken when a request has come, before its body is read
// or, on a websocket, before its document is; what it weighs beyond that is taken when its cost is known, before
// anything is carried out. Events of a subscription cost nothing.
type metering struct {
	limits *quota.Limiter // nil limits nobody
	told   *telemetry.Telemetry
}

// admission is a request over HTTP for which the first unit was taken.
type admission struct {
	header  http.Header
	refused bool // the rest could not be taken
}

type admissionKey struct{}

// admit takes the first unit of requests over HTTP, and refuses those of clients who have none left.
func (m metering) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asker := auth.From(r.Context())
		if m.limits == nil || asker == nil || isWebsocket(r) { // whose messages are counted
			next.ServeHTTP(w, r)
			return
		}
		verdict := m.limits.Take(r.Context(), asker.ClientID, asker.Plan)
		tellLimit(w.Header(), verdict)
		if !verdict.Allowed {
			mediaType, ok := negotiate(r.Header.Values("Accept"))
			if !ok {
				mediaType = jsonType
			}
			refuseAs(w, r, mediaType, http.StatusTooManyRequests, m.refusal(verdict))
			return
		}
		admitted := &admission{header: w.Header()}
		ctx := context.WithValue(r.Context(), admissionKey{}, admitted)
		next.ServeHTTP(&admittedWriter{w, admitted}, r.WithContext(ctx))
	})
}

// admittedWriter says 429 of a refusal, whatever the transport that tells it says of errors.
type admittedWriter struct {
	http.ResponseWriter
	admission *admission
}

// WriteHeader implements http.ResponseWriter.
func (w *admittedWriter) WriteHeader(status int) {
	if w.admission.refused {
		status = http.StatusTooManyRequests
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *admittedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// tellLimit writes what a client has left, in the headers that Kredete's clients know (seed 000).
func tellLimit(header http.Header, v quota.Verdict) {
	if !v.Limited {
		return
	}
	header.Set("X-RateLimit-Limit", strconv.Itoa(v.Limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(v.Remaining))
	// The reset is told in whole seconds, and never before its time.
	header.Set("X-RateLimit-Reset", strconv.FormatInt(v.ResetsAt.Add(time.Second-1).Unix(), 10))
	if !v.Allowed {
		header.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(v.RetryAfter.Seconds())))))
	}
}

// refusal is what a client is told that has too little left. It is counted.
func (m metering) refusal(v quota.Verdict) error {
	m.told.RateLimited(v.Plan)
	return &lending.Error{
		Kind: lending.KindRateLimited, Outcome: lending.NotExecuted, Retryable: true, RetryAfter: v.RetryAfter,
		Message: "The limit of the plan " + v.Plan + " is reached. Send the request again later.",
	}
}

// around has a transport's operations paid for. It stands before the guard, which tells their cost.
func (m metering) around(inner graphql.Transport) graphql.Transport {
	if m.limits == nil {
		return inner
	}
	return meteredTransport{inner, m}
}

type meteredTransport struct {
	graphql.Transport
	metering
}

// Do implements graphql.Transport.
func (t meteredTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	t.Transport.Do(w, r, meteredExecutor{exec, t.metering})
}

type meteredExecutor struct {
	graphql.GraphExecutor
	metering
}

// CreateOperationContext implements graphql.GraphExecutor.
func (e meteredExecutor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	asker := auth.From(ctx)
	if asker == nil { // no transport has got so far
		return unbegun(params), told(&lending.Error{Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: "Send a bearer token."})
	}
	admitted, _ := ctx.Value(admissionKey{}).(*admission)
	if admitted == nil { // a message on a websocket
		if v := e.limits.Take(ctx, asker.ClientID, asker.Plan); !v.Allowed {
			return unbegun(params), told(e.refusal(v))
		}
	}
	op, errs := e.GraphExecutor.CreateOperationContext(ctx, params)
	units := unitsOf(op)
	if len(errs) > 0 || units == 1 {
		return op, errs
	}
	v := e.limits.Raise(ctx, asker.ClientID, asker.Plan, units)
	if admitted != nil {
		tellLimit(admitted.header, v)
		admitted.refused = !v.Allowed
	}
	if !v.Allowed {
		refused := unbegun(params)
		rememberCost(refused, costIn(op))
		return refused, told(e.refusal(v))
	}
	return op, nil
}

// unbegun is the context of an operation that nobody has looked at.
func unbegun(params *graphql.RawParams) *graphql.OperationContext {
	return &graphql.OperationContext{RawQuery: params.Query, OperationName: params.OperationName, RecoverFunc: graphql.DefaultRecover}
}

// costIn is what the guard remembered of an operation.
func costIn(op *graphql.OperationContext) cost {
	c, _ := op.Stats.GetExtension(costExtension).(cost)
	return c
}

// unitsOf is how many units of a plan an operation takes.
func unitsOf(op *graphql.OperationContext) int { return 1 + costIn(op).requested/unitCost }
