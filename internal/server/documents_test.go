package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/server"
)

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// persisted is a request's extensions that name a document by its hash.
func persisted(hash string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
}

func (b *bench) sendJSON(request map[string]any) answer {
	b.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		b.Fatal(err)
	}
	return b.send(b.post(bytes.NewReader(body)))
}

func TestADocumentIsKnownByItsHashOnceItWasSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	query := `{ viewer { clientId } }`
	byHash := map[string]any{"extensions": persisted(hashed(query))}
	if got := b.sendJSON(byHash); got.code() != "PERSISTED_QUERY_NOT_FOUND" || got.Errors[0].Message != "PersistedQueryNotFound" {
		t.Errorf("before it was sent: answered %s", got.text)
	}
	if got := b.sendJSON(map[string]any{"query": query, "extensions": persisted(hashed(query))}); len(got.Errors) != 0 {
		t.Errorf("with the text: answered %s", got.text)
	}
	if got := b.sendJSON(byHash); len(got.Errors) != 0 || got.Data["viewer"] == nil {
		t.Errorf("by its hash: answered %s", got.text)
	}
	if got := b.sendJSON(map[string]any{"documentId": "sha256:" + hashed(query)}); len(got.Errors) != 0 || got.Data["viewer"] == nil {
		t.Errorf("by its id: answered %s", got.text)
	}
	extensions, err := json.Marshal(persisted(hashed(query)))
	if err != nil {
		t.Fatal(err)
	}
	if got := b.call(call{method: http.MethodGet, query: url.Values{"extensions": {string(extensions)}}}); len(got.Errors) != 0 || got.Data["viewer"] == nil {
		t.Errorf("by GET: answered %s", got.text)
	}
}

func TestAHashIsThatOfItsDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good, bad := `{ viewer { clientId } }`, `{ viewer { nothing } }`
	for name, request := range map[string]map[string]any{
		"of another text":    {"query": good, "extensions": persisted(hashed(bad))},
		"of another version": {"query": good, "extensions": map[string]any{"persistedQuery": map[string]any{"version": 2, "sha256Hash": hashed(good)}}},
		"none":               {"query": good, "extensions": map[string]any{"persistedQuery": map[string]any{"version": 1}}},
		"no object":          {"query": good, "extensions": map[string]any{"persistedQuery": "x"}},
		"of what is invalid": {"query": bad, "extensions": persisted(hashed(bad))},
	} {
		if got := b.sendJSON(request); got.code() != "VALIDATION" {
			t.Errorf("%s: answered %s", name, got.text)
		}
	}
	for _, text := range []string{good, bad} {
		if got := b.sendJSON(map[string]any{"extensions": persisted(hashed(text))}); got.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("%s was kept: %s", text, got.text)
		}
	}
}

func TestTheStoreOfDocumentsIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := func(n int) string {
		return fmt.Sprintf("{ viewer { clientId } } #%d%s", n, strings.Repeat("x", 60<<10))
	}
	const sent = 200 // of 60 KB each: more than is kept
	for n := range sent {
		if got := b.sendJSON(map[string]any{"query": text(n), "extensions": persisted(hashed(text(n)))}); len(got.Errors) != 0 {
			t.Fatalf("answered %s", got.text)
		}
	}
	for n, want := range map[int]string{0: "PERSISTED_QUERY_NOT_FOUND", sent - 1: ""} {
		if got := b.sendJSON(map[string]any{"extensions": persisted(hashed(text(n)))}); got.code() != want {
			t.Errorf("document %d: answered %s", n, got.text)
		}
	}
}

// trusting is a server that answers the operations of our clients alone.
func trusting(t *testing.T) *bench {
	t.Helper()
	texts, _ := operationFiles(t)
	var sources []*ast.Source
	for name, text := range texts {
		sources = append(sources, &ast.Source{Name: name, Input: text})
	}
	var manifest bytes.Buffer
	if err := server.WriteManifest(&manifest, grammar(t), sources); err != nil {
		t.Fatal(err)
	}
	trusted, err := server.ReadTrustedDocuments(&manifest)
	if err != nil {
		t.Fatal(err)
	}
	return setupWith(t, func(c *server.Config) { c.Trusted = trusted })
}

