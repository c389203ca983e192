package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/health/board"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/cached"
	"github.com/creditgraph/creditgraph/internal/provider/resilient"
	"github.com/creditgraph/creditgraph/internal/quota"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/server"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
	"github.com/creditgraph/creditgraph/internal/telemetry"
	"github.com/creditgraph/creditgraph/resolvers"
	"github.com/creditgraph/creditgraph/web"
)

// app is the whole running program: what main starts, and what a test starts on a port of its own.
type app struct {
	settings config.Config
	logger   *slog.Logger
	out      io.Writer

	sandbox  *sandbox.Sandbox // nil when real providers are configured
	told     *telemetry.Telemetry
	records  *store.Store
	redis    redis.UniversalClient // nil without one
	cache    *cached.Cache
	guards   *resilient.Guards
	service  *service.Service
	issuer   *auth.Issuer
	verifier auth.Verifier
	clients  auth.ClientFinder
	demo     *demoClients // nil without the sandbox
	handler  *server.Server
	server   *http.Server
	listener net.Listener
	served   chan error
	played   chan struct{} // closed when the sandbox's scenario is over
	// closers end what start began, the last first.
	closers []func(ctx context.Context) error
}

// eventPoll is how often followers of the event log look at it without a hint.
const eventPoll = time.Second

// start makes everything run, or nothing: what fails ends what began before it.
func start(ctx context.Context, settings config.Config, out io.Writer, logger *slog.Logger) (*app, error) {
	a := &app{settings: settings, logger: slog.New(telemetry.NewLogHandler(logger.Handler())), out: out, served: make(chan error, 1), played: make(chan struct{})}
	for _, step := range []func(context.Context) error{
		a.startTelemetry, a.listen, a.startSandbox, a.openRecords, a.openCache, a.startTokens, a.startService, a.serve,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, a.stop(context.WithoutCancel(ctx)))
		}
	}
	return a, nil
}

func (a *app) onStop(f func(ctx context.Context) error) { a.closers = append(a.closers, f) }

// stop ends everything in the reverse order of its beginning. It is safe to call twice.
func (a *app) stop(ctx context.Context) error {
	var errs []error
	for len(a.closers) > 0 {
		last := len(a.closers) - 1
		errs = append(errs, a.closers[last](ctx))
		a.closers = a.closers[:last]
	}
	return errors.Join(errs...)
}

