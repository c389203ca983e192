package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
)

// rateOf sends the smallest query there is.
func rateOf(t *testing.T, p *program) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.address()+"/graphql", strings.NewReader(`{"query":"{ viewer { clientId } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response
}

// planned is a small program whose clients are on a plan.
func planned(t *testing.T, plan, redis string) *program {
	t.Helper()
	return bootEarly(t, setup{customers: 20, redis: redis, adjust: func(c *config.Config) { c.DefaultPlan = plan }})
}

func TestReplicasShareAClientsPlan(t *testing.T) {
	t.Parallel()
	redis := "redis://" + miniredis.RunT(t).Addr()
	replicas := []*program{planned(t, auth.SandboxPlan, redis), planned(t, auth.SandboxPlan, redis)}
	began, admitted := time.Now(), 0
	for i := range 40 {
		response := rateOf(t, replicas[i%2])
		if response.StatusCode == http.StatusTooManyRequests {
			break
		}
		admitted++
	}
	// One comes back a second. A replica on its own would let ten through, and two of them twenty.
	if most := 11 + int(time.Since(began).Seconds()); admitted < 10 || admitted > most {
		t.Errorf("two replicas let %d requests through, want 10 and at most %d", admitted, most)
	}
}

func TestClientsWithoutAPlanHaveTheOneThatIsSet(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{auth.EnterprisePlan: "5000", auth.ProfessionalPlan: "1000", "unlimited": ""} {
		response := rateOf(t, planned(t, setting, ""))
		got := response.Header.Get("X-RateLimit-Limit")
		if reset, err := strconv.ParseInt(response.Header.Get("X-RateLimit-Reset"), 10, 64); want != "" && (err != nil || time.Until(time.Unix(reset, 0)) > time.Minute+time.Second) {
			t.Errorf("%s: the limit is whole again at %d: %v", setting, reset, err)
		}
		if got != want || response.StatusCode != http.StatusOK {
			t.Errorf("%s: a limit of %q, want %q; answered %d", setting, got, want, response.StatusCode)
		}
	}
}
