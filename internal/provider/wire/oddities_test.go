package wire

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// newOddities gives Oddities with what they logged, line by line and without the times.
func newOddities(t *testing.T) (*Oddities, func() []string) {
	t.Helper()
	var log bytes.Buffer
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})
	return NewOddities(slog.New(handler), lending.Carbon), func() []string { return strings.Split(strings.TrimSpace(log.String()), "\n") }
}

func TestEveryOddityIsLoggedOnce(t *testing.T) {
	t.Parallel()
	odd, logged := newOddities(t)
	for range 3 {
		odd.Word("status", "ON_HOLD")
		odd.Word("purpose", "ON_HOLD")
		odd.Word("status", "PAUSED")
		odd.Value("not a time", "createdAt")
		odd.Value("not a time", "updatedAt")
	}
	want := []string{
		`level=WARN msg="unknown word" provider=carbon field=status word=ON_HOLD`,
		`level=WARN msg="unknown word" provider=carbon field=purpose word=ON_HOLD`,
		`level=WARN msg="unknown word" provider=carbon field=status word=PAUSED`,
		`level=WARN msg="not a time" provider=carbon field=createdAt`,
		`level=WARN msg="not a time" provider=carbon field=updatedAt`,
	}
	if diff := cmp.Diff(want, logged()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestOdditiesAreNeverPersonal(t *testing.T) {
	t.Parallel()
	odd, logged := newOddities(t)
	for _, text := range []string{"call Ada 08012345678", "Ngozi Obi", "22370756505", "", strings.Repeat("a", 41)} {
		odd.Word("status", text)
	}
	want := []string{`level=WARN msg="unknown word" provider=carbon field=status word=(withheld)`}
	if diff := cmp.Diff(want, logged()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestOdditiesAreBounded(t *testing.T) {
	t.Parallel()
	odd, logged := newOddities(t)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for n := range 2 * maxOddities {
				odd.Value("not a time", fmt.Sprint("field ", (n+worker)%(2*maxOddities)))
			}
		})
	}
	all.Wait()
	if got := len(logged()); got != maxOddities {
		t.Errorf("%d warnings, want %d", got, maxOddities)
	}
}
