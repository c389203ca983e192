package service

import (
	"context"
	"time"
)

// sealTick is how often records are looked for that a replica of an earlier version wrote in the clear: it may run
// beside this one until an upgrade has reached all.
const sealTick = time.Minute

// runSealer seals such records until the service stops.
func (s *Service) runSealer() { s.every(sealTick, s.sealRecords) }

func (s *Service) sealRecords(ctx context.Context) error {
	sealed, err := s.store.SealRecords(ctx)
	if sealed > 0 {
		s.log.InfoContext(ctx, "personal values were sealed that an earlier version wrote", "customers", sealed)
	}
	return eventually("seal records", err)
}
