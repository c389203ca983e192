package store

// EventCursor is the place of an event in the log as clients carry it: the cursor that ListEvents gives
// the same event.
func (s *Store) EventCursor(sequence int64) string {
	return s.eventListing().order.cursor(&eventRow{Sequence: sequence})
}

// EventSequence takes the cursor of an event apart; VALIDATION for what is none. Whether the log reaches there,
// and still has all that follows, is told by what reads from there: [Store.EventsAfter], [Store.ListEvents].
func (s *Store) EventSequence(cursor string) (int64, error) {
	at, err := s.eventListing().order.read(cursor, "after")
	if err != nil || at == nil {
		return 0, err
	}
	return at.key, nil
}
