package telemetry

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// namespace stands before the name of every metric of ours.
const namespace = "creditgraph_"

// Entry is one metric as docs/metrics.md lists it.
type Entry struct {
	Name   string
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string
}

// book makes metrics and remembers them, so that the page which lists them can be held to the code.
type book struct {
	registry *prometheus.Registry
	entries  []Entry
}

func (b *book) add(kind, name, help string, labels []string, c prometheus.Collector) {
	b.registry.MustRegister(c)
	b.entries = append(b.entries, Entry{Name: namespace + name, Type: kind, Labels: labels, Help: help})
}

func (b *book) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: namespace + name, Help: help}, labels)
	b.add("counter", name, help, labels, c)
	return c
}

func (b *book) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: namespace + name, Help: help}, labels)
	b.add("gauge", name, help, labels, g)
	return g
}

func (b *book) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: namespace + name, Help: help, Buckets: buckets}, labels)
	b.add("histogram", name, help, labels, h)
	return h
}

// word is a value of ours as a label: "" is said as something that can be selected.
func word[T ~string](value T) string {
	if value == "" {
		return "none"
	}
	return strings.ToValidUTF8(string(value), "")
}
