package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/migrate"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/store"
	"github.com/creditgraph/creditgraph/migrations"
)

// The former customers: their e-mail addresses and phone numbers have this in them.
const (
	formerDomain = "@formerly.example"
	formerDigits = "2347071"
)

func formerEmail(i int) string { return fmt.Sprintf("Person%04d", i) + formerDomain }
func formerPhone(i int) string { return fmt.Sprintf("+%s%06d", formerDigits, i) }
func formerID(i int) string    { return fmt.Sprintf("former-%04d", i) }

// former makes a database as the version before left it: its schema, n customers as it wrote them, and on
// PostgreSQL the statistics that a server makes of a table.
func former(t *testing.T, e engine, n int) (address string) {
	t.Helper()
	address = e.address(t)
	db := bun.NewDB(raw(t, address), sqlitedialect.New())
	types := migrations.SQLite()
	if e.name == "postgres" {
		db, types = bun.NewDB(db.DB, pgdialect.New()), migrations.PostgreSQL()
	}
	all, err := migrations.Load()
	if err != nil {
		t.Fatal(err)
	}
	before := migrate.NewMigrations()
	for _, m := range all.Sorted() {
		if m.Name < "011" {
			before.Add(m)
		}
	}
	migrator := migrate.NewMigrator(db, before, migrate.WithMarkAppliedOnSuccess(true), migrate.WithTemplateData(types))
	if err := migrator.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		for i := range n {
			if err := insertFormer(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("ANALYZE"); err != nil {
		t.Fatal(err)
	}
	return address
}

// insertFormer adds a customer with the statement of the version before.
func insertFormer(ctx context.Context, db bun.IDB, i int) error {
	_, err := db.ExecContext(ctx, `INSERT INTO customers (id, first_name, last_name, email, phone, date_of_birth, gender, nationality,
		status, provider_status, kyc_status, address, employment, identification_type, identification_expires_on, search, created_at, updated_at)
		VALUES (?, 'Ada', ?, ?, ?, '1990-02-28', 'FEMALE', 'NG', 'ACTIVE', 'active', 'VERIFIED', '', '', '', '', ?, ?, ?)`,
		formerID(i), fmt.Sprintf("Number%d", i), formerEmail(i), formerPhone(i),
		strings.ToLower(fmt.Sprintf("Ada Number%d %s %s", i, formerEmail(i), formerPhone(i))), 1000+i, 1000+i)
	return err
}

// readable finds out where a text can be read, whatever its case: in which file, or in which column or its statistics.
func readable(t *testing.T, e engine, address, text string) (places []string) {
	t.Helper()
	if e.name == "sqlite" {
		path := strings.TrimPrefix(address, "sqlite:")
		for _, file := range []string{path, path + "-wal", path + "-shm", path + "-journal"} {
			content, err := os.ReadFile(file)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if bytes.Contains(bytes.ToLower(content), bytes.ToLower([]byte(text))) {
				places = append(places, file[len(path):])
			}
		}
		return places
	}
	db := raw(t, address)
	columns := column(t, db, "SELECT table_name || '.' || column_name || '.' || data_type FROM information_schema.columns WHERE table_schema = current_schema()")
	if len(columns) < 100 {
		t.Fatalf("only %d columns: the test looks in the wrong place", len(columns))
	}
	for _, c := range columns {
		parts := strings.SplitN(c, ".", 3)
		value := "lower(" + parts[1] + "::text)"
		if parts[2] == "bytea" {
			value = "lower(encode(" + parts[1] + ", 'escape'))"
		}
		if count(t, db, "SELECT COUNT(*) FROM "+parts[0]+" WHERE position(lower('"+text+"') IN "+value+") > 0") > 0 {
			places = append(places, parts[0]+"."+parts[1])
		}
	}
	const statistics = "SELECT COUNT(*) FROM pg_stats WHERE schemaname = current_schema() AND position(lower('%s') IN lower(concat(most_common_vals::text, histogram_bounds::text))) > 0"
	if count(t, db, fmt.Sprintf(statistics, text)) > 0 {
		places = append(places, "pg_stats")
	}
	return places
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(query, err)
	}
	return n
}

// nothingReadable fails when anything of the former customers can still be read.
func nothingReadable(t *testing.T, e engine, address string) {
	t.Helper()
	for _, text := range []string{formerDomain, formerDigits} {
		if places := readable(t, e, address, text); len(places) > 0 {
			t.Errorf("%q can be read in %q", text, places)
		}
	}
}

// allThere fails unless n former customers are read and found.
func allThere(t *testing.T, s *store.Store, n int) {
	t.Helper()
	ids := make([]lending.CustomerID, n)
	for i := range ids {
		ids[i] = lending.CustomerID(formerID(i))
	}
	found, err := s.Customers(t.Context(), ids)
	if err != nil {
		t.Fatal(detail(err))
	}
	for i, id := range ids {
		if c := found[id]; c == nil || c.Email != formerEmail(i) || c.Phone != formerPhone(i) || c.DateOfBirth.String() != "1990-02-28" {
			t.Fatalf("customer %d is %+v", i, c)
		}
	}
}

func wantFound(t *testing.T, s *store.Store, search string, want int) {
	t.Helper()
	n, err := s.CountCustomers(t.Context(), lending.CustomerFilter{Search: search})
	if err != nil {
		t.Fatal(detail(err))
	}
	if n != want {
		t.Errorf("%q finds %d customers, want %d", search, n, want)
	}
}

const unsealed = "SELECT COUNT(*) FROM customers WHERE email <> '' OR phone <> '' OR search LIKE '%@%'"

func TestRecordsOfTheVersionBeforeAreSealed(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const n = 2*store.SealBatch + 100
		address := former(t, e, n)
		for _, text := range []string{formerDomain, formerDigits} {
			// On PostgreSQL it is in its column, in what is searched and in the statistics.
			if places := readable(t, e, address, text); len(places) == 0 || e.name == "postgres" && len(places) != 3 {
				t.Fatalf("%q was to be read before, and is in %q", text, places)
			}
		}
		s := migrated(t, address)
		nothingReadable(t, e, address)
		allThere(t, s, n)
		for search, want := range map[string]int{
			formerEmail(7): 1, formerPhone(1010): 1, "number1010": 1, "0" + formerPhone(3)[4:]: 1, "ada": n, formerDomain: 0, formerDigits: 0,
		} {
			wantFound(t, s, search, want)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Errorf("a second time: %s", detail(err))
		}
	})
}

