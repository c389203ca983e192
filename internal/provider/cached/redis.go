package cached

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ErrRedisURL says that a Redis URL cannot be read. It does not repeat the URL, which holds a password.
var ErrRedisURL = errors.New("not a Redis URL: use redis:// or rediss:// with host:port and /database, " +
	"with addr=host:port for each further node of a cluster (or the scheme redis+cluster://), " +
	"or master_name=name for sentinels")

// Bounds for a client that is shared by reads with a budget and by subscriptions that wait.
const (
	dialTimeout = 500 * time.Millisecond
	ioTimeout   = time.Second
	poolTimeout = 100 * time.Millisecond
)

// NewRedis makes a client under which a context's deadline holds and a failure is told at once: no
// retries, one dial, short timeouts. (With go-redis's own defaults a Redis that refuses connections costs
// seconds a call.) The URL may set an option of its own, by go-redis's names. No connection is made yet.
func NewRedis(redisURL string) (redis.UniversalClient, error) {
	u, err := url.Parse(redisURL)
	if err != nil || u.Host == "" {
		return nil, ErrRedisURL // err repeats the URL
	}
	scheme, cluster := strings.CutSuffix(u.Scheme, "+cluster")
	u.Scheme = scheme
	switch {
	case cluster || u.Query().Has("addr"):
		return newCluster(u)
	case u.Query().Has("master_name"):
		return newFailover(u)
	}
	return newSingle(u)
}

func newSingle(u *url.URL) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, ErrRedisURL
	}
	bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
	orDefault(&o.MaxRetries, -1)
	orDefault(&o.DialerRetries, 1)
	orDefault(&o.Protocol, 2)
	o.ContextTimeoutEnabled, o.DisableIdentity = true, true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o), nil
}

func newCluster(u *url.URL) (redis.UniversalClient, error) {
	o, err := redis.ParseClusterURL(u.String())
	if err != nil {
		return nil, ErrRedisURL
	}
	bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
	orDefault(&o.MaxRetries, -1)
	orDefault(&o.DialerRetries, 1)
	orDefault(&o.Protocol, 2)
	o.ContextTimeoutEnabled, o.DisableIdentity = true, true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClusterClient(o), nil
}

func newFailover(u *url.URL) (redis.UniversalClient, error) {
	o, err := redis.ParseFailoverURL(u.String())
	if err != nil || o.MasterName == "" {
		return nil, ErrRedisURL
	}
	bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
	orDefault(&o.MaxRetries, -1)
	orDefault(&o.DialerRetries, 1)
	orDefault(&o.Protocol, 2)
	o.ContextTimeoutEnabled, o.DisableIdentity = true, true
	return redis.NewFailoverClient(o), nil
}

// bound sets the timeouts that the URL did not.
func bound(dial, read, write, pool *time.Duration) {
	orDefault(dial, dialTimeout)
	orDefault(read, ioTimeout)
	orDefault(write, ioTimeout)
	orDefault(pool, poolTimeout)
}

// RouteRedisLog sends what go-redis logs by itself, which goes to standard error otherwise, to logger, at
// debug level: what it means to the service is logged by the cache. go-redis has one logger for all of a
// process: call this once, before any client is made.
func RouteRedisLog(logger *slog.Logger) { redis.SetLogger(redisLog{logger}) }

type redisLog struct{ logger *slog.Logger }

// Printf takes a line of go-redis.
func (l redisLog) Printf(ctx context.Context, format string, values ...any) {
	l.logger.DebugContext(ctx, "redis client", "detail", fmt.Sprintf(format, values...))
}
