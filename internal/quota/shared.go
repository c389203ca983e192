package quota

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/redis/go-redis/v9"
)

// errResting says that Redis was not asked, because it failed shortly before.
var errResting = errors.New("quota: Redis is left alone after failures")

// count is tally.take in Redis, in one step for all replicas and by Redis's own clock, as those of replicas differ.
// A client is one hash, so that it lies on one node of a cluster. What is refused, or asked for 0, changes nothing.
//
// ARGV: units, burst, interval, minute, day, and how many units have to be left. It returns whether the units were taken, the time, and the tally.
var count = redis.NewScript(`
local n, burst, interval = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local perMinute, perDay, need = tonumber(ARGV[4]), tonumber(ARGV[5]), n + tonumber(ARGV[6])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local minute, day = math.floor(now / 60000000), math.floor(now / 86400000000)

local kept = redis.call('HMGET', KEYS[1], 'due', 'minute', 'inMinute', 'day', 'inDay')
local due, inMinute, inDay = math.max(tonumber(kept[1] or '0'), now), 0, 0
if tonumber(kept[2] or '-1') == minute then inMinute = tonumber(kept[3]) end
if tonumber(kept[4] or '-1') == day then inDay = tonumber(kept[5]) end

local taken = 1
if n > 0 and (due + (need - burst) * interval > now or inMinute + need > perMinute or (perDay > 0 and inDay + need > perDay)) then
  taken = 0
elseif n ~= 0 then
  due = math.max(due + n * interval, now)
  inMinute, inDay = math.max(inMinute + n, 0), math.max(inDay + n, 0)
  local whole = function(x) return string.format('%.0f', x) end
  redis.call('HSET', KEYS[1], 'due', whole(due), 'minute', whole(minute), 'inMinute', whole(inMinute), 'day', whole(day), 'inDay', whole(inDay))
  local keep = 120000
  if perDay > 0 then keep = math.ceil(((day + 1) * 86400000000 - now) / 1000) + 120000 end
  redis.call('PEXPIRE', KEYS[1], whole(keep))
end
return {taken, now, due, minute, inMinute, day, inDay}
`)

// pause is tally.hold in Redis. ARGV: burst, interval, and the pause in microseconds.
var pause = redis.NewScript(`
local burst, interval, span = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local free = tonumber(clock[1]) * 1000000 + tonumber(clock[2]) + span + (burst - 1) * interval
if free > tonumber(redis.call('HGET', KEYS[1], 'due') or '0') then
  redis.call('HSET', KEYS[1], 'due', string.format('%.0f', free))
end
local keep = math.ceil(span / 1000) + 120000
if redis.call('PTTL', KEYS[1]) < keep then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', keep)) end
return 1
`)

const (
	// DefaultBudget is how long a request waits for Redis before it is counted here.
	DefaultBudget = 20 * time.Millisecond
	// restAfter failures in a row Redis is left alone for restFor.
	restAfter = 3
	restFor   = time.Second
)

// shared is the count in Redis, within a budget and behind a breaker.
type shared struct {
	client  redis.UniversalClient
	breaker circuitbreaker.CircuitBreaker[any]
	budget  time.Duration
}

func newShared(c Config) *shared {
	s := &shared{client: c.Redis, budget: c.Budget}
	s.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(restAfter).
		WithSuccessThreshold(1).
		WithDelay(restFor).
		OnStateChanged(func(change circuitbreaker.StateChangedEvent) { announce(c, change) }).
		Build()
	return s
}

func announce(c Config, change circuitbreaker.StateChangedEvent) {
	switch {
	case change.NewState == circuitbreaker.ClosedState:
		c.Logger.Info("Redis answers again; rate limits are shared")
	case change.NewState == circuitbreaker.OpenState && change.OldState == circuitbreaker.ClosedState:
		c.Logger.Warn("Redis does not answer; each replica keeps to its share of the plans")
	}
}

// take counts in Redis.
func (s *shared) take(ctx context.Context, key string, p Plan, n, spare int) (Verdict, error) {
	var reply []int64
	err := s.within(ctx, func(ctx context.Context) (err error) {
		reply, err = count.Run(ctx, s.client, []string{key}, n, p.Burst, p.interval(), p.Minute, p.Day, spare).Int64Slice()
		if err == nil && len(reply) != 7 {
			err = fmt.Errorf("a reply of %d numbers", len(reply))
		}
		return err
	})
	if err != nil {
		return Verdict{}, err
	}
	t := tally{due: reply[2], minute: reply[3], inMinute: reply[4], day: reply[5], inDay: reply[6]}
	return t.verdict(p, reply[1], n+spare, reply[0] == 1), nil
}

// hold pauses what is counted in Redis.
func (s *shared) hold(ctx context.Context, key string, p Plan, span time.Duration) error {
	return s.within(ctx, func(ctx context.Context) error {
		return pause.Run(ctx, s.client, []string{key}, p.Burst, p.interval(), span.Microseconds()).Err()
	})
}

// within asks Redis within the budget, unless it is left alone. It is detached from the caller's cancellation, which
// says nothing of Redis.
func (s *shared) within(ctx context.Context, ask func(ctx context.Context) error) error {
	if !s.breaker.TryAcquirePermit() {
		return errResting
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.budget)
	defer cancel()
	if err := ask(ctx); err != nil {
		s.breaker.RecordFailure()
		return fmt.Errorf("quota: redis: %w", err)
	}
	s.breaker.RecordSuccess()
	return nil
}
