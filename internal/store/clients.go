package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Client is a program that may ask for tokens at the built-in token endpoint.
type Client struct {
	ID   string
	Name string
	// SecretHash is a hash of the client's secret; the secret itself is kept nowhere.
	SecretHash []byte
	Scopes     []string
	CustomerID lending.CustomerID // the only one that its tokens open; "" for all
	Plan       string             // how much it may ask for
	CreatedAt  time.Time
	RevokedAt  time.Time // zero while the client is welcome
}

type clientRow struct {
	bun.BaseModel `bun:"table:api_clients,alias:entry"`

	ID         string `bun:",pk"`
	Name       string
	SecretHash []byte
	Scopes     string
	CustomerID lending.CustomerID
	Plan       string
	CreatedAt  int64
	RevokedAt  int64
}

func (s *Store) clientListing() listing[clientRow, *Client] {
	return listing[clientRow, *Client]{what: "client", to: s.toClient}
}

func (s *Store) fromClient(c Client) (*clientRow, error) {
	e := encoder{vault: s.vault}
	return &clientRow{
		ID: c.ID, Name: c.Name, SecretHash: c.SecretHash, Scopes: e.json(c.Scopes),
		CustomerID: c.CustomerID, Plan: c.Plan,
		CreatedAt: micros(c.CreatedAt), RevokedAt: micros(c.RevokedAt),
	}, e.err
}

func (s *Store) toClient(r *clientRow) (*Client, error) {
	d := decoder{vault: s.vault}
	c := &Client{
		ID: r.ID, Name: r.Name, SecretHash: r.SecretHash, CustomerID: r.CustomerID, Plan: r.Plan,
		CreatedAt: moment(r.CreatedAt), RevokedAt: moment(r.RevokedAt),
	}
	d.json(r.Scopes, &c.Scopes)
	return c, d.err
}

// SaveClient inserts or replaces a client by its id.
func (s *Store) SaveClient(ctx context.Context, client Client) error {
	row, err := s.fromClient(client)
	if err != nil {
		return failure("save client", err)
	}
	return s.write(ctx, "save client", "", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").Exec(ctx)
		return err
	})
}

// Client finds a client, revoked or not; NOT_FOUND when there is none.
func (s *Store) Client(ctx context.Context, id string) (*Client, error) {
	return find(ctx, s, s.clientListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.id = ?", id)
	})
}

// ListClients lists all clients, revoked ones too, in the order in which they were made.
func (s *Store) ListClients(ctx context.Context) ([]*Client, error) {
	return gather(ctx, s, s.clientListing(), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Order("entry.created_at", "entry.id")
	})
}
