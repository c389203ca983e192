package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is what a [Telemetry] is made of. The zero value counts, traces nothing and says nothing.
type Config struct {
	// Tracing says where traces go; nowhere where its endpoint is empty.
	Tracing TracingConfig
	// Version names the build in metrics and traces.
	Version Version
	// SlowAfter is how long an operation may take before it is logged as slow; 0 logs none.
	SlowAfter time.Duration
	Logger    *slog.Logger // silent where nil
}

// Telemetry is what the parts of the service tell what they do. It is safe for concurrent use.
type Telemetry struct {
	metrics    *metrics
	tracing    *tracing // nil where nothing is traced
	names      *Names
	conditions *conditions
	slowAfter  time.Duration
	log        *slog.Logger
}

// New makes a telemetry. Its exporter connects to nothing before there is something to export. An error is a wrong
// setting.
func New(c Config) (*Telemetry, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	t := &Telemetry{
		metrics: newMetrics(c.Version), names: NewNames(nil), conditions: newConditions(c.Logger), slowAfter: c.SlowAfter, log: c.Logger,
	}
	if c.Tracing.Endpoint == "" {
		return t, nil
	}
	var err error
	t.tracing, err = newTracing(c.Tracing, c.Version, c.Logger)
	return t, err
}

// Quiet is a telemetry that nobody looks at.
func Quiet() *Telemetry {
	t, err := New(Config{})
	if err != nil {
		panic(err) // nothing is configured that could be wrong
	}
	return t
}

// Stop sends the traces that are left, as far as ctx allows. Calling it again does nothing.
func (t *Telemetry) Stop(ctx context.Context) error {
	if t.tracing == nil {
		return nil
	}
	return t.tracing.stop(ctx)
}

// scrapes is how many scrapes are answered at a time.
const scrapes = 4

// MetricsPage serves all metrics. It reads what is in memory and asks nobody.
func (t *Telemetry) MetricsPage() http.Handler {
	return promhttp.HandlerFor(t.metrics.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes})
}

// TrustNames makes the names of operations that may stand in metrics those of a list, and no others. It is to be called
// before the first operation.
func (t *Telemetry) TrustNames(names []string) { t.names = NewNames(names) }
