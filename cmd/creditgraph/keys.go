package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// keys are what the data key is turned into, one for each use: none tells anything of another.
type keys struct {
	records []byte // seals personal identifiers in the database
	cache   []byte // seals what is cached, and hides the keys there
	tokens  []byte // binds reports to their orders
	quotas  []byte // hides the ids of clients where their requests are counted
	calls   []byte // the same for what we ask of providers
	signing []byte // bearer tokens
	sandbox []byte // bearer tokens of the embedded sandbox
}

func deriveKeys(dataKey string) (k keys, err error) {
	for _, use := range []struct {
		name string
		key  *[]byte
	}{
		{"records v1", &k.records},
		{"cache v1", &k.cache},
		{"tokens v1", &k.tokens},
		{"quotas v1", &k.quotas},
		{"calls v1", &k.calls},
		{"signing v1", &k.signing},
		{"signing in the sandbox v1", &k.sandbox},
	} {
		if *use.key, err = hkdf.Key(sha256.New, []byte(dataKey), nil, "creditgraph "+use.name, 32); err != nil {
			return keys{}, fmt.Errorf("DATA_KEY: %w", err)
		}
	}
	return k, nil
}
