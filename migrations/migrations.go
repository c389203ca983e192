// Package migrations holds the database's schema as numbered SQL files, each with its way back, for
// PostgreSQL and SQLite alike. The files are templates: what the two engines spell differently comes from
// [Types].
//
// The conventions of the schema:
//
//   - An amount is whole minor units and a currency; a NULL amount was not told.
//   - A time is microseconds since 1970 in UTC, 0 for none: a number compares the same on both engines.
//   - A day is YYYY-MM-DD, a decimal its exact digits, a list or a structure JSON text, ” for none.
//   - What is personal is sealed bytes; the store has the key.
//
// A file holds no directive that splits it and no transaction statement: the store runs all that is due in
// one transaction.
package migrations

import (
	"embed"
	"fmt"

	"github.com/uptrace/bun/migrate"
)

//go:embed *.sql
var files embed.FS

// Types are the words of one engine for the types of our columns.
type Types struct {
	ID    string // text that is compared byte by byte, so that both engines order it alike
	Int   string // 64 bits
	Bytes string
	Bool  string
	Table string // what follows a table's closing bracket
}

// PostgreSQL has the words of PostgreSQL.
func PostgreSQL() Types {
	return Types{ID: `TEXT COLLATE "C"`, Int: "BIGINT", Bytes: "BYTEA", Bool: "BOOLEAN"}
}

// SQLite has the words of SQLite. STRICT makes it refuse what is not of a column's type: no amount can
// become a float.
func SQLite() Types {
	return Types{ID: "TEXT", Int: "INTEGER", Bytes: "BLOB", Bool: "INTEGER", Table: " STRICT"}
}

// Load reads the migrations. An error is a mistake in the files' names.
func Load() (*migrate.Migrations, error) {
	all := migrate.NewMigrations()
	if err := all.Discover(files); err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return all, nil
}
