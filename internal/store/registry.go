package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// documentRow is a document's columns. The URL is sealed: it opens the document for whoever has it.
type documentRow struct {
	bun.BaseModel `bun:"table:documents,alias:entry"`

	ID            lending.DocumentID `bun:",pk"`
	CustomerID    lending.CustomerID `bun:",nullzero"`
	Provider      lending.Provider
	ExternalID    string
	Name          string
	Kind          lending.DocumentKind
	InvoiceNumber string
	URL           []byte
	URLExpiresAt  int64 `bun:"url_expires_at"`
	CreatedAt     int64
}

func urlCell(id lending.DocumentID) cell { return cell{"documents", "url", string(id)} }

func (s *Store) fromDocument(d *lending.Document) *documentRow {
	return &documentRow{
		ID: d.ID, CustomerID: d.CustomerID, Provider: d.Provider, ExternalID: d.ExternalID, Name: d.Name,
		Kind: d.Kind, InvoiceNumber: d.InvoiceNumber, URL: s.vault.seal(urlCell(d.ID), []byte(d.URL)),
		URLExpiresAt: micros(d.URLExpiresAt), CreatedAt: micros(d.CreatedAt),
	}
}

func (s *Store) toDocument(r *documentRow) (*lending.Document, error) {
	d := decoder{vault: s.vault}
	return &lending.Document{
		ID: r.ID, CustomerID: r.CustomerID, Provider: r.Provider, ExternalID: r.ExternalID, Name: r.Name,
		Kind: r.Kind, InvoiceNumber: r.InvoiceNumber, URL: string(d.open(urlCell(r.ID), r.URL)),
		URLExpiresAt: moment(r.URLExpiresAt), CreatedAt: moment(r.CreatedAt),
	}, d.err
}

// Documents implements service.RegistryStore.
func (s *Store) Documents(ctx context.Context, ids []lending.DocumentID) (map[lending.DocumentID]*lending.Document, error) {
	l := listing[documentRow, *lending.Document]{what: "document", to: s.toDocument}
	return byIDs(ctx, s, l, ids, func(r *documentRow) lending.DocumentID { return r.ID })
}

// SaveDocument implements service.RegistryStore: it inserts or replaces by id. NOT_FOUND when there is no
// such customer.
func (s *Store) SaveDocument(ctx context.Context, document *lending.Document) error {
	return s.write(ctx, "save document", "", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(s.fromDocument(document)).
			On("CONFLICT (id) DO UPDATE").Returning("NULL").Exec(ctx)
		return err
	})
}

type webhookRow struct {
	bun.BaseModel `bun:"table:webhooks,alias:entry"`

	ID         lending.WebhookID `bun:",pk"`
	Provider   lending.Provider
	ExternalID string
	URL        string
	Events     string
	Active     bool
	CreatedAt  int64
}

func (s *Store) fromWebhook(w *lending.Webhook) (*webhookRow, error) {
	e := encoder{vault: s.vault}
	return &webhookRow{
		ID: w.ID, Provider: w.Provider, ExternalID: w.ExternalID, URL: w.URL, Events: e.json(w.Events),
		Active: w.Active, CreatedAt: micros(w.CreatedAt),
	}, e.err
}

func (s *Store) toWebhook(r *webhookRow) (*lending.Webhook, error) {
	d := decoder{vault: s.vault}
	w := &lending.Webhook{
		ID: r.ID, Provider: r.Provider, ExternalID: r.ExternalID, URL: r.URL, Active: r.Active,
		CreatedAt: moment(r.CreatedAt),
	}
	d.json(r.Events, &w.Events)
	return w, d.err
}

// Webhooks implements service.RegistryStore.
func (s *Store) Webhooks(ctx context.Context, ids []lending.WebhookID) (map[lending.WebhookID]*lending.Webhook, error) {
	l := listing[webhookRow, *lending.Webhook]{what: "webhook", to: s.toWebhook}
	return byIDs(ctx, s, l, ids, func(r *webhookRow) lending.WebhookID { return r.ID })
}

// SaveWebhook implements service.RegistryStore: it inserts or replaces by id.
func (s *Store) SaveWebhook(ctx context.Context, webhook *lending.Webhook) error {
	row, err := s.fromWebhook(webhook)
	if err != nil {
		return failure("save webhook", err)
	}
	return s.write(ctx, "save webhook", "", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").Exec(ctx)
		return err
	})
}
