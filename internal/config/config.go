// Package config is the one place where settings come in: environment variables and an optional file make
// one typed, validated struct. Nothing else reads the environment.
package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"
)

// Secret is a setting that is never printed.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "********"
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret, wherever a struct that holds it is marshalled.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Config is all the settings. Each is an environment variable of the name in its env tag.
type Config struct {
	Listen      string `env:"CREDITGRAPH_LISTEN" default:"127.0.0.1:8080" help:"Address and port of the HTTP server."`
	PublicURL   string `env:"PUBLIC_URL" help:"Where clients and providers reach this service, such as https://credit.example.com."`
	DatabaseURL Secret `env:"DATABASE_URL" help:"sqlite:FILE or postgres://…; the embedded sandbox makes a SQLite file of its own."`
	RedisURL    Secret `env:"REDIS_URL" help:"redis:// or rediss:// with host:port and /database; add addr=host:port for each further node of a cluster, or master_name=NAME for sentinels. Without it the cache is in the process."`
	DataKey     Secret `env:"DATA_KEY" help:"At least 32 random characters: encrypts personal identifiers at rest and signs tokens. All replicas share it, for ever."`

	DebugListen   string        `env:"CREDITGRAPH_DEBUG_LISTEN" help:"Address and port for Go's profiles (/debug/pprof/), on this machine alone: 127.0.0.1:6060. Without it there are none."`
	SlowOperation time.Duration `env:"CREDITGRAPH_SLOW_OPERATION" default:"3s" help:"How long an operation of the graph may take before it is logged as slow, with what it did; 0s logs none."`
	UnknownAfter  time.Duration `env:"CREDITGRAPH_UNKNOWN_ALERT_AFTER" default:"15m" help:"Age from which an action of unknown outcome is logged as needing attention."`
	LogLevel      string        `env:"CREDITGRAPH_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least level that is logged."`
	ReadDeadline  time.Duration `env:"CREDITGRAPH_READ_DEADLINE" default:"2s" help:"How long one request waits for providers' reads."`
	WriteDeadline time.Duration `env:"CREDITGRAPH_WRITE_DEADLINE" default:"8s" help:"How long one action at a provider may take. What a crash leaves behind is taken up this long, and some seconds, after it was begun."`
	BatchWait     time.Duration `env:"CREDITGRAPH_BATCH_WAIT" default:"1ms" help:"How long a look-up waits for others of the same answer, to go with them in one statement or one round trip."`
	DrainDelay    time.Duration `env:"CREDITGRAPH_DRAIN_DELAY" default:"0s" help:"How long /readyz says not ready before a shutdown begins, so that load balancers have asked: twice the time between two of their checks."`
	DrainTimeout  time.Duration `env:"CREDITGRAPH_DRAIN_TIMEOUT" default:"20s" help:"How long a shutdown waits for requests and actions under way."`

	ProfileSoftTTL    time.Duration `env:"CREDITGRAPH_PROFILE_SOFT_TTL" default:"1m" help:"Age from which a cached profile is renewed behind the answer."`
	ProfileHardTTL    time.Duration `env:"CREDITGRAPH_PROFILE_HARD_TTL" default:"10m" help:"Age from which a cached profile is asked for again before the answer."`
	CreditLineSoftTTL time.Duration `env:"CREDITGRAPH_CREDIT_LINE_SOFT_TTL" default:"1m" help:"The same for credit lines."`
	CreditLineHardTTL time.Duration `env:"CREDITGRAPH_CREDIT_LINE_HARD_TTL" default:"10m" help:"The same for credit lines."`

	ReportPollAfter time.Duration `env:"CREDITGRAPH_REPORT_POLL_AFTER" default:"5m" help:"When an ordered report whose push did not come is first asked for."`

	EventRetention time.Duration `env:"CREDITGRAPH_EVENT_RETENTION" default:"2160h" help:"How long events are kept for readers that come back, at least 24h. A cursor from before that is refused with CURSOR_EXPIRED."`

	Origins          []string `env:"CREDITGRAPH_CORS_ORIGINS" help:"Origins of the pages that may use this service from a browser, beside its own: https://office.example.com, separated by commas. No others may."`
	TrustedProxies   []string `env:"CREDITGRAPH_TRUSTED_PROXIES" help:"Networks of the proxies in front, whose X-Forwarded-For says where requests come from: 10.0.0.0/8, separated by commas. Without any it is whoever connects."`
	TrustedDocuments string   `env:"CREDITGRAPH_TRUSTED_DOCUMENTS" help:"File of a manifest of operations, such as creditgraph manifest writes it: only these are answered. Without it any are."`

	DefaultPlan string `env:"CREDITGRAPH_DEFAULT_PLAN" default:"unlimited" enum:"sandbox,starter,professional,enterprise,unlimited" help:"How much clients may ask for whose token names no plan."`
	Replicas    int    `env:"CREDITGRAPH_REPLICAS" default:"1" help:"How many replicas share a client's plan, or ours at a provider, where Redis does not count for all: each lets through its part."`

	Calls Calls `embed:""`

	Sandbox Sandbox `embed:""`

	Tracing Tracing `embed:""`

	IdentityProvider IdentityProvider `embed:"" prefix:"auth-"`

	Kredete       Kredete       `embed:"" prefix:"kredete-"`
	TrustDecision TrustDecision `embed:"" prefix:"trustdecision-"`
	Kredmint      Kredmint      `embed:"" prefix:"kredmint-"`
	Carbon        Carbon        `embed:"" prefix:"carbon-"`
	OnePipe       OnePipe       `embed:"" prefix:"onepipe-"`
}

