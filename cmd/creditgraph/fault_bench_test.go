package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
	twinkredete "github.com/creditgraph/creditgraph/internal/sandbox/kredete"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
	"github.com/creditgraph/creditgraph/internal/service"
)

// faultBench is Kredete's driver, guarded as the program guards it, before a twin that it reaches without a network.
// It is for bubbles of testing/synctest, in which an outage of a minute is over at once.
type faultBench struct {
	kredete *provider.Provider
	wire    *faultWire
	heard   *faultEvents
	world   *world.World
}

// newFaultBench makes one with the settings as they come, but for what the test changes.
func newFaultBench(t *testing.T, plan string, change func(*config.Config)) *faultBench {
	t.Helper()
	settings, err := testSettings(t.TempDir(), setup{adjust: change})
	if err != nil {
		t.Fatal(err)
	}
	people := world.NewAt(1, 10, time.Now())
	twin := twinkredete.New(twinkredete.Options{World: people, Plan: plan, Clients: []twinkredete.Client{{ID: "client", Secret: "secret"}}})
	b := &faultBench{wire: &faultWire{twin: twin.Handler(), answers: map[int]int{}}, heard: &faultEvents{refused: map[string]int{}}, world: people}
	t.Cleanup(twin.Stop)
	driver, err := kredete.New(kredete.Config{
		BaseURL: "http://kredete.test/v2", ClientID: "client", ClientSecret: "secret", Scopes: strings.Join(twinkredete.Scopes(), " "),
		AmountUnit: "major", ScoreScale: "300:850", WebhookSecret: "secret",
	}, kredete.Deps{Transport: b.wire})
	if err != nil {
		t.Fatal(err)
	}
	guards, err := newGuards(&settings, nil, []byte("secret"), b.heard, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.kredete = guards.Around(provider.Observe(driver, limits(&settings), service.NewHealth(time.Now)))
	return b
}

// read is one request's read: it waits no longer than requests do.
func (b *faultBench) read() error {
	ctx, cancel := context.WithTimeout(provider.WithBudget(context.Background(), 2*time.Second), 2*time.Second)
	defer cancel()
	_, err := b.kredete.Profiles.Profile(ctx, b.world.Person(0).KredeteID)
	return err
}

// write orders a score, which changes no money.
func (b *faultBench) write() error {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	_, err := b.kredete.Scores.RequestScore(ctx, provider.ScoreRequest{CustomerExternalID: b.world.Person(0).KredeteID})
	return err
}

// faultWire carries requests to a twin in the same process, in 20 ms, and fails as it is told.
type faultWire struct {
	twin http.Handler

	mu      sync.Mutex
	mishap  string // "refused", "503", "hang"; "" for none
	calls   int
	answers map[int]int // by status
}

func (w *faultWire) set(mishap string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mishap = mishap
}

// count is how many requests were made so far, those for tokens too, and how many of them were told to slow down.
func (w *faultWire) count() (calls, slowedDown int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls, w.answers[http.StatusTooManyRequests]
}

// RoundTrip tells the request's trace what a real transport would, as the outcome is judged by it.
func (w *faultWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.calls++
	mishap := w.mishap
	w.mu.Unlock()
	trace := httptrace.ContextClientTrace(r.Context())
	trace.GetConn("kredete.test:80")
	if mishap == "refused" {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	trace.WroteHeaderField("Host", nil)
	took := time.After(20 * time.Millisecond)
	if mishap == "hang" {
		took = nil
	}
	select {
	case <-took:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	answer := httptest.NewRecorder()
	if mishap == "503" {
		answer.WriteHeader(http.StatusServiceUnavailable)
	} else {
		w.twin.ServeHTTP(answer, asServed(r))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[answer.Code]++
	return answer.Result(), nil
}

// asServed is a client's request as a server has it.
func asServed(r *http.Request) *http.Request {
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	if served.Body == nil {
		served.Body = http.NoBody
	}
	return served
}

// faultEvents keeps what guards tell.
type faultEvents struct {
	mu      sync.Mutex
	retried int
	refused map[string]int
	opened  func() // told when a circuit of reads opens for the first time
}

func (e *faultEvents) Retried(provider.Call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.retried++
}

func (e *faultEvents) Refused(_ provider.Call, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused[reason]++
}

func (e *faultEvents) CircuitChanged(_ lending.Provider, class provider.Class, state provider.CircuitState) {
	e.mu.Lock()
	opened := e.opened
	if class != provider.Read || state != provider.CircuitOpen {
		opened = nil
	} else {
		e.opened = nil
	}
	e.mu.Unlock()
	if opened != nil {
		opened()
	}
}

// load makes calls at a rate for a span, each on its own, and waits for all of them.
func load(span, every time.Duration, call func()) (offered int) {
	var all sync.WaitGroup
	for end := time.Now().Add(span); time.Now().Before(end); offered++ {
		all.Go(call)
		time.Sleep(every) // in a bubble: this is the rate, not a wait
	}
	all.Wait()
	return offered
}

// footprint is what a process holds on to.
type footprint struct {
	goroutines, files int
	heap              uint64
}

func takeFootprint(t *testing.T) footprint {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	f := footprint{goroutines: runtime.NumGoroutine(), heap: memory.HeapAlloc}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		f.files = len(open)
	}
	return f
}

// restored waits until the process holds no more than before, but for connections that providers' pools keep open.
func (f footprint) restored(t *testing.T, pooled int) {
	t.Helper()
	var now footprint
	eventually(t, "goroutines, files and memory are back to what they were", func() bool {
		now = takeFootprint(t)
		// An idle connection is two goroutines here and one in the twin, and a file on either side.
		return now.goroutines <= f.goroutines+3*pooled+5 && now.files <= f.files+2*pooled+5 && now.heap <= f.heap+24<<20
	})
	t.Logf("before: %d goroutines, %d files, heap %d KiB; after: %d, %d, %d KiB", f.goroutines, f.files, f.heap>>10, now.goroutines, now.files, now.heap>>10)
}
