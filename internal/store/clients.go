package store

import (
	"context"
	"errors"
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

// AddClient inserts a client; CONFLICT when there is one of its id.
func (s *Store) AddClient(ctx context.Context, client Client) error {
	row, err := s.fromClient(client)
	if err != nil {
		return failure("add client", err)
	}
	return s.write(ctx, "add client", "There is a client of this id.", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(row).Exec(ctx)
		return err
	})
}

// RotateClient gives a client the hash of a new secret: NOT_FOUND when there is no such client, CONFLICT when it is
// revoked. Whoever revokes it at the same moment is not undone: the statement looks, and writes this column alone.
func (s *Store) RotateClient(ctx context.Context, id string, secretHash []byte) error {
	changed, err := s.updateWelcome(ctx, "rotate client", id, "secret_hash = ?", secretHash)
	if changed || err != nil {
		return err
	}
	return conflicting("The client is revoked.", errors.New("a revoked client was to be rotated"))
}

// RevokeClient ends a client's welcome; NOT_FOUND when there is no such client. One that is revoked stays so from
// the time when it first was.
func (s *Store) RevokeClient(ctx context.Context, id string, at time.Time) error {
	_, err := s.updateWelcome(ctx, "revoke client", id, "revoked_at = ?", micros(at))
	return err
}

// updateWelcome sets one column of a client that is not revoked, in one statement; false when it is revoked.
func (s *Store) updateWelcome(ctx context.Context, doing, id, set string, value any) (changed bool, err error) {
	err = s.write(ctx, doing, "", func(ctx context.Context) error {
		result, err := s.writing(ctx).NewUpdate().Model((*clientRow)(nil)).Set(set, value).
			Where("entry.id = ?", id).Where("entry.revoked_at = 0").Exec(ctx)
		if err != nil {
			return err
		}
		rows, err := result.RowsAffected()
		changed = rows > 0
		return err
	})
	if changed || err != nil {
		return changed, err
	}
	_, err = s.Client(ctx, id)
	return false, err
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
