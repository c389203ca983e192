package world

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPermutationIsABijection(t *testing.T) {
	t.Parallel()
	for _, size := range []uint64{1, 2, 3, 1000, 4096, 5000} {
		p := newPermutation(42, size)
		seen := make([]bool, size)
		for n := range size {
			v := p.at(n)
			if v >= size || seen[v] || p.of(v) != n {
				t.Fatalf("size %d: at(%d) = %d, of(%d) = %d", size, n, v, v, p.of(v))
			}
			seen[v] = true
		}
	}
}

func TestPermutationOfLargeSpacesTurnsAround(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]uint64{0, bvnSpace, ninSpace, nigerianSpace, uuidSpace}).Draw(t, "size")
		n := rapid.Uint64().Draw(t, "n")
		if size != 0 {
			n %= size
		}
		p := newPermutation(rapid.Uint64().Draw(t, "key"), size)
		if back := p.of(p.at(n)); back != n {
			t.Fatalf("%d came back as %d", n, back)
		}
	})
}

func TestCodeMovesOnlyTheFirstAndWhoWasInItsPlace(t *testing.T) {
	t.Parallel()
	const size, first = 500, 123
	c := newCode(9, size, first)
	moved := 0
	for n := range uint64(size) {
		if c.of(c.at(n)) != n {
			t.Fatalf("%d came back as %d", n, c.of(c.at(n)))
		}
		if c.at(n) != c.permutation.at(n) {
			moved++
		}
	}
	if c.at(0) != first || moved > 2 {
		t.Errorf("index 0 has %d, and %d moved", c.at(0), moved)
	}
}

func TestTokenTurnsAround(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n")
		if back, ok := parseToken(Token(n)); !ok || back != n {
			t.Fatalf("%d came back as %d, %v", n, back, ok)
		}
	})
}
