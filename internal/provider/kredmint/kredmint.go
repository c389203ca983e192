// Package kredmint is the driver for Kredmint: credit lines of Indian buyers, out of which the invoices
// of their suppliers are paid (seed 002).
//
// Kredmint counts in rupees, written as JSON numbers; here they are paise, read from the literal digits.
// It names a customer by the mobile number, and it has no idempotency keys: an invoice's number is what
// two requests for the same payment have in common. A call can fail inside HTTP 200.
package kredmint

import (
	"context"
	"errors"
	"fmt"
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

// Config is what the driver needs to know. UserURL, AccountURL, Authorization and Source are required.
type Config struct {
	// UserURL and AccountURL are the two hosts, before the paths of the documentation:
	// https://user-dev.kredmint.in, https://account-dev.kredmint.in.
	UserURL, AccountURL string
	// MerchantURL is the customer's web application, with or without its path /auth. Together with
	// PartnerID and ClientToken it makes the address where a customer signs up; where one of the three is
	// missing there is no such address.
	MerchantURL, PartnerID, ClientToken string
	// Authorization is the whole value of the header, "Basic …", as Kredmint hands it out.
	Authorization string
	// Source is the fixed word by which Kredmint knows the partner.
	Source string
	// WebhookAuthorization is the whole value of the header that Kredmint sends with its webhooks. Without
	// it every webhook is refused.
	WebhookAuthorization string
}

// Deps is what the driver works with. Each may be nil.
type Deps struct {
	Transport http.RoundTripper // nil: restclient's own
	Clock     func() time.Time  // nil: time.Now
	Logger    *slog.Logger      // nil: nothing is logged
}

// client speaks to Kredmint.
type client struct {
	user, account *restclient.Client
	authorization string
	source        string
	*reader
}

// New makes the driver. It does no input or output; an error names the setting that is wrong.
func New(cfg Config, deps Deps) (*provider.Provider, error) {
	cfg = trimmed(cfg)
	if err := check(cfg); err != nil {
		return nil, err
	}
	restclient.Defaults(&deps.Transport, &deps.Clock, &deps.Logger)
	words := &reader{odd: wire.NewOddities(deps.Logger, lending.Kredmint), clock: deps.Clock}
	c := &client{authorization: cfg.Authorization, source: cfg.Source, reader: words}
	if err := c.connect(cfg, deps.Transport); err != nil {
		return nil, err
	}
	p := &provider.Provider{
		Name: lending.Kredmint, CreditLines: c, Suppliers: c, Invoices: c, Documents: c, Pinger: c,
		WebhookReceiver: &receiver{authorization: cfg.WebhookAuthorization, reader: words},
		Recovery: map[lending.OperationKind]provider.Recovery{
			lending.OpCreateSupplier: provider.RecoverByListing,
		},
	}
	switch {
	case cfg.MerchantURL != "" && cfg.PartnerID != "" && cfg.ClientToken != "":
		link, err := newSignUp(cfg)
		if err != nil {
			return nil, err
		}
		p.SignUp = link
	case cfg.MerchantURL+cfg.PartnerID+cfg.ClientToken != "":
		deps.Logger.Warn("no sign-up addresses: KREDMINT_MERCHANT_URL, _PARTNER_ID and _CLIENT_TOKEN belong together",
			"provider", lending.Kredmint.Slug())
	}
	return p, nil
}

// connect makes the clients for the hosts, which share one pool of connections.
func (c *client) connect(cfg Config, transport http.RoundTripper) error {
	for _, host := range []struct {
		setting, base string
		into          **restclient.Client
	}{
		{"KREDMINT_USER_URL", cfg.UserURL, &c.user},
		{"KREDMINT_ACCOUNT_URL", cfg.AccountURL, &c.account},
	} {
		made, err := restclient.New(restclient.Config{BaseURL: host.base, Transport: transport})
		if err != nil {
			return fmt.Errorf("%s: %w", host.setting, err)
		}
		*host.into = made
	}
	return nil
}

// trimmed drops the white space that settings pick up on their way, such as a newline from a file.
func trimmed(cfg Config) Config {
	for _, text := range []*string{
		&cfg.UserURL, &cfg.AccountURL, &cfg.MerchantURL, &cfg.PartnerID, &cfg.ClientToken, &cfg.Authorization,
		&cfg.Source, &cfg.WebhookAuthorization,
	} {
		*text = strings.TrimSpace(*text)
	}
	return cfg
}

func check(cfg Config) error {
	var problems []error
	for _, setting := range []struct{ name, value string }{
		{"KREDMINT_USER_URL", cfg.UserURL},
		{"KREDMINT_ACCOUNT_URL", cfg.AccountURL},
		{"KREDMINT_AUTHORIZATION", cfg.Authorization},
		{"KREDMINT_SOURCE", cfg.Source},
	} {
		if setting.value == "" {
			problems = append(problems, errors.New(setting.name+": missing"))
		}
	}
	if strings.ContainsFunc(cfg.Authorization, unicode.IsControl) {
		problems = append(problems, errors.New("KREDMINT_AUTHORIZATION: holds a character that no header may hold"))
	}
	return errors.Join(problems...)
}

// Ping asks the user host for nothing in particular: any answer below 500 shows that it is there.
func (c *client) Ping(ctx context.Context) error {
	if err := c.user.Ping(ctx); err != nil {
		return provider.TransportFailure(lending.Kredmint, provider.Read, err)
	}
	return nil
}

var (
	_ provider.CreditLineReader = (*client)(nil)
	_ provider.SupplierManager  = (*client)(nil)
	_ provider.InvoicePayer     = (*client)(nil)
	_ provider.DocumentKeeper   = (*client)(nil)
	_ provider.Pinger           = (*client)(nil)
	_ provider.SignUpLinker     = (*signUp)(nil)
	_ provider.WebhookReceiver  = (*receiver)(nil)
)
