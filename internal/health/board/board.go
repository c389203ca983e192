// Package board is where replicas tell each other, over Redis, how providers do for them. Without Redis each knows
// what it measured itself.
package board

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/health"
)

const (
	// staleAfter a replica that has told nothing counts as gone.
	staleAfter = 10 * time.Second
	// repeatAfter a replica tells again what has not changed.
	repeatAfter = 3 * time.Second
	// freshFor is how long what was read is not read again, and a Redis that failed not asked again.
	freshFor = time.Second
	// DefaultBudget is how long somebody waits for Redis.
	DefaultBudget = 50 * time.Millisecond
	// patience is how long Redis may take where nobody waits for it.
	patience = 500 * time.Millisecond

	maxReplicas = 64
	maxReport   = 64 << 10 // bytes
	version     = 1
)

// publish puts a replica's report onto the board, with Redis's time, and takes those off that are stale.
//
// ARGV: replica, report, staleAfter in milliseconds.
var publish = redis.NewScript(`
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at = tonumber(string.match(all[i + 1], '^(%d+):') or '0')
  if math.abs(now - at) > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. ':' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`)

// others gives the reports of all other replicas that are there, each after its age in milliseconds.
//
// ARGV: replica, staleAfter in milliseconds, most replicas.
var others = redis.NewScript(`
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local all, found = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local at, report = string.match(all[i + 1], '^(%d+):(.*)$')
  local age = now - tonumber(at or '0')
  if all[i] ~= ARGV[1] and math.abs(age) <= tonumber(ARGV[2]) and #found < 2 * tonumber(ARGV[3]) then
    found[#found + 1] = math.max(age, 0)
    found[#found + 1] = report
  end
end
return found
`)

// Config is what a board is made of.
type Config struct {
	Redis     redis.UniversalClient
	KeySecret []byte // names the board, so that deployments which share a Redis have each their own
	Budget    time.Duration
	Clock     func() time.Time
	Logger    *slog.Logger
}

// Board is one replica's place at the board. It is safe for concurrent use.
type Board struct {
	client  redis.UniversalClient
	key     string
	replica string
	budget  time.Duration
	now     func() time.Time
	log     *slog.Logger

	mu      sync.Mutex
	failing map[string]bool // by what was tried
	told    []byte          // what was last published, and when
	toldAt  time.Time       // zero before
	known   []health.Report
	knownAt time.Time     // when it was read
	readAt  time.Time     // when a read last ended, well or not; zero before
	reading chan struct{} // closed when the read under way is over; nil without one
}

// New makes a board. It makes no connection, and has nothing to stop.
func New(c Config) *Board {
	mac := hmac.New(sha256.New, c.KeySecret)
	mac.Write([]byte("health"))
	return &Board{
		client: c.Redis, key: "creditgraph:health:" + hex.EncodeToString(mac.Sum(nil)[:8]), replica: rand.Text(),
		budget: cmp.Or(c.Budget, DefaultBudget), now: c.Clock, log: c.Logger,
		failing: map[string]bool{},
	}
}

// sheet is a report on its way. Times within are by the replica's clock, as At is.
type sheet struct {
	Version   int           `json:"version"`
	At        time.Time     `json:"at"`
	Providers health.Report `json:"providers"`
}

// Publish tells the others, unless they know it already. It waits no longer than the budget; what is lost is told
// with the next report.
func (b *Board) Publish(ctx context.Context, own health.Report) {
	now := b.now()
	body, err := json.Marshal(own)
	if err != nil || len(body) > maxReport {
		b.log.ErrorContext(ctx, "the health of providers cannot be written down for other replicas", "bytes", len(body), "error", fmt.Sprint(err))
		return
	}
	b.mu.Lock()
	known := bytes.Equal(body, b.told) && !b.toldAt.IsZero() && now.Sub(b.toldAt) < repeatAfter
	b.mu.Unlock()
	if known {
		return
	}
	text, err := json.Marshal(sheet{Version: version, At: now, Providers: own})
	if err == nil {
		err = run(ctx, max(b.budget, patience), func(ctx context.Context) error {
			return publish.Run(ctx, b.client, []string{b.key}, b.replica, text, staleAfter.Milliseconds()).Err()
		})
	}
	b.note(ctx, "tell", err)
	if err == nil {
		b.mu.Lock()
		b.told, b.toldAt = body, now
		b.mu.Unlock()
	}
}

