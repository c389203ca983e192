package server

import (
	"net/http"

	"github.com/rs/cors"
)

// crossOrigin lets pages of the listed origins read answers, and no others. Nothing here is opened by cookies, so
// credentials of the browser are not allowed to anybody.
func crossOrigin(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{
			"Authorization", "Content-Type", "Accept", "Last-Event-ID", requestIDHeader,
			"GraphQL-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name", "X-Apollo-Operation-Id",
			"Apollographql-Client-Name", "Apollographql-Client-Version",
		},
		ExposedHeaders: []string{
			requestIDHeader, "WWW-Authenticate", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
		},
		MaxAge: 600,
	}).Handler(next)
}
