package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/server"
)

func TestMessagesThatAreNoneCloseTheSocket(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		text  string
		early bool // also before connection_init
	}{
		"nothing":                      {``, true},
		"no JSON":                      {`{"type":`, true},
		"JSON with more behind it":     {`{"type":"ping"} {}`, true},
		"a text":                       {`"ping"`, true},
		"null":                         {`null`, true},
		"a list":                       {`[{"type":"ping"}]`, true},
		"no type":                      {`{}`, true},
		"a type that is none":          {`{"type":"start"}`, true},
		"a type that is no text":       {`{"type":1}`, true},
		"a message of the server's":    {`{"type":"connection_ack"}`, true},
		"an init with a text":          {`{"type":"connection_init","payload":"token"}`, true},
		"an init with a list":          {`{"type":"connection_init","payload":[]}`, true},
		"a ping with a text":           {`{"type":"ping","payload":"x"}`, true},
		"a pong with a list":           {`{"type":"pong","payload":[1]}`, true},
		"no id":                        {`{"type":"subscribe","payload":{"query":"{ viewer { clientId } }"}}`, true},
		"an id that is no text":        {`{"id":1,"type":"subscribe","payload":{"query":"{ viewer { clientId } }"}}`, true},
		"an empty id":                  {`{"id":"","type":"subscribe","payload":{"query":"{ viewer { clientId } }"}}`, true},
		"no payload":                   {`{"id":"1","type":"subscribe"}`, true},
		"null for a payload":           {`{"id":"1","type":"subscribe","payload":null}`, true},
		"a payload that is a text":     {`{"id":"1","type":"subscribe","payload":"{ viewer { clientId } }"}`, true},
		"a payload that is a list":     {`{"id":"1","type":"subscribe","payload":[]}`, true},
		"a payload without a query":    {`{"id":"1","type":"subscribe","payload":{}}`, true},
		"a query that is no text":      {`{"id":"1","type":"subscribe","payload":{"query":1}}`, true},
		"variables that are a list":    {`{"id":"1","type":"subscribe","payload":{"query":"{ viewer { clientId } }","variables":[]}}`, true},
		"a completion without an id":   {`{"type":"complete"}`, false},
		"a completion of the empty id": {`{"id":"","type":"complete"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := b.in(t)
			peers := []*peer{b.connect()}
			if test.early {
				peers = append(peers, b.open())
			}
			for _, p := range peers {
				p.say(test.text)
				if code, reason, heard := p.ended(); code != 4400 || len(heard) > 0 {
					t.Errorf("closed with %d %q after %v", code, reason, heard)
				}
			}
		})
	}
}

func TestABinaryMessageClosesTheSocket(t *testing.T) {
	t.Parallel()
	p := setup(t).connect()
	if err := p.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := p.ended(); code != 4400 {
		t.Errorf("closed with %d", code)
	}
}

func TestASocketIsClosedWithTheProtocolsCodes(t *testing.T) {
	t.Parallel()
	b := setupWithin(t, server.SocketLimits{Message: 4 << 10})
	expired, err := b.issuer.Issue("web", auth.Scopes(), -time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("é", 100)
	for name, test := range map[string]struct {
		ready bool // initialised before
		say   []string
		code  websocket.StatusCode
	}{
		"subscribed before the init": {false, []string{`{"id":"1","type":"subscribe","payload":{"query":"{ viewer { clientId } }"}}`}, 4401},
		"a completion before it":     {false, []string{`{"id":"1","type":"complete"}`, `{"type":"x"}`}, 4400},
		"no token":                   {false, []string{`{"type":"connection_init"}`}, 4403},
		"no token in the payload":    {false, []string{`{"type":"connection_init","payload":{}}`}, 4403},
		"null for a payload":         {false, []string{`{"type":"connection_init","payload":null}`}, 4403},
		"a token that is none":       {false, []string{`{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`}, 4403},
		"a token that has expired":   {false, []string{`{"type":"connection_init","payload":{"Authorization":"Bearer ` + expired + `"}}`}, 4403},
		"two inits":                  {true, []string{`{"type":"connection_init"}`}, 4429},
		"an id that is taken":        {true, []string{subscribeTo("1"), subscribeTo("1")}, 4409},
		"a long id that is taken":    {true, []string{subscribeTo(long), subscribeTo(long)}, 4409},
		"too long a message":         {true, []string{`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 8<<10) + `"}}`}, 1009},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := b.in(t)
			p := b.open()
			if test.ready {
				p.init(b.token())
			}
			for _, text := range test.say {
				p.say(text)
			}
			if code, reason, heard := p.ended(); code != test.code || len(heard) > 0 || !utf8.ValidString(reason) || reason == "" {
				t.Errorf("closed with %d %q after %v", code, reason, heard)
			}
		})
	}
	eventually(t, "all feeds end", func() bool { return b.handler.Feeds().Len() == 0 })
}

