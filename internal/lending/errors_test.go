package lending_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var errorKinds = []lending.ErrorKind{
	lending.KindUnauthenticated, lending.KindForbidden, lending.KindNotFound, lending.KindValidation,
	lending.KindKYCRequired, lending.KindConflict, lending.KindKeyReused, lending.KindInProgress,
	lending.KindOTPRequired, lending.KindRateLimited, lending.KindProviderDisabled, lending.KindBalanceExhausted,
	lending.KindReportWindowExpired, lending.KindUpstreamAuth, lending.KindUpstreamForbidden,
	lending.KindUpstreamRejected, lending.KindUpstreamProtocol, lending.KindUpstreamUnavailable,
	lending.KindTimeout, lending.KindOutcomeUnknown, lending.KindCursorExpired, lending.KindComplexityLimit,
	lending.KindUnavailable, lending.KindInternal,
}

func TestTheTextOfAnErrorNeverHoldsItsCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("secret of the cause")
	for _, kind := range append(errorKinds, "", "SOMETHING") {
		for _, provider := range append(lending.Providers(), "", lending.ProviderUnknown) {
			for _, message := range []string{"", "Said in public."} {
				e := &lending.Error{Kind: kind, Provider: provider, Message: message, Err: cause}
				failure := lending.FailureOf(fmt.Errorf("call: %w", e))
				for _, text := range []string{e.Error(), failure.Message} {
					if strings.Contains(text, "secret") || !strings.HasSuffix(text, ".") || strings.HasPrefix(text, " ") {
						t.Errorf("%s at %q says %q", kind, provider, text)
					}
					if message != "" && text != message {
						t.Errorf("%s says %q, not its own message", kind, text)
					}
				}
				if !errors.Is(e, cause) || !strings.Contains(e.Detail(), "secret") {
					t.Errorf("%s has lost its cause", kind)
				}
			}
		}
	}
}

func TestATextNamesTheProvider(t *testing.T) {
	t.Parallel()
	for _, kind := range []lending.ErrorKind{lending.KindRateLimited, lending.KindTimeout, lending.KindUpstreamUnavailable, lending.KindOutcomeUnknown} {
		if text := (&lending.Error{Kind: kind, Provider: lending.OnePipe}).Error(); !strings.Contains(text, "OnePipe") {
			t.Errorf("%s says %q", kind, text)
		}
	}
}

func TestEveryErrorHasAKind(t *testing.T) {
	t.Parallel()
	typed := &lending.Error{Kind: lending.KindConflict, ProviderCode: "E7", Retryable: true}
	for _, test := range []struct {
		name string
		err  error
		kind lending.ErrorKind
	}{
		{"none", nil, ""},
		{"typed", typed, lending.KindConflict},
		{"wrapped", fmt.Errorf("a: %w", fmt.Errorf("b: %w", typed)), lending.KindConflict},
		{"joined", errors.Join(errors.New("x"), typed), lending.KindConflict},
		{"another", errors.New("secret"), lending.KindInternal},
	} {
		if got := lending.KindOf(test.err); got != test.kind {
			t.Errorf("%s: kind %q, want %q", test.name, got, test.kind)
		}
	}
	if lending.AsError(nil) != nil || lending.FailureOf(nil) != nil {
		t.Error("no error became one")
	}
	other := errors.New("secret")
	e := lending.AsError(other)
	if !errors.Is(e, other) || e.Outcome != lending.OutcomeUnknown || strings.Contains(e.Error(), "secret") {
		t.Errorf("another error became %#v", e)
	}
	want := &lending.Failure{Kind: lending.KindConflict, Message: typed.Error(), Retryable: true, ProviderCode: "E7"}
	if diff := cmp.Diff(want, lending.FailureOf(typed)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestErrorsThatAreMadeInOneCall(t *testing.T) {
	t.Parallel()
	e := lending.NotFound("customer")
	if !lending.IsNotFound(fmt.Errorf("x: %w", e)) || lending.IsNotFound(nil) || lending.IsNotFound(errors.New("x")) ||
		e.Error() != "There is no such customer." || e.Outcome != lending.NotExecuted {
		t.Errorf("NotFound made %#v", e)
	}
	problem := lending.Problem{Kind: lending.KindValidation, Field: []string{"input", "amount"}}
	if v := lending.Invalid(problem); v.Kind != lending.KindValidation || len(v.Problems) != 1 || v.Outcome != lending.NotExecuted {
		t.Errorf("Invalid made %#v", v)
	}
}
