package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// MinDataKey is the least length of DATA_KEY, in characters.
const MinDataKey = 32

// MinEventRetention is the least time that events are kept.
const MinEventRetention = 24 * time.Hour

// builtInIssuer is the iss of the tokens of /oauth/token.
const builtInIssuer = "creditgraph"

// Validate checks everything at once. Each error names the variable and says what it should be.
func (c *Config) Validate() error {
	var errs []error
	refuse := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		refuse("CREDITGRAPH_LISTEN", "give HOST:PORT, such as 127.0.0.1:8080")
	}
	if c.PublicURL != "" && !isURL(c.PublicURL, "http", "https") {
		refuse("PUBLIC_URL", "give an absolute http(s) address")
	}
	c.validateTelemetry(refuse)
	c.validateStorage(refuse)
	c.IdentityProvider.validate(refuse)
	for _, origin := range c.Origins {
		if !isOrigin(origin) {
			refuse("CREDITGRAPH_CORS_ORIGINS", "give origins such as https://office.example.com, without a path and without *")
		}
	}
	if _, err := c.Proxies(); err != nil {
		refuse("CREDITGRAPH_TRUSTED_PROXIES", "give the networks of the proxies and no others, such as 10.0.0.0/8,fd00::/8")
	}
	for _, d := range []struct {
		name  string
		value int64
	}{
		{"CREDITGRAPH_READ_DEADLINE", int64(c.ReadDeadline)},
		{"CREDITGRAPH_WRITE_DEADLINE", int64(c.WriteDeadline)},
		{"CREDITGRAPH_BATCH_WAIT", int64(c.BatchWait)},
		{"CREDITGRAPH_DRAIN_TIMEOUT", int64(c.DrainTimeout)},
		{"CREDITGRAPH_REPORT_POLL_AFTER", int64(c.ReportPollAfter)},
		{"CREDITGRAPH_PROFILE_SOFT_TTL", int64(c.ProfileSoftTTL)},
		{"CREDITGRAPH_CREDIT_LINE_SOFT_TTL", int64(c.CreditLineSoftTTL)},
	} {
		if d.value <= 0 {
			refuse(d.name, "give a duration over zero, such as 2s")
		}
	}
	if c.DrainDelay < 0 {
		refuse("CREDITGRAPH_DRAIN_DELAY", "give a duration, such as 5s, or 0s")
	}
	if c.EventRetention < MinEventRetention {
		refuse("CREDITGRAPH_EVENT_RETENTION", "give at least %s, so that a reader can be away for a day", MinEventRetention)
	}
	if c.ProfileHardTTL < c.ProfileSoftTTL {
		refuse("CREDITGRAPH_PROFILE_HARD_TTL", "it has to be at least CREDITGRAPH_PROFILE_SOFT_TTL")
	}
	if c.CreditLineHardTTL < c.CreditLineSoftTTL {
		refuse("CREDITGRAPH_CREDIT_LINE_HARD_TTL", "it has to be at least CREDITGRAPH_CREDIT_LINE_SOFT_TTL")
	}
	if c.Replicas < 1 || c.Replicas > 1000 {
		refuse("CREDITGRAPH_REPLICAS", "give a whole number from 1 to 1000")
	}
	if c.Sandbox.Customers < 1 || c.Sandbox.Customers > 100_000 {
		refuse("CREDITGRAPH_SANDBOX_CUSTOMERS", "give a whole number from 1 to 100000")
	}
	c.Calls.validate(refuse)
	c.validateRates(refuse)
	c.validateProviders(refuse)
	return errors.Join(errs...)
}

func (c *Config) validateTelemetry(refuse func(name, format string, args ...any)) {
	if c.DebugListen != "" {
		host, port, err := net.SplitHostPort(c.DebugListen)
		ip := net.ParseIP(host)
		if err != nil || port == "" || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			refuse("CREDITGRAPH_DEBUG_LISTEN", "give an address of this machine alone, such as 127.0.0.1:6060: profiles tell of the inside of the process")
		}
	}
	if c.SlowOperation < 0 {
		refuse("CREDITGRAPH_SLOW_OPERATION", "give a duration such as 3s, or 0s")
	}
	if c.UnknownAfter <= 0 {
		refuse("CREDITGRAPH_UNKNOWN_ALERT_AFTER", "give a duration over zero, such as 15m")
	}
	for _, address := range []struct{ name, value string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", c.Tracing.Endpoint}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.Tracing.TracesEndpoint},
	} {
		if address.value != "" && !isURL(address.value, "http", "https") {
			refuse(address.name, "give an absolute http(s) address of a collector that takes OTLP over HTTP")
		}
	}
}

func (c *Config) validateStorage(refuse func(name, format string, args ...any)) {
	database := string(c.DatabaseURL)
	switch {
	case database == "" && !c.Embedded():
		refuse("DATABASE_URL", "give sqlite:FILE or postgres://…; only the sandbox makes a database of its own")
	case database != "" && !strings.HasPrefix(database, "sqlite:") && !isURL(database, "postgres", "postgresql"):
		refuse("DATABASE_URL", "give sqlite:FILE or postgres://USER@HOST/NAME")
	}
	if r := string(c.RedisURL); r != "" && !isURL(r, "redis", "rediss", "redis+cluster", "rediss+cluster") {
		refuse("REDIS_URL", "give redis://HOST:PORT")
	}
	switch {
	case c.DataKey == "" && (database != "" || !c.Embedded()):
		refuse("DATA_KEY", "give at least %d random characters (openssl rand -base64 32): it signs the tokens of /oauth/token, without which nobody may ask, and protects personal identifiers in the database", MinDataKey)
	case c.DataKey != "" && len(c.DataKey) < MinDataKey:
		refuse("DATA_KEY", "give at least %d random characters", MinDataKey)
	}
}

