package health

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// after is some seconds after noon.
func after(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// failing has a row of faults between two moments.
func failing(since, last int) *Measurement {
	return &Measurement{CalledAt: after(last), Streak: Streak{Faults: 3, Since: after(since), Last: after(last)}, Failure: &Failure{Kind: lending.KindTimeout, At: after(last)}}
}

// answered was answered last at a moment.
func answered(at int) *Measurement { return &Measurement{CalledAt: after(at), AnsweredAt: after(at)} }

func TestOneReplicasFaultsAreHeldAgainstTheOthersAnswers(t *testing.T) {
	t.Parallel()
	two := failing(10, 20)
	two.Streak.Faults = 2
	probed := failing(20, 20)
	probed.Streak.Faults, probed.Streak.Probe = 1, true
	for name, test := range map[string]struct {
		measured    []*Measurement
		now         int
		down, shaky bool
	}{
		"nobody called":                             {nil, 30, false, false},
		"one fails and is alone":                    {[]*Measurement{failing(10, 20)}, 30, true, false},
		"two faults are not enough":                 {[]*Measurement{two}, 30, false, false},
		"one probe is":                              {[]*Measurement{probed}, 30, true, false},
		"long ago":                                  {[]*Measurement{failing(10, 20)}, 321, false, false},
		"just within":                               {[]*Measurement{failing(10, 20)}, 320, true, false},
		"the other was answered before":             {[]*Measurement{answered(5), failing(10, 20)}, 30, true, false},
		"the other is answered meanwhile":           {[]*Measurement{failing(10, 20), answered(15)}, 30, false, true},
		"the other was answered since":              {[]*Measurement{failing(10, 20), answered(25)}, 30, false, false},
		"two fail and the third's answer was early": {[]*Measurement{failing(10, 20), answered(5), failing(12, 25)}, 30, true, false},
		"two fail and one's row began after it":     {[]*Measurement{failing(10, 20), answered(11), failing(12, 25)}, 30, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s := Stand(after(test.now), test.measured); s.Down != test.down || s.Shaky != test.shaky {
				t.Errorf("down %t, shaky %t", s.Down, s.Shaky)
			}
		})
	}
}

func TestFiguresOfReplicasAreAddedUp(t *testing.T) {
	t.Parallel()
	a, b := newBench(), newBench()
	b.at = after(5)
	for range 99 {
		a.call("Profile", provider.Read, 10*time.Millisecond, "")
	}
	b.call("OrderReport", provider.Write, 5*time.Second, lending.KindTimeout)
	m, n := a.measured(), b.measured()
	m.Circuit, n.Circuit = provider.CircuitClosed, provider.CircuitHalfOpen
	s := Stand(after(6), []*Measurement{m, n})
	if s.All.Calls != 100 || s.All.Faults != 1 || s.Lately != (Counts{100, 1}) || !s.CalledAt.Equal(after(5)) || s.Circuit != provider.CircuitHalfOpen {
		t.Errorf("%d calls, %d faults, lately %+v, at %s, %s", s.All.Calls, s.All.Faults, s.Lately, s.CalledAt, s.Circuit)
	}
	if s.All.Quantile(0.99) > 11*time.Millisecond || s.All.Quantile(1) != 5*time.Second {
		t.Errorf("p99 %s, the longest %s", s.All.Quantile(0.99), s.All.Quantile(1))
	}
	if s.Failure == nil || s.Failure.Error(lending.TrustDecision).Kind != lending.KindTimeout {
		t.Errorf("the failure is %+v", s.Failure)
	}
}

func TestWhatOneReplicaSawLongerAgoIsOlder(t *testing.T) {
	t.Parallel()
	old, recent := newBench(), newBench()
	old.call("Profile", provider.Read, 0, lending.KindTimeout)
	recent.at = after(59)
	recent.call("Profile", provider.Read, 0, "")
	if s := Stand(after(90), []*Measurement{old.measured(), recent.measured()}); s.Lately != (Counts{2, 1}) {
		t.Errorf("within a minute of each other: %+v", s.Lately)
	}
	recent.at = after(121)
	recent.call("Profile", provider.Read, 0, "")
	if s := Stand(after(130), []*Measurement{old.measured(), recent.measured()}); s.Lately != (Counts{1, 0}) || s.All.Calls != 3 {
		t.Errorf("more than a minute apart: %+v of %d", s.Lately, s.All.Calls)
	}
}

func TestTheWorstCircuitCounts(t *testing.T) {
	t.Parallel()
	order := []provider.CircuitState{"", provider.CircuitClosed, provider.CircuitHalfOpen, provider.CircuitOpen}
	for i, worse := range order {
		for _, better := range order[:i+1] {
			for _, list := range [][]*Measurement{{{Circuit: better}, {Circuit: worse}}, {{Circuit: worse}, {Circuit: better}}} {
				if got := Stand(noon, list).Circuit; got != worse {
					t.Errorf("of %s and %s it is %s", worse, better, got)
				}
			}
		}
	}
}

func TestAFailureThatIsLongOverIsNotTold(t *testing.T) {
	t.Parallel()
	m := failing(0, 0)
	if s := Stand(after(3600), []*Measurement{m}); s.Failure == nil {
		t.Error("nothing went well since, and it is not told")
	}
	m.AnsweredAt = after(1)
	if s := Stand(after(300), []*Measurement{m}); s.Failure == nil {
		t.Error("it is not told though it is recent")
	}
	if s := Stand(after(301), []*Measurement{m}); s.Failure != nil {
		t.Error("it is told for ever")
	}
}

