package auth

import (
	"crypto/subtle"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// maxForm is how large a request for a token may be.
const maxForm = 16 << 10

// TokenEndpoint is POST /oauth/token: client credentials by form or Basic, as RFC 6749 §4.4 has it. Failures count
// against the client and, at the gate, against the address.
func TokenEndpoint(issuer *Issuer, clients ClientFinder, gate *Gate, logger *slog.Logger) http.Handler {
	e := &tokenEndpoint{
		issuer: issuer, clients: clients, gate: gate, log: logger,
		failures: newThrottle(issuer.now, freeFailures, failurePause, maxThrottled),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		granted, refused := e.grant(r)
		if refused != nil {
			refused.write(w)
			return
		}
		writeJSON(w, http.StatusOK, granted)
	})
}

type tokenEndpoint struct {
	issuer   *Issuer
	clients  ClientFinder
	gate     *Gate
	log      *slog.Logger
	failures *throttle
}

// granted is a good answer (RFC 6749 §5.1).
type granted struct {
	lending.Private
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

// refusal is an answer of RFC 6749 §5.2, for the client's programmer to read.
type refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`

	status     int
	retryAfter time.Duration
}

func (f *refusal) write(w http.ResponseWriter) {
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="creditgraph"`)
	}
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", seconds(f.retryAfter))
	}
	writeJSON(w, f.status, f)
}

func invalidRequest(description string) *refusal {
	return &refusal{Code: "invalid_request", Description: description, status: http.StatusBadRequest}
}

func invalidClient(description string) *refusal {
	return &refusal{Code: "invalid_client", Description: description, status: http.StatusUnauthorized}
}

func tooOften(description string, wait time.Duration) *refusal {
	return &refusal{Code: "temporarily_unavailable", Description: description, status: http.StatusTooManyRequests, retryAfter: wait}
}

func (e *tokenEndpoint) grant(r *http.Request) (*granted, *refusal) {
	form, refused := readForm(r)
	if refused != nil {
		return nil, refused
	}
	switch form.Get("grant_type") {
	case "client_credentials":
	case "":
		return nil, invalidRequest("Send a form with grant_type=client_credentials.")
	default:
		return nil, &refusal{Code: "unsupported_grant_type", Description: "Send grant_type=client_credentials.", status: http.StatusBadRequest}
	}
	client, refused := e.authenticate(r, form)
	if refused != nil {
		return nil, refused
	}
	scopes, ok := narrowed(client.Scopes, form.Get("scope"))
	if !ok {
		return nil, &refusal{Code: "invalid_scope", Description: "The client does not have one of these scopes.", status: http.StatusBadRequest}
	}
	token, err := e.issuer.IssueTo(client, scopes, TokenLifetime)
	if err != nil {
		e.log.ErrorContext(r.Context(), "a token cannot be signed", "error", err)
		return nil, &refusal{Code: "server_error", Description: "Something went wrong on our side.", status: http.StatusInternalServerError}
	}
	return &granted{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(TokenLifetime.Seconds()), Scope: FormatScopes(scopes)}, nil
}

// readForm is the form in the body. What the address carries does not count: addresses are logged everywhere.
func readForm(r *http.Request) (url.Values, *refusal) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("Send a form: Content-Type application/x-www-form-urlencoded.")
	}
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("Send a form of at most 16 KB.")
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return nil, invalidRequest("Send each parameter once.")
		}
	}
	return r.PostForm, nil
}

// authenticate is the client that asks. A good secret is taken however often a wrong one came before: it has
// 256 random bits and cannot be guessed, and whoever knows an id could lock its client out otherwise. From an address
// with too many failures, credentials are looked at that were good before.
func (e *tokenEndpoint) authenticate(r *http.Request, form url.Values) (Client, *refusal) {
	id, secret, refused := credentials(r, form)
	if refused != nil {
		return Client{}, refused
	}
	sent := id + "\x00" + secret
	if wait := e.gate.wait(r.Context()); wait > 0 && !e.gate.wasWelcome(sent) {
		return Client{}, tooOften("Too many failures came from this address. Try again later.", wait)
	}
	var client Client
	if isID(id) { // a database may not take what is no text
		var err error
		client, err = e.clients.Client(r.Context(), id)
		if err != nil && !lending.IsNotFound(err) {
			e.log.ErrorContext(r.Context(), "clients cannot be read", "error", lending.AsError(err).Detail())
			return Client{}, &refusal{
				Code: "temporarily_unavailable", Description: "Try again later.",
				status: http.StatusServiceUnavailable, retryAfter: time.Second,
			}
		}
	}
	if matches(client, secret) {
		e.gate.welcome(sent)
		return client, nil
	}
	e.gate.failed(r.Context(), sent)
	if wait := e.failures.failed(id); wait > 0 {
		return Client{}, tooOften("Too many wrong secrets. Try again later.", wait)
	}
	return Client{}, invalidClient("The client id or the secret is wrong.")
}

// credentials are the client's id and secret, from the one place in which they were sent (RFC 6749 §2.3.1).
func credentials(r *http.Request, form url.Values) (id, secret string, refused *refusal) {
	header := r.Header.Values("Authorization")
	if len(header) == 0 {
		return form.Get("client_id"), form.Get("client_secret"), nil
	}
	id, secret, ok := r.BasicAuth()
	if !ok || len(header) > 1 {
		return "", "", invalidClient("Send Basic credentials in the Authorization header, or none there and both in the form.")
	}
	id, idErr := url.QueryUnescape(id) // both are encoded as in a form before Basic joins them
	secret, secretErr := url.QueryUnescape(secret)
	if idErr != nil || secretErr != nil {
		return "", "", invalidClient("Encode the client id and the secret as in a form before joining them for Basic.")
	}
	if form.Get("client_secret") != "" || form.Get("client_id") != "" && form.Get("client_id") != id {
		return "", "", invalidRequest("Send the credentials once: in the Authorization header or in the form.")
	}
	return id, secret, nil
}

// matches compares in constant time, also for a client that does not exist.
func matches(client Client, secret string) bool {
	equal := subtle.ConstantTimeCompare([]byte(client.SecretHash), []byte(HashSecret(secret))) == 1
	return equal && client.ID != "" && !client.Revoked
}

// narrowed are the scopes asked for, all of the client's when none is; false when one is not the client's.
func narrowed(has []Scope, asked string) ([]Scope, bool) {
	scopes, err := ParseScopes(asked)
	if err != nil {
		return nil, false
	}
	if len(scopes) == 0 {
		return has, true
	}
	p := Principal{Scopes: has}
	for _, scope := range scopes {
		if !p.May(scope) {
			return nil, false
		}
	}
	return scopes, true
}
