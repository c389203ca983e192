package twin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// stand is a small twin on a real port: POST /things makes a thing, GET /things/{id} shows it.
type stand struct {
	*twin.Core
	server *twin.Server
	client *http.Client
	clock  *clock
	url    string
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(span time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(span)
}

func setup(t *testing.T, options twin.Options) *stand {
	t.Helper()
	s := &stand{clock: &clock{now: time.Date(2026, 4, 16, 10, 30, 5, 0, time.UTC)}}
	options.Clock = s.clock.Now
	s.Core = twin.New(options)
	ids := twin.NewIDs(1)
	routes := http.NewServeMux()
	routes.HandleFunc("POST /things", func(w http.ResponseWriter, r *http.Request) {
		var thing struct {
			Name string `json:"name"`
		}
		body, err := twin.ReadJSON(r, &thing)
		if err != nil {
			twin.WriteJSON(w, http.StatusBadRequest, map[string]string{"problem": err.Error()})
			return
		}
		if r.Context().Err() != nil {
			return // as a handler does that looks after its caller
		}
		id := ids.Next("thing_")
		s.Effects.Record(twin.Effect{
			Operation: "thing.create", Key: thing.Name, EntityID: id, Fingerprint: twin.Fingerprint(body),
		})
		twin.WriteJSON(w, http.StatusCreated, map[string]string{"id": id, "name": thing.Name})
	})
	routes.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) {
		twin.WriteJSON(w, http.StatusOK, map[string]string{"id": r.PathValue("id")})
	})
	s.server = twin.NewServer(":0", s.Handler(routes), nil)
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	s.url, s.client = s.server.URL(), &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		s.Core.Stop()
		if err := s.server.Stop(); err != nil {
			t.Error(err)
		}
		s.client.CloseIdleConnections()
	})
	return s
}

// call sends a request and reads the whole answer; err is what broke of either.
func (s *stand) call(ctx context.Context, method, path, body string) (*http.Response, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response, string(text), err
}

func (s *stand) mustCall(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	response, text, err := s.call(t.Context(), method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, text
}

func TestFaultsOfAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		rule       string
		wantStatus int // 0: the connection breaks
		wantBody   string
		wantBroken bool // the body breaks off
		wantEffect bool
	}{
		{"cut before the effect", `{"kind":"cut_before_effect"}`, 0, "", false, false},
		{"cut after the effect", `{"kind":"cut_after_effect"}`, 0, "", false, true},
		{"half of the body", `{"kind":"half_body"}`, 201, `{"id":"thing_`, true, true},
		{"the provider's own error", `{"kind":"status","status":503}`, 503, `{"refused":503}`, false, false},
		{"another body", `{"kind":"status","status":422,"body":"{\"no\":1}"}`, 422, `{"no":1}`, false, false},
		{"an error after the effect", `{"kind":"status","status":500,"after_effect":true}`, 500, `{"refused":500}`, false, true},
		{"rate limited", `{"kind":"rate_limited"}`, 429, `{"refused":429}`, false, false},
		{"a page of HTML", `{"kind":"html"}`, 502, `<html>`, false, false},
		{"HTML after the effect", `{"kind":"html","after_effect":true}`, 502, `<html>`, false, true},
		{"garbage", `{"kind":"garbage"}`, 200, "{\"id\":\x00", false, false},
		{"garbage after the effect", `{"kind":"garbage","after_effect":true}`, 200, "{\"id\":\x00", false, true},
		{"a delay", `{"kind":"delay","delay":"1ms"}`, 201, `{"id":`, false, true},
		{"a delayed answer", `{"kind":"delay","delay":"1ms","after_effect":true}`, 201, `{"id":`, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := setup(t, twin.Options{Refuse: refuse})
			if status, text := s.mustCall(t, "POST", "/__sandbox/faults", strings.Replace(test.rule, "{", `{"times":1,`, 1)); status != 201 {
				t.Fatalf("the rule was refused: %s", text)
			}
			response, text, err := s.call(t.Context(), "POST", "/things", `{"name":"a"}`)
			switch {
			case test.wantStatus == 0 && response != nil, test.wantStatus != 0 && response == nil:
				t.Fatalf("answer %v, error %v; want status %d", response, err, test.wantStatus)
			case response != nil && response.StatusCode != test.wantStatus:
				t.Errorf("status %d, want %d", response.StatusCode, test.wantStatus)
			}
			if !strings.HasPrefix(text, test.wantBody) {
				t.Errorf("body %q, want it to begin with %q", text, test.wantBody)
			}
			if broken := errors.Is(err, io.ErrUnexpectedEOF); broken != test.wantBroken {
				t.Errorf("the body broke off: %v (%v), want %v", broken, err, test.wantBroken)
			}
			if got := len(s.Effects.List("thing.create")) == 1; got != test.wantEffect {
				t.Errorf("carried out: %v, want %v", got, test.wantEffect)
			}
			if status, _ := s.mustCall(t, "POST", "/things", `{"name":"b"}`); status != 201 {
				t.Errorf("the fault is not over: %d", status)
			}
		})
	}
}

