package kredete

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// Scopes are all that a token can be good for. Seed 000 shows two of them; the others follow their form.
func Scopes() []string {
	return []string{
		"read:customers", "write:customers", "read:loans", "write:loans", "read:payments", "write:payments",
		"read:scoring", "write:scoring", "read:webhooks", "write:webhooks",
	}
}

type token struct {
	client  string
	scopes  []string
	expires time.Time
}

// issueToken is the client credentials flow (seed 000, Authentication). The client's id and secret come in
// the form or as HTTP Basic. A scope that the client does not have is left out; without a scope the token
// is good for all that the client has.
func (t *Twin) issueToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" {
		t.fail(w, http.StatusBadRequest, []detail{{"grant_type", "grant_type must be client_credentials"}})
		return
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	client, found := t.client(id, secret)
	if !found {
		t.refuse(w, r, http.StatusUnauthorized)
		return
	}
	scopes := client.Scopes
	if asked := strings.Fields(r.PostForm.Get("scope")); len(asked) > 0 {
		scopes = slices.DeleteFunc(asked, func(s string) bool { return !slices.Contains(client.Scopes, s) })
	}
	if len(scopes) == 0 {
		t.refuse(w, r, http.StatusForbidden)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	twin.WriteJSON(w, http.StatusOK, struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		Scope       string `json:"scope"`
	}{t.newToken(client, scopes), "Bearer", int(t.ttl / time.Second), strings.Join(scopes, " ")})
}

func (t *Twin) client(id, secret string) (Client, bool) {
	for _, c := range t.clients {
		if c.ID == id && subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 1 {
			if len(c.Scopes) == 0 {
				c.Scopes = Scopes()
			}
			return c, true
		}
	}
	return Client{}, false
}

func (t *Twin) newToken(c Client, scopes []string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	for text, old := range t.tokens {
		if !now.Before(old.expires) {
			delete(t.tokens, text)
		}
	}
	t.issued++
	mac := hmac.New(sha256.New, []byte(c.Secret))
	fmt.Fprintf(mac, "%s/%d/%d", c.ID, t.run, t.issued)
	text := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	t.tokens[text] = token{client: c.ID, scopes: scopes, expires: now.Add(t.ttl)}
	return text
}

// bearer is the token of a request; false where there is none that is good.
func (t *Twin) bearer(r *http.Request) (token, bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return token{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.tokens[text]
	return found, ok && t.clock().Before(found.expires)
}

// credential names who is to be limited: a client, or all without a token together.
func (t *Twin) credential(r *http.Request) string {
	found, _ := t.bearer(r)
	return found.client
}

// guard registers a route for bearers of one of the scopes.
func (t *Twin) guard(pattern string, handle http.HandlerFunc, scopes ...string) {
	t.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		held, ok := t.bearer(r)
		if !ok {
			t.refuse(w, r, http.StatusUnauthorized)
			return
		}
		if !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(held.scopes, s) }) {
			t.refuse(w, r, http.StatusForbidden)
			return
		}
		handle(w, r)
	})
}
