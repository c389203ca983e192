package telemetry

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// canary stands in every value that must not be logged.
const canary = "canary"

// secret is a type that says of itself what may be known.
type secret string

// LogValue implements slog.LogValuer.
func (secret) LogValue() slog.Value { return slog.StringValue("hidden") }

// TestStructuresAreNeverLogged hands over personal data in every shape that slog knows.
func TestStructuresAreNeverLogged(t *testing.T) {
	t.Parallel()
	customer := lending.Customer{FirstName: canary, Email: canary + "@example.com", Phone: canary}
	input := service.CreateCustomerInput{FirstName: canary}
	address := &url.URL{Host: canary}
	type holder struct {
		Inner *lending.Customer
		inner lending.Customer
	}
	for name, value := range map[string]any{
		"a value": customer, "a pointer": &customer, "a pointer to a pointer": new(&customer), "an input": input,
		"a list": []lending.Customer{customer}, "a list of pointers": []*lending.Customer{&customer},
		"a map": map[string]string{"email": canary}, "a map by it": map[string]bool{canary: true},
		"a structure around it": holder{&customer, customer}, "bytes": []byte(canary), "a JSON text's type": jsonText(canary),
		"a group":           slog.GroupValue(slog.Any("customer", customer), slog.Group("deeper", "customer", &customer)),
		"what has a String": address, "a secret": secret(canary), "secrets": []secret{canary},
		"something that resolves to it": resolves{customer}, "a channel": make(chan string), "a function": func() string { return canary },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			book := &logbook{}
			logger := slog.New(NewLogHandler(slog.NewJSONHandler(book, nil)))
			logger.Info("said", "value", value)
			logger.With("value", value).Info("said")
			logger.WithGroup("group").Info("said", "value", value)
			logger.Info("said", slog.Group("group", "value", value))
			if text := book.String(); strings.Contains(text, canary) || strings.Count(text, "\n") != 4 {
				t.Errorf("the log says\n%s", text)
			}
		})
	}
}

// jsonText is a text that would be written as it is.
type jsonText []byte

func (j jsonText) MarshalJSON() ([]byte, error) { return []byte(`"` + string(j) + `"`), nil }

// resolves is logged as something else.
type resolves struct{ what any }

// LogValue implements slog.LogValuer.
func (r resolves) LogValue() slog.Value { return slog.AnyValue(r.what) }

func TestPlainValuesAreLogged(t *testing.T) {
	t.Parallel()
	book := &logbook{}
	logger := slog.New(NewLogHandler(slog.NewJSONHandler(book, nil)))
	logger.Info("said", "id", lending.CustomerID("c-1"), "n", 3, "took", 2*time.Second, "error", errors.New("broken"), "nothing", nil,
		"list", []lending.Provider{lending.Carbon}, "nil error", (*lending.Error)(nil), "flag", true, "ratio", float32(0.5), "small", uint8(7),
		"at", time.Unix(0, 0).UTC(), "word", weekday(2), "numbers", []int{1, 2})
	line := book.lines(t, "said")[0]
	for key, want := range map[string]any{
		"id": "c-1", "n": 3.0, "took": 2e9, "error": "broken", "nothing": nil, "list": []any{"CARBON"}, "nil error": "<nil>", "flag": true,
		"ratio": 0.5, "small": 7.0, "at": "1970-01-01T00:00:00Z", "word": "Tuesday", "numbers": []any{"1", "2"},
	} {
		if fmt.Sprint(line[key]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
}

type weekday int

func (w weekday) String() string { return time.Weekday(w).String() }

// TestEveryLineOfARequestNamesItAndItsTrace checks lines with and without a collector.
func TestEveryLineOfARequestNamesItAndItsTrace(t *testing.T) {
	t.Parallel()
	for name, endpoint := range map[string]string{"with a collector": "http://collector.invalid", "without one": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := traced(t, func(c *Config) { c.Tracing.Endpoint = endpoint })
			ctx, ended := b.Request(WithRequestID(t.Context(), "r-1"), "POST", "/graphql", callersHeader())
			b.Telemetry.log.InfoContext(ctx, "said")
			b.Telemetry.log.InfoContext(ctx, "said", "requestId", "r-1")
			b.Telemetry.log.InfoContext(t.Context(), "said outside")
			ended(200, false)
			for _, line := range b.log.lines(t, "said") {
				if line["requestId"] != "r-1" || line["traceId"] != callersTrace {
					t.Errorf("a line says %v", line)
				}
			}
			if strings.Count(b.log.String(), "requestId") != 2 {
				t.Errorf("the request is not named once a line:\n%s", b.log.String())
			}
			if outside := b.log.lines(t, "said outside")[0]; outside["requestId"] != nil || outside["traceId"] != nil {
				t.Errorf("a line of no request says %v", outside)
			}
		})
	}
}

func TestAHandlerIsWrappedOnce(t *testing.T) {
	t.Parallel()
	once := NewLogHandler(slog.DiscardHandler)
	if twice := NewLogHandler(once); twice != once {
		t.Error("lines would be redacted twice")
	}
}

// TestForeignLinesLoseTheirValues writes as libraries do.
func TestForeignLinesLoseTheirValues(t *testing.T) {
	t.Parallel()
	book := &logbook{}
	foreign := log.New(ForeignLines(slog.New(slog.NewJSONHandler(book, nil))), "", 0)
	foreign.Printf(`http: cannot read "canary one" of user=canary, mail canary@example.com, phone +2348031234567, code 1234%s`, strings.Repeat(" long", 200))
	line := book.lines(t, "a library says")[0]["line"].(string)
	if strings.Contains(line, canary) || strings.Contains(line, "803") || len(line) > maxForeignLine+20 {
		t.Errorf("it says %q", line)
	}
	if !strings.Contains(line, "http: cannot read") || !strings.Contains(line, "code 1234") {
		t.Errorf("nothing is left of it: %q", line)
	}
}
