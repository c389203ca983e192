package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"

	"go.opentelemetry.io/otel/trace"
)

// The attributes by which lines are joined with requests and traces.
const (
	requestIDAttr = "requestId"
	traceIDAttr   = "traceId"
)

// logHandler gives every line its request and its trace, and lets no structure through: what a line holds are plain
// values, the texts of errors, and what a type says of itself by LogValue. Of all else it names the type alone. So that
// nothing personal gets into the log depends on no pattern and on nobody's thinking of it.
type logHandler struct{ next slog.Handler }

// NewLogHandler makes a handler that hands redacted lines to another one. One that does so already stays as it is.
func NewLogHandler(next slog.Handler) slog.Handler {
	if _, ok := next.(logHandler); ok {
		return next
	}
	return logHandler{next}
}

// Enabled implements slog.Handler.
func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	named := false
	r.Attrs(func(a slog.Attr) bool {
		named = named || a.Key == requestIDAttr
		out.AddAttrs(redacted(a))
		return true
	})
	if id := RequestID(ctx); id != "" && !named {
		out.AddAttrs(slog.String(requestIDAttr, id))
	}
	if at := trace.SpanContextFromContext(ctx); at.HasTraceID() {
		out.AddAttrs(slog.String(traceIDAttr, at.TraceID().String()))
	}
	return h.next.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = redacted(a)
	}
	return logHandler{h.next.WithAttrs(clean)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.next.WithGroup(name)} }

// redacted is an attribute as it may be logged.
func redacted(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindGroup:
		group := a.Value.Group()
		clean := make([]slog.Attr, len(group))
		for i, each := range group {
			clean[i] = redacted(each)
		}
		a.Value = slog.GroupValue(clean...)
	case slog.KindAny:
		a.Value = plain(a.Value.Any())
	}
	return a
}

// plain is a value of any type as it may be logged.
func plain(value any) slog.Value {
	switch it := value.(type) {
	case nil:
		return slog.AnyValue(nil)
	case error:
		if v := reflect.ValueOf(it); v.Kind() == reflect.Pointer && v.IsNil() {
			return slog.StringValue("<nil>")
		}
		return slog.StringValue(it.Error())
	}
	v := reflect.ValueOf(value)
	if said, ok := value.(fmt.Stringer); ok && isPlain(v.Kind()) {
		return slog.StringValue(said.String())
	}
	switch v.Kind() {
	case reflect.String:
		return slog.StringValue(v.String())
	case reflect.Bool:
		return slog.BoolValue(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return slog.Int64Value(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return slog.Uint64Value(v.Uint())
	case reflect.Float32, reflect.Float64:
		return slog.Float64Value(v.Float())
	case reflect.Slice, reflect.Array:
		return plainList(v)
	}
	return slog.StringValue("[" + v.Type().String() + "]")
}

// plainList is a list of plain values; of others it tells how many there are.
func plainList(v reflect.Value) slog.Value {
	if element := v.Type().Elem(); !isPlain(element.Kind()) || element.Kind() == reflect.Uint8 {
		return slog.StringValue(fmt.Sprintf("[%d of %s]", v.Len(), element))
	}
	words := make([]string, v.Len())
	for i := range words {
		element := slog.AnyValue(v.Index(i).Interface()).Resolve() // a secret is one within a list too
		if element.Kind() == slog.KindAny {
			element = plain(element.Any())
		}
		words[i] = element.String()
	}
	return slog.AnyValue(words)
}

// isPlain reports whether values of a kind are one word or number.
func isPlain(kind reflect.Kind) bool {
	switch kind {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

// maxForeignLine is how much of a foreign line is kept, in bytes.
const maxForeignLine = 300

// foreignValues are the parts of foreign lines that may be values: what is quoted, addresses, and long numbers.
var foreignValues = regexp.MustCompile(`"[^"]*"|'[^']*'|\S*[@=]\S*|\d{5,}`)

// ForeignLines takes what libraries write by Go's package log, and logs each line as a warning. Such a line is text and has
// no types: it is cut short, and what may be a value in it is left out.
func ForeignLines(logger *slog.Logger) interface{ Write(p []byte) (int, error) } {
	return foreignLines{logger}
}

type foreignLines struct{ log *slog.Logger }

// Write implements io.Writer. It is given whole lines.
func (f foreignLines) Write(p []byte) (int, error) {
	line := bytes.TrimSpace(p)
	if len(line) > maxForeignLine {
		line = line[:maxForeignLine]
	}
	f.log.Warn("a library says", "line", string(foreignValues.ReplaceAll(bytes.ToValidUTF8(line, nil), []byte("…"))))
	return len(p), nil
}