func subscribeTo(id string) string {
	return fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":"subscription { events { cursor } }"}}`, id)
}

func TestASocketWithoutAnInitIsClosed(t *testing.T) {
	t.Parallel()
	b := setupWithin(t, server.SocketLimits{Init: 50 * time.Millisecond})
	p := b.open()
	p.quiet() // which does not count as one
	if code, _, _ := p.ended(); code != 4408 {
		t.Errorf("closed with %d", code)
	}
}

func TestASocketSpeaksTheProtocolOrNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, subprotocol := range []string{"", "graphql-ws", "other"} {
		p, _, err := b.dial(subprotocol)
		if err != nil {
			t.Fatal(err)
		}
		if code, _, _ := p.ended(); code != 4406 {
			t.Errorf("%q: closed with %d", subprotocol, code)
		}
	}
}

func TestASocketEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token, err := b.issuer.Issue("web", auth.Scopes(), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	p := b.open()
	p.init(token)
	b.following(p, "1")
	if code, reason, heard := p.ended(); code != 4403 || !strings.Contains(reason, "expired") || len(heard) > 0 {
		t.Errorf("closed with %d %q after %v", code, reason, heard)
	}
}

func TestTheHandshakeIsChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, _, err := b.dial(spoken, "Authorization", "Bearer "+b.token())
	if err != nil {
		t.Fatal(err)
	}
	p.say(`{"type":"connection_init"}`)
	p.hears("connection_ack")
	p.ask("1", `{ viewer { clientId } }`, nil)
	p.hears("next 1", "complete 1")
	for name, test := range map[string]struct {
		header []string
		status int
	}{
		"another origin":       {[]string{"Origin", "https://elsewhere.example"}, http.StatusForbidden},
		"a token that is none": {[]string{"Authorization", "Bearer x"}, http.StatusUnauthorized},
	} {
		_, response, err := b.dial(spoken, test.header...)
		if err == nil || response == nil || response.StatusCode != test.status {
			t.Errorf("%s: answered %v, %v", name, response, err)
		}
	}
	if _, _, err := b.dial(spoken, "Origin", b.url); err != nil {
		t.Errorf("our own origin: %v", err)
	}
}

func TestARequestThatOffersAnotherProtocolIsAPlainOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		r := b.request(`{ viewer { clientId } }`, nil)
		if method == http.MethodGet {
			var err error
			if r, err = http.NewRequestWithContext(t.Context(), method, b.url+"/graphql?query=%7Bviewer%7BclientId%7D%7D", nil); err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+b.token())
		}
		r.Header.Set("Connection", "Upgrade, HTTP2-Settings")
		r.Header.Set("Upgrade", "h2c")
		r.Header.Set("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA")
		if got := b.send(r); got.status != http.StatusOK || !strings.Contains(got.text, `"web"`) {
			t.Errorf("%s: answered %d %s", method, got.status, got.text)
		}
	}
}

func TestPingsAreAnsweredAndPongsAreNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.open()
	for _, when := range []string{"before the init", "after it"} {
		p.say(`{"type":"ping"}`)
		if got := p.hear(); got.Type != "pong" || got.Payload != nil {
			t.Errorf("%s: heard %s", when, got)
		}
		p.say(`{"type":"pong","payload":{"late":true}}`)
		p.say(`{"type":"ping","payload":{"sent": 1.50}}`)
		if got := p.hear(); got.Type != "pong" || string(got.Payload) != `{"sent":1.50}` {
			t.Errorf("%s: heard %s", when, got)
		}
		if when == "before the init" {
			p.init(b.token())
		}
	}
	p.say(`{"id":"nobody","type":"complete"}`)
	p.quiet()
}

