// Package twin is what all stand-ins of the providers share: faults on request, the log of what was really
// done, counters of calls, webhooks, rate limits, and a server whose port can go away and come back.
//
// A twin builds a [Core] with [New], registers its routes on an http.ServeMux, and serves
// [Core.Handler]. Beside the provider's own routes every twin then answers, on the same port:
//
//	GET, POST, DELETE /__sandbox/faults   the rules of misbehaviour ([Rule]); POST adds one
//	GET  /__sandbox/effects               every change of state that took place ([Effect])
//	GET  /__sandbox/calls                 how often each route was called, refused calls too
//	POST /__sandbox/reset-counts          starts both counts again from nothing
//	GET  /__sandbox/webhooks              what became of the webhooks ([Stats])
//	POST /__sandbox/webhooks/flush        waits until no webhook is waiting
//	POST /__sandbox/plan                  {"plan":"Sandbox"} puts a rate limit plan in force
//
// These are counted nowhere and limited by nothing. They are for people and tests on the same machine.
package twin

import (
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// AdminPrefix begins the paths of the sandbox's own endpoints.
const AdminPrefix = "/__sandbox/"

// Options are what a Core is made of. Each may be left out.
type Options struct {
	// Clock tells the time; time.Now where nil.
	Clock func() time.Time
	// Logger is told what the sandbox does; nobody where nil.
	Logger *slog.Logger
	// Refuse answers with a status in the provider's own error shape. It is used by faults and by the
	// rate limit, before any handler. Where nil the body is {}.
	Refuse func(w http.ResponseWriter, r *http.Request, status int)
	// Limits are the provider's rate limits; none where Plans is empty.
	Limits Limits
	// Sender says how webhooks are delivered.
	Sender SenderOptions
}

// Core is the shared part of one twin. Its fields are safe for use from many goroutines.
type Core struct {
	Faults  *Faults
	Effects *Effects
	Calls   *Calls
	Sender  *Sender

	clock   func() time.Time
	refuse  func(w http.ResponseWriter, r *http.Request, status int)
	limiter *limiter
	admin   *http.ServeMux
	done    chan struct{}
}

// New makes a Core. [Core.Stop] has to be called at the end.
func New(o Options) *Core {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Refuse == nil {
		o.Refuse = func(w http.ResponseWriter, _ *http.Request, status int) { WriteJSON(w, status, struct{}{}) }
	}
	faults := &Faults{}
	c := &Core{
		Faults: faults, Effects: &Effects{clock: o.Clock}, Calls: &Calls{},
		Sender: newSender(o.Sender, faults, o.Logger),
		clock:  o.Clock, refuse: o.Refuse, limiter: newLimiter(o.Limits), admin: http.NewServeMux(),
		done: make(chan struct{}),
	}
	c.registerAdmin()
	return c
}

// HandleAdmin adds an endpoint of the twin's own under [AdminPrefix]: "POST /__sandbox/replay-history".
func (c *Core) HandleAdmin(pattern string, handle http.HandlerFunc) {
	c.admin.HandleFunc(pattern, handle)
}

// Handler serves the provider's routes, with faults and limits before them, and the sandbox's own endpoints.
// Calls are counted by the route's pattern, so a pattern should begin with its method.
func (c *Core) Handler(routes *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, AdminPrefix) {
			c.admin.ServeHTTP(w, r)
			return
		}
		_, pattern := routes.Handler(r)
		c.Calls.count(r.Method, pattern)
		standing := c.limiter.take(r, c.clock())
		c.limiter.tell(w.Header(), standing)
		if standing.Refused {
			c.refuse(w, r, http.StatusTooManyRequests)
			return
		}
		if rule, found := c.Faults.forRequest(r); found {
			c.misbehave(rule, routes, w, r)
			return
		}
		routes.ServeHTTP(w, r)
	})
}

// Stop ends the webhooks and lets go of every request that a fault holds. It is safe to call twice, but not
// from two goroutines at once.
func (c *Core) Stop() {
	select {
	case <-c.done:
	default:
		close(c.done)
	}
	c.Sender.Stop()
}
