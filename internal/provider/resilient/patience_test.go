package resilient

import (
	"testing"
	"time"
)

func TestTheUsualLatencyFollowsWhatCallsTake(t *testing.T) {
	t.Parallel()
	var l latency
	if l.typical() != 0 {
		t.Errorf("before any call it is %s", l.typical())
	}
	for _, step := range []struct{ took, want time.Duration }{
		{time.Second, time.Second}, {2 * time.Second, 1200 * time.Millisecond}, {200 * time.Millisecond, time.Second},
	} {
		if l.note(step.took); l.typical() != step.want {
			t.Errorf("after a call of %s it is %s, want %s", step.took, l.typical(), step.want)
		}
	}
}
