package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/server"
)

// builtPage is a page as the build leaves it.
func builtPage(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"index.html": "<title>the page</title>", "LEGAL.txt": "the licences",
		"assets/index-1a2b.js": "script()", "assets/index-3c4d.css": "p {}", "assets/icons-5e6f.ttf": "\x00", "assets/icon-7a8b.svg": "<svg/>",
	} {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files[name+".gz"] = &fstest.MapFile{Data: packed.Bytes()}
	}
	return files
}

// fetched is an answer with its body as it went over the wire.
type fetched struct {
	status int
	header http.Header
	body   string
}

// fetch asks as a client does that unpacks nothing by itself.
func (b *bench) fetch(method, path string, header map[string]string) fetched {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, b.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return fetched{response.StatusCode, response.Header, string(body)}
}

func TestTheExplorerIsSentPackedAndUnpacked(t *testing.T) {
	t.Parallel()
	b := setupWith(t, func(c *server.Config) { c.Explorer = builtPage(t) })
	for path, want := range map[string]struct{ contentType, text, cache string }{
		"/":                      {"text/html; charset=utf-8", "<title>the page</title>", "no-cache"},
		"/LEGAL.txt":             {"text/plain; charset=utf-8", "the licences", "no-cache"},
		"/assets/index-1a2b.js":  {"text/javascript; charset=utf-8", "script()", "public, max-age=31536000, immutable"},
		"/assets/index-3c4d.css": {"text/css; charset=utf-8", "p {}", "public, max-age=31536000, immutable"},
		"/assets/icons-5e6f.ttf": {"font/ttf", "\x00", "public, max-age=31536000, immutable"},
		"/assets/icon-7a8b.svg":  {"image/svg+xml", "<svg/>", "public, max-age=31536000, immutable"},
	} {
		for accept, packed := range map[string]bool{
			"gzip": true, "br, gzip;q=0.5": true, "*": true, "x-gzip": true,
			"identity": false, "gzip;q=0": false, "gzip;q=0, *": false, "*, gzip;q=0": false, "br": false, "": false, "gzip;q=x": false,
		} {
			got := b.fetch("GET", path, map[string]string{"Accept-Encoding": accept})
			text := got.body
			if packed {
				text = unpack(t, got.body)
			}
			if got.status != http.StatusOK || text != want.text || (got.header.Get("Content-Encoding") == "gzip") != packed {
				t.Errorf("%s for %q: answered %d %q as %q", path, accept, got.status, text, got.header.Get("Content-Encoding"))
			}
			have := [3]string{got.header.Get("Content-Type"), got.header.Get("Cache-Control"), got.header.Get("Vary")}
			if diff := cmp.Diff([3]string{want.contentType, want.cache, "Accept-Encoding"}, have); diff != "" {
				t.Errorf("%s for %q: %s", path, accept, diff)
			}
		}
		if got := b.fetch("HEAD", path, map[string]string{"Accept-Encoding": "gzip"}); got.status != http.StatusOK || got.header.Get("Content-Length") == "" {
			t.Errorf("HEAD %s: answered %d %v", path, got.status, got.header)
		}
	}
	for _, path := range []string{"/assets/", "/assets/other.js", "/assets/..%2Findex.html", "/assets/%2e%2e%2findex.html", "/index.html", "/explorer/session"} {
		if got := b.fetch("GET", path, nil); got.status != http.StatusNotFound {
			t.Errorf("%s: answered %d %s", path, got.status, got.body)
		}
	}
}

