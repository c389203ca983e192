package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// TestAWatchedClientIsEndedWhenItIsRevoked runs in a bubble, in which hours pass at once.
func TestAWatchedClientIsEndedWhenItIsRevoked(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*entrance, string)
		within  time.Duration
		because lending.ErrorKind
	}{
		"it is revoked":        {func(e *entrance, id string) { e.revoked[id] = true }, 10 * time.Second, lending.KindUnauthenticated},
		"it is deleted":        {func(e *entrance, id string) { delete(e.revoked, id) }, 10 * time.Second, lending.KindUnauthenticated},
		"nobody knows anymore": {func(e *entrance, _ string) { e.away = errors.New("away") }, 11 * time.Minute, lending.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEntrance(t)
				gate := auth.NewGate(auth.GateConfig{Verifier: e, Clients: e, Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
				ctx, cancel := context.WithCancel(t.Context())
				id, other := e.client(), e.client()
				ended := make(chan error, 10)
				gate.Watch(ctx, &auth.Principal{ClientID: id}, func(err error) { ended <- err })
				gate.Watch(ctx, &auth.Principal{ClientID: other}, func(err error) {
					if lending.KindOf(err) != lending.KindUnavailable {
						t.Error("another client is ended:", err)
					}
				})
				gate.Watch(ctx, &auth.Principal{ClientID: "sandbox"}, func(err error) { t.Error("nobody's client is ended:", err) })
				time.Sleep(time.Hour)
				synctest.Wait()
				if len(ended) > 0 {
					t.Fatal("it is ended while it is welcome:", <-ended)
				}
				e.set(func() { test.change(e, id) })
				began := time.Now()
				select {
				case err := <-ended:
					if lending.KindOf(err) != test.because || time.Since(began) > test.within {
						t.Errorf("after %v: %v", time.Since(began), err)
					}
				case <-time.After(time.Hour):
					t.Error("it is not ended")
				}
				time.Sleep(time.Hour)
				cancel()
				synctest.Wait()
				seen := e.looked.Load()
				time.Sleep(time.Hour)
				if len(ended) > 0 || e.looked.Load() != seen {
					t.Error("it goes on after the end")
				}
			})
		})
	}
}
