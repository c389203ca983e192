// Package onepipe is the driver for OnePipe's get_credit_score (seed 004): a switch behind which other
// providers score a customer, after the customer's consent by OTP.
//
// Two references travel with a request: transaction_ref is ours and the same for all calls on one score,
// so that its state can be asked for; request_ref is new for each HTTP call, and signed.
package onepipe

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// SecureEncoding is how the text that authorises a request becomes bytes before it is encrypted.
type SecureEncoding string

// The encodings: OnePipe's samples for Node and PHP use the first, those for Java the second.
const (
	UTF8    SecureEncoding = "utf8"
	UTF16LE SecureEncoding = "utf16le"
)

// OTPPlace is where an OTP stands in the request that confirms a score.
type OTPPlace string

// The places for an OTP. The known clients of /transact/validate use the first.
const (
	OTPInSecure  OTPPlace = "secure"  // auth.secure
	OTPInDetails OTPPlace = "details" // transaction.details.otp, as it is
)

// OfferUnit is what offer_amount counts, which OnePipe does not say.
type OfferUnit string

// The units of offer_amount.
const (
	Minor OfferUnit = "minor" // kobo, like OnePipe's other amounts
	Major OfferUnit = "major" // naira
)

// scoreType is the request_type of everything that is about a score.
const scoreType = "get_credit_score"

// Config is what the driver needs to know. BaseURL, APIKey, ClientSecret and AuthProvider are required;
// the zero value of each of the others is its default.
type Config struct {
	// BaseURL is the address before /transact: https://api.onepipe.io/v2.
	BaseURL string
	// APIKey is the bearer token; ClientSecret signs requests and encrypts what authorises them.
	APIKey, ClientSecret string
	// AuthProvider is the provider that scores, by OnePipe's name for it.
	AuthProvider string
	// MockMode is "live" by default; "inspect" makes OnePipe only look at a request.
	MockMode string
	// SecureEncoding is UTF8 by default.
	SecureEncoding SecureEncoding
	// OTPIn is OTPInSecure by default.
	OTPIn OTPPlace
	// PlainOTP sends an OTP in auth.secure as it is, as one of the two known clients does. By default it is
	// encrypted like everything else there.
	PlainOTP bool
	// ValidateRequestType is the request_type of a confirmation: "get_credit_score" by default; another
	// known client sends "validate_otp".
	ValidateRequestType string
	// AllowCards lets a card authorise a score. It brings the service into the scope of PCI DSS, so by
	// default such requests are refused before anything is sent.
	AllowCards bool
	// OfferUnit is Minor by default.
	OfferUnit OfferUnit
}

// Deps is what the driver works with. Each may be nil.
type Deps struct {
	Transport http.RoundTripper // nil: restclient's own
	Clock     func() time.Time  // nil: time.Now
	Logger    *slog.Logger      // nil: nothing is logged
	Random    io.Reader         // what request_ref is made of; nil: crypto/rand
}

// client speaks to OnePipe.
type client struct {
	Config
	http   *restclient.Client
	random io.Reader
	sealer *sealer
	*reader
}

// New makes the driver. It does no input or output; an error names the setting that is wrong.
func New(cfg Config, deps Deps) (*provider.Provider, error) {
	cfg = withDefaults(cfg)
	if err := check(cfg); err != nil {
		return nil, err
	}
	restclient.Defaults(&deps.Transport, &deps.Clock, &deps.Logger)
	words := &reader{odd: wire.NewOddities(deps.Logger, lending.OnePipe), clock: deps.Clock, offerUnit: cfg.OfferUnit}
	c := &client{Config: cfg, random: deps.Random, reader: words}
	if c.random == nil {
		c.random = rand.Reader
	}
	var err error
	if c.sealer, err = newSealer(cfg.ClientSecret, cfg.SecureEncoding); err != nil {
		return nil, fmt.Errorf("ONEPIPE_CLIENT_SECRET: %w", err)
	}
	if c.http, err = restclient.New(restclient.Config{BaseURL: cfg.BaseURL, Transport: deps.Transport}); err != nil {
		return nil, fmt.Errorf("ONEPIPE_BASE_URL: %w", err)
	}
	return &provider.Provider{
		Name: lending.OnePipe, Scores: c, Confirmations: c, Pinger: c,
		Recovery: map[lending.OperationKind]provider.Recovery{
			lending.OpRequestCreditScore: provider.RecoverByQuery,
		},
	}, nil
}

// withDefaults trims the settings, because a newline from a file makes every signature wrong, and fills in
// the defaults.
func withDefaults(cfg Config) Config {
	for _, text := range []*string{
		&cfg.BaseURL, &cfg.APIKey, &cfg.ClientSecret, &cfg.AuthProvider, &cfg.MockMode, &cfg.ValidateRequestType,
	} {
		*text = strings.TrimSpace(*text)
	}
	cfg.MockMode = cmp.Or(cfg.MockMode, "live")
	cfg.SecureEncoding = cmp.Or(cfg.SecureEncoding, UTF8)
	cfg.OTPIn = cmp.Or(cfg.OTPIn, OTPInSecure)
	cfg.ValidateRequestType = cmp.Or(cfg.ValidateRequestType, scoreType)
	cfg.OfferUnit = cmp.Or(cfg.OfferUnit, Minor)
	return cfg
}

func check(cfg Config) error {
	var problems []error
	for _, setting := range []struct{ name, value string }{
		{"ONEPIPE_BASE_URL", cfg.BaseURL},
		{"ONEPIPE_API_KEY", cfg.APIKey},
		{"ONEPIPE_CLIENT_SECRET", cfg.ClientSecret},
		{"ONEPIPE_AUTH_PROVIDER", cfg.AuthProvider},
	} {
		if setting.value == "" {
			problems = append(problems, errors.New(setting.name+": missing"))
		}
	}
	if strings.ContainsFunc(cfg.APIKey, unicode.IsControl) {
		problems = append(problems, errors.New("ONEPIPE_API_KEY: holds a character that no header may hold"))
	}
	if cfg.SecureEncoding != UTF8 && cfg.SecureEncoding != UTF16LE {
		problems = append(problems, errors.New("ONEPIPE_SECURE_ENCODING: neither utf8 nor utf16le"))
	}
	if cfg.OTPIn != OTPInSecure && cfg.OTPIn != OTPInDetails {
		problems = append(problems, errors.New("ONEPIPE_OTP_IN: neither secure nor details"))
	}
	if cfg.OfferUnit != Minor && cfg.OfferUnit != Major {
		problems = append(problems, errors.New("ONEPIPE_OFFER_UNIT: neither minor nor major"))
	}
	return errors.Join(problems...)
}

// Ping asks the host for nothing in particular: any answer below 500 shows that it is there.
func (c *client) Ping(ctx context.Context) error {
	if err := c.http.Ping(ctx); err != nil {
		return provider.TransportFailure(lending.OnePipe, provider.Read, err)
	}
	return nil
}

var (
	_ provider.Scorer         = (*client)(nil)
	_ provider.ScoreConfirmer = (*client)(nil)
	_ provider.Pinger         = (*client)(nil)
)
