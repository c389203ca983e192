package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Khan/genqlient/graphql"
)

// session is where the service is, and how to be let in.
type session struct {
	address    string // of the graph
	tokens     string // where tokens are given
	id, secret string // a client's credentials; "" where a token was given
	http       *http.Client
	patience   time.Duration // for the first attempt after one that failed

	mu    sync.Mutex
	token string
	until time.Time // zero where it does not run out
}

// newSession reads the environment by a function like os.Getenv.
func newSession(getenv func(string) string) *session {
	base := cmp.Or(strings.TrimSuffix(getenv("CREDITGRAPH_URL"), "/"), "http://127.0.0.1:8080")
	return &session{
		address: base + "/graphql", tokens: base + "/oauth/token", token: getenv("CREDITGRAPH_TOKEN"),
		id: getenv("CREDITGRAPH_CLIENT_ID"), secret: getenv("CREDITGRAPH_CLIENT_SECRET"),
		http: &http.Client{}, patience: 250 * time.Millisecond,
	}
}

// graph is what the generated functions take.
func (s *session) graph() graphql.Client { return graphql.NewClient(s.address, s) }

// Do implements genqlient's Doer: it sends a request with the token. A token that is refused is replaced once; the
// service did nothing for it.
func (s *session) Do(request *http.Request) (*http.Response, error) {
	response, err := s.send(request)
	if err != nil || response.StatusCode != http.StatusUnauthorized || s.id == "" {
		return response, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.token = ""
	s.mu.Unlock()
	return s.send(request)
}

func (s *session) send(request *http.Request) (*http.Response, error) {
	token, err := s.currentToken(request.Context())
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	if request.GetBody != nil {
		if request.Body, err = request.GetBody(); err != nil {
			return nil, err
		}
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return s.http.Do(request)
}

// currentToken is the token that was given, or one that is asked for and kept while it is good.
func (s *session) currentToken(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && (s.until.IsZero() || time.Now().Before(s.until)) {
		return s.token, nil
	}
	if s.id == "" {
		return "", errors.New("set CREDITGRAPH_TOKEN, or CREDITGRAPH_CLIENT_ID and CREDITGRAPH_CLIENT_SECRET")
	}
	given, err := s.newToken(ctx)
	if err != nil {
		return "", err
	}
	s.token, s.until = given.AccessToken, time.Now().Add(time.Duration(given.ExpiresIn-30)*time.Second)
	return s.token, nil
}

type givenToken struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"` // seconds
}

func (s *session) newToken(ctx context.Context) (given givenToken, err error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.id}, "client_secret": {s.secret}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.tokens, strings.NewReader(form.Encode()))
	if err != nil {
		return given, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.http.Do(request)
	if err != nil {
		return given, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // what there is of it
		return given, fmt.Errorf("no token: %s %s", response.Status, said)
	}
	return given, json.NewDecoder(response.Body).Decode(&given)
}

// pause waits before another attempt: longer each time, and not the same for all who were cut at once.
func (s *session) pause(ctx context.Context, attempt int) error {
	wait := min(s.patience<<min(attempt, 10), 10*time.Second)
	select {
	case <-time.After(wait/2 + rand.N(wait)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
