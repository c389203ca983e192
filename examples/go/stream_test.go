package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/examples/go/graph"
)

// newTestSession talks to a handler.
func newTestSession(t *testing.T, handler http.HandlerFunc) *session {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s := newSession(func(name string) string {
		return map[string]string{"CREDITGRAPH_URL": server.URL, "CREDITGRAPH_TOKEN": "a-token"}[name]
	})
	s.patience = time.Millisecond
	return s
}

func TestEventsOfAStream(t *testing.T) {
	t.Parallel()
	const text = ": the service is there\n\nevent: next\nid: 7\ndata: {\"a\":\ndata: 1}\n\nid: 8\n\nevent: complete\ndata:\n\nevent: next\ndata: half"
	var got []string
	alive := 0
	for event, err := range events(strings.NewReader(text), func() { alive++ }) {
		got = append(got, fmt.Sprintf("%s %s %q %v", event.kind, event.id, event.data, errors.Is(err, errCut)))
	}
	want := []string{`next 7 "{\"a\":\n1}\n" false`, `complete  "\n" false`, `  "" true`}
	if !slices.Equal(got, want) {
		t.Errorf("the events are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if lines := strings.Count(text, "\n") + 1; alive != lines {
		t.Errorf("the stream was alive %d times, want once for each of %d lines", alive, lines)
	}
}

// TestAFollowerComesBackWithItsLastCursor cuts it in the middle of an event, then refuses it once in passing, then for good.
func TestAFollowerComesBackWithItsLastCursor(t *testing.T) {
	t.Parallel()
	next := func(w io.Writer, id string) {
		fmt.Fprintf(w, "event: next\nid: %s\ndata: {\"data\":{\"events\":{\"cursor\":%[1]q,\"event\":{\"id\":\"event-%[1]s\"}}}}\n\n", id)
	}
	var began []string
	s := newTestSession(t, func(w http.ResponseWriter, r *http.Request) {
		began = append(began, r.Header.Get("Last-Event-ID"))
		w.Header().Set("Content-Type", "text/event-stream")
		switch len(began) {
		case 1:
			next(w, "1")
			next(w, "2")
			fmt.Fprint(w, "event: next\nid: 3\ndata: {\"da")
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			next(w, "3")
		default:
			fmt.Fprint(w, `event: next`+"\n"+`data: {"data":null,"errors":[{"message":"gone","extensions":{"code":"CURSOR_EXPIRED","retryable":false}}]}`+"\n\n")
		}
	})
	var taken []string
	err := follow(t.Context(), s, "0", func(one *event) { taken = append(taken, one.Id) }, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("it ended with %v", err)
	}
	if want := []string{"event-1", "event-2", "event-3"}; !slices.Equal(taken, want) {
		t.Errorf("it took %q, want %q", taken, want)
	}
	if want := []string{"0", "2", "2", "3"}; !slices.Equal(began, want) {
		t.Errorf("it began behind %q, want %q", began, want)
	}
}

func TestAFollowerEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newTestSession(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	if err := follow(ctx, s, "0", func(*event) {}, func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

// TestAnApplicationIsSentAgainWithItsKey loses an answer, is told to try again, and is answered.
func TestAnApplicationIsSentAgainWithItsKey(t *testing.T) {
	t.Parallel()
	var sent []string
	s := newTestSession(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent = append(sent, string(body))
		switch len(sent) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			fmt.Fprint(w, `{"data":null,"errors":[{"message":"later","extensions":{"code":"UNAVAILABLE","retryable":true}}]}`)
		default:
			fmt.Fprint(w, `{"data":{"applyForLoan":{"operation":{"id":"o","status":"SUCCEEDED"},"userErrors":[]}}}`)
		}
	})
	payload, err := apply(t.Context(), s, &graph.ApplyForLoanInput{IdempotencyKey: "one-key"})
	if err != nil || payload.Operation.Id != "o" {
		t.Fatal(payload, err)
	}
	if len(sent) != 3 || sent[0] != sent[1] || sent[1] != sent[2] || !strings.Contains(sent[0], `"one-key"`) {
		t.Errorf("it sent %q, want the same three times", sent)
	}
}

func TestWhatIsNotToBeSentAgain(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"a refusal":    `{"data":null,"errors":[{"message":"no","extensions":{"code":"FORBIDDEN","retryable":false}}]}`,
		"a user error": `{"data":{"applyForLoan":{"userErrors":[{"code":"VALIDATION","message":"no","field":["input"]}]}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := 0
			s := newTestSession(t, func(w http.ResponseWriter, _ *http.Request) {
				sent++
				fmt.Fprint(w, answer)
			})
			var refused *refusedError
			payload, err := apply(t.Context(), s, &graph.ApplyForLoanInput{})
			if err == nil || errors.As(err, &refused) != (name == "a user error") {
				t.Errorf("it came to %v, %v", payload, err)
			}
			if sent != 1 {
				t.Errorf("it was sent %d times, want once", sent)
			}
		})
	}
}
