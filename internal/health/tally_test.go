package health

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// latencies draws some, of all sizes.
func latencies(t *rapid.T, name string) []time.Duration {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, 1<<rapid.IntRange(1, 28).Draw(t, "size")).Draw(t, "us")) * time.Microsecond
	}), 1, 300).Draw(t, name)
}

func tallied(list []time.Duration) *Tally {
	var t Tally
	for i, took := range list {
		t.add(took, i%7 == 0)
	}
	return &t
}

func TestQuantilesAreAtMostASixteenthTooLong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := latencies(t, "latencies")
		tally := tallied(list)
		slices.Sort(list)
		for _, part := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
			rank := 0
			for float64(rank+1) < part*float64(len(list)) {
				rank++
			}
			exact, got := list[rank], tally.Quantile(part)
			most := min(exact+exact/steps+time.Microsecond, list[len(list)-1])
			if exact > (longestIn-1)*time.Microsecond/2 {
				most = list[len(list)-1]
			}
			if got < exact || got > most {
				t.Fatalf("the quantile %v of %d calls is %s, want %s and at most %s", part, len(list), got, exact, most)
			}
		}
	})
}

func TestTalliesOfReplicasMergeToTheTallyOfAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := latencies(t, "a"), latencies(t, "b")
		merged, want := tallied(a), tallied(append(slices.Clone(a), b...))
		merged.Merge(tallied(b))
		merged.Merge(&Tally{})
		merged.Faults, want.Faults = 0, 0 // which of them failed depends on their place
		if diff := cmp.Diff(want, merged, cmp.AllowUnexported(Tally{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestATallyTravels(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := tallied(latencies(t, "latencies"))
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Tally
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, &got, cmp.AllowUnexported(Tally{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestATallyThatDoesNotAddUpIsRefused(t *testing.T) {
	t.Parallel()
	const good = `{"calls":3,"faults":1,"shortest":5,"longest":9,"bins":[[5,2],[9,1]]}`
	var kept Tally
	if err := json.Unmarshal([]byte(good), &kept); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"more faults than calls":  {`"faults":1`, `"faults":4`},
		"calls in no bin":         {`"calls":3`, `"calls":4`},
		"a bin that is not there": {`[9,1]`, `[384,1]`},
		"a negative count":        {`[9,1]`, `[9,-1]`},
		"the wrong way round":     {`"shortest":5`, `"shortest":10`},
		"a time before time":      {`"shortest":5`, `"shortest":-5`},
		"more than can be":        {`"longest":9`, `"longest":9223372036854775807`},
		"very many":               {`"calls":3`, `"calls":18446744073709551615`},
		"no object":               {good, `[]`},
	} {
		before := kept
		if err := json.Unmarshal([]byte(strings.Replace(good, change[0], change[1], 1)), &kept); err == nil || kept != before {
			t.Errorf("%s: taken in as %+v", name, kept.Calls)
		}
	}
}

func TestABinSaysVeryManySoonerThanItBeginsAnew(t *testing.T) {
	t.Parallel()
	bin := uint32(1<<32 - 3)
	count(&bin, 1)
	count(&bin, 9)
	if bin != 1<<32-1 {
		t.Errorf("it says %d", bin)
	}
}
