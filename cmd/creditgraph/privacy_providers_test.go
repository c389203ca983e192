package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// visited stands before the providers. It keeps the addresses that were asked for, and can answer in their place with
// what it was sent.
type visited struct {
	settings [][2]string // of a gateway that is to use it

	mu   sync.Mutex
	urls []string
	echo *echo
}

// echo is an answer that repeats the request, as providers' errors do.
type echo struct {
	status int
	form   string // "json", "html" or "garbage"
}

// echoes are the ways in which providers fail with what they were sent in their answer.
func echoes() []echo {
	return []echo{{400, "json"}, {422, "json"}, {404, "json"}, {401, "json"}, {500, "json"}, {503, "html"}, {200, "json"}, {200, "garbage"}}
}

// answerWith has all providers answer so; nil lets them answer themselves.
func (v *visited) answerWith(e *echo) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.echo = e
}

// note keeps an address, and tells how to answer.
func (v *visited) note(address string) *echo {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.urls = append(v.urls, address)
	return v.echo
}

// addresses are all that were asked for.
func (v *visited) addresses() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.urls)
}

// stand puts a proxy in front of each of the twins, which keeps what address was asked for.
func (v *visited) stand(t *testing.T, settings [][2]string) {
	t.Helper()
	settings = slices.Clone(settings)
	for i, setting := range settings {
		target, err := url.Parse(setting[1])
		if err != nil || !strings.HasSuffix(setting[0], "_URL") || target.Host == "" {
			continue
		}
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
		proxy.Transport = &http.Transport{DisableKeepAlives: true}
		listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// The exchange of credentials for a token goes on: there is nothing personal in it.
			if e := v.note(target.Host + " " + r.URL.String()); e != nil && !strings.Contains(r.URL.Path, "token") {
				e.answer(w, r)
				return
			}
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(listening.Close)
		settings[i][1] = listening.URL + target.Path
	}
	v.settings = settings
}

// answer repeats a request in each field that any provider's errors have, and in a header.
func (e *echo) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	said := r.URL.String() + " " + string(body)
	short := strings.Join(strings.Fields(string(body)), " ")
	w.Header().Set("X-Request-Id", url.QueryEscape(short))
	w.Header().Set("Location", "/elsewhere?q="+url.QueryEscape(short))
	switch e.form {
	case "html":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(e.status)
		_, _ = io.WriteString(w, "<html><body>"+said+"</body></html>") // who has gone has gone
		return
	case "garbage":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(e.status)
		_, _ = w.Write(bytes.Join([][]byte{[]byte(`{"data":`), body, {0, 0xff}}, nil))
		return
	}
	each := map[string]any{"code": said, "message": said, "field": said, "error": said, "details": said}
	text, err := json.Marshal(map[string]any{
		"status": "error", "success": false, "message": said, "msg": said, "code": strconv.Itoa(e.status), "error": each, "errorMessage": said,
		"error_description": said, "errors": []any{each}, "data": map[string]any{"errors": []any{each}, "error": each, "provider_response_code": said}, "result": said,
		"sequence_id": short, "payload": nil,
	})
	if err != nil {
		panic(err) // maps of text
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_, _ = w.Write(text)
}
