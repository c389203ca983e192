package twin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// receiver keeps the webhooks that arrive, and answers as refuse says.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []string // "signature body"
	refuse func(n int) bool
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{refuse: func(int) bool { return false }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, request.Header.Get("Signature")+" "+string(body))
		if r.refuse(len(r.got)) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) arrived() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.got...)
}

func (r *receiver) delivery(event string) twin.Delivery {
	return twin.Delivery{
		Event: event, URL: r.URL, Body: []byte(event),
		Sign: func(request *http.Request, _ []byte, valid bool) {
			if request.Header.Set("Signature", "right"); !valid {
				request.Header.Set("Signature", "wrong")
			}
		},
	}
}

// noWait lets no time pass, and keeps what was to be waited for.
type noWait struct {
	mu    sync.Mutex
	spans []time.Duration
}

func (n *noWait) wait(ctx context.Context, span time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spans = append(n.spans, span)
	return ctx.Err()
}

func TestWebhooksArriveInOrderUnlessARuleSaysOtherwise(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		rule string
		want []string
	}{
		{"no rule", "", []string{"right a.1", "right a.2", "right b.3", "right b.4"}},
		{"duplicate", `{"kind":"duplicate","match":{"event":"a.2"}}`, []string{"right a.1", "right a.2", "right a.2", "right b.3", "right b.4"}},
		{"drop", `{"kind":"drop","match":{"event":"b"},"times":1}`, []string{"right a.1", "right a.2", "right b.4"}},
		{"wrong signature", `{"kind":"wrong_signature","match":{"event":"a"}}`, []string{"wrong a.1", "wrong a.2", "right b.3", "right b.4"}},
		{"reorder", `{"kind":"reorder","times":1}`, []string{"right a.2", "right a.1", "right b.3", "right b.4"}},
		{"reorder all of a kind", `{"kind":"reorder","match":{"event":"a"}}`, []string{"right b.3", "right a.1", "right a.2", "right b.4"}},
		{"reorder the last", `{"kind":"reorder","match":{"event":"b.4"}}`, []string{"right a.1", "right a.2", "right b.3", "right b.4"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, r := setup(t, twin.Options{}), newReceiver(t)
			if test.rule != "" {
				if status, text := s.mustCall(t, "POST", "/__sandbox/faults", test.rule); status != 201 {
					t.Fatal(text)
				}
			}
			for _, event := range []string{"a.1", "a.2", "b.3", "b.4"} {
				s.Sender.Send(r.delivery(event))
			}
			if status, text := s.mustCall(t, "POST", "/__sandbox/webhooks/flush", ""); status != 200 {
				t.Fatal(text)
			}
			if diff := cmp.Diff(test.want, r.arrived()); diff != "" {
				t.Errorf("arrived (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALateWebhookGoesAfterTheOthers(t *testing.T) {
	t.Parallel()
	due := make(chan struct{})
	s, r := setup(t, twin.Options{Sender: twin.SenderOptions{
		Wait: func(ctx context.Context, span time.Duration) error {
			if span != time.Hour {
				t.Errorf("waits for %s", span)
			}
			select {
			case <-due:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}}), newReceiver(t)
	if _, err := s.Faults.Add(twin.Rule{Kind: twin.Late, Delay: twin.Duration(time.Hour), Times: 1}); err != nil {
		t.Fatal(err)
	}
	s.Sender.Send(r.delivery("first"))
	s.Sender.Send(r.delivery("second"))
	held := r.delivery("held")
	held.After = time.Hour
	s.Sender.Send(held)
	for len(r.arrived()) == 0 {
		if t.Context().Err() != nil {
			t.Fatal("nothing arrived")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := s.Sender.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flush did not wait for the late ones: %v", err)
	}
	if diff := cmp.Diff([]string{"right second"}, r.arrived()); diff != "" {
		t.Errorf("arrived before the time (-want +got):\n%s", diff)
	}
	close(due)
	if err := s.Sender.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.arrived(); len(got) != 3 {
		t.Errorf("arrived: %v", got)
	}
}

func TestRetriesBackOffAndEnd(t *testing.T) {
	t.Parallel()
	pause := &noWait{}
	s := setup(t, twin.Options{Sender: twin.SenderOptions{Attempts: 3, Wait: pause.wait}})
	r := newReceiver(t)
	r.refuse = func(n int) bool { return n <= 4 } // all tries of the first, one of the second
	s.Sender.Send(r.delivery("first"))
	s.Sender.Send(r.delivery("second"))
	if err := s.Sender.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"right first", "right first", "right first", "right second", "right second"}
	if diff := cmp.Diff(want, r.arrived()); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	wantStats := twin.Stats{Delivered: 1, Failed: 1, Retried: 3}
	if diff := cmp.Diff(wantStats, s.Sender.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	wantSpans := []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 200 * time.Millisecond}
	if diff := cmp.Diff(wantSpans, pause.spans); diff != "" {
		t.Errorf("waited (-want +got):\n%s", diff)
	}
}

func TestTheReceiversAnswerCanBeJudgedByItsBody(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{Sender: twin.SenderOptions{Attempts: 2, Wait: (&noWait{}).wait}})
	r := newReceiver(t)
	d := r.delivery("a")
	d.Accepted = func(status int, body []byte) bool { return status == 200 && string(body) == `{"code":200}` }
	s.Sender.Send(d)
	if err := s.Sender.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Sender.Stats(); got.Failed != 1 || len(r.arrived()) != 2 {
		t.Errorf("%+v after %d tries", got, len(r.arrived()))
	}
}

func TestWebhooksStayOnThisMachine(t *testing.T) {
	t.Parallel()
	s, r := setup(t, twin.Options{}), newReceiver(t)
	for _, target := range []string{"https://your-server.com/webhooks/kredete", "http://10.1.2.3/", "::", ""} {
		d := r.delivery("away")
		d.URL = target
		s.Sender.Send(d)
	}
	s.Sender.Send(r.delivery("home"))
	if err := s.Sender.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(twin.Stats{Delivered: 1, Dropped: 4}, s.Sender.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	detour := httptest.NewServer(http.RedirectHandler(r.URL, http.StatusTemporaryRedirect))
	t.Cleanup(detour.Close)
	s := setup(t, twin.Options{Sender: twin.SenderOptions{Attempts: 1}})
	d := r.delivery("a")
	d.URL = detour.URL
	s.Sender.Send(d)
	if err := s.Sender.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(r.arrived()) != 0 || s.Sender.Stats().Failed != 1 {
		t.Errorf("arrived: %v, %+v", r.arrived(), s.Sender.Stats())
	}
}

func TestALongSeriesIsNotHeld(t *testing.T) {
	t.Parallel()
	s, r := setup(t, twin.Options{}), newReceiver(t)
	n := 0
	s.Sender.SendEach(func() (twin.Delivery, bool) {
		n++
		return r.delivery(fmt.Sprint(n)), n <= 300
	})
	s.Sender.Send(r.delivery("end"))
	if err := s.Sender.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := r.arrived()
	if len(got) != 301 || got[0] != "right 1" || got[299] != "right 300" || got[300] != "right end" {
		t.Errorf("%d arrived", len(got))
	}
}

func TestAStoppedSenderIsQuiet(t *testing.T) {
	t.Parallel()
	s, r := setup(t, twin.Options{}), newReceiver(t)
	late := r.delivery("late")
	late.After = time.Hour
	s.Sender.Send(late)
	s.Sender.Stop()
	s.Sender.Stop()
	s.Sender.Send(r.delivery("after"))
	if err := s.Sender.Flush(t.Context()); !errors.Is(err, twin.ErrStopped) {
		t.Errorf("flush of a stopped sender: %v", err)
	}
	if got := r.arrived(); len(got) != 0 {
		t.Errorf("arrived: %v", got)
	}
}
