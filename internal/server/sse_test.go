package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/server"
)

// sent is one event of a stream, with its lines as they came.
type sent struct {
	name, id, data string
	lines          []string
}

func (s sent) event() (cursor, kind string) { return said{Payload: json.RawMessage(s.data)}.event() }

// source reads a stream of events.
type source struct {
	testing.TB
	response *http.Response
	lines    *bufio.Reader
	place    string // where it begins
}

// follow sends a request for a stream.
func (b *bench) follow(r *http.Request) *source {
	b.Helper()
	r.Header.Set("Accept", "text/event-stream")
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	response, err := b.client.Do(r.WithContext(ctx))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cancel()
		_ = response.Body.Close() // nobody reads on
	})
	return &source{TB: b.TB, response: response, lines: bufio.NewReader(response.Body)}
}

// next is the next event; comments stand as ":".
func (s *source) next() (sent, error) {
	var e sent
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			switch {
			case len(e.lines) == 0 || strings.HasPrefix(e.lines[0], "retry:"):
			case e.id != "" && e.name == "":
				s.place = e.id
			default:
				return e, nil
			}
			e = sent{}
			continue
		}
		e.lines = append(e.lines, line)
		name, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimPrefix(value, " "); name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		}
	}
}

func (s *source) hear() sent {
	s.Helper()
	e, err := s.next()
	if err != nil {
		s.Fatal(err)
	}
	return e
}

// rest reads to the end.
func (s *source) rest() (list []sent) {
	s.Helper()
	for {
		e, err := s.next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			s.Fatal(err)
		}
		list = append(list, e)
	}
}

// get is a request for a stream as EventSource sends it.
func (b *bench) get(query string, variables string) *http.Request {
	b.Helper()
	values := url.Values{"query": {query}}
	if variables != "" {
		values.Set("variables", variables)
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.url+"/graphql?"+values.Encode(), nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.token())
	return r
}

func TestAStreamTellsEachEventWithItsCursor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, r := range map[string]*http.Request{"GET": b.get(followEvents, `{"filter":null}`), "POST": b.request(followEvents, nil)} {
		var s *source
		b.begun(func() { s = b.follow(r) })
		header := s.response.Header
		if s.response.StatusCode != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/event-stream") || header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: answered %d %v", name, s.response.StatusCode, header)
		}
		b.happens(name)
		e := s.hear()
		cursor, kind := e.event()
		if len(e.lines) != 3 || e.lines[0] != "event: next" || e.lines[1] != "id: "+cursor || !strings.HasPrefix(e.lines[2], `data: {"data":`) || kind != name {
			t.Errorf("%s: heard %q", name, e.lines)
		}
	}
}

func TestAStreamGoesOnBehindTheLastEventSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.flood(1, 5, 1)
	cursor := func(n int64) string { return b.store.EventCursor(n) }
	for name, test := range map[string]struct {
		after, last string
		first       string
	}{
		"after":               {cursor(1), "", "2"},
		"the id":              {"", cursor(3), "4"},
		"the id before after": {cursor(1), cursor(3), "4"},
		"the very beginning":  {cursor(0), "", "1"},
	} {
		r := b.request(followEvents, map[string]any{"after": test.after})
		if test.last != "" {
			r.Header.Set("Last-Event-ID", test.last)
		}
		if _, kind := b.follow(r).hear().event(); kind != test.first {
			t.Errorf("%s: heard %q first", name, kind)
		}
	}
	for name, last := range map[string]string{"none": "abc", "of another log": cursor(1000)} {
		r := b.get(followEvents, "")
		r.Header.Set("Last-Event-ID", last)
		if told := b.follow(r).rest(); len(told) != 2 || !strings.Contains(told[0].data, "VALIDATION") || told[1].name != "complete" {
			t.Errorf("a cursor that is %s: heard %v", name, told)
		}
	}
}

func TestAStreamThatHeardNothingYetGoesOnWhereItBegan(t *testing.T) {
	t.Parallel()
	b := setupWithin(t, server.SocketLimits{Silent: 20 * time.Millisecond})
	first := b.follow(b.get(followEvents, ""))
	first.hear() // a comment: the beginning was told before
	if err := first.response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	b.happens("meanwhile")
	r := b.get(followEvents, "")
	r.Header.Set("Last-Event-ID", first.place)
	for s := b.follow(r); ; {
		if e := s.hear(); e.name == "next" {
			if _, kind := e.event(); kind != "meanwhile" {
				t.Errorf("heard %q", e.lines)
			}
			return
		}
	}
}

