package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
)

// secrets are personal values that a store is given and that must not be readable in its file.
const (
	secretIdentity = "BVN22298765432"
	secretImported = "USERNAME9812345678"
	secretNumber   = "NIN12345678901"
	secretReport   = "REPORTSUBJECT22212345678"
	secretInput    = "OTP445566ACCOUNT0123456789"
	secretResult   = "RESULTACCOUNT0123456789"
	secretBody     = "WEBHOOKBODY0801234567"
	secretURL      = "SIGNATUREabcdef0123456789"
	secretEmail    = "Canary.Person@Example.com"
	secretPhone    = "+2348070987651"
)

// savePersonal saves each of the secrets where the service puts such a value.
func savePersonal(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	_, imported := s.ImportCustomers(ctx, lending.Kredmint, []service.ImportedCustomer{
		{ExternalID: secretImported, Customer: lending.Customer{ID: "imported", Email: "imported." + secretEmail, Phone: secretPhone}},
	})
	_, _, begun := s.BeginOperation(ctx, &lending.Operation{
		ID: "op", ClientID: "c", Key: "k", Input: []byte(secretInput), Result: []byte(secretResult),
	})
	_, put := s.PutDelivery(ctx, &service.Delivery{
		ID: "d", Provider: lending.Kredete, DedupeKey: "k", Body: []byte(secretBody), State: service.DeliveryReceived,
	})
	for _, err := range []error{
		imported, begun, put,
		s.SaveCustomer(ctx, &lending.Customer{ID: "c", Email: secretEmail, Phone: secretPhone, Identification: &lending.Identification{Type: lending.NIN, Number: secretNumber}}),
		s.SaveCustomer(ctx, &lending.Customer{ID: "other"}),
		s.Link(ctx, lending.Identity{CustomerID: "c", Provider: lending.TrustDecision, ExternalID: secretIdentity}),
		s.Link(ctx, lending.Identity{CustomerID: "other", Provider: lending.TrustDecision, ExternalID: "another"}),
		s.SaveReport(ctx, &lending.CreditReport{ID: "r", CustomerID: "c", Content: &lending.ReportContent{BVN: secretReport}}),
		s.SaveDocument(ctx, &lending.Document{ID: "d", URL: "https://files.example/?s=" + secretURL}),
	} {
		if err != nil {
			t.Fatal(detail(err))
		}
	}
}

func TestPersonalValuesAreNotReadableInTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := migrated(t, "sqlite:"+filepath.Join(dir, "records.db"))
	savePersonal(t, s)
	if err := s.SaveWebhook(t.Context(), &lending.Webhook{ID: "w", URL: "READABLE"}); err != nil {
		t.Fatal(err)
	}
	var content []byte
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files { // the database and its journal
		bytes, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, bytes...)
	}
	if !bytes.Contains(content, []byte("READABLE")) {
		t.Fatal("what is not personal cannot be found either: the test looks in the wrong place")
	}
	for _, secret := range []string{
		secretIdentity, secretImported, secretNumber, secretReport, secretInput, secretResult, secretBody, secretURL,
		secretEmail, secretPhone[1:],
	} {
		if bytes.Contains(bytes.ToLower(content), bytes.ToLower([]byte(secret))) {
			t.Errorf("%s is readable in the file", secret)
		}
	}
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := migrated(t, "sqlite:"+filepath.Join(dir, "records.db"))
	savePersonal(t, s)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 2 {
		t.Errorf("%d files, want the database and its journal", len(files))
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the permissions %s", file.Name(), info.Mode())
		}
	}
}

