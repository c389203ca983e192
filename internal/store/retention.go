package store

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// PruneEvents implements service.EventStore. The counter's row is locked by the last statement before the
// commit, so that appends do not wait for the deletion. The oldest events are locked in their order: a second
// process that prunes at the same time waits, and goes on behind what the first one deleted. Inside a caller's
// transaction all these locks last until its end.
func (s *Store) PruneEvents(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.write(ctx, "prune events", "", func(ctx context.Context) error {
		last, err := s.prunable(ctx, before, limit)
		if err != nil || last == 0 {
			return err
		}
		db := s.writing(ctx)
		deleted, err := db.NewDelete().Model((*eventRow)(nil)).Where("entry.sequence <= ?", last).Exec(ctx)
		if err != nil {
			return err
		}
		rows, err := deleted.RowsAffected()
		if err != nil {
			return err
		}
		n = int(rows)
		_, err = db.ExecContext(ctx, "UPDATE event_counter SET pruned = ? WHERE id = 1 AND pruned < ?", last, last)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// prunable is the last of the oldest events that were all received before a time; 0 when the oldest was not.
// The order of receipt is nearly that of the log and not quite: a webhook that had to wait comes after younger
// ones.
func (s *Store) prunable(ctx context.Context, before time.Time, limit int) (last int64, err error) {
	if limit <= 0 {
		return 0, nil
	}
	var oldest []eventRow
	q := s.writing(ctx).NewSelect().Model(&oldest).Column("sequence", "received_at").Order("entry.sequence").Limit(int64(limit))
	if s.engine.locking != "" {
		q = q.For(s.engine.locking)
	}
	if err := q.Scan(ctx); err != nil {
		return 0, err
	}
	for _, row := range oldest {
		if row.ReceivedAt >= micros(before) {
			break
		}
		last = row.Sequence
	}
	return last, nil
}

// checkPlace refuses a place in the log from which a reader cannot go on without missing events:
// CURSOR_EXPIRED when some behind it were deleted, VALIDATION when the log never reached it, as with a cursor
// of another database. It has to be asked after the reading: what was deleted before that is known by then.
func (s *Store) checkPlace(ctx context.Context, sequence int64) error {
	ctx, end := bounded(ctx, s.engine.statement)
	defer end()
	var last, pruned int64
	err := s.reading(ctx).QueryRowContext(ctx, "SELECT last, pruned FROM event_counter WHERE id = 1").Scan(&last, &pruned)
	switch {
	case err != nil:
		return failure("read the ends of the event log", err)
	case sequence < 0 || sequence > last:
		return lending.Invalid(lending.Problem{
			Kind: lending.KindValidation, Field: []string{"after"},
			Message: "The event log never reached this cursor. Is it one of another database? Start over without a cursor.",
		})
	case sequence < pruned:
		return &lending.Error{
			Kind: lending.KindCursorExpired, Outcome: lending.NotExecuted,
			Message: "Events that follow this cursor are no longer kept. Start over without a cursor and reload what you show.",
		}
	}
	return nil
}

// checkCursor is checkPlace for the cursor of a page that was read; no cursor is always good.
func (s *Store) checkCursor(ctx context.Context, after string) error {
	if after == "" {
		return nil
	}
	sequence, err := s.EventSequence(after)
	if err != nil {
		return err
	}
	return s.checkPlace(ctx, sequence)
}
