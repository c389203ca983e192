package server

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/telemetry"
)

// requestIDHeader carries the id by which a request is found in the log.
const requestIDHeader = "X-Request-Id"

// request is what is known of one HTTP request.
type request struct {
	id string
}

// requestOf is the request that ctx belongs to; a zero one outside of any.
func requestOf(ctx context.Context) request {
	return request{id: telemetry.RequestID(ctx)}
}

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// identified gives each request an id, the client's own where it has the shape of one, and logs how it
// went: path and figures, neither query nor body.
func identified(logger *slog.Logger, told *telemetry.Telemetry, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !goodRequestID.MatchString(id) {
			id = uuid.NewString()
		}
		w.Header().Set(requestIDHeader, id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		began := time.Now()
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		route := routeOf(r.URL.Path)
		ctx, ended := told.Request(telemetry.WithRequestID(r.Context(), id), r.Method, route, r.Header)
		defer func() {
			if cause := recover(); cause != nil {
				if cause == http.ErrAbortHandler {
					ended(answer.status, answer.streams())
					panic(cause)
				}
				logger.ErrorContext(ctx, "a request panicked", "requestId", id, "panic", cause, "stack", string(debug.Stack()))
				http.Error(answer, "Something went wrong on our side.", http.StatusInternalServerError)
			}
			if answer.status == http.StatusUnauthorized {
				told.Unauthenticated(doorOf(r.URL.Path))
			}
			ended(answer.status, answer.streams())
			logger.DebugContext(ctx, "request", "requestId", id, "method", r.Method, "route", route,
				"status", answer.status, "bytes", answer.bytes, "took", time.Since(began).Round(time.Microsecond).String())
		}()
		next.ServeHTTP(answer, r.WithContext(ctx))
	})
}

// routeOf is a path as metrics and traces have it: of those that there are, or "other".
func routeOf(path string) string {
	switch path {
	case "/graphql", "/oauth/token", "/healthz", "/readyz", "/metrics", "/", "/LEGAL.txt", "/explorer/session":
		return path
	}
	if strings.HasPrefix(path, "/assets/") {
		return "/assets/{name}"
	}
	if slug, ok := strings.CutPrefix(path, "/webhooks/"); ok {
		for _, name := range lending.Providers() {
			if name.Slug() == slug {
				return path
			}
		}
	}
	return "other"
}

// doorOf is where a request asked to be let in.
func doorOf(path string) string {
	switch path {
	case "/oauth/token":
		return "token"
	case "/graphql":
		return "graphql"
	}
	return "webhook"
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// streams reports whether the answer lasts as long as somebody follows it.
func (r *recorder) streams() bool {
	return r.status == http.StatusSwitchingProtocols || strings.HasPrefix(r.Header().Get("Content-Type"), "text/event-stream")
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Flush sends what was written so far: the transport of server-sent events asks for it by this name.
func (r *recorder) Flush() {
	_ = http.NewResponseController(r.ResponseWriter).Flush() // a connection that cannot flush sends later
}

// Unwrap lets http.ResponseController reach the connection: to flush and to take it over.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
