package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
)

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	short := config("sqlite::memory:")
	short.DataKey = short.DataKey[:31]
	for name, c := range map[string]store.Config{
		"a short data key":     short,
		"another database":     config("mysql://root:hunter2@host/db"),
		"no database":          config(""),
		"SQLite without file":  config("sqlite:"),
		"a directory":          config("sqlite:" + t.TempDir()),
		"a missing directory":  config("sqlite:" + filepath.Join(t.TempDir(), "none", "records.db")),
		"no address":           config("postgres://root:hunter2@host:port:x/db"),
		"nobody at an address": config("postgres://root:hunter2@" + nobody(t) + "/db?sslmode=disable"),
	} {
		s, err := store.Open(t.Context(), c)
		if err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
			continue
		}
		if strings.Contains(detail(err)+err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestServerThatIsDownIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), config("postgres://root@"+nobody(t)+"/db?sslmode=disable"))
	if e := lending.AsError(err); e.Kind != lending.KindUnavailable || !e.Retryable {
		t.Fatalf("error %s", detail(err))
	}
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := migrated(t, e.address(t))
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(detail(err))
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Ping(t.Context()); lending.KindOf(err) != lending.KindUnavailable {
			t.Errorf("ping gave %v", err)
		}
		if err := s.SaveCustomer(t.Context(), &lending.Customer{ID: "c"}); lending.KindOf(err) != lending.KindUnavailable {
			t.Errorf("saving gave %v", err)
		}
	})
}

func TestMemoryDatabaseIsOfOneStoreAndGoesWithIt(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	one, two := migrated(t, "sqlite::memory:"), migrated(t, "sqlite::memory:")
	if err := one.SaveCustomer(t.Context(), &lending.Customer{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	if n, err := two.CountCustomers(t.Context(), lending.CustomerFilter{}); err != nil || n != 0 {
		t.Errorf("the other store has %d customers (%v)", n, err)
	}
	for _, s := range []*store.Store{one, two} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
		t.Errorf("%v stays behind (%v)", left, err)
	}
}

func TestRecordsOutliveTheStore(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := e.address(t)
		first := migrated(t, address)
		savePersonal(t, first)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		again := migrated(t, address)
		id, err := again.CustomerByIdentity(t.Context(), lending.TrustDecision, secretIdentity)
		if err != nil || id != "c" {
			t.Fatalf("found %q (%v)", id, err)
		}
		found, err := again.Identities(t.Context(), []lending.CustomerID{"c"})
		if err != nil || len(found["c"]) != 1 || found["c"][0].ExternalID != secretIdentity {
			t.Fatalf("found %d identities (%v)", len(found["c"]), err)
		}
	})
}

// Two processes on one database read and write in transactions at the same time: each sees the other's
// events in the order of the log, and none has to give up.
func TestTwoProcessesShareOneDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := e.address(t)
		stores := []*store.Store{migrated(t, address), open(t, config(address))}
		var running sync.WaitGroup
		errs := make([]error, 24)
		for i := range errs {
			s := stores[i%2]
			running.Go(func() {
				errs[i] = s.InTx(t.Context(), func(ctx context.Context) error {
					if _, err := s.LastSequence(ctx); err != nil {
						return err
					}
					return s.AppendEvents(ctx, &lending.Event{ID: lending.EventID(fmt.Sprint(i))})
				})
			})
		}
		running.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(detail(err))
			}
		}
		for _, s := range stores {
			events, err := s.EventsAfter(t.Context(), 0, 100)
			if err != nil || len(events) != len(errs) || events[len(errs)-1].Sequence != int64(len(errs)) {
				t.Errorf("%d events (%v)", len(events), err)
			}
		}
	})
}

