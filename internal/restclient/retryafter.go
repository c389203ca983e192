package restclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter is how long a provider asks us to wait: Retry-After in seconds or as a date, else
// X-RateLimit-Reset in seconds since the epoch. It is between 0 and limit, whatever the headers say: the
// reset in Kredete's own example lies years in the past.
func RetryAfter(h http.Header, now time.Time, limit time.Duration) time.Duration {
	wait, ok := afterHeader(h.Get("Retry-After"), now)
	if !ok {
		wait, ok = resetHeader(h.Get("X-RateLimit-Reset"), now)
	}
	if !ok || wait < 0 {
		return 0
	}
	return min(wait, limit)
}

func afterHeader(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return seconds(n), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now), true
	}
	return 0, false
}

func resetHeader(value string, now time.Time) (time.Duration, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return seconds(n - now.Unix()), true
}

// seconds keeps within a day, so that no header can make a duration overflow.
func seconds(n int64) time.Duration {
	const day = 24 * 60 * 60
	return time.Duration(max(-1, min(n, day))) * time.Second
}
