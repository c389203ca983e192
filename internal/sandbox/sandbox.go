// Package sandbox runs the five twins of the providers together, on ports of this machine, over one
// made-up world.
package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/carbon"
	"github.com/creditgraph/creditgraph/internal/sandbox/kredete"
	"github.com/creditgraph/creditgraph/internal/sandbox/kredmint"
	"github.com/creditgraph/creditgraph/internal/sandbox/onepipe"
	"github.com/creditgraph/creditgraph/internal/sandbox/trustdecision"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// Options are what a Sandbox is made of.
type Options struct {
	Customers int
	Seed      int64
	Clock     func() time.Time // time.Now where nil
	Logger    *slog.Logger     // nobody is told where nil
	// FirstPort is the port of the first twin, the others follow; 0 lets each have any free one.
	FirstPort int
	// Secrets are the credentials of all twins: random ones where empty.
	Secrets Secrets
	// ReportDelay is how long a credit report takes, WebhookStep the time between two webhooks of one
	// invoice.
	ReportDelay, WebhookStep time.Duration
}

// Secrets are the credentials by which clients and twins know each other.
type Secrets struct {
	ClientID, ClientSecret, WebhookSecret, APIKey, AccessKey, AccessSecret string
}

// RandomSecrets are fresh ones, for a sandbox whose clients are told them by the program.
func RandomSecrets() Secrets {
	return Secrets{
		ClientID: "client_" + rand.Text(), ClientSecret: rand.Text(), WebhookSecret: rand.Text(),
		APIKey: rand.Text(), AccessKey: rand.Text(), AccessSecret: rand.Text(),
	}
}

// KnownSecrets are the same each time, for a sandbox that stands alone: its clients keep their settings.
// They open nothing but made-up people on this machine.
func KnownSecrets() Secrets {
	return Secrets{
		ClientID: "sandbox-client", ClientSecret: "sandbox-client-secret", WebhookSecret: "sandbox-webhook-secret",
		APIKey: "sandbox-api-key", AccessKey: "sandbox-access-key", AccessSecret: "sandbox-access-secret",
	}
}

// Sandbox is the five twins.
type Sandbox struct {
	World *world.World
	// Kredete's history is played back, and its webhooks registered, beside the API.
	Kredete *kredete.Twin

	secrets       Secrets
	trustDecision *trustdecision.Twin
	kredmint      *kredmint.Twin
	servers       map[lending.Provider]*twin.Server
	stops         []func()
}

// Start makes and serves the twins. Their world's present is now.
func Start(o Options) (*Sandbox, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Secrets == (Secrets{}) {
		o.Secrets = RandomSecrets()
	}
	var run [8]byte
	rand.Read(run[:]) // never fails
	s := &Sandbox{
		World: world.NewAt(o.Seed, o.Customers, o.Clock()), secrets: o.Secrets,
		servers: map[lending.Provider]*twin.Server{},
	}
	k, id := o.Secrets, binary.LittleEndian.Uint64(run[:])
	s.Kredete = kredete.New(kredete.Options{
		World: s.World, Clock: o.Clock, Logger: o.Logger, Run: id,
		Clients: []kredete.Client{{ID: k.ClientID, Secret: k.ClientSecret}},
	})
	s.trustDecision = trustdecision.New(trustdecision.Options{
		World: s.World, Clock: o.Clock, Logger: o.Logger, PartnerCode: k.ClientID, PartnerKey: k.ClientSecret,
		AccessKey: k.AccessKey, AccessSecret: k.AccessSecret, Delay: o.ReportDelay,
	})
	s.kredmint = kredmint.New(kredmint.Options{
		World: s.World, Clock: o.Clock, Logger: o.Logger, Authorization: s.basic(), WebhookAuthorization: s.basicWebhook(), Step: o.WebhookStep,
	})
	loans := carbon.New(carbon.Options{World: s.World, Clock: o.Clock, Logger: o.Logger, APIKey: k.APIKey, Run: id})
	scores := onepipe.New(onepipe.Options{World: s.World, Clock: o.Clock, Logger: o.Logger, APIKey: k.APIKey, ClientSecret: k.ClientSecret})
	s.stops = []func(){s.Kredete.Stop, s.trustDecision.Stop, s.kredmint.Stop, loans.Stop, scores.Stop}
	for i, t := range []struct {
		name    lending.Provider
		handler http.Handler
	}{
		{lending.Kredete, s.Kredete.Handler()},
		{lending.TrustDecision, s.trustDecision.Handler()},
		{lending.Kredmint, s.kredmint.Handler()},
		{lending.Carbon, loans.Handler()},
		{lending.OnePipe, scores.Handler()},
	} {
		port := 0
		if o.FirstPort > 0 {
			port = o.FirstPort + i
		}
		server := twin.NewServer(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), t.handler, o.Logger)
		if err := server.Start(); err != nil {
			return nil, errors.Join(fmt.Errorf("the %s twin: %w", t.name.Title(), err), s.Stop())
		}
		s.servers[t.name] = server
	}
	return s, nil
}

