package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/migrations"
)

// Migrate brings the schema up to date, all or nothing, while no other process does, checks that the data key is
// the one that the database was made with, and seals with it what an earlier version wrote in the clear.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.migrating(ctx, func(m *migrate.Migrator) error {
		group, err := m.Migrate(ctx)
		if err == nil && len(group.Migrations) > 0 {
			s.log.InfoContext(ctx, "the database's schema was brought up to date",
				"engine", s.engine.name, "migrations", len(group.Migrations), "group", group.ID)
		}
		return err
	})
	if err != nil {
		return notMigrated(err)
	}
	if err := s.checkKey(ctx); err != nil {
		return err
	}
	sealed, err := s.sealCustomers(ctx)
	if err != nil {
		return err
	}
	if sealed > 0 {
		s.log.InfoContext(ctx, "e-mail addresses and phone numbers were sealed that an earlier version wrote", "customers", sealed)
	}
	if err := s.forget(ctx, sealed); err != nil {
		// It takes nothing away from who can start now, and SealRecords tries again.
		s.log.WarnContext(ctx, "the database still keeps something of values that were sealed", "error", lending.AsError(err).Detail())
	}
	return nil
}

// notMigrated is the error of a migration with all that the engine says: its statements hold no values.
func notMigrated(err error) error {
	if err == nil {
		return nil
	}
	return &lending.Error{Kind: kindOf(err), Outcome: lending.NotExecuted, Err: fmt.Errorf("store: migrate: %w", err)}
}

// Rollback takes back what the last Migrate did, with all data that was kept in it. What it sealed is in the clear
// afterwards.
func (s *Store) Rollback(ctx context.Context) error {
	return notMigrated(s.migrating(ctx, func(m *migrate.Migrator) error {
		if err := s.unsealBefore(ctx, m); err != nil {
			return err
		}
		group, err := m.Rollback(ctx)
		if err == nil && len(group.Migrations) > 0 {
			s.log.InfoContext(ctx, "the database's schema was taken back",
				"engine", s.engine.name, "migrations", len(group.Migrations), "group", group.ID)
		}
		return err
	}))
}

// migrating runs do in one transaction on a connection of its own. The transaction is begun by a statement
// and takes the lock that keeps other processes out; whatever happens to this one, the database lets go of
// both.
func (s *Store) migrating(ctx context.Context, do func(*migrate.Migrator) error) (err error) {
	all, err := migrations.Load()
	if err != nil {
		return err
	}
	connector, err := s.own()
	if err != nil {
		return err
	}
	pool := sql.OpenDB(&once{Connector: connector})
	pool.SetMaxOpenConns(1)
	db := bun.NewDB(pool, s.writer.Dialect())
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, s.engine.exclusive); err != nil {
		return err
	}
	m := migrate.NewMigrator(db, all, migrate.WithMarkAppliedOnSuccess(true), migrate.WithTemplateData(s.engine.types))
	if err := m.Init(ctx); err != nil {
		return err // closing the connection rolls back
	}
	if err := do(m); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "COMMIT")
	return err
}

// once lets a pool have one connection in its life. A second one, after the first broke, would be outside
// of the transaction that was begun on the first.
type once struct {
	driver.Connector
	used atomic.Bool
}

// Connect implements driver.Connector.
func (o *once) Connect(ctx context.Context) (driver.Conn, error) {
	if o.used.Swap(true) {
		return nil, driver.ErrBadConn
	}
	return o.Connector.Connect(ctx)
}

// checkKey leaves a proof of the data key in a new database and compares it with that of an older one:
// with another key every customer would look unknown, and be made a second time.
func (s *Store) checkKey(ctx context.Context) error {
	return s.write(ctx, "check the data key", "", func(ctx context.Context) error {
		db := s.writing(ctx)
		_, err := db.ExecContext(ctx,
			"INSERT INTO data_keys (version, proof) VALUES (?, ?) ON CONFLICT (version) DO NOTHING", keyVersion, s.vault.proof())
		if err != nil {
			return err
		}
		var proof []byte
		if err := db.QueryRowContext(ctx, "SELECT proof FROM data_keys WHERE version = ?", keyVersion).Scan(&proof); err != nil {
			return err
		}
		if !bytes.Equal(proof, s.vault.proof()) {
			return &lending.Error{
				Kind: lending.KindInternal, Outcome: lending.NotExecuted,
				Err: errors.New("store: the data key is not the one that this database was made with"),
			}
		}
		return nil
	})
}
