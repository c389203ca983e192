package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/store"
)

// recalling is a store with two customers, the first of whom is linked, and a clock to turn.
func recalling(t *testing.T) (*store.Recall, *time.Time) {
	t.Helper()
	s := migrated(t, "sqlite::memory:")
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for _, id := range []lending.CustomerID{"one", "two"} {
		if err := s.SaveCustomer(t.Context(), &lending.Customer{ID: id, FirstName: string(id), CreatedAt: now, UpdatedAt: now}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Link(t.Context(), lending.Identity{CustomerID: "one", Provider: lending.Kredete, ExternalID: "cust_1", LinkedAt: now}); err != nil {
		t.Fatal(err)
	}
	r, err := store.NewRecall(s, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return r, &now
}

func TestWhatWasReadIsKnownWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	r, _ := recalling(t)
	both := []lending.CustomerID{"one", "two"}
	customers, err := r.Customers(t.Context(), both)
	if err != nil {
		t.Fatal(err)
	}
	identities, err := r.Identities(t.Context(), both)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := r.Customers(t.Context(), both)
	if diff := cmp.Diff(customers, again); diff != "" || err != nil {
		t.Errorf("customers, error %v: %s", err, diff)
	}
	links, err := r.Identities(t.Context(), both)
	if err != nil || len(links["two"]) != 0 {
		t.Errorf("error %v, links of nobody: %v", err, links["two"])
	}
	if diff := cmp.Diff(identities["one"], links["one"]); diff != "" {
		t.Error(diff)
	}
	if _, err := r.Loans(t.Context(), []lending.LoanID{"loan"}); lending.KindOf(err) != lending.KindUnavailable {
		t.Errorf("a loan: %v", err)
	}
}

func TestWhoeverWasListedIsKnown(t *testing.T) {
	t.Parallel()
	r, _ := recalling(t)
	if _, err := r.ListCustomers(t.Context(), lending.CustomerFilter{}, lending.PageRequest{First: 1}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, id := range []lending.CustomerID{"one", "two"} {
		if found, err := r.Customers(t.Context(), []lending.CustomerID{id}); err == nil && found[id].ID == id {
			known++
		}
	}
	if known != 1 {
		t.Errorf("%d customers are known, and one was listed", known)
	}
}

func TestWhatIsNotKnownIsUnavailable(t *testing.T) {
	t.Parallel()
	r, now := recalling(t)
	if _, err := r.Customers(t.Context(), []lending.CustomerID{"one"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	// Whether the second one exists cannot be told, and must not look like NOT_FOUND.
	if found, err := r.Customers(t.Context(), []lending.CustomerID{"one", "two"}); lending.KindOf(err) != lending.KindUnavailable {
		t.Errorf("found %v, error %v", found, err)
	}
	*now = now.Add(time.Hour + time.Second)
	if found, err := r.Customers(t.Context(), []lending.CustomerID{"one"}); lending.KindOf(err) != lending.KindUnavailable {
		t.Errorf("after an hour: found %v, error %v", found, err)
	}
}

func TestARecallShowsWhatIsThereNow(t *testing.T) {
	t.Parallel()
	r, now := recalling(t)
	one := []lending.CustomerID{"one"}
	if _, err := r.Customers(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if err := r.SaveCustomer(t.Context(), &lending.Customer{ID: "one", FirstName: "renamed", CreatedAt: *now, UpdatedAt: *now}); err != nil {
		t.Fatal(err)
	}
	found, err := r.Customers(t.Context(), one)
	if err != nil || found["one"].FirstName != "renamed" {
		t.Errorf("found %v, error %v", found["one"], err)
	}
}