func refuse(w http.ResponseWriter, _ *http.Request, status int) {
	twin.WriteJSON(w, status, map[string]int{"refused": status})
}

func TestAHangLastsUntilTheClientGoes(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		s := setup(t, twin.Options{})
		if _, err := s.Faults.Add(twin.Rule{Kind: twin.Hang, Times: 1, AfterEffect: after}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, _, err := s.call(ctx, "POST", "/things", `{"name":"a"}`)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after effect %v: %v", after, err)
		}
		if got := len(s.Effects.List("")) == 1; got != after {
			t.Errorf("carried out: %v, want %v", got, after)
		}
	}
}

func TestStopLetsGoOfWhatHangs(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{})
	if _, err := s.Faults.Add(twin.Rule{Kind: twin.Hang}); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, _, err := s.call(context.Background(), "GET", "/things/1", "")
		answered <- err
	}()
	for s.Calls.Counts()["GET /things/{id}"] == 0 {
		if t.Context().Err() != nil {
			t.Fatal("the call never arrived")
		}
	}
	s.Core.Stop()
	s.Core.Stop()
	if err := <-answered; err == nil {
		t.Error("a request that hung was answered")
	}
}

func TestADelayedRequestIsCarriedOutForAClientWhoLeft(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{})
	rule := twin.Rule{Kind: twin.Delay, Delay: twin.Duration(60 * time.Millisecond), Times: 1}
	if _, err := s.Faults.Add(rule); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := s.call(ctx, "POST", "/things", `{"name":"a"}`); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the call ended with %v", err)
	}
	if err := s.server.Stop(); err != nil { // waits for what is being handled
		t.Fatal(err)
	}
	if got := len(s.Effects.List("")); got != 1 {
		t.Errorf("%d effects, want 1", got)
	}
}

func TestRulesMatchSkipAndRunOut(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{})
	add := func(r twin.Rule) {
		t.Helper()
		if _, err := s.Faults.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	add(twin.Rule{Kind: twin.Status, Status: 500, Match: twin.Match{Method: "POST", Path: "/th"}, Skip: 1, Times: 2})
	add(twin.Rule{Kind: twin.Status, Status: 404, Match: twin.Match{Method: "GET", Path: "/things/9"}})
	add(twin.Rule{Kind: twin.Drop}) // of webhooks: not of requests
	var got []int
	for _, call := range [][2]string{
		{"POST", "/things"},
		{"POST", "/things"},
		{"POST", "/things"},
		{"POST", "/things"},
		{"GET", "/things/1"},
		{"GET", "/things/9"},
		{"GET", "/things/9"},
	} {
		status, _ := s.mustCall(t, call[0], call[1], `{"name":"a"}`)
		got = append(got, status)
	}
	if diff := cmp.Diff([]int{201, 500, 500, 201, 200, 404, 404}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if left := len(s.Faults.List()); left != 2 {
		t.Errorf("%d rules are left, want 2", left)
	}
	if status, _ := s.mustCall(t, "DELETE", "/__sandbox/faults", ""); status != 204 || len(s.Faults.List()) != 0 {
		t.Errorf("clearing answered %d and left %v", status, s.Faults.List())
	}
}

func TestRulesThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{})
	for _, rule := range []string{
		`{}`, `{"kind":"explode"}`, `{"kind":"status"}`, `{"kind":"status","status":200}`, `{"kind":"delay"}`,
		`{"kind":"late"}`, `{"kind":"drop","times":-1}`, `{"kind":"drop","colour":"red"}`, `{"kind":"drop"} {}`,
		`{"kind":"delay","delay":"soon"}`, `{"kind":"cut_before_effect","after_effect":true}`, `[]`, ``,
	} {
		if status, text := s.mustCall(t, "POST", "/__sandbox/faults", rule); status != 400 {
			t.Errorf("%s: %d %s", rule, status, text)
		}
	}
	if left := s.Faults.List(); len(left) != 0 {
		t.Errorf("rules were added: %v", left)
	}
}

