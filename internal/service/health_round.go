package service

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/health"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// healthTick is how often this replica judges providers by itself, and tells the others what it measured.
const healthTick = time.Second

// standing is how a provider stood for this replica in the last round.
type standing struct {
	status  HealthStatus
	alerted bool // it was told that the provider does badly, and not yet that it does well again
	problem lending.ErrorKind
}

// runHealth tells of changes and shares what was measured, until the service stops.
func (s *Service) runHealth() {
	stood := map[lending.Provider]*standing{}
	s.every(healthTick, func(ctx context.Context) error {
		s.healthRound(ctx, stood)
		return nil
	})
	if s.board != nil {
		s.board.Withdraw(context.WithoutCancel(s.stopped))
	}
}

// healthRound is one round: each change since the last one is told once.
func (s *Service) healthRound(ctx context.Context, stood map[lending.Provider]*standing) {
	own := s.measured()
	for _, name := range lending.Providers() {
		if s.providers[name] == nil {
			continue
		}
		was := stood[name]
		if was == nil {
			was = &standing{status: HealthUnknown}
			stood[name] = was
		}
		s.tellChanges(ctx, was, s.healthOf(name, []health.Report{own}))
	}
	if s.board != nil {
		s.board.Publish(ctx, own)
	}
}

// tellChanges logs what somebody may have to act on, and offers each change of status to who counts them.
func (s *Service) tellChanges(ctx context.Context, was *standing, now ProviderHealth) {
	kind := lending.ErrorKind("")
	if now.LastFailure != nil {
		kind = now.LastFailure.Kind
	}
	if now.Status != was.status {
		switch {
		case now.Status == HealthDown:
			s.log.WarnContext(ctx, "a provider is down", "provider", now.Provider, "kind", kind)
		case now.Status == HealthDegraded:
			s.log.WarnContext(ctx, "a provider is degraded", "provider", now.Provider, "kind", kind)
		case now.Status == HealthUp && was.alerted:
			s.log.InfoContext(ctx, "a provider is up again", "provider", now.Provider)
		}
		if s.healthChanged != nil {
			s.healthChanged(now.Provider, was.status, now.Status)
		}
		was.alerted = was.alerted && now.Status != HealthUp || now.Status == HealthDown || now.Status == HealthDegraded
		was.status = now.Status
	}
	problem := lending.ErrorKind("")
	if now.Problem != nil {
		problem = now.Problem.Kind
	}
	if problem != was.problem {
		if problem != "" {
			s.log.ErrorContext(ctx, "a provider refuses its service until somebody acts", "provider", now.Provider, "kind", problem)
		} else {
			s.log.InfoContext(ctx, "a provider does its service again", "provider", now.Provider, "kind", was.problem)
		}
		was.problem = problem
	}
}
