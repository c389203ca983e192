package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// txKey finds the transaction of one store in a context.
type txKey struct{ store *Store }

// InTx runs do in a transaction that all methods join which are called with the context that do gets. A
// nested call joins the outer transaction. The transaction is rolled back when do gives an error or panics.
// On PostgreSQL it is READ COMMITTED; nothing is repeated on its own.
func (s *Store) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	if s.tx(ctx) != nil {
		return do(ctx)
	}
	ctx, end := bounded(ctx, s.engine.transaction)
	defer end()
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return failure("begin", err)
	}
	committing := false
	defer func() {
		if !committing {
			s.rollBack(ctx, tx)
		}
	}()
	if err := do(context.WithValue(ctx, txKey{s}, &tx)); err != nil {
		return err
	}
	committing = true
	return committed(tx.Commit())
}

// bounded is ctx with a deadline; a limit of 0 sets none.
func bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}

// committed is the error of a commit. Where the connection broke nobody knows whether it was carried out.
func committed(err error) error {
	if err == nil {
		return nil
	}
	e := lending.AsError(failure("commit", err))
	e.Outcome = lending.OutcomeUnknown
	return e
}

func (s *Store) rollBack(ctx context.Context, tx bun.Tx) {
	// A context that has ended rolled the transaction back already.
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		s.log.WarnContext(ctx, "a transaction could not be rolled back", "error", clean(err))
	}
}

// tx is the transaction that the context carries; nil outside of one.
func (s *Store) tx(ctx context.Context) *bun.Tx {
	tx, _ := ctx.Value(txKey{s}).(*bun.Tx)
	return tx
}

// reading is what a statement that changes nothing runs on: the transaction where there is one, so that it
// sees what was written before.
func (s *Store) reading(ctx context.Context) bun.IDB {
	if tx := s.tx(ctx); tx != nil {
		return tx
	}
	return s.reader
}

// writing is what a statement that changes something runs on.
func (s *Store) writing(ctx context.Context) bun.IDB {
	if tx := s.tx(ctx); tx != nil {
		return tx
	}
	return s.writer
}

// join runs the statements of one change in the caller's transaction, which cannot go on after an error; in one
// of its own where there is none. It saves the two round trips of a savepoint, for what ends every
// transaction.
func (s *Store) join(ctx context.Context, doing, conflict string, do func(ctx context.Context) error) error {
	err := s.InTx(ctx, do)
	if isUnique(err) {
		return conflicting(conflict, err)
	}
	return failure(doing, err)
}

// write runs the statements of one change. They take effect all or not at all, also inside the caller's
// transaction, which stays usable: PostgreSQL would refuse all that follows an error there. A violation of
// uniqueness becomes a CONFLICT with the given text.
func (s *Store) write(ctx context.Context, doing, conflict string, do func(ctx context.Context) error) error {
	outer := s.tx(ctx)
	var err error
	if outer == nil {
		err = s.InTx(ctx, do)
	} else {
		err = outer.RunInTx(ctx, nil, func(context.Context, bun.Tx) error { return do(ctx) })
	}
	if isUnique(err) {
		return conflicting(conflict, err)
	}
	return failure(doing, err)
}
