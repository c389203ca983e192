package resilient

import (
	"context"
	"testing"
)

// BenchmarkAGuardedCall compares a call that the guards let through with one that they are not around.
func BenchmarkAGuardedCall(b *testing.B) {
	made := newBench(b)
	for name, call := range map[string]func(ctx context.Context) error{
		"guarded": func(ctx context.Context) error {
			_, err := made.guarded.Profiles.Profile(ctx, "id")
			return err
		},
		"bare": func(ctx context.Context) error {
			_, err := made.upstream.Profile(ctx, "id")
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
