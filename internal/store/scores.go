package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

type scoreRow struct {
	bun.BaseModel `bun:"table:credit_scores,alias:entry"`

	ID                       lending.ScoreID    `bun:",pk"`
	CustomerID               lending.CustomerID `bun:",nullzero"`
	Provider                 lending.Provider
	ExternalID               string
	Value                    string
	ScaleMin                 string // "" where there is no scale
	ScaleMax                 string
	ScaleAssumed             bool
	Normalized               string
	Band                     lending.ScoreBand
	ProviderBand             string
	RiskCategory             lending.RiskCategory
	ProviderRisk             string
	ProbabilityOfDefault     string
	Confidence               string
	RecommendedLimitCurrency lending.Currency
	RecommendedLimitMinor    *int64
	RecommendedTenureDays    int
	Factors                  string
	ScoredAt                 int64
	ValidUntil               int64
}

func (s *Store) scoreListing() listing[scoreRow, *lending.CreditScore] {
	return listing[scoreRow, *lending.CreditScore]{
		what: "credit score",
		order: order[scoreRow]{
			name: "scores", key: "scored_at", descending: true,
			place: func(r *scoreRow) place { return place{r.ScoredAt, string(r.ID)} },
		},
		to: s.toScore,
	}
}

func (s *Store) fromScore(c *lending.CreditScore) (*scoreRow, error) {
	e := encoder{vault: s.vault}
	row := &scoreRow{
		ID: c.ID, CustomerID: c.CustomerID, Provider: c.Provider, ExternalID: c.ExternalID,
		Value: c.Value.String(), Normalized: decimalText(c.Normalized), Band: c.Band, ProviderBand: c.ProviderBand,
		RiskCategory: c.RiskCategory, ProviderRisk: c.ProviderRisk,
		ProbabilityOfDefault: decimalText(c.ProbabilityOfDefault), Confidence: decimalText(c.Confidence),
		RecommendedLimitMinor: minorOf(c.RecommendedLimit), RecommendedTenureDays: c.RecommendedTenureDays,
		Factors: e.json(c.Factors), ScoredAt: micros(c.ScoredAt), ValidUntil: micros(c.ValidUntil),
	}
	if c.RecommendedLimit != nil {
		row.RecommendedLimitCurrency = c.RecommendedLimit.Currency()
	}
	if c.Scale != nil {
		row.ScaleMin, row.ScaleMax, row.ScaleAssumed = c.Scale.Min.String(), c.Scale.Max.String(), c.Scale.Assumed
	}
	return row, e.err
}

func (s *Store) toScore(r *scoreRow) (*lending.CreditScore, error) {
	d := decoder{vault: s.vault}
	c := &lending.CreditScore{
		ID: r.ID, CustomerID: r.CustomerID, Provider: r.Provider, ExternalID: r.ExternalID,
		Normalized: d.decimal(r.Normalized), Band: r.Band, ProviderBand: r.ProviderBand,
		RiskCategory: r.RiskCategory, ProviderRisk: r.ProviderRisk,
		ProbabilityOfDefault: d.decimal(r.ProbabilityOfDefault), Confidence: d.decimal(r.Confidence),
		RecommendedLimit:      moneyOf(r.RecommendedLimitMinor, r.RecommendedLimitCurrency),
		RecommendedTenureDays: r.RecommendedTenureDays,
		ScoredAt:              moment(r.ScoredAt), ValidUntil: moment(r.ValidUntil),
	}
	if value := d.decimal(r.Value); value != nil {
		c.Value = *value
	}
	if low, high := d.decimal(r.ScaleMin), d.decimal(r.ScaleMax); low != nil && high != nil {
		c.Scale = &lending.ScoreScale{Min: *low, Max: *high, Assumed: r.ScaleAssumed}
	}
	d.json(r.Factors, &c.Factors)
	return c, d.err
}

// Scores implements service.ScoreStore.
func (s *Store) Scores(ctx context.Context, ids []lending.ScoreID) (map[lending.ScoreID]*lending.CreditScore, error) {
	return byIDs(ctx, s, s.scoreListing(), ids, func(r *scoreRow) lending.ScoreID { return r.ID })
}

// LatestScores implements service.ScoreStore. A customer's scores are newest first.
func (s *Store) LatestScores(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]*lending.CreditScore, error) {
	l := s.scoreListing()
	l.from = func(q *bun.SelectQuery) *bun.SelectQuery {
		ranked := s.writer.NewSelect().Model((*scoreRow)(nil)).ColumnExpr("entry.*").
			ColumnExpr("ROW_NUMBER() OVER (PARTITION BY entry.customer_id, entry.provider ORDER BY ?) AS place",
				bun.Safe(l.order.sorting(false))).
			Where("entry.customer_id IN (?)", bun.List(customers))
		return q.ModelTableExpr("(?) AS entry", ranked).Where("entry.place = 1")
	}
	return latest(ctx, s, l, customers, func(c *lending.CreditScore) lending.CustomerID { return c.CustomerID })
}

// latest groups what a listing reads by customer, in the listing's order.
func latest[R, T any](ctx context.Context, s *Store, l listing[R, T], customers []lending.CustomerID, owner func(T) lending.CustomerID) (map[lending.CustomerID][]T, error) {
	groups := make(map[lending.CustomerID][]T, len(customers))
	if len(customers) == 0 {
		return groups, nil
	}
	found, err := gather(ctx, s, l, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.OrderExpr(l.order.sorting(false))
	})
	for _, value := range found {
		groups[owner(value)] = append(groups[owner(value)], value)
	}
	return groups, err
}

// ScoresOf implements service.ScoreStore.
func (s *Store) ScoresOf(ctx context.Context, customers []lending.CustomerID, page lending.PageRequest) (map[lending.CustomerID]lending.Page[*lending.CreditScore], error) {
	return listOf(ctx, s, s.scoreListing(), customers, "customer_id",
		func(r *scoreRow) lending.CustomerID { return r.CustomerID }, page)
}

// SaveScore implements service.ScoreStore. NOT_FOUND when there is no such customer.
func (s *Store) SaveScore(ctx context.Context, score *lending.CreditScore) error {
	row, err := s.fromScore(score)
	if err != nil {
		return failure("save credit score", err)
	}
	return s.write(ctx, "save credit score", "Another credit score has this provider's id.", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").Returning("NULL").Exec(ctx)
		return err
	})
}
