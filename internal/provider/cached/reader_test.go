package cached

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var errDown = &lending.Error{Kind: lending.KindUpstreamUnavailable, Provider: lending.Kredete, Retryable: true, Outcome: lending.NotExecuted}

func TestReadGoesByTheAgeOfTheEntry(t *testing.T) {
	t.Parallel()
	type want = lending.Freshness
	minutes := func(n int) *time.Duration { return new(time.Duration(n) * time.Minute) }
	for _, test := range []struct {
		name   string
		age    time.Duration
		err    error
		want   want
		status lending.SourceStatus
		value  string // "" for none
		kind   lending.ErrorKind
		calls  int // of the provider, with the first and with what is loaded behind
	}{
		{"before soft", soft - 1, nil, want{}, lending.SourceCached, "k v1", "", 1},
		{"at soft it is answered and refreshed behind", soft, nil, want{}, lending.SourceCached, "k v1", "", 2},
		{"before hard", hard - 1, nil, want{}, lending.SourceCached, "k v1", "", 2},
		{"between soft and hard a failure does not show", soft, errDown, want{}, lending.SourceCached, "k v1", "", 2},
		{"at hard it is loaded first", hard, nil, want{}, lending.SourceFresh, "k v2", "", 2},
		{"past hard the provider fails", hard, errDown, want{}, lending.SourceStale, "k v1", lending.KindUpstreamUnavailable, 2},
		{"past hard the provider fails and old data is refused", hard, errDown, want{RefuseStale: true}, lending.SourceUnavailable, "", lending.KindUpstreamUnavailable, 2},
		{"old data is kept for long", hard + staleFor - 1, errDown, want{}, lending.SourceStale, "k v1", lending.KindUpstreamUnavailable, 2},
		{"old data is not kept for ever", hard + staleFor, errDown, want{}, lending.SourceUnavailable, "", lending.KindUpstreamUnavailable, 2},
		{"young enough for the caller", 5 * time.Minute, nil, want{MaxAge: minutes(5)}, lending.SourceCached, "k v1", "", 1},
		{"too old for the caller", 5*time.Minute + 1, nil, want{MaxAge: minutes(5)}, lending.SourceFresh, "k v2", "", 2},
		{"too old for the caller past soft too", soft, nil, want{MaxAge: minutes(5)}, lending.SourceFresh, "k v2", "", 2},
		{"a patient caller does not outlive hard", hard, nil, want{MaxAge: minutes(600)}, lending.SourceFresh, "k v2", "", 2},
		{"a max age of nothing always loads", 0, nil, want{MaxAge: minutes(0)}, lending.SourceFresh, "k v2", "", 2},
		{"a max age of nothing while the provider fails", time.Second, errDown, want{MaxAge: minutes(0)}, lending.SourceStale, "k v1", lending.KindUpstreamUnavailable, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				began := b.clock.now()
				expect(t, b.read("k")[0], lending.SourceFresh, "k v1", "")
				b.clock.advance(test.age)
				b.upstream.fail(test.err)
				got := b.reader.Read(t.Context(), []string{"k"}, test.want)[0]
				synctest.Wait()
				expect(t, got, test.status, test.value, test.kind)
				if calls := b.upstream.total(); calls != test.calls {
					t.Errorf("the provider was asked %d times, want %d", calls, test.calls)
				}
				asOf := map[lending.SourceStatus]time.Time{lending.SourceFresh: b.clock.now(), lending.SourceUnavailable: {}}
				when, ok := asOf[test.status]
				if !ok {
					when = began
				}
				if !got.AsOf.Equal(when) {
					t.Errorf("as of %s, want %s", got.AsOf, when)
				}
			})
		})
	}
}

func TestReadKeepsOrderLengthAndDuplicates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, status := range []lending.SourceStatus{lending.SourceFresh, lending.SourceCached} {
		got := b.read("b", "a", "b", "", "c")
		for i, key := range []string{"b", "a", "b", "", "c"} {
			expect(t, got[i], status, key+" v1", "")
			if diff := cmp.Diff(personOf(key, 1), got[i].Value, cmp.Comparer(func(a, b lending.Money) bool { return a == b })); diff != "" {
				t.Errorf("the value is not whole (-want +got):\n%s", diff)
			}
		}
		got[0].Value.Tags[0] = "changed"
		if got[2].Value.Tags[0] != "a" || b.read("b")[0].Value.Tags[0] != "a" {
			t.Error("what one caller changed, another one saw")
		}
	}
	if b.upstream.total() != 4 {
		t.Errorf("the provider was asked %d times, want once for each key", b.upstream.total())
	}
	if got := b.read(); len(got) != 0 {
		t.Errorf("no keys gave %d answers", len(got))
	}
	if diff := cmp.Diff(map[lending.SourceStatus]int{lending.SourceFresh: 5, lending.SourceCached: 7}, b.tally.answered); diff != "" {
		t.Errorf("answers were counted wrongly (-want +got):\n%s", diff)
	}
}

func TestNotFoundIsBelievedBriefly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.upstream.fail(&lending.Error{Kind: lending.KindNotFound, Provider: lending.Kredete})
		began := b.clock.now()
		for _, wait := range []time.Duration{0, negative - 1} {
			b.clock.advance(wait)
			got := b.read("k")[0]
			expect(t, got, lending.SourceNone, "", lending.KindNotFound)
			if !got.AsOf.Equal(began) {
				t.Errorf("as of %s, want %s", got.AsOf, began)
			}
		}
		if b.upstream.total() != 1 {
			t.Errorf("the provider was asked %d times, want once", b.upstream.total())
		}
		b.clock.advance(1)
		b.upstream.fail(errDown)
		expect(t, b.read("k")[0], lending.SourceUnavailable, "", lending.KindUpstreamUnavailable)
		b.upstream.fail(nil)
		expect(t, b.read("k")[0], lending.SourceFresh, "k v3", "")
	})
}

