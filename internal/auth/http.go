package auth

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Verifier checks bearer tokens.
type Verifier interface {
	// Verify is who a token stands for. The error is UNAUTHENTICATED, with a reason for people, when the token
	// is not good, and UNAVAILABLE while that cannot be known.
	Verify(token string) (*Principal, error)
}

// Authenticate lets requests through that carry a good bearer token, and answers the others 401.
func Authenticate(verifier Verifier, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if token == "" || !strings.EqualFold(scheme, "Bearer") {
			unauthenticated(w, `Bearer realm="creditgraph"`, "Send a bearer token in the Authorization header.")
			return
		}
		principal, err := verifier.Verify(strings.TrimSpace(token))
		switch {
		case lending.KindOf(err) == lending.KindUnavailable:
			w.Header().Set("Retry-After", "10")
			writeFailure(w, http.StatusServiceUnavailable, lending.KindUnavailable, err.Error())
			return
		case err != nil:
			unauthenticated(w, `Bearer realm="creditgraph", error="invalid_token"`, err.Error())
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), principal)))
	})
}

func unauthenticated(w http.ResponseWriter, challenge, message string) {
	w.Header().Set("WWW-Authenticate", challenge)
	writeFailure(w, http.StatusUnauthorized, lending.KindUnauthenticated, message)
}

// writeFailure answers as the graph does: with errors, and without data.
func writeFailure(w http.ResponseWriter, status int, kind lending.ErrorKind, message string) {
	writeJSON(w, status, map[string]any{"errors": []any{map[string]any{
		"message": message, "extensions": map[string]any{"code": kind},
	}}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away: nobody is left to tell
}
