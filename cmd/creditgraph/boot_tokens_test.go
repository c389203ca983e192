package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/golang-jwt/jwt/v5"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// as is the program as asked with another token.
func (p *program) as(token string) *program {
	other := *p
	other.token = token
	return &other
}

// viewer wants a token to stand for a client with these scopes.
func (p *program) viewer(t *testing.T, client, scopes string) {
	t.Helper()
	a := p.query(t, "{ viewer { clientId scopes } }", nil)
	a.mustBeClean(t, "viewer")
	var words []string
	for _, scope := range a.list("viewer.scopes") {
		words = append(words, scope.(string))
	}
	if a.textAt("viewer.clientId") != client || strings.Join(words, " ") != scopes {
		t.Errorf("it is %v with %v, want %s with %s", a.at("viewer.clientId"), words, client, scopes)
	}
}

// TestThePrintedClientsWork gets a token for each client that the sandbox prints.
func TestThePrintedClientsWork(t *testing.T) {
	t.Parallel()
	p := boot(t, setup{customers: 3})
	printed := regexp.MustCompile(`(?m)^  (front end|mobile|analyst|operator)(?: \(one customer's own: (\S+)\))?\n +client_id: (\S+)\n +client_secret: (\S+)\n +scopes: (.*)$`).
		FindAllStringSubmatch(p.printed.String(), -1)
	if len(printed) != 4 {
		t.Fatalf("%d clients are printed, want 4:\n%s", len(printed), p.printed.String())
	}
	for _, client := range printed {
		name, customer, id, secret, scopes := client[1], client[2], client[3], client[4], client[5]
		asked := p.as(grant(t, p.address(), id, secret))
		asked.viewer(t, id, scopes)
		a := asked.query(t, "{ customers(first: 5) { totalCount edges { node { id } } } }", nil)
		if name != "mobile" {
			if a.want(t, "customers.totalCount", 3); customer != "" {
				t.Errorf("%s is bound to %s", name, customer)
			}
			continue
		}
		a.want(t, "customers.totalCount", 1)
		a.want(t, "customers.edges.0.node.id", customer)
		if other := p.person(t, 1); asked.query(t, "query($id: ID!) { customer(id: $id) { id } }", map[string]any{"id": other}).at("customer") != nil || other == customer {
			t.Errorf("it sees %s", other)
		}
		asked.mustAsk(t, "CustomerCreditSummary", map[string]any{"id": customer})
	}
	if response, _ := askForToken(t, p.address(), "demo-operator", "demo-operator"); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a guess gets %d", response.StatusCode)
	}
}

// guests are the tokens that the sandbox's explorer gets, by role.
func (p *program) guests(t *testing.T) map[string]string {
	t.Helper()
	response, body := p.get(t, "/explorer/session", "Sec-Fetch-Site", "same-origin")
	var answer struct {
		Roles []struct{ Role, Token string }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the explorer gets %d %s", response.StatusCode, body)
	}
	tokens := map[string]string{}
	for _, role := range answer.Roles {
		tokens[role.Role] = role.Token
	}
	return tokens
}

// TestNothingOfTheSandboxOpensADeployment takes what the sandbox printed to a deployment that runs on the same
// database and data key.
func TestNothingOfTheSandboxOpensADeployment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database := func(c *config.Config) { c.DatabaseURL = config.Secret("sqlite:" + filepath.Join(dir, "kept.db")) }
	sandboxed := boot(t, setup{customers: 1, adjust: database})
	printed := sandboxed.printed.String()
	demo := regexp.MustCompile(`client_id: (demo-operator)\n +client_secret: (\S+)`).FindStringSubmatch(printed)
	token := regexp.MustCompile(`Bearer (\S+?)'`).FindStringSubmatch(printed)
	if demo == nil || token == nil {
		t.Fatalf("it prints %s", printed)
	}
	real := boot(t, setup{real: [][2]string{{"CARBON_BASE_URL", "http://127.0.0.1:1"}, {"CARBON_API_KEY", "k"}}, adjust: database})
	guests := sandboxed.guests(t)
	if len(guests) != 4 {
		t.Fatalf("the explorer's visitors may be %v", guests)
	}
	for name, token := range guests {
		if sandboxed.as(token).query(t, "{ viewer { clientId } }", nil).textAt("viewer.clientId") == "" {
			t.Errorf("the token of %s opens nothing", name)
		}
	}
	if response, body := real.get(t, "/explorer/session", "Sec-Fetch-Site", "same-origin"); response.StatusCode != http.StatusNotFound {
		t.Errorf("the explorer's visitors get %d %s", response.StatusCode, body)
	}
	for what, token := range map[string]string{
		"the printed token": token[1], "a token of a demo client": grant(t, sandboxed.address(), demo[1], demo[2]), "a visitor's token": guests["operator"],
	} {
		if response, body := real.get(t, "/graphql?query=%7B__typename%7D", "Authorization", "Bearer "+token); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s gets %d %s", what, response.StatusCode, body)
		}
	}
	if response, _ := askForToken(t, real.address(), demo[1], demo[2]); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a demo client gets %d", response.StatusCode)
	}
}