func TestNotFoundIsNoOldData(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.upstream.fail(&lending.Error{Kind: lending.KindNotFound})
	b.read("k")
	b.upstream.fail(errDown)
	expect(t, b.within(0, "k")[0], lending.SourceUnavailable, "", lending.KindUpstreamUnavailable)
}

func TestNotFoundReplacesWhatWasKnown(t *testing.T) {
	t.Parallel()
	for _, keep := range []time.Duration{0, negative} {
		t.Run(fmt.Sprintf("believed for %s", keep), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(_ *Config, s *Spec[person]) { s.Negative = keep })
			b.read("k")
			b.upstream.fail(&lending.Error{Kind: lending.KindNotFound})
			expect(t, b.within(0, "k")[0], lending.SourceNone, "", lending.KindNotFound)
			b.settle(t)
			expect(t, b.read("k")[0], lending.SourceNone, "", lending.KindNotFound)
		})
	}
}

func TestEvictVoidsWhatIsKnownAndWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.read("k", "other")
		b.reader.Evict(t.Context(), "k")
		expect(t, b.read("k")[0], lending.SourceFresh, "k v2", "")
		expect(t, b.read("other")[0], lending.SourceCached, "other v1", "")

		_, gate := b.upstream.hold()
		old := make(chan lending.Fetched[person], 1)
		go func() { old <- b.within(0, "k")[0] }()
		synctest.Wait()
		b.reader.Evict(t.Context(), "k")
		next := make(chan lending.Fetched[person], 1)
		go func() { next <- b.read("k")[0] }()
		synctest.Wait()
		close(gate)
		expect(t, <-old, lending.SourceFresh, "k v3", "")
		expect(t, <-next, lending.SourceFresh, "k v4", "")
		synctest.Wait()
		expect(t, b.read("k")[0], lending.SourceCached, "k v4", "")
		b.reader.Evict(t.Context())
		expect(t, b.read("k")[0], lending.SourceCached, "k v4", "")
	})
}

func TestALoadThatWasEvictedIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, gate := b.upstream.hold()
		old := make(chan lending.Fetched[person], 1)
		go func() { old <- b.read("k")[0] }()
		synctest.Wait()
		b.reader.Evict(t.Context(), "k")
		close(gate)
		expect(t, <-old, lending.SourceFresh, "k v1", "")
		synctest.Wait()
		expect(t, b.read("k")[0], lending.SourceFresh, "k v2", "")
	})
}

func TestStartAndStopMayBeRepeated(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.read("k")
	b.cache.Start()
	b.cache.Start()
	b.cache.Stop()
	b.cache.Stop()
	expect(t, b.read("k")[0], lending.SourceCached, "k v1", "")
	expect(t, b.read("new")[0], lending.SourceUnavailable, "", lending.KindUpstreamUnavailable)
	b.clock.advance(soft)
	expect(t, b.read("k")[0], lending.SourceCached, "k v1", "")
}

func TestReadersShareACacheButNotEntries(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.read("k")
	lines := NewReader(b.cache, Spec[lending.CreditLine]{
		Name: "kredmint.line", Soft: soft, Hard: hard,
		Load: func(context.Context, string) (lending.CreditLine, error) {
			return lending.CreditLine{UserID: "u", Limit: new(lending.NewMoney(1, lending.INR))}, nil
		},
	})
	for _, status := range []lending.SourceStatus{lending.SourceFresh, lending.SourceCached} {
		got := lines.Read(context.Background(), []string{"k"}, lending.Freshness{})[0]
		if got.Status != status || got.Value.UserID != "u" || *got.Value.Limit != lending.NewMoney(1, lending.INR) {
			t.Errorf("got %s %v, want %s and the credit line", got.Status, got.Value, status)
		}
	}
}

func TestNewCacheRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no secret":                   {},
		"a short secret":              {KeySecret: []byte("fifteen bytes !")},
		"a local tier of another age": {KeySecret: testSecret, LocalFresh: 2 * time.Second},
		"a negative age":              {KeySecret: testSecret, LocalFresh: -1},
		"a negative size":             {KeySecret: testSecret, LocalEntries: -1},
	} {
		if c, err := NewCache(cfg); err == nil || c != nil {
			t.Errorf("%s: was taken", name)
		}
	}
	for name, spec := range map[string]Spec[person]{
		"no name": {Load: newUpstream().load},
		"no load": {Name: "kredete.profile"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: was taken", name)
				}
			}()
			NewReader(newBench(t).cache, spec)
		}()
	}
}

func TestDefaultsAreOfUse(t *testing.T) {
	t.Parallel()
	c, err := NewCache(Config{KeySecret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	r := NewReader(c, Spec[int]{Name: "n", Soft: time.Hour, Load: func(context.Context, string) (int, error) { return 7, nil }})
	for _, status := range []lending.SourceStatus{lending.SourceFresh, lending.SourceCached} {
		want := lending.Fetched[int]{Value: 7, Status: status}
		got := r.Read(context.Background(), []string{"k"}, lending.Freshness{})[0]
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(lending.Fetched[int]{}, "AsOf")); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if age := time.Since(got.AsOf); age < 0 || age > time.Minute {
			t.Errorf("as of %s ago", age)
		}
	}
}
