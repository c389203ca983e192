package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// listing is how rows of one kind are read: from where, in which order, and what becomes of them. All rows
// have the alias "entry" in SQL.
type listing[R, T any] struct {
	what  string // a noun: "loan"
	order order[R]
	from  func(*bun.SelectQuery) *bun.SelectQuery // nil for the row's own table
	to    func(*R) (T, error)
	// merged says that rows of this kind are read, brought up to date with news and written back: within a
	// transaction, reading one by its id or another key keeps it until the end, so that two pieces of news at
	// once are merged one after the other and neither is lost.
	merged bool
}

// narrowing adds conditions to a statement.
type narrowing func(*bun.SelectQuery) *bun.SelectQuery

func (l listing[R, T]) query(db bun.IDB, model any) *bun.SelectQuery {
	q := db.NewSelect().Model(model)
	if l.from != nil {
		return l.from(q)
	}
	return q
}

// list gives one page.
func list[R, T any](ctx context.Context, s *Store, l listing[R, T], page lending.PageRequest, narrow narrowing) (lending.Page[T], error) {
	w, err := l.order.window(page)
	if err != nil {
		return lending.Page[T]{}, err
	}
	var rows []R
	q := l.order.within(narrow(l.query(s.reading(ctx), &rows)), w)
	if err := q.OrderExpr(l.order.sorting(w.backward)).Limit(int64(w.size) + 1).Scan(ctx); err != nil {
		return lending.Page[T]{}, failure("list "+l.what, err)
	}
	return assemble(rows, l, w)
}

// listOf gives a page of each owner's rows in one statement, however many owners there are. An owner of
// nothing is not in the answer.
func listOf[O ~string, R, T any](ctx context.Context, s *Store, l listing[R, T], owners []O, column string, owner func(*R) O, page lending.PageRequest) (map[O]lending.Page[T], error) {
	w, err := l.order.window(page)
	if err != nil || len(owners) == 0 {
		return map[O]lending.Page[T]{}, err
	}
	db := s.reading(ctx)
	ranked := l.order.within(l.query(db, (*R)(nil)), w).
		ColumnExpr("entry.*").
		ColumnExpr("ROW_NUMBER() OVER (PARTITION BY entry.? ORDER BY ?) AS place",
			bun.Ident(column), bun.Safe(l.order.sorting(w.backward))).
		Where("entry.? IN (?)", bun.Ident(column), bun.List(owners))
	var rows []R
	err = db.NewSelect().Model(&rows).ModelTableExpr("(?) AS entry", ranked).
		Where("entry.place <= ?", w.size+1).OrderExpr("entry.place").Scan(ctx)
	if err != nil {
		return nil, failure("list "+l.what+" of owners", err)
	}
	groups := map[O][]R{}
	for _, row := range rows {
		groups[owner(&row)] = append(groups[owner(&row)], row)
	}
	pages := make(map[O]lending.Page[T], len(groups))
	for o, group := range groups {
		if pages[o], err = assemble(group, l, w); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// kept locks what a statement reads within a transaction, where rows are merged and other writers may come in
// between. Rows are locked by id, so that two readers of the same rows cannot wait for each other in a circle.
func (l listing[R, T]) kept(ctx context.Context, s *Store, q *bun.SelectQuery) *bun.SelectQuery {
	if !l.merged || s.tx(ctx) == nil || s.engine.locking == "" {
		return q
	}
	return q.OrderExpr("entry.id").For(s.engine.locking + " OF entry")
}

// byIDs gives those of the ids that exist.
func byIDs[K ~string, R, T any](ctx context.Context, s *Store, l listing[R, T], ids []K, id func(*R) K) (map[K]T, error) {
	found := make(map[K]T, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var rows []R
	q := l.query(s.reading(ctx), &rows).Where("entry.id IN (?)", bun.List(ids))
	if err := l.kept(ctx, s, q).Scan(ctx); err != nil {
		return nil, failure("read "+l.what, err)
	}
	for i := range rows {
		value, err := l.to(&rows[i])
		if err != nil {
			return nil, err
		}
		found[id(&rows[i])] = value
	}
	return found, nil
}

// gather gives all rows that narrow keeps, in its order.
func gather[R, T any](ctx context.Context, s *Store, l listing[R, T], narrow narrowing) ([]T, error) {
	var rows []R
	if err := narrow(l.query(s.reading(ctx), &rows)).Scan(ctx); err != nil {
		return nil, failure("read "+l.what, err)
	}
	values := make([]T, 0, len(rows))
	for i := range rows {
		value, err := l.to(&rows[i])
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// find gives the one row that narrow keeps; NOT_FOUND when there is none.
func find[R, T any](ctx context.Context, s *Store, l listing[R, T], narrow narrowing) (T, error) {
	values, err := gather(ctx, s, l, func(q *bun.SelectQuery) *bun.SelectQuery { return l.kept(ctx, s, narrow(q).Limit(1)) })
	if err == nil && len(values) == 0 {
		err = lending.NotFound(l.what)
	}
	if err != nil {
		var none T
		return none, err
	}
	return values[0], nil
}

// count counts the rows that narrow keeps.
func count[R, T any](ctx context.Context, s *Store, l listing[R, T], narrow narrowing) (int, error) {
	n, err := narrow(l.query(s.reading(ctx), (*R)(nil))).Count(ctx)
	return int(n), failure("count "+l.what, err)
}

// tally is how many rows an owner has.
type tally[O ~string] struct {
	Owner O
	Count int
}

// countOf counts each owner's rows in one statement.
func countOf[O ~string, R, T any](ctx context.Context, s *Store, l listing[R, T], owners []O, column string) (map[O]int, error) {
	counts := make(map[O]int, len(owners))
	if len(owners) == 0 {
		return counts, nil
	}
	var rows []tally[O]
	err := l.query(s.reading(ctx), (*R)(nil)).
		ColumnExpr("entry.? AS owner, COUNT(*) AS count", bun.Ident(column)).
		Where("entry.? IN (?)", bun.Ident(column), bun.List(owners)).
		GroupExpr("entry.?", bun.Ident(column)).Scan(ctx, &rows)
	for _, row := range rows {
		counts[row.Owner] = row.Count
	}
	return counts, failure("count "+l.what+" of owners", err)
}

// among keeps rows whose column holds one of the values; no values do not narrow.
func among[V any](q *bun.SelectQuery, column string, values []V) *bun.SelectQuery {
	if len(values) == 0 {
		return q
	}
	return q.Where("entry.? IN (?)", bun.Ident(column), bun.List(values))
}

// equal keeps rows whose column holds the value; no value does not narrow.
func equal[V ~string](q *bun.SelectQuery, column string, value V) *bun.SelectQuery {
	if value == "" {
		return q
	}
	return q.Where("entry.? = ?", bun.Ident(column), value)
}
