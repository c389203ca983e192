package server

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Patience is how long the server waits for what clients send.
type Patience struct {
	Headers time.Duration // for the head of a request
	Body    time.Duration // for a body
	Upload  time.Duration // for a body with files
	Idle    time.Duration // for the next request on a connection
}

// DefaultPatience is that of a server on the public internet.
func DefaultPatience() Patience {
	return Patience{Headers: 10 * time.Second, Body: 10 * time.Second, Upload: 2 * time.Minute, Idle: 2 * time.Minute}
}

// maxHeaderBytes bounds the head of a request. A query in the address is part of it.
const maxHeaderBytes = 32 << 10

// HTTP is the HTTP server for a handler. It has no time limit for answers: streams have none, and cut by themselves
// those who do not read.
func (p Patience) HTTP(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: p.Headers, IdleTimeout: p.Idle, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// waited has every body arrive in time, whoever reads it.
func (p Patience) waited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = patient(w, r.Body, p.Body)
		}
		next.ServeHTTP(w, r)
	})
}

// patientBody is a body that has to be there by some time. The limit ends with the body: what follows it on the
// connection, such as the end of a stream, has all the time.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// patient gives a body until so long from now.
func patient(w http.ResponseWriter, body io.ReadCloser, patience time.Duration) io.ReadCloser {
	b := &patientBody{body, http.NewResponseController(w)}
	b.until(time.Now().Add(patience))
	return b
}

// until sets the limit. A connection without one is in a test's memory, or over already: then reading fails.
func (b *patientBody) until(end time.Time) { _ = b.control.SetReadDeadline(end) }

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.until(time.Time{})
	}
	return n, err
}

// readBytes is a body that was read before.
func readBytes(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
