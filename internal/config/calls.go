package config

import "time"

// Calls are the settings of what stands around the calls of providers: how many, how often, and when to stop.
type Calls struct {
	Retries          int           `env:"CREDITGRAPH_RETRIES" default:"2" help:"How often a read, or an action that its provider dedupes, is tried again at most. All retries together are a tenth of the calls at most."`
	ReadConcurrency  int           `env:"CREDITGRAPH_READ_CONCURRENCY" default:"128" help:"How many reads are under way at one provider at a time, on each replica. As many wait; the background has a quarter."`
	WriteConcurrency int           `env:"CREDITGRAPH_WRITE_CONCURRENCY" default:"32" help:"The same for actions."`
	CircuitFailures  int           `env:"CREDITGRAPH_CIRCUIT_FAILURES" default:"50" help:"How many calls in a hundred have to fail for a provider to be left alone."`
	CircuitCalls     int           `env:"CREDITGRAPH_CIRCUIT_CALLS" default:"20" help:"The least number of calls that tells anything."`
	CircuitWindow    time.Duration `env:"CREDITGRAPH_CIRCUIT_WINDOW" default:"10s" help:"The time in which calls are counted for that."`
	CircuitDelay     time.Duration `env:"CREDITGRAPH_CIRCUIT_DELAY" default:"5s" help:"How long a provider is left alone before one call tries whether it is well again."`
}

// validate checks what kong's types let through.
func (c *Calls) validate(refuse func(name, format string, args ...any)) {
	for _, n := range []struct {
		name              string
		value, least, top int
	}{
		{"CREDITGRAPH_RETRIES", c.Retries, 0, 10},
		{"CREDITGRAPH_READ_CONCURRENCY", c.ReadConcurrency, 1, 10_000},
		{"CREDITGRAPH_WRITE_CONCURRENCY", c.WriteConcurrency, 1, 10_000},
		{"CREDITGRAPH_CIRCUIT_FAILURES", c.CircuitFailures, 1, 100},
		{"CREDITGRAPH_CIRCUIT_CALLS", c.CircuitCalls, 1, 1_000_000},
	} {
		if n.value < n.least || n.value > n.top {
			refuse(n.name, "give a whole number from %d to %d", n.least, n.top)
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"CREDITGRAPH_CIRCUIT_WINDOW", c.CircuitWindow}, {"CREDITGRAPH_CIRCUIT_DELAY", c.CircuitDelay}} {
		if d.value < 10*time.Millisecond || d.value > time.Hour {
			refuse(d.name, "give a duration from 10ms to 1h")
		}
	}
}

// validateRates checks how often providers may be asked.
func (c *Config) validateRates(refuse func(name, format string, args ...any)) {
	for _, r := range []struct {
		name string
		rate int
	}{
		{"TRUSTDECISION_RATE_PER_MINUTE", c.TrustDecision.RatePerMinute},
		{"KREDMINT_RATE_PER_MINUTE", c.Kredmint.RatePerMinute},
		{"CARBON_RATE_PER_MINUTE", c.Carbon.RatePerMinute},
		{"ONEPIPE_RATE_PER_MINUTE", c.OnePipe.RatePerMinute},
	} {
		if r.rate < 0 || r.rate > 1_000_000 {
			refuse(r.name, "give a whole number from 0 (no limit) to 1000000")
		}
	}
}
