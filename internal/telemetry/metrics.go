package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// The buckets of histograms, in seconds but for the last.
func answerBuckets() []float64 { return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10} }
func callBuckets() []float64   { return []float64{.025, .05, .1, .25, .5, 1, 2, 4, 8, 16} }
func storeBuckets() []float64  { return []float64{.0005, .001, .0025, .005, .01, .025, .1, .5, 2.5} }
func keyBuckets() []float64    { return []float64{1, 2, 5, 10, 20, 50, 100} }

// metrics are all that is counted.
type metrics struct {
	registry *prometheus.Registry
	entries  []Entry

	requests       *prometheus.CounterVec
	requestTook    *prometheus.HistogramVec
	operations     *prometheus.CounterVec
	operationTook  *prometheus.HistogramVec
	errors         *prometheus.CounterVec
	slow           *prometheus.CounterVec
	rateLimited    *prometheus.CounterVec
	authFailures   *prometheus.CounterVec
	subscribers    *prometheus.GaugeVec
	calls          *prometheus.CounterVec
	callTook       *prometheus.HistogramVec
	retries        *prometheus.CounterVec
	refusals       *prometheus.CounterVec
	circuits       *prometheus.GaugeVec
	up             *prometheus.GaugeVec
	exhausted      *prometheus.GaugeVec
	cacheAnswers   *prometheus.CounterVec
	cacheLoads     *prometheus.CounterVec
	cacheDiscards  *prometheus.CounterVec
	redisUsable    *prometheus.GaugeVec
	redisCommands  *prometheus.CounterVec
	redisTook      *prometheus.HistogramVec
	batchKeys      *prometheus.HistogramVec
	batchFailures  *prometheus.CounterVec
	statements     *prometheus.CounterVec
	statementTook  *prometheus.HistogramVec
	storeUp        *prometheus.GaugeVec
	open           *prometheus.GaugeVec
	openAge        *prometheus.GaugeVec
	deliveries     *prometheus.GaugeVec
	deliveryAge    *prometheus.GaugeVec
	lastEvent      *prometheus.GaugeVec
	eventLag       *prometheus.GaugeVec
	sampled        *prometheus.GaugeVec
	buildInfo      *prometheus.GaugeVec
	exportFailures *prometheus.CounterVec
}

func newMetrics(v Version) *metrics {
	b := &book{registry: prometheus.NewRegistry()}
	b.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &metrics{registry: b.registry}
	m.defineRequests(b)
	m.defineProviders(b)
	m.defineStores(b)
	m.defineBacklog(b)
	m.buildInfo = b.gauge("build_info", "Always 1; the labels say which build this is.", "version", "revision", "goversion")
	m.exportFailures = b.counter("trace_export_failures_total", "Errors of the exporter of traces.")
	m.buildInfo.WithLabelValues(v.Version, v.Revision, v.Go).Set(1)
	m.exportFailures.WithLabelValues()
	m.redisUsable.WithLabelValues().Set(1)
	m.entries = b.entries
	return m
}

// defineRequests makes the metrics of what clients ask.
func (m *metrics) defineRequests(b *book) {
	m.requests = b.counter("http_requests_total", "HTTP requests, by route and status. A websocket counts when it is opened (101).", "route", "status")
	m.requestTook = b.histogram("http_request_duration_seconds", "How long HTTP requests took. Streams of events are left out.", answerBuckets(), "route")
	m.operations = b.counter("graphql_operations_total",
		"Operations of the graph that were carried out, by name and type. The outcome is ok, partial (errors beside data) or failed. Names beyond the bound are \"other\".", "operation", "type", "outcome")
	m.operationTook = b.histogram("graphql_operation_duration_seconds", "How long operations took.", answerBuckets(), "operation", "type")
	m.errors = b.counter("graphql_errors_total", "Errors in answers of the graph, by code; those of operations that did not begin too.", "code")
	m.slow = b.counter("graphql_slow_operations_total", "Operations that took longer than CREDITGRAPH_SLOW_OPERATION.", "type")
	m.rateLimited = b.counter("rate_limited_total", "Requests and websocket messages that a client's plan did not allow.", "plan")
	m.authFailures = b.counter("auth_failures_total", "Requests without a good token or secret: at graphql, token or websocket.", "at")
	m.subscribers = b.gauge("subscribers", "Subscriptions that are followed, by transport: sse or websocket.", "transport")
}

