package cached

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	rediscache "github.com/go-redis/cache/v9"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func testCodec(t *testing.T) *codec {
	t.Helper()
	keys, err := newKeyring(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	return &codec{keys: keys, pack: rediscache.New(&rediscache.Options{})}
}

func TestASealedEnvelopeOpensForItsOwnSlotAlone(t *testing.T) {
	t.Parallel()
	c := testCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		mine := slot{id: c.keys.identify("read", rapid.String().Draw(t, "key")), space: &space{shape: "one"}}
		want := &envelope{
			Payload:    rapid.SliceOf(rapid.Byte()).Draw(t, "payload"),
			NotFound:   rapid.Bool().Draw(t, "not found"),
			FetchedAt:  rapid.Int64().Draw(t, "fetched"),
			SoftUntil:  rapid.Int64().Draw(t, "soft"),
			HardUntil:  rapid.Int64().Draw(t, "hard"),
			KeepUntil:  rapid.Int64().Draw(t, "keep"),
			Generation: rapid.String().Draw(t, "generation"),
		}
		data, err := c.seal(mine, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.open(mine, data)
		if err != nil {
			t.Fatal(err)
		}
		if got.Payload == nil {
			got.Payload = []byte{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if until, ok := keptUntil(data); !ok || until.UnixNano() != want.KeepUntil {
			t.Fatalf("kept until %s, %t", until, ok)
		}
		if len(want.Payload) > 8 && bytes.Contains(data, want.Payload) {
			t.Fatal("the payload stands in the clear")
		}
		other := slot{id: c.keys.identify("read", "another"+rapid.String().Draw(t, "other")), space: mine.space}
		if _, err := c.open(other, data); other.id != mine.id && !errors.Is(err, errOtherOwner) {
			t.Fatalf("another's slot: %v", err)
		}
		if _, err := c.open(slot{id: mine.id, space: &space{shape: "two"}}, data); err == nil {
			t.Fatal("it opens for another shape")
		}
		place := rapid.IntRange(0, len(data)-1).Draw(t, "place")
		damaged := bytes.Clone(data)
		damaged[place] ^= byte(rapid.IntRange(1, 255).Draw(t, "damage"))
		if _, err := c.open(mine, damaged); err == nil {
			t.Fatalf("it opens with byte %d changed", place)
		}
		if _, err := c.open(mine, data[:place]); err == nil {
			t.Fatalf("it opens when cut to %d bytes", place)
		}
	})
}

func TestNamesOfEntriesDoNotRunTogether(t *testing.T) {
	t.Parallel()
	c := testCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		joined := []rune(a + b)
		cut := rapid.IntRange(0, len(joined)).Draw(t, "cut")
		x, y := string(joined[:cut]), string(joined[cut:])
		if same := c.keys.identify(a, b) == c.keys.identify(x, y); same != (a == x && b == y) {
			t.Fatalf("%q %q and %q %q: same is %t", a, b, x, y, same)
		}
	})
}

func TestJitterStaysWithinATenthAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dice := rapid.Int64Range(0, 200).Draw(t, "dice")
		shorter := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(48*time.Hour)).Draw(t, "shorter"))
		longer := shorter + time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "more"))
		for _, d := range []time.Duration{shorter, longer} {
			if got := jittered(d, dice); got > d+d/10 || got < d-d/10-time.Microsecond {
				t.Fatalf("%s became %s", d, got)
			}
		}
		if jittered(shorter, dice) > jittered(longer, dice) {
			t.Fatal("the shorter became the longer")
		}
	})
}

func TestAgesAreSpread(t *testing.T) {
	t.Parallel()
	dice := int64(0)
	b := newBench(t, func(cfg *Config, _ *Spec[person]) {
		cfg.Rand = func(n int64) int64 { dice = (dice + 68) % n; return dice }
	})
	ends := map[int64]bool{}
	for range 10 {
		ends[b.reader.envelope(nil, b.clock.now(), "").HardUntil] = true
	}
	if len(ends) < 8 {
		t.Errorf("ten entries end at %d moments", len(ends))
	}
}

