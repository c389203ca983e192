package kredete

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// newScoreBody is the request of seed 000, Request Credit Score.
type newScoreBody struct {
	CustomerID     string      `json:"customer_id"`
	ScoreType      string      `json:"score_type"`
	DataSources    []string    `json:"data_sources"`
	LoanAmount     json.Number `json:"loan_amount,omitempty"`
	LoanTenureDays int         `json:"loan_tenure_days,omitempty"`
}

var scoreFields = map[string]string{
	"customer_id": "customerId", "loan_amount": "loanAmount", "loan_tenure_days": "tenure",
}

// scoreBody is the answer of seed 000, Request Credit Score.
type scoreBody struct {
	ID                   wire.Text             `json:"id"`
	CustomerID           wire.Text             `json:"customer_id"`
	Score                wire.Number           `json:"score"`
	ScoreBand            wire.Text             `json:"score_band"`
	RiskCategory         wire.Text             `json:"risk_category"`
	ProbabilityOfDefault wire.Number           `json:"probability_of_default"`
	RecommendedLimit     wire.Number           `json:"recommended_limit"`
	RecommendedTenureMax wire.Count            `json:"recommended_tenure_max"` // days
	Currency             wire.Text             `json:"currency"`
	Factors              wire.List[factorBody] `json:"factors"`
	ValidUntil           wire.Text             `json:"valid_until"`
	CreatedAt            wire.Text             `json:"created_at"`
}

type factorBody struct {
	Factor      wire.Text `json:"factor"`
	Impact      wire.Text `json:"impact"`
	Description wire.Text `json:"description"`
}

var errNoScore = errors.New("an answer without a score")

// RequestScore orders a score from all three sources (POST /scoring/score). It may be billed, so a lost
// answer is not asked for again by itself.
func (c *client) RequestScore(ctx context.Context, r provider.ScoreRequest) (provider.ScoreResult, error) {
	request := newScoreBody{
		CustomerID: r.CustomerExternalID, ScoreType: "full", DataSources: []string{"bureau", "internal", "alternative"},
	}
	currency := lending.NGN
	if r.LoanAmount != nil {
		request.LoanAmount, currency = c.literal(*r.LoanAmount), r.LoanAmount.Currency()
	}
	if r.Tenure != nil {
		request.LoanTenureDays = tenureDays(*r.Tenure)
	}
	body, err := c.do(ctx, call{
		class: provider.Write, method: http.MethodPost, path: "/scoring/score", body: request, fields: scoreFields,
	})
	if err != nil {
		return provider.ScoreResult{}, err
	}
	b, err := entity[scoreBody](body, "score")
	if err == nil && b.CustomerID != "" && b.CustomerID.String() != r.CustomerExternalID {
		err = errOtherEntity
	}
	if err != nil {
		return provider.ScoreResult{}, garbled(provider.Write, "score", err)
	}
	score, err := c.score(b, currency)
	if err != nil {
		return provider.ScoreResult{}, garbled(provider.Write, "score", err)
	}
	return provider.ScoreResult{State: provider.ScoreCompleted, Score: score}, nil
}

// score puts a score into our words. Only the value has to be readable.
func (c *client) score(b scoreBody, fallback lending.Currency) (*lending.CreditScore, error) {
	value, ok := b.Score.Decimal()
	if !ok {
		return nil, errNoScore
	}
	currency, err := currencyOf(b.Currency, fallback)
	if err != nil {
		return nil, err
	}
	scale := c.scale
	score := &lending.CreditScore{
		Provider: lending.Kredete, ExternalID: b.ID.String(), Value: *value, Scale: &scale,
		ProviderBand:          b.ScoreBand.String(),
		RiskCategory:          lookup(c.odd, "risk category", riskWords, lending.RiskUnknown, b.RiskCategory),
		ProviderRisk:          b.RiskCategory.String(),
		ProbabilityOfDefault:  c.probability(b.ProbabilityOfDefault),
		RecommendedLimit:      c.figure("recommended_limit", b.RecommendedLimit, currency),
		RecommendedTenureDays: b.RecommendedTenureMax.Or(0),
		Factors:               c.factors(b.Factors.Items),
		ScoredAt:              wire.Timestamp(b.CreatedAt), ValidUntil: wire.Timestamp(b.ValidUntil),
	}
	if score.ScoredAt.IsZero() {
		score.ScoredAt = c.clock().UTC()
	}
	score.Rate()
	return score, nil
}

// probability is a fraction from 0 to 1; nil for anything else.
func (c *client) probability(n wire.Number) *lending.Decimal {
	p, ok := n.Decimal()
	if !ok || p.Sign() < 0 || p.Cmp(lending.NewDecimal(1, 0)) > 0 {
		if n.IsSet() || n.Malformed() {
			c.log.Warn("Kredete told a probability that is none", "field", "probability_of_default")
		}
		return nil
	}
	return p
}

func (c *client) factors(list []factorBody) []lending.ScoreFactor {
	var factors []lending.ScoreFactor
	for _, f := range list {
		factors = append(factors, lending.ScoreFactor{
			Factor: f.Factor.String(), Description: f.Description.String(),
			Impact: lookup(c.odd, "impact", impactWords, lending.ImpactUnknown, f.Impact),
		})
	}
	return factors
}
