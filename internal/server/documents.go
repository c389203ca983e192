package server

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// maxPersistedTexts is the memory that texts known by their hashes may take, in bytes.
const maxPersistedTexts = 8 << 20

// bounded keeps values by text until they take more than a number of bytes; then those go that were asked for the
// longest time ago.
type bounded[V any] struct {
	mu     sync.Mutex
	most   int
	taken  int
	values map[string]*list.Element
	order  *list.List // the latest first
}

type boundedEntry[V any] struct {
	key   string
	value V
	bytes int
}

func newBounded[V any](most int) *bounded[V] {
	return &bounded[V]{most: most, values: map[string]*list.Element{}, order: list.New()}
}

func (b *bounded[V]) get(key string) (V, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	element, ok := b.values[key]
	if !ok {
		var none V
		return none, false
	}
	b.order.MoveToFront(element)
	return element.Value.(*boundedEntry[V]).value, true
}

// add keeps a value of so many bytes, unless there is one of its key.
func (b *bounded[V]) add(key string, value V, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.values[key]; known || bytes > b.most {
		return
	}
	b.values[key] = b.order.PushFront(&boundedEntry[V]{key, value, bytes})
	b.taken += bytes
	for b.taken > b.most {
		last := b.order.Back()
		gone := b.order.Remove(last).(*boundedEntry[V])
		delete(b.values, gone.key)
		b.taken -= gone.bytes
	}
}

// hashOf is the name by which clients know a document: the SHA-256 of its text, in hexadecimal.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// resolve finds the text of a document that was sent by its hash, as Apollo's clients do: by
// extensions.persistedQuery.
func (g *guard) resolve(params *graphql.RawParams) error {
	if params.Extensions["persistedQuery"] == nil {
		return nil
	}
	hash, err := persistedHash(params)
	if err != nil {
		return err
	}
	if params.Query != "" {
		if len(params.Query) <= maxQueryText && hashOf(params.Query) != hash {
			return invalid("The hash in extensions.persistedQuery is not that of the query.")
		}
		return nil
	}
	if g.trusted != nil {
		params.Query = g.trusted.texts[hash]
	} else {
		params.Query, _ = g.texts.get(hash)
	}
	if params.Query == "" {
		return errNotPersisted
	}
	return nil
}

// persistedHash is the hash by which a request names its document.
func persistedHash(params *graphql.RawParams) (string, error) {
	extension, ok := params.Extensions["persistedQuery"].(map[string]any)
	hash, isText := extension["sha256Hash"].(string)
	if !ok || !isText || fmt.Sprint(extension["version"]) != "1" {
		return "", invalid(`Send extensions.persistedQuery as {"version": 1, "sha256Hash": "…"}.`)
	}
	return hash, nil
}

// errNotPersisted asks for the whole query. Clients know it by its message and code, which are Apollo's.
var errNotPersisted = invalid("PersistedQueryNotFound")

// persist keeps the text of a document that was found valid, for requests by its hash.
func (g *guard) persist(params *graphql.RawParams) {
	if g.trusted != nil || params.Extensions["persistedQuery"] == nil {
		return
	}
	hash := hashOf(params.Query)
	g.texts.add(hash, params.Query, len(hash)+len(params.Query))
}

// TrustedDocuments are the operations of a manifest, where no others are to be answered.
type TrustedDocuments struct {
	texts     map[string]string // by the id that the manifest gives them
	canonical map[string]bool   // hashes of the operations in one form of writing
	names     []string          // of the operations
}

// manifest is a manifest as Apollo's tools write it.
type manifest struct {
	Format     string              `json:"format"`
	Version    int                 `json:"version"`
	Operations []manifestOperation `json:"operations"`
}

type manifestOperation struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Body string `json:"body"`
}

const manifestFormat = "apollo-persisted-query-manifest"

