package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a store that counts its calls.
type shelf struct {
	mu    sync.Mutex
	calls [][]int
	gate  chan struct{} // makes calls wait, where it is set
	began chan struct{} // each call that waits
	err   error
}

// rows are in no order, some twice, some that nobody asked for, and none for a key that 7 divides.
func (s *shelf) rows(keys []int) []int {
	var rows []int
	for _, key := range keys {
		if key%7 != 0 {
			rows = append(rows, key, key)
		}
	}
	slices.Reverse(rows)
	return append(rows, -1)
}

func (s *shelf) fetch(ctx context.Context, keys []int) (map[int]string, error) {
	s.mu.Lock()
	s.calls = append(s.calls, slices.Clone(keys))
	gate, err := s.gate, s.err
	s.mu.Unlock()
	if gate != nil {
		s.began <- struct{}{}
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	found := map[int]string{}
	for _, row := range s.rows(keys) {
		found[row] = fmt.Sprint("value ", row)
	}
	return found, err
}

func (s *shelf) counted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func noSuch(int) error { return lending.NotFound("thing") }

func upTo(n int) []int {
	keys := make([]int, n)
	for i := range keys {
		keys[i] = i + 1
	}
	return keys
}

func TestKeysGetTheirOwnValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.IntRange(0, 30), 0, 60).Draw(t, "keys")
		s := &shelf{}
		l := ByKey(s.fetch, noSuch, WithCapacity(rapid.IntRange(1, 40).Draw(t, "capacity")))
		values, errs := l.LoadAll(t.Context(), keys)
		if len(values) != len(keys) || errs != nil && len(errs) != len(keys) {
			t.Fatalf("%d values and %d errors for %d keys", len(values), len(errs), len(keys))
		}
		for i, key := range keys {
			value, err := l.Load(t.Context(), key)
			if value != values[i] || errs != nil && err != errs[i] {
				t.Fatal("Load and LoadAll differ")
			}
			if key%7 == 0 {
				if value != "" || !lending.IsNotFound(err) {
					t.Fatalf("the missing key gave %q, %v", value, err)
				}
			} else if value != fmt.Sprint("value ", key) || err != nil {
				t.Fatalf("key %d gave %q, %v", key, value, err)
			}
		}
		var fetched []int
		for _, call := range s.calls {
			fetched = append(fetched, call...)
		}
		slices.Sort(fetched)
		if unique := slices.Sorted(maps.Keys(setOf(keys))); !slices.Equal(fetched, unique) {
			t.Fatalf("fetched %v, want each key once: %v", fetched, unique)
		}
	})
}

func setOf(keys []int) map[int]bool {
	set := map[int]bool{}
	for _, key := range keys {
		set[key] = true
	}
	return set
}

func TestABatchTakesWhatComesWithinAMoment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		keys  int
		calls []int // sizes
	}{
		{1, []int{1}},
		{50, []int{50}},
		{250, []int{100, 100, 50}},
	} {
		t.Run(fmt.Sprint(test.keys), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{}
				l := ByKey(s.fetch, noSuch)
				began := time.Now()
				var group sync.WaitGroup
				for _, key := range upTo(test.keys) {
					group.Go(func() {
						if _, err := l.Load(t.Context(), key); (key%7 == 0) != (err != nil) {
							t.Errorf("key %d: %v", key, err)
						}
					})
				}
				group.Wait()
				if took := time.Since(began); took > time.Millisecond {
					t.Errorf("it took %s, want a millisecond at most", took)
				}
				var sizes []int
				for _, call := range s.calls {
					sizes = append(sizes, len(call))
				}
				slices.SortFunc(sizes, func(a, b int) int { return b - a })
				if diff := cmp.Diff(test.calls, sizes); diff != "" {
					t.Errorf("sizes of batches (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAKnownKeyNeedsNeitherTimeNorACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := ByKey(s.fetch, noSuch)
		l.Prime(1, "old")
		l.Prime(1, "primed")
		began := time.Now()
		if value, err := l.Load(t.Context(), 1); value != "primed" || err != nil {
			t.Errorf("got %q, %v", value, err)
		}
		if l.gather != nil || time.Since(began) != 0 || s.counted() != 0 {
			t.Error("a primed key cost something")
		}
		for range 2 {
			if value, _ := l.Load(t.Context(), 2); value != "value 2" {
				t.Errorf("got %q", value)
			}
		}
		l.Prime(2, "newer")
		if value, _ := l.Load(t.Context(), 2); value != "newer" || s.counted() != 1 {
			t.Errorf("got %q after %d calls, want the newer value after one", value, s.counted())
		}
	})
}

func TestAKeyMayBePrimedWhileItIsLoaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ByKey((&shelf{}).fetch, noSuch)
		loaded := make(chan string, 1)
		go func() { value, _ := l.Load(t.Context(), 1); loaded <- value }()
		synctest.Wait()
		l.Prime(1, "primed")
		if value, err := l.Load(t.Context(), 1); value != "primed" || err != nil {
			t.Errorf("got %q, %v", value, err)
		}
		if value := <-loaded; value != "value 1" {
			t.Errorf("who asked before got %q", value)
		}
	})
}

