package quota

import (
	"testing"
	"time"
)

// atProvider is a plan that is told with each call.
var atProvider = Plan{Name: "provider", Minute: 60, Burst: 10}

func TestASpareIsLeftToOthers(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, _ *clock, change func(*Config)) {
		l := limiter(t, change)
		drawn := 0
		for l.Draw(t.Context(), "p", atProvider, 2).Allowed {
			drawn++
		}
		if drawn != 8 {
			t.Errorf("who leaves 2 of 10 drew %d", drawn)
		}
		refused := l.Draw(t.Context(), "p", atProvider, 2)
		if refused.Allowed || refused.RetryAfter != time.Second {
			t.Errorf("the wait for a unit beyond the spare is %s, want 1s", refused.RetryAfter)
		}
		for range 2 {
			if !l.Draw(t.Context(), "p", atProvider, 0).Allowed {
				t.Error("who leaves nothing was refused what others had left")
			}
		}
		if l.Draw(t.Context(), "p", atProvider, 0).Allowed {
			t.Error("more was drawn than there is")
		}
		if !l.Draw(t.Context(), "other", atProvider, 1000).Allowed {
			t.Error("a spare larger than the burst lets nothing through")
		}
		if !l.Draw(t.Context(), "p", Plan{}, 5).Allowed {
			t.Error("a plan that limits nothing refused")
		}
	})
}

func TestAHoldPauses(t *testing.T) {
	t.Parallel()
	onEachCount(t, func(t *testing.T, c *clock, change func(*Config)) {
		one, other := limiter(t, change), limiter(t, change)
		other.secret = one.secret
		if one.shared == nil {
			other = one
		}
		one.Hold(t.Context(), "p", atProvider, 20*time.Second)
		if v := other.Draw(t.Context(), "p", atProvider, 0); v.Allowed || v.RetryAfter != 20*time.Second {
			t.Errorf("during the pause: %+v", v)
		}
		c.advance(20 * time.Second)
		if !other.Draw(t.Context(), "p", atProvider, 0).Allowed || other.Draw(t.Context(), "p", atProvider, 0).Allowed {
			t.Error("after a pause one unit is there, and no burst")
		}
		one.Hold(t.Context(), "p", atProvider, time.Millisecond)
		if v := other.Draw(t.Context(), "p", atProvider, 0); v.RetryAfter != time.Second {
			t.Errorf("a short pause changed the wait to %s", v.RetryAfter)
		}
		one.Hold(t.Context(), "q", atProvider, 0)
		if !other.Draw(t.Context(), "q", atProvider, 0).Allowed {
			t.Error("no pause held")
		}
	})
}

// TestASmoothPlanIsKeptByAnyClock draws as much as there is, for three minutes, and looks at each minute of them.
func TestASmoothPlanIsKeptByAnyClock(t *testing.T) {
	t.Parallel()
	for _, plan := range Plans() {
		if !plan.limited() {
			continue
		}
		c := &clock{at: noon.Add(45 * time.Second)}
		l := limiter(t, func(cfg *Config) { cfg.Clock = c.now })
		var drawn []time.Time
		for end := c.now().Add(3 * time.Minute); c.now().Before(end); {
			if v := l.Draw(t.Context(), "p", plan.Smooth(), 0); v.Allowed {
				drawn = append(drawn, c.now())
			} else {
				c.advance(v.RetryAfter)
			}
		}
		for i := range drawn {
			if i >= plan.Minute && drawn[i].Sub(drawn[i-plan.Minute]) < time.Minute {
				t.Fatalf("%s: %d units within %s", plan.Name, plan.Minute+1, drawn[i].Sub(drawn[i-plan.Minute]))
			}
		}
		if len(drawn) < 3*plan.Minute*8/10 {
			t.Errorf("%s: %d units in three minutes", plan.Name, len(drawn))
		}
	}
}
