package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Result codes of SQLite (sqlite.org/rescode.html) that mean something to us; the low byte is the class.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadOnly   = 8
	sqliteInterrupt  = 9
	sqliteIO         = 10
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
)

// Codes of PostgreSQL (its manual, Appendix A).
const (
	pgForeignKey = "23503"
	pgUnique     = "23505"
	pgCanceled   = "57014"
)

// cause is a driver's error under a text that holds no values. The driver's own text may quote the
// statement, and with it what is in it.
type cause struct {
	text string
	err  error
}

// Error names the engine's code.
func (c *cause) Error() string { return c.text }

// Unwrap is the driver's error, for errors.As. Its text must not be written anywhere.
func (c *cause) Unwrap() error { return c.err }

// failure is err as callers get it; nil stays nil and what is a *lending.Error already stays itself. doing
// names the step for our own log.
func failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*lending.Error](err); ok {
		return err
	}
	e := &lending.Error{
		Kind: kindOf(err), Outcome: lending.NotExecuted, Err: fmt.Errorf("store: %s: %w", doing, clean(err)),
	}
	switch e.Kind {
	case lending.KindTimeout:
		e.Message, e.Retryable = "The service's own records did not answer in time. Try again later.", true
	case lending.KindUnavailable:
		e.Retryable = true
	case lending.KindNotFound:
		e.Message = "What this belongs to does not exist."
	}
	return e
}

// conflicting is the CONFLICT that a violation of uniqueness means.
func conflicting(message string, err error) error {
	return &lending.Error{
		Kind: lending.KindConflict, Outcome: lending.NotExecuted, Message: message,
		Err: fmt.Errorf("store: %w", clean(err)),
	}
}

func kindOf(err error) lending.ErrorKind {
	if errors.Is(err, context.DeadlineExceeded) {
		return lending.KindTimeout
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return kindOfPostgres(e.Code)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return kindOfSQLite(e.Code())
	}
	if unreachable(err) {
		return lending.KindUnavailable
	}
	return lending.KindInternal
}

func kindOfPostgres(code string) lending.ErrorKind {
	switch {
	case code == pgForeignKey:
		return lending.KindNotFound
	case code == pgCanceled:
		return lending.KindTimeout
	}
	// Lost connections, serialization failures and deadlocks, lack of resources, locks, shutdown, disk.
	for _, class := range []string{"08", "40", "53", "55", "57", "58"} {
		if strings.HasPrefix(code, class) {
			return lending.KindUnavailable
		}
	}
	return lending.KindInternal
}

func kindOfSQLite(code int) lending.ErrorKind {
	if code == sqliteForeignKey {
		return lending.KindNotFound
	}
	switch code & 0xff {
	case sqliteBusy, sqliteLocked, sqliteReadOnly, sqliteInterrupt, sqliteIO, sqliteFull, sqliteCantOpen:
		return lending.KindUnavailable
	}
	return lending.KindInternal
}

// unreachable reports whether the error is about the way to the database.
func unreachable(err error) bool {
	for _, known := range []error{
		context.Canceled, driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok || strings.HasSuffix(err.Error(), "database is closed")
}

// isUnique reports whether the error is a violation of uniqueness.
func isUnique(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == pgUnique
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqliteUnique || e.Code() == sqlitePrimaryKey
	}
	return false
}

// clean puts a text without values on an error of a driver.
func clean(err error) error {
	if c, ok := errors.AsType[*cause](err); ok {
		return c
	}
	return &cause{text: safeText(err), err: err}
}

func safeText(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return "postgres: SQLSTATE " + e.Code + " " + e.ConstraintName
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return "sqlite: result code " + strconv.Itoa(e.Code())
	}
	if e, ok := errors.AsType[*sealError](err); ok {
		return e.Error()
	}
	for _, plain := range []error{context.DeadlineExceeded, context.Canceled, sql.ErrTxDone, sql.ErrConnDone} {
		if errors.Is(err, plain) {
			return plain.Error()
		}
	}
	if unreachable(err) {
		return fmt.Sprintf("the database cannot be reached (%T)", err)
	}
	return fmt.Sprintf("an error of type %T", err)
}
