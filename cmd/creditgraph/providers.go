package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/cached"
	"github.com/creditgraph/creditgraph/internal/provider/carbon"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
	"github.com/creditgraph/creditgraph/internal/provider/onepipe"
	"github.com/creditgraph/creditgraph/internal/provider/resilient"
	"github.com/creditgraph/creditgraph/internal/provider/trustdecision"
	"github.com/creditgraph/creditgraph/internal/quota"
	"github.com/creditgraph/creditgraph/internal/restclient"
	"github.com/creditgraph/creditgraph/internal/service"
)

// providers makes the drivers of all configured providers, watched by observer. attempts stand around each attempt at a call.
func providers(c *config.Config, clock func() time.Time, logger *slog.Logger, observer provider.Observer, attempts ...provider.Interceptor) ([]*provider.Provider, error) {
	transport := restclient.NewTransport()
	var made []*provider.Provider
	for _, d := range []struct {
		name       lending.Provider
		configured bool
		make       func() (*provider.Provider, error)
	}{
		{lending.Kredete, c.HasKredete(), func() (*provider.Provider, error) { return newKredete(c, transport, clock, logger) }},
		{lending.TrustDecision, c.HasTrustDecision(), func() (*provider.Provider, error) { return newTrustDecision(c, transport, clock, logger) }},
		{lending.Kredmint, c.HasKredmint(), func() (*provider.Provider, error) { return newKredmint(c, transport, clock, logger) }},
		{lending.Carbon, c.HasCarbon(), func() (*provider.Provider, error) {
			return carbon.New(carbon.Config{BaseURL: c.Carbon.BaseURL, APIKey: string(c.Carbon.APIKey)},
				carbon.Deps{Transport: transport, Clock: clock, Logger: logger})
		}},
		{lending.OnePipe, c.HasOnePipe(), func() (*provider.Provider, error) { return newOnePipe(c, transport, clock, logger) }},
	} {
		if !d.configured {
			logger.Info("provider is not configured", "provider", d.name)
			continue
		}
		p, err := d.make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.name.Title(), err)
		}
		p = provider.Observe(p, limits(c), observer)
		for _, around := range attempts {
			p = provider.Intercept(p, around)
		}
		made = append(made, p)
	}
	return made, nil
}

// limits are those of one attempt of a call.
func limits(c *config.Config) provider.Limits {
	return provider.Limits{Read: c.ReadDeadline, Write: c.WriteDeadline}
}

