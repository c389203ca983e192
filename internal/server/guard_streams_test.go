package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/auth"
)

// TestTheGuardStandsBeforeEveryTransport sends what is refused over plain HTTP over the others too.
func TestTheGuardStandsBeforeEveryTransport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.token(auth.ReadCustomers)
	conn, _, err := websocket.Dial(t.Context(), b.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }() // the test is over
	exchange := func(message any) string {
		t.Helper()
		text, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(t.Context(), websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
		_, answer, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	if got := exchange(map[string]any{"type": "connection_init", "payload": map[string]any{"Authorization": "Bearer " + token}}); !strings.Contains(got, "connection_ack") {
		t.Fatal(got)
	}
	for id, test := range map[string]struct{ query, code string }{
		"aliases":       {"{ viewer {" + numberedAliases(300) + "} }", "COMPLEXITY_LIMIT"},
		"cost":          {"{ customers(first: 100) { edges { node { loans(first: 100) { edges { cursor } } } } } }", "COMPLEXITY_LIMIT"},
		"introspection": {"{ __schema { types { name } } }", "FORBIDDEN"},
		"a circle":      {"{ viewer { ...A } } fragment A on Viewer { ...A }", "VALIDATION"},
		"NUL":           {"{ viewer { clientId\x00 } }", "VALIDATION"},
	} {
		got := exchange(map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": test.query}})
		if !strings.Contains(got, `"type":"error"`) || !strings.Contains(got, test.code) {
			t.Errorf("websocket: %s: %.300s", id, got)
		}
		r := b.request(test.query, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Accept", "text/event-stream")
		if got := b.send(r); !strings.Contains(got.text, test.code) || strings.Contains(got.text, `"data":{`) {
			t.Errorf("events: %s: %.300s", id, got.text)
		}
		operations, err := json.Marshal(map[string]any{"query": test.query})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.sendForm(part{"operations", "", string(operations)}, part{"map", "", "{}"}); id != "introspection" && got.code() != test.code {
			t.Errorf("form: %s: %.300s", id, got.text)
		}
	}
}

func numberedAliases(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a")
		b.WriteString(strings.Repeat("b", i))
		b.WriteString(": clientId")
	}
	return b.String()
}