func TestAMissingKeyIsZeroWhereThatIsMeant(t *testing.T) {
	t.Parallel()
	l := ByKey((&shelf{}).fetch, nil)
	if value, err := l.Load(t.Context(), 7); value != "" || err != nil {
		t.Errorf("got %q, %v", value, err)
	}
	values, errs := l.LoadAll(t.Context(), []int{7, 8})
	if diff := cmp.Diff([]string{"", "value 8"}, values); diff != "" || errs != nil {
		t.Errorf("errors %v, values (-want +got):\n%s", errs, diff)
	}
}

func TestAFailureIsTheSameForTheWholeBatch(t *testing.T) {
	t.Parallel()
	down := &lending.Error{Kind: lending.KindUnavailable, Retryable: true}
	for name, test := range map[string]struct {
		err  error
		kind lending.ErrorKind
	}{
		"of a kind":     {fmt.Errorf("store: %w", down), lending.KindUnavailable},
		"of no kind":    {errors.New("boom"), lending.KindInternal},
		"out of time":   {context.DeadlineExceeded, lending.KindTimeout},
		"ended by us":   {context.Canceled, lending.KindUnavailable},
		"no real error": {(*lending.Error)(nil), lending.KindInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ByKey((&shelf{err: test.err}).fetch, noSuch)
			values, errs := l.LoadAll(t.Context(), []int{1, 2, 7})
			if len(errs) != 3 || errs[0] != errs[1] || errs[1] != errs[2] {
				t.Fatalf("errors %v, want one and the same", errs)
			}
			e, ok := errs[0].(*lending.Error)
			if !ok || e.Kind != test.kind || strings.Join(values, "") != "" {
				t.Errorf("got %v and %v, want an error of kind %s and no values", values, errs[0], test.kind)
			}
		})
	}
}

func TestTheFirstCallerMayLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{gate: make(chan struct{}), began: make(chan struct{})}
		l := ByKey(s.fetch, noSuch)
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { _, err := l.Load(ctx, 1); first <- err }()
		synctest.Wait()
		go func() { _, err := l.Load(t.Context(), 2); second <- err }()
		<-s.began
		cancel()
		if err := <-first; lending.KindOf(err) != lending.KindUnavailable {
			t.Errorf("who left got %v", err)
		}
		synctest.Wait()
		select {
		case err := <-second:
			t.Fatalf("the other was answered too early: %v", err)
		default:
		}
		close(s.gate)
		if err := <-second; err != nil {
			t.Errorf("the other got %v", err)
		}
		if s.counted() != 1 {
			t.Errorf("%d calls, want one", s.counted())
		}
		if value, err := l.Load(t.Context(), 1); value != "value 1" || err != nil {
			t.Errorf("the key of who left is %q, %v", value, err)
		}
	})
}

func TestWhoHasLeftAsksForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := ByKey(s.fetch, noSuch)
		ctx, cancel := context.WithCancel(t.Context())
		l.Prime(2, "primed")
		cancel()
		_, err := l.Load(ctx, 1)
		<-time.After(time.Second) // of the bubble's clock: a batch would be over
		if lending.KindOf(err) != lending.KindUnavailable || s.counted() != 0 {
			t.Errorf("got %v after %d calls", err, s.counted())
		}
		if value, err := l.Load(ctx, 2); value != "primed" || err != nil {
			t.Errorf("what is known gave %q, %v", value, err)
		}
		if value, err := l.Load(t.Context(), 1); value != "value 1" || err != nil {
			t.Errorf("the key is spoilt for others: %q, %v", value, err)
		}
	})
}

