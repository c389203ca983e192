package onepipe_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/onepipe"
)

// canned is a transport that gives one answer without any network.
type canned string

func (c canned) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(c))), Request: request}, nil
}

// stub is a driver that gets one answer to everything.
func stub(body string, unit onepipe.OfferUnit) *provider.Provider {
	cfg := config("http://onepipe.invalid/v2")
	cfg.OfferUnit = unit
	p, err := onepipe.New(cfg, onepipe.Deps{Transport: canned(body)})
	if err != nil {
		panic(err) // the configuration of these tests is a constant
	}
	return p
}

// FuzzAnswers: no answer makes the driver panic; a completed request has a score, no other has one; every
// failure is of a closed kind.
func FuzzAnswers(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Add(`{"status":"PendingValidation","message":"x","errors":[{"code":1},null]}`)
	f.Add(response(`[{"loans_score":"7,000","scale_min":"-1","confidence":"99%","offer_amount":1e3,"meta":[1]}]`))
	f.Fuzz(func(t *testing.T, body string) {
		got, err := stub(body, onepipe.Minor).Confirmations.QueryScore(t.Context(), reference)
		if err != nil {
			if kind := lending.KindOf(err); !kind.Valid() || kind == lending.KindInternal {
				t.Errorf("error of kind %q: %v", kind, err)
			}
			return
		}
		if (got.State == provider.ScoreCompleted) != (got.Score != nil) {
			t.Errorf("state %s with score %v", got.State, got.Score)
		}
		if len([]rune(got.Prompt)) > 200 || len([]rune(got.ProviderStatus)) > 64 {
			t.Errorf("endless words: %q %q", got.Prompt, got.ProviderStatus)
		}
	})
}
