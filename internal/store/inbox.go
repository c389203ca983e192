package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/graph-gophers/dataloader/v7"
	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

type deliveryRow struct {
	bun.BaseModel `bun:"table:webhook_inbox,alias:entry"`

	ID         string `bun:",pk"`
	Provider   lending.Provider
	DedupeKey  string
	Nonce      string
	Body       []byte
	ReceivedAt int64
	State      service.DeliveryState
	Attempts   int
	NextTryAt  int64
	LastError  string
	Awaits     string
	UpdatedAt  int64
}

func bodyCell(id string) cell { return cell{"webhook_inbox", "body", id} }

func (s *Store) fromDelivery(d *service.Delivery) *deliveryRow {
	return &deliveryRow{
		ID: d.ID, Provider: d.Provider, DedupeKey: d.DedupeKey, Nonce: d.Nonce,
		Body: s.vault.seal(bodyCell(d.ID), d.Body), ReceivedAt: micros(d.ReceivedAt), State: d.State,
		Attempts: d.Attempts, NextTryAt: micros(d.NextTryAt), LastError: d.LastError,
		Awaits: d.Awaits, UpdatedAt: micros(d.UpdatedAt),
	}
}

func (s *Store) toDelivery(r *deliveryRow) (*service.Delivery, error) {
	d := decoder{vault: s.vault}
	return &service.Delivery{
		ID: r.ID, Provider: r.Provider, DedupeKey: r.DedupeKey, Nonce: r.Nonce,
		Body: d.open(bodyCell(r.ID), r.Body), ReceivedAt: moment(r.ReceivedAt), State: r.State,
		Attempts: r.Attempts, NextTryAt: moment(r.NextTryAt), LastError: r.LastError,
		Awaits: r.Awaits, UpdatedAt: moment(r.UpdatedAt),
	}, d.err
}

const (
	// intakeWait is how long a delivery waits for others, to be committed with them: under load one commit to
	// the disk is shared by many.
	intakeWait     = time.Millisecond
	intakeBatch    = 64
	intakeDeadline = 5 * time.Second
)

func (s *Store) newIntake() *dataloader.Loader[*service.Delivery, bool] {
	return dataloader.NewBatchedLoader(s.putDeliveries,
		dataloader.WithWait[*service.Delivery, bool](intakeWait),
		dataloader.WithBatchCapacity[*service.Delivery, bool](intakeBatch),
		dataloader.WithInputCapacity[*service.Delivery, bool](intakeBatch),
		dataloader.WithCache[*service.Delivery, bool](&dataloader.NoCache[*service.Delivery, bool]{}))
}

// PutDelivery implements service.InboxStore.
func (s *Store) PutDelivery(ctx context.Context, delivery *service.Delivery) (added bool, err error) {
	if added, err = s.intake.Load(ctx, delivery)(); err != nil {
		return false, failure("store delivery", err)
	}
	if added {
		return true, nil
	}
	known, err := s.reading(ctx).NewSelect().Model((*deliveryRow)(nil)).
		Where("entry.provider = ?", delivery.Provider).Where("entry.dedupe_key = ?", delivery.DedupeKey).Exists(ctx)
	if err == nil && !known {
		return false, conflicting("This webhook's nonce was used for another webhook.",
			errors.New("the nonce or id of a delivery is taken"))
	}
	return false, failure("store delivery", err)
}

// putDeliveries stores deliveries in one statement, and tells which of them are new. It fails for all or none.
func (s *Store) putDeliveries(ctx context.Context, deliveries []*service.Delivery) []*dataloader.Result[bool] {
	// The first who waits may leave; the others still wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), intakeDeadline)
	defer cancel()
	rows := make([]*deliveryRow, len(deliveries))
	for i, delivery := range deliveries {
		rows[i] = s.fromDelivery(delivery)
	}
	var ids []string
	err := s.writer.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Returning("id").Scan(ctx, &ids)
	if errors.Is(err, sql.ErrNoRows) { // all were there
		err = nil
	}
	added := make(map[string]bool, len(ids))
	for _, id := range ids {
		added[id] = true
	}
	results := make([]*dataloader.Result[bool], len(deliveries))
	for i, delivery := range deliveries {
		results[i] = &dataloader.Result[bool]{Data: added[delivery.ID], Error: err}
	}
	return results
}

