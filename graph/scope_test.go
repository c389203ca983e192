package graph_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// needed is the scope that a directive names; "" where there is none.
func needed(directives ast.DirectiveList, name string) string {
	if directive := directives.ForName(name); directive != nil {
		return directive.Arguments.ForName("scope").Value.Raw
	}
	return ""
}

// TestNoWayLeadsToATypeWithoutItsScope follows every field from the roots with the scopes that were needed so
// far, and wants the scope of each node's type among them. Whoever sends a mutation sees the operation that it
// became, whatever they may read beside; node, nodes and result ask by the type of what is found.
func TestNoWayLeadsToATypeWithoutItsScope(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	type way struct {
		typ    *ast.Definition
		scopes string
	}
	seen := map[way]bool{}
	var follow func(at way)
	follow = func(at way) {
		if seen[at] {
			return
		}
		seen[at] = true
		for _, field := range at.typ.Fields {
			next := s.Types[field.Type.Name()]
			if next.Kind != ast.Object || strings.HasPrefix(field.Name, "__") {
				continue
			}
			scopes := strings.Fields(at.scopes)
			if scope := needed(field.Directives, "requires"); scope != "" && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
			slices.Sort(scopes)
			own := needed(next.Directives, "nodeScope")
			sent := next.Name == "Operation" && strings.HasSuffix(at.typ.Name, "Payload")
			if own != "" && !sent && !slices.Contains(scopes, own) {
				t.Errorf("%s.%s leads to a %s without %s", at.typ.Name, field.Name, next.Name, own)
			}
			follow(way{next, strings.Join(scopes, " ")})
		}
	}
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		follow(way{typ: root})
	}
	if len(seen) < 60 {
		t.Errorf("only %d ways were followed", len(seen))
	}
}
