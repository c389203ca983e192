package service_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// summary is a customer's summary now.
func (b *bench) summary(id lending.CustomerID) *lending.CreditSummary {
	b.Helper()
	overviews, err := b.service.Overviews(b.ctx, []lending.CustomerID{id}, lending.Freshness{})
	b.must(err)
	return overviews[id].Summary
}

// sources are the statuses of a summary's sources by provider, and the kind of each failure.
func sources(s *lending.CreditSummary) map[lending.Provider]string {
	out := map[lending.Provider]string{}
	for _, source := range s.Sources {
		text := string(source.Status)
		if source.Failure != nil {
			text += " " + string(source.Failure.Kind)
		}
		if (source.Err == nil) != (source.Failure == nil) && source.Provider != lending.TrustDecision {
			text += " (an error without a failure, or the reverse)"
		}
		out[source.Provider] = text
	}
	return out
}

func (b *bench) score(customer lending.CustomerID, name lending.Provider, normalized string, at, until time.Time) lending.ScoreID {
	b.Helper()
	s := nine()
	s.ID, s.CustomerID, s.Provider, s.ScoredAt, s.ValidUntil = lending.ScoreID(b.id("score")), customer, name, at, until
	s.Normalized = nil
	if normalized != "" {
		s.Normalized = new(lending.MustDecimal(normalized))
	}
	b.must(b.store.SaveScore(b.ctx, s))
	return s.ID
}

func (b *bench) report(customer lending.CustomerID, status lending.ReportStatus, age time.Duration) {
	b.Helper()
	at := b.clock.Now().Add(-age)
	r := &lending.CreditReport{
		ID: lending.ReportID(b.id("report")), CustomerID: customer, Provider: lending.TrustDecision, Status: status, OrderedAt: at,
	}
	switch status {
	case lending.ReportReady:
		r.Content, r.ReceivedAt = hit("CIR-1").Content, at
	case lending.ReportNoRecord:
		r.ReceivedAt = at
	case lending.ReportFailed, lending.ReportExpired:
		r.Failure = &lending.Failure{Kind: lending.KindUpstreamRejected, Message: "no"}
	}
	b.must(b.store.SaveReport(b.ctx, r))
}

func TestASummaryOfNobodyKnownHasEmptyLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer()
	got := b.summary(customer)
	if got.Scores == nil || got.Exposure == nil || got.CreditLines == nil || len(got.Scores)+len(got.Exposure)+len(got.CreditLines) != 0 {
		t.Errorf("scores %v, exposure %v, lines %v", got.Scores, got.Exposure, got.CreditLines)
	}
	if got.Bureau != nil || got.BestScore() != nil || !got.AsOf.Equal(today()) {
		t.Errorf("bureau %v, best %v, as of %s", got.Bureau, got.BestScore(), got.AsOf)
	}
	var order []lending.Provider
	for _, s := range got.Sources {
		order = append(order, s.Provider)
		if s.Status != lending.SourceNotLinked || s.Failure != nil {
			t.Errorf("%s is %s: %v", s.Provider, s.Status, s.Failure)
		}
	}
	same(b, order, lending.Providers())
	suppliers, err := b.service.Suppliers(b.ctx, []lending.CustomerID{customer})
	b.must(err)
	if s := suppliers[customer]; s.Status != lending.SourceNotLinked || s.Err != nil {
		t.Errorf("suppliers: %+v", s)
	}
}