// ClaimDeliveries implements service.InboxStore. A claimed delivery is due again at until, so that one whose
// holder died is tried again. Attempts stays as it is: the one who tries counts.
func (s *Store) ClaimDeliveries(ctx context.Context, now, until time.Time, limit int) ([]*service.Delivery, error) {
	var claimed []*service.Delivery
	err := s.write(ctx, "claim deliveries", "", func(ctx context.Context) error {
		db := s.writing(ctx)
		var ids []string
		due := db.NewSelect().Model((*deliveryRow)(nil)).Column("id").
			Where("entry.state = ?", service.DeliveryReceived).Where("entry.next_try_at <= ?", micros(now)).
			Order("entry.received_at", "entry.id").Limit(int64(limit))
		if err := s.claiming(due).Scan(ctx, &ids); err != nil || len(ids) == 0 {
			return err
		}
		var rows []deliveryRow
		err := db.NewUpdate().Model(&rows).Set("next_try_at = ?", micros(until)).
			Where("entry.id IN (?)", bun.List(ids)).Returning("*").Scan(ctx)
		if err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b deliveryRow) int {
			return cmp.Or(cmp.Compare(a.ReceivedAt, b.ReceivedAt), cmp.Compare(a.ID, b.ID))
		})
		for i := range rows {
			delivery, err := s.toDelivery(&rows[i])
			if err != nil {
				return err
			}
			claimed = append(claimed, delivery)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// SettleDelivery implements service.InboxStore.
func (s *Store) SettleDelivery(ctx context.Context, delivery *service.Delivery, claim time.Time) error {
	return s.changeDelivery(ctx, delivery, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("state = ?", service.DeliveryReceived).Where("next_try_at = ?", micros(claim))
	})
}

// SettleHeld implements service.InboxStore.
func (s *Store) SettleHeld(ctx context.Context, delivery *service.Delivery) error {
	return s.changeDelivery(ctx, delivery, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("state = ?", service.DeliveryHeld)
	})
}

// changeDelivery changes what became of a delivery, and not what was received, while it is as it has to be.
func (s *Store) changeDelivery(ctx context.Context, delivery *service.Delivery, while func(*bun.UpdateQuery) *bun.UpdateQuery) error {
	row := s.fromDelivery(delivery)
	return s.join(ctx, "update delivery", "", func(ctx context.Context) error {
		result, err := while(s.writing(ctx).NewUpdate().Model(row).
			Column("state", "attempts", "next_try_at", "last_error", "awaits", "updated_at").WherePK()).Exec(ctx)
		if err != nil {
			return err
		}
		updated, err := result.RowsAffected()
		if err == nil && updated == 0 {
			return service.ErrLeaseLost
		}
		return err
	})
}

// HeldDeliveries implements service.InboxStore. The state stands in the text, so that the partial index is used.
func (s *Store) HeldDeliveries(ctx context.Context, provider lending.Provider, loanExternalID string) ([]*service.Delivery, error) {
	l := listing[deliveryRow, *service.Delivery]{what: "delivery", to: s.toDelivery}
	return gather(ctx, s, l, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entry.provider = ?", provider).Where("entry.awaits = ?", loanExternalID).
			Where("entry.state = ?", service.DeliveryHeld).Order("entry.received_at", "entry.id")
	})
}

// NewestDeliveries implements service.InboxStore. Each provider is asked for by itself, which takes one step in the
// index, and would be a walk through all of it together.
func (s *Store) NewestDeliveries(ctx context.Context) (map[lending.Provider]time.Time, error) {
	db := s.reading(ctx)
	var each *bun.SelectQuery
	for _, name := range lending.Providers() {
		one := db.NewSelect().Model((*deliveryRow)(nil)).ColumnExpr("? AS provider", name).
			ColumnExpr("MAX(entry.received_at) AS newest").Where("entry.provider = ?", name)
		if each == nil {
			each = one
		} else {
			each = each.UnionAll(one)
		}
	}
	var rows []struct {
		Provider lending.Provider
		Newest   *int64
	}
	if err := each.Scan(ctx, &rows); err != nil {
		return nil, failure("find newest deliveries", err)
	}
	newest := map[lending.Provider]time.Time{}
	for _, r := range rows {
		if r.Newest != nil {
			newest[r.Provider] = moment(*r.Newest)
		}
	}
	return newest, nil
}
