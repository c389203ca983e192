package service_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// auditLog is a store of audit records that can be made to fail.
type auditLog struct {
	mu      sync.Mutex
	batches [][]*lending.AuditRecord
	down    bool
}

func (l *auditLog) AppendAudit(_ context.Context, records ...*lending.AuditRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return errors.New("no database")
	}
	l.batches = append(l.batches, records)
	return nil
}

func (l *auditLog) ListAudit(context.Context, lending.AuditFilter, lending.PageRequest) (lending.Page[*lending.AuditRecord], error) {
	return lending.Page[*lending.AuditRecord]{}, nil
}

func (l *auditLog) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

// sizes are how many records each batch had.
func (l *auditLog) sizes() (sizes []int, records int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, batch := range l.batches {
		sizes = append(sizes, len(batch))
		records += len(batch)
	}
	return sizes, records
}

// auditing runs a test with an auditor, in a bubble.
func auditing(t *testing.T, run func(t *testing.T, a *service.Auditor, l *auditLog)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &auditLog{}
		a := service.NewAuditor(l, time.Now, slog.New(slog.DiscardHandler))
		run(t, a, l)
		l.set(false)
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func put(t *testing.T, a *service.Auditor, records ...*lending.AuditRecord) {
	t.Helper()
	give, err := a.Reserve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	give(records...)
}

func TestAuditRecordsAreWrittenTogether(t *testing.T) {
	auditing(t, func(t *testing.T, a *service.Auditor, l *auditLog) {
		a.Start()
		a.Start() // once is enough
		for range 30 {
			put(t, a, &lending.AuditRecord{ClientID: "web\x00" + strings.Repeat("é", 200)})
		}
		put(t, a) // nothing to write
		time.Sleep(time.Second)
		sizes, _ := l.sizes()
		if len(sizes) != 1 || sizes[0] != 30 {
			t.Fatalf("the batches are %v", sizes)
		}
		first, second := l.batches[0][0], l.batches[0][1]
		if first.ID == second.ID || first.At.IsZero() || len(first.ClientID) > 200 || strings.Contains(first.ClientID, "\x00") {
			t.Errorf("a record is %+v", first)
		}
	})
}

func TestNoAuditRecordIsLostWhenTheServiceStops(t *testing.T) {
	auditing(t, func(t *testing.T, a *service.Auditor, l *auditLog) {
		late, err := a.Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 700 {
			put(t, a, &lending.AuditRecord{})
		}
		ended := make(chan error, 1)
		go func() { ended <- a.Stop(t.Context()) }()
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("it stopped while an answer was still under way")
		default:
		}
		if _, err := a.Reserve(t.Context()); lending.KindOf(err) != lending.KindUnavailable {
			t.Errorf("while it stops it takes more: %v", err)
		}
		late(&lending.AuditRecord{})
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if _, records := l.sizes(); records != 701 {
			t.Errorf("%d of 701 records were written", records)
		}
	})
}

func TestAuditRecordsWaitForTheDatabase(t *testing.T) {
	auditing(t, func(t *testing.T, a *service.Auditor, l *auditLog) {
		a.Start()
		l.set(true)
		put(t, a, &lending.AuditRecord{})
		time.Sleep(time.Minute)
		l.set(false)
		time.Sleep(2 * time.Second)
		if _, records := l.sizes(); records != 1 {
			t.Errorf("%d records were written", records)
		}
	})
}

func TestAnswersWaitForRoomForTheirAuditRecords(t *testing.T) {
	auditing(t, func(t *testing.T, a *service.Auditor, l *auditLog) {
		a.Start()
		l.set(true)
		for range 2000 {
			put(t, a, &lending.AuditRecord{})
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Reserve(short); lending.KindOf(err) != lending.KindUnavailable {
			t.Fatalf("there is no room, and it answered %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			l.set(false)
		}()
		put(t, a, &lending.AuditRecord{})
		time.Sleep(time.Second)
		if _, records := l.sizes(); records != 2001 {
			t.Errorf("%d of 2001 records were written", records)
		}
	})
}

func TestGivingUpOnAuditRecordsIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &auditLog{down: true}
		a := service.NewAuditor(l, time.Now, slog.New(slog.DiscardHandler))
		put(t, a, &lending.AuditRecord{})
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := a.Stop(short); err == nil || !strings.Contains(err.Error(), "not written: 1") {
			t.Errorf("it stopped with %v", err)
		}
		if err := a.Stop(short); err == nil {
			t.Error("a second time it stopped well")
		}
	})
}