func (s *Sandbox) basic() string        { return "Basic " + s.secrets.APIKey }
func (s *Sandbox) basicWebhook() string { return "Basic " + s.secrets.WebhookSecret }

// Server is one twin's server, to be stopped and started by those who try what happens then.
func (s *Sandbox) Server(name lending.Provider) *twin.Server { return s.servers[name] }

// SendWebhooksTo tells the twins where the gateway listens. Kredete is told through its API, by whoever
// registers a webhook there.
func (s *Sandbox) SendWebhooksTo(gateway string) {
	s.trustDecision.SetWebhook(gateway + "/webhooks/" + lending.TrustDecision.Slug())
	s.kredmint.SetWebhook(gateway + "/webhooks/" + lending.Kredmint.Slug())
}

// Settings are the gateway's settings for these twins: names of environment variables and their values,
// in the order in which they are documented.
func (s *Sandbox) Settings() [][2]string {
	url := func(name lending.Provider) string { return s.servers[name].URL() }
	k := s.secrets
	return [][2]string{
		{"KREDETE_BASE_URL", url(lending.Kredete) + "/v2"},
		{"KREDETE_CLIENT_ID", k.ClientID},
		{"KREDETE_CLIENT_SECRET", k.ClientSecret},
		{"KREDETE_SCOPES", strings.Join(kredete.Scopes(), " ")},
		{"KREDETE_WEBHOOK_SECRET", k.WebhookSecret},
		{"TRUSTDECISION_QUERY_URL", url(lending.TrustDecision) + trustdecision.QueryPath},
		{"TRUSTDECISION_BACKUP_URL", url(lending.TrustDecision) + trustdecision.BackupPath},
		{"TRUSTDECISION_PARTNER_CODE", k.ClientID},
		{"TRUSTDECISION_PARTNER_KEY", k.ClientSecret},
		{"TRUSTDECISION_ACCESS_KEY", k.AccessKey},
		{"TRUSTDECISION_ACCESS_SECRET", k.AccessSecret},
		{"KREDMINT_USER_URL", url(lending.Kredmint)},
		{"KREDMINT_ACCOUNT_URL", url(lending.Kredmint)},
		{"KREDMINT_MERCHANT_URL", url(lending.Kredmint) + "/auth"},
		{"KREDMINT_AUTHORIZATION", s.basic()},
		{"KREDMINT_SOURCE", "BNPL"},
		{"KREDMINT_PARTNER_ID", k.ClientID},
		{"KREDMINT_CLIENT_TOKEN", k.AccessKey},
		{"KREDMINT_WEBHOOK_AUTHORIZATION", s.basicWebhook()},
		{"CARBON_BASE_URL", url(lending.Carbon)},
		{"CARBON_API_KEY", k.APIKey},
		{"ONEPIPE_BASE_URL", url(lending.OnePipe) + onepipe.DefaultBase},
		{"ONEPIPE_API_KEY", k.APIKey},
		{"ONEPIPE_CLIENT_SECRET", k.ClientSecret},
		{"ONEPIPE_AUTH_PROVIDER", "Beeceptor"},
	}
}

// Stop ends the twins. It is safe to call twice.
func (s *Sandbox) Stop() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Stop())
	}
	for _, stop := range s.stops {
		stop()
	}
	return errors.Join(errs...)
}
