package provider_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestABudgetBeginsWithTheFirstRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := provider.WithBudget(t.Context(), 2*time.Second)
		time.Sleep(time.Minute) // spent on something else
		first, cancel := provider.WithinBudget(ctx, time.Hour)
		defer cancel()
		began := time.Now()
		time.Sleep(500 * time.Millisecond)
		second, cancelSecond := provider.WithinBudget(ctx, time.Hour)
		defer cancelSecond()
		short, cancelShort := provider.WithinBudget(ctx, time.Second)
		defer cancelShort()
		for name, test := range map[string]struct {
			ctx  context.Context
			want time.Duration
		}{
			"the first read":                  {first, 2 * time.Second},
			"one after it":                    {second, 2 * time.Second},
			"one with less time than is left": {short, 1500 * time.Millisecond},
		} {
			if end, ok := test.ctx.Deadline(); !ok || end.Sub(began) != test.want {
				t.Errorf("%s ends after %s, want %s", name, end.Sub(began), test.want)
			}
		}
	})
}

func TestWhatRunsInTheBackgroundHasNoBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := provider.WithBudget(t.Context(), time.Second)
		if provider.IsBackground(ctx) {
			t.Error("a request counts as background")
		}
		behind := provider.InBackground(ctx)
		if _, ok := provider.BudgetEnd(behind); ok || !provider.IsBackground(behind) {
			t.Error("the background takes from the budget of the request that started it")
		}
		if _, ok := provider.BudgetEnd(t.Context()); ok {
			t.Error("there is a budget where nobody gave one")
		}
	})
}