func TestAnObjectsStreamBeginsWithItsState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	query := fmt.Sprintf(`subscription { loanUpdated(id: %q) { status } }`, lending.GlobalID(lending.LoanNode, loan))
	b.happens("something")
	r := b.get(query, "")
	r.Header.Set("Last-Event-ID", b.store.EventCursor(0))
	if e := b.follow(r).hear(); e.name != "next" || e.id != b.store.EventCursor(1) || !strings.Contains(e.data, `"APPROVED"`) {
		t.Errorf("heard %q", e.lines)
	}
}

func TestAStreamCarriesQueriesToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	for name, test := range map[string]struct {
		r    *http.Request
		want string
	}{
		"a query by GET":              {b.get(`query($n: Int) { viewer { clientId } loans(first: $n) { totalCount } }`, `{"n":1}`), `"clientId":"web"`},
		"a query by POST":             {b.request(`{ viewer { clientId } }`, nil), `"clientId":"web"`},
		"a mutation by POST":          {b.request("mutation { "+payout("a", loan, "k1")+" }", nil), "SUCCEEDED"},
		"a document that is none":     {b.get(`{`, ""), "VALIDATION"},
		"no document":                 {b.get(``, ""), "VALIDATION"},
		"a field that is none":        {b.request(`{ nothing }`, nil), "VALIDATION"},
		"nothing of the id":           {b.get(`subscription { loanUpdated(id: "x") { id } }`, ""), "NOT_FOUND"},
		"two fields":                  {b.get(`subscription { a: events { cursor } b: events { cursor } }`, ""), "VALIDATION"},
		"no field of ours":            {b.get(`subscription { __typename }`, ""), "VALIDATION"},
		"a cursor that is none":       {b.get(`subscription { events(after: "x") { cursor } }`, ""), "VALIDATION"},
		"an answer in several pieces": {b.get(`{ ... @defer { viewer { clientId } } }`, ""), "@defer"},
	} {
		t.Run(name, func(t *testing.T) {
			told := b.in(t).follow(test.r).rest()
			if len(told) != 2 || told[0].name != "next" || told[0].id != "" || !strings.Contains(told[0].data, test.want) {
				t.Fatalf("heard %v", told)
			}
			if got := strings.Join(told[1].lines, "\n"); got != "event: complete\ndata:" {
				t.Errorf("ended with %q", got)
			}
		})
	}
}

func TestWhatAStreamRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	bare := b.get(`{ viewer { clientId } }`, "")
	bare.Header.Del("Authorization")
	for name, test := range map[string]struct {
		r      *http.Request
		status int
	}{
		"a mutation by GET":       {b.get("mutation { "+payout("a", loan, "k1")+" }", ""), http.StatusMethodNotAllowed},
		"no token":                {bare, http.StatusUnauthorized},
		"a body that is no JSON":  {b.post(strings.NewReader(`{"query":`)), http.StatusBadRequest},
		"a list":                  {b.post(strings.NewReader(`[]`)), http.StatusBadRequest},
		"no variables of a shape": {b.get(`{ viewer { clientId } }`, `[1]`), http.StatusBadRequest},
		"variables with a tail":   {b.get(`{ viewer { clientId } }`, `{} x`), http.StatusBadRequest},
	} {
		test.r.Header.Set("Accept", "text/event-stream")
		got := b.send(test.r)
		if got.status != test.status || got.status == http.StatusMethodNotAllowed && got.header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: answered %d %v %s", name, got.status, got.header, got.text)
		}
	}
	if b.lender.moved != 0 {
		t.Error("money was moved by a GET")
	}
}

