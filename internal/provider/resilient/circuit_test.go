package resilient

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestWhatOpensACircuit(t *testing.T) {
	t.Parallel()
	kind := func(k lending.ErrorKind) *lending.Error { return &lending.Error{Kind: k, Outcome: lending.NotExecuted} }
	for name, test := range map[string]struct {
		err  *lending.Error
		want provider.CircuitState
	}{
		"5xx":                 {errDown, provider.CircuitOpen},
		"a timeout":           {kind(lending.KindTimeout), provider.CircuitOpen},
		"429":                 {kind(lending.KindRateLimited), provider.CircuitOpen},
		"a lost write":        {kind(lending.KindOutcomeUnknown), provider.CircuitOpen},
		"not purchased":       {kind(lending.KindProviderDisabled), provider.CircuitOpen},
		"no balance":          {kind(lending.KindBalanceExhausted), provider.CircuitOpen},
		"our credentials":     {kind(lending.KindUpstreamAuth), provider.CircuitOpen},
		"validation":          {kind(lending.KindValidation), provider.CircuitClosed},
		"not found":           {kind(lending.KindNotFound), provider.CircuitClosed},
		"a refusal":           {kind(lending.KindUpstreamRejected), provider.CircuitClosed},
		"no KYC":              {kind(lending.KindKYCRequired), provider.CircuitClosed},
		"an odd answer":       {kind(lending.KindUpstreamProtocol), provider.CircuitClosed},
		"under way":           {kind(lending.KindInProgress), provider.CircuitClosed},
		"a caller who left":   {provider.TransportFailure(lending.Carbon, provider.Read, context.Canceled), provider.CircuitClosed},
		"a fault of our own":  {kind(lending.KindInternal), provider.CircuitClosed},
		"a report's late end": {kind(lending.KindReportWindowExpired), provider.CircuitClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, quick, noRetries)
				b.fail(test.err)
				for range 50 {
					b.read(t.Context())
				}
				if got := b.guards.Circuit(lending.Carbon); got != test.want {
					t.Errorf("the circuit is %s, want %s", got, test.want)
				}
				if calls := b.total(); test.want == provider.CircuitOpen && calls != 5 {
					t.Errorf("%d calls went out, want 5", calls)
				}
			})
		})
	}
}

func TestACircuitOpensByRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, noRetries, func(c *Config) {
			c.Circuit = Circuit{FailureRate: 0.5, MinimumCalls: 20, Window: 10 * time.Second, Delay: time.Second}
		})
		b.answer(func(_ context.Context, n int) error {
			if n%5 < 2 {
				return errDown // 40 in a hundred
			}
			return nil
		})
		for range 500 {
			b.read(t.Context())
			time.Sleep(10 * time.Millisecond)
		}
		if b.total() != 500 {
			t.Fatalf("%d of 500 calls went out while less than half failed", b.total())
		}
		b.fail(errDown)
		time.Sleep(11 * time.Second) // out of the window
		for range 19 {
			b.read(t.Context())
		}
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitClosed {
			t.Fatalf("19 calls opened it: %s", got)
		}
		b.read(t.Context())
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitOpen {
			t.Errorf("20 failures left it %s", got)
		}
	})
}

func TestAnOpenCircuitSendsNothingAndTriesWithOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, quick)
		b.fail(errDown)
		for range 5 {
			b.read(t.Context())
		}
		refusedHere(t, b.read(t.Context()), lending.KindUpstreamUnavailable)
		if b.total() != 5 || b.heard.refusals(ReasonCircuit) != 1 {
			t.Fatalf("%d calls, %d refusals told", b.total(), b.heard.refusals(ReasonCircuit))
		}
		// Half open, one call goes out, however many ask; it fails, and none goes out for another delay.
		time.Sleep(1100 * time.Millisecond)
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitHalfOpen {
			t.Errorf("after the delay it is %s", got)
		}
		b.answer(func(context.Context, int) error { time.Sleep(100 * time.Millisecond); return errDown })
		b.storm(t, 100)
		if b.total() != 6 {
			t.Errorf("%d calls went out to try, want 1", b.total()-5)
		}
		b.storm(t, 100)
		if b.total() != 6 {
			t.Error("a failed try did not close the way again")
		}
		// The next try succeeds, and all are let through.
		time.Sleep(1100 * time.Millisecond)
		b.answer(nil)
		for range 10 {
			if e := b.read(t.Context()); e != nil {
				t.Errorf("after the provider came back: %s", e.Detail())
			}
		}
		want := []provider.CircuitState{
			provider.CircuitOpen, provider.CircuitHalfOpen, provider.CircuitOpen, provider.CircuitHalfOpen, provider.CircuitClosed,
		}
		if !slices.Equal(b.heard.states[provider.Read], want) || len(b.heard.states[provider.Write]) != 0 {
			t.Errorf("told %v", b.heard.states)
		}
		if log := b.log.String(); strings.Count(log, "not let through, as too many failed") != 1 || strings.Count(log, "let through again") != 1 {
			t.Errorf("the log says:\n%s", log)
		}
	})
}