// listen takes the port first, so that what is told our address is told the right one.
func (a *app) listen(ctx context.Context) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", a.settings.Listen)
	if err != nil {
		return fmt.Errorf("CREDITGRAPH_LISTEN: %w", err)
	}
	a.listener = listener
	a.onStop(func(context.Context) error {
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return nil
}

// address is where the service listens, as a URL.
func (a *app) address() string { return "http://" + a.listener.Addr().String() }

// openRecords opens the database. The sandbox that is given none makes one that ends with it.
func (a *app) openRecords(ctx context.Context) error {
	if a.settings.DataKey == "" {
		a.settings.DataKey = config.Secret(rand.Text() + rand.Text())
	}
	if a.settings.DatabaseURL == "" {
		dir, err := os.MkdirTemp("", "creditgraph-")
		if err != nil {
			return err
		}
		a.onStop(func(context.Context) error { return os.RemoveAll(dir) })
		a.settings.DatabaseURL = config.Secret("sqlite:" + filepath.Join(dir, "sandbox.db"))
	}
	k, err := datakey.Derive(string(a.settings.DataKey))
	if err != nil {
		return err
	}
	records, err := store.Open(ctx, store.Config{URL: string(a.settings.DatabaseURL), DataKey: k.Records, Logger: a.logger}, store.WithObserver(a.told.Statement))
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	a.records = records
	a.onStop(func(context.Context) error { return records.Close() })
	return records.Migrate(ctx)
}

// openCache makes the cache, in Redis where there is one.
func (a *app) openCache(context.Context) error {
	k, err := datakey.Derive(string(a.settings.DataKey))
	if err != nil {
		return err
	}
	if a.settings.RedisURL != "" {
		cached.RouteRedisLog(a.logger)
		if a.redis, err = cached.NewRedis(string(a.settings.RedisURL)); err != nil {
			return fmt.Errorf("REDIS_URL: %w", err)
		}
		a.redis.AddHook(a.told.RedisHook())
		a.onStop(func(context.Context) error { return a.redis.Close() })
	}
	a.cache, err = cached.NewCache(cached.Config{Redis: a.redis, KeySecret: k.Cache, Logger: a.logger, Observer: a.told})
	if err != nil {
		return err
	}
	a.cache.Start()
	a.onStop(func(context.Context) error { a.cache.Stop(); return nil })
	return nil
}

// startService makes the use cases over the configured providers, and starts their background parts.
func (a *app) startService(ctx context.Context) error {
	k, err := datakey.Derive(string(a.settings.DataKey))
	if err != nil {
		return err
	}
	health := service.NewHealth(time.Now)
	all, err := providers(&a.settings, time.Now, a.logger, health, a.told.Attempts)
	if err != nil {
		return err
	}
	if a.guards, err = newGuards(&a.settings, a.redis, k.Calls, a.told, a.logger); err != nil {
		return err
	}
	all = guarded(all, a.guards)
	for i, p := range all {
		all[i] = provider.Intercept(p, a.told.Calls) // around whatever sends a call again
	}
	hub := event.NewHub(a.records, eventPoll, a.logger)
	hub.Start()
	a.onStop(func(context.Context) error { hub.Stop(); return nil })
	var publisher service.Publisher = hub
	if a.redis != nil {
		relay := event.NewRelay(hub, a.redis, a.logger)
		relay.Start()
		a.onStop(func(context.Context) error { relay.Stop(); return nil })
		publisher = relay
	}
	recall, err := store.NewRecall(a.records, time.Now)
	if err != nil {
		return err
	}
	a.service = service.New(service.Config{
		Store: a.records, Links: recall, Providers: all, Readers: readers(&a.settings, a.cache, all), Health: health, Circuits: a.guards, Board: a.board(k.Health),
		Publisher: publisher,
		Clock:     time.Now, Logger: a.logger,
		Settings: service.Settings{
			ReadDeadline: a.settings.ReadDeadline, WriteDeadline: a.settings.WriteDeadline,
			ReportPollAfter: a.settings.ReportPollAfter, WebhookSecret: string(a.settings.Kredete.WebhookSecret),
			EventRetention: a.settings.EventRetention, TokenKey: k.Tokens, AllowPrivateWebhooks: a.sandbox != nil,
		},
	})
	a.startWatch(hub, health, all)
	auditor := a.startAuditor()
	a.service.Start()
	a.onStop(a.service.Stop)
	limits, err := a.limits(k.Quotas)
	if err != nil {
		return err
	}
	root := resolvers.New(resolvers.Config{Service: a.service, Store: recall, Cursors: a.records, Audit: a.records, Limits: limits})
	trusted, err := trustedDocuments(a.settings.TrustedDocuments)
	if err != nil {
		return err
	}
	proxies, err := a.settings.Proxies()
	if err != nil {
		return fmt.Errorf("CREDITGRAPH_TRUSTED_PROXIES: %w", err)
	}
	var guests func() []auth.Client
	if a.demo != nil {
		guests = a.demo.guests
	}
	a.handler = server.New(server.Config{
		Explorer: web.Dist(), Guests: guests,
		Origins: a.settings.Origins, Trusted: trusted, TrustedProxies: proxies, ReadBudget: a.settings.ReadDeadline,
		Resolvers: root, Source: root.Source(), BatchWait: a.settings.BatchWait, Issuer: a.issuer, Verifier: a.verifier, Clients: a.clients,
		Webhooks: a.service, Events: hub, Cursors: a.records, Audit: auditor, Limits: limits, Ready: a.records.Ping, Telemetry: a.told, Clock: time.Now, Logger: a.logger,
	})
	a.server = server.DefaultPatience().HTTP(a.handler, a.logger)
	// Requests have the values of ctx, and not its end: they are drained.
	a.server.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	return nil
}

// board is where replicas tell each other how providers do; none without a Redis.
func (a *app) board(secret []byte) service.HealthBoard {
	if a.redis == nil {
		return nil
	}
	return board.New(board.Config{Redis: a.redis, KeySecret: secret, Clock: time.Now, Logger: a.logger})
}

// limits holds clients to their plans, together with the other replicas where there is a Redis.
func (a *app) limits(secret []byte) (*quota.Limiter, error) {
	limiter, err := quota.New(quota.Config{
		Redis: a.redis, KeySecret: secret, Default: a.settings.DefaultPlan, Replicas: a.settings.Replicas, Clock: time.Now, Logger: a.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("CREDITGRAPH_DEFAULT_PLAN: %w", err)
	}
	return limiter, nil
}

// auditDrain is how long audit records may take to be written after everything else has ended, however long
// that took.
const auditDrain = 5 * time.Second

// startAuditor starts what writes down who saw personal data and who changed something. It ends after all that
// has something to write down.
func (a *app) startAuditor() *service.Auditor {
	auditor := service.NewAuditor(a.records, time.Now, a.logger)
	auditor.Start()
	a.onStop(func(ctx context.Context) error {
		draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditDrain)
		defer cancel()
		return auditor.Stop(draining)
	})
	return auditor
}

// serve begins to answer.
func (a *app) serve(context.Context) error {
	go func() { a.served <- a.server.Serve(a.listener) }()
	a.onStop(func(ctx context.Context) error {
		a.handler.Leave(ctx, a.settings.DrainDelay)
		drained := a.handler.Drain(ctx)
		if err := a.server.Shutdown(ctx); err != nil {
			return errors.Join(drained, err, a.server.Close())
		}
		return drained
	})
	return nil
}

// wait returns when ctx ends, or when the server fails.
func (a *app) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.served:
		return err
	}
}
