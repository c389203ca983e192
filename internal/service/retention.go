package service

import (
	"context"
	"time"
)

// pruneTick is how often old events are looked for.
const pruneTick = time.Hour

// pruneBatch is how many events are deleted in one transaction: few, so that no other writer waits long.
const pruneBatch = 500

// runEventPruner keeps the event log as long as the retention says, until the service stops. Of all that the
// service keeps, events alone are deleted: an operation is the promise that its key is answered for at least 30
// days and never sent again, and a webhook in the inbox that its second delivery changes nothing.
func (s *Service) runEventPruner() { s.every(pruneTick, s.pruneEvents) }

// pruneEvents deletes what is older than the retention. On several replicas each takes a part.
func (s *Service) pruneEvents(ctx context.Context) error {
	before, total := s.now().Add(-s.settings.EventRetention), 0
	for ctx.Err() == nil {
		n, err := s.store.PruneEvents(ctx, before, pruneBatch)
		if err != nil {
			return eventually("prune events", err)
		}
		total += n
		if n < pruneBatch {
			break
		}
	}
	if total > 0 {
		s.log.InfoContext(ctx, "old events were deleted", "events", total, "received before", before)
	}
	return nil
}
