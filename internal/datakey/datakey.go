// Package datakey turns the one secret of a deployment, DATA_KEY, into a key for each of its uses
// (docs/adr/0012-keys-from-one-secret.md).
package datakey

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// Keys are what the data key is turned into, one of 32 bytes for each use: none tells anything of another.
type Keys struct {
	Records []byte // seals personal identifiers in the database
	Cache   []byte // seals what is cached, and hides the keys there
	Tokens  []byte // binds reports to their orders
	Quotas  []byte // hides the ids of clients where their requests are counted
	Calls   []byte // the same for what we ask of providers
	Health  []byte // names the board on which replicas tell how providers do
	Signing []byte // bearer tokens
	Sandbox []byte // bearer tokens of the embedded sandbox
}

// Derive makes the keys. The same secret makes the same keys, on every replica and for ever.
func Derive(secret string) (k Keys, err error) {
	for _, use := range []struct {
		name string
		key  *[]byte
	}{
		{"records v1", &k.Records},
		{"cache v1", &k.Cache},
		{"tokens v1", &k.Tokens},
		{"quotas v1", &k.Quotas},
		{"calls v1", &k.Calls},
		{"health v1", &k.Health},
		{"signing v1", &k.Signing},
		{"signing in the sandbox v1", &k.Sandbox},
	} {
		if *use.key, err = hkdf.Key(sha256.New, []byte(secret), nil, "creditgraph "+use.name, 32); err != nil {
			return Keys{}, fmt.Errorf("DATA_KEY: %w", err)
		}
	}
	return k, nil
}
