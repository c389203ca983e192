package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// importBatch is how many customers one round of statements takes.
const importBatch = 1000

// arrival is one listed customer with the hash of who they are at the provider.
type arrival struct {
	service.ImportedCustomer
	index []byte
}

// ImportCustomers implements service.CustomerStore. Of a known customer the provider's fields change (name,
// e-mail, phone, statuses), where the provider told them; what only we know stays. Of two entries with one
// identity the last counts.
func (s *Store) ImportCustomers(ctx context.Context, provider lending.Provider, customers []service.ImportedCustomer) (added int, err error) {
	arrivals := s.arrivals(provider, customers)
	err = s.write(ctx, "import customers", "", func(ctx context.Context) error {
		added = 0
		for batch := range slices.Chunk(arrivals, importBatch) {
			n, err := s.importSome(ctx, provider, batch)
			if err != nil {
				return err
			}
			added += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// arrivals drops repeated identities and sorts by hash: concurrent imports that take rows in one order
// cannot wait for each other in a circle.
func (s *Store) arrivals(provider lending.Provider, customers []service.ImportedCustomer) []arrival {
	byIndex := map[string]arrival{}
	for _, c := range customers {
		index := s.vault.lookup(provider, c.ExternalID)
		byIndex[string(index)] = arrival{c, index}
	}
	arrivals := make([]arrival, 0, len(byIndex))
	for _, a := range byIndex {
		arrivals = append(arrivals, a)
	}
	slices.SortFunc(arrivals, func(a, b arrival) int { return bytes.Compare(a.index, b.index) })
	return arrivals
}

func (s *Store) importSome(ctx context.Context, provider lending.Provider, batch []arrival) (added int, err error) {
	known, err := s.knownCustomers(ctx, provider, batch)
	if err != nil {
		return 0, err
	}
	var fresh []arrival
	var changed []*customerRow
	for _, a := range batch {
		row, isKnown := known[string(a.index)]
		if !isKnown {
			fresh = append(fresh, a)
			continue
		}
		merged, err := s.merged(row, &a.Customer)
		if err != nil {
			return 0, err
		}
		if merged != nil {
			changed = append(changed, merged)
		}
	}
	if err := s.updateListed(ctx, changed); err != nil {
		return 0, err
	}
	return s.addListed(ctx, provider, fresh)
}

// knownCustomers finds who is known already, by the hash of their identity.
func (s *Store) knownCustomers(ctx context.Context, provider lending.Provider, batch []arrival) (map[string]*customerRow, error) {
	indexes := make([][]byte, len(batch))
	for i, a := range batch {
		indexes[i] = a.index
	}
	var links []identityRow
	err := s.writing(ctx).NewSelect().Model(&links).
		Where("entry.provider = ?", provider).Where("entry.external_index IN (?)", bun.List(indexes)).Scan(ctx)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	ids := make([]lending.CustomerID, len(links))
	for i, link := range links {
		ids[i] = link.CustomerID
	}
	var rows []*customerRow
	if err := s.writing(ctx).NewSelect().Model(&rows).Where("entry.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	byID := make(map[lending.CustomerID]*customerRow, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
	}
	known := make(map[string]*customerRow, len(links))
	for _, link := range links {
		known[string(link.ExternalIndex)] = byID[link.CustomerID]
	}
	return known, nil
}

// merged is a known customer's row with what the provider told; nil where that is no news.
func (s *Store) merged(row *customerRow, told *lending.Customer) (*customerRow, error) {
	known, err := s.toCustomer(row)
	if err != nil || !merge(known, told) {
		return nil, err
	}
	known.UpdatedAt = told.UpdatedAt
	if told.UpdatedAt.IsZero() {
		known.UpdatedAt = s.now()
	}
	return s.fromCustomer(known)
}

// merge takes over what the provider told of a known customer. It reports whether anything changed.
func merge(known, told *lending.Customer) (changed bool) {
	for _, f := range []struct {
		mine *string
		told string
	}{
		{&known.FirstName, told.FirstName},
		{&known.LastName, told.LastName},
		{&known.Email, told.Email},
		{&known.Phone, told.Phone},
		{&known.ProviderStatus, told.ProviderStatus},
		{(*string)(&known.Status), string(told.Status)},
		{(*string)(&known.KYCStatus), string(told.KYCStatus)},
	} {
		if f.told != "" && f.told != *f.mine {
			*f.mine, changed = f.told, true
		}
	}
	return changed
}

// contactColumns are those of e-mail address and phone number, and of what customers are found in.
func contactColumns() []string {
	return []string{"email", "email_sealed", "email_index", "phone", "phone_sealed", "phone_index", "search"}
}

// updateListed writes the provider's columns alone, so that a change of the others at the same time stays.
func (s *Store) updateListed(ctx context.Context, rows []*customerRow) error {
	if len(rows) == 0 {
		return nil
	}
	listed := []string{"first_name", "last_name", "status", "provider_status", "kyc_status", "updated_at"}
	return updateColumns(ctx, s.writing(ctx), rows, append(listed, contactColumns()...))
}

// updateColumns writes some columns of rows that are there, in one statement and in the order of their ids: two
// that write the same rows cannot wait for each other in a circle.
func updateColumns(ctx context.Context, db bun.IDB, rows []*customerRow, columns []string) error {
	slices.SortFunc(rows, func(a, b *customerRow) int { return cmp.Compare(a.ID, b.ID) })
	q := db.NewInsert().Model(&rows).On("CONFLICT (id) DO UPDATE")
	for _, column := range columns {
		q = q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	_, err := q.Exec(ctx)
	return err
}

// addListed adds customers whose identity is not known. Another import may be faster with some of them:
// theirs stay.
func (s *Store) addListed(ctx context.Context, provider lending.Provider, fresh []arrival) (added int, err error) {
	if len(fresh) == 0 {
		return 0, nil
	}
	now := micros(s.now())
	rows, links := make([]*customerRow, len(fresh)), make([]*identityRow, len(fresh))
	for i, a := range fresh {
		if rows[i], err = s.fromCustomer(&a.Customer); err != nil {
			return 0, err
		}
		rows[i].CreatedAt = cmp.Or(rows[i].CreatedAt, now)
		rows[i].UpdatedAt = cmp.Or(rows[i].UpdatedAt, now)
		links[i] = s.fromIdentity(lending.Identity{
			CustomerID: a.Customer.ID, Provider: provider, ExternalID: a.ExternalID, LinkedAt: moment(now),
		})
	}
	if err := s.insertNew(ctx, rows); err != nil {
		return 0, err
	}
	var linked []lending.CustomerID
	err = s.writing(ctx).NewInsert().Model(&links).On("CONFLICT (provider, external_index) DO NOTHING").
		Returning("customer_id").Scan(ctx, &linked)
	if err != nil {
		return 0, err
	}
	return len(linked), s.dropUnlinked(ctx, rows, linked)
}

func (s *Store) insertNew(ctx context.Context, rows []*customerRow) error {
	result, err := s.writing(ctx).NewInsert().Model(&rows).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	if err != nil {
		return err
	}
	inserted, err := result.RowsAffected()
	if err == nil && int(inserted) != len(rows) {
		err = conflicting("A listed customer has the id of another customer.",
			errors.New("an id for a new customer is taken"))
	}
	return err
}

// dropUnlinked takes the customers out again whose identity somebody else was faster to link.
func (s *Store) dropUnlinked(ctx context.Context, rows []*customerRow, linked []lending.CustomerID) error {
	if len(linked) == len(rows) {
		return nil
	}
	has := make(map[lending.CustomerID]bool, len(linked))
	for _, id := range linked {
		has[id] = true
	}
	var lost []lending.CustomerID
	for _, row := range rows {
		if !has[row.ID] {
			lost = append(lost, row.ID)
		}
	}
	_, err := s.writing(ctx).NewDelete().Model((*customerRow)(nil)).Where("entry.id IN (?)", bun.List(lost)).Exec(ctx)
	return err
}
