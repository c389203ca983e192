package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// identityRow is who a customer is at one provider. ExternalIndex is the keyed hash of the external id: what
// it is found by, and what keeps it with one customer.
type identityRow struct {
	bun.BaseModel `bun:"table:identities,alias:entry"`

	CustomerID    lending.CustomerID `bun:",pk"`
	Provider      lending.Provider   `bun:",pk"`
	ExternalID    []byte
	ExternalIndex []byte
	LinkedAt      int64
}

func (r *identityRow) cell() cell {
	return cell{"identities", "external_id", string(joined(string(r.CustomerID), string(r.Provider)))}
}

func (s *Store) identityListing() listing[identityRow, lending.Identity] {
	return listing[identityRow, lending.Identity]{what: "identity", to: s.toIdentity}
}

func (s *Store) fromIdentity(i lending.Identity) *identityRow {
	row := &identityRow{
		CustomerID: i.CustomerID, Provider: i.Provider, LinkedAt: micros(i.LinkedAt),
		ExternalIndex: s.vault.lookup(i.Provider, i.ExternalID),
	}
	row.ExternalID = s.vault.seal(row.cell(), []byte(i.ExternalID))
	return row
}

func (s *Store) toIdentity(r *identityRow) (lending.Identity, error) {
	d := decoder{vault: s.vault}
	return lending.Identity{
		CustomerID: r.CustomerID, Provider: r.Provider, LinkedAt: moment(r.LinkedAt),
		ExternalID: string(d.open(r.cell(), r.ExternalID)),
	}, d.err
}

// Identities implements service.IdentityStore. A customer's identities are in the order of the providers'
// names.
func (s *Store) Identities(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error) {
	known := make(map[lending.CustomerID][]lending.Identity, len(customers))
	if len(customers) == 0 {
		return known, nil
	}
	found, err := gather(ctx, s, s.identityListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.customer_id IN (?)", bun.List(customers)).Order("entry.provider")
	})
	for _, identity := range found {
		known[identity.CustomerID] = append(known[identity.CustomerID], identity)
	}
	return known, err
}

// CustomerByIdentity implements service.IdentityStore.
func (s *Store) CustomerByIdentity(ctx context.Context, provider lending.Provider, externalID string) (lending.CustomerID, error) {
	l := listing[identityRow, lending.CustomerID]{
		what: "customer",
		to:   func(r *identityRow) (lending.CustomerID, error) { return r.CustomerID, nil },
	}
	return find(ctx, s, l, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.provider = ?", provider).Where("entry.external_index = ?", s.vault.lookup(provider, externalID))
	})
}

// Link implements service.IdentityStore. NOT_FOUND when there is no such customer.
func (s *Store) Link(ctx context.Context, identity lending.Identity) error {
	return s.write(ctx, "link identity", "This identity at the provider belongs to another customer.", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(s.fromIdentity(identity)).
			On("CONFLICT (customer_id, provider) DO UPDATE").Exec(ctx)
		return err
	})
}
