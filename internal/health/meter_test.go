package health

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// noon is a time at which a slice begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is a meter under a clock that tests move.
type bench struct {
	*Meter
	at time.Time
}

func newBench() *bench {
	b := &bench{at: noon}
	b.Meter = NewMeter(func() time.Time { return b.at })
	return b
}

// call lets a call of TrustDecision end; kind "" is a success.
func (b *bench) call(operation string, class provider.Class, took time.Duration, kind lending.ErrorKind) {
	o := provider.Observation{Provider: lending.TrustDecision, Operation: operation, Class: class, Took: took}
	if kind != "" {
		o.Err = &lending.Error{Kind: kind, Provider: lending.TrustDecision, ProviderCode: "303"}
	}
	b.Observe(o)
}

func (b *bench) measured() *Measurement { return b.Measured(lending.TrustDecision) }

func (b *bench) stands(others ...*Measurement) Standing {
	return Stand(b.at, append(others, b.measured()))
}

func TestNoCallIsForgottenUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench()
	for i := range 200_000 { // two in a hundred are slow
		took := 10 * time.Millisecond
		if i%50 == 0 {
			took = 3 * time.Second
		}
		b.call("Profile", provider.Read, took, "")
		b.at = b.at.Add(time.Millisecond)
	}
	s := b.stands()
	if p50, p99 := s.All.Quantile(0.5), s.All.Quantile(0.99); s.All.Calls != 200_000 || p50 < 10*time.Millisecond || p50 > 11*time.Millisecond || p99 < 3*time.Second || p99 > 3200*time.Millisecond {
		t.Errorf("of %d calls half took %s, and 99 in 100 took %s", s.All.Calls, p50, p99)
	}
}

