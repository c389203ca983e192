package service

import (
	"context"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/health"
	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	probeAge     = 5 * time.Second // who asks wants to know of a call that is no older
	probeTimeout = 2 * time.Second
)

// probes are the signs of life that providers were asked for.
type probes struct {
	mu   sync.Mutex
	last map[lending.Provider]*probing
}

type probing struct {
	began time.Time
	done  chan struct{}
}

// probeIdle asks each provider that was not called for a while, by any replica, for something free. However many
// ask, one probe is under way, and none begins sooner after another. It gives those to wait for.
func (s *Service) probeIdle(reports []health.Report, age time.Duration) []<-chan struct{} {
	var waits []<-chan struct{}
	for name, p := range s.providers {
		stands := health.Stand(s.now(), of(name, reports))
		if p.Pinger == nil || s.now().Sub(stands.CalledAt) < age {
			continue
		}
		if wait := s.probe(name, age); wait != nil {
			waits = append(waits, wait)
		}
	}
	return waits
}

// probe asks one provider, unless it was asked a short while ago. The probe is not the caller's: it goes on when
// who asked has left.
func (s *Service) probe(name lending.Provider, age time.Duration) <-chan struct{} {
	s.probes.mu.Lock()
	defer s.probes.mu.Unlock()
	now := s.now()
	if last := s.probes.last[name]; last != nil && now.Sub(last.began) < max(age, probeTimeout) {
		return last.done
	}
	if s.stopped.Err() != nil {
		return nil
	}
	begun := &probing{began: now, done: make(chan struct{})}
	s.probes.last[name] = begun
	s.background.Go(func() {
		defer close(begun.done)
		ctx, cancel := context.WithTimeout(s.stopped, probeTimeout)
		defer cancel()
		if err := s.providers[name].Pinger.Ping(ctx); err != nil {
			s.log.DebugContext(ctx, "provider does not answer a probe", "provider", name, "kind", lending.KindOf(err))
		}
	})
	return begun.done
}
