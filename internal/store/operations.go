package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// BeginOperation implements service.OperationStore. The unique indexes decide, so that of any number of
// callers at the same time one creates the operation.
func (s *Store) BeginOperation(ctx context.Context, operation *lending.Operation) (stored *lending.Operation, created bool, err error) {
	row, err := s.fromOperation(operation)
	if err != nil {
		return nil, false, failure("begin operation", err)
	}
	err = s.write(ctx, "begin operation", "", func(ctx context.Context) error {
		for range beginAttempts {
			if created, err = s.insertOperation(ctx, row); err != nil || created {
				stored = operation
				return err
			}
			if stored, err = s.OperationByKey(ctx, operation.ClientID, operation.Key); err == nil || !lending.IsNotFound(err) {
				return err
			}
			if err = s.operationInTheWay(ctx, operation); err != nil {
				return err
			}
		}
		return conflicting("Another operation is being settled. Try again.",
			errors.New("whatever was in the way of an operation was gone each time"))
	})
	if err != nil {
		return nil, false, err
	}
	return stored, created, nil
}

// beginAttempts is how often an operation is inserted when what stood in its way is settled in between.
const beginAttempts = 5

// insertOperation inserts unless any unique index is in the way.
func (s *Store) insertOperation(ctx context.Context, row *operationRow) (inserted bool, err error) {
	result, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// operationInTheWay is the CONFLICT with an operation that has this one's target, reference or id; nil when
// there is none any more.
func (s *Store) operationInTheWay(ctx context.Context, o *lending.Operation) error {
	var rows []operationRow
	err := s.writing(ctx).NewSelect().Model(&rows).
		WhereOr("entry.id = ?", o.ID).
		WhereOr("entry.target = ? AND entry.target <> '' AND entry.status NOT IN (?)", o.Target, bun.List(settled())).
		WhereOr("entry.provider = ? AND entry.kind = ? AND entry.reference = ? AND entry.reference <> '' AND entry.status <> ?",
			o.Provider, o.Kind, o.Reference, lending.OpFailed).
		Limit(1).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	if found := rows[0]; found.Target == o.Target && o.Target != "" && !found.Status.Settled() {
		return conflicting("Another operation on this is not settled yet. Wait for it to end.",
			errors.New("the target of an operation is taken"))
	}
	return conflicting("Another operation has this reference at the provider. Use another reference.",
		errors.New("the reference or id of an operation is taken"))
}

// Operations implements service.OperationStore.
func (s *Store) Operations(ctx context.Context, ids []lending.OperationID) (map[lending.OperationID]*lending.Operation, error) {
	return byIDs(ctx, s, s.operationListing(), ids, func(r *operationRow) lending.OperationID { return r.ID })
}

// OperationByReference implements service.OperationStore. Where a reference was used again after a failure, it
// is the operation that did not fail, or else the newest one.
func (s *Store) OperationByReference(ctx context.Context, provider lending.Provider, kind lending.OperationKind, reference string) (*lending.Operation, error) {
	return find(ctx, s, s.operationListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.provider = ?", provider).Where("entry.kind = ?", kind).
			Where("entry.reference = ?", reference).Where("entry.reference <> ''").
			OrderExpr("CASE WHEN entry.status = ? THEN 1 ELSE 0 END", lending.OpFailed).
			Order("entry.requested_at DESC", "entry.id DESC")
	})
}

// OperationByKey implements service.OperationStore.
func (s *Store) OperationByKey(ctx context.Context, clientID, key string) (*lending.Operation, error) {
	return find(ctx, s, s.operationListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.client_id = ?", clientID).Where("entry.key = ?", key)
	})
}

// OpenOperations implements service.OperationLister. A customer's operations are newest first.
func (s *Store) OpenOperations(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]*lending.Operation, error) {
	l := s.operationListing()
	l.from = func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.customer_id IN (?)", bun.List(customers)).
			Where("entry.status NOT IN (?)", bun.List(settled()))
	}
	return latest(ctx, s, l, customers, func(o *lending.Operation) lending.CustomerID { return o.CustomerID })
}

