package service_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// lists makes Kredete list a number of customers.
func (b *bench) lists(total int) {
	b.kredete.listProfiles = func(q provider.ProfileQuery) (provider.ProfilePage, error) {
		page := provider.ProfilePage{Total: total}
		for i := (q.Page - 1) * q.Limit; i < min(q.Page*q.Limit, total); i++ {
			page.Profiles = append(page.Profiles, lending.Profile{
				ExternalID: fmt.Sprint("cust_", i), FirstName: "Ada", LastName: fmt.Sprint(i), Status: lending.CustomerActive, CreatedAt: today(),
			})
		}
		page.HasMore = q.Page*q.Limit < total
		return page, nil
	}
}

func (b *bench) count() int {
	b.Helper()
	n, err := b.store.CountCustomers(b.ctx, lending.CustomerFilter{})
	b.must(err)
	return n
}

func TestAnImportReadsAllPagesAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	known := b.customer("KREDETE", "cust_7")
	b.lists(250)
	var progress []int
	added, err := b.service.ImportCustomers(b.ctx, lending.Kredete, func(read, total int) { progress = append(progress, read, total) })
	b.must(err)
	same(b, progress, []int{100, 250, 200, 250, 250, 250})
	if added != 249 || b.count() != 250 {
		t.Errorf("%d are new, %d there are", added, b.count())
	}
	found, err := b.store.Customers(b.ctx, []lending.CustomerID{known})
	b.must(err)
	if c := found[known]; c.LastName != "7" || c.Email != "ada@example.com" {
		t.Errorf("who was known is %s <%s>", c.LastName, c.Email)
	}
	if added, err := b.service.ImportCustomers(b.ctx, lending.Kredete, nil); err != nil || added != 0 || b.count() != 250 {
		t.Errorf("again: %d are new, %d there are: %v", added, b.count(), err)
	}
}

func TestAnImportIsPatient(t *testing.T) {
	t.Parallel()
	limited := &lending.Error{Kind: lending.KindRateLimited, Outcome: lending.NotExecuted, Retryable: true, RetryAfter: 40 * time.Second}
	for name, test := range map[string]struct {
		failures []*lending.Error
		took     time.Duration
		fails    lending.ErrorKind
	}{
		"nothing is in the way":          {nil, 0, ""},
		"the provider names a time":      {[]*lending.Error{limited, limited, limited}, 2 * time.Minute, ""},
		"it cannot be reached for a bit": {[]*lending.Error{errRefused, errRefused}, 600 * time.Millisecond, ""},
		"it cannot be reached at all": {
			[]*lending.Error{errRefused, errRefused, errRefused, errRefused, errRefused}, 2 * time.Second, lending.KindUpstreamUnavailable,
		},
		"it refuses": {[]*lending.Error{errRejected}, 0, lending.KindUpstreamRejected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := inBubble(t)
				b.lists(3)
				list, failures := b.kredete.listProfiles, test.failures
				b.kredete.listProfiles = func(q provider.ProfileQuery) (provider.ProfilePage, error) {
					if len(failures) > 0 {
						err := failures[0]
						failures = failures[1:]
						return provider.ProfilePage{}, at(lending.Kredete, err)
					}
					return list(q)
				}
				began := time.Now()
				added, err := b.service.ImportCustomers(b.ctx, lending.Kredete, nil)
				if lending.KindOf(err) != test.fails || (err == nil) != (added == 3) {
					t.Errorf("%d are new: %v", added, err)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
			})
		})
	}
}

func TestAnImportThatIsStoppedStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t)
		b.kredete.listProfiles = func(provider.ProfileQuery) (provider.ProfilePage, error) {
			return provider.ProfilePage{}, at(lending.Kredete, &lending.Error{Kind: lending.KindRateLimited, Retryable: true, RetryAfter: time.Hour})
		}
		ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
		defer cancel()
		began := time.Now()
		_, err := b.service.ImportCustomers(ctx, lending.Kredete, nil)
		if err == nil || time.Since(began) != time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestAProviderThatListsNobodyIsNotImportedFrom(t *testing.T) {
	t.Parallel()
	b := setup(t, without(lending.OnePipe))
	for name, kind := range map[lending.Provider]lending.ErrorKind{
		lending.Carbon: lending.KindValidation, lending.OnePipe: lending.KindProviderDisabled,
	} {
		_, err := b.service.ImportCustomers(b.ctx, name, nil)
		if e, ok := errors.AsType[*lending.Error](err); !ok || e.Kind != kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}
