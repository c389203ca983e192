package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Client is a program that may get tokens.
type Client struct {
	ID         string
	Name       string
	SecretHash string // see [HashSecret]
	Scopes     []Scope
	Customer   lending.CustomerID // the only one that its tokens open; "" for all
	Plan       string             // one of [Plans]
	Revoked    bool
}

// ClientFinder finds a client; NOT_FOUND when there is none.
type ClientFinder interface {
	Client(ctx context.Context, id string) (Client, error)
}

// NewSecret is a fresh client secret: 256 random bits, so that a plain hash of it is safe to keep.
func NewSecret() string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// HashSecret is what is kept of a client secret.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Authenticate lets requests through that carry a good bearer token, and answers the others 401.
func Authenticate(issuer *Issuer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if token == "" || !strings.EqualFold(scheme, "Bearer") {
			unauthenticated(w, `Bearer realm="creditgraph"`, "Send a bearer token in the Authorization header.")
			return
		}
		principal, err := issuer.Verify(strings.TrimSpace(token))
		if err != nil {
			unauthenticated(w, `Bearer realm="creditgraph", error="invalid_token"`, err.Error())
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), principal)))
	})
}

func unauthenticated(w http.ResponseWriter, challenge, message string) {
	w.Header().Set("WWW-Authenticate", challenge)
	writeJSON(w, http.StatusUnauthorized, map[string]any{"errors": []any{map[string]any{
		"message": message, "extensions": map[string]any{"code": lending.KindUnauthenticated},
	}}})
}

// TokenEndpoint is POST /oauth/token: client credentials by form or Basic, as RFC 6749 §4.4 has it.
func TokenEndpoint(issuer *Issuer, clients ClientFinder, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		if err := r.ParseForm(); err != nil {
			oauthError(w, http.StatusBadRequest, "invalid_request", "Send a form.")
			return
		}
		switch r.PostForm.Get("grant_type") {
		case "client_credentials":
		case "":
			oauthError(w, http.StatusBadRequest, "invalid_request", "Send a form with grant_type=client_credentials.")
			return
		default:
			oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "Send grant_type=client_credentials.")
			return
		}
		id, secret, basic := r.BasicAuth()
		if !basic {
			id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
		}
		client, err := clients.Client(r.Context(), id)
		if err != nil && !lending.IsNotFound(err) {
			logger.ErrorContext(r.Context(), "clients cannot be read", "error", lending.AsError(err).Detail())
			oauthError(w, http.StatusServiceUnavailable, "temporarily_unavailable", "Try again later.")
			return
		}
		if !matches(client, secret) {
			w.Header().Set("WWW-Authenticate", `Basic realm="creditgraph"`)
			oauthError(w, http.StatusUnauthorized, "invalid_client", "The client id or the secret is wrong.")
			return
		}
		scopes, ok := narrowed(client.Scopes, r.PostForm.Get("scope"))
		if !ok {
			oauthError(w, http.StatusBadRequest, "invalid_scope", "The client does not have one of these scopes.")
			return
		}
		token, err := issuer.Issue(client.ID, scopes, TokenLifetime)
		if err != nil {
			logger.ErrorContext(r.Context(), "a token cannot be signed", "error", err)
			oauthError(w, http.StatusInternalServerError, "server_error", "Something went wrong on our side.")
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": token, "token_type": "Bearer", "expires_in": int(TokenLifetime.Seconds()), "scope": FormatScopes(scopes),
		})
	})
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

func oauthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away: nobody is left to tell
}
