package loader_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/loader"
)

type placeKey struct{}

// TestBatchesAreToldByTheirSize checks that an observer stands around each fetch, and sees counts.
func TestBatchesAreToldByTheirSize(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, tc := range []struct {
		name string
		fail error
	}{{"a batch that succeeds", nil}, {"a batch that fails", broken}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var keys int
			ended := make(chan error, 1)
			observer := func(ctx context.Context, _ string, n int) (context.Context, func(error)) {
				keys = n
				return context.WithValue(ctx, placeKey{}, "inside"), func(err error) { ended <- err }
			}
			var place any
			l := loader.ByKey(func(ctx context.Context, asked []string) (map[string]int, error) {
				place = ctx.Value(placeKey{})
				return map[string]int{"a": 1, "b": 2}, tc.fail
			}, nil, loader.WithObserver(observer), loader.WithWait(time.Second), loader.WithCapacity(2))
			_, errs := l.LoadAll(t.Context(), []string{"a", "b"})
			if (errs != nil) != (tc.fail != nil) {
				t.Fatal(errs)
			}
			select {
			case err := <-ended:
				if !errors.Is(err, tc.fail) || (err == nil) != (tc.fail == nil) {
					t.Errorf("the observer was told %v", err)
				}
			default:
				t.Error("who was answered came before the observer was told")
			}
			if keys != 2 || place != "inside" {
				t.Errorf("%d keys, fetched %v", keys, place)
			}
		})
	}
}
