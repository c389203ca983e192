package main

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the harness makes and looks into databases of its own
	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/store"
)

// postgresVariable names a server of PostgreSQL on which tests may make databases. Without it they run on
// SQLite alone.
const postgresVariable = "CREDITGRAPH_TEST_POSTGRES"

// patience is how long tests wait for what has to happen at some time, on a machine that others use too.
const patience = 4 * time.Minute

// testKey is the data key of programs under test, when it has to be the same for several.
const testKey = "canary-data-key-of-forty-two-characters-ok"

// shared is the program that tests which change nothing ask together; made for the first of them.
var shared struct {
	once sync.Once
	*program
	err error
}

// TestMain ends the shared program after all tests, and wants nothing to go on then.
func TestMain(m *testing.M) {
	code := m.Run()
	if err := endShared(); err != nil {
		fmt.Println("the shared program:", err)
		code = cmp.Or(code, 1)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil {
		fmt.Println("something still runs:", err)
		code = cmp.Or(code, 1)
	}
	os.Exit(code)
}

func endShared() error {
	if shared.program == nil {
		return nil
	}
	err := shared.end()
	for _, leak := range shared.leaks() {
		err = errors.Join(err, errors.New("its log tells "+leak))
	}
	return err
}

// sharedProgram is a program with the whole world of the sandbox, its scenario played. Tests on it ask and
// do not change: others run at the same time.
func sharedProgram(t *testing.T) *program {
	t.Helper()
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "creditgraph-test-")
		if err != nil {
			shared.err = err
			return
		}
		shared.program, shared.err = launch(context.Background(), dir, setup{})
		if shared.err == nil {
			shared.onStop(func(context.Context) error { return os.RemoveAll(dir) })
			shared.err = shared.settled(context.Background())
		}
	})
	if shared.err != nil {
		t.Fatal("the shared program:", shared.err)
	}
	return shared.program
}

// setup is how a program under test differs from the sandbox as it comes.
type setup struct {
	customers int // 200 where 0
	postgres  bool
	redis     string
	deadline  time.Duration // for reads; the default where 0
	real      [][2]string   // settings of providers, of a sandbox that runs elsewhere; none embeds the twins
	adjust    func(*config.Config)
}

// program is the whole program on a port of this machine, and what tests know of it.
type program struct {
	*app
	base       string // where the graph is served, when not by app
	token      string
	log        *logbook
	printed    *logbook
	statements func() int // made for requests so far
	playing    context.CancelFunc
}

