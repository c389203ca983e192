package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// otherTransports sends personal data in the text of documents, by their hash, in the address, and in bodies that are no request.
func (p *played) otherTransports() {
	p.t.Helper()
	literal := fmt.Sprintf(`{ customers(first: 1, filter: { search: %q }) { edges { node { id email phone } } } }`, canaryEmail)
	sum := sha256.Sum256([]byte(literal))
	persisted := map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}
	for _, body := range []any{
		map[string]any{"query": literal, "extensions": persisted},
		map[string]any{"extensions": persisted},
		map[string]any{"query": fmt.Sprintf(`{ customer(id: %q) { nothing } }`, canaryPhone)},
		map[string]any{"query": `{ "` + canaryEmail},
		map[string]any{"query": canaryBVN, "variables": canaryNIN},
		canaryOTP,
		[]any{canaryPAN},
	} {
		text, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		p.send(http.MethodPost, p.address()+"/graphql", text)
	}
	p.send(http.MethodPost, p.address()+"/graphql", []byte(`{"query": "{ viewer { clientId } }", "variables": {"x": "`+canaryBVN))
	vars, err := json.Marshal(map[string]any{"first": 5, "filter": map[string]any{"search": canaryPhone}})
	if err != nil {
		p.t.Fatal(err)
	}
	asked := url.Values{"query": {document(p.t, "CustomersTable")}, "variables": {string(vars)}}
	p.send(http.MethodGet, p.address()+"/graphql?"+asked.Encode(), nil)
	p.send(http.MethodGet, p.address()+"/graphql?q="+canaryNIN, nil)
	p.send(http.MethodGet, p.address()+"/healthz?email="+canaryEmail, nil)
	p.send(http.MethodPost, p.address()+"/oauth/token", []byte("grant_type=client_credentials&client_id="+canaryEmail+"&client_secret="+canaryPassword))
}

// send sends a body as it is, and keeps what comes back, whatever it is.
func (p *played) send(method, address string, body []byte, sign ...func(r *http.Request)) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", "application/json")
	for _, s := range sign {
		s(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.told = append(p.told, fmt.Sprintln(response.StatusCode, response.Header, string(text)))
}

// follow follows all events, over a websocket and as server-sent events. What it gives ends it.
func (p *played) follow() (stop func()) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	vars := map[string]any{"filter": nil}
	query, err := json.Marshal(map[string]any{"query": document(p.t, "Events"), "variables": vars})
	if err != nil {
		p.t.Fatal(err)
	}
	socket, _, err := websocket.Dial(ctx, strings.Replace(p.address(), "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		p.t.Fatal(err)
	}
	socket.SetReadLimit(-1)
	for _, message := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer ` + p.token + `"}}`, `{"id":"1","type":"subscribe","payload":` + string(query) + `}`,
	} {
		if err := socket.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			p.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address()+"/graphql", bytes.NewReader(query))
	if err != nil {
		p.t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + p.token, "Content-Type": "application/json", "Accept": "text/event-stream"} {
		r.Header.Set(name, value)
	}
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	var running sync.WaitGroup
	bySocket, byStream := &logbook{}, &logbook{}
	running.Go(func() {
		for {
			_, message, err := socket.Read(ctx)
			if err != nil {
				return // it was told to stop
			}
			fmt.Fprintln(bySocket, string(message))
			fmt.Fprintln(p.streamed, string(message))
		}
	})
	running.Go(func() {
		_, _ = io.Copy(io.MultiWriter(byStream, p.streamed), stream.Body) // until it is told to stop
	})
	return func() {
		p.t.Helper()
		for name, log := range map[string]*logbook{"the websocket": bySocket, "the stream": byStream} {
			eventually(p.t, "the events came over "+name, func() bool { return allTold(log.String()) })
		}
		cancel()
		running.Wait()
		socket.CloseNow()
		stream.Body.Close()
	}
}

// allTold reports whether events of each kind came that the play makes.
func allTold(text string) bool {
	return !slices.ContainsFunc([]string{"CUSTOMER_CREATED", "CUSTOMER_LINKED", "LOAN_CREATED", "OPERATION_UPDATED", "REPORT"}, func(kind string) bool {
		return !strings.Contains(text, kind)
	})
}
