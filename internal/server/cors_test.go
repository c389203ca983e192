package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/creditgraph/creditgraph/internal/server"
)

const office = "https://office.example.com"

func TestOnlyListedOriginsReadAnswers(t *testing.T) {
	t.Parallel()
	listed, unlisted := setupWith(t, func(c *server.Config) { c.Origins = []string{office} }), setup(t)
	for name, test := range map[string]struct {
		bench   *bench
		origin  string
		allowed string
	}{
		"a listed origin":        {listed, office, office},
		"another one":            {listed, "https://evil.example.com", ""},
		"one that looks like it": {listed, office + ".evil.example.com", ""},
		"by another scheme":      {listed, strings.Replace(office, "https", "http", 1), ""},
		"null":                   {listed, "null", ""},
		"where none is listed":   {unlisted, office, ""},
	} {
		for _, c := range []call{
			{method: http.MethodOptions, header: map[string]string{"Authorization": "", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}},
			{contentType: plainType, body: jsonBody(typename, "", ""), header: map[string]string{}},
		} {
			c.header["Origin"] = test.origin
			got := test.bench.call(c)
			if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != test.allowed {
				t.Errorf("%s: %s: allowed %q", name, c.method, allowed)
			}
			if got.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: %s: browsers may send what they keep", name, c.method)
			}
			if c.method == http.MethodOptions && test.allowed != "" && !strings.Contains(strings.ToLower(got.header.Get("Access-Control-Allow-Headers")), "authorization") {
				t.Errorf("%s: the token may not be sent: %v", name, got.header)
			}
		}
	}
}

func TestOnlyListedOriginsOpenWebsockets(t *testing.T) {
	t.Parallel()
	b := setupWith(t, func(c *server.Config) { c.Origins = []string{office} })
	for origin, may := range map[string]bool{office: true, "": true, b.url: true, "https://evil.example.com": false, "http://office.example.com": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		conn, response, err := websocket.Dial(t.Context(), b.url+"/graphql", &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{"graphql-transport-ws"}})
		if (err == nil) != may {
			t.Errorf("%q: %v", origin, err)
		}
		if err == nil {
			if err := conn.CloseNow(); err != nil {
				t.Error(err)
			}
		} else if response.StatusCode != http.StatusForbidden {
			t.Errorf("%q: answered %d", origin, response.StatusCode)
		}
	}
}
