package storetest

import (
	"github.com/creditgraph/creditgraph/internal/lending"
)

func scoreChecks() []check {
	return []check{
		{"a score comes back as it was saved", scoreRoundTrip},
		{"the id of a score is taken once", scoreConflict},
		{"the latest scores are one for each provider", latestScores},
	}
}

func (b *bench) savedScore(customer lending.CustomerID, provider lending.Provider, minutes int) *lending.CreditScore {
	b.Helper()
	score := &lending.CreditScore{
		ID: lending.ScoreID(b.id("score")), CustomerID: customer, Provider: provider,
		Value: lending.MustDecimal("720"), Band: lending.BandUnknown, ScoredAt: at(minutes),
	}
	b.must(b.store.SaveScore(b.ctx, score))
	return score
}

func scoreRoundTrip(b *bench) {
	customer := b.customer()
	full := &lending.CreditScore{
		ID: "full", CustomerID: customer, Provider: lending.Kredete, ExternalID: "x", Value: lending.MustDecimal("720.50"),
		Scale:        &lending.ScoreScale{Min: lending.MustDecimal("300"), Max: lending.MustDecimal("850"), Assumed: true},
		Normalized:   new(lending.MustDecimal("0.7645")),
		ProviderBand: "Good", RiskCategory: lending.RiskLow, ProviderRisk: "low", Band: lending.BandGood,
		ProbabilityOfDefault: new(lending.MustDecimal("0.000000000000000001")), Confidence: new(lending.MustDecimal("1.0")),
		RecommendedLimit: new(rupees("500000")), RecommendedTenureDays: 180,
		Factors:  []lending.ScoreFactor{{Factor: "history", Impact: lending.ImpactPositive, Description: "\"long\""}},
		ScoredAt: at(1), ValidUntil: at(2),
	}
	bare := &lending.CreditScore{ID: "bare", CustomerID: customer, Provider: lending.Kredete, ScoredAt: at(3)}
	want := map[lending.ScoreID]*lending.CreditScore{"full": full, "bare": bare}
	for _, s := range want {
		b.must(b.store.SaveScore(b.ctx, s))
	}
	found, err := b.store.Scores(b.ctx, []lending.ScoreID{"full", "bare", "none"})
	b.must(err)
	same(b, "scores", found, want)
	full.Scale, full.RecommendedLimit, full.Band = nil, nil, lending.BandPoor
	b.must(b.store.SaveScore(b.ctx, full))
	found, err = b.store.Scores(b.ctx, []lending.ScoreID{"full", "bare"})
	b.must(err)
	same(b, "scores after a change", found, want)
}

func scoreConflict(b *bench) {
	one, two := b.savedScore(b.customer(), lending.Kredete, 1), b.savedScore(b.customer(), lending.Kredete, 2)
	one.ExternalID, two.ExternalID = "x", "x"
	b.must(b.store.SaveScore(b.ctx, one))
	b.wantKind(b.store.SaveScore(b.ctx, two), lending.KindConflict)
	two.Provider = lending.OnePipe
	b.must(b.store.SaveScore(b.ctx, two))
}

func latestScores(b *bench) {
	ada, obi := b.customer(), b.customer()
	b.savedScore(ada, lending.Kredete, 1)
	kredete := b.savedScore(ada, lending.Kredete, 3)
	b.savedScore(ada, lending.Carbon, 2)
	carbon := b.savedScore(ada, lending.Carbon, 2) // as old: the later id
	theirs := b.savedScore(obi, lending.Kredete, 0)
	latest, err := b.store.LatestScores(b.ctx, []lending.CustomerID{ada, obi, "nobody"})
	b.must(err)
	same(b, "latest scores", latest, map[lending.CustomerID][]*lending.CreditScore{ada: {kredete, carbon}, obi: {theirs}})
	pages, err := b.store.ScoresOf(b.ctx, []lending.CustomerID{ada, obi}, first(1))
	b.must(err)
	same(b, "first page", nodes(pages[ada]), []*lending.CreditScore{kredete})
	latest, err = b.store.LatestScores(b.ctx, nil)
	b.must(err)
	same(b, "latest scores of nobody", len(latest), 0)
}

func reportChecks() []check {
	return []check{
		{"a report comes back as it was saved", reportRoundTrip},
		{"a report is found by the bureau's id, which is taken once", reportByExternalID},
		{"the latest report comes with the latest one that is ready", latestReports},
		{"reports that are waited for come oldest first", waitingReports},
	}
}

func (b *bench) savedReport(customer lending.CustomerID, status lending.ReportStatus, minutes int) *lending.CreditReport {
	b.Helper()
	report := &lending.CreditReport{
		ID: lending.ReportID(b.id("report")), CustomerID: customer, Provider: lending.TrustDecision, Status: status, OrderedAt: at(minutes),
	}
	b.must(b.store.SaveReport(b.ctx, report))
	return report
}

