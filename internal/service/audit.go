package service

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// AuditStore keeps audit records. Nothing here deletes them.
type AuditStore interface {
	// AppendAudit adds records, all or none. One whose id is there already is left as it is, so that a batch
	// whose commit nobody heard of can be sent again.
	AppendAudit(ctx context.Context, records ...*lending.AuditRecord) error
	// ListAudit lists newest first.
	ListAudit(ctx context.Context, filter lending.AuditFilter, page lending.PageRequest) (lending.Page[*lending.AuditRecord], error)
}

const (
	// auditPlaces is how many answers may wait for their records to be written.
	auditPlaces = 2000
	// auditBatch is how many records are written in one statement, or a few more.
	auditBatch = 500
	// auditLinger is how long the first record of a batch waits for others.
	auditLinger = 100 * time.Millisecond
	// auditRetry is how long a batch waits that could not be written.
	auditRetry = time.Second
	// maxAuditText bounds a client's name: it may come from another's identity provider.
	maxAuditText = 200
)

// Auditor writes audit records in batches, behind the answers that they are about. An answer waits where too
// many records are not yet written, and no record is dropped but by a process that is killed.
type Auditor struct {
	store AuditStore
	now   func() time.Time
	log   *slog.Logger

	places  chan struct{} // holds one value for each answer whose records are not written
	wake    chan struct{}
	mu      sync.Mutex
	waiting [][]*lending.AuditRecord

	started, stopped sync.Once
	closing          chan struct{} // closed when no more answers are let in
	ended            chan struct{}
	writing          context.Context
	giveUp           context.CancelFunc
}

// NewAuditor makes an auditor. Nothing is written before [Auditor.Start].
func NewAuditor(store AuditStore, clock func() time.Time, logger *slog.Logger) *Auditor {
	a := &Auditor{
		store: store, now: clock, log: logger, places: make(chan struct{}, auditPlaces), wake: make(chan struct{}, 1),
		closing: make(chan struct{}), ended: make(chan struct{}),
	}
	a.writing, a.giveUp = context.WithCancel(context.Background())
	return a
}

// Start begins to write. It is safe to call twice.
func (a *Auditor) Start() { a.started.Do(func() { go a.run() }) }

// Stop takes no more, and returns when all is written. Where ctx ends before, the error says how many answers
// are without their records. It is safe to call twice.
func (a *Auditor) Stop(ctx context.Context) error {
	a.Start()
	a.stopped.Do(func() { close(a.closing) })
	select {
	case <-a.ended:
	case <-ctx.Done():
		a.giveUp()
		<-a.ended
	}
	a.giveUp()
	if lost := len(a.places); lost > 0 {
		return fmt.Errorf("answers whose audit records were not written: %d: %w", lost, ctx.Err())
	}
	return nil
}

// Reserve makes room for the records of one answer before there are any, and waits where there is none.
// UNAVAILABLE when ctx ends first: then nothing may be done or shown. What it gives has to be called once,
// with the records that there are; it does not wait.
func (a *Auditor) Reserve(ctx context.Context) (put func(...*lending.AuditRecord), err error) {
	select {
	case <-a.closing:
		return nil, unaudited(nil)
	default:
	}
	select {
	case a.places <- struct{}{}:
		return a.put, nil
	case <-ctx.Done():
		return nil, unaudited(ctx.Err())
	case <-a.closing:
		return nil, unaudited(nil)
	}
}

func unaudited(cause error) error {
	return &lending.Error{
		Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true, Err: cause,
		Message: "What has to be written down of this request cannot be at the moment. Try again later.",
	}
}

func (a *Auditor) put(records ...*lending.AuditRecord) {
	if len(records) == 0 {
		<-a.places
		a.hint()
		return
	}
	now := a.now().UTC().Truncate(time.Microsecond)
	for _, record := range records {
		record.ID, record.At, record.ClientID = newID[string](), now, storable(record.ClientID)
	}
	a.mu.Lock()
	a.waiting = append(a.waiting, records)
	a.mu.Unlock()
	a.hint()
}

func (a *Auditor) hint() {
	select {
	case a.wake <- struct{}{}:
	default: // one is enough
	}
}

// storable is a text as far as every database takes it: one that it refused would hold up all others.
func storable(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
	if len(text) > maxAuditText {
		text = strings.ToValidUTF8(text[:maxAuditText], "")
	}
	return text
}

// run writes until the auditor is stopped and nobody holds a place any more.
func (a *Auditor) run() {
	defer close(a.ended)
	for a.writing.Err() == nil {
		records, answers := a.take()
		if answers > 0 {
			if a.write(records) {
				for range answers {
					<-a.places
				}
			}
			continue
		}
		if !a.await() {
			return
		}
	}
}

// await returns when there may be something to write; false when there never will be.
func (a *Auditor) await() bool {
	select {
	case <-a.closing:
		if len(a.places) == 0 {
			return false
		}
		select {
		case <-a.wake:
		case <-a.writing.Done():
		}
		return true
	default:
	}
	select {
	case <-a.closing:
	case <-a.wake:
		a.pause(auditLinger)
	}
	return true
}

// pause waits, unless the auditor is being stopped.
func (a *Auditor) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.closing:
	}
}

// take gives the records of the answers that have waited longest.
func (a *Auditor) take() (records []*lending.AuditRecord, answers int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for answers < len(a.waiting) && len(records) < auditBatch {
		records = append(records, a.waiting[answers]...)
		answers++
	}
	a.waiting = a.waiting[answers:]
	return records, answers
}

// write writes a batch, however often it takes; false when it was given up.
func (a *Auditor) write(records []*lending.AuditRecord) bool {
	for {
		err := a.store.AppendAudit(a.writing, records...)
		if err == nil {
			return true
		}
		if a.writing.Err() != nil {
			a.log.Error("audit records were lost", "records", len(records))
			return false
		}
		a.log.Warn("audit records cannot be written and wait", "records", len(records), "error", lending.AsError(err).Detail())
		timer := time.NewTimer(auditRetry)
		select {
		case <-timer.C:
		case <-a.writing.Done():
		}
		timer.Stop()
	}
}
