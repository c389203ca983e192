//go:build unix

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/datakey"
)

// nodeVariable has the tests run that follow events with the clients which Node programs and pages use. They need
// node, and what "npm ci" installs in examples/events.
const nodeVariable = "CREDITGRAPH_TEST_NODE"

// TestNodeClients runs the examples of following events against the program, on each database.
func TestNodeClients(t *testing.T) {
	t.Parallel()
	if os.Getenv(nodeVariable) == "" {
		return
	}
	program := crashProgram(t)
	for engine, database := range crashDatabases() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			for name, test := range map[string]func(t *testing.T, b *crashBench){
				"the service restarts":  followRestarts,
				"the follower restarts": followInterrupted,
				"tokens run out":        followWithShortTokens,
				"refusals":              followRefused,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, newCrashBench(t, program, database(t)))
				})
			}
		})
	}
}

// clientsRounds is how often, at least, the service is killed or ended under its followers.
const clientsRounds = 6

// followRestarts kills and ends the service over and over, while another on the same database makes events. Each
// follower has to print what the log has: all of it, once, in its order.
func followRestarts(t *testing.T, b *crashBench) {
	other, address := b.start(t, ""), clientsAddress(t)
	service := b.startAt(t, address)
	begin := b.happen(t, other, 1)
	page := startNode(t, "serve.mjs", "CREDITGRAPH_URL="+service.address, "PORT=0")
	eventually(t, "the page is served", func() bool { return len(page.lines()) > 0 })
	token := "CREDITGRAPH_TOKEN=" + b.token
	followers := []*nodeProcess{
		startNode(t, "follow.mjs", "CREDITGRAPH_URL="+service.address, token),
		startNode(t, "follow-sse.mjs", "CREDITGRAPH_URL="+service.address, token),
		startNode(t, "test/page.mjs "+begin, "CREDITGRAPH_URL="+page.lines()[0], token),
	}
	for _, f := range followers {
		f.says(t, "connected", 1)
	}
	rounds := max(clientsRounds, crashRounds(t))
	for round := range rounds {
		b.happen(t, service, 1)
		wanted := b.eventLog(t, other, begin)
		for _, f := range followers {
			f.hasPrinted(t, wanted)
		}
		made := b.happening(other, 40)
		eventually(t, "events come in", func() bool { return len(followers[round%len(followers)].lines()) > len(wanted) })
		cut := make([]int, len(followers))
		for i, f := range followers {
			cut[i] = f.said("the connection ended")
		}
		if round%2 == 0 {
			service.kill()
		} else {
			service.signal(t, syscall.SIGTERM)
			if err := service.ended(t); err != nil {
				t.Error("the service did not end well:", err)
			}
		}
		b.happen(t, other, 3)
		for i, f := range followers {
			f.says(t, "the connection ended", cut[i]+2) // once for the cut, and at least one refused attempt
		}
		service = b.startAt(t, address)
		if err := <-made; err != nil {
			t.Fatal("events could not be made:", err)
		}
		for _, f := range followers {
			f.says(t, "connected", round+2)
		}
	}
	b.happen(t, service, 1)
	wanted := b.eventLog(t, other, begin)
	for _, f := range followers {
		f.hasPrinted(t, wanted)
	}
	t.Logf("%d followers printed %d events each, over %d restarts", len(followers), len(wanted), rounds)
}

// followInterrupted ends a follower as a person does, and begins again where it says.
func followInterrupted(t *testing.T, b *crashBench) {
	service := b.start(t, "")
	begin := b.happen(t, service, 1)
	for _, script := range []string{"follow.mjs", "follow-sse.mjs"} {
		first := startNode(t, script+" "+begin, "CREDITGRAPH_URL="+service.address, "CREDITGRAPH_TOKEN="+b.token)
		b.happen(t, service, 2)
		before := b.eventLog(t, service, begin)
		first.hasPrinted(t, before)
		first.interrupt(t)
		_, place, _ := strings.Cut(first.errors.String(), script+" ")
		b.happen(t, service, 2)
		next := startNode(t, script+" "+strings.TrimSpace(place), "CREDITGRAPH_URL="+service.address, "CREDITGRAPH_TOKEN="+b.token)
		next.hasPrinted(t, b.eventLog(t, service, begin)[len(before):])
	}
}

// shortLife is how long tokens are good in the test in which they run out.
const shortLife = 2 * time.Second