func TestWhatAnOperationIsToldOverASocket(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	p := b.connect()
	p.ask("q", `query($n: Int) { viewer { clientId } loans(first: $n) { edges { node { id } } } }`, map[string]any{"n": 1})
	if got := p.hear(); got.Type != "next" || !strings.Contains(string(got.Payload), `"clientId":"web"`) {
		t.Errorf("heard %s", got)
	}
	p.hears("complete q")
	p.ask("q", "mutation { "+payout("a", loan, "k1")+" }", nil) // the id is free again
	if got := p.hear(); got.Type != "next" || !strings.Contains(string(got.Payload), "SUCCEEDED") {
		t.Errorf("heard %s", got)
	}
	p.hears("complete q")
	reader := b.open()
	reader.init(b.token(auth.ReadLoans))
	reader.ask("f", `{ customers { totalCount } }`, nil) // an error of a field is part of the answer
	if got := reader.hear(); got.Type != "next" || !strings.Contains(string(got.Payload), "FORBIDDEN") {
		t.Errorf("heard %s", got)
	}
	reader.hears("complete f")
	for name, test := range map[string]struct{ query, code string }{
		"no query":                 {`{`, "VALIDATION"},
		"a field that is none":     {`{ nothing }`, "VALIDATION"},
		"two root fields":          {`subscription { a: events { cursor } b: events { cursor } }`, "VALIDATION"},
		"two in a fragment":        {`subscription { ...F } fragment F on Subscription { a: events { cursor } b: events { cursor } }`, "VALIDATION"},
		"what is no field of ours": {`subscription { __typename }`, "VALIDATION"},
		"a scope that is wanted":   {`subscription { events { cursor } }`, "FORBIDDEN"},
		"nothing of the id":        {`subscription { loanUpdated(id: "TG9hbjpub3RoaW5n") { id } }`, "NOT_FOUND"},
		"a cursor that is none":    {`subscription { events(after: "x") { cursor } }`, "FORBIDDEN"},
	} {
		reader.ask(name, test.query, nil)
		if got := reader.hear(); got.Type != "error" || got.ID != name || got.code() != test.code {
			t.Errorf("%s: heard %s", name, got)
		}
		reader.quiet() // and no more
	}
	p.ask("c", `subscription { events(after: "x") { cursor } }`, nil)
	if got := p.hear(); got.Type != "error" || got.code() != "VALIDATION" {
		t.Errorf("heard %s", got)
	}
	p.quiet()
}

func TestARootFieldThatIsLeftOutIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.connect()
	for _, directive := range []string{"@skip(if: true)", "@include(if: false)", "@skip(if: $yes)"} {
		p.ask(directive, `subscription($yes: Boolean! = true) { events `+directive+` { cursor } ... @skip(if: $yes) { events { cursor } } }`, nil)
		if got := p.hear(); got.Type != "error" || got.code() != "VALIDATION" {
			t.Errorf("%s: heard %s", directive, got)
		}
		p.quiet()
	}
	b.begun(func() { p.ask("kept", `subscription { events @include(if: true) { cursor } }`, nil) })
}

func TestASocketCarriesFiftyOperations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.connect()
	for i := range 50 {
		b.following(p, fmt.Sprint(i))
	}
	p.ask("more", followEvents, nil)
	if got := p.hear(); got.Type != "error" || got.ID != "more" || got.code() != "RATE_LIMITED" {
		t.Fatalf("heard %s", got)
	}
	b.happens("one")
	heard := map[string]bool{}
	for range 50 {
		got := p.hear()
		if _, kind := got.event(); kind != "one" || heard[got.ID] {
			t.Fatalf("heard %s", got)
		}
		heard[got.ID] = true
	}
	p.say(`{"id":"7","type":"complete"}`)
	p.quiet() // it is not echoed
	b.following(p, "more")
	for i := range 50 {
		p.say(fmt.Sprintf(`{"id":"%d","type":"complete"}`, i))
	}
	p.say(`{"id":"more","type":"complete"}`)
	p.quiet()
	if feeds := b.handler.Feeds().Len(); feeds != 0 {
		t.Errorf("%d feeds are left", feeds)
	}
}

func TestAnIDIsFreeWhenItsEndIsHeard(t *testing.T) {
	t.Parallel()
	p := setup(t).connect()
	for range 200 {
		p.ask("1", `{ viewer { clientId } }`, nil)
		p.hears("next 1", "complete 1")
		p.ask("1", `{ nothing }`, nil)
		p.hears("error 1")
	}
}