func TestTheShapeFollowsTheFields(t *testing.T) {
	t.Parallel()
	type node struct {
		Next *node `json:"next"`
		M    map[string]lending.Money
	}
	type v1 struct {
		A int `json:"a"`
	}
	seen := map[string]string{}
	for name, shape := range map[string]string{
		"int": shapeOf(reflect.TypeFor[int]()), "string": shapeOf(reflect.TypeFor[string]()),
		"recursive": shapeOf(reflect.TypeFor[node]()),
		"a struct":  shapeOf(reflect.TypeFor[v1]()),
		"its slice": shapeOf(reflect.TypeFor[[]v1]()),
		"another tag": shapeOf(reflect.TypeFor[struct {
			A int `json:"b"`
		}]()),
		"another type": shapeOf(reflect.TypeFor[struct {
			A int64 `json:"a"`
		}]()),
		"another field": shapeOf(reflect.TypeFor[struct {
			A int `json:"a"`
			B int
		}]()),
	} {
		if other, taken := seen[shape]; taken {
			t.Errorf("%s and %s have one shape", name, other)
		}
		seen[shape] = name
	}
	if seen[shapeOf(reflect.TypeFor[v1]())] != "a struct" {
		t.Error("one type has two shapes")
	}
}

func TestTheLocalTierIsBoundedAndForgets(t *testing.T) {
	t.Parallel()
	c, clock := testCodec(t), newClock()
	near, err := newLocal(2, clock.now)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, lives time.Duration) {
		data, err := c.seal(slot{id: key, space: &space{}}, &envelope{KeepUntil: clock.now().Add(lives).UnixNano()})
		if err != nil {
			t.Fatal(err)
		}
		near.Set(key, data)
	}
	has := func(keys ...string) string {
		var got []string
		for _, key := range keys {
			if _, ok := near.Get(key); ok {
				got = append(got, key)
			}
		}
		return strings.Join(got, " ")
	}
	put("a", time.Hour)
	put("b", time.Minute)
	has("a")
	put("c", time.Hour)
	if got := has("a", "b", "c"); got != "a c" {
		t.Errorf("it keeps %q, want the two used last", got)
	}
	put("b", time.Minute)
	clock.advance(time.Minute)
	if got := has("b"); got != "" {
		t.Error("an entry outlives its end")
	}
	put("a", time.Hour)
	put("late", 0)
	put("later", -time.Hour)
	if got := has("a", "c"); got != "a c" {
		t.Errorf("entries past their end took the room of others: it keeps %q", got)
	}
	near.Set("raw", []byte("not sealed"))
	near.Set("empty", nil)
	if got := has("late", "raw", "empty"); got != "" {
		t.Errorf("it keeps %q", got)
	}
	near.Del("c")
	if got := has("a", "b", "c"); got != "" && got != "a" {
		t.Errorf("it keeps %q", got)
	}
	if _, err := newLocal(0, clock.now); err == nil {
		t.Error("a tier without room was made")
	}
	if _, err := newLeases(0); err == nil {
		t.Error("leases without room were made")
	}
}

func TestLogsHoldNoKeys(t *testing.T) {
	t.Parallel()
	const key = "+2348031234567"
	var text bytes.Buffer
	b := newBench(t, func(cfg *Config, s *Spec[person]) {
		cfg.Logger = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	b.reader.spec.Load = nil // calling it panics
	b.read(key)
	b.settle(t)
	b.cache.Stop()
	if log := text.String(); !strings.Contains(log, "a load panicked") || strings.Contains(log, key) {
		t.Errorf("the log says: %s", log)
	}
	redisLog{slog.New(slog.NewTextHandler(io.MultiWriter(&text), &slog.HandlerOptions{Level: slog.LevelDebug}))}.Printf(t.Context(), "%s after %d", "failed", 3)
	if !strings.Contains(text.String(), fmt.Sprintf("detail=%q", "failed after 3")) {
		t.Error("what go-redis logs is lost")
	}
}
