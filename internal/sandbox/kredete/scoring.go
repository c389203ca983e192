package kredete

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// scoreValidity is how long a score may be relied on (seed 000, Request Credit Score, valid_until).
const scoreValidity = 7 * 24 * time.Hour

// unknownScore is the score of customers made through the API, of whom nothing is known.
const unknownScore = 560

type factor struct {
	Factor      string `json:"factor"`
	Impact      string `json:"impact"`
	Description string `json:"description"`
}

// wireScore is what the API tells of a score (seed 000, Request Credit Score, Response).
type wireScore struct {
	ID                   string      `json:"id"`
	CustomerID           string      `json:"customer_id"`
	Score                int         `json:"score"`
	ScoreBand            string      `json:"score_band"`
	RiskCategory         string      `json:"risk_category"`
	ProbabilityOfDefault json.Number `json:"probability_of_default"`
	RecommendedLimit     json.Number `json:"recommended_limit"`
	RecommendedTenureMax int         `json:"recommended_tenure_max"`
	Factors              []factor    `json:"factors"`
	ValidUntil           time.Time   `json:"valid_until"`
	CreatedAt            time.Time   `json:"created_at"`
}

// newScore is the body of Request Credit Score.
type newScore struct {
	CustomerID     string      `json:"customer_id"`
	ScoreType      string      `json:"score_type"`
	DataSources    []string    `json:"data_sources"`
	LoanAmount     json.Number `json:"loan_amount"`
	LoanTenureDays int         `json:"loan_tenure_days"`
}

func (n *newScore) check() checks {
	var c checks
	c.required("customer_id", n.CustomerID)
	c.required("score_type", n.ScoreType)
	asked, err := lending.ParseMoney(string(n.LoanAmount), lending.NGN)
	c.that(n.LoanAmount == "" || err == nil && asked.Sign() > 0, "loan_amount", "loan_amount must be an amount")
	c.that(n.LoanTenureDays >= 0, "loan_tenure_days", "loan_tenure_days must be positive")
	return c
}

func (t *Twin) score(w http.ResponseWriter, r *http.Request) {
	var asked newScore
	body, ok := t.read(w, r, &asked)
	if !ok {
		return
	}
	if problems := asked.check(); len(problems) > 0 {
		t.fail(w, http.StatusBadRequest, problems)
		return
	}
	t.mu.Lock()
	_, ok = t.customer(asked.CustomerID)
	t.mu.Unlock()
	if !ok {
		t.refuse(w, r, http.StatusNotFound)
		return
	}
	points := unknownScore
	if person, ok := t.world.ByKredeteID(asked.CustomerID); ok {
		points = person.KredeteScore
	}
	made := rate(points)
	made.ID, made.CustomerID = t.ids.Next("score_"), asked.CustomerID
	made.CreatedAt = t.now()
	made.ValidUntil = made.CreatedAt.Add(scoreValidity)
	t.core.Effects.Record(twin.Effect{
		Operation: "score.request", Key: asked.CustomerID, EntityID: made.ID, Fingerprint: twin.Fingerprint(body),
	})
	twin.WriteJSON(w, http.StatusOK, made)
}

// rate is what goes with a score: the example's 720 is good, low, 0.03, 750000 and 180.
func rate(points int) wireScore {
	s := wireScore{Score: points, RecommendedLimit: amount(max(minimumAmount, int64(points-420)*2500*naira))}
	for _, class := range []struct {
		from                   int
		band, risk, likelihood string
		tenure                 int
	}{
		{750, "excellent", "low", "0.01", 365},
		{650, "good", "low", "0.03", 180},
		{550, "fair", "medium", "0.12", 90},
		{450, "poor", "high", "0.28", 60},
		{0, "very_poor", "high", "0.45", 30},
	} {
		if points >= class.from {
			s.ScoreBand, s.RiskCategory, s.RecommendedTenureMax = class.band, class.risk, class.tenure
			s.ProbabilityOfDefault = json.Number(class.likelihood)
			break
		}
	}
	s.Factors = factorsOf(points)
	return s
}

func factorsOf(points int) []factor {
	history := factor{"payment_history", "positive", "Excellent payment history on previous loans"}
	switch {
	case points < 550:
		history = factor{"payment_history", "negative", "Late or missed payments on previous loans"}
	case points < 650:
		history = factor{"payment_history", "neutral", "Little payment history on previous loans"}
	}
	return []factor{history, {"credit_utilization", "neutral", "Moderate credit utilization"}}
}
