package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/service"
)

// unsealed is a store in which a replica of an earlier version writes.
type unsealed struct {
	service.Store
	customers int
	err       error
}

// SealRecords implements service.RecordSealer.
func (u *unsealed) SealRecords(context.Context) (sealed int, err error) {
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
		if records.customers != 0 || strings.Count(b.log.String(), "customers=3") != 1 {
			t.Errorf("at the start %d are left; the log tells:\n%s", records.customers, b.log)
		}
		records.customers, records.err = 2, errors.New("the database is away")
		time.Sleep(time.Minute)
		synctest.Wait()
		if records.customers != 0 || !strings.Contains(b.log.String(), "customers=2") || !strings.Contains(b.log.String(), "seal records") {
			t.Errorf("after a minute %d are left; the log tells:\n%s", records.customers, b.log)
		}
		records.customers, records.err = 1, nil
		time.Sleep(time.Minute)
		synctest.Wait()
		if records.customers != 0 {
			t.Error("after an error nothing is sealed any more")
		}
	})
}
