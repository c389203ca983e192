package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

var _ service.RecordSealer = (*Store)(nil)

// sealBatch is how many customers one transaction seals: few, so that no other writer waits long.
const sealBatch = 500

// SealRecords implements service.RecordSealer. Each batch is a transaction of its own that takes a value's clear
// column and its sealed one together: one who dies in between leaves a batch as it was or done. The rows are
// locked in the order of their ids, and who waits for another one's batch finds it done and goes on behind it.
func (s *Store) SealRecords(ctx context.Context) (sealed int, err error) {
	if sealed, err = s.sealCustomers(ctx); err != nil {
		return sealed, err
	}
	return sealed, s.forget(ctx, sealed)
}

func (s *Store) sealCustomers(ctx context.Context) (sealed int, err error) {
	var after lending.CustomerID
	for {
		rows, err := s.sealSome(ctx, after)
		if err != nil {
			return sealed, err
		}
		sealed += len(rows)
		if len(rows) < sealBatch {
			return sealed, nil
		}
		after = rows[len(rows)-1].ID
	}
}

// sealSome seals the next customers behind an id. It opens nothing, so that a value which is damaged already
// stops nobody.
func (s *Store) sealSome(ctx context.Context, after lending.CustomerID) (rows []*customerRow, err error) {
	err = s.write(ctx, "seal customers", "", func(ctx context.Context) error {
		rows = nil
		q := s.writing(ctx).NewSelect().Model(&rows).Where("entry.id > ?", after).
			Where("entry.email <> '' OR entry.phone <> ''").Order("entry.id").Limit(sealBatch)
		if s.engine.locking != "" {
			q = q.For(s.engine.locking)
		}
		if err := q.Scan(ctx); err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if row.UnsealedEmail != "" {
				s.sealEmail(row, row.UnsealedEmail)
			}
			if row.UnsealedPhone != "" {
				s.sealPhone(row, row.UnsealedPhone)
			}
			row.Search = searchText(row.FirstName, row.LastName)
		}
		if err := updateColumns(ctx, s.writing(ctx), rows, contactColumns()); err != nil {
			return err
		}
		return s.markForRewriting(ctx)
	})
	return rows, err
}

// forget makes the database give up what it keeps of values that are sealed by now: PostgreSQL its statistics
// of columns, SQLite what stands in its file outside of the rows. What is left of old rows in the files of
// PostgreSQL goes with the operator's VACUUM FULL alone (see docs/adr/0019-blind-index.md).
func (s *Store) forget(ctx context.Context, sealed int) error {
	if s.engine.inFile {
		return failure("write the file anew", rewrite(ctx, s.writer))
	}
	if sealed == 0 {
		return nil
	}
	_, err := s.writer.ExecContext(ctx, "ANALYZE customers")
	return failure("renew statistics", err)
}

// toBeRewritten is the user_version of a SQLite file in which values were sealed since it was last written anew.
// The mark is set in the transaction that seals, so that a crash behind it is made up for.
const toBeRewritten = 1

func (s *Store) markForRewriting(ctx context.Context) error {
	if !s.engine.inFile {
		return nil
	}
	_, err := s.writing(ctx).ExecContext(ctx, "PRAGMA user_version = ?", toBeRewritten)
	return err
}

// rewrite writes a marked SQLite file anew and empties its journal. Where somebody still reads an older state, the
// mark stays for the next time.
func rewrite(ctx context.Context, db *bun.DB) error {
	var mark int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&mark); err != nil || mark != toBeRewritten {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	var busy, frames, moved int
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil || busy != 0 {
		return err
	}
	_, err := db.ExecContext(ctx, "PRAGMA user_version = 0")
	return err
}