// Sandbox are the settings of the embedded twins. They run when no provider's URL is set.
type Sandbox struct {
	Customers int   `env:"CREDITGRAPH_SANDBOX_CUSTOMERS" default:"200" help:"How many made-up customers the sandbox has, at most 100000."`
	Seed      int64 `env:"CREDITGRAPH_SANDBOX_SEED" default:"1" help:"The seed from which the sandbox's people are made."`
}

// Tracing are those settings of OpenTelemetry that say whether and where traces are sent. Its other variables (OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS, _TIMEOUT, _CERTIFICATE and so on) are read from the
// environment by its own packages.
type Tracing struct {
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"Address of an OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318. Without an address nothing is traced. OpenTelemetry's other variables hold too, where they stand in the environment."`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" help:"The whole address for traces, in place of OTEL_EXPORTER_OTLP_ENDPOINT with /v1/traces."`
	Exporter       string `env:"OTEL_TRACES_EXPORTER" default:"otlp" enum:"otlp,none" help:"none sends no traces, whatever the address."`
	Disabled       bool   `env:"OTEL_SDK_DISABLED" help:"true sends no traces, whatever the address."`
}

// Address is where traces are sent; "" for nowhere.
func (t Tracing) Address() string {
	switch {
	case t.Disabled || t.Exporter == "none":
		return ""
	case t.TracesEndpoint != "" || t.Endpoint == "":
		return t.TracesEndpoint
	}
	return strings.TrimRight(t.Endpoint, "/") + "/v1/traces"
}

// IdentityProvider are the settings of an identity provider of one's own, whose tokens are taken beside those of
// the built-in endpoint.
type IdentityProvider struct {
	JWKSURL       string `env:"AUTH_JWKS_URL" help:"Where an identity provider publishes its public keys (https). Its tokens are taken beside those of /oauth/token."`
	Issuer        string `env:"AUTH_ISSUER" help:"The iss of its tokens, letter by letter."`
	Audience      string `env:"AUTH_AUDIENCE" help:"The aud that its tokens have to be for."`
	CustomerClaim string `env:"AUTH_CUSTOMER_CLAIM" default:"creditgraph_customer" help:"The claim that binds a token to one customer, by the customer's id in this graph. A token without it may see all that its scopes open."`
}

