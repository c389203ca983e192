package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

const (
	// sampleEvery is how often what waits is looked at.
	sampleEvery = 15 * time.Second
	// sampleDeadline bounds one look.
	sampleDeadline = 5 * time.Second
	// inboxLate is how long a webhook may wait its turn.
	inboxLate = 2 * time.Minute
	// lateSamples is how many looks in a row have to find this replica behind the log: news may come during any one.
	lateSamples = 2
)

// Watched is what a [Watch] looks at.
type Watched struct {
	Backlog service.BacklogReader
	// Seen is the newest event that this replica's subscribers were offered; below 0 while that is not known.
	Seen func() int64
	// Outage is why a provider counts as down; nil when it does not.
	Outage    func(lending.Provider) *lending.Error
	Providers []lending.Provider // the configured ones
	// UnknownAfter is how old an action of unknown outcome may be before somebody has to look.
	UnknownAfter time.Duration
	Clock        func() time.Time // for ages
}

// Watch looks at what waits, every some seconds, and tells a telemetry. A scrape asks nobody: it finds what the last
// look saw, whatever the database does.
type Watch struct {
	watched   Watched
	telemetry *Telemetry
	behind    int // looks in a row that found us behind the log
	stop      context.CancelFunc
	ended     chan struct{}
	starting  sync.Once
}

// NewWatch makes a watch. It has to be started.
func (t *Telemetry) NewWatch(w Watched) *Watch {
	for _, name := range w.Providers {
		t.metrics.up.WithLabelValues(string(name)).Set(1)
		t.metrics.exhausted.WithLabelValues(string(name)).Set(0)
	}
	return &Watch{watched: w, telemetry: t}
}

// Start begins to look. Calling it again does nothing.
func (w *Watch) Start() {
	w.starting.Do(func() {
		ctx, stop := context.WithCancel(context.Background())
		w.stop, w.ended = stop, make(chan struct{})
		go func() {
			defer close(w.ended)
			w.run(ctx)
		}()
	})
}

// Stop ends it. It is safe to call twice, and without a start.
func (w *Watch) Stop() {
	if w.stop != nil {
		w.stop()
		<-w.ended
	}
}

func (w *Watch) run(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look is one look at everything.
func (w *Watch) look(ctx context.Context) {
	for _, name := range w.watched.Providers {
		outage := w.watched.Outage(name)
		w.telemetry.metrics.up.WithLabelValues(string(name)).Set(number(outage == nil))
		w.telemetry.conditions.set(ProviderDown, string(name), outage != nil, string(lending.KindOf(nilable(outage))))
	}
	asking, cancel := context.WithTimeout(ctx, sampleDeadline)
	defer cancel()
	backlog, err := w.watched.Backlog.Backlog(asking)
	if ctx.Err() != nil {
		return
	}
	w.telemetry.metrics.storeUp.WithLabelValues().Set(number(err == nil))
	w.telemetry.conditions.set(StoreUnavailable, "", err != nil, string(lending.KindOf(err)))
	if err != nil {
		return // what was seen last stays, with its time
	}
	now := w.watched.Clock()
	w.telemetry.metrics.sampled.WithLabelValues().Set(float64(now.Unix()))
	w.tellOperations(backlog, now)
	w.tellInbox(backlog, now)
	w.tellEvents(backlog)
}

func nilable(e *lending.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func (w *Watch) tellOperations(b service.Backlog, now time.Time) {
	m := w.telemetry.metrics
	for _, status := range []lending.OperationStatus{
		lending.OpInProgress, lending.OpAwaitingOTP, lending.OpAwaitingInfo, lending.OpAwaitingProvider, lending.OpOutcomeUnknown,
	} {
		waiting := b.Operations[status]
		m.open.WithLabelValues(string(status)).Set(float64(waiting.Count))
		m.openAge.WithLabelValues(string(status)).Set(waiting.Age(now).Seconds())
	}
	unknown := b.Operations[lending.OpOutcomeUnknown]
	age := unknown.Age(now)
	w.telemetry.conditions.set(OutcomeUnknownOld, "", unknown.Count > 0 && age > w.watched.UnknownAfter,
		fmt.Sprintf("%d unknown, the oldest for %s", unknown.Count, age.Round(time.Second)))
}

func (w *Watch) tellInbox(b service.Backlog, now time.Time) {
	m := w.telemetry.metrics
	for _, state := range []service.DeliveryState{service.DeliveryReceived, service.DeliveryHeld, service.DeliverySetAside} {
		waiting := b.Deliveries[state]
		m.deliveries.WithLabelValues(string(state)).Set(float64(waiting.Count))
		m.deliveryAge.WithLabelValues(string(state)).Set(waiting.Age(now).Seconds())
	}
	received, aside := b.Deliveries[service.DeliveryReceived], b.Deliveries[service.DeliverySetAside]
	w.telemetry.conditions.set(InboxBacklog, "", received.Age(now) > inboxLate,
		fmt.Sprintf("%d wait, the oldest for %s", received.Count, received.Age(now).Round(time.Second)))
	w.telemetry.conditions.set(WebhookSetAside, "", aside.Count > 0, fmt.Sprint(aside.Count))
}

func (w *Watch) tellEvents(b service.Backlog) {
	w.telemetry.metrics.lastEvent.WithLabelValues().Set(float64(b.LastSequence))
	seen := w.watched.Seen()
	lag := max(b.LastSequence-seen, 0)
	if seen < 0 { // the end of the log was never found
		lag = b.LastSequence
	}
	w.telemetry.metrics.eventLag.WithLabelValues().Set(float64(lag))
	w.behind++
	if lag == 0 {
		w.behind = 0
	}
	w.telemetry.conditions.set(EventLag, "", w.behind >= lateSamples, fmt.Sprintf("%d events", lag))
}