// The way back gives the version before what it needs.
func TestTheWayBackUnseals(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const n = store.SealBatch + 1
		address := former(t, e, n)
		const contacts = "SELECT id || first_name || last_name || email || phone || search FROM customers ORDER BY id"
		before := column(t, raw(t, address), contacts)
		s := migrated(t, address)
		if err := s.Rollback(t.Context()); err != nil {
			t.Fatal(detail(err))
		}
		if diff := cmp.Diff(before, column(t, raw(t, address), contacts)); diff != "" {
			t.Error(diff)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(detail(err))
		}
		nothingReadable(t, e, address)
		allThere(t, s, n)
	})
}

// One who dies while records are sealed leaves some sealed and some not. All can be read, and the next goes on.
func TestSealingGoesOnAfterACrash(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const n = 2*store.SealBatch + 100
		address := former(t, e, n)
		ctx, die := context.WithCancel(t.Context())
		defer die()
		var batches atomic.Int64
		dying := open(t, config(address), store.WithObserver(func(_ context.Context, operation string, _ time.Duration, _ error) {
			if operation == "insert customers" && batches.Add(1) == 2 {
				die() // the batch is written, and not committed
			}
		}))
		if err := dying.Migrate(ctx); err == nil {
			t.Fatal("it did not die")
		}
		if left := count(t, raw(t, address), unsealed); left != n-store.SealBatch {
			t.Fatalf("%d are not sealed, want all but one batch", left)
		}
		allThere(t, open(t, config(address)), n)
		next := migrated(t, address)
		nothingReadable(t, e, address)
		allThere(t, next, n)
	})
}

func TestReplicasSealTogether(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const n = 2*store.SealBatch + 100
		address := former(t, e, n)
		var running sync.WaitGroup
		errs := make([]error, 4)
		stores := make([]*store.Store, len(errs))
		for i := range errs {
			stores[i] = open(t, config(address))
			running.Go(func() { errs[i] = stores[i].Migrate(t.Context()) })
		}
		running.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(detail(err))
			}
		}
		if left := count(t, raw(t, address), unsealed); left != 0 {
			t.Errorf("%d are not sealed", left)
		}
		for _, s := range stores {
			allThere(t, s, n)
			if sealed, err := s.SealRecords(t.Context()); err != nil || sealed != 0 {
				t.Errorf("%d were left to seal (%v)", sealed, err)
			}
		}
		nothingReadable(t, e, address)
	})
}

// While an upgrade is under way, a replica of the version before adds and changes customers without the columns
// that it does not know.
func TestWhatTheVersionBeforeStillWritesIsReadAndSealed(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := former(t, e, 2)
		s := migrated(t, address)
		db := bun.NewDB(raw(t, address), sqlitedialect.New())
		if e.name == "postgres" {
			db = bun.NewDB(db.DB, pgdialect.New())
		}
		if err := insertFormer(t.Context(), db, 2); err != nil {
			t.Fatal(err)
		}
		// It reads no phone number, keeps none, and takes the e-mail address from the provider.
		const late = "Later" + formerDomain
		if _, err := db.Exec("UPDATE customers SET email = ?, phone = '', search = ? WHERE id = ?", late, "ada number0 "+strings.ToLower(late), formerID(0)); err != nil {
			t.Fatal(err)
		}
		// What was damaged before must not keep the rest in the clear.
		if _, err := db.Exec("UPDATE customers SET email = ?, phone_sealed = ? WHERE id = ?", formerEmail(1), []byte{9}, formerID(1)); err != nil {
			t.Fatal(err)
		}
		check := func(when string) {
			t.Helper()
			found, err := s.Customers(t.Context(), []lending.CustomerID{lending.CustomerID(formerID(0)), lending.CustomerID(formerID(2))})
			if err != nil {
				t.Fatal(detail(err))
			}
			changed, added := found[lending.CustomerID(formerID(0))], found[lending.CustomerID(formerID(2))]
			if changed.Email != late || changed.Phone != formerPhone(0) || added.Email != formerEmail(2) || added.Phone != formerPhone(2) {
				t.Errorf("%s: %+v, %+v", when, changed, added)
			}
		}
		check("before")
		if sealed, err := s.SealRecords(t.Context()); err != nil || sealed != 3 {
			t.Fatalf("%d were sealed (%v)", sealed, err)
		}
		check("after")
		wantFound(t, s, late, 1)
		wantFound(t, s, formerEmail(0), 0)
		wantFound(t, s, formerPhone(2), 1)
		nothingReadable(t, e, address)
	})
}

func TestAnotherDataKeySealsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := former(t, e, 0)
		migrated(t, address)
		db := bun.NewDB(raw(t, address), sqlitedialect.New())
		if e.name == "postgres" {
			db = bun.NewDB(db.DB, pgdialect.New())
		}
		if err := insertFormer(t.Context(), db, 0); err != nil {
			t.Fatal(err)
		}
		c := config(address)
		c.DataKey = bytes.Repeat([]byte{8}, 32)
		if err := open(t, c).Migrate(t.Context()); err == nil {
			t.Fatal("another key was taken")
		}
		if left := count(t, db.DB, unsealed); left != 1 {
			t.Errorf("%d are not sealed, want the one", left)
		}
		allThere(t, migrated(t, address), 1)
	})
}

// Customers are found by an index, however many there are.
func TestContactsAreFoundByAnIndex(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := former(t, e, 5000)
		s := migrated(t, address)
		db := raw(t, address)
		if _, err := db.Exec("ANALYZE"); err != nil {
			t.Fatal(err)
		}
		for search, index := range map[string]string{
			formerEmail(9): "customers_email", "07071000009": "customers_phone", "ada " + formerPhone(9): "customers_phone",
		} {
			ctx, statements := store.CountStatements(t.Context())
			page, err := s.ListCustomers(ctx, lending.CustomerFilter{Search: search}, lending.PageRequest{First: 50})
			if err != nil || len(page.Edges) != 1 || statements() != 1 {
				t.Errorf("%q: %d customers in %d statements (%v)", search, len(page.Edges), statements(), err)
			}
			listing, err := s.ListSQL(lending.CustomerFilter{Search: search}, 51)
			if err != nil {
				t.Fatal(detail(err))
			}
			if plan := explained(t, e, db, listing); !strings.Contains(plan, index) {
				t.Errorf("%q is not found by %s:\n%s", search, index, plan)
			}
		}
		if plan := explained(t, e, db, store.UnsealedSQL); !strings.Contains(plan, "customers_unsealed") {
			t.Errorf("what is to be sealed is not found by its index:\n%s", plan)
		}
	})
}

// explained is how a database would run a statement.
func explained(t *testing.T, e engine, db *sql.DB, statement string) string {
	t.Helper()
	if e.name == "postgres" {
		return strings.Join(column(t, db, "EXPLAIN "+statement), "\n")
	}
	rows, err := db.Query("EXPLAIN QUERY PLAN " + statement)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(step + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// Who seals a customer while somebody changes them waits for the change, and seals what it left.
func TestSealingDoesNotUndoAChange(t *testing.T) {
	t.Parallel()
	if postgres == "" {
		t.Skip("on SQLite one transaction writes at a time; " + postgresVariable + " names no server")
	}
	e := engines()[1]
	address := former(t, e, 1)
	db := raw(t, address)
	changing, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if err := changing.QueryRow("SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	const changed = "changed" + formerDomain
	s := open(t, config(address))
	migrateFirst(t, s, address)
	if _, err := changing.Exec("UPDATE customers SET email = $1", changed); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.SealRecords(context.WithoutCancel(t.Context()))
		done <- err
	}()
	waiting := fmt.Sprintf("SELECT COUNT(*) FROM pg_stat_activity WHERE %d = ANY(pg_blocking_pids(pid))", pid)
	for deadline := time.Now().Add(2 * time.Minute); count(t, db, waiting) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the change")
		}
	}
	if err := changing.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(detail(err))
	}
	wantFound(t, s, changed, 1)
	wantFound(t, s, formerEmail(0), 0)
	nothingReadable(t, e, address)
}

// migrateFirst brings the schema up to date and puts a customer back as the version before writes one.
func migrateFirst(t *testing.T, s *store.Store, address string) {
	t.Helper()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(detail(err))
	}
	_, err := raw(t, address).Exec("UPDATE customers SET email = $1, phone = $2", formerEmail(0), formerPhone(0))
	if err != nil {
		t.Fatal(err)
	}
}
