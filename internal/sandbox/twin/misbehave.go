package twin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// answer is a response that is kept instead of sent.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// carryOut lets the provider do what is asked, and keeps the answer.
func carryOut(routes http.Handler, w http.ResponseWriter, r *http.Request) *answer {
	kept := &answer{header: w.Header()}
	routes.ServeHTTP(kept, r)
	kept.WriteHeader(http.StatusOK)
	return kept
}

// misbehave answers a request as a rule wants it. The body is read first: what a client sent has arrived,
// and is carried out even when the client does not wait for the answer.
func (c *Core) misbehave(rule Rule, routes http.Handler, w http.ResponseWriter, r *http.Request) {
	if rule.Kind == CutBeforeEffect {
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	gone := r.Context()
	r = r.WithContext(context.WithoutCancel(gone))
	r.Body = io.NopCloser(bytes.NewReader(body))
	if rule.Kind == Delay && !rule.AfterEffect && !c.wait(rule.Delay) {
		panic(http.ErrAbortHandler)
	}
	var kept *answer
	switch {
	case rule.AfterEffect, rule.Kind == Delay, rule.Kind == CutAfterEffect, rule.Kind == HalfBody:
		kept = carryOut(routes, w, r)
	}
	for name, value := range rule.Header {
		w.Header().Set(name, value)
	}
	c.reply(rule, kept, w, r, gone)
}

func (c *Core) reply(rule Rule, kept *answer, w http.ResponseWriter, r *http.Request, gone context.Context) {
	switch rule.Kind {
	case Delay:
		if rule.AfterEffect && !c.wait(rule.Delay) {
			panic(http.ErrAbortHandler)
		}
		send(w, kept.status, kept.body.Bytes())
	case Hang:
		select {
		case <-gone.Done():
		case <-c.done:
		}
		panic(http.ErrAbortHandler)
	case CutAfterEffect:
		panic(http.ErrAbortHandler)
	case HalfBody:
		breakOff(w, kept)
	case RateLimited:
		c.limiter.tell(w.Header(), c.limiter.exhausted(c.clock()))
		c.refuse(w, r, http.StatusTooManyRequests)
	case Status:
		c.fail(rule, w, r)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		send(w, http.StatusBadGateway, []byte("<html><head><title>502 Bad Gateway</title></head>"+
			"<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>"))
	case Garbage:
		w.Header().Set("Content-Type", "application/json")
		send(w, http.StatusOK, []byte("{\"id\":\x00\xff\xfe<<<"))
	}
}

func (c *Core) fail(rule Rule, w http.ResponseWriter, r *http.Request) {
	if rule.Body == "" {
		c.refuse(w, r, rule.Status)
		return
	}
	if rule.Header["Content-Type"] == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	send(w, rule.Status, []byte(rule.Body))
}

// breakOff announces the whole body, sends half of it, and closes the connection.
func breakOff(w http.ResponseWriter, kept *answer) {
	w.Header().Set("Content-Length", strconv.Itoa(kept.body.Len()))
	send(w, kept.status, kept.body.Bytes()[:kept.body.Len()/2])
	_ = http.NewResponseController(w).Flush() // a client that is gone is cut all the same
	panic(http.ErrAbortHandler)
}

// send writes a status and a body. That a client is gone is the client's affair.
func send(w http.ResponseWriter, status int, body []byte) {
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// wait lets time pass; false when the twin stops meanwhile.
func (c *Core) wait(span Duration) bool {
	timer := time.NewTimer(time.Duration(span))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.done:
		return false
	}
}
