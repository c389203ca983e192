package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestErrorsOfDriversBecomeKindsWithoutTheirText(t *testing.T) {
	t.Parallel()
	pg := func(code string) error {
		return &pgconn.PgError{Code: code, Message: "secret", Detail: "secret", Hint: "secret", ConstraintName: "loans_external"}
	}
	for name, c := range map[string]struct {
		err       error
		kind      lending.ErrorKind
		retryable bool
	}{
		"a deadline":                  {context.DeadlineExceeded, lending.KindTimeout, true},
		"a canceled statement":        {pg("57014"), lending.KindTimeout, true},
		"a deadline behind a code":    {fmt.Errorf("%w: %w", pg("57014"), context.DeadlineExceeded), lending.KindTimeout, true},
		"a canceled context":          {context.Canceled, lending.KindUnavailable, true},
		"a lost connection":           {driver.ErrBadConn, lending.KindUnavailable, true},
		"an unexpected end":           {fmt.Errorf("secret: %w", io.ErrUnexpectedEOF), lending.KindUnavailable, true},
		"a refused connection":        {&net.OpError{Op: "dial", Err: errors.New("secret")}, lending.KindUnavailable, true},
		"a server that shuts down":    {pg("57P01"), lending.KindUnavailable, true},
		"too many connections":        {pg("53300"), lending.KindUnavailable, true},
		"a deadlock":                  {pg("40P01"), lending.KindUnavailable, true},
		"a full disk":                 {pg("53100"), lending.KindUnavailable, true},
		"a missing owner":             {pg("23503"), lending.KindNotFound, false},
		"a value that is no number":   {pg("22P02"), lending.KindInternal, false},
		"a syntax error":              {pg("42601"), lending.KindInternal, false},
		"a value that cannot be read": {errors.New("sql: Scan error: converting \"secret\""), lending.KindInternal, false},
	} {
		e := lending.AsError(failure("test", c.err))
		if e.Kind != c.kind || e.Retryable != c.retryable || e.Outcome != lending.NotExecuted {
			t.Errorf("%s became %s, retryable %t, outcome %s", name, e.Kind, e.Retryable, e.Outcome)
		}
		if text := e.Detail() + e.Error(); strings.Contains(text, "secret") || !strings.Contains(text, "test") {
			t.Errorf("%s tells: %s", name, text)
		}
		if !errors.Is(e, c.err) {
			t.Errorf("%s is lost", name)
		}
	}
	if failure("test", nil) != nil {
		t.Error("no error became one")
	}
	known := lending.NotFound("loan")
	if got := failure("test", known); !errors.Is(got, known) {
		t.Errorf("an error of a kind became %v", got)
	}
}

func TestErrorOfSQLiteKeepsItsTextToItself(t *testing.T) {
	t.Parallel()
	s := memory(t)
	_, err := s.writer.ExecContext(t.Context(), "SELECT secret")
	if err == nil || !strings.Contains(err.Error(), "secret") {
		t.Fatalf("SQLite says %v: the test looks at the wrong thing", err)
	}
	if text := clean(err).Error(); text != "sqlite: result code 1" {
		t.Errorf("the cleaned error says %s", text)
	}
}

func TestFailedCommitIsNotKnownToHaveFailed(t *testing.T) {
	t.Parallel()
	if e := lending.AsError(committed(driver.ErrBadConn)); e.Outcome != lending.OutcomeUnknown || e.Kind != lending.KindUnavailable {
		t.Errorf("outcome %s, kind %s", e.Outcome, e.Kind)
	}
	if err := committed(nil); err != nil {
		t.Errorf("a commit gave %v", err)
	}
}

func TestReadersOfSQLiteCannotWrite(t *testing.T) {
	t.Parallel()
	s := memory(t)
	if _, err := s.reader.ExecContext(t.Context(), "CREATE TABLE t (a)"); kindOf(err) != lending.KindUnavailable { // read-only
		t.Errorf("a reader's write gave %v", err)
	}
}

func TestMigrationHasOneConnectionInItsLife(t *testing.T) {
	t.Parallel()
	s := memory(t)
	connector, err := s.own()
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(&once{Connector: connector})
	t.Cleanup(func() { _ = pool.Close() })
	pool.SetMaxIdleConns(0) // the connection is gone after each statement
	if _, err := pool.Exec("SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec("SELECT 1"); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("a second connection gave %v", err)
	}
}

func memory(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{URL: "sqlite::memory:", DataKey: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