func reportRoundTrip(b *bench) {
	customer := b.customer()
	full := &lending.CreditReport{
		ID: "full", CustomerID: customer, Provider: lending.TrustDecision, ExternalID: "seq-1", Status: lending.ReportReady,
		OrderedAt: at(1), ReceivedAt: at(2), Conflict: true,
		Content: &lending.ReportContent{
			ReportNumber: "R-1", OrderedOn: lending.NewDate(2026, 3, 31), BVN: "22212345678",
			SearchConfidence: new(lending.MustDecimal("0.98")),
			Subject: lending.ReportSubject{
				Name: "Ngọzi", Identification: []lending.Identification{{Type: lending.BVN, Number: "22212345678"}},
			},
			FacilitiesByProduct: []lending.ProductFacilities{{
				ProductType: "Loan", Currency: lending.NGN, AccountCount: new(0), Outstanding: new(naira("90071992547409.93")),
			}},
			Warnings: []string{"a field"},
		},
	}
	failed := &lending.CreditReport{
		ID: "failed", CustomerID: customer, Provider: lending.TrustDecision, Status: lending.ReportFailed, OrderedAt: at(3),
		Failure: &lending.Failure{Kind: lending.KindUpstreamRejected, Message: "No.", Retryable: true, ProviderCode: "E1"},
	}
	want := map[lending.ReportID]*lending.CreditReport{"full": full, "failed": failed}
	for _, r := range want {
		b.must(b.store.SaveReport(b.ctx, r))
	}
	found, err := b.store.Reports(b.ctx, []lending.ReportID{"full", "failed", "none"})
	b.must(err)
	same(b, "reports", found, want)
	full.Content, full.Status = nil, lending.ReportExpired
	b.must(b.store.SaveReport(b.ctx, full))
	found, err = b.store.Reports(b.ctx, []lending.ReportID{"full", "failed"})
	b.must(err)
	same(b, "reports after a change", found, want)
}

func reportByExternalID(b *bench) {
	one, two := b.savedReport(b.customer(), lending.ReportOrdered, 1), b.savedReport(b.customer(), lending.ReportOrdered, 2)
	one.ExternalID, two.ExternalID = "x", "x"
	b.must(b.store.SaveReport(b.ctx, one))
	b.wantKind(b.store.SaveReport(b.ctx, two), lending.KindConflict)
	found, err := b.store.ReportByExternalID(b.ctx, lending.TrustDecision, "x")
	b.must(err)
	same(b, "report", found, one)
	for _, id := range []string{"", "y"} {
		_, err = b.store.ReportByExternalID(b.ctx, lending.TrustDecision, id)
		b.wantKind(err, lending.KindNotFound)
	}
}

func latestReports(b *bench) {
	waiting, settled, never := b.customer(), b.customer(), b.customer()
	b.savedReport(waiting, lending.ReportReady, 1)
	ready := b.savedReport(waiting, lending.ReportReady, 2)
	b.savedReport(waiting, lending.ReportFailed, 3)
	ordered := b.savedReport(waiting, lending.ReportOrdered, 4)
	b.savedReport(settled, lending.ReportOrdered, 1)
	b.savedReport(settled, lending.ReportReady, 2)
	newest := b.savedReport(settled, lending.ReportReady, 3)
	failed := b.savedReport(never, lending.ReportFailed, 1)
	latest, err := b.store.LatestReports(b.ctx, []lending.CustomerID{waiting, settled, never, "nobody"})
	b.must(err)
	same(b, "latest reports", latest, map[lending.CustomerID][]*lending.CreditReport{
		waiting: {ordered, ready}, settled: {newest}, never: {failed},
	})
	pages, err := b.store.ReportsOf(b.ctx, []lending.CustomerID{waiting}, lending.PageRequest{Last: 1})
	b.must(err)
	same(b, "oldest report's status", pages[waiting].Edges[0].Node.OrderedAt, at(1))
}

func waitingReports(b *bench) {
	customer := b.customer()
	known := func(status lending.ReportStatus, minutes int) *lending.CreditReport {
		report := b.savedReport(customer, status, minutes)
		report.ExternalID = "seq-" + string(report.ID)
		b.must(b.store.SaveReport(b.ctx, report))
		return report
	}
	third := known(lending.ReportOrdered, 3)
	first := known(lending.ReportOutcomeUnknown, 1)
	second := known(lending.ReportOrdered, 2)
	known(lending.ReportReady, 0)
	known(lending.ReportOrdered, 9)
	b.savedReport(customer, lending.ReportOutcomeUnknown, 1) // there is nothing to ask for it by
	got, err := b.store.WaitingReports(b.ctx, lending.TrustDecision, at(9), nil, 10)
	b.must(err)
	same(b, "waiting", got, []*lending.CreditReport{first, second, third})
	got, err = b.store.WaitingReports(b.ctx, lending.TrustDecision, at(9), nil, 2)
	b.must(err)
	same(b, "two of them", got, []*lending.CreditReport{first, second})
	fourth := known(lending.ReportOrdered, 3) // ordered at the same time as the third
	got, err = b.store.WaitingReports(b.ctx, lending.TrustDecision, at(9), second, 10)
	b.must(err)
	same(b, "those behind the second", got, []*lending.CreditReport{third, fourth})
	got, err = b.store.WaitingReports(b.ctx, lending.TrustDecision, at(9), third, 10)
	b.must(err)
	same(b, "the one behind the third", got, []*lending.CreditReport{fourth})
	got, err = b.store.WaitingReports(b.ctx, lending.Carbon, at(9), nil, 10)
	b.must(err)
	same(b, "of another provider", len(got), 0)
}
