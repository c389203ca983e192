package store

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// sealingMigration is the migration after which e-mail addresses and phone numbers are sealed.
const sealingMigration = "011"

// unsealBefore writes e-mail addresses and phone numbers into the clear again where the migration that sealed them is
// about to be taken back, and not the whole schema: the version before can read them no other way.
func (s *Store) unsealBefore(ctx context.Context, m *migrate.Migrator) error {
	all, err := m.MigrationsWithStatus(ctx)
	if err != nil {
		return err
	}
	group := all.LastGroup().Migrations
	has := func(name string) bool {
		return slices.ContainsFunc(group, func(m migrate.Migration) bool { return m.Name == name })
	}
	if !has(sealingMigration) || has(all[0].Name) {
		return nil
	}
	var after lending.CustomerID
	for {
		rows, err := s.unsealSome(ctx, m.DB(), after)
		if err != nil || len(rows) < sealBatch {
			return err
		}
		after = rows[len(rows)-1].ID
	}
}

func (s *Store) unsealSome(ctx context.Context, db bun.IDB, after lending.CustomerID) (rows []*customerRow, err error) {
	err = db.NewSelect().Model(&rows).Where("entry.id > ?", after).Order("entry.id").Limit(sealBatch).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	for _, row := range rows {
		customer, err := s.toCustomer(row)
		if err != nil {
			return nil, err
		}
		row.UnsealedEmail, row.UnsealedPhone = customer.Email, customer.Phone
		row.Search = strings.ToLower(strings.Join([]string{row.FirstName, row.LastName, customer.Email, customer.Phone}, " "))
	}
	return rows, updateColumns(ctx, db, rows, []string{"email", "phone", "search"})
}
