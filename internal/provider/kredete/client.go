package kredete

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// call is one call of the API.
type call struct {
	class  provider.Class
	method string
	path   string
	query  url.Values
	body   any
	// fields are the names of the body's fields in the graph, for problems that Kredete reports.
	fields map[string]string
}

// do makes a call and returns the body of its success.
func (c *client) do(ctx context.Context, q call) ([]byte, error) {
	req := restclient.Request{
		Method: q.method, Path: q.path, Query: q.query,
		// Kredete's examples send the content type on GET too.
		ContentType: "application/json",
	}
	if q.body != nil {
		body, err := encode(q.body)
		if err != nil {
			return nil, &lending.Error{Kind: lending.KindInternal, Provider: lending.Kredete, Outcome: lending.NotExecuted, Err: err}
		}
		req.Body = body
	}
	resp, err := c.authorized(ctx, q.class, req)
	if err != nil {
		return nil, err
	}
	if resp.Status < 200 || resp.Status > 299 {
		return nil, failure(q, resp, c.clock())
	}
	return resp.Body, nil
}

// authorized sends a request with a token. A 401 is a refusal before anything was carried out, so the
// request is sent once more with another token, be it a POST; a second 401 is the answer.
func (c *client) authorized(ctx context.Context, class provider.Class, req restclient.Request) (*restclient.Response, error) {
	token, err := c.tokens.token(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, class, req, token)
	if err != nil || resp.Status != http.StatusUnauthorized {
		return resp, err
	}
	if token, err = c.tokens.replace(ctx, token); err != nil {
		return nil, err
	}
	return c.send(ctx, class, req, token)
}

func (c *client) send(ctx context.Context, class provider.Class, req restclient.Request, token string) (*restclient.Response, error) {
	req.Header = http.Header{"Authorization": {"Bearer " + token}}
	resp, err := c.rest.Do(ctx, req)
	if err != nil {
		return nil, provider.TransportFailure(lending.Kredete, class, err)
	}
	c.limits.note(resp.Header)
	return resp, nil
}

// Ping lists one customer, which is free. A page that is no list is not Kredete answering.
func (c *client) Ping(ctx context.Context) error {
	body, err := c.do(ctx, call{
		class: provider.Read, method: http.MethodGet, path: "/customers",
		query: url.Values{"page": {"1"}, "limit": {"1"}},
	})
	if err != nil {
		return err
	}
	if _, err := readList(body); err != nil {
		return garbled(provider.Read, "customers", err)
	}
	return nil
}

// RateLimit is what the last answer with rate-limit headers said.
func (c *client) RateLimit() (limit, remaining int, resetsAt time.Time, ok bool) {
	return c.limits.last()
}

// limits keeps what Kredete last said of its rate limit.
type limits struct {
	mu               sync.Mutex
	limit, remaining int
	resetsAt         time.Time
	known            bool
}

func (l *limits) note(h http.Header) {
	limit, errLimit := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	remaining, errRemaining := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if errLimit != nil || errRemaining != nil || limit < 0 || remaining < 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit, l.remaining, l.resetsAt, l.known = limit, remaining, time.Time{}, true
	if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && reset > 0 {
		l.resetsAt = time.Unix(reset, 0).UTC()
	}
}

func (l *limits) last() (limit, remaining int, resetsAt time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit, l.remaining, l.resetsAt, l.known
}

// encode writes a body without the escapes for HTML, so that a name with "&" stays readable.
func encode(body any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}
	return bytes.TrimRight(buffer.Bytes(), "\n"), nil
}

var (
	errContradiction = errors.New("a success that reports an error")
	errNoID          = errors.New("an answer without an id")
	errOtherEntity   = errors.New("an answer about something else than was asked")
)

// entity reads the one thing that an answer is about: the whole body, or what stands under its name or
// under "data". A success that carries an error is none.
func entity[T any](body []byte, name string) (T, error) {
	var value T
	top := map[string]json.RawMessage{}
	if err := wire.Decode(body, &top); err != nil {
		return value, err
	}
	if reportsFailure(top) {
		return value, errContradiction
	}
	if _, whole := top["id"]; !whole {
		for _, key := range []string{name, "data"} {
			if inner := bytes.TrimSpace(top[key]); len(inner) > 0 && inner[0] == '{' {
				body = inner
				break
			}
		}
	}
	return value, wire.Decode(body, &value)
}

func reportsFailure(top map[string]json.RawMessage) bool {
	switch string(bytes.TrimSpace(top["error"])) {
	case "", "null", "false", "0", `""`, "{}", "[]":
	default:
		return true
	}
	return string(bytes.TrimSpace(top["success"])) == "false"
}

// garbled is the error for a success that cannot be used. what names the entity; the cause holds no
// values.
func garbled(class provider.Class, what string, err error) *lending.Error {
	return provider.Garbled(lending.Kredete, class, fmt.Errorf("%s: %w", what, err))
}

// pathID escapes one of Kredete's ids for a path. One that cannot be an id is not found, and not asked
// for.
func pathID(what, id string) (string, error) {
	if id == "" || len(id) > 128 || id == "." || id == ".." || strings.ContainsFunc(id, func(r rune) bool { return r < '!' || r > '~' }) {
		e := lending.NotFound(what)
		e.Provider = lending.Kredete
		return "", e
	}
	return url.PathEscape(id), nil
}
