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

// hook watches bun's statements, and ends those that take longer than limit; 0 ends none.
type hook struct {
	observer Observer
	limit    time.Duration
}

// endKey finds in an event what ends its statement's deadline.
type endKey struct{}

var _ bun.QueryHook = hook{}

// BeforeQuery counts the statement and bounds it. What is not one of bun's queries is left alone: its rows are
// read after AfterQuery, and a transaction lives on with its context.
func (h hook) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if count, ok := ctx.Value(countKey{}).(*atomic.Int64); ok && !isControl(verb(event)) {
		count.Add(1)
	}
	if h.limit == 0 || event.IQuery == nil {
		return ctx
	}
	ctx, end := context.WithTimeout(ctx, h.limit)
	event.Stash = map[any]any{endKey{}: end}
	return ctx
}

// AfterQuery tells the observer.
func (h hook) AfterQuery(ctx context.Context, event *bun.QueryEvent) {
	if end, ok := event.Stash[endKey{}].(context.CancelFunc); ok {
		defer end()
	}
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