// Kredete are the settings of the Kredete API (seed 000).
type Kredete struct {
	BaseURL          string   `env:"KREDETE_BASE_URL" help:"Kredete's base address; it ends in /v2."`
	ClientID         string   `env:"KREDETE_CLIENT_ID" help:"OAuth client id."`
	ClientSecret     Secret   `env:"KREDETE_CLIENT_SECRET" help:"OAuth client secret."`
	Scopes           string   `env:"KREDETE_SCOPES" default:"read:customers write:loans" help:"Scopes to ask for, separated by spaces; Kredete documents these two. A token that was granted fewer is refused."`
	WebhookSecret    Secret   `env:"KREDETE_WEBHOOK_SECRET" help:"Signs Kredete's webhooks."`
	SignatureHeaders []string `env:"KREDETE_SIGNATURE_HEADERS" default:"X-Kredete-Signature,X-Webhook-Signature,X-Signature" help:"Headers in which the signature may come; Kredete does not name one."`
	AmountUnit       string   `env:"KREDETE_AMOUNT_UNIT" default:"major" enum:"major,minor" help:"Unit of Kredete's amounts; its examples mean naira (major)."`
	ScoreScale       string   `env:"KREDETE_SCORE_SCALE" default:"300:850" help:"Lowest and highest score, as Kredete publishes no scale."`
	Plan             string   `env:"KREDETE_PLAN" default:"told" enum:"told,sandbox,starter,professional,enterprise,unlimited" help:"Our plan at Kredete: all replicas together ask no more often than it allows. told takes the one that its X-RateLimit-Limit means once it has refused a call for its rate; unlimited leaves the pace to its refusals."`
}

// TrustDecision are the settings of the TrustDecision credit report (seed 001).
type TrustDecision struct {
	QueryURL          string        `env:"TRUSTDECISION_QUERY_URL" help:"Address for ordering a report."`
	BackupURL         string        `env:"TRUSTDECISION_BACKUP_URL" help:"Address for fetching a report whose push failed."`
	PartnerCode       string        `env:"TRUSTDECISION_PARTNER_CODE" help:"Partner code."`
	PartnerKey        Secret        `env:"TRUSTDECISION_PARTNER_KEY" help:"Partner key."`
	AccessKey         Secret        `env:"TRUSTDECISION_ACCESS_KEY" help:"Access key of the webhook."`
	AccessSecret      Secret        `env:"TRUSTDECISION_ACCESS_SECRET" help:"Signs the webhook."`
	PhoneStyle        string        `env:"TRUSTDECISION_PHONE_STYLE" default:"national10" enum:"national10,trunk0" help:"Phone numbers as ten digits, or with a leading 0."`
	CredentialsIn     string        `env:"TRUSTDECISION_CREDENTIALS_IN" default:"query" enum:"query,body,headers" help:"Where the partner code and key are sent."`
	SignatureEncoding string        `env:"TRUSTDECISION_SIGNATURE_ENCODING" default:"any" enum:"any,hex,base64" help:"How the webhook's signature is written."`
	TimestampSkew     time.Duration `env:"TRUSTDECISION_TIMESTAMP_SKEW" default:"5m" help:"How far a webhook's timestamp may lie from now."`
	RatePerMinute     int           `env:"TRUSTDECISION_RATE_PER_MINUTE" default:"0" help:"How often all replicas together may ask TrustDecision in a minute; 0 for no limit."`
}

