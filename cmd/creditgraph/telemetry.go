package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/telemetry"
)

// ownProcess sets what there is one of in a process, which a program has to itself and a test does not: where libraries'
// lines go, and how much memory there is.
func ownProcess(logger *slog.Logger) {
	slog.SetDefault(logger)
	log.SetFlags(0)
	log.SetOutput(telemetry.ForeignLines(logger))
	limit, from := telemetry.LimitMemory(os.DirFS("/"))
	v := telemetry.BuildVersion()
	logger.Info("starting", "version", v.Version, "revision", v.Revision, "go", v.Go, "memoryLimitBytes", limit, "memoryLimitFrom", from)
}

// exportPatience is how long traces that are left may take to be sent after everything else has ended.
const exportPatience = 3 * time.Second

// startTelemetry makes what the others tell what they do. It ends last, so that it has heard all. A collector that
// does not take the last traces is no failure of the service.
func (a *app) startTelemetry(context.Context) error {
	told, err := telemetry.New(telemetry.Config{
		Tracing: telemetry.TracingConfig{Endpoint: a.settings.Tracing.Address()}, Version: telemetry.BuildVersion(),
		SlowAfter: a.settings.SlowOperation, Logger: a.logger,
	})
	if err != nil {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	if a.settings.Tracing.Address() != "" {
		telemetry.RouteExporterErrors(told)
	}
	a.told = told
	a.onStop(func(ctx context.Context) error {
		flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportPatience)
		defer cancel()
		if err := told.Stop(flushing); err != nil {
			a.logger.Warn("the last traces could not be sent", "error", err.Error())
		}
		return nil
	})
	return a.serveProfiles()
}

// serveProfiles serves Go's profiles on an address of their own, where there is one.
func (a *app) serveProfiles() error {
	if a.settings.DebugListen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", a.settings.DebugListen)
	if err != nil {
		return fmt.Errorf("CREDITGRAPH_DEBUG_LISTEN: %w", err)
	}
	profiles := &http.Server{Handler: telemetry.Profiles(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- profiles.Serve(listener) }()
	a.logger.Info("profiles are served", "address", listener.Addr().String())
	a.onStop(func(context.Context) error {
		err := profiles.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
	return nil
}

// startWatch begins to look at what waits.
func (a *app) startWatch(hub *event.Hub, health *service.Health, all []*provider.Provider) {
	names := make([]lending.Provider, len(all))
	for i, p := range all {
		names[i] = p.Name
	}
	watch := a.told.NewWatch(telemetry.Watched{
		Backlog: a.records, Seen: hub.Seen, Outage: health.Outage, Providers: names, UnknownAfter: a.settings.UnknownAfter, Clock: time.Now,
	})
	watch.Start()
	a.onStop(func(context.Context) error { watch.Stop(); return nil })
}