// ListOperations implements service.OperationLister.
func (s *Store) ListOperations(ctx context.Context, f lending.OperationFilter, page lending.PageRequest) (lending.Page[*lending.Operation], error) {
	return list(ctx, s, s.operationListing(), page, func(q *bun.SelectQuery) *bun.SelectQuery {
		q = among(among(among(q, "status", f.Status), "kind", f.Kinds), "provider", f.Providers)
		return equal(equal(q, "customer_id", f.CustomerID), "loan_id", f.LoanID)
	})
}

// UpdateOperation implements service.OperationStore. CONFLICT when its target or reference has been taken.
func (s *Store) UpdateOperation(ctx context.Context, operation *lending.Operation) error {
	return s.replaceOperation(ctx, operation, operation.Lease.Fence)
}

// TakeOperation implements service.OperationStore, with the errors of UpdateOperation.
func (s *Store) TakeOperation(ctx context.Context, operation *lending.Operation) error {
	next := operation.Lease.Fence + 1
	err := s.replaceOperation(ctx, operation, next)
	if err == nil {
		operation.Lease.Fence = next
	}
	return err
}

// replaceOperation replaces an operation whose stored fence is its own, and stores the next fence.
func (s *Store) replaceOperation(ctx context.Context, operation *lending.Operation, next int64) error {
	row, err := s.fromOperation(operation)
	if err != nil {
		return failure("update operation", err)
	}
	row.Fence = next
	const conflict = "Another operation has this target, or this reference at the provider."
	return s.write(ctx, "update operation", conflict, func(ctx context.Context) error {
		result, err := s.writing(ctx).NewUpdate().Model(row).
			WherePK().Where("entry.fence = ?", operation.Lease.Fence).Exec(ctx)
		if err != nil {
			return err
		}
		updated, err := result.RowsAffected()
		if err == nil && updated == 0 {
			return service.ErrLeaseLost
		}
		return err
	})
}

// ClaimOperations implements service.OperationStore. They come in the order in which they were due.
func (s *Store) ClaimOperations(ctx context.Context, owner string, now, until time.Time, limit int) ([]*lending.Operation, error) {
	l := s.operationListing()
	var claimed []*lending.Operation
	err := s.write(ctx, "claim operations", "", func(ctx context.Context) error {
		db := s.writing(ctx)
		var ids []lending.OperationID
		due := db.NewSelect().Model((*operationRow)(nil)).Column("id").
			Where("entry.status NOT IN (?)", bun.List(settled())).
			Where("entry.next_check_at > 0 AND entry.next_check_at <= ?", micros(now)).
			Where("entry.lease_until <= ?", micros(now)).
			Order("entry.next_check_at", "entry.id").Limit(int64(limit))
		if err := s.claiming(due).Scan(ctx, &ids); err != nil || len(ids) == 0 {
			return err
		}
		var rows []operationRow
		err := db.NewUpdate().Model(&rows).Set("lease_owner = ?", owner).Set("lease_until = ?", micros(until)).
			Set("fence = entry.fence + 1").Where("entry.id IN (?)", bun.List(ids)).Returning("*").Scan(ctx)
		if err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b operationRow) int {
			return cmp.Or(cmp.Compare(a.NextCheckAt, b.NextCheckAt), cmp.Compare(a.ID, b.ID))
		})
		for i := range rows {
			operation, err := l.to(&rows[i])
			if err != nil {
				return err
			}
			claimed = append(claimed, operation)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// claiming locks the rows that are to be claimed and passes over those that somebody else is claiming.
func (s *Store) claiming(q *bun.SelectQuery) *bun.SelectQuery {
	if s.engine.skipping == "" {
		return q
	}
	return q.For(s.engine.skipping)
}
