package kredete_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/kredete"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// api is a twin behind a real port, and a client with a token for it.
type api struct {
	*kredete.Twin
	world  *world.World
	server *httptest.Server
	client *http.Client
	clock  *clock
	token  string
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

func (c *clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

func (c *clock) Advance(span time.Duration) { c.Set(c.Now().Add(span)) }

// setup begins at 2026-04-16T10:30:00Z, in the seed's own time.
func setup(t *testing.T) *api {
	t.Helper()
	a := &api{world: world.New(1, 200), clock: &clock{now: world.DefaultEpoch}}
	a.Twin = kredete.New(kredete.Options{
		World: a.world, Clock: a.clock.Now,
		Clients: []kredete.Client{
			{ID: "all", Secret: "secret of all"},
			{ID: "reader", Secret: "secret of reader", Scopes: []string{"read:customers", "read:loans"}},
		},
		Sender: twin.SenderOptions{Attempts: 2, Backoff: func(int) time.Duration { return time.Microsecond }},
	})
	a.server = httptest.NewServer(a.Handler())
	a.client = a.server.Client()
	t.Cleanup(func() {
		a.Stop()
		a.server.Close()
	})
	a.token = a.login(t, "all", "secret of all", "")
	return a
}

func (a *api) login(t *testing.T, id, secret, scope string) string {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {scope},
	}
	response, err := a.client.PostForm(a.server.URL+"/v2/oauth/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != 200 {
		t.Fatalf("no token: %d %v", response.StatusCode, err)
	}
	return answer.AccessToken
}

// call sends a request with the token and reads the answer.
func (a *api) call(t *testing.T, method, path, body string) (*http.Response, string) {
	t.Helper()
	response, text, err := a.try(t, method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response, text
}

func (a *api) try(t *testing.T, method, path, body string) (*http.Response, string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := a.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response, string(text), err
}

// must is call with a status that is wanted; the answer is decoded, numbers as they are written.
func (a *api) must(t *testing.T, status int, method, path, body string) map[string]any {
	t.Helper()
	response, text := a.call(t, method, path, body)
	if response.StatusCode != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, response.StatusCode, text, status)
	}
	return decode(t, text)
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if text == "" {
		return nil
	}
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return object
}

// id is a generated id of an answer, checked for its form and put out of the way of a comparison.
func id(t *testing.T, object map[string]any, prefix string) string {
	t.Helper()
	text, ok := object["id"].(string)
	if !ok || !strings.HasPrefix(text, prefix) || len(text) != len(prefix)+12 {
		t.Fatalf("id %v, want the form of %s5tY8kL2mN9pQ", object["id"], prefix)
	}
	object["id"] = prefix + "…"
	return text
}
