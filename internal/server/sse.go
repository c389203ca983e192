package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/auth"
)

const (
	// streamPing is how often a silent stream says that it is still there, before proxies take it for dead.
	streamPing = 15 * time.Second
	// stallLimit is how long a client may keep us from sending before it is cut.
	stallLimit = 8 * time.Second
	// reconnectDelay is what clients are told to wait before they come back, in milliseconds.
	reconnectDelay = "1000"
)

// eventStream carries operations over server-sent events: one operation a request, in the "distinct connections"
// mode of the GraphQL-over-SSE protocol. Each event has its cursor as its id, so that a client which comes
// back with Last-Event-ID misses nothing. What ends without "complete" is to be taken up again.
type eventStream struct {
	subscriptions *subscriptions
	gate          *auth.Gate
	drain         <-chan struct{}
	limits        streamLimits
}

// streamLimits are how long a stream of events may be silent, on either side.
type streamLimits struct {
	ping  time.Duration // between signs of life of a silent stream
	stall time.Duration // how long a client may keep us from sending
}

var _ graphql.Transport = eventStream{}

// Supports implements graphql.Transport.
func (eventStream) Supports(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream") && (r.Method == http.MethodGet || r.Method == http.MethodPost)
}

// Do implements graphql.Transport.
func (t eventStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, ok := streamParams(r)
	if !ok {
		refuse(w, r, http.StatusBadRequest, notARequest)
		return
	}
	ctx := graphql.StartOperationTrace(r.Context())
	out := &sseWriter{w: w, control: http.NewResponseController(w), stall: t.limits.stall}
	op, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		out.begin()
		out.only(exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	if r.Method == http.MethodGet && op.Operation.Operation == ast.Mutation {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, r, http.StatusMethodNotAllowed, "Send mutations by POST.")
		return
	}
	if p := auth.From(ctx); isSubscription(op) && p != nil && !p.ExpiresAt.IsZero() && time.Now().After(p.ExpiresAt) {
		// It is taken for a while longer where one answer is enough; a stream would end at once, again and again.
		refuseToken(w, r)
		return
	}
	out.begin()
	if !isSubscription(op) {
		responses, told := exec.DispatchOperation(ctx, op)
		out.only(responses(told))
		return
	}
	news := make(chan struct{}, 1)
	sub, refusal := t.subscriptions.open(ctx, exec, op, "sse", r.Header.Get("Last-Event-ID"), func() {
		select {
		case news <- struct{}{}:
		default: // it is told already
		}
	})
	if refusal != nil {
		out.only(refusal)
		return
	}
	defer sub.close()
	ctx, cancel := untilExpiry(ctx)
	defer cancel()
	t.gate.Watch(ctx, auth.From(ctx), func(error) { cancel() })
	if cursor := sub.standing(); cursor != "" {
		out.place(cursor)
	}
	t.follow(ctx, out, sub, news)
}

// refuseToken answers that the token has run out.
func refuseToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="creditgraph", error="invalid_token"`)
	refuse(w, r, http.StatusUnauthorized, "The token has expired. Get a new one.")
}

// follow sends what a subscription brings until the client, its token or the server goes.
// news tells that there may be something which the log does not tell of.
func (t eventStream) follow(ctx context.Context, out *sseWriter, sub *subscription, news <-chan struct{}) {
	silence := time.NewTicker(t.limits.ping)
	defer silence.Stop()
	for out.err == nil {
		changed := t.subscriptions.hub.Changed()
		frame, ok, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && isGone(err):
			out.only(failed(ctx, err))
			return
		case ok:
			if frame.Body != nil {
				out.event("next", sub.cursor(frame.Place), frame.Body)
			}
			select {
			case <-t.drain:
				return
			default:
				continue
			}
		}
		if err != nil { // the database is away: the stream waits, and misses nothing
			changed = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-t.drain:
			return
		case <-changed:
		case <-news:
		case <-again(err):
		case <-silence.C:
			out.comment()
		}
	}
}

// again tells when to look again after an error; without one it is the next change that tells.
func again(err error) <-chan time.Time {
	if err == nil {
		return nil
	}
	return time.After(time.Second)
}

// untilExpiry ends with the token of who asks.
func untilExpiry(ctx context.Context) (context.Context, context.CancelFunc) {
	if p := auth.From(ctx); p != nil && !p.ExpiresAt.IsZero() {
		return context.WithDeadline(ctx, p.ExpiresAt)
	}
	return context.WithCancel(ctx)
}

// streamParams reads the operation from the query of a GET, or from the body of a POST; false where there is
// none.
func streamParams(r *http.Request) (*graphql.RawParams, bool) {
	now := graphql.Now()
	params := &graphql.RawParams{Headers: r.Header, ReadTime: graphql.TraceTiming{Start: now, End: now}}
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		return params, err == nil && decodeNumbers(body, params) == nil
	}
	query := r.URL.Query()
	params.Query, params.OperationName = query.Get("query"), query.Get("operationName")
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := query.Get(name); text != "" && decodeNumbers([]byte(text), into) != nil {
			return nil, false
		}
	}
	return params, true
}

// decodeNumbers reads JSON without turning numbers into floats.
func decodeNumbers(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTail
	}
	return nil
}

var errTail = errors.New("server: there is more behind the JSON")

// sseWriter writes server-sent events. After the first error it writes nothing more.
type sseWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	err     error
}

func (s *sseWriter) begin() {
	header := s.w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies that gather answers would gather for ever
	s.w.WriteHeader(http.StatusOK)
	s.write([]byte("retry: " + reconnectDelay + "\n:\n\n"))
}

// only sends one answer and the end.
func (s *sseWriter) only(response *graphql.Response) {
	if response != nil {
		body, err := json.Marshal(response)
		if err != nil {
			s.err = err
			return
		}
		s.event("next", "", body)
	}
	// Browsers drop events without a line of data.
	s.write([]byte("event: complete\ndata:\n\n"))
}

func (s *sseWriter) event(name, id string, body []byte) {
	var b bytes.Buffer
	b.WriteString("event: " + name + "\n")
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("data: ")
	b.Write(body) // JSON without line breaks
	b.WriteString("\n\n")
	s.write(b.Bytes())
}

// place tells where a stream begins, so that who is cut before the first event can come back there.
func (s *sseWriter) place(id string) { s.write([]byte("id: " + id + "\n:\n\n")) }

func (s *sseWriter) comment() { s.write([]byte(":\n\n")) }

// write sends at once. A client that does not read is cut: it knows the id of the last event that it has.
func (s *sseWriter) write(p []byte) {
	if s.err != nil {
		return
	}
	// A connection without deadlines is one in a test's memory.
	if err := s.control.SetWriteDeadline(time.Now().Add(s.stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.err = err
		return
	}
	if _, s.err = s.w.Write(p); s.err == nil {
		s.err = s.control.Flush()
	}
}
