package server

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/loader"
	"github.com/creditgraph/creditgraph/internal/quota"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/telemetry"
	"github.com/creditgraph/creditgraph/internal/webhook"
)

// Config is what the server is made of.
type Config struct {
	Resolvers graph.ResolverRoot
	Source    loader.Source
	// BatchWait is how long a look-up waits for others to go with; the loader's own where 0.
	BatchWait time.Duration
	// ReadBudget is how long one answer waits for all that it reads of providers; each read by itself where 0.
	ReadBudget time.Duration
	// Issuer signs the tokens of the built-in endpoint.
	Issuer *auth.Issuer
	// Verifier checks bearer tokens; Issuer checks its own alone where nil.
	Verifier auth.Verifier
	Clients  auth.ClientFinder
	// TrustedProxies are the networks whose X-Forwarded-For says where a request came from.
	TrustedProxies []netip.Prefix
	Webhooks       webhook.Receiver
	// Events is the hub that subscriptions follow; it is started and stopped by its owner.
	Events  *event.Hub
	Cursors Cursors
	// Audit writes down who saw personal data and who changed something; nobody does where nil.
	Audit *service.Auditor
	// Limits holds clients to their plans; nobody is limited where nil.
	Limits *quota.Limiter
	// Telemetry is told what clients ask and what became of it; nobody is where nil.
	Telemetry *telemetry.Telemetry
	// Ready reports why requests cannot be served yet; nil when they can.
	Ready  func(ctx context.Context) error
	Clock  func() time.Time
	Logger *slog.Logger
	// Origins are those of the pages that may read answers, beside our own: https://office.example.com.
	Origins []string
	// Trusted are the only operations that are answered; all are where it is nil.
	Trusted *TrustedDocuments
	// Explorer is the page at the root, packed; there is none where nil.
	Explorer fs.FS
	// Guests are the clients that the page's visitors may be without a secret, none while they are not known yet.
	// Where it is nil, as everywhere but in the sandbox, visitors sign in.
	Guests func() []auth.Client
	// Patience is how long clients' bodies are waited for; the default where it is zero.
	Patience Patience

	sockets  socketLimits
	streams  streamLimits
	standing time.Duration // how old what is known of a client may be; the gate's own where 0
}

// readyTimeout bounds one look at whether the service is ready.
const readyTimeout = 2 * time.Second

// Server answers at all the service's addresses.
type Server struct {
	handler http.Handler
	leaving chan struct{} // closed when no more requests are to be sent here
	left    sync.Once
	drain   chan struct{} // closed when streams have to end
	sockets running
	feeds   *event.Feeds
}

// running counts what has to end before the server has.
type running struct {
	sync.WaitGroup
	mu     sync.Mutex
	closed bool
}

// begin counts one more; false when no more may begin.
func (r *running) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.Add(1)
	}
	return !r.closed
}

// close lets no more begin; false when it was closed before.
func (r *running) close() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.closed
	r.closed = true
	return !was
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Leave has /readyz say that the service is about to stop, and waits until load balancers have asked: for delay, or
// until ctx ends. Everything is answered as before. It is safe to call twice.
func (s *Server) Leave(ctx context.Context, delay time.Duration) {
	s.unready()
	wait := time.NewTimer(delay)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}

func (s *Server) unready() { s.left.Do(func() { close(s.leaving) }) }

// Drain ends all subscriptions in the way that makes clients come back, to another replica or to the next
// process, and waits until they are ended or ctx is. New ones end at once. It is safe to call twice.
func (s *Server) Drain(ctx context.Context) error {
	s.unready()
	if s.sockets.close() {
		close(s.drain)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.sockets.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("websockets did not end: %w", ctx.Err())
	}
}

// New makes the server.
func New(c Config) *Server {
	s := &Server{leaving: make(chan struct{}), drain: make(chan struct{}), feeds: event.NewFeeds()}
	if c.Verifier == nil {
		c.Verifier = c.Issuer
	}
	if c.sockets == (socketLimits{}) {
		c.sockets = defaultSocketLimits()
	}
	if c.streams == (streamLimits{}) {
		c.streams = streamLimits{ping: streamPing, stall: stallLimit}
	}
	if c.Patience == (Patience{}) {
		c.Patience = DefaultPatience()
	}
	if c.Telemetry == nil {
		c.Telemetry = telemetry.Quiet()
	}
	if c.Trusted != nil {
		c.Telemetry.TrustNames(c.Trusted.names)
	}
	mux := http.NewServeMux()
	gate := auth.NewGate(auth.GateConfig{Verifier: c.Verifier, Clients: c.Clients, StandingAge: c.standing, Clock: c.Clock, Logger: c.Logger})
	mux.Handle("/graphql", crossOrigin(c.Origins, options(authenticated(gate, s.graphQL(c, gate)))))
	mux.Handle("POST /oauth/token", auth.TokenEndpoint(c.Issuer, c.Clients, gate, c.Logger))
	mux.Handle("/webhooks/{provider}", webhook.Handler(c.Webhooks, c.Clock, c.Logger))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.leaving:
			answer(w, http.StatusServiceUnavailable, "not ready: it is stopping")
			return
		default:
		}
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := c.Ready(ctx); err != nil {
			c.Logger.WarnContext(ctx, "not ready", "error", lending.AsError(err).Detail())
			answer(w, http.StatusServiceUnavailable, "not ready: the database does not answer")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", c.Telemetry.MetricsPage())
	c.serveExplorer(mux)
	s.handler = identified(c.Logger, c.Telemetry, auth.Addressed(c.TrustedProxies, c.Patience.waited(mux)))
	return s
}

// authenticated lets good tokens through. A websocket may bring its token later, in connection_init: browsers
// cannot send it before.
func authenticated(gate *auth.Gate, next http.Handler) http.Handler {
	strict := gate.Authenticate(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isWebsocket(r) && r.Header.Get("Authorization") == "" {
			next.ServeHTTP(w, r)
			return
		}
		strict.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the client went away: nobody is left to tell
}
