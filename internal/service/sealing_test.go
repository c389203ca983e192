package service_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/service"
)

// unsealed is a store in which a replica of an earlier version writes.
type unsealed struct {
	service.Store
	mu        sync.Mutex
	customers int
	err       error
}

// write has an earlier version write of so many customers; sealing them fails with err.
func (u *unsealed) write(customers int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.customers, u.err = customers, err
}

// left are those that were not sealed.
func (u *unsealed) left() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.customers
}

// SealRecords implements service.RecordSealer.
func (u *unsealed) SealRecords(context.Context) (sealed int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	sealed, u.customers = u.customers, 0
	return sealed, u.err
}

func TestRecordsAreSealedWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := &unsealed{customers: 3}
		b := inBubble(t, func(c *service.Config) { records.Store, c.Store = c.Store, records })
		b.service.Start()
		defer func() { b.must(b.service.Stop(b.ctx)) }()
		synctest.Wait()
		if records.left() != 0 || strings.Count(b.log.String(), "customers=3") != 1 {
			t.Errorf("at the start %d are left; the log tells:\n%s", records.left(), b.log)
		}
		records.write(2, errors.New("the database is away"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if records.left() != 0 || !strings.Contains(b.log.String(), "customers=2") || !strings.Contains(b.log.String(), "seal records") {
			t.Errorf("after a minute %d are left; the log tells:\n%s", records.left(), b.log)
		}
		records.write(1, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if records.left() != 0 {
			t.Error("after an error nothing is sealed any more")
		}
	})
}
