package carbon_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/carbon"
)

func TestNewOffersApplicationsAlone(t *testing.T) {
	t.Parallel()
	p, err := carbon.New(carbon.Config{BaseURL: "https://example.test/baas/api", APIKey: "key\n"}, carbon.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]lending.Capability{lending.CanApplyForLoans}, p.Capabilities()); diff != "" {
		t.Error(diff)
	}
	want := map[lending.OperationKind]provider.Recovery{lending.OpApplyForLoan: provider.RecoverByRepeating}
	if diff := cmp.Diff(want, p.Recovery); diff != "" {
		t.Error(diff)
	}
	if p.Name != lending.Carbon || p.Pinger == nil {
		t.Errorf("name %q, pinger %v", p.Name, p.Pinger)
	}
}

func TestNewNamesTheSettingThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cfg  carbon.Config
		want []string
	}{
		"nothing":            {carbon.Config{}, []string{"CARBON_BASE_URL: is required", "CARBON_API_KEY: is required"}},
		"relative URL":       {carbon.Config{BaseURL: "/baas", APIKey: "k"}, []string{"CARBON_BASE_URL: "}},
		"credentials in URL": {carbon.Config{BaseURL: "https://u:hunter2@x.test", APIKey: "k"}, []string{"CARBON_BASE_URL: "}},
		"key in two lines":   {carbon.Config{BaseURL: "https://x.test", APIKey: "hunter2\nhunter2"}, []string{"CARBON_API_KEY: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := carbon.New(test.cfg, carbon.Deps{})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]lending.ErrorKind{
		http.StatusOK: "", http.StatusNotFound: "", http.StatusUnauthorized: "", http.StatusFound: "",
		http.StatusServiceUnavailable: lending.KindUpstreamUnavailable,
	} {
		d := setup(t)
		d.answers(status, "")
		if got := lending.KindOf(d.Pinger.Ping(t.Context())); got != want {
			t.Errorf("%d: kind %q, want %q", status, got, want)
		}
		request := d.only(t)
		if request.method != http.MethodGet || request.path != "/" || request.header.Get("apikey") != "" {
			t.Errorf("the ping asked %+v", request)
		}
	}
}

func TestPingOfNobody(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.server.Close()
	if got := lending.KindOf(d.Pinger.Ping(t.Context())); got != lending.KindUpstreamUnavailable {
		t.Errorf("kind %q", got)
	}
}
