package provider_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// broken is a transport's error that knows what became of its request.
type broken struct{ sent, timeout bool }

func (broken) Error() string   { return "broken" }
func (b broken) Sent() bool    { return b.sent }
func (b broken) Timeout() bool { return b.timeout }

// text is an error as its kind, its outcome and whether the same request may succeed later.
func text(e *lending.Error) string {
	return fmt.Sprintf("%s %s %t", e.Kind, e.Outcome, e.Retryable)
}

func TestWhatALostAnswerMeansDependsOnTheCall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err                  error
		read, write, deduped string
	}{
		"nothing was sent": {
			broken{sent: false}, "UPSTREAM_UNAVAILABLE NOT_EXECUTED true", "UPSTREAM_UNAVAILABLE NOT_EXECUTED true", "UPSTREAM_UNAVAILABLE NOT_EXECUTED true",
		},
		"time ran out before anything was sent": {
			broken{sent: false, timeout: true}, "TIMEOUT NOT_EXECUTED true", "TIMEOUT NOT_EXECUTED true", "TIMEOUT NOT_EXECUTED true",
		},
		"cut": {
			broken{sent: true}, "UPSTREAM_UNAVAILABLE NOT_EXECUTED true", "OUTCOME_UNKNOWN UNKNOWN false", "UPSTREAM_UNAVAILABLE UNKNOWN true",
		},
		"time ran out": {
			fmt.Errorf("call: %w", broken{sent: true, timeout: true}), "TIMEOUT NOT_EXECUTED true", "OUTCOME_UNKNOWN UNKNOWN false", "TIMEOUT UNKNOWN true",
		},
		"an error that does not tell": {
			errors.New("?"), "UPSTREAM_UNAVAILABLE NOT_EXECUTED true", "OUTCOME_UNKNOWN UNKNOWN false", "UPSTREAM_UNAVAILABLE UNKNOWN true",
		},
		"a deadline that does not tell": {
			context.DeadlineExceeded, "TIMEOUT NOT_EXECUTED true", "OUTCOME_UNKNOWN UNKNOWN false", "TIMEOUT UNKNOWN true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for class, want := range map[provider.Class]string{provider.Read: test.read, provider.Write: test.write, provider.DedupedWrite: test.deduped} {
				e := provider.TransportFailure(lending.Carbon, class, test.err)
				if got := text(e); got != want || e.Provider != lending.Carbon || !errors.Is(e, test.err) {
					t.Errorf("%s: %s, want %s", class, got, want)
				}
			}
		})
	}
}

func TestWhatAStatusMeans(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][2]string{ // of a read, and of a write
		304: {"UPSTREAM_PROTOCOL NOT_EXECUTED false", "OUTCOME_UNKNOWN UNKNOWN false"},
		400: {"VALIDATION NOT_EXECUTED false", "VALIDATION NOT_EXECUTED false"},
		401: {"UPSTREAM_AUTH NOT_EXECUTED false", "UPSTREAM_AUTH NOT_EXECUTED false"},
		402: {"UPSTREAM_REJECTED NOT_EXECUTED false", "UPSTREAM_REJECTED NOT_EXECUTED false"},
		403: {"UPSTREAM_FORBIDDEN NOT_EXECUTED false", "UPSTREAM_FORBIDDEN NOT_EXECUTED false"},
		404: {"NOT_FOUND NOT_EXECUTED false", "NOT_FOUND NOT_EXECUTED false"},
		405: {"UPSTREAM_PROTOCOL NOT_EXECUTED false", "UPSTREAM_PROTOCOL NOT_EXECUTED false"},
		408: {"UPSTREAM_UNAVAILABLE NOT_EXECUTED true", "OUTCOME_UNKNOWN UNKNOWN false"},
		409: {"CONFLICT NOT_EXECUTED false", "CONFLICT NOT_EXECUTED false"},
		418: {"UPSTREAM_PROTOCOL NOT_EXECUTED false", "UPSTREAM_PROTOCOL NOT_EXECUTED false"},
		422: {"VALIDATION NOT_EXECUTED false", "VALIDATION NOT_EXECUTED false"},
		429: {"RATE_LIMITED NOT_EXECUTED true", "RATE_LIMITED NOT_EXECUTED true"},
		500: {"UPSTREAM_UNAVAILABLE NOT_EXECUTED true", "OUTCOME_UNKNOWN UNKNOWN false"},
		503: {"UPSTREAM_UNAVAILABLE NOT_EXECUTED true", "OUTCOME_UNKNOWN UNKNOWN false"},
	} {
		for i, class := range []provider.Class{provider.Read, provider.Write} {
			e := provider.StatusFailure(lending.Kredete, class, status, 7*time.Second)
			if got := text(e); got != want[i] || e.RetryAfter != 7*time.Second || e.Provider != lending.Kredete {
				t.Errorf("%d of a %s: %s, want %s", status, class, got, want[i])
			}
		}
		if got := text(provider.StatusFailure(lending.Carbon, provider.DedupedWrite, 500, 0)); got != "UPSTREAM_UNAVAILABLE UNKNOWN true" {
			t.Errorf("500 of a deduped write: %s", got)
		}
	}
}

func TestAnAnswerThatMakesNoSenseMayBeOfSomethingDone(t *testing.T) {
	t.Parallel()
	for class, want := range map[provider.Class]string{
		provider.Read: "UPSTREAM_PROTOCOL NOT_EXECUTED false", provider.Write: "OUTCOME_UNKNOWN UNKNOWN false", provider.DedupedWrite: "UPSTREAM_PROTOCOL UNKNOWN true",
	} {
		if got := text(provider.Garbled(lending.Kredete, class, errors.New("?"))); got != want {
			t.Errorf("%s: %s, want %s", class, got, want)
		}
	}
}
