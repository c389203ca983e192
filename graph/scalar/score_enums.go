package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var scoreBands = enum[lending.ScoreBand]{name: "ScoreBand", values: []lending.ScoreBand{
	lending.BandExcellent, lending.BandGood, lending.BandFair, lending.BandPoor, lending.BandVeryPoor,
	lending.BandUnknown,
}}

// MarshalScoreBand writes the enum ScoreBand.
func MarshalScoreBand(v lending.ScoreBand) graphql.Marshaler { return scoreBands.marshal(v) }

// UnmarshalScoreBand reads the enum ScoreBand.
func UnmarshalScoreBand(v any) (lending.ScoreBand, error) { return scoreBands.unmarshal(v) }

var riskCategories = enum[lending.RiskCategory]{name: "RiskCategory", values: []lending.RiskCategory{
	lending.RiskLow, lending.RiskMedium, lending.RiskHigh, lending.RiskUnknown,
}}

// MarshalRiskCategory writes the enum RiskCategory.
func MarshalRiskCategory(v lending.RiskCategory) graphql.Marshaler { return riskCategories.marshal(v) }

// UnmarshalRiskCategory reads the enum RiskCategory.
func UnmarshalRiskCategory(v any) (lending.RiskCategory, error) { return riskCategories.unmarshal(v) }

var impacts = enum[lending.Impact]{name: "Impact", values: []lending.Impact{
	lending.ImpactPositive, lending.ImpactNeutral, lending.ImpactNegative, lending.ImpactUnknown,
}}

// MarshalImpact writes the enum Impact.
func MarshalImpact(v lending.Impact) graphql.Marshaler { return impacts.marshal(v) }

// UnmarshalImpact reads the enum Impact.
func UnmarshalImpact(v any) (lending.Impact, error) { return impacts.unmarshal(v) }

var creditReportStatuses = enum[lending.ReportStatus]{name: "CreditReportStatus", values: []lending.ReportStatus{
	lending.ReportOrdered, lending.ReportOutcomeUnknown, lending.ReportReady, lending.ReportNoRecord,
	lending.ReportExpired, lending.ReportFailed, lending.ReportUnknown,
}}

// MarshalCreditReportStatus writes the enum CreditReportStatus.
func MarshalCreditReportStatus(v lending.ReportStatus) graphql.Marshaler {
	return creditReportStatuses.marshal(v)
}

// UnmarshalCreditReportStatus reads the enum CreditReportStatus.
func UnmarshalCreditReportStatus(v any) (lending.ReportStatus, error) {
	return creditReportStatuses.unmarshal(v)
}
