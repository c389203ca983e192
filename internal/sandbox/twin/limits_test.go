package twin_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

var plans = twin.Limits{
	Plans: []twin.Plan{
		{Name: "Large", PerMinute: 1000, Burst: 1000},
		{Name: "Bursty", PerMinute: 60, Burst: 2},
		{Name: "Daily", PerMinute: 100, PerDay: 3, Burst: 100},
		{Name: "Minutely", PerMinute: 3, Burst: 10},
	},
	Credential: func(r *http.Request) string { return r.Header.Get("Who") },
	Tell: func(h http.Header, s twin.Standing) {
		h.Set("Left", strconv.Itoa(s.Remaining)+"/"+strconv.Itoa(s.Limit)+" until "+s.Reset.Format("02 15:04:05"))
	},
}

func TestPlansLimitWhatPasses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		plan  string
		waits []time.Duration // before each call
		want  []string
	}{
		{"Large", []time.Duration{0, 0}, []string{
			"200 999/1000 until 16 10:31:00", "200 998/1000 until 16 10:31:00",
		}},
		{"Bursty", []time.Duration{0, 0, 0, time.Second, 0}, []string{
			"200 1/60 until 16 10:31:00", "200 0/60 until 16 10:31:00", "429 0/60 until 16 10:31:00",
			"200 0/60 until 16 10:31:00", "429 0/60 until 16 10:31:00",
		}},
		{"Minutely", []time.Duration{0, 0, 0, 0, time.Minute}, []string{
			"200 2/3 until 16 10:31:00", "200 1/3 until 16 10:31:00", "200 0/3 until 16 10:31:00",
			"429 0/3 until 16 10:31:00", "200 2/3 until 16 10:32:00",
		}},
		{"Daily", []time.Duration{0, 0, 0, time.Minute, 24 * time.Hour}, []string{
			"200 2/100 until 16 10:31:00", "200 1/100 until 16 10:31:00", "200 0/100 until 17 00:00:00",
			"429 0/100 until 17 00:00:00", "200 2/100 until 17 10:32:00",
		}},
	}
	for _, test := range tests {
		t.Run(test.plan, func(t *testing.T) {
			t.Parallel()
			s := setup(t, twin.Options{Limits: plans})
			if status, _ := s.mustCall(t, "POST", "/__sandbox/plan", `{"plan":"`+test.plan+`"}`); status != 204 {
				t.Fatalf("choosing the plan: %d", status)
			}
			var got []string
			for _, wait := range test.waits {
				s.clock.Advance(wait)
				response, _, err := s.call(t.Context(), "GET", "/things/1", "")
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, strconv.Itoa(response.StatusCode)+" "+response.Header.Get("Left"))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEachCredentialHasItsOwnAllowance(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{Limits: plans})
	s.mustCall(t, "POST", "/__sandbox/plan", `{"plan":"Bursty"}`)
	for _, who := range []string{"a", "b", "a", "b"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/things/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Who", who)
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s was refused", who)
		}
	}
	if status, _ := s.mustCall(t, "POST", "/__sandbox/plan", `{"plan":"Gigantic"}`); status != 404 {
		t.Errorf("an unknown plan: %d", status)
	}
}

func TestARateLimitOnRequestTellsTheProvidersHeaders(t *testing.T) {
	t.Parallel()
	s := setup(t, twin.Options{Limits: plans})
	if _, err := s.Faults.Add(twin.Rule{Kind: twin.RateLimited, Header: map[string]string{"Retry-After": "7"}}); err != nil {
		t.Fatal(err)
	}
	response, _, err := s.call(t.Context(), "GET", "/things/1", "")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{response.Status, response.Header.Get("Left"), response.Header.Get("Retry-After")}
	if diff := cmp.Diff([]string{"429 Too Many Requests", "0/1000 until 16 10:31:00", "7"}, got); diff != "" {
		t.Errorf("the answer (-want +got):\n%s", diff)
	}
}
