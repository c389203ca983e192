package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
)

// Observer is told of each statement after it ran: what it was ("select loans"), how long it took and the
// error, whose text holds no values. The statement's own text does hold them, so it is not told.
type Observer func(ctx context.Context, operation string, took time.Duration, err error)

// WithObserver has all statements told to an observer.
func WithObserver(o Observer) Option {
	return func(s *Store) { s.observer = o }
}

type countKey struct{}

// CountStatements gives a context under which statements are counted, and the count so far. Those that
// begin and end transactions are left out. It is for tests that hold a request to a number of statements.
func CountStatements(ctx context.Context) (context.Context, func() int) {
	count := new(atomic.Int64)
	return context.WithValue(ctx, countKey{}, count), func() int { return int(count.Load()) }
}

// hook watches bun's statements.
type hook struct{ observer Observer }

var _ bun.QueryHook = hook{}

// BeforeQuery counts the statement.
func (hook) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if count, ok := ctx.Value(countKey{}).(*atomic.Int64); ok && !isControl(verb(event)) {
		count.Add(1)
	}
	return ctx
}

// AfterQuery tells the observer.
func (h hook) AfterQuery(ctx context.Context, event *bun.QueryEvent) {
	if h.observer == nil {
		return
	}
	var err error
	if event.Err != nil && !errors.Is(event.Err, sql.ErrNoRows) {
		err = clean(event.Err)
	}
	h.observer(ctx, operationName(event), time.Since(event.StartTime), err)
}

func operationName(event *bun.QueryEvent) string {
	named, ok := event.IQuery.(interface{ GetTableName() string })
	if !ok {
		return verb(event)
	}
	// bun falls back to a piece of the statement where a query has no model.
	if table := named.GetTableName(); table != "" && strings.Trim(table, "abcdefghijklmnopqrstuvwxyz_") == "" {
		return verb(event) + " " + table
	}
	return verb(event)
}

// verb is the statement's first word in lower case.
func verb(event *bun.QueryEvent) string { return strings.ToLower(event.Operation()) }

func isControl(verb string) bool {
	switch verb {
	case "begin", "commit", "rollback", "savepoint", "release":
		return true
	}
	return false
}