func TestEffectsAndCallsAreCountedUntilReset(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{})
	s.mustCall(t, "POST", "/things", `{"name":"a"}`)
	s.mustCall(t, "POST", "/things", `{"name":"a"}`)
	s.mustCall(t, "POST", "/things", `{"nome":"a"}`)
	s.mustCall(t, "PUT", "/nowhere", "")
	var effects struct{ Effects []twin.Effect }
	read(t, s, "/__sandbox/effects", &effects)
	print := twin.Fingerprint([]byte(`{"name":"a"}`))
	want := []twin.Effect{
		{Sequence: 1, At: s.clock.Now(), Operation: "thing.create", Key: "a", Fingerprint: print},
		{Sequence: 2, At: s.clock.Now(), Operation: "thing.create", Key: "a", Fingerprint: print},
	}
	if diff := cmp.Diff(want, effects.Effects, cmpopts.IgnoreFields(twin.Effect{}, "EntityID")); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	if effects.Effects[0].EntityID == effects.Effects[1].EntityID {
		t.Error("two things have one id")
	}
	var calls struct{ Calls map[string]int }
	read(t, s, "/__sandbox/calls", &calls)
	if diff := cmp.Diff(map[string]int{"POST /things": 3, "PUT (no route)": 1}, calls.Calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	s.mustCall(t, "POST", "/__sandbox/reset-counts", "")
	if len(s.Effects.List("")) != 0 || len(s.Calls.Counts()) != 0 {
		t.Error("something is still counted")
	}
}

func read(t *testing.T, s *stand, path string, into any) {
	t.Helper()
	status, text := s.mustCall(t, "GET", path, "")
	if err := json.Unmarshal([]byte(text), into); err != nil || status != 200 {
		t.Fatalf("%s: %d %s: %v", path, status, text, err)
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{})
	for body, want := range map[string]string{
		`{"name":1}`:                        "field name",
		`{"name":"a","age":3}`:              "field age",
		`{"name":"a"} x`:                    "behind the object",
		`{"name":`:                          "unexpected EOF",
		strings.Repeat(" ", 1<<20) + `{"n"`: "1 MiB",
	} {
		if status, text := s.mustCall(t, "POST", "/things", body); status != 400 || !strings.Contains(text, want) {
			t.Errorf("%.30s: %d %s, want %q", body, status, text, want)
		}
	}
}

func TestTheServerComesBackOnItsPort(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{})
	for range 3 {
		if err := s.server.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := s.server.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.call(t.Context(), "GET", "/things/1", ""); err == nil {
			t.Fatal("a stopped server answers")
		}
		if err := s.server.Start(); err != nil {
			t.Fatal(err)
		}
		if err := s.server.Start(); err != nil {
			t.Fatal(err)
		}
		if status, _ := s.mustCall(t, "GET", "/things/1", ""); status != 200 {
			t.Fatalf("status %d", status)
		}
	}
	if !strings.HasPrefix(s.server.URL(), "http://127.0.0.1:") {
		t.Errorf("it serves at %s", s.server.URL())
	}
	taken := twin.NewServer(strings.TrimPrefix(s.url, "http://"), http.NotFoundHandler(), nil)
	if err := taken.Start(); err == nil {
		t.Error("two servers have one port")
	}
}

func TestIDsAreTheSameInEachRunAndNeverTwice(t *testing.T) {
	t.Parallel()
	one, same, other := twin.NewIDs(3), twin.NewIDs(3), twin.NewIDs(4)
	seen := map[string]bool{}
	for range 10_000 {
		id := one.Next("loan_")
		if again := same.Next("loan_"); again != id {
			t.Fatalf("%s and %s", id, again)
		}
		for _, id := range []string{id, other.Next("loan_")} {
			if seen[id] || len(id) != 17 {
				t.Fatalf("%s comes twice or is not of the form", id)
			}
			seen[id] = true
		}
	}
}