// TestClientsAreMadeBoundAndRotated keeps clients by the command line beside a program that runs.
func TestClientsAreMadeBoundAndRotated(t *testing.T) {
	p := boot(t, setup{customers: 2})
	ada := p.person(t, 0)
	setAll(t, [2]string{"DATABASE_URL", string(p.settings.DatabaseURL)}, [2]string{"DATA_KEY", testKey})
	credentials := func(printed string) (id, secret string) {
		t.Helper()
		parts := regexp.MustCompile(`^client_id: (\S+)\nclient_secret: (\S+)\n$`).FindStringSubmatch(printed)
		if parts == nil {
			t.Fatalf("it prints %q", printed)
		}
		return parts[1], parts[2]
	}
	id, secret := credentials(mustRun(t, "client", "create", "--name", "Ada's phone", "--scopes", "read:customers", "--customer", ada, "--plan", "enterprise"))
	token := grant(t, p.address(), id, secret)
	principal, err := p.issuer.Verify(token)
	if err != nil || lending.GlobalID(lending.CustomerNode, principal.Customer) != ada || principal.Plan != auth.EnterprisePlan {
		t.Errorf("the token stands for %+v: %v", principal, err)
	}
	p.as(token).query(t, "{ customers(first: 5) { totalCount } }", nil).want(t, "customers.totalCount", 1)

	again, fresh := credentials(mustRun(t, "client", "rotate", id))
	if again != id || fresh == secret {
		t.Errorf("rotating gives %s and the secret of before: %v", again, fresh == secret)
	}
	if response, _ := askForToken(t, p.address(), id, secret); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("the old secret gets %d", response.StatusCode)
	}
	p.as(grant(t, p.address(), id, fresh)).query(t, "{ customers(first: 5) { totalCount } }", nil).want(t, "customers.totalCount", 1)

	listed := mustRun(t, "client", "list")
	if !strings.Contains(listed, id+"  Ada's phone  active  enterprise  "+ada+"  [read:customers]") || strings.Contains(listed, fresh) {
		t.Errorf("client list says %q", listed)
	}
	last := grant(t, p.address(), id, fresh)
	mustRun(t, "client", "revoke", id)
	if response, _ := askForToken(t, p.address(), id, fresh); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a revoked client gets %d", response.StatusCode)
	}
	for until := time.Now().Add(time.Minute); p.statusFor(t, last) != http.StatusUnauthorized; {
		if time.Now().After(until) {
			t.Fatal("a revoked client's token stays good")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if status := p.statusFor(t, p.token); status != http.StatusOK {
		t.Errorf("the token that the sandbox prints is answered %d", status)
	}
	for _, wrong := range []struct {
		args []string
		says string
	}{
		{[]string{"client", "rotate", id}, "revoked"},
		{[]string{"client", "rotate", "client_x"}, "no client"},
		{[]string{"client", "create", "--name", "x", "--scopes", "read:loans", "--plan", "gold"}, "plan"},
		{[]string{"client", "create", "--name", "x", "--scopes", "read:loans", "--customer", "ada"}, "--customer"},
		{[]string{"client", "create", "--name", "x", "--scopes", "read:loans", "--customer", lending.GlobalID(lending.CustomerNode, lending.CustomerID("nobody"))}, "no such customer"},
	} {
		if printed, err := run(t, wrong.args...); err == nil || !strings.Contains(err.Error(), wrong.says) || printed != "" {
			t.Errorf("%v: %q, %v", wrong.args, printed, err)
		}
	}
}

// statusFor is how a request with a token is answered.
func (p *program) statusFor(t *testing.T, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.address()+"/graphql", strings.NewReader(`{"query":"{ viewer { clientId } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	return response.StatusCode
}

// identityProvider is one with a key, on this machine.
func identityProvider(t *testing.T) (address string, token func(changes jwt.MapClaims) string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwkset.NewJWKFromKey(private.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "one"}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{key.Marshal()}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	t.Cleanup(s.Close)
	return s.URL + "/keys", func(changes jwt.MapClaims) string {
		claims := jwt.MapClaims{"iss": "https://id.example", "aud": "credit", "sub": "ada@id", "scope": "openid read:customers", "exp": time.Now().Add(time.Hour).Unix()}
		for name, value := range changes {
			claims[name] = value
		}
		unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
		unsigned.Header["kid"] = "one"
		text, err := unsigned.SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}

// TestTokensOfAnIdentityProviderOpenTheGraph sends them over HTTP and over a websocket.
func TestTokensOfAnIdentityProviderOpenTheGraph(t *testing.T) {
	t.Parallel()
	address, token := identityProvider(t)
	p := boot(t, setup{customers: 2, adjust: func(c *config.Config) {
		c.IdentityProvider = config.IdentityProvider{JWKSURL: address, Issuer: "https://id.example", Audience: "credit", CustomerClaim: "https://id.example/customer"}
	}})
	p.as(token(nil)).viewer(t, "ada@id", "read:customers")
	p.as(token(nil)).query(t, "{ customers(first: 5) { totalCount } }", nil).want(t, "customers.totalCount", 2)
	bound := token(jwt.MapClaims{"https://id.example/customer": p.person(t, 0)})
	p.as(bound).query(t, "{ customers(first: 5) { totalCount } }", nil).want(t, "customers.totalCount", 1)
	p.viewer(t, "test", auth.FormatScopes(auth.Scopes())) // the built-in ones go on

	if told := p.initSocket(t, token(nil)); told != "connection_ack" {
		t.Errorf("a websocket is told %s", told)
	}
	for name, changes := range map[string]jwt.MapClaims{
		"expired":     {"exp": time.Now().Add(-time.Minute).Unix()},
		"for others":  {"aud": "bank"},
		"a lost bond": {"https://id.example/customer": ""},
	} {
		bad := token(changes)
		if response, body := p.get(t, "/graphql?query=%7B__typename%7D", "Authorization", "Bearer "+bad); response.StatusCode != http.StatusUnauthorized || strings.Contains(body, `"data"`) {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
		if told := p.initSocket(t, bad); told != "4403" {
			t.Errorf("%s: a websocket is told %s", name, told)
		}
	}
}

// initSocket is what a websocket is told that brings a token: a message's type or a close code.
func (p *program) initSocket(t *testing.T, token string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(p.address(), "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow() //nolint:errcheck // it is over
	if err := wsjson.Write(ctx, conn, socketMessage{Type: "connection_init", Payload: fmt.Appendf(nil, `{"Authorization":"Bearer %s"}`, token)}); err != nil {
		t.Fatal(err)
	}
	var m socketMessage
	if err := wsjson.Read(ctx, conn, &m); err != nil {
		if closed, ok := errors.AsType[websocket.CloseError](err); ok {
			return fmt.Sprint(int(closed.Code))
		}
		t.Fatal(err)
	}
	return m.Type
}

// TestWithoutATokenThereIsNoData asks in every way there is.
func TestWithoutATokenThereIsNoData(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	const query = `{"query":"{ __typename }"}`
	for name, ask := range map[string]struct{ method, path, contentType, accept, body string }{
		"POST":            {http.MethodPost, "/graphql", "application/json", "", query},
		"GET":             {http.MethodGet, "/graphql?query=%7B__typename%7D", "", "", ""},
		"introspection":   {http.MethodGet, "/graphql?query=%7B__schema%7BqueryType%7Bname%7D%7D%7D", "", "", ""},
		"events":          {http.MethodPost, "/graphql", "application/json", "text/event-stream", `{"query":"subscription { events { cursor } }"}`},
		"events by GET":   {http.MethodGet, "/graphql?query=subscription%7Bevents%7Bcursor%7D%7D", "", "text/event-stream", ""},
		"a form":          {http.MethodPost, "/graphql", "application/x-www-form-urlencoded", "", "query=%7B__typename%7D"},
		"an upload":       {http.MethodPost, "/graphql", "multipart/form-data; boundary=x", "", "--x--\r\n"},
		"text":            {http.MethodPost, "/graphql", "text/plain", "", query},
		"nothing":         {http.MethodPost, "/graphql", "application/json", "", ""},
		"another method":  {http.MethodDelete, "/graphql", "", "", ""},
		"a token in URLs": {http.MethodGet, "/graphql?query=%7B__typename%7D&access_token=" + p.token, "", "", ""},
	} {
		for _, header := range []string{"", "Bearer", "Bearer  ", "Bearer x.y.z", "Basic " + p.token, p.token} {
			request, err := http.NewRequestWithContext(t.Context(), ask.method, p.address()+ask.path, strings.NewReader(ask.body))
			if err != nil {
				t.Fatal(err)
			}
			for field, value := range map[string]string{"Content-Type": ask.contentType, "Accept": ask.accept, "Authorization": header} {
				if value != "" {
					request.Header.Set(field, value)
				}
			}
			response, body := send(t, request)
			if response.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer ") ||
				!strings.Contains(string(body), `"UNAUTHENTICATED"`) || slices.ContainsFunc([]string{`"data"`, "Query"}, func(s string) bool { return strings.Contains(string(body), s) }) {
				t.Errorf("%s with %.10q: %d %q: %s", name, header, response.StatusCode, response.Header.Get("WWW-Authenticate"), body)
			}
		}
	}
}
