package store

import (
	"github.com/creditgraph/creditgraph/internal/lending"
)

// SealBatch is how many customers one transaction seals.
const SealBatch = sealBatch

// ListSQL is the statement that lists customers.
func (s *Store) ListSQL(filter lending.CustomerFilter, size int) (string, error) {
	narrow, err := s.customersMatching(filter)
	if err != nil {
		return "", err
	}
	l := s.customerListing()
	var rows []customerRow
	return narrow(l.query(s.reader, &rows)).OrderExpr(l.order.sorting(false)).Limit(int64(size)).String(), nil
}

// UnsealedSQL is the statement that finds what is to be sealed.
const UnsealedSQL = "SELECT * FROM customers AS entry WHERE (entry.id > '') AND (entry.email <> '' OR entry.phone <> '') ORDER BY entry.id LIMIT 500"
