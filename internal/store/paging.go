package store

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// place is where a row stands in an order: its key and, as the key may not be unique, its id.
type place struct {
	key int64
	id  string
}

// order is an order of rows of type R by a whole number and then by id.
type order[R any] struct {
	// name is part of every cursor, so that a cursor of one order is not taken for a place in another.
	name       string
	key        string // column
	unique     bool   // no two rows have the same key; the id is left out
	descending bool
	place      func(*R) place
}

// maxCursor bounds what is decoded of a cursor that somebody made up.
const maxCursor = 512

// cursor is a place as clients carry it. It is opaque to them.
func (o order[R]) cursor(row *R) string {
	at := o.place(row)
	return base64.RawURLEncoding.EncodeToString([]byte(o.name + ":" + strconv.FormatInt(at.key, 10) + ":" + at.id))
}

// read takes a cursor apart; nil for none. VALIDATION for anything that is no cursor of this order.
func (o order[R]) read(text, field string) (*place, error) {
	if text == "" {
		return nil, nil
	}
	bad := lending.Invalid(lending.Problem{
		Kind: lending.KindValidation, Field: []string{field},
		Message: "This is not a cursor of this list in this order. Use one that a page of the same list gave.",
	})
	if len(text) > maxCursor {
		return nil, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, bad
	}
	parts := strings.SplitN(string(raw), ":", 3)
	if len(parts) != 3 || parts[0] != o.name || strings.ContainsFunc(parts[2], notPrintable) {
		return nil, bad
	}
	key, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || strconv.FormatInt(key, 10) != parts[1] || (parts[2] == "") != o.unique {
		return nil, bad
	}
	return &place{key: key, id: parts[2]}, nil
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }

// window is a page request with its cursors read.
type window struct {
	size          int
	backward      bool
	after, before *place
}

// window reads a page request. More than lending.MaxPageSize entries are not given, however many are asked
// for.
func (o order[R]) window(page lending.PageRequest) (window, error) {
	w := window{size: min(page.Size(), lending.MaxPageSize), backward: page.Backward()}
	if w.size <= 0 {
		return window{}, lending.Invalid(lending.Problem{
			Kind: lending.KindValidation, Field: []string{"first"}, Message: "Ask for at least one entry.",
		})
	}
	var err error
	if w.after, err = o.read(page.After, "after"); err != nil {
		return window{}, err
	}
	if w.before, err = o.read(page.Before, "before"); err != nil {
		return window{}, err
	}
	return w, nil
}

// within keeps the rows between the window's cursors.
func (o order[R]) within(q *bun.SelectQuery, w window) *bun.SelectQuery {
	behind, ahead := bun.Safe(">"), bun.Safe("<")
	if o.descending {
		behind, ahead = ahead, behind
	}
	for _, bound := range []struct {
		at   *place
		side bun.Safe
	}{{w.after, behind}, {w.before, ahead}} {
		switch {
		case bound.at == nil:
		case o.unique:
			q = q.Where("entry.? ? ?", bun.Ident(o.key), bound.side, bound.at.key)
		default:
			q = q.Where("(entry.?, entry.id) ? (?, ?)", bun.Ident(o.key), bound.side, bound.at.key, bound.at.id)
		}
	}
	return q
}

// sorting is the ORDER BY of the order, turned round for a page that is counted from the end.
func (o order[R]) sorting(backward bool) string {
	direction := " ASC"
	if o.descending != backward {
		direction = " DESC"
	}
	if o.unique {
		return "entry." + o.key + direction
	}
	return "entry." + o.key + direction + ", entry.id" + direction
}

// assemble makes a page of rows that were read in the window's direction, with one more than its size where
// there are more.
func assemble[R, T any](rows []R, l listing[R, T], w window) (lending.Page[T], error) {
	more := len(rows) > w.size
	if more {
		rows = rows[:w.size]
	}
	page := lending.Page[T]{HasNext: more || w.before != nil, HasPrevious: w.after != nil}
	if w.backward {
		slices.Reverse(rows)
		page.HasNext, page.HasPrevious = w.before != nil, more || w.after != nil
	}
	for i := range rows {
		node, err := l.to(&rows[i])
		if err != nil {
			return lending.Page[T]{}, err
		}
		page.Edges = append(page.Edges, lending.Edge[T]{Node: node, Cursor: l.order.cursor(&rows[i])})
	}
	return page, nil
}
