package quota

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestABurstComesBackEvenly(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, c *clock, change func(*Config)) {
		l := limiter(t, change) // sandbox: 60 a minute, 10 at once
		if allowed, last := takes(t, l, 12); allowed != 10 || last.RetryAfter != time.Second || last.Remaining != 0 {
			t.Errorf("%d of 12 at once, and %+v; want 10, and the next in a second", allowed, last)
		}
		c.advance(time.Second - time.Microsecond)
		if allowed, _ := takes(t, l, 1); allowed != 0 {
			t.Error("one came back too early")
		}
		c.advance(time.Microsecond)
		if allowed, _ := takes(t, l, 2); allowed != 1 {
			t.Errorf("%d after a second, want 1", allowed)
		}
		c.advance(10 * time.Second)
		if allowed, _ := takes(t, l, 12); allowed != 10 {
			t.Errorf("%d after ten seconds, want 10", allowed)
		}
	})
}

func TestAMinuteHasItsLimitAndResets(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, c *clock, change func(*Config)) {
		l := limiter(t, change)
		for second := range 50 { // 10 at once and one a second: 60 after 50 seconds
			want := map[int]int{0: 10}[second] + min(second, 1)
			if allowed, _ := takes(t, l, max(want, 1)); allowed != want {
				t.Fatalf("second %d: %d let through, want %d", second, allowed, want)
			}
			c.advance(time.Second)
		}
		if allowed, _ := takes(t, l, 1); allowed != 1 {
			t.Fatal("the 60th was refused")
		}
		c.advance(5 * time.Second)
		_, last := takes(t, l, 1)
		want := Verdict{
			Plan: "sandbox", Limited: true, Limit: 60, Remaining: 0, ResetsAt: noon.Add(time.Minute), RetryAfter: 5 * time.Second,
		}
		if diff := cmp.Diff(want, last); diff != "" {
			t.Errorf("the 61st (-want +got):\n%s", diff)
		}
		c.set(noon.Add(time.Minute))
		if allowed, last := takes(t, l, 1); allowed != 1 || last.Remaining != 59 || !last.ResetsAt.Equal(noon.Add(2*time.Minute)) {
			t.Errorf("in the next minute: %+v", last)
		}
	})
}

func TestADayHasItsLimitAndResets(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, c *clock, change func(*Config)) {
		l := limiter(t, change)
		allowed := 0
		for range 1100 { // ten at a time, a minute apart: 10,000 a day
			n, _ := takes(t, l, 10)
			allowed += n
			c.advance(30 * time.Second)
		}
		c.advance(-30 * time.Second)
		_, last := takes(t, l, 1)
		midnight := noon.Add(12 * time.Hour)
		if allowed != 10_000 || last.Allowed || last.Limit != 10_000 || !last.ResetsAt.Equal(midnight) || last.RetryAfter != midnight.Sub(c.now()) {
			t.Errorf("%d in a day, then %+v; want 10000, and the next at midnight", allowed, last)
		}
		c.set(midnight)
		if _, last := takes(t, l, 1); !last.Allowed || last.Limit != 60 || last.Remaining != 59 {
			t.Errorf("on the next day: %+v", last)
		}
	})
}

func TestWhatIsLeftIsTold(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, c *clock, change func(*Config)) {
		l := limiter(t, change)
		c.set(noon.Add(20 * time.Second))
		want := Verdict{Plan: "professional", Limited: true, Allowed: true, Limit: 1000, Remaining: 999, ResetsAt: noon.Add(time.Minute)}
		if diff := cmp.Diff(want, l.Take(t.Context(), "web", "professional")); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for range 2 {
			if diff := cmp.Diff(want, l.Look(t.Context(), "web", "professional")); diff != "" {
				t.Errorf("a look (-want +got):\n%s", diff)
			}
		}
	})
}

func TestWeightIsTakenWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, c *clock, change func(*Config)) {
		l := limiter(t, change)
		weighs := func(weight int) Verdict {
			if v := l.Take(t.Context(), "web", ""); !v.Allowed {
				return v
			}
			return l.Raise(t.Context(), "web", "", weight)
		}
		if v := weighs(7); !v.Allowed || v.Remaining != 53 {
			t.Fatalf("7 of 10: %+v", v)
		}
		for range 3 { // a refusal costs nothing, however often it is sent again
			if v := weighs(5); v.Allowed || v.RetryAfter != 2*time.Second || v.Remaining != 3 {
				t.Fatalf("5 of the 3 that are left: %+v", v)
			}
		}
		c.advance(2 * time.Second)
		if v := weighs(5); !v.Allowed || v.Remaining != 48 {
			t.Fatalf("5 when they have come back: %+v", v)
		}
		c.advance(10 * time.Second)
		if v := weighs(1000); !v.Allowed || v.Remaining != 38 {
			t.Errorf("more than there can be: %+v, want the whole burst to be taken", v)
		}
	})
}

func TestClientsDoNotShareAndPlansAreTheirOwn(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, _ *clock, change func(*Config)) {
		l := limiter(t, change)
		takes(t, l, 11)
		for _, tc := range []struct {
			client, plan string
			want         bool
		}{
			{"web", "", false},
			{"web", Unlimited, false}, // a token cannot lift the limit
			{"web", "no such plan", false},
			{"mobile", "", true},
		} {
			if v := l.Take(t.Context(), tc.client, tc.plan); v.Allowed != tc.want || v.Plan != "sandbox" {
				t.Errorf("%s on %q: %+v", tc.client, tc.plan, v)
			}
		}
	})
}

func TestThePlansAreKredetes(t *testing.T) {
	t.Parallel()
	want := []Plan{
		{"sandbox", 60, 10_000, 10, 0},
		{"starter", 300, 100_000, 50, 0},
		{"professional", 1000, 500_000, 100, 0},
		{"enterprise", 5000, 0, 500, 0},
		{Unlimited, 0, 0, 0, 0},
	}
	if diff := cmp.Diff(want, Plans()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, p := range want {
		for _, replicas := range []int{0, 1, 2, 7, 1_000_000} {
			s := p.share(replicas)
			if p.limited() && (s.Minute < 1 || s.Burst < 1 || p.Day > 0 && s.Day < 1 || s.Minute*replicas > max(p.Minute, replicas)) || s.limited() != p.limited() {
				t.Errorf("the share of %d replicas in %s: %+v", replicas, p.Name, s)
			}
		}
	}
}

func TestNoLimitIsSaidToBeNone(t *testing.T) {
	t.Parallel()
	l := limiter(t, func(c *Config) { c.Default = Unlimited })
	if allowed, last := takes(t, l, 10_000); allowed != 10_000 || last.Limited {
		t.Errorf("%d let through, the last with %+v", allowed, last)
	}
	if _, err := New(Config{Default: "gold"}); err == nil {
		t.Error("a plan that there is not was taken")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := &clock{at: noon}
	l := limiter(t, func(cfg *Config) { cfg.Clock, cfg.mostLocal = c.now, 100 })
	takes(t, l, 10)
	for i := range 1000 {
		l.Take(t.Context(), fmt.Sprintf("client %d", i), "")
		if i%50 == 0 { // one that keeps coming is not forgotten
			if allowed, _ := takes(t, l, 1); allowed != 0 {
				t.Fatal("a client was forgotten while it was asking")
			}
		}
	}
	if n := l.local.tallies.Len(); n != 100 {
		t.Errorf("%d clients are remembered, want 100", n)
	}
}
