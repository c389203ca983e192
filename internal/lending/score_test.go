package lending_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestBandsBeginWhereTheySay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]lending.ScoreBand{
		"1.0000": lending.BandExcellent, "0.8000": lending.BandExcellent, "0.8": lending.BandExcellent,
		"0.7999": lending.BandGood, "0.6500": lending.BandGood, "0.6499": lending.BandFair, "0.5": lending.BandFair,
		"0.4999": lending.BandPoor, "0.3500": lending.BandPoor, "0.3499": lending.BandVeryPoor, "0": lending.BandVeryPoor,
	} {
		if got := lending.BandOf(lending.MustDecimal(text)); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestAScoreIsRated(t *testing.T) {
	t.Parallel()
	scale := &lending.ScoreScale{Min: lending.MustDecimal("300"), Max: lending.MustDecimal("850")}
	for _, test := range []struct {
		name, value, own string
		scale            *lending.ScoreScale
		normalized       string // "" for none
		band             lending.ScoreBand
	}{
		{"on its scale", "720", "", scale, "0.7636", lending.BandGood},
		{"the provider's own band wins", "720", " Very poor ", scale, "0.7636", lending.BandVeryPoor},
		{"in any spelling", "720", "very-POOR", scale, "0.7636", lending.BandVeryPoor},
		{"a band that nobody knows does not", "720", "A+", scale, "0.7636", lending.BandGood},
		{"off its scale", "900", "", scale, "", lending.BandUnknown},
		{"off its scale with a band", "900", "Good", scale, "", lending.BandGood},
		{"without a scale", "720", "", nil, "", lending.BandUnknown},
		{"UNKNOWN is no band", "720", "unknown", nil, "", lending.BandUnknown},
	} {
		old := lending.MustDecimal("0.1")
		s := &lending.CreditScore{Value: lending.MustDecimal(test.value), Scale: test.scale, ProviderBand: test.own, Normalized: &old, Band: lending.BandPoor}
		s.Rate()
		got := ""
		if s.Normalized != nil {
			got = s.Normalized.String()
		}
		if got != test.normalized || s.Band != test.band {
			t.Errorf("%s: %q, %s; want %q, %s", test.name, got, s.Band, test.normalized, test.band)
		}
	}
}

func TestTheBestScoreIsValidAndComparable(t *testing.T) {
	t.Parallel()
	score := func(id lending.ScoreID, normalized string, until time.Time) *lending.CreditScore {
		s := &lending.CreditScore{ID: id, ValidUntil: until}
		if normalized != "" {
			s.Normalized = new(lending.MustDecimal(normalized))
		}
		return s
	}
	for _, test := range []struct {
		name   string
		scores []*lending.CreditScore
		want   lending.ScoreID
	}{
		{"none", nil, ""},
		{"the highest", []*lending.CreditScore{score("low", "0.2", time.Time{}), score("high", "0.9", noon.Add(1)), score("middle", "0.5", time.Time{})}, "high"},
		{"not one that has run out", []*lending.CreditScore{score("old", "0.9", noon), score("valid", "0.1", time.Time{})}, "valid"},
		{"not one without a place", []*lending.CreditScore{score("odd", "", time.Time{}), score("valid", "0.1", time.Time{})}, "valid"},
		{"the first of equals", []*lending.CreditScore{score("first", "0.50", time.Time{}), score("second", "0.5", time.Time{})}, "first"},
		{"none that will do", []*lending.CreditScore{score("old", "0.9", noon.Add(-1)), score("odd", "", time.Time{})}, ""},
	} {
		var got lending.ScoreID
		if best := (&lending.CreditSummary{AsOf: noon, Scores: test.scores}).BestScore(); best != nil {
			got = best.ID
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAReportInAFewFigures(t *testing.T) {
	t.Parallel()
	ngn := func(text string) *lending.Money { return new(lending.MustMoney(text, lending.NGN)) }
	usd := func(text string) *lending.Money { return new(lending.MustMoney(text, "USD")) }
	report := func(total *lending.ProductEnquiries, rows ...lending.ProductFacilities) *lending.CreditReport {
		return &lending.CreditReport{ID: "r", ReceivedAt: noon, Content: &lending.ReportContent{
			ReportNumber: "N1", OrderedOn: day("2026-04-30"), TotalEnquiries: total, FacilitiesByProduct: rows,
		}}
	}
	summary := func(change func(*lending.BureauSummary)) *lending.BureauSummary {
		s := &lending.BureauSummary{ReportID: "r", ReportNumber: "N1", OrderedOn: day("2026-04-30"), ReceivedAt: noon}
		change(s)
		return s
	}
	for _, test := range []struct {
		name   string
		report *lending.CreditReport
		want   *lending.BureauSummary
	}{
		{"no report", nil, nil},
		{"no content", &lending.CreditReport{ID: "r"}, nil},
		{"nothing told", report(nil), summary(func(*lending.BureauSummary) {})},
		{"sums of one currency", report(&lending.ProductEnquiries{Total: new(7)},
			lending.ProductFacilities{Currency: lending.NGN, AccountCount: new(2), Outstanding: ngn("100"), Overdue: ngn("1")},
			lending.ProductFacilities{Currency: lending.NGN, AccountCount: new(3), Outstanding: ngn("0.50")},
		), summary(func(s *lending.BureauSummary) {
			s.OpenFacilities, s.EnquiriesLast12Months = new(5), new(7)
			s.TotalOutstanding, s.AmountOverdue = ngn("100.50"), ngn("1")
		})},
		{"the currency of most facilities", report(nil,
			lending.ProductFacilities{Currency: "USD", AccountCount: new(2), Outstanding: usd("5")},
			lending.ProductFacilities{Currency: lending.NGN, AccountCount: new(3), Outstanding: ngn("100")},
		), summary(func(s *lending.BureauSummary) { s.OpenFacilities, s.TotalOutstanding = new(5), ngn("100") })},
		{"the first of equals", report(nil,
			lending.ProductFacilities{Currency: "USD", Outstanding: usd("5")},
			lending.ProductFacilities{Currency: lending.NGN, Outstanding: ngn("100")},
		), summary(func(s *lending.BureauSummary) { s.TotalOutstanding = usd("5") })},
		{"a sum that does not fit stays what it was", report(nil,
			lending.ProductFacilities{Currency: lending.NGN, Outstanding: ngn("92233720368547758.07")},
			lending.ProductFacilities{Currency: lending.NGN, Outstanding: ngn("0.01")},
		), summary(func(s *lending.BureauSummary) { s.TotalOutstanding = ngn("92233720368547758.07") })},
		{"zero is told", report(&lending.ProductEnquiries{Total: new(0)},
			lending.ProductFacilities{Currency: lending.NGN, AccountCount: new(0), Overdue: ngn("0")},
		), summary(func(s *lending.BureauSummary) {
			s.OpenFacilities, s.EnquiriesLast12Months, s.AmountOverdue = new(0), new(0), ngn("0")
		})},
	} {
		if diff := cmp.Diff(test.want, test.report.Summarize(), exact); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAFetchedValue(t *testing.T) {
	t.Parallel()
	for status, want := range map[lending.SourceStatus]bool{
		lending.SourceFresh: true, lending.SourceCached: true, lending.SourceStale: true, lending.SourcePending: false,
		lending.SourceNone: false, lending.SourceNotLinked: false, lending.SourceUnavailable: false, "": false,
	} {
		if got := (lending.Fetched[int]{Status: status}).Has(); got != want {
			t.Errorf("%q has a value: %t", status, got)
		}
	}
}
