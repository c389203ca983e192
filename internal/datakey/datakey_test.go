package datakey_test

import (
	"encoding/hex"
	"testing"

	"github.com/creditgraph/creditgraph/internal/datakey"
)

const secret = "a secret of thirty-two characters"

func TestKeysStayTheSameForEver(t *testing.T) {
	t.Parallel()
	k, err := datakey.Derive(secret)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever changes this makes every database that there is unreadable.
	const records = "6594ba6c8e1c58db4b7a5a116253fd9697da70d7edf0a6e2bbdd52779f004610"
	if got := hex.EncodeToString(k.Records); got != records {
		t.Errorf("the key of records is %s, not %s", got, records)
	}
}

func TestNoTwoUsesShareAKey(t *testing.T) {
	t.Parallel()
	k, err := datakey.Derive(secret)
	if err != nil {
		t.Fatal(err)
	}
	other, err := datakey.Derive(secret + "!")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, key := range [][]byte{k.Records, k.Cache, k.Tokens, k.Quotas, k.Calls, k.Health, k.Signing, k.Sandbox, other.Records} {
		if len(key) != 32 || seen[string(key)] {
			t.Errorf("a key of %d bytes, known already: %t", len(key), seen[string(key)])
		}
		seen[string(key)] = true
	}
}
