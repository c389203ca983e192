package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
	"github.com/creditgraph/creditgraph/internal/store/storetest"
)

// postgresVariable names a server of PostgreSQL on which the tests may make a database. Without it they run
// on SQLite alone.
const postgresVariable = "CREDITGRAPH_TEST_POSTGRES"

// postgres is where the run's own database is; "" without a server.
var postgres string

func TestMain(m *testing.M) {
	server := os.Getenv(postgresVariable)
	drop := func() {}
	if server == "" {
		fmt.Println("tests run on SQLite alone; " + postgresVariable + " names a server of PostgreSQL")
	} else {
		var err error
		if postgres, drop, err = makeDatabase(server); err != nil {
			fmt.Println("no test database:", err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(dropping{m, drop})
}

// dropping removes the run's database when the tests are over, before goroutines are counted.
type dropping struct {
	*testing.M
	drop func()
}

// Run implements goleak.TestingM.
func (d dropping) Run() int {
	defer d.drop()
	return d.M.Run()
}

// makeDatabase makes a database with a name of its own, which sorts text as people do and not by bytes, as
// many in production do; the store must not depend on it. drop removes it.
func makeDatabase(server string) (address string, drop func(), err error) {
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return "", nil, err
	}
	name := "creditgraph_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	const sorting = " TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' ENCODING 'UTF8'"
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name+sorting); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			fmt.Println("the test database stays:", err)
		}
		_ = admin.Close()
	}, nil
}

// engine is one database that the tests run on; address gives a place for a new store.
type engine struct {
	name    string
	address func(t *testing.T) string
}

var schemas atomic.Int64

func engines() []engine {
	all := []engine{{"sqlite", func(t *testing.T) string {
		return "sqlite:" + filepath.Join(t.TempDir(), "a place? #1 50%.db")
	}}}
	if postgres == "" {
		return all
	}
	return append(all, engine{"postgres", func(t *testing.T) string {
		t.Helper()
		db, err := sql.Open("pgx", postgres)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		schema := fmt.Sprintf("s%d", schemas.Add(1))
		if _, err := db.Exec("CREATE SCHEMA " + schema); err != nil {
			t.Fatal(err)
		}
		return postgres + separator(postgres) + "search_path=" + schema
	}})
}

func separator(address string) string {
	if strings.Contains(address, "?") {
		return "&"
	}
	return "?"
}

// onEach runs a test on every engine.
func onEach(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

func config(address string) store.Config {
	return store.Config{URL: address, DataKey: bytes.Repeat([]byte{7}, 32), Clock: storetest.Now}
}

// open opens a store without its schema; it is closed when the test ends.
func open(t *testing.T, c store.Config, options ...store.Option) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), c, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// migrated opens a store with its schema.
func migrated(t *testing.T, address string, options ...store.Option) *store.Store {
	t.Helper()
	s := open(t, config(address), options...)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(detail(err))
	}
	return s
}

func TestStore(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		storetest.Run(t, func(t *testing.T) service.Store { return migrated(t, e.address(t)) })
		storetest.RunAudit(t, func(t *testing.T) service.AuditStore { return migrated(t, e.address(t)) })
	})
}

// detail is an error with its cause, for the test's own log.
func detail(err error) string { return lending.AsError(err).Detail() }
