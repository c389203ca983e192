package server

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// guestRole is a client that the explorer's visitors may be, with a fresh token of its.
type guestRole struct {
	Role      string   `json:"role"`
	Scopes    []string `json:"scopes"`
	Token     string   `json:"token"`
	ExpiresIn int      `json:"expiresIn"` // seconds
	// CustomerID is the only customer that the token opens.
	CustomerID string `json:"customerId,omitempty"`
}

// guestBook gives the explorer's visitors their tokens in the sandbox, whose people are made up. There is none
// where customers are real.
type guestBook struct {
	guests func() []auth.Client
	issuer *auth.Issuer
	log    *slog.Logger
}

// ServeHTTP implements http.Handler.
func (b guestBook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guardPage(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	if !ownPage(r) {
		answer(w, http.StatusForbidden, "Only the explorer's own page gets tokens here.")
		return
	}
	clients := b.guests()
	if len(clients) == 0 {
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, "The sandbox is not ready yet.")
		return
	}
	roles := make([]guestRole, len(clients))
	for i, client := range clients {
		role, err := b.role(client)
		if err != nil {
			b.log.ErrorContext(r.Context(), "a token cannot be signed", "error", err)
			answer(w, http.StatusInternalServerError, "Something went wrong on our side.")
			return
		}
		roles[i] = role
	}
	w.Header().Set("Content-Type", jsonType)
	_ = json.NewEncoder(w).Encode(map[string]any{"roles": roles}) // the client went away: nobody is left to tell
}

func (b guestBook) role(client auth.Client) (guestRole, error) {
	token, err := b.issuer.IssueTo(client, client.Scopes, auth.TokenLifetime)
	role := guestRole{Role: client.Name, Token: token, ExpiresIn: int(auth.TokenLifetime.Seconds())}
	for _, scope := range client.Scopes {
		role.Scopes = append(role.Scopes, string(scope))
	}
	if client.Customer != "" {
		role.CustomerID = lending.GlobalID(lending.CustomerNode, client.Customer)
	}
	return role, err
}

// ownPage reports whether a page of ours asks. Browsers say so themselves; those that do not, since the connection
// is not one they trust, say at least from where a request of another page comes.
func ownPage(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "http://"+r.Host || origin == "https://"+r.Host
}