// followWithShortTokens gives followers a token that is refused, and then tokens that run out while they follow:
// they come back with a new one each time.
func followWithShortTokens(t *testing.T, b *crashBench) {
	service := b.start(t, "")
	begin := b.happen(t, service, 1)
	for script, ending := range map[string]string{"follow.mjs": "4403", "follow-sse.mjs": "the connection ended"} {
		front, given := shortTokens(t, service.address)
		f := startNode(t, script+" "+begin, "CREDITGRAPH_URL="+front, "CREDITGRAPH_CLIENT_ID=someone", "CREDITGRAPH_CLIENT_SECRET=secret")
		for renewed := range int64(3) {
			eventually(t, script+" has another token", func() bool { return given.Load() >= renewed+2 })
			b.happen(t, service, 1)
			f.hasPrinted(t, b.eventLog(t, service, begin))
		}
		f.says(t, ending, 3)
	}
}

// shortTokens stands before the service and answers for its token endpoint; its first token is none.
func shortTokens(t *testing.T, service string) (address string, given *atomic.Int64) {
	t.Helper()
	k, err := datakey.Derive(crashDataKey)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := auth.NewIssuer(k.Signing, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	behind, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	given = &atomic.Int64{}
	mux := http.NewServeMux()
	mux.Handle("/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }, FlushInterval: -1})
	mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		token, err := issuer.Issue(r.FormValue("client_id"), auth.Scopes(), shortLife)
		if err != nil {
			t.Error(err)
		}
		expiresIn := shortLife.Seconds()
		if given.Add(1) == 1 {
			token, expiresIn = "no token at all", time.Hour.Seconds()
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": expiresIn}); err != nil {
			t.Error(err)
		}
	})
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	return front.URL, given
}

// followRefused has followers end, and say why, where coming back would not help.
func followRefused(t *testing.T, b *crashBench) {
	service := b.start(t, "")
	begin := b.happen(t, service, 1)
	for _, c := range []struct{ script, token, want string }{
		{"follow.mjs " + begin, b.token + "x", "the connection ended: 4403 "},
		{"follow.mjs " + begin, b.token + "x", "Set CREDITGRAPH_TOKEN to a token that is good"},
		{"follow-sse.mjs " + begin, b.token + "x", "Set CREDITGRAPH_TOKEN to a token that is good"},
		{"follow.mjs nowhere", b.token, "This is not a cursor"},
		{"follow-sse.mjs nowhere", b.token, "This is not a cursor"},
		{"test/page.mjs " + begin, b.token + "x", "The token is not valid."},
	} {
		f := startNode(t, c.script, "CREDITGRAPH_URL="+service.address, "CREDITGRAPH_TOKEN="+c.token)
		if code := f.exitCode(t); code != 1 || !strings.Contains(f.errors.String(), c.want) {
			t.Errorf("%s ended with %d and said %q, want %q", c.script, code, f.errors, c.want)
		}
	}
}

// happen makes events at a process, and tells the cursor of the newest.
func (b *crashBench) happen(t *testing.T, p *crashProcess, times int) (cursor string) {
	t.Helper()
	if err := <-b.happening(p, times); err != nil {
		t.Fatal("an event could not be made:", err)
	}
	var data clientsPage
	if problems, err := p.ask(t.Context(), "{ events(last: 1) { pageInfo { endCursor } } }", nil, &data); err != nil || len(problems) > 0 {
		t.Fatal("events:", err, problems)
	}
	return data.Events.PageInfo.EndCursor
}

// happening makes events at a process one after the other, and then tells what went wrong.
func (b *crashBench) happening(p *crashProcess, times int) <-chan error {
	var inputs []map[string]any
	for range times {
		inputs = append(inputs, b.carbonApplication(b.key()))
	}
	made := make(chan error, 1)
	go func() {
		for _, input := range inputs {
			if _, err := p.act(context.Background(), crashCarbon, input); err != nil {
				made <- err
				return
			}
		}
		made <- nil
	}()
	return made
}

// clientsPage is a page of the event log.
type clientsPage struct {
	Events struct {
		PageInfo struct {
			EndCursor   string
			HasNextPage bool
		}
		Edges []struct{ Node struct{ ID string } }
	}
}

// eventLog is what the event log has behind a cursor: the ids.
func (b *crashBench) eventLog(t *testing.T, p *crashProcess, after string) (ids []string) {
	t.Helper()
	for {
		var data clientsPage
		const document = "query ($after: String) { events(first: 100, after: $after) { pageInfo { endCursor hasNextPage } edges { node { id } } } }"
		if problems, err := p.ask(t.Context(), document, map[string]any{"after": after}, &data); err != nil || len(problems) > 0 {
			t.Fatal("events:", err, problems)
		}
		for _, edge := range data.Events.Edges {
			ids = append(ids, edge.Node.ID)
		}
		if !data.Events.PageInfo.HasNextPage {
			return ids
		}
		after = data.Events.PageInfo.EndCursor
	}
}

// startAt starts the program at an address of its own.
func (b *crashBench) startAt(t *testing.T, address string) *crashProcess {
	t.Helper()
	at := *b
	at.settings = append(slices.Clone(b.settings), "CREDITGRAPH_LISTEN="+address)
	return at.start(t, "")
}