// Kredmint are the settings of the Kredmint API (seed 002).
type Kredmint struct {
	UserURL              string `env:"KREDMINT_USER_URL" help:"Address of the user service."`
	AccountURL           string `env:"KREDMINT_ACCOUNT_URL" help:"Address of the account service."`
	MerchantURL          string `env:"KREDMINT_MERCHANT_URL" help:"Address of the page where customers sign up, such as https://merchant.kredmint.in/auth."`
	Authorization        Secret `env:"KREDMINT_AUTHORIZATION" help:"The whole Authorization header, such as Basic XXXX."`
	Source               string `env:"KREDMINT_SOURCE" help:"The source that Kredmint gave."`
	PartnerID            string `env:"KREDMINT_PARTNER_ID" help:"Partner id, for the sign-up page."`
	ClientToken          Secret `env:"KREDMINT_CLIENT_TOKEN" help:"Client token, for the sign-up page."`
	WebhookAuthorization Secret `env:"KREDMINT_WEBHOOK_AUTHORIZATION" help:"The Authorization header that Kredmint's webhooks carry."`
	RatePerMinute        int    `env:"KREDMINT_RATE_PER_MINUTE" default:"0" help:"How often all replicas together may ask Kredmint in a minute; 0 for no limit."`
}

// Carbon are the settings of the Carbon loan API (seed 003).
type Carbon struct {
	BaseURL       string `env:"CARBON_BASE_URL" help:"Carbon's base address, before /v1."`
	APIKey        Secret `env:"CARBON_API_KEY" help:"API key."`
	RatePerMinute int    `env:"CARBON_RATE_PER_MINUTE" default:"0" help:"How often all replicas together may ask Carbon in a minute; 0 for no limit."`
}

// OnePipe are the settings of OnePipe's get_credit_score (seed 004).
type OnePipe struct {
	BaseURL             string `env:"ONEPIPE_BASE_URL" help:"OnePipe's base address, before /transact."`
	APIKey              Secret `env:"ONEPIPE_API_KEY" help:"API key."`
	ClientSecret        Secret `env:"ONEPIPE_CLIENT_SECRET" help:"Signs requests and encrypts what authorises them."`
	AuthProvider        string `env:"ONEPIPE_AUTH_PROVIDER" help:"The provider behind OnePipe."`
	MockMode            string `env:"ONEPIPE_MOCK_MODE" default:"live" help:"live or inspect."`
	SecureEncoding      string `env:"ONEPIPE_SECURE_ENCODING" default:"utf8" enum:"utf8,utf16le" help:"Encoding of what is encrypted."`
	OTPIn               string `env:"ONEPIPE_OTP_IN" default:"secure" enum:"secure,details" help:"Where the one-time password is sent."`
	PlainOTP            bool   `env:"ONEPIPE_PLAIN_OTP" help:"Send the one-time password unencrypted."`
	ValidateRequestType string `env:"ONEPIPE_VALIDATE_REQUEST_TYPE" default:"get_credit_score" help:"request_type of a validation."`
	AllowCards          bool   `env:"ONEPIPE_ALLOW_CARDS" help:"Allow authorisation by card. It brings this service into the scope of PCI DSS."`
	OfferUnit           string `env:"ONEPIPE_OFFER_UNIT" default:"minor" enum:"minor,major" help:"Unit of offer_amount, which OnePipe does not state."`
	RatePerMinute       int    `env:"ONEPIPE_RATE_PER_MINUTE" default:"0" help:"How often all replicas together may ask OnePipe in a minute; 0 for no limit."`
}

// Proxies are the networks that TrustedProxies names.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range c.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		if network.Bits() == 0 {
			return nil, errors.New("that is everybody")
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// Embedded reports whether the twins stand in for all providers: no provider's address is set.
func (c *Config) Embedded() bool {
	for _, u := range []string{
		c.Kredete.BaseURL, c.TrustDecision.QueryURL, c.TrustDecision.BackupURL, c.Kredmint.UserURL,
		c.Kredmint.AccountURL, c.Kredmint.MerchantURL, c.Carbon.BaseURL, c.OnePipe.BaseURL,
	} {
		if u != "" {
			return false
		}
	}
	return true
}
