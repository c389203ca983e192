package store_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/migrations"
)

// objects lists tables and indexes, without those of the migrations themselves.
func objects(t *testing.T, e engine, address string) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
	if e.name == "postgres" {
		query = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i') AND relname NOT LIKE '%\\_pkey'"
	}
	var names []string
	for _, row := range column(t, raw(t, address), query) {
		if !strings.HasPrefix(row, "bun_") {
			names = append(names, row)
		}
	}
	slices.Sort(names)
	return names
}

// column reads one column of text.
func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestMigrationsGoUpAndDownAndUp(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := e.address(t)
		s := migrated(t, address)
		up := objects(t, e, address)
		if len(up) < 30 {
			t.Fatalf("only these were made: %v", up)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatalf("a second time: %s", detail(err))
		}
		if err := s.Rollback(t.Context()); err != nil {
			t.Fatal(detail(err))
		}
		if left := objects(t, e, address); len(left) != 0 {
			t.Errorf("the way back leaves %v", left)
		}
		if err := s.Rollback(t.Context()); err != nil {
			t.Fatalf("back from nothing: %s", detail(err))
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(detail(err))
		}
		if diff := cmp.Diff(up, objects(t, e, address)); diff != "" {
			t.Errorf("another schema the second time:\n%s", diff)
		}
	})
}

func TestBothEnginesHaveTheSameObjects(t *testing.T) {
	t.Parallel()
	made := map[string][]string{}
	for _, e := range engines() {
		address := e.address(t)
		migrated(t, address)
		made[e.name] = objects(t, e, address)
	}
	if other, both := made["postgres"]; both {
		if diff := cmp.Diff(made["sqlite"], other); diff != "" {
			t.Error(diff)
		}
	}
}

func TestProcessesThatMigrateTogetherMigrateOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := e.address(t)
		var log lockedBuilder
		c := config(address)
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		var running sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			s := open(t, c)
			running.Go(func() { errs[i] = s.Migrate(t.Context()) })
		}
		running.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(detail(err))
			}
		}
		if n := strings.Count(log.String(), "brought up to date"); n != 1 {
			t.Errorf("%d of them migrated", n)
		}
	})
}

// A migration that fails half-way leaves nothing of itself behind.
func TestMigrationIsAllOrNothing(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := e.address(t)
		s := open(t, config(address))
		db := raw(t, address)
		if _, err := db.Exec("CREATE TABLE operations (id TEXT)"); err != nil { // in the way of the fourth
			t.Fatal(err)
		}
		err := s.Migrate(t.Context())
		if err == nil || !strings.Contains(detail(err), "004") {
			t.Fatalf("migrating gave %v, want an error that names the migration", err)
		}
		if left := objects(t, e, address); len(left) != 1 {
			t.Errorf("these are left: %v", left)
		}
		if _, err := db.Exec("DROP TABLE operations"); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Error(detail(err))
		}
	})
}

func TestEveryMigrationHasItsWayBack(t *testing.T) {
	t.Parallel()
	all, err := migrations.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all.Sorted() {
		if m.Up == nil || m.Down == nil {
			t.Errorf("%s lacks a direction", m)
		}
	}
}

func TestWithoutASchemaErrorsNameNoValues(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := open(t, config(e.address(t)))
		_, err := s.CustomerByIdentity(t.Context(), lending.Kredete, "a secret")
		err = fmt.Errorf("outer: %w", err)
		if lending.KindOf(err) != lending.KindInternal {
			t.Errorf("kind %s", lending.KindOf(err))
		}
		if strings.Contains(detail(err)+err.Error(), "secret") || strings.Contains(detail(err), "SELECT") {
			t.Errorf("the error tells: %s", detail(err))
		}
	})
}

// lockedBuilder collects a log that several write to.
type lockedBuilder struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
