package lending

import "time"

// ScoreBand is a coarse class of creditworthiness, comparable over providers.
type ScoreBand string

// The score bands.
const (
	BandExcellent ScoreBand = "EXCELLENT"
	BandGood      ScoreBand = "GOOD"
	BandFair      ScoreBand = "FAIR"
	BandPoor      ScoreBand = "POOR"
	BandVeryPoor  ScoreBand = "VERY_POOR"
	BandUnknown   ScoreBand = "UNKNOWN"
)

// Valid reports whether b is a known band.
func (b ScoreBand) Valid() bool {
	switch b {
	case BandExcellent, BandGood, BandFair, BandPoor, BandVeryPoor:
		return true
	}
	return false
}

// BandOf is the band of a normalised score: 0.80 and above EXCELLENT, 0.65 GOOD, 0.50 FAIR, 0.35 POOR,
// else VERY_POOR. A provider's own band goes before it.
func BandOf(normalized Decimal) ScoreBand {
	for _, step := range []struct {
		from Decimal
		band ScoreBand
	}{
		{NewDecimal(80, 2), BandExcellent},
		{NewDecimal(65, 2), BandGood},
		{NewDecimal(50, 2), BandFair},
		{NewDecimal(35, 2), BandPoor},
	} {
		if normalized.Cmp(step.from) >= 0 {
			return step.band
		}
	}
	return BandVeryPoor
}

// RiskCategory is a provider's class of risk.
type RiskCategory string

// The risk categories.
const (
	RiskLow     RiskCategory = "LOW"
	RiskMedium  RiskCategory = "MEDIUM"
	RiskHigh    RiskCategory = "HIGH"
	RiskUnknown RiskCategory = "UNKNOWN"
)

// Valid reports whether r is a known category.
func (r RiskCategory) Valid() bool { return r == RiskLow || r == RiskMedium || r == RiskHigh }

// Impact is which way a factor moves a score.
type Impact string

// The impacts.
const (
	ImpactPositive Impact = "POSITIVE"
	ImpactNeutral  Impact = "NEUTRAL"
	ImpactNegative Impact = "NEGATIVE"
	ImpactUnknown  Impact = "UNKNOWN"
)

// Valid reports whether i is a known impact.
func (i Impact) Valid() bool { return i == ImpactPositive || i == ImpactNeutral || i == ImpactNegative }

// ScoreFactor is one reason for a score.
type ScoreFactor struct {
	Factor      string `json:"factor"`
	Impact      Impact `json:"impact"`
	Description string `json:"description"`
}

// ScoreScale is what a provider's scores run from and to. Assumed says that the provider does not
// publish it and that it comes from our settings.
type ScoreScale struct {
	Min     Decimal `json:"min"`
	Max     Decimal `json:"max"`
	Assumed bool    `json:"assumed"`
}

// CreditScore is one score that a provider gave a customer at one time.
type CreditScore struct {
	ID         ScoreID
	CustomerID CustomerID
	Provider   Provider
	ExternalID string
	Value      Decimal // on the provider's own scale
	Scale      *ScoreScale
	// Normalized is Value's place on Scale from 0 to 1, four decimals; nil where there is none.
	Normalized            *Decimal
	Band                  ScoreBand
	ProviderBand          string
	RiskCategory          RiskCategory
	ProviderRisk          string
	ProbabilityOfDefault  *Decimal // 0 to 1
	Confidence            *Decimal // 0 to 1, how sure the provider is
	RecommendedLimit      *Money
	RecommendedTenureDays int // 0 where not told
	Factors               []ScoreFactor
	ScoredAt              time.Time
	ValidUntil            time.Time // zero where the provider names no end
}

// Rate fills Normalized and Band from Value, Scale and ProviderBand: the provider's own band wins where
// it is one that we know.
func (s *CreditScore) Rate() {
	s.Normalized, s.Band = nil, BandUnknown
	if s.Scale != nil {
		if n, ok := s.Value.Within(s.Scale.Min, s.Scale.Max); ok {
			s.Normalized, s.Band = &n, BandOf(n)
		}
	}
	if own := ScoreBand(upperSnake(s.ProviderBand)); own.Valid() {
		s.Band = own
	}
}

// ValidAt reports whether the score may still be relied on.
func (s *CreditScore) ValidAt(now time.Time) bool {
	return s.ValidUntil.IsZero() || now.Before(s.ValidUntil)
}