// validate checks that an identity provider is named wholly: without an issuer and an audience the tokens that it
// gives to other services would open this one.
func (p *IdentityProvider) validate(refuse func(name, format string, args ...any)) {
	if all := p.JWKSURL + p.Issuer + p.Audience; all == "" {
		return
	}
	switch {
	case p.JWKSURL == "":
		refuse("AUTH_JWKS_URL", "it is needed with AUTH_ISSUER and AUTH_AUDIENCE")
	case !isURL(p.JWKSURL, "https") && !(isURL(p.JWKSURL, "http") && isLocal(p.JWKSURL)):
		refuse("AUTH_JWKS_URL", "give an absolute https address; http is for this machine alone")
	}
	switch p.Issuer {
	case "":
		refuse("AUTH_ISSUER", "give the iss of the identity provider's tokens")
	case builtInIssuer:
		refuse("AUTH_ISSUER", "it is that of the built-in endpoint's tokens; give the identity provider's")
	}
	if p.Audience == "" {
		refuse("AUTH_AUDIENCE", "give the aud that tokens for this service have")
	}
	if p.CustomerClaim == "" {
		refuse("AUTH_CUSTOMER_CLAIM", "give the name of a claim, such as creditgraph_customer")
	}
}

// isLocal reports whether an address is one of this machine.
func isLocal(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// validateProviders checks that a provider that is named is named wholly. What a driver knows better is
// checked by the driver.
func (c *Config) validateProviders(refuse func(name, format string, args ...any)) {
	type setting struct {
		name, value string
		address     bool
		optional    bool
	}
	for title, settings := range map[string][]setting{
		"Kredete": {
			{name: "KREDETE_BASE_URL", value: c.Kredete.BaseURL, address: true},
			{name: "KREDETE_CLIENT_ID", value: c.Kredete.ClientID},
			{name: "KREDETE_CLIENT_SECRET", value: string(c.Kredete.ClientSecret)},
		},
		"TrustDecision": {
			{name: "TRUSTDECISION_QUERY_URL", value: c.TrustDecision.QueryURL, address: true},
			{name: "TRUSTDECISION_BACKUP_URL", value: c.TrustDecision.BackupURL, address: true},
			{name: "TRUSTDECISION_PARTNER_CODE", value: c.TrustDecision.PartnerCode},
			{name: "TRUSTDECISION_PARTNER_KEY", value: string(c.TrustDecision.PartnerKey)},
		},
		"Kredmint": {
			{name: "KREDMINT_USER_URL", value: c.Kredmint.UserURL, address: true},
			{name: "KREDMINT_ACCOUNT_URL", value: c.Kredmint.AccountURL, address: true},
			{name: "KREDMINT_MERCHANT_URL", value: c.Kredmint.MerchantURL, address: true, optional: true},
			{name: "KREDMINT_AUTHORIZATION", value: string(c.Kredmint.Authorization)},
		},
		"Carbon": {
			{name: "CARBON_BASE_URL", value: c.Carbon.BaseURL, address: true},
			{name: "CARBON_API_KEY", value: string(c.Carbon.APIKey)},
		},
		"OnePipe": {
			{name: "ONEPIPE_BASE_URL", value: c.OnePipe.BaseURL, address: true},
			{name: "ONEPIPE_API_KEY", value: string(c.OnePipe.APIKey)},
			{name: "ONEPIPE_CLIENT_SECRET", value: string(c.OnePipe.ClientSecret)},
		},
	} {
		named := false
		for _, s := range settings {
			named = named || s.address && s.value != ""
		}
		for _, s := range settings {
			switch {
			case s.address && s.value != "" && !isURL(s.value, "http", "https"):
				refuse(s.name, "give an absolute http(s) address")
			case named && s.value == "" && !s.optional && s.address:
				refuse(s.name, "it is needed with the other addresses of %s", title)
			}
		}
	}
}

// HasKredete and the like report whether a provider has its addresses and credentials. One that lacks
// credentials is NOT_CONFIGURED, and the rest works.
func (c *Config) HasKredete() bool {
	return all(c.Kredete.BaseURL, c.Kredete.ClientID, string(c.Kredete.ClientSecret))
}

// HasTrustDecision is like [Config.HasKredete].
func (c *Config) HasTrustDecision() bool {
	return all(c.TrustDecision.QueryURL, c.TrustDecision.BackupURL, c.TrustDecision.PartnerCode, string(c.TrustDecision.PartnerKey))
}

// HasKredmint is like [Config.HasKredete].
func (c *Config) HasKredmint() bool {
	return all(c.Kredmint.UserURL, c.Kredmint.AccountURL, string(c.Kredmint.Authorization))
}

// HasCarbon is like [Config.HasKredete].
func (c *Config) HasCarbon() bool { return all(c.Carbon.BaseURL, string(c.Carbon.APIKey)) }

// HasOnePipe is like [Config.HasKredete].
func (c *Config) HasOnePipe() bool {
	return all(c.OnePipe.BaseURL, string(c.OnePipe.APIKey), string(c.OnePipe.ClientSecret))
}

func all(values ...string) bool {
	for _, v := range values {
		if v == "" {
			return false
		}
	}
	return true
}

// isOrigin reports whether a text is the origin of one site's pages, as browsers send it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isURL(text, "http", "https") && text == u.Scheme+"://"+u.Host && !strings.Contains(text, "*")
}

func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return true
		}
	}
	return false
}
