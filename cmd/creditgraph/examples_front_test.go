//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// exampleFront stands before the service and looks at what clients send.
type exampleFront struct {
	address string
	cuts    atomic.Int64 // how many answers to mutations it still cuts
	mu      sync.Mutex
	texts   int
	hashes  int
}

// standBefore starts a front that is there until the test ends.
func standBefore(t *testing.T, service string) *exampleFront {
	t.Helper()
	behind, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	front := &exampleFront{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }, FlushInterval: -1}
	proxy.ModifyResponse = func(answer *http.Response) error {
		if answer.Request.Method != http.MethodPost || front.cuts.Add(-1) < 0 {
			return nil
		}
		_, err := io.Copy(io.Discard, answer.Body) // it is cut when all is done, not while the service is at it
		return errors.Join(http.ErrAbortHandler, err)
	}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := front.look(r); err != nil {
			t.Error("a request cannot be read:", err)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	front.address = server.URL
	return front
}

// look counts a query by what it is sent as.
func (f *exampleFront) look(r *http.Request) error {
	sent := struct {
		Query      string
		Extensions struct{ PersistedQuery struct{ Sha256Hash string } }
	}{Query: r.URL.Query().Get("query")}
	raw := []byte(r.URL.Query().Get("extensions"))
	into := any(&sent.Extensions)
	if r.Method == http.MethodPost {
		var err error
		if raw, err = io.ReadAll(r.Body); err != nil {
			return err
		}
		r.Body, into = io.NopCloser(bytes.NewReader(raw)), &sent
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, into); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case sent.Query != "":
		f.texts++
	case sent.Extensions.PersistedQuery.Sha256Hash != "":
		f.hashes++
	}
	return nil
}

// queries counts the requests that had a text, and those that had a hash alone.
func (f *exampleFront) queries() (texts, hashes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.texts, f.hashes
}
