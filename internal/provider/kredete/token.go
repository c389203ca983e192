package kredete

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

const (
	defaultScopes       = "read:customers write:loans" // seed 000, Request access token
	defaultTokenTimeout = 10 * time.Second
	// shortLife is taken where expires_in makes no sense, and longLife where it is absurdly long. A
	// token that ends earlier is found out by a 401.
	shortLife = time.Minute
	longLife  = 24 * time.Hour
	// renewPause is how long an early renewal that failed waits before the next one.
	renewPause = 10 * time.Second
)

// accessToken is a token and when to replace it. Its zero value is none.
type accessToken struct {
	value     string
	renewAt   time.Time
	expiresAt time.Time
}

// tokenSource keeps one access token (OAuth 2.0 client credentials, seed 000, Authentication). One
// request at a time asks for a new one, whoever waits for it, and it is asked for early, behind the
// calls that still use the old one.
type tokenSource struct {
	rest    *restclient.Client
	form    url.Values
	scopes  []string
	clock   func() time.Time
	jitter  func(n int64) int64
	log     *slog.Logger
	timeout time.Duration

	flight singleflight.Group

	mu      sync.Mutex
	current accessToken
}

func newTokenSource(cfg Config, deps Deps, rest *restclient.Client) *tokenSource {
	scopes := strings.Fields(cfg.Scopes)
	if len(scopes) == 0 {
		scopes = strings.Fields(defaultScopes)
	}
	s := &tokenSource{
		rest: rest, scopes: scopes, clock: deps.Clock, jitter: deps.Jitter, log: deps.Logger,
		timeout: cfg.TokenTimeout,
		form: url.Values{
			"grant_type": {"client_credentials"}, "client_id": {cfg.ClientID}, "client_secret": {cfg.ClientSecret},
			"scope": {strings.Join(scopes, " ")},
		},
	}
	if s.timeout == 0 {
		s.timeout = defaultTokenTimeout
	}
	return s
}

// token is a token that should still be good. A failure means that nothing was sent on the caller's
// behalf, so it is NOT_EXECUTED for reads and writes alike.
func (s *tokenSource) token(ctx context.Context) (string, error) {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	now := s.clock()
	if current.value == "" || !now.Before(current.expiresAt) {
		return s.wait(ctx)
	}
	if !now.Before(current.renewAt) {
		s.start(ctx) // nobody waits: the old token is good
	}
	return current.value, nil
}

// replace is a token other than the one that was refused.
func (s *tokenSource) replace(ctx context.Context, refused string) (string, error) {
	s.mu.Lock()
	if s.current.value == refused {
		s.current = accessToken{}
	}
	s.mu.Unlock()
	return s.token(ctx)
}

func (s *tokenSource) wait(ctx context.Context) (string, error) {
	select {
	case result := <-s.start(ctx):
		if result.Err != nil {
			shared := *lending.AsError(result.Err) // each caller gets an error of its own
			return "", &shared
		}
		return result.Val.(string), nil
	case <-ctx.Done():
		return "", provider.TransportFailure(lending.Kredete, provider.Read, ctx.Err())
	}
}

// start begins to fetch a token, or joins the fetch that is under way. It outlives the caller, because
// others wait for the same token; its own timeout ends it.
func (s *tokenSource) start(ctx context.Context) <-chan singleflight.Result {
	ctx = context.WithoutCancel(ctx)
	return s.flight.DoChan("token", func() (any, error) {
		ctx, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		fresh, err := s.fetch(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			s.current.renewAt = s.clock().Add(renewPause)
			s.log.WarnContext(ctx, "Kredete gave no access token", "kind", lending.KindOf(err), "cause", lending.AsError(err).Err)
			return nil, err
		}
		s.current = fresh
		return fresh.value, nil
	})
}

type grantBody struct {
	AccessToken wire.Text            `json:"access_token"`
	TokenType   wire.Text            `json:"token_type"`
	ExpiresIn   wire.Number          `json:"expires_in"`
	Scope       wire.List[wire.Text] `json:"scope"`
}

func (s *tokenSource) fetch(ctx context.Context) (accessToken, error) {
	asked := s.clock()
	resp, err := s.rest.Do(ctx, restclient.Request{
		Method: http.MethodPost, Path: "/oauth/token",
		ContentType: "application/x-www-form-urlencoded", Body: []byte(s.form.Encode()),
	})
	if err != nil {
		return accessToken{}, provider.TransportFailure(lending.Kredete, provider.Read, err)
	}
	if resp.Status < 200 || resp.Status > 299 {
		return accessToken{}, tokenFailure(resp, asked)
	}
	var body grantBody
	if err := wire.Decode(resp.Body, &body); err != nil {
		return accessToken{}, provider.Garbled(lending.Kredete, provider.Read, fmt.Errorf("access token: %w", err))
	}
	return s.accept(body, asked)
}

// accept checks what was granted. The life of the token counts from before we asked.
func (s *tokenSource) accept(body grantBody, asked time.Time) (accessToken, error) {
	value := body.AccessToken.String()
	if !isToken(value) || body.TokenType != "" && wire.Keyword(body.TokenType) != "bearer" {
		return accessToken{}, provider.Garbled(lending.Kredete, provider.Read, errors.New("no bearer token in the answer"))
	}
	if missing := s.missing(body.Scope.Items); missing != "" {
		return accessToken{}, &lending.Error{
			Kind: lending.KindUpstreamForbidden, Provider: lending.Kredete, Outcome: lending.NotExecuted,
			Message: "Kredete did not grant this service the scope " + missing + ".",
			Err:     errors.New("KREDETE_SCOPES: scope " + missing + " was not granted"),
		}
	}
	life := lifetime(body.ExpiresIn)
	early := life / 100 * time.Duration(80+s.jitter(11)) // 80 to 90 per cent of it
	return accessToken{value: value, renewAt: asked.Add(early), expiresAt: asked.Add(life)}, nil
}

// missing is the first scope that was asked for and not granted; "" where all were, or none is named.
func (s *tokenSource) missing(granted []wire.Text) string {
	var names []string
	for _, text := range granted {
		names = append(names, strings.FieldsFunc(text.String(), func(r rune) bool { return r == ' ' || r == ',' })...)
	}
	if len(names) == 0 {
		return ""
	}
	for _, scope := range s.scopes {
		if !slices.Contains(names, scope) {
			return scope
		}
	}
	return ""
}

func lifetime(expiresIn wire.Number) time.Duration {
	digits, _, _ := strings.Cut(expiresIn.Literal(), ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 {
		return shortLife
	}
	return time.Duration(min(n, int64(longLife/time.Second))) * time.Second
}

// tokenFailure is a refusal of the token endpoint. None of its statuses says anything of the call that
// needed the token, so a 404 here is no NOT_FOUND.
func tokenFailure(resp *restclient.Response, now time.Time) *lending.Error {
	e := provider.StatusFailure(lending.Kredete, provider.Read, resp.Status, retryAfter(resp, now))
	switch e.Kind {
	case lending.KindValidation, lending.KindUpstreamAuth, lending.KindUpstreamForbidden:
		e.Kind = lending.KindUpstreamAuth
	case lending.KindNotFound, lending.KindConflict, lending.KindUpstreamRejected:
		e.Kind = lending.KindUpstreamProtocol
	}
	e.Err = fmt.Errorf("access token: %w", e.Err)
	return e
}

// isToken reports whether a text can stand in a header: visible ASCII alone.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
