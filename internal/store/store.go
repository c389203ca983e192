// Package store keeps what the service knows in PostgreSQL or SQLite: customers and who they are at the
// providers, loans and payments, scores and reports, the operation log, the event log and the inbox of
// webhooks. It implements service.Store.
//
// It imports internal/service for the shapes that the ports are declared with alone: ImportedCustomer,
// Delivery, ErrLeaseLost and the interfaces themselves.
//
// What holds everywhere:
//
//   - A transaction travels in the context ([Store.InTx]). A method that fails inside one leaves nothing of
//     itself behind and does not spoil the transaction for the caller: its statements run under a savepoint.
//     The steps with which transactions end, AppendEvents and those that settle deliveries, do without.
//   - Errors are *lending.Error. What a driver says may hold values of rows, so its text appears nowhere:
//     the cause behind an error names the engine's code alone.
//   - Personal identifiers, e-mail addresses and phone numbers are sealed before they reach SQL (see vault); they
//     are looked up by a keyed hash. Names are not sealed, because parts of them are searched for: statements
//     hold them as literals, so a database that logs statements logs them.
//   - Times are kept to the microsecond and come back in UTC.
package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"
	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/service"
)

var _ service.Store = (*Store)(nil)

// Config says where the records are and how to read them.
type Config struct {
	// URL is sqlite:FILE, sqlite::memory: (a database of this Store alone, gone when it is closed) or
	// postgres://….
	URL string
	// DataKey is the 32 bytes that personal identifiers are sealed with. A database can be read with the key
	// that it was first migrated with alone.
	DataKey []byte
	// Clock tells the time; its UTC day decides what is overdue. time.Now where nil.
	Clock func() time.Time
	// Logger is told of migrations. Nothing is logged where nil.
	Logger *slog.Logger
}

// Option changes how a Store works.
type Option func(*Store)

// Store keeps the service's records in one database. It is safe for concurrent use.
type Store struct {
	engine   engine
	writer   *bun.DB // on SQLite one connection, as there is one writer at a time
	reader   *bun.DB // the writer itself on PostgreSQL
	own      func() (driver.Connector, error)
	vault    *vault
	now      func() time.Time
	log      *slog.Logger
	observer Observer
	intake   *dataloader.Loader[*service.Delivery, bool] // see PutDelivery

	close    func() error
	closing  sync.Once
	closeErr error
}

// Open connects to the database. It changes nothing there: see [Store.Migrate]. UNAVAILABLE when it cannot
// be reached.
func Open(ctx context.Context, c Config, options ...Option) (*Store, error) {
	vault, err := newVault(c.DataKey)
	if err != nil {
		return nil, err
	}
	s := &Store{vault: vault, now: c.Clock, log: c.Logger}
	s.intake = s.newIntake()
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, option := range options {
		option(s)
	}
	if err := s.connect(c.URL); err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) connect(url string) error {
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		return s.openSQLite(rest)
	case "postgres", "postgresql":
		return s.openPostgres(url)
	}
	return errors.New("store: the database's URL is neither sqlite:… nor postgres://…")
}

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	for _, db := range []*bun.DB{s.writer, s.reader} {
		if _, err := db.ExecContext(ctx, "SELECT 1"); err != nil {
			return failure("ping", err)
		}
	}
	return nil
}

// Close ends all connections. It may be called more than once.
func (s *Store) Close() error {
	s.closing.Do(func() {
		if err := s.close(); err != nil {
			s.closeErr = fmt.Errorf("store: close: %w", err)
		}
	})
	return s.closeErr
}

// today is the day that amounts are overdue as of.
func (s *Store) today() string { return s.now().UTC().Format(time.DateOnly) }