func TestABatchHasADeadlineAndTheCallersValues(t *testing.T) {
	t.Parallel()
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		l := ByKey(func(ctx context.Context, keys []int) (map[int]string, error) {
			if ctx.Value(key{}) != "trace" {
				t.Error("the caller's values are lost")
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}, noSuch, WithDeadline(time.Second), WithWait(0))
		began := time.Now()
		_, err := l.Load(context.WithValue(t.Context(), key{}, "trace"), 1)
		if lending.KindOf(err) != lending.KindTimeout || time.Since(began) != time.Second {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestAPanicIsAnErrorAndTellsNoKeys(t *testing.T) {
	t.Parallel()
	for name, fetch := range map[string]func(context.Context, []int) (map[int]string, error){
		"panic": func(_ context.Context, keys []int) (map[int]string, error) { panic(fmt.Sprint("key ", keys)) },
		"exit":  func(context.Context, []int) (map[int]string, error) { runtime.Goexit(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text bytes.Buffer
			l := ByKey(fetch, noSuch, WithLogger(slog.New(slog.NewTextHandler(&text, nil))))
			_, errs := l.LoadAll(t.Context(), []int{4711, 4712})
			if len(errs) != 2 || lending.KindOf(errs[0]) != lending.KindInternal || errs[0] != errs[1] {
				t.Errorf("errors %v, want an internal one for both", errs)
			}
			if log := text.String(); (name == "panic") != strings.Contains(log, "panicked") || strings.Contains(log, "471") {
				t.Errorf("the log says %q", log)
			}
		})
	}
}

func TestAPanicInMissingLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	l := ByKey((&shelf{}).fetch, func(int) error { panic("boom") })
	values, errs := l.LoadAll(t.Context(), []int{1, 7, 2})
	if len(errs) != 3 || lending.KindOf(errs[1]) != lending.KindInternal {
		t.Errorf("got %v, %v", values, errs)
	}
}

func TestKeysWithOneWishShareACall(t *testing.T) {
	t.Parallel()
	type wished struct {
		key  int
		wish string
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := map[string]int{}
		apart := func(w wished) (int, string) { return w.key, w.wish }
		g := InGroups(apart, func(_ context.Context, keys []int, wish string) (map[int]string, error) {
			mu.Lock()
			defer mu.Unlock()
			calls[wish] += 1000 + len(keys)
			if wish == "broken" {
				return nil, errors.New("boom")
			}
			found := map[int]string{}
			for _, key := range keys {
				found[key] = fmt.Sprint(wish, key)
			}
			return found, nil
		}, noSuch)
		g.Prime(wished{99, "b"}, "primed")
		var group sync.WaitGroup
		for _, key := range upTo(50) {
			for _, wish := range []string{"a", "b", "broken"} {
				group.Go(func() {
					value, err := g.Load(t.Context(), wished{key, wish})
					if wish == "broken" && err == nil || wish != "broken" && (err != nil || value != fmt.Sprint(wish, key)) {
						t.Errorf("%s %d gave %q, %v", wish, key, value, err)
					}
				})
			}
		}
		group.Wait()
		if value, err := g.Load(t.Context(), wished{99, "b"}); value != "primed" || err != nil {
			t.Errorf("got %q, %v", value, err)
		}
		values, errs := g.LoadAll(t.Context(), []wished{{2, "b"}, {1, "a"}})
		if diff := cmp.Diff([]string{"b2", "a1"}, values); diff != "" || errs != nil {
			t.Errorf("errors %v, values (-want +got):\n%s", errs, diff)
		}
		if diff := cmp.Diff(map[string]int{"a": 1050, "b": 1050, "broken": 1050}, calls); diff != "" {
			t.Errorf("one call of fifty keys for each wish (-want +got):\n%s", diff)
		}
	})
}
