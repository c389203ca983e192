package main

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/datakey"
)

// startTokens makes what signs tokens and what verifies them, and begins to keep an identity provider's keys.
// Tokens of the sandbox are signed with a key of its own: none is good for a deployment that has the same data key.
func (a *app) startTokens(context.Context) error {
	k, err := datakey.Derive(string(a.settings.DataKey))
	if err != nil {
		return err
	}
	a.clients = clientFinder{a.records}
	signing := k.Signing
	if a.sandbox != nil {
		a.demo = newDemoClients(a.clients)
		a.clients, signing = a.demo, k.Sandbox
	}
	if a.issuer, err = auth.NewIssuer(signing, time.Now); err != nil {
		return err
	}
	settings := a.settings.IdentityProvider
	if settings.JWKSURL == "" {
		a.verifier = a.issuer
		return nil
	}
	identity := auth.NewIdentityProvider(auth.IdentityConfig{
		JWKSURL: settings.JWKSURL, Issuer: settings.Issuer, Audience: settings.Audience, CustomerClaim: settings.CustomerClaim,
		Clock: time.Now, Logger: a.logger,
	})
	identity.Start()
	a.onStop(func(context.Context) error { identity.Stop(); return nil })
	a.verifier = auth.NewSources(a.issuer, identity)
	return nil
}
