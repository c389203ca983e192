//go:build unix

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // makes the databases of the tests

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/store"
)

const (
	// crashPatience bounds every wait for something that has to happen soon, on a machine that is busy.
	crashPatience = 30 * time.Second
	crashDataKey  = "a-data-key-for-crashes-of-forty-characters"
	// crashDeadline is the program's deadline for one action; a lease lasts a second longer in the build
	// with failpoints.
	crashDeadline = 2 * time.Second
)

// TestCrashes kills, stops and ends the program itself, on each database, and looks at what it then makes
// of what was under way. The twins live in the test and outlive the program.
func TestCrashes(t *testing.T) {
	t.Parallel()
	brittle, release := crashProgram(t, "-tags", "failpoints"), crashProgram(t)
	for engine, database := range crashDatabases() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			for name, test := range map[string]func(t *testing.T, b *crashBench){
				"killed at each step":        crashAtEachStep,
				"killed while recovering":    crashWhileRecovering,
				"slept through its lease":    crashAsleep,
				"ended while an action runs": crashDraining,
				"killed over a webhook":      crashWhileToldOf,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, newCrashBench(t, brittle, database(t), "CREDITGRAPH_WRITE_DEADLINE="+crashDeadline.String()))
				})
			}
			t.Run("killed as it is released", func(t *testing.T) {
				t.Parallel()
				crashAsReleased(t, newCrashBench(t, release, database(t)))
			})
		})
	}
}

// crashProgram builds the program.
func crashProgram(t testing.TB, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "creditgraph")
	build := exec.CommandContext(t.Context(), "go", slices.Concat([]string{"build", "-o", program}, flags, []string{"."})...)
	if told, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the program could not be built: %v\n%s", err, told)
	}
	return program
}

// crashDatabases are the engines to test on; each makes an empty database and tells its address.
func crashDatabases() map[string]func(t *testing.T) string {
	all := map[string]func(t *testing.T) string{"sqlite": func(t *testing.T) string {
		return "sqlite:" + filepath.Join(t.TempDir(), "records.db")
	}}
	if server := os.Getenv("CREDITGRAPH_TEST_POSTGRES"); server != "" {
		all["postgres"] = func(t *testing.T) string { return crashPostgres(t, server) }
	}
	return all
}

func crashPostgres(t testing.TB, server string) string {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	name := "creditgraph_crash_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error("the test's database stays:", err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// crashBench is one database and five twins, which outlive any number of processes.
type crashBench struct {
	program   string
	database  string
	twins     *sandbox.Sandbox
	settings  []string
	token     string
	log       *os.File
	customers []string // global ids, by the number of the person
	began     time.Time
	keys      int
	// applicants is how many people applied in rounds, expected how many effects of each kind there have
	// to be.
	applicants int
	expected   map[string]int
}

// newCrashBench makes a bench for processes with more settings than they need.
func newCrashBench(t testing.TB, program, database string, more ...string) *crashBench {
	t.Helper()
	b := &crashBench{program: program, database: database, began: time.Now().UTC(), expected: map[string]int{}}
	var err error
	if b.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.tellLog(t) })
	if b.twins, err = sandbox.Start(sandbox.Options{Customers: crashPeople + crashRounds(t)*len(crashPoints), Seed: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.twins.Stop(); err != nil {
			t.Error(err)
		}
	})
	b.settings = append(more, "DATABASE_URL="+database, "DATA_KEY="+crashDataKey, "CREDITGRAPH_LISTEN=127.0.0.1:0", "CREDITGRAPH_DEFAULT_PLAN=unlimited")
	for _, setting := range b.twins.Settings() {
		b.settings = append(b.settings, setting[0]+"="+setting[1])
	}
	b.bringCustomers(t)
	return b
}

// tellLog shows the end of what the processes logged, where the test failed.
func (b *crashBench) tellLog(t testing.TB) {
	const last = 8 << 10
	size, err := b.log.Seek(0, io.SeekEnd)
	if err == nil && t.Failed() {
		text := make([]byte, min(size, last))
		_, err = b.log.ReadAt(text, size-int64(len(text)))
		t.Logf("the processes' log ends with:\n%s", text)
	}
	if err := errors.Join(err, b.log.Close()); err != nil {
		t.Error(err)
	}
}

// bringCustomers has the program import the twins' customers, links those whom the actions need, and makes
// a token.
func (b *crashBench) bringCustomers(t testing.TB) {
	t.Helper()
	bring := exec.CommandContext(t.Context(), b.program, "import")
	bring.Env, bring.Stderr = b.settings, b.log
	if err := bring.Run(); err != nil {
		t.Fatal("import:", err)
	}
	k, err := datakey.Derive(crashDataKey)
	if err != nil {
		t.Fatal(err)
	}
	records, err := store.Open(t.Context(), store.Config{URL: b.database, DataKey: k.Records})
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	for i := range b.twins.World.Size() {
		p := b.twins.World.Person(i)
		id, err := records.CustomerByIdentity(t.Context(), lending.Kredete, p.KredeteID)
		if err != nil {
			t.Fatal(err)
		}
		b.customers = append(b.customers, lending.GlobalID(lending.CustomerNode, id))
		if i >= crashPeople {
			continue
		}
		for provider, externalID := range map[lending.Provider]string{
			lending.Kredmint: p.KredmintMobile, lending.Carbon: p.CarbonID, lending.OnePipe: p.CustomerRef,
		} {
			if externalID == "" {
				continue
			}
			if err := records.Link(t.Context(), lending.Identity{CustomerID: id, Provider: provider, ExternalID: externalID, LinkedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	issuer, err := auth.NewIssuer(k.Signing, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if b.token, err = issuer.Issue("crash-tests", auth.Scopes(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
}

// twin calls an endpoint of a twin's own: "faults", "effects".
func (b *crashBench) twin(t *testing.T, method string, name lending.Provider, path string, body, into any) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, b.twins.Server(name).URL()+twin.AdminPrefix+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("the twin of %s answered %s to %s", name, response.Status, path)
	}
	if into != nil {
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
}

// effects counts what really happened at a twin, by the keys of the effects.
func (b *crashBench) effects(t *testing.T, m crashMutation) map[string]int {
	t.Helper()
	var told struct{ Effects []twin.Effect }
	b.twin(t, http.MethodGet, m.provider, "effects?operation="+m.effect, nil, &told)
	counts := map[string]int{}
	for _, effect := range told.Effects {
		counts[effect.Key]++
	}
	return counts
}

// key is an idempotency key that was not used before.
func (b *crashBench) key() string {
	b.keys++
	return fmt.Sprintf("crash-%05d", b.keys)
}
