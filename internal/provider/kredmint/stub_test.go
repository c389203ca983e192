package kredmint_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
)

// stubbed is a driver whose transport gives one answer without any network, for properties and fuzzing.
type stubbed struct {
	*provider.Provider
	body string
	last []byte
}

// fataler is what a test, a property and a fuzz target have in common.
type fataler interface {
	Fatal(args ...any)
}

func stub(body string) *stubbed {
	s := &stubbed{body: body}
	p, err := kredmint.New(config("http://kredmint.invalid"), kredmint.Deps{Transport: s})
	if err != nil {
		panic(err) // the configuration of these tests is a constant
	}
	s.Provider = p
	return s
}

// RoundTrip gives the answer and keeps the request's body.
func (s *stubbed) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		var err error
		if s.last, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(s.body)), Request: request}, nil
}

// field is a field of the last request, as it was written.
func (s *stubbed) field(t fataler, name string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(s.last, &fields); err != nil {
		t.Fatal(err)
	}
	return string(fields[name])
}
