package server

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	// maxCost is the most that an operation may cost: three times what the customers table costs with its 50 rows.
	maxCost = 10_000
	// mutationCost is what a mutation costs beside its answer.
	mutationCost = 10
	// unsized is how many entries a list has that takes no size.
	unsized = 1
	// defaultPage is how many entries a list has where its size is not given.
	defaultPage = 20
)

// cost is what an operation costs: a field costs one, and what is below a list is there as often as the list has
// entries. It is known before anything is read, and does not depend on what is found.
type cost struct{ requested int }

const costExtension = "cost"

// rememberCost keeps an operation's cost with it.
func rememberCost(op *graphql.OperationContext, c cost) { op.Stats.SetExtension(costExtension, c) }

// costOf is the cost of the operation that ctx belongs to; 0 outside of any, and where it was not found out.
func costOf(ctx context.Context) int {
	if !graphql.HasOperationContext(ctx) {
		return 0
	}
	c, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(costExtension).(cost)
	return c.requested
}

// reportCost tells clients what their operation costs. Events of subscriptions do without.
func reportCost(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if n := costOf(ctx); n > 0 && response != nil && !event.IsDelivering(ctx) {
		if response.Extensions == nil {
			response.Extensions = map[string]any{}
		}
		response.Extensions[costExtension] = map[string]any{"requested": n, "limit": maxCost}
	}
	return response
}

// pricer finds out the cost of one operation. It knows fragments by what they cost, and so looks at each node once.
type pricer struct {
	schema    *ast.Schema
	op        *ast.OperationDefinition
	variables map[string]any
	fragments map[string]int
	doc       *ast.QueryDocument
	sizes     *introspectionSizes
	err       error
}

// price is the cost of an operation, and an error where it is too high or a list too long.
func (g *guard) price(doc *ast.QueryDocument, op *ast.OperationDefinition, variables map[string]any) (cost, error) {
	p := &pricer{schema: g.schema, op: op, variables: variables, doc: doc, fragments: map[string]int{}, sizes: g.sizes}
	root, base := g.schema.Query, 0
	switch op.Operation {
	case ast.Mutation:
		root, base = g.schema.Mutation, mutationCost
	case ast.Subscription:
		root = g.schema.Subscription
	}
	asked := cost{requested: plus(p.set(op.SelectionSet, root), base)}
	if p.err == nil && asked.requested > maxCost {
		p.err = tooMuch("The operation costs %d, and %d is the most. Ask for shorter lists, or in several requests.", asked.requested, maxCost)
	}
	return asked, p.err
}

func (p *pricer) set(selections ast.SelectionSet, parent *ast.Definition) int {
	sum := 0
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			sum = plus(sum, p.field(it, parent))
		case *ast.InlineFragment:
			sum = plus(sum, p.set(it.SelectionSet, p.narrowed(it.TypeCondition, parent)))
		case *ast.FragmentSpread:
			sum = plus(sum, p.fragment(it.Name))
		}
	}
	return sum
}

func (p *pricer) narrowed(condition string, parent *ast.Definition) *ast.Definition {
	if condition == "" {
		return parent
	}
	return p.schema.Types[condition]
}

// fragment is found out once. That fragments make no circle was seen when the document was measured.
func (p *pricer) fragment(name string) int {
	if known, ok := p.fragments[name]; ok {
		return known
	}
	definition := p.doc.Fragments.ForName(name)
	if definition == nil {
		return 0
	}
	sum := p.set(definition.SelectionSet, p.schema.Types[definition.TypeCondition])
	p.fragments[name] = sum
	return sum
}

func (p *pricer) field(f *ast.Field, parent *ast.Definition) int {
	if f.Name == "__schema" || f.Name == "__type" {
		return p.sizes.price(p.doc, f, !introspectsAlone(p.doc, p.op.SelectionSet))
	}
	var definition *ast.FieldDefinition
	if parent != nil {
		definition = parent.Fields.ForName(f.Name)
	}
	if definition == nil { // the validator says so
		return plus(1, p.set(f.SelectionSet, nil))
	}
	entries := p.entries(f, definition)
	return plus(1, times(entries, p.set(f.SelectionSet, p.schema.Types[definition.Type.Name()])))
}

// entries is how often what is below a field is there.
func (p *pricer) entries(f *ast.Field, definition *ast.FieldDefinition) int {
	if definition.Arguments.ForName("ids") != nil {
		return p.length(f.Arguments.ForName("ids"))
	}
	if definition.Arguments.ForName("first") == nil {
		return unsized
	}
	size := 0
	for _, name := range []string{"first", "last"} {
		if n, given := p.number(f.Arguments.ForName(name)); given {
			size = max(size, n)
			if n > lending.MaxPageSize && p.err == nil {
				p.err = invalid("%s: ask for at most %d.", name, lending.MaxPageSize)
			}
		}
	}
	if size <= 0 {
		return defaultPage
	}
	return size
}

// number is the whole number that an argument has, by itself or by a variable. What is none is refused later.
func (p *pricer) number(a *ast.Argument) (n int, given bool) {
	if a == nil || a.Value == nil {
		return 0, false
	}
	var text string
	switch value := p.given(a.Value).(type) {
	case string:
		text = value
	case json.Number:
		text = value.String()
	case float64: // of clients that do not go by our own decoder
		return int(min(value, maxCost)), true
	case int64:
		return int(min(value, maxCost)), true
	}
	number, err := strconv.ParseInt(text, 10, 64)
	return int(min(number, maxCost)), err == nil
}

// given is what a value stands for: the text of a literal, or a variable's value.
func (p *pricer) given(v *ast.Value) any {
	if v.Kind != ast.Variable {
		return v.Raw
	}
	if value, ok := p.variables[v.Raw]; ok {
		return value
	}
	if definition := p.op.VariableDefinitions.ForName(v.Raw); definition != nil && definition.DefaultValue != nil {
		return definition.DefaultValue.Raw
	}
	return nil
}

// length is how many entries a list of ids has; lists too long are refused wherever they stand.
func (p *pricer) length(a *ast.Argument) int {
	switch {
	case a == nil || a.Value == nil:
		return unsized
	case a.Value.Kind == ast.ListValue:
		return len(a.Value.Children)
	}
	if list, ok := p.given(a.Value).([]any); ok {
		return len(list)
	}
	return unsized
}

// plus and times stop above the limit, far below where numbers end.
func plus(a, b int) int { return min(a+b, maxCost*1000) }

func times(n, each int) int { return min(n*each, maxCost*1000) }
