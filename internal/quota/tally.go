package quota

import "time"

// Lengths in microseconds, in which all is counted: Redis tells its time so, and a script's numbers hold them
// exactly.
const (
	minute = int64(time.Minute / time.Microsecond)
	day    = 24 * 60 * minute
)

// tally is what one client has used. The script in Redis and this code count alike, which a test holds them to.
type tally struct {
	due              int64 // when all of the burst is back
	minute, inMinute int64 // the last minute since the epoch in which something was taken, and how much was
	day, inDay       int64 // the same for days
}

// at is the tally as it counts now: what is over counts no more.
func (t tally) at(now int64) tally {
	t.due = max(t.due, now)
	if m := now / minute; t.minute != m {
		t.minute, t.inMinute = m, 0
	}
	if d := now / day; t.day != d {
		t.day, t.inDay = d, 0
	}
	return t
}

// wait is how long until n units can be taken; not over 0 when they can be at once.
func (t tally) wait(p Plan, now int64, n int) int64 {
	wait := t.due + (int64(n)-int64(p.Burst))*p.interval() - now
	if t.inMinute+int64(n) > int64(p.Minute) {
		wait = max(wait, (t.minute+1)*minute-now)
	}
	if p.Day > 0 && t.inDay+int64(n) > int64(p.Day) {
		wait = max(wait, (t.day+1)*day-now)
	}
	return wait
}

// take takes n units if spare more are left beside them; it gives units back where n is negative, and changes
// nothing where it is 0.
func (t tally) take(p Plan, now int64, n, spare int) (after tally, allowed bool) {
	t = t.at(now)
	if n > 0 && t.wait(p, now, n+spare) > 0 {
		return t, false
	}
	t.due = max(t.due+int64(n)*p.interval(), now)
	t.inMinute = max(t.inMinute+int64(n), 0)
	t.inDay = max(t.inDay+int64(n), 0)
	return t, true
}

// available is how many units can be taken at once.
func (t tally) available(p Plan, now int64) int {
	left := min(int64(p.Burst)-(t.due-now+p.interval()-1)/p.interval(), int64(p.Minute)-t.inMinute)
	if p.Day > 0 {
		left = min(left, int64(p.Day)-t.inDay)
	}
	return int(max(left, 0))
}

// hold lets nothing be taken for a pause. After it the burst comes back evenly.
func (t tally) hold(p Plan, now, pause int64) tally {
	t = t.at(now)
	t.due = max(t.due, now+pause+int64(p.Burst-1)*p.interval())
	return t
}

// verdict says what became of a request that needed n units to be there, after which the tally is this.
func (t tally) verdict(p Plan, now int64, n int, allowed bool) Verdict {
	v := Verdict{
		Plan: p.Name, Limited: true, Allowed: allowed, Limit: p.Minute, Remaining: max(p.Minute-int(t.inMinute), 0),
		ResetsAt: time.UnixMicro((t.minute + 1) * minute).UTC(),
	}
	if left := max(p.Day-int(t.inDay), 0); p.Day > 0 && left < v.Remaining {
		v.Limit, v.Remaining, v.ResetsAt = p.Day, left, time.UnixMicro((t.day+1)*day).UTC()
	}
	if !allowed {
		wait := t.wait(p, now, n)
		v.Remaining, v.ResetsAt, v.RetryAfter = t.available(p, now), time.UnixMicro(now+wait).UTC(), time.Duration(wait)*time.Microsecond
	}
	return v
}