// defineProviders makes the metrics of calls of providers.
func (m *metrics) defineProviders(b *book) {
	m.calls = b.counter("provider_calls_total",
		"Calls of providers, each attempt, by the kind of their error; OK for a success.", "provider", "operation", "class", "kind")
	m.callTook = b.histogram("provider_call_duration_seconds", "How long calls of providers took.", callBuckets(), "provider", "operation", "class")
	m.retries = b.counter("provider_retries_total", "Calls that were sent again.", "provider", "operation", "class")
	m.refusals = b.counter("provider_refusals_total", "Calls that were not sent, by what held them back.", "provider", "operation", "class", "reason")
	m.circuits = b.gauge("provider_circuit_state", "1 for the state that a circuit is in: CLOSED, HALF_OPEN or OPEN.", "provider", "class", "state")
	m.up = b.gauge("provider_up", "0 while the latest calls say that a configured provider is down.", "provider")
	m.exhausted = b.gauge("provider_balance_exhausted", "1 since a provider said that the prepaid balance is used up, until it takes an order again.", "provider")
	m.cacheAnswers = b.counter("cache_answers_total", "Answers of the cache, by status: FRESH (just loaded), CACHED, STALE, NONE, UNAVAILABLE.", "read", "status")
	m.cacheLoads = b.counter("cache_loads_total", "Loads behind the cache, by the kind of their error; OK for a success.", "read", "kind")
	m.cacheDiscards = b.counter("cache_discards_total", "Entries that were found and not used.", "read", "reason")
	m.redisUsable = b.gauge("redis_usable", "0 while the cache leaves Redis alone after failures.")
}

// defineStores makes the metrics of the database, of Redis and of batches.
func (m *metrics) defineStores(b *book) {
	m.redisCommands = b.counter("redis_commands_total", "Commands and pipelines sent to Redis. The outcome is ok or error.", "command", "outcome")
	m.redisTook = b.histogram("redis_command_duration_seconds", "How long round trips to Redis took.", storeBuckets(), "command")
	m.batchKeys = b.histogram("loader_batch_keys", "Keys that were looked up together.", keyBuckets(), "loader")
	m.batchFailures = b.counter("loader_batch_failures_total", "Batches that failed as a whole.", "loader")
	m.statements = b.counter("sql_statements_total", "Statements, by verb and table. The outcome is ok or error.", "statement", "outcome")
	m.statementTook = b.histogram("sql_statement_duration_seconds", "How long statements took.", storeBuckets(), "statement")
	m.storeUp = b.gauge("store_up", "0 while the database does not answer.")
}

// defineBacklog makes the metrics of what waits. They are sampled behind, and a scrape asks nobody.
func (m *metrics) defineBacklog(b *book) {
	m.open = b.gauge("open_operations", "Actions that are not settled, by status.", "status")
	m.openAge = b.gauge("open_operation_oldest_seconds", "Age of the oldest action of a status; 0 for none.", "status")
	m.deliveries = b.gauge("webhook_inbox_deliveries", "Webhooks that are not applied, by state: RECEIVED waits its turn, HELD for its loan, SET_ASIDE for a person.", "state")
	m.deliveryAge = b.gauge("webhook_inbox_oldest_seconds", "Age of the oldest webhook of a state; 0 for none.", "state")
	m.lastEvent = b.gauge("event_log_last_sequence", "Sequence number of the newest event.")
	m.eventLag = b.gauge("event_lag_events", "Events of the log that this replica's subscribers have not been offered.")
	m.sampled = b.gauge("backlog_sampled_timestamp_seconds", "When what waits was last looked at with success.")
}