func TestWhereEachPartOfASummaryComesFrom(t *testing.T) {
	t.Parallel()
	fresh := func(at time.Time) lending.Fetched[lending.Profile] {
		return lending.Fetched[lending.Profile]{Status: lending.SourceCached, AsOf: at, Value: lending.Profile{FirstName: "Ada"}}
	}
	for name, test := range map[string]struct {
		given func(b *bench, customer lending.CustomerID)
		of    lending.Provider
		want  string
	}{
		"a profile fetched for this request": {func(b *bench, _ lending.CustomerID) { b.profiles.put("cust-1", fresh(today())) }, lending.Kredete, "FRESH"},
		"a profile from the cache":           {func(b *bench, _ lending.CustomerID) { b.profiles.put("cust-1", fresh(today().Add(-time.Second))) }, lending.Kredete, "CACHED"},
		"an old profile": {
			func(b *bench, _ lending.CustomerID) {
				stale := fresh(today().Add(-time.Hour))
				stale.Status, stale.Err = lending.SourceStale, at(lending.Kredete, errRefused)
				b.profiles.put("cust-1", stale)
			}, lending.Kredete, "STALE UPSTREAM_UNAVAILABLE",
		},
		"no profile to be had": {
			func(b *bench, _ lending.CustomerID) {
				b.profiles.put("cust-1", lending.Fetched[lending.Profile]{Status: lending.SourceUnavailable, Err: at(lending.Kredete, errLater)})
			}, lending.Kredete, "UNAVAILABLE TIMEOUT",
		},
		"a profile that is not there": {func(*bench, lending.CustomerID) {}, lending.Kredete, "NONE"},
		"a line": {
			func(b *bench, _ lending.CustomerID) {
				b.lines.put("9876543211", lending.Fetched[lending.CreditLine]{Status: lending.SourceCached, AsOf: today(), Value: lending.CreditLine{Provider: lending.Kredmint}})
			}, lending.Kredmint, "FRESH",
		},
		"no report":         {func(*bench, lending.CustomerID) {}, lending.TrustDecision, "NONE"},
		"a report":          {func(b *bench, c lending.CustomerID) { b.report(c, lending.ReportReady, time.Hour) }, lending.TrustDecision, "CACHED"},
		"a report of old":   {func(b *bench, c lending.CustomerID) { b.report(c, lending.ReportReady, 91*24*time.Hour) }, lending.TrustDecision, "STALE"},
		"a report on order": {func(b *bench, c lending.CustomerID) { b.report(c, lending.ReportOrdered, time.Hour) }, lending.TrustDecision, "PENDING"},
		"perhaps on order":  {func(b *bench, c lending.CustomerID) { b.report(c, lending.ReportOutcomeUnknown, time.Hour) }, lending.TrustDecision, "PENDING"},
		"nothing on record": {func(b *bench, c lending.CustomerID) { b.report(c, lending.ReportNoRecord, time.Hour) }, lending.TrustDecision, "NONE"},
		"a report that failed": {
			func(b *bench, c lending.CustomerID) { b.report(c, lending.ReportFailed, time.Hour) }, lending.TrustDecision, "UNAVAILABLE UPSTREAM_REJECTED",
		},
		"a report, and another on order": {
			func(b *bench, c lending.CustomerID) {
				b.report(c, lending.ReportReady, time.Hour)
				b.report(c, lending.ReportOrdered, time.Minute)
			}, lending.TrustDecision, "CACHED",
		},
		"no score": {func(*bench, lending.CustomerID) {}, lending.OnePipe, "NONE"},
		"a score": {func(b *bench, c lending.CustomerID) {
			b.score(c, lending.OnePipe, "0.9", today().Add(-time.Hour), time.Time{})
		}, lending.OnePipe, "CACHED"},
		"a score of old": {func(b *bench, c lending.CustomerID) {
			b.score(c, lending.OnePipe, "0.9", today().Add(-time.Hour), today().Add(-time.Minute))
		}, lending.OnePipe, "STALE"},
		"a score on order": {func(b *bench, c lending.CustomerID) { b.awaiting(c) }, lending.OnePipe, "PENDING"},
		"no loan":          {func(*bench, lending.CustomerID) {}, lending.Carbon, "NONE"},
		"a loan": {
			func(b *bench, c lending.CustomerID) {
				b.loan(c, lending.LoanPendingReview, func(l *lending.Loan) { l.Provider = lending.Carbon })
			}, lending.Carbon, "CACHED",
		},
		"a loan at a provider that is down": {
			func(b *bench, c lending.CustomerID) {
				b.loan(c, lending.LoanPendingReview, func(l *lending.Loan) { l.Provider = lending.Carbon })
				b.fails(lending.Carbon, 3)
			}, lending.Carbon, "STALE UPSTREAM_UNAVAILABLE",
		},
		"no loan at a provider that is down":   {func(b *bench, _ lending.CustomerID) { b.fails(lending.Carbon, 3) }, lending.Carbon, "UNAVAILABLE UPSTREAM_UNAVAILABLE"},
		"a provider that failed once or twice": {func(b *bench, _ lending.CustomerID) { b.fails(lending.Carbon, 2) }, lending.Carbon, "NONE"},
		"a report on order at a bureau that is down": {
			func(b *bench, c lending.CustomerID) {
				b.report(c, lending.ReportOrdered, time.Hour)
				b.fails(lending.TrustDecision, 3)
			}, lending.TrustDecision, "PENDING UPSTREAM_UNAVAILABLE",
		},
		"a profile at a provider that is gone": {func(b *bench, _ lending.CustomerID) { b.gone(lending.Kredete) }, lending.Kredete, "UNAVAILABLE PROVIDER_DISABLED"},
		"a score at a provider that is gone": {
			func(b *bench, c lending.CustomerID) {
				b.score(c, lending.OnePipe, "0.9", today(), time.Time{})
				b.gone(lending.OnePipe)
			}, lending.OnePipe, "STALE PROVIDER_DISABLED",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer(everywhere("1")...)
			test.given(b, customer)
			if got := sources(b.summary(customer))[test.of]; got != test.want {
				t.Errorf("%s is %s, want %s", test.of, got, test.want)
			}
		})
	}
}

