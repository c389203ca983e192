package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// silence is how long a connection may say nothing; the service says at least every 15 seconds that it is there.
const silence = 40 * time.Second

// errCut says that a stream ended without the service ending it.
var errCut = errors.New("the connection ended")

type request struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables,omitempty"`
}

// message is one of a subscription's; id is where to go on behind it, where the subscription can.
type message[Data any] struct {
	id   string
	data *Data
}

// stream yields what a subscription brings over server-sent events, for one connection. It ends when the service says
// so; an error is the last that is yielded.
func stream[Data any](ctx context.Context, s *session, document request, lastID string) iter.Seq2[message[Data], error] {
	return func(yield func(message[Data], error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		late := time.AfterFunc(silence, cancel)
		defer late.Stop()
		body, err := s.connect(ctx, document, lastID)
		if err != nil {
			yield(message[Data]{}, err)
			return
		}
		defer body.Close()
		for event, err := range events(body, func() { late.Reset(silence) }) {
			if err == nil && event.kind == "complete" {
				return
			}
			var next message[Data]
			if err == nil {
				next, err = decode[Data](event)
			}
			if !yield(next, err) || err != nil {
				return
			}
		}
	}
}

// connect begins a stream. An answer that is no stream is an error: GraphQL errors, where it has some.
func (s *session) connect(ctx context.Context, document request, lastID string) (io.ReadCloser, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Content-Type", "application/json")
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := s.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK && strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return response.Body, nil
	}
	defer response.Body.Close()
	var answer graphql.Response
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer); err == nil && len(answer.Errors) > 0 {
		return nil, answer.Errors
	}
	return nil, fmt.Errorf("%w: %s", errCut, response.Status)
}

// serverEvent is one event of a stream.
type serverEvent struct{ kind, id, data string }

// events reads a stream as the HTML standard has it, and says alive at each line. A stream that ends is an error.
func events(body io.Reader, alive func()) iter.Seq2[serverEvent, error] {
	return func(yield func(serverEvent, error) bool) {
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 16<<20)
		var event serverEvent
		for lines.Scan() {
			alive()
			name, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimPrefix(value, " ")
			switch name {
			case "event":
				event.kind = value
			case "id":
				event.id = value
			case "data":
				event.data += value + "\n"
			}
			if lines.Text() != "" {
				continue
			}
			if event.kind != "" && !yield(event, nil) {
				return
			}
			event = serverEvent{}
		}
		yield(serverEvent{}, errors.Join(errCut, lines.Err()))
	}
}

// decode reads an answer. Its errors come in place of data: a subscription that fails ends.
func decode[Data any](event serverEvent) (message[Data], error) {
	next := message[Data]{id: event.id, data: new(Data)}
	answer := struct {
		Data   *Data         `json:"data"`
		Errors gqlerror.List `json:"errors"`
	}{Data: next.data}
	if err := json.Unmarshal([]byte(event.data), &answer); err != nil {
		return next, fmt.Errorf("event %s: %w", event.id, err)
	}
	if answer.Data == nil {
		return next, answer.Errors
	}
	return next, nil // errors beside data concern parts of it
}
