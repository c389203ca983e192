package server

import (
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestQueriesAndEventsHaveABudgetAndMutationsNone(t *testing.T) {
	t.Parallel()
	for kind, want := range map[ast.Operation]bool{ast.Query: true, ast.Subscription: true, ast.Mutation: false} {
		ctx := graphql.WithOperationContext(t.Context(), &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: kind}})
		if _, got := provider.BudgetEnd(budgeted(ctx, time.Second)); got != want {
			t.Errorf("a %s has a budget: %t", kind, got)
		}
		if _, got := provider.BudgetEnd(budgeted(ctx, 0)); got {
			t.Errorf("a %s has a budget where none is set", kind)
		}
	}
	if _, got := provider.BudgetEnd(budgeted(t.Context(), time.Second)); got {
		t.Error("there is a budget without an operation")
	}
}
