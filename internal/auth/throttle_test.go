package auth_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
)

// TestWrongSecretsAreThrottled goes on with wrong secrets until they are answered otherwise, which touches
// neither other clients nor the good secret.
func TestWrongSecretsAreThrottled(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	at := now()
	i, err := auth.NewIssuer(dataKey(), func() time.Time { mu.Lock(); defer mu.Unlock(); return at })
	if err != nil {
		t.Fatal(err)
	}
	endpoint := auth.Addressed(nil, auth.TokenEndpoint(i, registered(), gateOf(nil), slog.New(slog.DiscardHandler)))
	addresses := 0
	send := func(id, secret string) *httptest.ResponseRecorder {
		body := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}.Encode()
		request := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		addresses++ // each from an address of its own: those are throttled too
		request.RemoteAddr = fmt.Sprintf("10.0.%d.%d:80", addresses>>8, addresses&255)
		answer := httptest.NewRecorder()
		endpoint.ServeHTTP(answer, request)
		return answer
	}
	for _, id := range []string{"web", "nobody"} {
		for range 10 {
			if answer := send(id, "wrong"); answer.Code != http.StatusUnauthorized {
				t.Fatalf("%s: %d %s", id, answer.Code, answer.Body)
			}
		}
		for range 3 {
			if answer := send(id, "wrong"); answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") != "6" || !strings.Contains(answer.Body.String(), "temporarily_unavailable") {
				t.Fatalf("%s: %d %v %s", id, answer.Code, answer.Header(), answer.Body)
			}
		}
	}
	if answer := send("web", "s3cret"); answer.Code != http.StatusOK {
		t.Errorf("the good secret is locked out: %d", answer.Code)
	}
	if answer := send("gone", "wrong"); answer.Code != http.StatusUnauthorized {
		t.Errorf("another client: %d", answer.Code)
	}
	mu.Lock()
	at = at.Add(6 * time.Second)
	mu.Unlock()
	for _, want := range []int{http.StatusUnauthorized, http.StatusTooManyRequests} {
		if answer := send("web", "wrong"); answer.Code != want {
			t.Errorf("after a while: %d, want %d", answer.Code, want)
		}
	}
	for n := range 5000 { // more ids than are remembered
		if answer := send(fmt.Sprint("made-up-", n), "wrong"); answer.Code != http.StatusUnauthorized {
			t.Fatalf("an id of its own: %d", answer.Code)
		}
	}
	if answer := send("nobody", "wrong"); answer.Code != http.StatusUnauthorized {
		t.Errorf("what is remembered is not bounded: %d", answer.Code)
	}
}