// raw gives the database itself, beside the store.
func raw(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver, source := "pgx", address
	if path, found := strings.CutPrefix(address, "sqlite:"); found {
		driver, source = "sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSealedValueOpensInItsOwnPlaceAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		move string
		read func(ctx context.Context, s *store.Store) error
	}{
		"another customer's identity": {
			"UPDATE identities SET external_id = (SELECT external_id FROM identities WHERE customer_id = 'other') WHERE customer_id = 'c'",
			func(ctx context.Context, s *store.Store) error {
				_, err := s.Identities(ctx, []lending.CustomerID{"c"})
				return err
			},
		},
		"another column of the same row": {
			"UPDATE operations SET input = result",
			func(ctx context.Context, s *store.Store) error {
				_, err := s.Operations(ctx, []lending.OperationID{"op"})
				return err
			},
		},
		"another table": {
			"UPDATE customers SET identification_number = (SELECT content FROM credit_reports) WHERE id = 'c'",
			func(ctx context.Context, s *store.Store) error {
				_, err := s.ListCustomers(ctx, lending.CustomerFilter{}, lending.PageRequest{First: 10})
				return err
			},
		},
		"a key that we do not know": {
			"UPDATE webhook_inbox SET body = CAST(X'02' || substr(body, 2) AS BLOB)",
			func(ctx context.Context, s *store.Store) error {
				_, err := s.ClaimDeliveries(ctx, time.Unix(1, 0), time.Unix(1, 0), 1)
				return err
			},
		},
		"cut off": {
			"UPDATE credit_reports SET content = X'0102'",
			func(ctx context.Context, s *store.Store) error {
				_, err := s.Reports(ctx, []lending.ReportID{"r"})
				return err
			},
		},
		"another customer's phone number": {
			"UPDATE customers SET phone_sealed = (SELECT phone_sealed FROM customers WHERE id = 'imported') WHERE id = 'c'",
			func(ctx context.Context, s *store.Store) error {
				_, err := s.Customers(ctx, []lending.CustomerID{"c"})
				return err
			},
		},
		"not sealed at all": {
			"UPDATE documents SET url = CAST('https://files.example/somebody/elses' AS BLOB)",
			func(ctx context.Context, s *store.Store) error {
				_, err := s.Documents(ctx, []lending.DocumentID{"d"})
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "records.db")
			s := migrated(t, "sqlite:"+file)
			savePersonal(t, s)
			if err := c.read(t.Context(), s); err != nil {
				t.Fatal(detail(err))
			}
			if _, err := raw(t, "sqlite:"+file).Exec(c.move); err != nil {
				t.Fatal(err)
			}
			err := c.read(t.Context(), s)
			if lending.KindOf(err) != lending.KindInternal || !strings.Contains(detail(err), "cannot be opened") {
				t.Fatalf("reading gave %v", err)
			}
		})
	}
}

func TestAnotherDataKeyIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		address := e.address(t)
		migrated(t, address)
		c := config(address)
		c.DataKey = bytes.Repeat([]byte{8}, 32)
		err := open(t, c).Migrate(t.Context())
		if lending.KindOf(err) != lending.KindInternal || !strings.Contains(detail(err), "data key") {
			t.Fatalf("migrating with another key gave %v", err)
		}
		if err := open(t, config(address)).Migrate(t.Context()); err != nil {
			t.Fatalf("the right key: %s", detail(err))
		}
	})
}

// Who has the database alone cannot tell that somebody is the same person at two providers.
func TestOneIdentifierHasAnotherHashAtEachProvider(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "records.db")
	s := migrated(t, "sqlite:"+file)
	if err := s.SaveCustomer(t.Context(), &lending.Customer{ID: "c"}); err != nil {
		t.Fatal(detail(err))
	}
	for _, p := range lending.Providers() {
		if err := s.Link(t.Context(), lending.Identity{CustomerID: "c", Provider: p, ExternalID: "the same"}); err != nil {
			t.Fatal(detail(err))
		}
	}
	hashes := column(t, raw(t, "sqlite:"+file), "SELECT DISTINCT hex(external_index) FROM identities")
	if len(hashes) != len(lending.Providers()) {
		t.Errorf("%d hashes for %d providers", len(hashes), len(lending.Providers()))
	}
}
