package restclient

import (
	"log/slog"
	"net/http"
	"time"
)

// Defaults fills in what a driver was not given: a transport of [NewTransport]'s kind, the real time, and a
// log that keeps nothing. A driver with several clients shares the transport between them.
func Defaults(transport *http.RoundTripper, clock *func() time.Time, log **slog.Logger) {
	if *transport == nil {
		*transport = NewTransport()
	}
	if *clock == nil {
		*clock = time.Now
	}
	if *log == nil {
		*log = slog.New(slog.DiscardHandler)
	}
}
