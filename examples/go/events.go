package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/creditgraph/creditgraph/examples/go/graph"
)

// newest is where the log ends. A follower begins behind a cursor: cut before its first event, it would not know where
// it was.
func newest(ctx context.Context, s *session) (string, error) {
	data, err := graph.NewestEvent(ctx, s.graph())
	if data == nil || data.Events == nil {
		return "", missing("events", err)
	}
	return deref(data.Events.PageInfo.EndCursor), nil
}

type event = graph.EventsEventsEventEnvelopeEvent

// follow hands over the events behind a cursor, each once, and comes back with the last cursor when the connection ends.
// It returns when the service refuses, for instance because events are missing that are no longer kept (CURSOR_EXPIRED).
func follow(ctx context.Context, s *session, cursor string, take func(*event), tell func(string)) error {
	document := request{Query: graph.Events_Operation}
	for attempt := 0; ; attempt++ {
		for message, err := range stream[graph.EventsResponse](ctx, s, document, cursor) {
			if err != nil {
				if ctx.Err() == nil && !retryable(err) {
					return err
				}
				tell(err.Error())
				break
			}
			take(message.data.Events.Event)
			cursor, attempt = cmp.Or(message.id, message.data.Events.Cursor), 0
		}
		if err := s.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func printEvents(ctx context.Context, s *session, out, log io.Writer, cursor string) error {
	if cursor == "" {
		var err error
		if cursor, err = newest(ctx, s); err != nil {
			return err
		}
	}
	fmt.Fprintln(log, "behind", cursor)
	err := follow(ctx, s, cursor, func(one *event) {
		status := "-"
		if one.Loan != nil {
			status = string(one.Loan.Status)
		}
		fmt.Fprintln(out, one.OccurredAt, one.Type, status, one.Id)
	}, func(text string) { fmt.Fprintln(log, text) })
	if errors.Is(err, context.Canceled) {
		return nil // as asked
	}
	return err
}