// What a request asks for takes as many statements for fifty customers as for one.
func TestStatementsDoNotGrowWithRows(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := migrated(t, e.address(t))
		customers := fill(t, s, 50)
		first := lending.PageRequest{First: 5}
		var loans []lending.LoanID
		for _, id := range customers {
			loans = append(loans, lending.LoanID("loan-"+id))
		}
		for name, read := range map[string]func(ctx context.Context, n int) error{
			"customers":   func(ctx context.Context, n int) error { return second(s.Customers(ctx, customers[:n])) },
			"identities":  func(ctx context.Context, n int) error { return second(s.Identities(ctx, customers[:n])) },
			"loans":       func(ctx context.Context, n int) error { return second(s.LoansOf(ctx, customers[:n], first)) },
			"loan counts": func(ctx context.Context, n int) error { return second(s.CountLoansOf(ctx, customers[:n])) },
			"activity":    func(ctx context.Context, n int) error { return second(s.LoanActivity(ctx, customers[:n])) },
			"exposures":   func(ctx context.Context, n int) error { return second(s.Exposures(ctx, customers[:n])) },
			"payments": func(ctx context.Context, n int) error {
				return second(s.PaymentsOfCustomers(ctx, customers[:n], first))
			},
			"loans' payments": func(ctx context.Context, n int) error { return second(s.PaymentsOfLoans(ctx, loans[:n], first)) },
			"scores":          func(ctx context.Context, n int) error { return second(s.ScoresOf(ctx, customers[:n], first)) },
			"latest scores":   func(ctx context.Context, n int) error { return second(s.LatestScores(ctx, customers[:n])) },
			"reports":         func(ctx context.Context, n int) error { return second(s.ReportsOf(ctx, customers[:n], first)) },
			"latest reports":  func(ctx context.Context, n int) error { return second(s.LatestReports(ctx, customers[:n])) },
			"open operations": func(ctx context.Context, n int) error { return second(s.OpenOperations(ctx, customers[:n])) },
			"events":          func(ctx context.Context, n int) error { return second(s.EventsOf(ctx, customers[:n], first)) },
			"a page of customers": func(ctx context.Context, n int) error {
				return second(s.ListCustomers(ctx, lending.CustomerFilter{}, lending.PageRequest{First: n}))
			},
		} {
			for _, n := range []int{1, 50} {
				ctx, statements := store.CountStatements(t.Context())
				if err := read(ctx, n); err != nil {
					t.Fatal(detail(err))
				}
				if statements() != 1 {
					t.Errorf("%s of %d took %d statements", name, n, statements())
				}
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// fill makes customers with a loan each.
func fill(t *testing.T, s *store.Store, n int) []lending.CustomerID {
	t.Helper()
	var listed []service.ImportedCustomer
	var ids []lending.CustomerID
	for i := range n {
		id := lending.CustomerID(fmt.Sprintf("c%03d", i))
		ids = append(ids, id)
		listed = append(listed, service.ImportedCustomer{ExternalID: string(id), Customer: lending.Customer{ID: id}})
	}
	ctx, statements := store.CountStatements(t.Context())
	if _, err := s.ImportCustomers(ctx, lending.Kredete, listed); err != nil {
		t.Fatal(detail(err))
	}
	if statements() > 5 {
		t.Errorf("the import of %d took %d statements", n, statements())
	}
	err := s.InTx(t.Context(), func(ctx context.Context) error {
		for _, id := range ids {
			loan := &lending.Loan{
				ID: lending.LoanID("loan-" + id), CustomerID: id, Provider: lending.Kredete,
				Status: lending.LoanActive, Principal: lending.NewMoney(100, lending.NGN),
			}
			if err := s.SaveLoan(ctx, loan); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(detail(err))
	}
	return ids
}

func TestObserverIsToldOperationsAndNoValues(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		var mu sync.Mutex
		seen, texts := map[string]int{}, ""
		s := migrated(t, e.address(t), store.WithObserver(func(_ context.Context, operation string, took time.Duration, err error) {
			mu.Lock()
			defer mu.Unlock()
			seen[operation]++
			texts += fmt.Sprintln(operation, err)
			if took < 0 {
				t.Errorf("%s took %s", operation, took)
			}
		}))
		clear(seen)
		ctx := t.Context()
		secret := "secret'value"
		loan := &lending.Loan{ID: "l", Provider: lending.Kredete, Reference: secret, Principal: lending.NewMoney(1, lending.NGN)}
		if err := s.SaveLoan(ctx, loan); err != nil {
			t.Fatal(detail(err))
		}
		if _, err := s.CountLoans(ctx, lending.LoanFilter{CustomerID: lending.CustomerID(secret)}); err != nil {
			t.Fatal(detail(err))
		}
		err := s.Link(ctx, lending.Identity{CustomerID: lending.CustomerID(secret), Provider: lending.Kredete, ExternalID: secret})
		if lending.KindOf(err) != lending.KindNotFound {
			t.Fatalf("linking nobody gave %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		want := []string{
			"begin", "commit", "delete loan_installments", "insert identities", "insert loans", "rollback", "select loans", "update",
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
			t.Error(diff)
		}
		if strings.Contains(texts, "secret") || !strings.Contains(texts, "insert identities") {
			t.Errorf("the observer was told:\n%s", texts)
		}
	})
}

func TestErrorsKeepTheDriversErrorButNotItsText(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := migrated(t, e.address(t))
		// A text with a zero byte cannot be written; bun makes the statement one that the engine refuses.
		err := s.SaveCustomer(t.Context(), &lending.Customer{ID: "c", FirstName: "Secret\x00name", LastName: "Secretlast"})
		if lending.KindOf(err) != lending.KindInternal {
			t.Fatalf("kind %s", lending.KindOf(err))
		}
		if strings.Contains(strings.ToLower(detail(err)+err.Error()), "secret") {
			t.Errorf("the error tells: %s", detail(err))
		}
		if errors.Unwrap(lending.AsError(err).Err) == nil {
			t.Error("the cause is lost")
		}
	})
}

func TestClients(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := migrated(t, e.address(t))
		ctx := t.Context()
		made := time.Date(2026, 4, 1, 0, 0, 0, 1000, time.UTC)
		one := store.Client{ID: "one", Name: "Web", SecretHash: []byte{0, 1, 255}, Scopes: []string{"read:loans", "operate"}, CustomerID: "ada", Plan: "enterprise", CreatedAt: made}
		two := store.Client{ID: "two", Name: "Apps", SecretHash: []byte{2}, CreatedAt: made.Add(-time.Hour)}
		for _, c := range []store.Client{one, two} {
			if err := s.AddClient(ctx, c); err != nil {
				t.Fatal(detail(err))
			}
		}
		if err := s.AddClient(ctx, two); lending.KindOf(err) != lending.KindConflict {
			t.Errorf("a client of a known id gave %v", err)
		}
		one.SecretHash, one.RevokedAt = []byte{3}, made.Add(time.Hour)
		if err := errors.Join(s.RotateClient(ctx, "one", one.SecretHash), s.RevokeClient(ctx, "one", one.RevokedAt), s.RevokeClient(ctx, "one", made)); err != nil {
			t.Fatal(detail(err))
		}
		if err := s.RotateClient(ctx, "one", []byte{4}); lending.KindOf(err) != lending.KindConflict {
			t.Errorf("rotating a revoked client gave %v", err)
		}
		if err := errors.Join(s.RotateClient(ctx, "none", nil), s.RevokeClient(ctx, "none", made)); !lending.IsNotFound(err) {
			t.Errorf("changing an unknown client gave %v", err)
		}
		list, err := s.ListClients(ctx)
		if err != nil {
			t.Fatal(detail(err))
		}
		if diff := cmp.Diff([]*store.Client{&two, &one}, list); diff != "" {
			t.Error(diff)
		}
		found, err := s.Client(ctx, "one")
		if err != nil {
			t.Fatal(detail(err))
		}
		if diff := cmp.Diff(&one, found); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Client(ctx, "none"); !lending.IsNotFound(err) {
			t.Errorf("an unknown client gave %v", err)
		}
	})
}

// TestRotatingNeverUndoesARevocation has clients rotated and revoked at the same moment, from two processes.
func TestRotatingNeverUndoesARevocation(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := e.address(t)
		revoking, rotating := migrated(t, address), migrated(t, address)
		at := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
		for i := range 20 {
			id := fmt.Sprint("client-", i)
			if err := revoking.AddClient(t.Context(), store.Client{ID: id, SecretHash: []byte("old"), CreatedAt: at}); err != nil {
				t.Fatal(detail(err))
			}
			begin, rotated := make(chan struct{}), make(chan error)
			go func() {
				<-begin
				var err error
				for n := 0; err == nil && n < 50; n++ {
					err = rotating.RotateClient(t.Context(), id, []byte{byte(n)})
				}
				rotated <- err
			}()
			close(begin)
			if err := revoking.RevokeClient(t.Context(), id, at); err != nil {
				t.Fatal(detail(err))
			}
			if err := <-rotated; err != nil && lending.KindOf(err) != lending.KindConflict {
				t.Fatal(detail(err))
			}
			if client, err := revoking.Client(t.Context(), id); err != nil || !client.RevokedAt.Equal(at) {
				t.Fatalf("client %d is %+v: %v", i, client, err)
			}
		}
	})
}
