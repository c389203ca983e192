package server

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// visitor is shown the parts of a document that matter here.
type visitor struct {
	directive func(*ast.Directive)
	value     func(*ast.Value)
}

// walk shows a visitor an operation and all fragments of its document.
func walk(op *graphql.OperationContext, v visitor) {
	v.directives(op.Operation.Directives)
	v.selections(op.Operation.SelectionSet)
	for _, fragment := range op.Doc.Fragments {
		v.directives(fragment.Directives)
		v.selections(fragment.SelectionSet)
	}
}

func (v visitor) selections(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			v.arguments(s.Arguments)
			v.directives(s.Directives)
			v.selections(s.SelectionSet)
		case *ast.InlineFragment:
			v.directives(s.Directives)
			v.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			v.directives(s.Directives)
		}
	}
}

func (v visitor) directives(list ast.DirectiveList) {
	for _, d := range list {
		v.directive(d)
		v.arguments(d.Arguments)
	}
}

func (v visitor) arguments(list ast.ArgumentList) {
	for _, argument := range list {
		v.values(argument.Value)
	}
}

func (v visitor) values(value *ast.Value) {
	if value == nil {
		return
	}
	v.value(value)
	for _, child := range value.Children {
		v.values(child.Value)
	}
}

// variableUses counts how often an operation uses each of its variables.
func variableUses(op *graphql.OperationContext) map[string]int {
	uses := map[string]int{}
	walk(op, visitor{directive: func(*ast.Directive) {}, value: func(value *ast.Value) {
		if value.Kind == ast.Variable {
			uses[value.Raw]++
		}
	}})
	return uses
}

// followsOne reports whether a subscription has one field at its root, and one of ours, after what is skipped.
func followsOne(op *graphql.OperationContext) bool {
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	return len(fields) == 1 && !strings.HasPrefix(fields[0].Name, "__")
}

// defers reports whether an operation asks for parts of its answer to come later. gqlgen's schema has the directive;
// no transport here sends a second part.
func defers(op *graphql.OperationContext) (found bool) {
	walk(op, visitor{value: func(*ast.Value) {}, directive: func(d *ast.Directive) { found = found || d.Name == "defer" }})
	return found
}