// newGuards makes what stands around the calls of providers, which replicas count together where there is a Redis.
func newGuards(c *config.Config, shared redis.UniversalClient, secret []byte, events resilient.Events, logger *slog.Logger) (*resilient.Guards, error) {
	counted, err := quota.New(quota.Config{
		Redis: shared, KeySecret: secret, Default: quota.Unlimited, Replicas: c.Replicas, Clock: time.Now, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	return resilient.New(resilient.Config{
		Limits: limits(c), Retries: c.Calls.Retries, Reads: c.Calls.ReadConcurrency, Writes: c.Calls.WriteConcurrency,
		Circuit: resilient.Circuit{
			FailureRate: float64(c.Calls.CircuitFailures) / 100, MinimumCalls: c.Calls.CircuitCalls,
			Window: c.Calls.CircuitWindow, Delay: c.Calls.CircuitDelay,
		},
		Plans: plans(c), Told: toldPlans(c), Quota: counted, Events: events, Logger: logger,
	}), nil
}

// guarded puts guards around all providers.
func guarded(all []*provider.Provider, guards *resilient.Guards) []*provider.Provider {
	around := make([]*provider.Provider, len(all))
	for i, p := range all {
		around[i] = guards.Around(p)
	}
	return around
}

// plans are how often providers may be asked: smooth, as no provider says whether its minutes are those of our clock.
func plans(c *config.Config) map[lending.Provider]quota.Plan {
	ours := map[lending.Provider]quota.Plan{}
	if plan, ok := quota.PlanOf(c.Kredete.Plan); ok {
		ours[lending.Kredete] = plan.Smooth()
	}
	for name, rate := range map[lending.Provider]int{
		lending.TrustDecision: c.TrustDecision.RatePerMinute, lending.Kredmint: c.Kredmint.RatePerMinute,
		lending.Carbon: c.Carbon.RatePerMinute, lending.OnePipe: c.OnePipe.RatePerMinute,
	} {
		// The burst is as large as in the least of Kredete's plans: these providers name none.
		ours[name] = quota.Plan{Name: "rate", Minute: rate, Burst: (rate + 5) / 6}.Smooth()
	}
	return ours
}

// toldPlans are of the providers that tell their limit themselves (seed 000, "API Rate Limits"), where our plan is not
// set.
func toldPlans(c *config.Config) map[lending.Provider]func(minute int) (quota.Plan, bool) {
	if c.Kredete.Plan != "told" {
		return nil
	}
	return map[lending.Provider]func(minute int) (quota.Plan, bool){lending.Kredete: func(minute int) (quota.Plan, bool) {
		plan, ok := quota.PlanOfLimit(minute)
		return plan.Smooth(), ok
	}}
}

func newKredete(c *config.Config, transport http.RoundTripper, clock func() time.Time, logger *slog.Logger) (*provider.Provider, error) {
	k := c.Kredete
	return kredete.New(kredete.Config{
		BaseURL: k.BaseURL, ClientID: k.ClientID, ClientSecret: string(k.ClientSecret), Scopes: k.Scopes,
		WebhookSecret: string(k.WebhookSecret), SignatureHeaders: k.SignatureHeaders,
		AmountUnit: kredete.AmountUnit(k.AmountUnit), ScoreScale: k.ScoreScale,
	}, kredete.Deps{Transport: transport, Clock: clock, Logger: logger})
}

func newTrustDecision(c *config.Config, transport http.RoundTripper, clock func() time.Time, logger *slog.Logger) (*provider.Provider, error) {
	t := c.TrustDecision
	return trustdecision.New(trustdecision.Config{
		QueryURL: t.QueryURL, BackupURL: t.BackupURL, PartnerCode: t.PartnerCode, PartnerKey: string(t.PartnerKey),
		AccessKey: string(t.AccessKey), AccessSecret: string(t.AccessSecret),
		PhoneStyle: trustdecision.PhoneStyle(t.PhoneStyle), CredentialsIn: trustdecision.Placement(t.CredentialsIn),
		SignatureEncoding: trustdecision.SignatureEncoding(t.SignatureEncoding), TimestampSkew: t.TimestampSkew,
	}, trustdecision.Deps{Transport: transport, Clock: clock, Logger: logger})
}

func newKredmint(c *config.Config, transport http.RoundTripper, clock func() time.Time, logger *slog.Logger) (*provider.Provider, error) {
	k := c.Kredmint
	return kredmint.New(kredmint.Config{
		UserURL: k.UserURL, AccountURL: k.AccountURL, MerchantURL: k.MerchantURL, PartnerID: k.PartnerID,
		ClientToken: string(k.ClientToken), Authorization: string(k.Authorization), Source: k.Source,
		WebhookAuthorization: string(k.WebhookAuthorization),
	}, kredmint.Deps{Transport: transport, Clock: clock, Logger: logger})
}

func newOnePipe(c *config.Config, transport http.RoundTripper, clock func() time.Time, logger *slog.Logger) (*provider.Provider, error) {
	o := c.OnePipe
	return onepipe.New(onepipe.Config{
		BaseURL: o.BaseURL, APIKey: string(o.APIKey), ClientSecret: string(o.ClientSecret), AuthProvider: o.AuthProvider,
		MockMode: o.MockMode, SecureEncoding: onepipe.SecureEncoding(o.SecureEncoding), OTPIn: onepipe.OTPPlace(o.OTPIn),
		PlainOTP: o.PlainOTP, ValidateRequestType: o.ValidateRequestType, AllowCards: o.AllowCards,
		OfferUnit: onepipe.OfferUnit(o.OfferUnit),
	}, onepipe.Deps{Transport: transport, Clock: clock, Logger: logger})
}

const (
	// tableRows is how many reads of one kind are under way at a time: a page of a table at once.
	tableRows   = 50
	notFoundTTL = 10 * time.Second
)

// readers puts the cache before the providers' reads.
func readers(c *config.Config, cache *cached.Cache, all []*provider.Provider) service.Readers {
	var r service.Readers
	for _, p := range all {
		if p.Profiles != nil {
			r.Profiles = cached.NewReader(cache, cached.Spec[lending.Profile]{
				Name: p.Name.Slug() + ".profile", Provider: p.Name, Soft: c.ProfileSoftTTL, Hard: c.ProfileHardTTL,
				Negative: notFoundTTL, Concurrency: tableRows, Deadline: c.ReadDeadline, Load: p.Profiles.Profile,
			})
		}
		if p.CreditLines != nil {
			r.CreditLines = cached.NewReader(cache, cached.Spec[lending.CreditLine]{
				Name: p.Name.Slug() + ".credit-line", Provider: p.Name, Soft: c.CreditLineSoftTTL, Hard: c.CreditLineHardTTL,
				Negative: notFoundTTL, Concurrency: tableRows, Deadline: c.ReadDeadline, Load: p.CreditLines.CreditLine,
			})
		}
		if p.Suppliers != nil {
			r.Suppliers = cached.NewReader(cache, cached.Spec[[]lending.Supplier]{
				Name: p.Name.Slug() + ".suppliers", Provider: p.Name, Soft: c.CreditLineSoftTTL, Hard: c.CreditLineHardTTL,
				Negative: notFoundTTL, Concurrency: tableRows, Deadline: c.ReadDeadline, Load: p.Suppliers.Suppliers,
			})
		}
	}
	return r
}
