package auth

import (
	"encoding/json"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/lending"
)

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