func TestOnlyTrustedDocumentsAreAnswered(t *testing.T) {
	t.Parallel()
	b := trusting(t)
	texts, _ := operationFiles(t)
	for name, test := range map[string]struct {
		request map[string]any
		code    string
	}{
		"the whole file, and one of its operations": {map[string]any{"query": texts["analyst.graphql"], "operationName": "Viewer"}, ""},
		"the operation alone, written otherwise":    {map[string]any{"query": "query Viewer{viewer{clientId,scopes rateLimit{limit remaining resetsAt}}}"}, ""},
		"with one field more":                       {map[string]any{"query": "query Viewer{viewer{clientId scopes __typename rateLimit{limit remaining resetsAt}}}"}, "FORBIDDEN"},
		"with an argument changed":                  {map[string]any{"query": strings.Replace(texts["analyst.graphql"], "$first: Int = 50", "$first: Int = 51", 1), "operationName": "Portfolio"}, "FORBIDDEN"},
		"another operation":                         {map[string]any{"query": "{ viewer { clientId } }"}, "FORBIDDEN"},
		"another operation in the file":             {map[string]any{"query": texts["analyst.graphql"] + " query Mine { viewer { clientId } }", "operationName": "Mine"}, "FORBIDDEN"},
		"introspection":                             {map[string]any{"query": "{ __schema { types { name } } }"}, "FORBIDDEN"},
		"another operation by its hash":             {map[string]any{"query": "{ viewer { clientId } }", "extensions": persisted(hashed("{ viewer { clientId } }"))}, "FORBIDDEN"},
		"a hash that is none of them":               {map[string]any{"extensions": persisted(hashed("{ viewer { clientId } }"))}, "PERSISTED_QUERY_NOT_FOUND"},
	} {
		got := b.sendJSON(test.request)
		if got.code() != test.code || (got.Data != nil) != (test.code == "") {
			t.Errorf("%s: answered %s", name, got.text)
		}
	}
}

func TestAManifestsOperationsAreKnownByTheirIDs(t *testing.T) {
	t.Parallel()
	texts, _ := operationFiles(t)
	var manifest bytes.Buffer
	if err := server.WriteManifest(&manifest, grammar(t), []*ast.Source{{Input: texts["analyst.graphql"]}, {Input: texts["mobile.graphql"]}}); err != nil {
		t.Fatal(err)
	}
	var written struct {
		Format     string
		Operations []struct{ ID, Name, Type, Body string }
	}
	if err := json.Unmarshal(manifest.Bytes(), &written); err != nil {
		t.Fatal(err)
	}
	trusted, err := server.ReadTrustedDocuments(&manifest)
	if err != nil {
		t.Fatal(err)
	}
	b := setupWith(t, func(c *server.Config) { c.Trusted = trusted })
	for _, op := range written.Operations {
		if op.ID != hashed(op.Body) || op.Name == "" {
			t.Errorf("%s has the id %s", op.Name, op.ID)
		}
		if op.Name != "Viewer" {
			continue
		}
		for _, request := range []map[string]any{{"documentId": op.ID}, {"extensions": persisted(op.ID)}, {"query": op.Body}} {
			if got := b.sendJSON(request); len(got.Errors) != 0 || got.Data["viewer"] == nil {
				t.Errorf("%v: answered %s", request, got.text)
			}
		}
	}
	if len(written.Operations) != 8 {
		t.Errorf("%d operations were written", len(written.Operations))
	}
}

func TestManifestsOfOtherToolsAreRead(t *testing.T) {
	t.Parallel()
	query := "query Viewer { viewer { clientId } }"
	trusted, err := server.ReadTrustedDocuments(strings.NewReader(fmt.Sprintf(`{%q: %q}`, hashed(query), query)))
	if err != nil {
		t.Fatal(err)
	}
	b := setupWith(t, func(c *server.Config) { c.Trusted = trusted })
	if got := b.sendJSON(map[string]any{"documentId": hashed(query)}); got.Data["viewer"] == nil {
		t.Errorf("answered %s", got.text)
	}
	for _, text := range []string{"", "[]", "{}", `{"format": "x", "version": 1}`, `{"x": "{ a"}`} {
		if _, err := server.ReadTrustedDocuments(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestAManifestNeedsGoodOperations(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unreadable":        "query A {",
		"unknown field":     "query A { nothing }",
		"no name":           "{ viewer { clientId } }",
		"one name for two":  "query A { viewer { clientId } } query A { viewer { scopes } }",
		"no such fragment":  "query A { viewer { ...F } }",
		"unknown directive": "query A { viewer { clientId @x } }",
	} {
		if err := server.WriteManifest(&bytes.Buffer{}, grammar(t), []*ast.Source{{Name: name, Input: text}}); err == nil {
			t.Errorf("%s: a manifest was written", name)
		}
	}
	fragments := []*ast.Source{{Input: "query A { viewer { ...F } }"}, {Input: "fragment F on Viewer { clientId } fragment G on Viewer { scopes }"}}
	if err := server.WriteManifest(&bytes.Buffer{}, grammar(t), fragments); err != nil {
		t.Errorf("a fragment in another file: %v", err)
	}
}
