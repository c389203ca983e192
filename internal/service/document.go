package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// MaxUpload is the largest document that is taken, in bytes.
const MaxUpload = 10 << 20

// uploadTypes are the types of files that a kind of document may have: by the file's name, and by how its
// content begins. The provider's text and its own examples differ (seed 002: "csv and json", yet a PDF; "pdf",
// yet a PNG), so all of those are taken.
var uploadTypes = []struct {
	ending      string
	contentType string
	begins      string // "" for text
	kinds       []lending.DocumentKind
}{
	{".pdf", "application/pdf", "%PDF-", []lending.DocumentKind{lending.InvoiceDocument, lending.FinancialDataDocument}},
	{".png", "image/png", "\x89PNG\r\n\x1a\n", []lending.DocumentKind{lending.InvoiceDocument}},
	{".jpg", "image/jpeg", "\xff\xd8\xff", []lending.DocumentKind{lending.InvoiceDocument}},
	{".jpeg", "image/jpeg", "\xff\xd8\xff", []lending.DocumentKind{lending.InvoiceDocument}},
	{".csv", "text/csv", "", []lending.DocumentKind{lending.FinancialDataDocument}},
	{".json", "application/json", "", []lending.DocumentKind{lending.FinancialDataDocument}},
}

// document is the canonical form of an upload: the content counts by its hash.
type document struct {
	lending.Private
	CustomerID    lending.CustomerID   `json:"customerId"`
	Kind          lending.DocumentKind `json:"kind"`
	InvoiceNumber string               `json:"invoiceNumber"`
	Name          string               `json:"name"`
	SHA256        string               `json:"sha256"`
	Password      string               `json:"password"` // its keyed hash: the password itself is kept nowhere
}

