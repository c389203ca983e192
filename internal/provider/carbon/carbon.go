// Package carbon is the driver for Carbon's loan applications (seed 003).
//
// Carbon has one call: apply. Its reference is an idempotency key, so an application whose answer was
// lost is sent again as it was, and never becomes two. A reference that Carbon knows is answered with the
// application that it has, whose terms may be others than those just sent; the driver tells which terms
// the answer named, so that the caller can compare.
//
// Carbon pays out to the account that it holds for its customer. It takes neither a product nor an account
// with an application, so those two fields of an application are not sent.
//
// Carbon's public site has more, such as asking for an application's state. The seed has none of it, and
// this driver leaves it out: an application that is not settled is asked for by applying again.
package carbon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// Config is where Carbon is, and who we are there. Both are required.
type Config struct {
	// BaseURL is what stands before /v1: "https://carbonapistagingsecure.getcarbon.co/baas/api" for Carbon's
	// sandbox. Carbon tells the address of its production with the key.
	BaseURL string
	// APIKey authenticates us.
	APIKey string
}

// Deps is what the driver needs from outside. Each may be left out.
type Deps struct {
	Transport http.RoundTripper // default: a pooled transport of its own
	Clock     func() time.Time  // default: time.Now
	Logger    *slog.Logger      // default: discards
}

// maxWait bounds what Carbon may ask us to wait.
const maxWait = time.Minute

// lender is Carbon as the port sees it.
type lender struct {
	header http.Header
	client *restclient.Client
	clock  func() time.Time
	odd    *wire.Oddities
}

var (
	_ provider.LoanApplier = (*lender)(nil)
	_ provider.Pinger      = (*lender)(nil)
)

// New makes the driver. It sends nothing. An error names the setting that is missing or cannot be.
func New(cfg Config, deps Deps) (*provider.Provider, error) {
	restclient.Defaults(&deps.Transport, &deps.Clock, &deps.Logger)
	// A line break after a key is what an environment made from files leaves behind.
	key := strings.TrimSpace(cfg.APIKey)
	l := &lender{header: authentication(key), clock: deps.Clock, odd: wire.NewOddities(deps.Logger, lending.Carbon)}
	if err := errors.Join(l.connect(strings.TrimSpace(cfg.BaseURL), deps.Transport), checkKey(key)); err != nil {
		return nil, err
	}
	return &provider.Provider{
		Name: lending.Carbon, Applications: l, Pinger: l,
		Recovery: map[lending.OperationKind]provider.Recovery{lending.OpApplyForLoan: provider.RecoverByRepeating},
	}, nil
}

// authentication is the key in both headers that Carbon's page names: x-carbon-key in its table, apikey
// in its text. Its own example sends both.
func authentication(key string) http.Header {
	return http.Header{"X-Carbon-Key": {key}, "Apikey": {key}}
}

// checkKey refuses a key that cannot stand in a header.
func checkKey(key string) error {
	if key == "" {
		return errors.New("CARBON_API_KEY: is required")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("CARBON_API_KEY: has to be of printable ASCII without spaces")
	}
	return nil
}

func (l *lender) connect(base string, transport http.RoundTripper) (err error) {
	if base == "" {
		return errors.New("CARBON_BASE_URL: is required")
	}
	if l.client, err = restclient.New(restclient.Config{BaseURL: base, Transport: transport}); err != nil {
		return fmt.Errorf("CARBON_BASE_URL: %w", err)
	}
	return nil
}

// Ping asks Carbon's host for anything, without our key. Any answer but a server's failure counts as alive.
func (l *lender) Ping(ctx context.Context) error {
	if err := l.client.Ping(ctx); err != nil {
		return provider.TransportFailure(lending.Carbon, provider.Read, err)
	}
	return nil
}
