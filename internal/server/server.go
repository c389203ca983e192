package server

import (
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"time"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
	"github.com/creditgraph/creditgraph/internal/webhook"
)

// Config is what the server is made of.
type Config struct {
	Resolvers graph.ResolverRoot
	Source    loader.Source
	// BatchWait is how long a look-up waits for others to go with; the loader's own where 0.
	BatchWait time.Duration
	Issuer    *auth.Issuer
	Clients   auth.ClientFinder
	Webhooks  webhook.Receiver
	// Ready reports why requests cannot be served yet; nil when they can.
	Ready  func(ctx context.Context) error
	Clock  func() time.Time
	Logger *slog.Logger
}

// readyTimeout bounds one look at whether the service is ready.
const readyTimeout = 2 * time.Second

// New is the handler of all the service's addresses.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", auth.Authenticate(c.Issuer, graphQL(c)))
	mux.Handle("POST /oauth/token", auth.TokenEndpoint(c.Issuer, c.Clients, c.Logger))
	mux.Handle("/webhooks/{provider}", webhook.Handler(c.Webhooks, c.Clock, c.Logger))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := c.Ready(ctx); err != nil {
			c.Logger.WarnContext(ctx, "not ready", "error", lending.AsError(err).Detail())
			answer(w, http.StatusServiceUnavailable, "not ready: the database does not answer")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	mux.HandleFunc("GET /{$}", explorer)
	return identified(c.Logger, mux)
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the client went away: nobody is left to tell
}

//go:embed explorer.html
var explorerPage []byte

// explorerPolicy lets the page run its own script and talk to this server, and nothing else.
const explorerPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// explorer serves the page on which a query can be tried out.
func explorer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	_, _ = w.Write(explorerPage) // the client went away: nobody is left to tell
}