func TestASilentStreamSaysThatItIsThere(t *testing.T) {
	t.Parallel()
	b := setupWithin(t, server.SocketLimits{Silent: 20 * time.Millisecond})
	s := b.follow(b.get(followEvents, ""))
	for range 3 {
		if e := s.hear(); len(e.lines) != 1 || e.lines[0] != ":" {
			t.Fatalf("heard %q", e.lines)
		}
	}
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token, err := b.issuer.Issue("web", auth.Scopes(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	r := b.get(followEvents, "")
	r.Header.Set("Authorization", "Bearer "+token)
	if told := b.follow(r).rest(); len(told) != 0 { // without "complete": clients come back
		t.Errorf("heard %v", told)
	}
	eventually(t, "it is gone", func() bool { return b.handler.Feeds().Len() == 0 })
	r = b.get(followEvents, "")
	r.Header.Set("Authorization", "Bearer "+token)
	if s := b.follow(r); s.response.StatusCode != http.StatusUnauthorized || !strings.Contains(s.response.Header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("another stream was answered %d", s.response.StatusCode)
	}
	r = b.get(`{ viewer { clientId } }`, "") // within the leeway for clocks
	r.Header.Set("Authorization", "Bearer "+token)
	if told := b.follow(r).rest(); len(told) != 2 || !strings.Contains(told[0].data, `"web"`) {
		t.Errorf("a query heard %v", told)
	}
}

func TestADrainEndsStreamsWithoutACompletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var s *source
	b.begun(func() { s = b.follow(b.get(followEvents, "")) })
	if err := b.handler.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if told := s.rest(); len(told) != 0 {
		t.Errorf("heard %v", told)
	}
	if told := b.follow(b.get(followEvents, "")).rest(); len(told) != 0 {
		t.Errorf("a new one heard %v", told)
	}
	eventually(t, "all are gone", func() bool { return b.handler.Feeds().Len() == 0 })
}

func TestAStreamThatIsNotReadIsCut(t *testing.T) {
	t.Parallel()
	b := setupWithin(t, server.SocketLimits{Stall: 200 * time.Millisecond})
	var s *source
	b.begun(func() { s = b.follow(b.get(followPayloads, "")) })
	b.flood(1, 600, 40_000) // more than the buffers between the two hold
	eventually(t, "it is gone", func() bool { return b.handler.Feeds().Len() == 0 })
	last, seen := "", 0
	for {
		e, err := s.next()
		if err != nil {
			break
		}
		if e.name != "next" {
			t.Fatalf("heard %q", e.lines)
		}
		last, seen = e.id, seen+1
	}
	if seen == 0 || seen >= 600 {
		t.Fatalf("it heard %d events", seen)
	}
	r := b.get(followEvents, "")
	r.Header.Set("Last-Event-ID", last)
	if _, kind := b.follow(r).hear().event(); kind != fmt.Sprint(seen+1) {
		t.Errorf("it saw %d, and went on with %s", seen, kind)
	}
}

func TestACursorThatHasExpiredIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.flood(1, 4100, 1) // more than is kept in memory
	if n, err := b.store.PruneEvents(t.Context(), time.Now().Add(time.Hour), 5); err != nil || n != 5 {
		t.Fatal(n, err)
	}
	eventually(t, "the hub has seen them all", func() bool {
		_, err := b.hub.After(t.Context(), 2)
		return lending.KindOf(err) == lending.KindCursorExpired
	})
	gone, kept := b.store.EventCursor(2), b.store.EventCursor(5)
	told := b.follow(b.request(followEvents, map[string]any{"after": gone})).rest()
	if len(told) != 2 || !strings.Contains(told[0].data, "CURSOR_EXPIRED") || told[1].name != "complete" {
		t.Errorf("heard %v", told)
	}
	if _, kind := b.follow(b.request(followEvents, map[string]any{"after": kept})).hear().event(); kind != "6" {
		t.Errorf("then %q", kind)
	}
	p := b.connect()
	p.ask("1", followEvents, map[string]any{"after": gone})
	if got := p.hear(); got.Type != "error" || got.code() != "CURSOR_EXPIRED" {
		t.Errorf("heard %s", got)
	}
	p.quiet()
}

func TestAnAnswerComesInOnePart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, query := range []string{
		`{ ... @defer { viewer { clientId } } }`, `{ ...F @defer(label: "f") } fragment F on Query { viewer { clientId } }`,
		`{ ...F } fragment F on Query { viewer { clientId } ... @defer { loans { totalCount } } }`,
	} {
		for _, accept := range []string{"application/json"} {
			r := b.request(query, nil)
			r.Header.Set("Accept", accept)
			if got := b.send(r); got.code() != "VALIDATION" || !strings.Contains(got.text, "@defer") || got.Data != nil {
				t.Errorf("%s: %s: answered %s", accept, query, got.text)
			}
		}
	}
}