// fails lets calls of a provider fail, as its health sees them.
func (b *bench) fails(name lending.Provider, times int) {
	for range times {
		b.health.Observe(provider.Observation{Provider: name, Operation: "Apply", Began: b.clock.Now(), Err: lending.AsError(at(name, errRefused))})
	}
}

// gone takes a provider out of the configuration.
func (b *bench) gone(name lending.Provider) { b.serve(without(name)) }

func TestScoresAreInTheOrderInWhichTheyCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer()
	hour := func(n int) time.Time { return today().Add(time.Duration(n) * time.Hour) }
	expired := b.score(customer, lending.Kredete, "0.99", hour(-1), hour(0))
	older := b.score(customer, lending.Carbon, "0.7636", hour(-3), hour(1))
	newer := b.score(customer, lending.OnePipe, "0.9", hour(-2), time.Time{})
	unrated := b.score(customer, lending.Kredmint, "", hour(-1), time.Time{})
	summary := b.summary(customer)
	var got []lending.ScoreID
	for _, s := range summary.Scores {
		got = append(got, s.ID)
	}
	same(b, got, []lending.ScoreID{unrated, newer, older, expired})
	if best := summary.BestScore(); best == nil || best.ID != newer {
		t.Errorf("the best is %+v", best)
	}
	b.score(customer, lending.OnePipe, "0.2", hour(-1), time.Time{}) // the newest of a provider counts
	if best := b.summary(customer).BestScore(); best == nil || best.ID != older {
		t.Errorf("the best is %+v", best)
	}
}

func TestASummaryAddsUpWhatIsOwedInEachCurrency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	b.loan(customer, lending.LoanDisbursed)
	b.loan(customer, lending.LoanActive)
	b.loan(customer, lending.LoanPendingReview)
	b.loan(customer, lending.LoanDisbursed, func(l *lending.Loan) {
		l.Provider, l.Principal, l.TotalRepayment = lending.Kredmint, rupees("100"), nil
		l.Paid, l.Outstanding, l.Overdue = rupees("0"), rupees("0"), rupees("0")
	})
	b.lines.put("9876543211", lending.Fetched[lending.CreditLine]{Status: lending.SourceCached, AsOf: today(), Value: lending.CreditLine{
		Provider: lending.Kredmint, Available: new(rupees("50000")),
	}})
	b.report(customer, lending.ReportReady, time.Hour)
	got := b.summary(customer)
	same(b, got.Exposure, []lending.Exposure{
		{Currency: lending.INR, ActiveLoanCount: 1, Outstanding: rupees("100"), Overdue: rupees("0")},
		{Currency: lending.NGN, ActiveLoanCount: 2, Outstanding: naira("1075000"), Overdue: naira("0")},
	})
	if len(got.CreditLines) != 1 || got.CreditLines[0].ApplyURL != "https://sign.up/9876543211" {
		t.Errorf("lines: %+v", got.CreditLines)
	}
	if got.Bureau == nil || got.Bureau.ReportNumber != "CIR-1" {
		t.Errorf("bureau: %+v", got.Bureau)
	}
}

func TestFreshnessIsPassedOnAndAnswersAreTheirOwners(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ids := []lending.CustomerID{b.customer(everywhere("1")...), b.customer(everywhere("2")...), b.customer()}
	for key, name := range map[string]string{"cust-1": "Ada", "cust-2": "Bola"} {
		b.profiles.put(key, lending.Fetched[lending.Profile]{Status: lending.SourceFresh, AsOf: today(), Value: lending.Profile{FirstName: name}})
	}
	want := lending.Freshness{MaxAge: new(time.Minute), RefuseStale: true}
	got, err := b.service.Overviews(b.ctx, ids, want)
	b.must(err)
	if got[ids[0]].Profile.Value.FirstName != "Ada" || got[ids[1]].Profile.Value.FirstName != "Bola" || got[ids[2]].Profile.Has() {
		t.Error("a profile went to another customer")
	}
	if diff := cmp.Diff([]lending.Freshness{want}, b.profiles.wanted); diff != "" {
		t.Errorf("one read for all, as fresh as wanted (-want +got):\n%s", diff)
	}
}

func TestASummaryWaitsForProvidersUntilItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, func(c *service.Config) { c.Settings.ReadDeadline = 2 * time.Second })
		customer := b.customer(everywhere("1")...)
		b.profiles.wait, b.lines.wait = time.Hour, time.Second
		b.lines.put("9876543211", lending.Fetched[lending.CreditLine]{Status: lending.SourceFresh, AsOf: today(), Value: lending.CreditLine{Provider: lending.Kredmint}})
		began := time.Now()
		got := b.summary(customer)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
		if s := sources(got); s[lending.Kredete] != "UNAVAILABLE TIMEOUT" || s[lending.Kredmint] != "FRESH" || len(got.CreditLines) != 1 {
			t.Errorf("sources: %v", s)
		}
	})
}

func TestReadsOneAfterTheOtherShareABudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, func(c *service.Config) { c.Settings.ReadDeadline = 2 * time.Second })
		customer := b.customer(everywhere("1")...)
		b.profiles.wait, b.suppliers.wait = time.Hour, time.Hour
		ctx := provider.WithBudget(b.ctx, 3*time.Second)
		began := time.Now()
		if _, err := b.service.Profiles(ctx, []lending.CustomerID{customer}, lending.Freshness{}); err != nil {
			t.Fatal(err)
		}
		first := time.Since(began)
		if _, err := b.service.Suppliers(ctx, []lending.CustomerID{customer}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); first != 2*time.Second || took != 3*time.Second {
			t.Errorf("the first read waited for %s, both for %s", first, took)
		}
	})
}

func TestSuppliersAreTheirOwners(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two, none := b.customer(everywhere("1")...), b.customer(everywhere("2")...), b.customer()
	shared := []lending.Supplier{{ExternalID: "SUPB-1"}}
	b.suppliers.put("9876543211", lending.Fetched[[]lending.Supplier]{Status: lending.SourceCached, AsOf: today(), Value: shared})
	b.suppliers.put("9876543212", lending.Fetched[[]lending.Supplier]{Status: lending.SourceCached, AsOf: today(), Value: shared})
	got, err := b.service.Suppliers(b.ctx, []lending.CustomerID{one, two, none})
	b.must(err)
	for _, id := range []lending.CustomerID{one, two} {
		if diff := cmp.Diff([]lending.Supplier{{ExternalID: "SUPB-1", CustomerID: id}}, got[id].Value, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if shared[0].CustomerID != "" {
		t.Error("the cache's own value was changed")
	}
}

// linksKept are who customers are at the providers, known without the store.
type linksKept map[lending.CustomerID][]lending.Identity

func (l linksKept) Identities(context.Context, []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error) {
	return l, nil
}

func TestASummaryOutlivesItsRecords(t *testing.T) {
	t.Parallel()
	links := linksKept{}
	b := setup(t, func(c *service.Config) { c.Links = links })
	id := b.customer()
	for name, externalID := range map[lending.Provider]string{lending.Kredete: "cust-1", lending.Kredmint: "9876543211", lending.OnePipe: "C-1"} {
		links[id] = append(links[id], lending.Identity{CustomerID: id, Provider: name, ExternalID: externalID})
	}
	b.lines.put("9876543211", lending.Fetched[lending.CreditLine]{Status: lending.SourceCached, AsOf: today(), Value: lending.CreditLine{Provider: lending.Kredmint}})
	b.must(b.store.Close())
	overviews, err := b.service.Overviews(b.ctx, []lending.CustomerID{id}, lending.Freshness{})
	b.must(err)
	got := overviews[id]
	if got.RecordsErr == nil || got.RecordsErr.Kind != lending.KindUnavailable {
		t.Errorf("the records' error: %v", got.RecordsErr)
	}
	// An empty list would say that nothing is owed.
	if s := got.Summary; s.Scores != nil || s.Exposure != nil || s.Bureau != nil || len(s.CreditLines) != 1 {
		t.Errorf("scores %v, exposure %v, bureau %v, lines %v", s.Scores, s.Exposure, s.Bureau, s.CreditLines)
	}
	told := map[lending.Provider]lending.SourceStatus{}
	for _, source := range got.Summary.Sources {
		told[source.Provider] = source.Status
	}
	want := map[lending.Provider]lending.SourceStatus{
		lending.Kredete: lending.SourceNone, lending.Kredmint: lending.SourceFresh, lending.OnePipe: lending.SourceUnavailable,
		lending.TrustDecision: lending.SourceNotLinked, lending.Carbon: lending.SourceNotLinked,
	}
	same(b, told, want)
}