func TestAProblemOfOneReplicaEndsWithAnothersSuccess(t *testing.T) {
	t.Parallel()
	problem := func(since, last int) *Measurement {
		return &Measurement{Problems: map[string]Problem{"OrderReport": {Kind: lending.KindBalanceExhausted, Since: after(since), Last: after(last)}}}
	}
	success := func(operation string, at int) *Measurement {
		return &Measurement{Succeeded: map[string]time.Time{operation: after(at)}}
	}
	for name, test := range map[string]struct {
		measured []*Measurement
		since    int // -1: it does not stand
	}{
		"the other went well before":       {[]*Measurement{problem(10, 20), success("OrderReport", 15)}, 10},
		"the other went well since":        {[]*Measurement{problem(10, 20), success("OrderReport", 25)}, -1},
		"something else went well since":   {[]*Measurement{problem(10, 20), success("FetchReport", 25)}, 10},
		"another knows of it for longer":   {[]*Measurement{problem(10, 20), problem(5, 6)}, 5},
		"another knew of it until it went": {[]*Measurement{problem(10, 20), problem(5, 6), success("OrderReport", 8)}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Stand(after(30), test.measured).Problem
			if (p == nil) != (test.since < 0) || p != nil && !p.Since.Equal(after(test.since)) {
				t.Errorf("the problem is %+v", p)
			}
		})
	}
}

func TestOfALimitTheNewestCounts(t *testing.T) {
	t.Parallel()
	limit := func(remaining, resets int) *Limit {
		return &Limit{Limit: 60, Remaining: remaining, ResetsAt: after(resets)}
	}
	for name, test := range map[string]struct {
		list []*Limit
		want *Limit
	}{
		"nobody was told":       {[]*Limit{nil, nil}, nil},
		"one was":               {[]*Limit{nil, limit(5, 60)}, limit(5, 60)},
		"the least is left":     {[]*Limit{limit(5, 60), limit(3, 60), limit(4, 60)}, limit(3, 60)},
		"clocks differ a bit":   {[]*Limit{limit(3, 60), limit(5, 61)}, limit(3, 60)},
		"the next has begun":    {[]*Limit{limit(3, 60), limit(50, 120)}, limit(50, 120)},
		"and the other way":     {[]*Limit{limit(50, 120), limit(3, 60)}, limit(50, 120)},
		"it is over":            {[]*Limit{limit(3, 29)}, nil},
		"it tells of no window": {[]*Limit{{Limit: 60, Remaining: 7}}, &Limit{Limit: 60, Remaining: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var measured []*Measurement
			for _, l := range test.list {
				measured = append(measured, &Measurement{Limit: l})
			}
			if diff := cmp.Diff(test.want, Stand(after(30), measured).Limit); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMeasurementTravelsToAnotherClock(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.call("Ping", provider.Read, time.Second, "")
	b.call("OrderReport", provider.Write, time.Second, lending.KindBalanceExhausted)
	b.call("OrderReport", provider.Write, time.Second, lending.KindTimeout)
	want := b.measured()
	want.Circuit, want.Limit = provider.CircuitOpen, &Limit{60, 7, after(60)}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Measurement
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !got.Valid() {
		t.Error("it is refused")
	}
	got.Shift(time.Hour)
	if at := after(3600); !got.CalledAt.Equal(at) || !got.AnsweredAt.Equal(at) || !got.Streak.Since.Equal(at) || !got.Streak.Last.Equal(at) ||
		!got.Failure.At.Equal(at) || !got.Problems["OrderReport"].Since.Equal(at) || !got.Problems["OrderReport"].Last.Equal(at) || !got.Succeeded["Ping"].Equal(at) {
		t.Errorf("it is told by another clock: %s", text)
	}
	got.Shift(-time.Hour)
	want.Failure.Err = nil // the cause stays where it happened
	if diff := cmp.Diff(want, &got, cmp.AllowUnexported(Tally{})); diff != "" {
		t.Error(diff)
	}
	if e := got.Failure.Error(lending.TrustDecision); e.Kind != lending.KindTimeout || e.Err != nil || e.Error() == "" {
		t.Errorf("the failure is %+v", e)
	}
}

func TestMeasurementsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	long := string(make([]byte, maxCode+1))
	many := map[string]time.Time{}
	for i := range maxNames + 1 {
		many[string(rune('a'+i))] = noon
	}
	for name, m := range map[string]*Measurement{
		"none at all":            nil,
		"a kind that is none":    {Failure: &Failure{Kind: "NEW"}},
		"a code that is a text":  {Failure: &Failure{Kind: lending.KindTimeout, Code: long}},
		"a problem that is none": {Problems: map[string]Problem{"Apply": {Kind: lending.KindTimeout}}},
		"a problem with a text":  {Problems: map[string]Problem{"Apply": {Kind: lending.KindUpstreamAuth, Code: long}}},
		"a name that is a text":  {Problems: map[string]Problem{long: {Kind: lending.KindUpstreamAuth}}},
		"too many names":         {Succeeded: many},
		"fewer faults than none": {Streak: Streak{Faults: -1}},
	} {
		if m.Valid() {
			t.Errorf("%s: it is taken in", name)
		}
	}
}
