package service_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// aged appends events that were received so long ago.
func (b *bench) aged(ages ...time.Duration) {
	b.Helper()
	var events []*lending.Event
	for _, age := range ages {
		events = append(events, &lending.Event{
			ID: lending.EventID(fmt.Sprintf("e%d", b.ids.Add(1))), Type: lending.EventLoanCreated, ReceivedAt: time.Now().Add(-age),
		})
	}
	b.must(b.store.AppendEvents(b.ctx, events...))
}

// logBegins checks which event is the oldest that is kept.
func (b *bench) logBegins(want lending.EventID) {
	b.Helper()
	page, err := b.store.ListEvents(b.ctx, lending.EventFilter{}, lending.PageRequest{First: 1})
	b.must(err)
	if events := nodes(page); len(events) != 1 {
		b.Errorf("the log is empty, want it to begin with %s", want)
	} else if events[0].ID != want {
		b.Errorf("the log begins with %s, want %s", events[0].ID, want)
	}
}

func TestEventsAreKeptAsLongAsTheRetentionSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, func(c *service.Config) { c.Settings.EventRetention = 24 * time.Hour })
		b.aged(25*time.Hour, 24*time.Hour+time.Minute, 23*time.Hour+30*time.Minute, 22*time.Hour+30*time.Minute)
		b.service.Start()
		defer func() { b.must(b.service.Stop(b.ctx)) }()
		synctest.Wait()
		b.logBegins("e3")
		time.Sleep(time.Hour)
		synctest.Wait()
		b.logBegins("e4")
	})
}

func TestEventsAreKeptForNinetyDaysByDefault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t)
		b.aged(90*24*time.Hour+time.Minute, 90*24*time.Hour-time.Minute)
		b.service.Start()
		defer func() { b.must(b.service.Stop(b.ctx)) }()
		synctest.Wait()
		b.logBegins("e2")
	})
}

func TestAnOldLogIsDeletedInOneGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t)
		const old = 1203 // more than two batches
		ages := make([]time.Duration, old+1)
		for i := range old {
			ages[i] = 100 * 24 * time.Hour
		}
		b.aged(ages...)
		b.service.Start()
		defer func() { b.must(b.service.Stop(b.ctx)) }()
		synctest.Wait()
		b.logBegins(lending.EventID(fmt.Sprintf("e%d", old+1)))
	})
}