// ReadTrustedDocuments reads a manifest: one that [WriteManifest] or Apollo's tools wrote, or a plain object of hashes and
// texts, as Relay and GraphQL Code Generator write it.
func ReadTrustedDocuments(r io.Reader) (*TrustedDocuments, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var apollo manifest
	plain := map[string]string{}
	if json.Unmarshal(text, &apollo) == nil && apollo.Format == manifestFormat {
		for _, op := range apollo.Operations {
			plain[op.ID] = op.Body
		}
	} else if json.Unmarshal(text, &plain) != nil {
		return nil, errors.New("it is neither Apollo's manifest nor an object of hashes and documents")
	}
	if len(plain) == 0 {
		return nil, errors.New("it has no operations")
	}
	t := &TrustedDocuments{texts: plain, canonical: map[string]bool{}}
	for id, text := range plain {
		doc, err := parser.ParseQuery(&ast.Source{Name: id, Input: text})
		if err != nil {
			return nil, err
		}
		for _, op := range doc.Operations {
			t.canonical[hashOf(canonical(doc, op))] = true
			t.names = append(t.names, op.Name)
		}
	}
	return t, nil
}

// has reports whether an operation is in the manifest: by its document's text, or by what it says, however that is
// written and whatever else is in its document.
func (t *TrustedDocuments) has(doc *ast.QueryDocument, op *ast.OperationDefinition, text string) bool {
	if known, ok := t.texts[hashOf(text)]; ok && known == text {
		return true
	}
	return t.canonical[hashOf(canonical(doc, op))]
}

// canonical writes an operation with the fragments that it uses, in one way.
func canonical(doc *ast.QueryDocument, op *ast.OperationDefinition) string {
	alone := &ast.QueryDocument{Operations: ast.OperationList{op}}
	used := map[string]bool{}
	collectFragments(doc, op.SelectionSet, used)
	for _, f := range doc.Fragments {
		if used[f.Name] {
			alone.Fragments = append(alone.Fragments, f)
		}
	}
	sort.Slice(alone.Fragments, func(i, j int) bool { return alone.Fragments[i].Name < alone.Fragments[j].Name })
	var text bytes.Buffer
	formatter.NewFormatter(&text, formatter.WithIndent("  ")).FormatQueryDocument(alone)
	return text.String()
}

func collectFragments(doc *ast.QueryDocument, set ast.SelectionSet, used map[string]bool) {
	for _, selection := range set {
		switch it := selection.(type) {
		case *ast.Field:
			collectFragments(doc, it.SelectionSet, used)
		case *ast.InlineFragment:
			collectFragments(doc, it.SelectionSet, used)
		case *ast.FragmentSpread:
			if definition := doc.Fragments.ForName(it.Name); definition != nil && !used[it.Name] {
				used[it.Name] = true
				collectFragments(doc, definition.SelectionSet, used)
			}
		}
	}
}

// WriteManifest writes the manifest of the operations in some documents. Every one of them has to be valid and to have a
// name of its own. Fragments may be in other documents than the operations that use them.
func WriteManifest(w io.Writer, schema *ast.Schema, sources []*ast.Source) error {
	all := &ast.QueryDocument{}
	for _, source := range sources {
		doc, err := parser.ParseQuery(source)
		if err != nil {
			return err
		}
		all.Operations = append(all.Operations, doc.Operations...)
		all.Fragments = append(all.Fragments, doc.Fragments...)
	}
	if err := validManifest(schema, all); err != nil {
		return err
	}
	out := manifest{Format: manifestFormat, Version: 1, Operations: []manifestOperation{}}
	for _, op := range all.Operations {
		body := strings.TrimSpace(canonical(all, op))
		out.Operations = append(out.Operations, manifestOperation{ID: hashOf(body), Name: op.Name, Type: string(op.Operation), Body: body})
	}
	sort.Slice(out.Operations, func(i, j int) bool { return out.Operations[i].Name < out.Operations[j].Name })
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

// validManifest checks all the documents as one, in which each operation may go without some fragments.
func validManifest(schema *ast.Schema, all *ast.QueryDocument) error {
	checks := rules.NewDefaultRules()
	checks.RemoveRule(rules.NoUnusedFragmentsRule.Name)
	errs := validator.ValidateWithRules(schema, all, checks)
	for _, op := range all.Operations {
		if op.Name == "" {
			errs = append(errs, gqlerror.Errorf("an operation has no name"))
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}