// Withdraw takes this replica's report off the board, before it would count as gone.
func (b *Board) Withdraw(ctx context.Context) {
	b.note(ctx, "tell", run(ctx, max(b.budget, patience), func(ctx context.Context) error {
		return b.client.HDel(ctx, b.key, b.replica).Err()
	}))
}

// Others are what other replicas have told, by our clock; none where that cannot be known. Many who ask at the
// same time ask Redis once.
func (b *Board) Others(ctx context.Context) []health.Report {
	b.mu.Lock()
	if !b.readAt.IsZero() && b.now().Sub(b.readAt) < freshFor {
		defer b.mu.Unlock()
		return b.known
	}
	wait := b.reading
	if wait == nil {
		b.reading = make(chan struct{})
		b.mu.Unlock()
		return b.read(ctx)
	}
	b.mu.Unlock()
	select { // the one who reads is bound by the budget
	case <-wait:
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known
}

// read asks Redis on behalf of all who wait.
func (b *Board) read(ctx context.Context) []health.Report {
	found, err := b.fetch(ctx)
	b.note(ctx, "hear", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readAt = b.now()
	switch {
	case err == nil:
		b.known, b.knownAt = found, b.readAt
	case b.readAt.Sub(b.knownAt) > staleAfter: // one answer that was late is no reason to forget them all
		b.known = nil
	}
	close(b.reading)
	b.reading = nil
	return b.known
}

var errReply = errors.New("board: an odd reply")

func (b *Board) fetch(ctx context.Context) ([]health.Report, error) {
	var reply []any
	err := run(ctx, b.budget, func(ctx context.Context) (err error) {
		reply, err = others.Run(ctx, b.client, []string{b.key}, b.replica, staleAfter.Milliseconds(), maxReplicas).Slice()
		return err
	})
	if err != nil {
		return nil, err
	}
	var found []health.Report
	for i := 0; i+1 < len(reply); i += 2 {
		age, isAge := reply[i].(int64)
		text, isText := reply[i+1].(string)
		if !isAge || !isText {
			return nil, errReply
		}
		report, err := b.open(text, time.Duration(age)*time.Millisecond)
		if err != nil { // of another version of this service, or not ours
			b.log.DebugContext(ctx, "another replica's report cannot be read", "error", err.Error())
			continue
		}
		found = append(found, report)
	}
	return found, nil
}

var errSheet = errors.New("board: not a report of this version")

// open reads a report that was put there some time ago, by its writer's clock, and tells it by ours.
func (b *Board) open(text string, age time.Duration) (health.Report, error) {
	var s sheet
	if len(text) > 2*maxReport {
		return nil, errSheet
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, err
	}
	if s.Version != version {
		return nil, errSheet
	}
	apart := b.now().Add(-age).Sub(s.At)
	for name, measured := range s.Providers {
		if !name.Valid() || !measured.Valid() {
			return nil, errSheet
		}
		measured.Shift(apart)
	}
	return s.Providers, nil
}

// run does one thing in Redis within a budget, detached from the caller's cancellation, which says nothing of Redis.
func run(ctx context.Context, budget time.Duration, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	defer cancel()
	return do(ctx)
}

// note tells once when what is tried with Redis begins to fail, and once when it goes well again.
func (b *Board) note(ctx context.Context, tried string, err error) {
	b.mu.Lock()
	changed := b.failing[tried] != (err != nil)
	b.failing[tried] = err != nil
	b.mu.Unlock()
	switch {
	case changed && err != nil:
		b.log.WarnContext(ctx, "Redis does not answer; the health of providers is not shared", "tried", tried, "error", err.Error())
	case changed:
		b.log.InfoContext(ctx, "Redis answers again; the health of providers is shared", "tried", tried)
	}
}