// boot runs a program until the test ends. Its scenario is played and nothing is on its way any more.
func boot(t *testing.T, s setup) *program {
	t.Helper()
	p := bootEarly(t, s)
	if p.sandbox != nil {
		if err := p.settled(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// bootEarly is boot while the scenario still plays.
func bootEarly(t *testing.T, s setup) *program {
	t.Helper()
	dir := t.TempDir()
	var drop func()
	if s.postgres {
		var address string
		address, drop = makePostgres(t)
		before := s.adjust
		s.adjust = func(c *config.Config) {
			c.DatabaseURL, c.DataKey = config.Secret(address), testKey
			if before != nil {
				before(c)
			}
		}
	}
	p, err := launch(context.Background(), dir, s)
	if err != nil {
		t.Fatal("the program did not start:", err)
	}
	t.Cleanup(func() {
		if err := p.end(); err != nil {
			t.Error("the program did not stop well:", err)
		}
		for _, leak := range p.leaks() {
			t.Error("the log tells", leak)
		}
		if drop != nil {
			drop()
		}
	})
	return p
}

// launch starts a program whose files lie in dir.
func launch(ctx context.Context, dir string, s setup) (*program, error) {
	settings, err := testSettings(dir, s)
	if err != nil {
		return nil, err
	}
	p := &program{log: &logbook{}, printed: &logbook{}}
	counting, count := store.CountStatements(ctx)
	logger := slog.New(slog.NewJSONHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if p.app, err = start(counting, settings, p.printed, logger); err != nil {
		return nil, err
	}
	p.statements = count
	playing, cancel := context.WithCancel(ctx)
	p.playing = cancel
	if err = p.welcome(playing); err == nil {
		p.token, err = p.issuer.Issue("test", auth.Scopes(), time.Hour)
	}
	if err != nil {
		return nil, errors.Join(err, p.end())
	}
	return p, nil
}

// testSettings are the settings as they come, on free ports and with files in dir.
func testSettings(dir string, s setup) (config.Config, error) {
	var c config.Config
	options, err := config.Options()
	if err != nil {
		return c, err
	}
	parser, err := kong.New(&c, options...)
	if err != nil {
		return c, err
	}
	if _, err := parser.Parse(nil); err != nil {
		return c, err
	}
	c.Listen, c.DataKey, c.DefaultPlan = "127.0.0.1:0", testKey, "unlimited" // tests ask faster than any client
	c.DatabaseURL = config.Secret("sqlite:" + filepath.Join(dir, "records.db"))
	c.RedisURL = config.Secret(s.redis)
	c.Sandbox.Customers = cmp.Or(s.customers, c.Sandbox.Customers)
	c.ReadDeadline = cmp.Or(s.deadline, c.ReadDeadline)
	if err := c.Set(s.real); err != nil {
		return c, err
	}
	if s.adjust != nil {
		s.adjust(&c)
	}
	return c, c.Validate()
}

// end stops the program as a signal would.
func (p *program) end() error {
	p.playing()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.stop(ctx)
}

// settled waits until the scenario is played, the twins have told all, and all they told is applied.
func (p *program) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.played:
	case <-ctx.Done():
		return errors.New("the scenario did not come to its end")
	}
	return p.quiet(ctx)
}

// quiet waits until no webhook is on its way and none waits in the inbox.
func (p *program) quiet(ctx context.Context) error {
	for _, name := range lending.Providers() {
		if err := p.admin(ctx, name, http.MethodPost, "webhooks/flush", nil, nil); err != nil {
			return fmt.Errorf("the webhooks of %s: %w", name, err)
		}
	}
	inbox, err := openDirectly(string(p.settings.DatabaseURL))
	if err != nil {
		return err
	}
	defer inbox.Close()
	return until(ctx, "the inbox is empty", func() (bool, error) {
		var waiting int
		err := inbox.QueryRowContext(ctx, "SELECT COUNT(*) FROM webhook_inbox WHERE state = 'RECEIVED'").Scan(&waiting)
		return waiting == 0, err
	})
}

// until looks at a condition until it holds, at the latest until ctx ends.
func until(ctx context.Context, what string, holds func() (bool, error)) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("it did not come about that %s: %w", what, ctx.Err())
		}
	}
}

// eventually is until for a test, within its patience.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := until(ctx, what, func() (bool, error) { return holds(), nil }); err != nil {
		t.Fatal(err)
	}
}

// openDirectly opens a program's database beside the program.
func openDirectly(address string) (*sql.DB, error) {
	if file, ok := strings.CutPrefix(address, "sqlite:"); ok {
		return sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
	}
	return sql.Open("pgx", address)
}

// makePostgres makes a database for one test. drop removes it, once nobody uses it any more.
func makePostgres(t *testing.T) (address string, drop func()) {
	t.Helper()
	server := os.Getenv(postgresVariable)
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := "creditgraph_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal("no test database:", err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String(), func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error("the test database stays behind:", err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	}
}

// onEachDatabase runs a test on SQLite and, where a server is named, on PostgreSQL.
func onEachDatabase(t *testing.T, test func(t *testing.T, postgres bool)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, false)
	})
	if os.Getenv(postgresVariable) != "" {
		t.Run("PostgreSQL", func(t *testing.T) {
			t.Parallel()
			test(t, true)
		})
	}
}

// logbook keeps what is written line by line.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// forget lets go of what was written so far.
func (b *logbook) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = bytes.Buffer{}
}

// String is all that was written.
func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
