package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// TestBacklogIsWhatIsNotDone counts what waits, and nothing that is done.
func TestBacklogIsWhatIsNotDone(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s, ctx := migrated(t, e.address(t)), t.Context()
		empty, err := s.Backlog(ctx)
		if err != nil {
			t.Fatal(detail(err))
		}
		if len(empty.Operations) != 0 || empty.Deliveries[service.DeliverySetAside] != (service.Waiting{}) || empty.LastSequence != 0 {
			t.Errorf("of an empty database: %+v", empty)
		}
		began := time.Date(2026, 4, 15, 12, 0, 0, 0, time.UTC)
		for i, status := range []lending.OperationStatus{
			lending.OpOutcomeUnknown, lending.OpSucceeded, lending.OpOutcomeUnknown, lending.OpFailed, lending.OpInProgress,
		} {
			_, _, err := s.BeginOperation(ctx, &lending.Operation{
				ID: lending.OperationID(fmt.Sprint("op-", i)), ClientID: "web", Key: fmt.Sprint(i), Kind: lending.OpDisburseLoan,
				Provider: lending.Kredete, Status: status, RequestedAt: began.Add(time.Duration(i) * time.Hour),
			})
			if err != nil {
				t.Fatal(detail(err))
			}
		}
		for i, state := range []service.DeliveryState{
			service.DeliverySetAside, service.DeliveryApplied, service.DeliveryHeld, service.DeliveryReceived, service.DeliveryReceived,
		} {
			id := fmt.Sprint("delivery-", i)
			if _, err := s.PutDelivery(ctx, &service.Delivery{
				ID: id, Provider: lending.Kredete, DedupeKey: id, Body: []byte("{}"), State: state, ReceivedAt: began.Add(time.Duration(i) * time.Minute),
			}); err != nil {
				t.Fatal(detail(err))
			}
		}
		if err := s.AppendEvents(ctx, &lending.Event{ID: "e-1", Provider: lending.Kredete, OccurredAt: began, ReceivedAt: began}); err != nil {
			t.Fatal(detail(err))
		}
		got, err := s.Backlog(ctx)
		if err != nil {
			t.Fatal(detail(err))
		}
		want := service.Backlog{
			Operations: map[lending.OperationStatus]service.Waiting{
				lending.OpOutcomeUnknown: {Count: 2, Oldest: began}, lending.OpInProgress: {Count: 1, Oldest: began.Add(4 * time.Hour)},
			},
			Deliveries: map[service.DeliveryState]service.Waiting{
				service.DeliverySetAside: {Count: 1, Oldest: began}, service.DeliveryHeld: {Count: 1, Oldest: began.Add(2 * time.Minute)},
				service.DeliveryReceived: {Count: 2, Oldest: began.Add(3 * time.Minute)},
			},
			LastSequence: 1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if age := got.Operations[lending.OpOutcomeUnknown].Age(began.Add(time.Hour)); age != time.Hour {
			t.Errorf("the oldest is %s old", age)
		}
	})
}

// TestBacklogOfADatabaseThatIsAway checks that what cannot be counted is not taken for nothing.
func TestBacklogOfADatabaseThatIsAway(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := open(t, config(e.address(t))) // without tables
		if _, err := s.Backlog(t.Context()); err == nil {
			t.Error("a database without tables has a backlog")
		}
	})
}
