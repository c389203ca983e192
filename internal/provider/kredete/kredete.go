// Package kredete drives the Kredete public API: customers, loans, payments, scores and webhooks
// (seed 000).
//
// What the documentation leaves open is settled here as follows. The shape of lists, and what approve,
// reject, disburse and webhook registration answer, is read tolerantly. A single entity may stand under
// its own name or under "data". An answer without a status never counts as more than the call asked
// for: a disbursement is DISBURSING until an event or a status says that it is done. Amounts are major
// units unless [Config] says otherwise. Undocumented reads (GET /loans/{id} and the like) are not used:
// loans and payments are known from what we sent and from webhooks.
//
// The value behind every capability of the bundle that [New] returns is a [RateLimiter].
package kredete

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// AmountUnit is what Kredete counts amounts in. Its documentation does not say; the sizes of its
// examples speak for major units.
type AmountUnit string

// The units of amounts.
const (
	MajorUnits AmountUnit = "major" // naira
	MinorUnits AmountUnit = "minor" // kobo
)

// Config is how Kredete is reached. BaseURL, ClientID and ClientSecret are required.
type Config struct {
	// BaseURL is used as given and ends in /v2: https://api.kredete.com/v2 (seed 000, Base URLs).
	BaseURL string
	// ClientID and ClientSecret are the OAuth 2.0 client credentials.
	ClientID, ClientSecret string
	// Scopes are asked for with every token, separated by spaces; "" takes the documented sample,
	// "read:customers write:loans". A token that was granted fewer is refused.
	Scopes string
	// WebhookSecret signs what Kredete sends; without it every webhook is refused.
	WebhookSecret string
	// SignatureHeaders are the headers in which the signature of a webhook is looked for, because the
	// documentation names none; empty takes X-Kredete-Signature, X-Webhook-Signature, X-Signature.
	SignatureHeaders []string
	// AmountUnit is what amounts are counted in, both ways; "" takes MajorUnits.
	AmountUnit AmountUnit
	// ScoreScale is what scores run from and to, "MIN:MAX"; "" takes "300:850". Kredete publishes none,
	// so every score says that its scale is assumed.
	ScoreScale string
	// TokenTimeout is how long a token request may take; 0 takes ten seconds.
	TokenTimeout time.Duration
}

// Deps are what the driver is given from outside. Each may be nil.
type Deps struct {
	Transport http.RoundTripper   // nil: a pooled one
	Clock     func() time.Time    // nil: time.Now
	Logger    *slog.Logger        // nil: no log
	Jitter    func(n int64) int64 // a number from 0 to n-1, which spreads token renewals; nil: random
}

// RateLimiter tells what Kredete last said of its rate limit (seed 000, Rate Limit Headers).
type RateLimiter interface {
	// RateLimit is how many requests are allowed, how many of them are left, and when the count starts
	// anew (zero where that was not told). ok is false as long as no answer has told it.
	RateLimit() (limit, remaining int, resetsAt time.Time, ok bool)
}

// client is the driver.
type client struct {
	rest             *restclient.Client
	tokens           *tokenSource
	clock            func() time.Time
	log              *slog.Logger
	odd              *wire.Oddities
	limits           limits
	minorUnits       bool
	scale            lending.ScoreScale
	webhookSecret    []byte
	signatureHeaders []string
}

var (
	_ provider.ProfileReader    = (*client)(nil)
	_ provider.ProfileLister    = (*client)(nil)
	_ provider.CustomerCreator  = (*client)(nil)
	_ provider.LoanApplier      = (*client)(nil)
	_ provider.LoanDecider      = (*client)(nil)
	_ provider.PaymentRecorder  = (*client)(nil)
	_ provider.Scorer           = (*client)(nil)
	_ provider.WebhookRegistrar = (*client)(nil)
	_ provider.WebhookReceiver  = (*client)(nil)
	_ provider.Pinger           = (*client)(nil)
	_ RateLimiter               = (*client)(nil)
)

// New makes the driver. It does no input or output; an error names the setting that is wrong.
func New(cfg Config, deps Deps) (*provider.Provider, error) {
	c, err := newClient(cfg, deps)
	if err != nil {
		return nil, err
	}
	return &provider.Provider{
		Name:            lending.Kredete,
		Profiles:        c,
		ProfileList:     c,
		Customers:       c,
		Applications:    c,
		Decisions:       c,
		Payments:        c,
		Scores:          c,
		Registrations:   c,
		WebhookReceiver: c,
		Pinger:          c,
		Recovery: map[lending.OperationKind]provider.Recovery{
			lending.OpCreateCustomer: provider.RecoverByListing,
		},
	}, nil
}

func newClient(cfg Config, deps Deps) (*client, error) {
	deps = deps.withDefaults()
	rest, err := restclient.New(restclient.Config{BaseURL: cfg.BaseURL, Transport: deps.Transport})
	if err != nil {
		return nil, fmt.Errorf("KREDETE_BASE_URL: %w", err)
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	scale, err := parseScale(cfg.ScoreScale)
	if err != nil {
		return nil, fmt.Errorf("KREDETE_SCORE_SCALE: %w", err)
	}
	c := &client{
		rest: rest, clock: deps.Clock, log: deps.Logger, odd: wire.NewOddities(deps.Logger, lending.Kredete),
		minorUnits: cfg.AmountUnit == MinorUnits, scale: scale,
		webhookSecret: []byte(cfg.WebhookSecret), signatureHeaders: slices.Clone(cfg.SignatureHeaders),
	}
	if len(c.signatureHeaders) == 0 {
		c.signatureHeaders = []string{"X-Kredete-Signature", "X-Webhook-Signature", "X-Signature"}
	}
	c.tokens = newTokenSource(cfg, deps, rest)
	return c, nil
}

func (d Deps) withDefaults() Deps {
	restclient.Defaults(&d.Transport, &d.Clock, &d.Logger)
	if d.Jitter == nil {
		d.Jitter = rand.Int64N
	}
	return d
}

func (c Config) validate() error {
	switch {
	case strings.TrimSpace(c.ClientID) == "":
		return errors.New("KREDETE_CLIENT_ID: is required")
	case strings.TrimSpace(c.ClientSecret) == "":
		return errors.New("KREDETE_CLIENT_SECRET: is required")
	case c.AmountUnit != "" && c.AmountUnit != MajorUnits && c.AmountUnit != MinorUnits:
		return errors.New(`KREDETE_AMOUNT_UNIT: must be "major" or "minor"`)
	case c.TokenTimeout < 0:
		return errors.New("KREDETE_TOKEN_TIMEOUT: must not be negative")
	case slices.ContainsFunc(c.SignatureHeaders, func(h string) bool { return strings.TrimSpace(h) == "" }):
		return errors.New("KREDETE_SIGNATURE_HEADERS: must not hold an empty name")
	}
	return nil
}

func parseScale(text string) (lending.ScoreScale, error) {
	if text == "" {
		text = "300:850"
	}
	from, to, _ := strings.Cut(text, ":")
	low, errLow := lending.ParseDecimal(strings.TrimSpace(from))
	high, errHigh := lending.ParseDecimal(strings.TrimSpace(to))
	if errLow != nil || errHigh != nil || low.Cmp(high) >= 0 {
		return lending.ScoreScale{}, errors.New(`must be "MIN:MAX" with MIN below MAX`)
	}
	return lending.ScoreScale{Min: low, Max: high, Assumed: true}, nil
}