// UploadDocument gives the provider a document. The file is read twice, once to know it by its hash and
// once to send it, and never held in memory.
func (s *Service) UploadDocument(ctx context.Context, caller Caller, in UploadDocumentInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	customer := parseID[lending.CustomerID](&c, "customerId", lending.CustomerNode, in.CustomerID)
	if !in.Kind.Valid() {
		c.refuse("kind", "Choose one of the kinds.")
	}
	if in.Kind == lending.InvoiceDocument {
		c.text("invoiceNumber", in.InvoiceNumber, true, 64)
	}
	c.text("password", in.Password, false, 100)
	name := filepath.Base(strings.ReplaceAll(in.File.Name, `\`, "/"))
	c.text("file", name, true, 200)
	contentType, err := checkFile(&c, in.Kind, name, in.File)
	if err != nil {
		return nil, err
	}
	if in.Provider == "" {
		in.Provider = s.only(func(p *provider.Provider) bool { return p.Documents != nil }, lending.Kredmint)
	}
	p, username, err := s.actor(ctx, &c, in.Provider, customer, func(p *provider.Provider) bool { return p.Documents != nil })
	if err != nil {
		return nil, err
	}
	if c.failed() {
		return c.result(), nil
	}
	sum, err := hashOf(in.File.Content)
	if err != nil {
		return nil, err
	}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpUploadDocument, in.Provider, document{lending.Private{}, customer, in.Kind, in.InvoiceNumber, name, sum, s.hashed(in.Password)})
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.EntityID = customer, newID[string]()
	return s.perform(ctx, action{op: op, send: func(ctx context.Context) (answer, error) {
		told, err := p.Documents.UploadDocument(ctx, provider.Upload{
			Kind: in.Kind, Username: username, InvoiceNumber: in.InvoiceNumber, Password: in.Password, Name: name,
			ContentType: contentType, Content: in.File.Content,
		})
		if err != nil {
			return answer{}, err
		}
		told.ID, told.CustomerID, told.Provider = lending.DocumentID(op.EntityID), customer, op.Provider
		told.Kind, told.InvoiceNumber = in.Kind, in.InvoiceNumber
		if told.CreatedAt.IsZero() {
			told.CreatedAt = s.now()
		}
		return answer{
			status: lending.OpSucceeded, result: Result{Document: &told},
			save:   func(ctx context.Context) error { return s.store.SaveDocument(ctx, &told) },
			events: []*lending.Event{s.event(lending.EventDocumentUploaded, op)},
		}, nil
	}})
}

// hashed is a keyed hash of a secret, so that another one is noticed; "" for none.
func (s *Service) hashed(secret string) string {
	if secret == "" {
		return ""
	}
	return hex.EncodeToString(s.sign("secret", secret))
}

// checkFile checks a file's size and that it is what its name says, and gives its content type.
func checkFile(c *checks, kind lending.DocumentKind, name string, file File) (string, error) {
	if file.Content == nil || file.Size <= 0 {
		c.refuse("file", "Attach a file that is not empty.")
		return "", nil
	}
	if file.Size > MaxUpload {
		c.refuse("file", "A file has at most %d MiB.", MaxUpload>>20)
		return "", nil
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(file.Content, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", fmt.Errorf("read the upload: %w", err)
	}
	if _, err := file.Content.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("rewind the upload: %w", err)
	}
	ending := strings.ToLower(filepath.Ext(name))
	for _, t := range uploadTypes {
		if t.ending != ending || !slices.Contains(t.kinds, kind) {
			continue
		}
		text := t.begins == "" && !strings.ContainsRune(string(head[:n]), 0)
		if text || t.begins != "" && strings.HasPrefix(string(head[:n]), t.begins) {
			return t.contentType, nil
		}
		c.refuse("file", "The file is not what its name says (%s).", ending)
		return "", nil
	}
	c.refuse("file", "Documents of this kind are %s files.", endingsOf(kind))
	return "", nil
}

func endingsOf(kind lending.DocumentKind) string {
	var endings []string
	for _, t := range uploadTypes {
		if slices.Contains(t.kinds, kind) {
			endings = append(endings, t.ending)
		}
	}
	return strings.Join(endings, ", ")
}

func hashOf(content io.ReadSeeker) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, content); err != nil {
		return "", fmt.Errorf("read the upload: %w", err)
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("rewind the upload: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// registration is the canonical form of a webhook to be registered.
type registration struct {
	URL    string              `json:"url"`
	Events []lending.EventType `json:"events"`
	Active bool                `json:"active"`
}

// RegisterWebhook tells a provider where to send its news. The provider signs them with the secret that
// this service is configured with.
func (s *Service) RegisterWebhook(ctx context.Context, caller Caller, in RegisterWebhookInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	if s.settings.AllowPrivateWebhooks {
		c.link("url", in.URL, true)
	} else {
		c.publicLink("url", in.URL)
	}
	if len(in.Events) == 0 {
		c.refuse("events", "Name at least one event.")
	}
	for _, event := range in.Events {
		if !event.Valid() {
			c.refuse("events", "Name events of the list.")
			break
		}
	}
	p, _, err := s.actor(ctx, &c, in.Provider, "", func(p *provider.Provider) bool { return p.Registrations != nil })
	if err != nil {
		return nil, err
	}
	if s.settings.WebhookSecret == "" && p != nil {
		c.refuse("provider", "No webhook secret is configured for %s: without one its news could not be verified.", in.Provider.Title())
	}
	if c.failed() {
		return c.result(), nil
	}
	events := slices.Clone(in.Events)
	slices.Sort(events)
	canonical := registration{URL: in.URL, Events: slices.Compact(events), Active: in.Active == nil || *in.Active}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpRegisterWebhook, in.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.EntityID = newID[string]()
	return s.perform(ctx, action{op: op, send: func(ctx context.Context) (answer, error) {
		told, err := p.Registrations.RegisterWebhook(ctx, provider.Registration{
			URL: canonical.URL, Events: in.Events, Secret: s.settings.WebhookSecret, Active: canonical.Active,
		})
		if err != nil {
			return answer{}, err
		}
		webhook := &lending.Webhook{
			ID: lending.WebhookID(op.EntityID), Provider: op.Provider, ExternalID: told.ExternalID, URL: canonical.URL,
			Events: in.Events, Active: canonical.Active, CreatedAt: s.now(),
		}
		return answer{
			status: lending.OpSucceeded, result: Result{Webhook: webhook},
			save:   func(ctx context.Context) error { return s.store.SaveWebhook(ctx, webhook) },
			events: []*lending.Event{s.event(lending.EventWebhookRegistered, op)},
		}, nil
	}})
}