// storm reads many times at once.
func (b *bench) storm(t *testing.T, n int) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() { b.read(t.Context()) })
	}
	all.Wait()
}

func TestAnAnswerOfBeforeIsNoTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, quick, noRetries)
		late := make(chan struct{})
		b.answer(func(_ context.Context, n int) error {
			if n == 1 {
				<-late
				return nil
			}
			return errDown
		})
		var all sync.WaitGroup
		all.Go(func() { b.read(t.Context()) })
		synctest.Wait()
		for range 5 {
			b.read(t.Context())
		}
		time.Sleep(1100 * time.Millisecond)
		hang := make(chan struct{})
		b.answer(func(context.Context, int) error { <-hang; return errDown })
		all.Go(func() { b.read(t.Context()) }) // it tries
		synctest.Wait()
		close(late)
		synctest.Wait()
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitHalfOpen {
			t.Errorf("an answer to a call of before the outage made it %s", got)
		}
		close(hang)
		all.Wait()
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitOpen {
			t.Errorf("the try failed, and it is %s", got)
		}
	})
}

func TestATryThatIsGivenUpLeavesTheWayToAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, quick, noRetries)
		b.fail(errDown)
		for range 5 {
			b.read(t.Context())
		}
		time.Sleep(1100 * time.Millisecond)
		b.answer(waits)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		b.read(ctx)
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitOpen {
			t.Errorf("it is %s", got)
		}
		time.Sleep(1100 * time.Millisecond)
		b.answer(nil)
		if e := b.read(t.Context()); e != nil {
			t.Error(e.Detail())
		}
	})
}

func TestTimeoutsOfThoseInAHurryDoNotCount(t *testing.T) {
	t.Parallel()
	for budget, want := range map[time.Duration]provider.CircuitState{
		300 * time.Millisecond: provider.CircuitClosed, 1500 * time.Millisecond: provider.CircuitOpen,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, quick, noRetries)
			b.answer(waits)
			for range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), budget)
				b.read(ctx)
				cancel()
			}
			if got := b.guards.Circuit(lending.Carbon); got != want {
				t.Errorf("after timeouts of %s the circuit is %s, want %s", budget, got, want)
			}
		})
	}
}

func TestClassesHaveCircuitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, quick, noRetries)
		b.fail(errDown)
		for range 5 {
			b.read(t.Context())
		}
		b.answer(nil)
		if e := b.disburse(t.Context()); e != nil {
			t.Errorf("failed reads stopped a write: %s", e.Detail())
		}
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitOpen {
			t.Errorf("the worst of the classes is %s", got)
		}
	})
}

func TestAProviderOutOfReachIsClosedToBothClasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, quick, noRetries)
		b.fail(errRefused)
		for range 5 {
			b.read(t.Context())
		}
		refusedHere(t, b.disburse(t.Context()), lending.KindUpstreamUnavailable)
		time.Sleep(1100 * time.Millisecond)
		b.answer(nil)
		for _, e := range []*lending.Error{b.read(t.Context()), b.disburse(t.Context()), b.read(t.Context())} {
			if e != nil {
				t.Error(e.Detail())
			}
		}
	})
}

// TestASuccessOpensTheWayToTheOtherClass has a write try in vain just before the provider is back.
func TestASuccessOpensTheWayToTheOtherClass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, quick, noRetries)
		b.fail(errRefused)
		for range 5 {
			b.read(t.Context())
		}
		time.Sleep(1100 * time.Millisecond)
		b.disburse(t.Context())
		refusedHere(t, b.disburse(t.Context()), lending.KindUpstreamUnavailable)
		b.answer(nil)
		for _, e := range []*lending.Error{b.read(t.Context()), b.disburse(t.Context())} {
			if e != nil {
				t.Error(e.Detail())
			}
		}
	})
}

func TestASignOfLifeLetsTheNextCallTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, quick, noRetries)
		b.fail(errDown)
		for range 5 {
			b.read(t.Context())
		}
		if err := b.guarded.Pinger.Ping(t.Context()); lending.KindOf(err) != lending.KindUpstreamUnavailable {
			t.Errorf("a ping was not sent: %v", err)
		}
		refusedHere(t, b.read(t.Context()), lending.KindUpstreamUnavailable)
		b.answer(nil)
		if err := b.guarded.Pinger.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if got := b.guards.Circuit(lending.Carbon); got != provider.CircuitHalfOpen {
			t.Errorf("after a sign of life it is %s", got)
		}
		if e := b.read(t.Context()); e != nil {
			t.Error(e.Detail())
		}
	})
}

func TestAProviderWithoutGuardsHasNoCircuit(t *testing.T) {
	t.Parallel()
	if got := newBench(t).guards.Circuit(lending.OnePipe); got != "" {
		t.Errorf("it is %q", got)
	}
}