func unpack(t testing.TB, body string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheExplorerIsAskedForAgainOnlyWhenItChanged(t *testing.T) {
	t.Parallel()
	b := setupWith(t, func(c *server.Config) { c.Explorer = builtPage(t) })
	for _, path := range []string{"/", "/assets/index-1a2b.js"} {
		packed := b.fetch("GET", path, map[string]string{"Accept-Encoding": "gzip"}).header.Get("ETag")
		plain := b.fetch("GET", path, nil).header.Get("ETag")
		if packed == "" || packed == plain {
			t.Fatalf("%s has the tags %q and %q", path, packed, plain)
		}
		for match, want := range map[string]int{
			packed: 304, "W/" + packed: 304, `"other", ` + packed: 304, "*": 304, `"other"`: 200, plain: 200,
		} {
			got := b.fetch("GET", path, map[string]string{"Accept-Encoding": "gzip", "If-None-Match": match})
			if got.status != want || want == 304 && got.body != "" || got.header.Get("ETag") != packed {
				t.Errorf("%s unless %s: answered %d %q", path, match, got.status, got.header.Get("ETag"))
			}
		}
	}
}

func TestTheExplorerMayTalkToThisServerAlone(t *testing.T) {
	t.Parallel()
	b := setupWith(t, func(c *server.Config) {
		c.Explorer = builtPage(t)
		c.Guests = func() []auth.Client { return nil }
	})
	for _, path := range []string{"/", "/LEGAL.txt", "/assets/index-1a2b.js", "/explorer/session"} {
		got := b.fetch("GET", path, nil).header
		for _, directive := range strings.Split(got.Get("Content-Security-Policy"), "; ") {
			name, sources, _ := strings.Cut(directive, " ")
			inline := strings.Contains(sources, "unsafe") && name != "style-src"
			if inline || strings.ContainsAny(sources, "*/") || strings.Contains(sources, "https:") {
				t.Errorf("%s: the policy lets in %s", path, directive)
			}
		}
		for _, directive := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !slices.Contains(strings.Split(got.Get("Content-Security-Policy"), "; "), directive) {
				t.Errorf("%s: the policy has no %s", path, directive)
			}
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, got.Get(name))
			}
		}
	}
}

func TestGuestsGetTokensOnTheirOwnPageAlone(t *testing.T) {
	t.Parallel()
	bound := lending.CustomerID("01890000-0000-7000-8000-000000000001")
	clients := []auth.Client{
		{ID: "demo-analyst", Name: "analyst", Scopes: []auth.Scope{auth.ReadCustomers, auth.ReadEvents}, Plan: auth.EnterprisePlan},
		{ID: "demo-mobile", Name: "mobile", Scopes: []auth.Scope{auth.ReadCustomers}, Customer: bound},
	}
	b := setupWith(t, func(c *server.Config) {
		c.Explorer = builtPage(t)
		c.Guests = func() []auth.Client { return clients }
	})
	host := strings.TrimPrefix(b.url, "http://")
	for _, tc := range []struct {
		site, origin string
		want         int
	}{
		{"same-origin", "", 200},
		{"", "", 200},
		{"", "http://" + host, 200},
		{"", "https://" + host, 200},
		{"cross-site", "", 403},
		{"same-site", "", 403},
		{"none", "", 403}, // typed as an address: nobody reads tokens off a screen
		{"cross-site", "http://" + host, 403},
		{"", "https://elsewhere.example", 403},
		{"", "null", 403},
	} {
		header := map[string]string{}
		if tc.site != "" {
			header["Sec-Fetch-Site"] = tc.site
		}
		if tc.origin != "" {
			header["Origin"] = tc.origin
		}
		got := b.fetch("GET", "/explorer/session", header)
		if got.status != tc.want || strings.Contains(got.body, "eyJ") != (tc.want == 200) || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("from %q %q: answered %d %s", tc.site, tc.origin, got.status, got.body)
		}
		if got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("from %q %q: other pages may read the answer", tc.site, tc.origin)
		}
	}

	var answer struct {
		Roles []struct {
			Role, Token, CustomerID string
			Scopes                  []string
			ExpiresIn               int
		}
	}
	if err := json.Unmarshal([]byte(b.fetch("GET", "/explorer/session", nil).body), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Roles) != 2 {
		t.Fatalf("the roles are %v", answer.Roles)
	}
	for i, role := range answer.Roles {
		p, err := b.issuer.Verify(role.Token)
		if err != nil {
			t.Fatal(err)
		}
		if p.ClientID != clients[i].ID || !slices.Equal(p.Scopes, clients[i].Scopes) || p.Customer != clients[i].Customer || p.Plan != clients[i].Plan {
			t.Errorf("the token of %s is for %+v", role.Role, p)
		}
		if role.Role != clients[i].Name || len(role.Scopes) != len(clients[i].Scopes) || role.ExpiresIn != int(auth.TokenLifetime.Seconds()) {
			t.Errorf("the role is %+v", role)
		}
	}
	if want := lending.GlobalID(lending.CustomerNode, bound); answer.Roles[1].CustomerID != want || answer.Roles[0].CustomerID != "" {
		t.Errorf("the customers are %q and %q", answer.Roles[0].CustomerID, answer.Roles[1].CustomerID)
	}

	clients = nil
	if got := b.fetch("GET", "/explorer/session", nil); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
		t.Errorf("before there are guests: answered %d %s", got.status, got.body)
	}
}
