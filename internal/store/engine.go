package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"

	"github.com/creditgraph/creditgraph/migrations"
)

// engine is what the two databases spell differently.
type engine struct {
	name     string
	types    migrations.Types
	greatest bun.Safe // the function that gives the largest of its arguments
	skipping string   // how a claim locks rows and passes over those that others hold; "" where one writer is alone
	locking  string   // how a row is locked for a change that leaves its key alone; "" as above
	inFile   bool     // whether the database is a file that the store itself has to write anew
	// exclusive begins a transaction that no other process can migrate beside.
	exclusive string
	// statement and transaction are how long one may take; 0 bounds none.
	statement, transaction time.Duration
}

// The pool of PostgreSQL: enough for a replica, few enough for a server of 100 with some replicas.
const (
	postgresConnections = 20
	postgresIdle        = 10
	connectionLifetime  = 30 * time.Minute
)

// How long a server that does not answer is waited for. A link that is dead tells nothing: without these, whoever
// asks would wait until the system gives the connection up, which takes minutes.
const (
	postgresConnecting  = 5 * time.Second
	postgresStatement   = 5 * time.Second
	postgresTransaction = 30 * time.Second
)

// migrationLock is the advisory lock that migrations on PostgreSQL take turns by: "credgrph" in ASCII.
const migrationLock = 0x6372656467727068

// openPostgres connects through pgx. Statements go out in the exec mode: bun writes values into the text,
// so every statement is another one and preparing it would only fill the server's memory.
func (s *Store) openPostgres(address string) error {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return errors.New("store: the database's URL cannot be read as one of PostgreSQL")
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	// bun doubles quotes and leaves backslashes alone: a server that read those as escapes could be injected.
	config.RuntimeParams["standard_conforming_strings"] = "on"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "creditgraph"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = postgresConnecting
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresIdle)
	pool.SetConnMaxLifetime(connectionLifetime)
	s.engine = engine{
		name: "postgres", types: migrations.PostgreSQL(), greatest: "GREATEST",
		skipping: "UPDATE SKIP LOCKED", locking: "NO KEY UPDATE",
		exclusive: fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)", migrationLock),
		statement: postgresStatement, transaction: postgresTransaction,
	}
	s.writer = bun.NewDB(pool, pgdialect.New()).WithQueryHook(hook{s.observer, postgresStatement})
	s.reader = s.writer
	s.own = func() (driver.Connector, error) { return staying{stdlib.GetConnector(*config)}, nil }
	s.close = s.writer.Close
	return nil
}

// staying makes connections of PostgreSQL stay in their pool while they are in a transaction that was begun
// by a statement; pgx throws those away otherwise.
type staying struct{ driver.Connector }

// Connect implements driver.Connector.
func (s staying) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	pg, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: unexpected connection %T", conn), conn.Close())
	}
	return stayingConn{pg}, nil
}

type stayingConn struct{ *stdlib.Conn }

// ResetSession implements driver.SessionResetter.
func (stayingConn) ResetSession(context.Context) error { return nil }

// openSQLite opens two pools on one file: a single connection that writes, whose transactions take the
// write lock when they begin so that none has to be given up later, and some that can only read.
func (s *Store) openSQLite(file string) error {
	remove := func() error { return nil }
	if file == ":memory:" {
		// A file all the same: connections to a shared memory database block each other's reads.
		dir, err := os.MkdirTemp("", "creditgraph-")
		if err != nil {
			return fmt.Errorf("store: no place for a temporary database: %w", err)
		}
		file, remove = filepath.Join(dir, "memory.db"), func() error { return os.RemoveAll(dir) }
	}
	if err := touch(file); err != nil {
		return errors.Join(err, remove())
	}
	s.engine = engine{
		name: "sqlite", types: migrations.SQLite(), greatest: "MAX", inFile: true, exclusive: "BEGIN IMMEDIATE",
	}
	writing, err := sqlite.NewConnector(sqliteAddress(file, "journal_mode(WAL)"))
	if err != nil {
		return errors.Join(fmt.Errorf("store: SQLite: %w", err), remove())
	}
	reading, err := sqlite.NewConnector(sqliteAddress(file, "query_only(1)"))
	if err != nil {
		return errors.Join(fmt.Errorf("store: SQLite: %w", err), remove())
	}
	writer, reader := sql.OpenDB(writing), sql.OpenDB(reading)
	writer.SetMaxOpenConns(1)
	readers := max(4, runtime.GOMAXPROCS(0))
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	s.writer = bun.NewDB(writer, sqlitedialect.New()).WithQueryHook(hook{observer: s.observer})
	s.reader = bun.NewDB(reader, sqlitedialect.New()).WithQueryHook(hook{observer: s.observer})
	s.own = func() (driver.Connector, error) { return writing, nil }
	s.close = func() error { return errors.Join(reader.Close(), writer.Close(), remove()) }
	return nil
}

// touch makes the file where it is not there, readable by its owner alone; SQLite gives its journal the
// same permissions.
func touch(file string) error {
	if file == "" {
		return errors.New("store: sqlite: names no file")
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("store: the database's file: %w", err)
	}
	return f.Close()
}

// sqliteAddress is the driver's address of a file. Commits are synced in full: a webhook that was
// acknowledged is never sent again, so it has to outlive a loss of power, which NORMAL does not promise.
func sqliteAddress(file, pragma string) string {
	query := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", pragma, "foreign_keys(1)", "synchronous(FULL)"},
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + query.Encode()
}
