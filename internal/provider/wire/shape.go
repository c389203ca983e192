package wire

import (
	"bytes"
	"encoding/json"
)

// List is an array, or a single value in its place. An element that cannot be read is left out and
// counted in Skipped; null, "" and a missing list are empty.
type List[T any] struct {
	Items   []T
	Skipped int
}

// UnmarshalJSON never fails.
func (l *List[T]) UnmarshalJSON(data []byte) error {
	*l = List[T]{}
	data = bytes.TrimSpace(data)
	if isNull(data) || string(data) == `""` {
		return nil
	}
	var elements []json.RawMessage // a fresh one: RawMessage reuses what it holds, which must not be data
	switch {
	case data[0] != '[':
		elements = append(elements, data)
	case json.Unmarshal(data, &elements) != nil:
		l.Skipped = 1
		return nil
	}
	for _, element := range elements {
		var item T
		if isNull(element) || json.Unmarshal(element, &item) != nil {
			l.Skipped++
			continue
		}
		l.Items = append(l.Items, item)
	}
	return nil
}

// Object is an object, or an array in its place, of which the first readable element counts. Value is
// nil where there is neither.
type Object[T any] struct {
	Value *T
}

// UnmarshalJSON never fails.
func (o *Object[T]) UnmarshalJSON(data []byte) error {
	*o = Object[T]{}
	var list List[T]
	_ = list.UnmarshalJSON(data) // never fails
	if len(list.Items) > 0 {
		o.Value = &list.Items[0]
	}
	return nil
}

// Or is the object, or an empty one.
func (o Object[T]) Or() T {
	if o.Value == nil {
		var empty T
		return empty
	}
	return *o.Value
}
