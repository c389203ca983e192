package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logbook keeps lines of JSON.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines are the lines with a message, as objects.
func (l *logbook) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if object["msg"] == message {
			found = append(found, object)
		}
	}
	return found
}

// bench is a telemetry and what it said.
type bench struct {
	*Telemetry
	spans *tracetest.InMemoryExporter
	log   *logbook
}

// traced is a telemetry that keeps its spans in memory.
func traced(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	b := &bench{spans: tracetest.NewInMemoryExporter(), log: &logbook{}}
	c := Config{
		Tracing: TracingConfig{Endpoint: "http://collector.invalid", Processor: sdktrace.NewSimpleSpanProcessor(b.spans)},
		Logger:  slog.New(NewLogHandler(slog.NewJSONHandler(b.log, nil))),
	}
	if change != nil {
		change(&c)
	}
	var err error
	if b.Telemetry, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return b
}

// scrape is the text of all metrics.
func (t *Telemetry) scrape() string {
	answer := httptest.NewRecorder()
	t.MetricsPage().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(answer.Result().Body)
	if err != nil || answer.Code != http.StatusOK {
		panic(string(text))
	}
	return string(text)
}

// wantLines checks that each line stands in the metrics.
func (t *Telemetry) wantLines(test *testing.T, lines ...string) {
	test.Helper()
	page := "\n" + t.scrape()
	for _, line := range lines {
		if !strings.Contains(page, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			var near []string
			for have := range strings.Lines(page) {
				if strings.HasPrefix(have, strings.Fields(name)[0]) {
					near = append(near, have)
				}
			}
			test.Errorf("the metrics lack\n%s\nthere is\n%s", line, strings.Join(near, ""))
		}
	}
}
