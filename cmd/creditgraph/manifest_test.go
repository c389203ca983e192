package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheManifestOfOurClientsOperations(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Main(t.Context(), []string{"manifest", filepath.Join("..", "..", "examples", "operations")}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var written struct{ Operations []struct{ ID, Name string } }
	if err := json.Unmarshal(out.Bytes(), &written); err != nil || len(written.Operations) != 27 {
		t.Fatalf("%d operations: %v", len(written.Operations), err)
	}
	path := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if trusted, err := trustedDocuments(path); err != nil || trusted == nil {
		t.Errorf("it cannot be used: %v", err)
	}
}

func TestAManifestThatCannotBeUsedNamesItsSetting(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + ".missing"} {
		if _, err := trustedDocuments(path); err == nil || !strings.HasPrefix(err.Error(), "CREDITGRAPH_TRUSTED_DOCUMENTS: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := Main(t.Context(), []string{"manifest", t.TempDir()}, io.Discard, io.Discard); err == nil {
		t.Error("a folder without operations gives a manifest")
	}
}
