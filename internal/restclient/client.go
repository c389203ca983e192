// Package restclient is what the drivers share of HTTP: one request, one whole answer, and certainty
// about whether a request that failed may have reached the provider.
//
// It follows no redirects, repeats nothing that changes anything, and bounds every body. It knows
// nothing of credentials: a driver puts them into the request, and no error of this package repeats
// anything of a request or an answer.
package restclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// DefaultMaxBody is the largest body that is read where [Config] names no other, in bytes.
const DefaultMaxBody = 4 << 20

const defaultUserAgent = "creditgraph"

// Config is where a client sends its requests and how much it reads.
type Config struct {
	// BaseURL is the absolute http or https URL that every path is put behind.
	BaseURL string
	// Transport carries the requests; nil takes one of [NewTransport]'s kind.
	Transport http.RoundTripper
	// MaxBody is the largest answer in bytes, after decompression; 0 takes [DefaultMaxBody].
	MaxBody int64
	// UserAgent names us to the provider; "" takes "creditgraph".
	UserAgent string
}

// Client sends requests to one base URL. It is safe for concurrent use.
type Client struct {
	base      string
	origin    string // scheme and host of base
	transport http.RoundTripper
	maxBody   int64
	userAgent string
}

// ErrBaseURL says that a base URL is not an absolute http or https URL free of credentials, query and
// fragment. The URL is not repeated, because it may hold what must not be shown.
var ErrBaseURL = errors.New("must be an absolute http or https URL without credentials, query or fragment")

// New makes a client; [ErrBaseURL] where the base URL cannot be used. It does no input or output.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(strings.TrimSpace(cfg.BaseURL))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, ErrBaseURL
	}
	c := &Client{
		base: u.String(), origin: u.Scheme + "://" + u.Host,
		transport: cfg.Transport, maxBody: cfg.MaxBody, userAgent: cfg.UserAgent,
	}
	if c.transport == nil {
		c.transport = NewTransport()
	}
	if c.maxBody <= 0 {
		c.maxBody = DefaultMaxBody
	}
	if c.userAgent == "" {
		c.userAgent = defaultUserAgent
	}
	return c, nil
}

// Request is one request. Its body is either Body or Stream, which is read once.
type Request struct {
	Method string
	// Path is put behind the base URL by [JoinPath]. Whatever is not ours in it has to be escaped with
	// url.PathEscape; a segment that is "." or ".." is refused.
	Path        string
	Query       url.Values
	Header      http.Header
	ContentType string
	Body        []byte
	Stream      io.Reader
}

// Response is one whole answer, whatever its status.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and reads the whole answer. Any HTTP status is a Response, redirects too; an error
// is always a [*TransportError]. A POST is sent at most once.
func (c *Client) Do(ctx context.Context, req Request) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, newTransportError(err, false)
	}
	trace := &delivery{}
	out, err := c.build(trace.watch(ctx), req)
	if err != nil {
		return nil, newTransportError(err, false)
	}
	// The transport is called directly: http.Client would follow redirects, and put the whole URL into
	// its errors.
	in, err := c.transport.RoundTrip(out)
	if err != nil {
		return nil, newTransportError(cause(ctx, err), trace.sent())
	}
	defer func() { _ = in.Body.Close() }() // the body was read; closing cannot add anything
	body, err := c.read(in.Body)
	if err != nil {
		return nil, newTransportError(cause(ctx, err), true)
	}
	return &Response{Status: in.StatusCode, Header: in.Header, Body: body}, nil
}

// cause prefers the end of the caller's time over what broke because of it.
func cause(ctx context.Context, err error) error {
	if over := ctx.Err(); over != nil {
		return over
	}
	return err
}

var errPath = errors.New("path leaves the base URL")

func (c *Client) build(ctx context.Context, req Request) (*http.Request, error) {
	for segment := range strings.SplitSeq(req.Path, "/") {
		if segment == "." || segment == ".." {
			return nil, errPath
		}
	}
	address := JoinPath(c.base, req.Path)
	if len(req.Query) > 0 {
		address += "?" + req.Query.Encode()
	}
	body := req.Stream
	if body == nil && req.Body != nil {
		body = bytes.NewReader(req.Body)
	}
	out, err := http.NewRequestWithContext(ctx, req.Method, address, body)
	if err != nil {
		return nil, err
	}
	// Without GetBody net/http cannot send a body a second time on a connection that broke.
	out.GetBody = nil
	for name, values := range req.Header {
		out.Header[http.CanonicalHeaderKey(name)] = append([]string(nil), values...)
	}
	setDefault(out.Header, "Content-Type", req.ContentType)
	setDefault(out.Header, "Accept", "application/json")
	setDefault(out.Header, "User-Agent", c.userAgent)
	// These two would make net/http take a POST for one that may be repeated.
	out.Header.Del("Idempotency-Key")
	out.Header.Del("X-Idempotency-Key")
	return out, nil
}

func setDefault(h http.Header, name, value string) {
	if value != "" && h.Get(name) == "" {
		h.Set(name, value)
	}
}

func (c *Client) read(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, c.maxBody+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > c.maxBody {
		return nil, errTooLarge
	}
	return data, nil
}

// JoinPath puts path behind base with exactly one slash between: a base that ends in /v2 keeps it.
func JoinPath(base, path string) string {
	base = strings.TrimRight(base, "/")
	if path = strings.TrimLeft(path, "/"); path == "" {
		return base
	}
	return base + "/" + path
}
