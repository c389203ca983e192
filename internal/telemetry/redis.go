package telemetry

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
)

// pipelined stands for several commands in one round trip.
const pipelined = "pipeline"

// greeting is what begins a connection.
const greeting = "hello"

// redisHook watches what goes to Redis: commands by their names, and neither keys nor values.
type redisHook struct{ telemetry *Telemetry }

// RedisHook is the hook of a Redis client.
func (t *Telemetry) RedisHook() redis.Hook { return redisHook{t} }

// DialHook implements redis.Hook.
func (h redisHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h redisHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmd)
		h.done(ctx, cmd.Name(), 1, time.Since(began), err)
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h redisHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmds)
		h.done(ctx, pipelined, len(cmds), time.Since(began), err)
		return err
	}
}

func (h redisHook) done(ctx context.Context, command string, count int, took time.Duration, err error) {
	if isAnswer(err) {
		err = nil
	}
	m := h.telemetry.metrics
	m.redisCommands.WithLabelValues(command, outcome(err)).Inc()
	m.redisTook.WithLabelValues(command).Observe(took.Seconds())
	if command == greeting {
		return // of a connection, which is for others too
	}
	if account := tallyOf(ctx); account != nil {
		account.redisTrips.Add(1)
	}
	if tracing := h.telemetry.tracing; tracing.inside(ctx) {
		tracing.after(ctx, "redis "+command, took, err != nil,
			attribute.String("db.operation.name", command), attribute.Int("db.operation.batch.size", count))
	}
}

// isAnswer reports whether an error of go-redis is an answer of Redis that nothing is wrong with: there is no such
// key, or the script has to be sent whole.
func isAnswer(err error) bool {
	return err == nil || errors.Is(err, redis.Nil) || strings.HasPrefix(err.Error(), "NOSCRIPT")
}