func TestMeasuringTakesNoMemory(t *testing.T) { // allocations are counted for the whole process: not in parallel
	b := newBench()
	for range sliceCount {
		b.call("Profile", provider.Read, time.Second, "")
		b.call("OrderReport", provider.Write, time.Second, lending.KindTimeout)
		b.at = b.at.Add(slice)
	}
	observation := provider.Observation{Provider: lending.TrustDecision, Operation: "Profile", Took: time.Second}
	if n := testing.AllocsPerRun(5000, func() {
		b.Observe(observation)
		b.at = b.at.Add(time.Second)
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
	for i := range 10_000 { // more names than there can be
		b.call(fmt.Sprint("Call", i), provider.Read, 0, "")
		b.call(fmt.Sprint("Call", i), provider.Read, 0, lending.KindProviderDisabled)
	}
	if m := b.measured(); len(m.Succeeded) > maxNames || len(m.Problems) > maxNames || !m.Valid() {
		t.Errorf("%d and %d names are kept", len(m.Succeeded), len(m.Problems))
	}
}

func TestTheWindowSlides(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.call("Profile", provider.Read, time.Second, lending.KindTimeout)
	b.at = b.at.Add(time.Minute)
	b.call("Apply", provider.DedupedWrite, time.Second, "")
	for _, step := range []struct {
		at             time.Duration
		reads, writes  uint64
		lately, faults uint64
	}{
		{time.Minute, 1, 1, 1, 0},
		{2 * time.Minute, 1, 1, 1, 0}, // silence is no news
		{Window - 1, 1, 1, 1, 0},
		{Window, 0, 1, 1, 0},
		{Window + time.Minute, 0, 0, 0, 0},
		{time.Second, 1, 0, 0, 0}, // a clock that went back: what is yet to come does not count
	} {
		b.at = noon.Add(step.at)
		if m := b.measured(); m.Reads.Calls != step.reads || m.Writes.Calls != step.writes || m.Lately != (Counts{step.lately, step.faults}) {
			t.Errorf("after %s: %d reads, %d writes, lately %+v", step.at, m.Reads.Calls, m.Writes.Calls, m.Lately)
		}
	}
	b.at = noon.Add(Window)
	b.call("Profile", provider.Read, time.Second, "") // in the place of the oldest
	if m := b.measured(); m.Reads.Calls != 1 || m.Reads.Faults != 0 {
		t.Errorf("the oldest slice is still counted: %+v", m.Lately)
	}
}

func TestAProblemStandsUntilTheSameGoesWell(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind lending.ErrorKind
		then func(b *bench)
		want bool // that it stands
	}{
		"a sign of life":                 {lending.KindBalanceExhausted, func(b *bench) { b.call("Ping", provider.Read, 0, "") }, true},
		"another call":                   {lending.KindBalanceExhausted, func(b *bench) { b.call("FetchReport", provider.Read, 0, "") }, true},
		"the same, refused for its form": {lending.KindProviderDisabled, func(b *bench) { b.call("OrderReport", provider.Write, 0, lending.KindValidation) }, true},
		"the same, unreachable":          {lending.KindProviderDisabled, func(b *bench) { b.call("OrderReport", provider.Write, 0, lending.KindTimeout) }, true},
		"the same goes well":             {lending.KindProviderDisabled, func(b *bench) { b.call("OrderReport", provider.Write, 0, "") }, false},
		"bad credentials, a sign":        {lending.KindUpstreamAuth, func(b *bench) { b.call("Ping", provider.Read, 0, "") }, true},
		"bad credentials, another call":  {lending.KindUpstreamAuth, func(b *bench) { b.call("FetchReport", provider.Read, 0, "") }, false},
		"hours":                          {lending.KindBalanceExhausted, func(b *bench) { b.at = b.at.Add(23 * time.Hour) }, true},
		"more than a day":                {lending.KindBalanceExhausted, func(b *bench) { b.at = b.at.Add(25 * time.Hour) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.call("OrderReport", provider.Write, 0, test.kind)
			b.at = b.at.Add(time.Second)
			b.call("OrderReport", provider.Write, 0, test.kind)
			b.at = b.at.Add(time.Second)
			test.then(b)
			got := b.stands()
			if (got.Problem != nil) != test.want {
				t.Fatalf("the problem is %+v", got.Problem)
			}
			if p := got.Problem; p != nil && (p.Kind != test.kind || p.Code != "303" || !p.Since.Equal(noon) || !p.Last.Equal(noon.Add(time.Second))) {
				t.Errorf("the problem is %+v", p)
			}
			if got.Down {
				t.Error("who refuses something answers nevertheless")
			}
		})
	}
}

func TestAnotherProblemBeginsAnew(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.call("OrderReport", provider.Write, 0, lending.KindBalanceExhausted)
	b.at = b.at.Add(time.Minute)
	b.call("OrderReport", provider.Write, 0, lending.KindProviderDisabled)
	if p := b.stands().Problem; p == nil || p.Kind != lending.KindProviderDisabled || !p.Since.Equal(b.at) {
		t.Errorf("the problem is %+v", p)
	}
}

func TestWhatItsCallerGaveUpDoesNotCount(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.Observe(provider.Observation{Provider: lending.TrustDecision, Err: &lending.Error{
		Kind: lending.KindUpstreamUnavailable, Err: errors.Join(errors.New("cut"), context.Canceled),
	}})
	if b.measured() != nil {
		t.Error("it counts")
	}
}

func TestAMeasurementBelongsToItsReader(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.call("OrderReport", provider.Write, 0, lending.KindBalanceExhausted)
	b.call("Ping", provider.Read, 0, "")
	b.measured().Shift(time.Hour)
	if m := b.measured(); !m.Succeeded["Ping"].Equal(noon) || !m.Problems["OrderReport"].Since.Equal(noon) {
		t.Error("the meter's own was changed")
	}
}

func TestManyMeasureAtTheSameTime(t *testing.T) {
	t.Parallel()
	m := NewMeter(time.Now)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 500 {
				m.Observe(provider.Observation{Provider: lending.Carbon, Operation: "Apply", Class: provider.Write})
				_ = m.Report()
			}
		})
	}
	group.Wait()
	if got := m.Measured(lending.Carbon).Writes.Calls; got != 4000 {
		t.Errorf("%d calls, want 4000", got)
	}
}
