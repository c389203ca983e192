package cached

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestNothingPersonalStandsInRedis(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		const phone = "+2348031234567"
		b := newBench(t, s.on(t, nil))
		b.read(phone)
		b.reader.Evict(t.Context(), phone)
		b.read(phone)
		b.settle(t)
		client := s.client(t)
		keys := s.keys(t, client)
		if len(keys) != 2 {
			t.Fatalf("keys %v, want an entry and a mark", keys)
		}
		for _, key := range keys {
			value, err := client.Get(t.Context(), key).Result()
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{phone, phone + " v2", "1990-02-28", string(testSecret), "kredete"} {
				for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
					if strings.Contains(key, form) || strings.Contains(value, form) {
						t.Errorf("Redis holds %q", secret)
					}
				}
			}
			if ttl := client.TTL(t.Context(), key).Val(); ttl < staleFor || ttl > 2*staleFor {
				t.Errorf("a key lives for %s, want a little over %s", ttl, staleFor)
			}
		}
	})
}

func TestAReplyForAnotherKeyIsNotUsed(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		b := newBench(t, s.on(t, nil))
		b.read("mine", "theirs")
		b.settle(t)
		client := s.client(t)
		theirs, err := client.Get(t.Context(), b.cache.far.entryKey(b.reader.slot("theirs"))).Result()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Set(t.Context(), b.cache.far.entryKey(b.reader.slot("mine")), theirs, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		expect(t, b.read("mine")[0], lending.SourceFresh, "mine v2", "")
		if b.tally.discards(DiscardOtherOwner) != 1 {
			t.Error("the misdelivered entry was not counted")
		}
	})
}

func TestADamagedEntryIsLoadedAnew(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		client := s.client(t)
		for i, damage := range []func(value string) string{
			func(string) string { return "x" },
			func(value string) string { return value[:len(value)-1] },
			func(value string) string { return value[:60] + string([]byte{value[60] ^ 1}) + value[61:] },
		} {
			b := newBench(t, s.on(t, nil))
			key := fmt.Sprint("k", i)
			b.read(key)
			b.settle(t)
			entry := b.cache.far.entryKey(b.reader.slot(key))
			value, err := client.Get(t.Context(), entry).Result()
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Set(t.Context(), entry, damage(value), time.Hour).Err(); err != nil {
				t.Fatal(err)
			}
			expect(t, b.read(key)[0], lending.SourceFresh, key+" v2", "")
			if b.tally.discards(DiscardDamaged) != 1 {
				t.Error("the damaged entry was not counted")
			}
		}
	})
}

func TestAnotherSecretOrShapeSeesNothing(t *testing.T) {
	t.Parallel()
	onRedis(t, func(t *testing.T, s server) {
		a := newBench(t, s.on(t, nil))
		a.read("k")
		a.settle(t)
		b := newBench(t, s.on(t, nil), func(cfg *Config, _ *Spec[person]) { cfg.KeySecret = []byte("the secret of another deployment") })
		expect(t, b.read("k")[0], lending.SourceFresh, "k v1", "")

		type newPerson struct {
			person
			Email string `json:"email"`
		}
		r := NewReader(a.cache, Spec[newPerson]{
			Name: "kredete.profile", Soft: soft, Hard: hard,
			Load: func(context.Context, string) (newPerson, error) { return newPerson{Email: "e"}, nil },
		})
		if got := r.Read(t.Context(), []string{"k"}, lending.Freshness{})[0]; got.Status != lending.SourceFresh || got.Value.Email != "e" {
			t.Errorf("a release with another shape got %s %v", got.Status, got.Value)
		}
		a.settle(t)
		r.Evict(t.Context(), "k")
		expect(t, a.read("k")[0], lending.SourceFresh, "k v2", "") // an eviction counts for each release
	})
}
