package cached

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestRedisURLs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		url  string
		kind string
	}{
		{"redis://127.0.0.1:6379/2", "*redis.Client"},
		{"rediss://user:pa55@cache.example:6380", "*redis.Client"},
		{"redis://127.0.0.1:7000?addr=127.0.0.1:7001", "*redis.ClusterClient"},
		{"redis+cluster://127.0.0.1:7000", "*redis.ClusterClient"},
		{"rediss+cluster://127.0.0.1:7000", "*redis.ClusterClient"},
		{"redis://127.0.0.1:26379/0?master_name=main", "*redis.Client"},
		{"http://u:pa55@127.0.0.1", ""},
		{"redis://u:pa55@127.0.0.1:x", ""},
		{"redis://u:pa55@127.0.0.1/none", ""},
		{"redis://u:pa55@127.0.0.1?unheard_of=1", ""},
		{"redis://u:pa55@127.0.0.1?master_name=", ""},
		{"redis+cluster://u:pa55@127.0.0.1?unheard_of=1", ""},
		{"pa55", ""},
		{"", ""},
	} {
		client, err := NewRedis(test.url)
		if test.kind == "" {
			if err == nil || strings.Contains(err.Error(), "pa55") {
				t.Errorf("%s: error %v, want one without the password", test.url, err)
			}
			continue
		}
		if err != nil || fmt.Sprintf("%T", client) != test.kind {
			t.Errorf("%s: %T, %v; want %s", test.url, client, err, test.kind)
			continue
		}
		closeClient(t, client)
	}
}

func TestTheClientTellsFailuresAtOnce(t *testing.T) {
	t.Parallel()
	client, err := NewRedis("redis://127.0.0.1:6379?read_timeout=7s")
	if err != nil {
		t.Fatal(err)
	}
	defer closeClient(t, client)
	o := client.(*redis.Client).Options()
	if o.MaxRetries != 0 || o.DialerRetries != 1 || !o.ContextTimeoutEnabled || o.DialTimeout > time.Second || o.WriteTimeout > time.Second {
		t.Errorf("options %+v", o)
	}
	if o.ReadTimeout != 7*time.Second {
		t.Errorf("the URL's read timeout became %s", o.ReadTimeout)
	}
}
