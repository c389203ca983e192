package server

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// What a document may have. The largest that this service's own clients send, all operations of the back office in
// one document, has less than half of each.
const (
	maxQueryText  = 64 << 10
	maxNameLength = 256

	maxOperations    = 50
	maxFragments     = 50
	maxSpreads       = 200
	maxDepth         = 16 // the usual introspection query has 15
	maxRootFields    = 20
	maxAliases       = 100
	maxDirectives    = 100 // in the document
	maxDirectivesOn  = 5   // on one node
	maxVariables     = 50  // of one operation
	maxArguments     = 20  // of one field
	maxListed        = 100 // in one list of values
	maxValueDepth    = 10
	maxExpanded      = 2000 // fields of an operation, with every fragment written out
	maxIntrospection = 2    // __schema and __type in one operation

	// maxPairs bounds the pairs of fields that answer under one name, which the validator may have to compare.
	maxPairs = 20_000
	// maxVisits bounds the validator's walk: it goes through the fragments again for each definition.
	maxVisits = 40_000
)

// shape is what measuring a document tells.
type shape struct {
	nodes       int
	introspects map[*ast.OperationDefinition]bool
}

// extent is the size of a selection set with its fragments written out.
type extent struct {
	depth, fields, roots, introspection int
}

// beside adds a set that stands in the same place.
func (e *extent) beside(other extent) {
	e.depth = max(e.depth, other.depth)
	e.fields = min(e.fields+other.fields, maxExpanded+1)
	e.roots = min(e.roots+other.roots, maxExpanded+1)
	e.introspection = min(e.introspection+other.introspection, maxExpanded+1)
}

// measurer looks at each node of a document once. Fragments are never written out: the extent of each is kept.
type measurer struct {
	fragments map[string]*ast.FragmentDefinition
	extents   map[string]*extent // nil for a fragment that is being measured
	answers   map[string]int     // how many fields answer under a name; one in inline fragments counts for each of them

	nodes, aliases, directives, spreads int
	err                                 error // the first
}

// measure refuses documents that are larger than they may be.
func measure(doc *ast.QueryDocument) (*shape, error) {
	m := &measurer{fragments: map[string]*ast.FragmentDefinition{}, extents: map[string]*extent{}, answers: map[string]int{}}
	m.limit(len(doc.Operations), maxOperations, "operations")
	m.limit(len(doc.Fragments), maxFragments, "fragments")
	for _, f := range doc.Fragments {
		if m.fragments[f.Name] != nil {
			return nil, invalid("There are two fragments of one name.")
		}
		m.fragments[f.Name] = f
	}
	found := &shape{introspects: map[*ast.OperationDefinition]bool{}}
	for _, op := range doc.Operations {
		size := m.operation(op)
		found.introspects[op] = size.introspection > 0
	}
	for _, f := range doc.Fragments {
		m.fragment(f.Name)
	}
	pairs := 0
	for _, n := range m.answers {
		pairs += n * n
	}
	if pairs > maxPairs {
		m.fail(tooMuch("The document asks for the same fields too often."))
	}
	if m.nodes*(len(doc.Operations)+len(doc.Fragments)) > maxVisits {
		m.fail(tooMuch("The document has too many fields for its operations and fragments. Send them in several documents."))
	}
	found.nodes = m.nodes
	return found, m.err
}

func (m *measurer) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *measurer) limit(n, most int, what string) {
	if n > most {
		m.fail(tooMuch("The document has more than %d %s.", most, what))
	}
}

func (m *measurer) operation(op *ast.OperationDefinition) extent {
	m.limit(len(op.VariableDefinitions), maxVariables, "variables in an operation")
	m.applied(op.Directives)
	for _, v := range op.VariableDefinitions {
		m.applied(v.Directives)
		m.value(v.DefaultValue, 0)
		depth := 0
		for t := v.Type; t != nil && t.Elem != nil; t = t.Elem {
			depth++
		}
		m.limit(depth, maxValueDepth, "levels of lists in a type")
	}
	size := m.set(op.SelectionSet, 0)
	m.limit(size.depth, maxDepth, "levels of fields")
	m.limit(size.roots, maxRootFields, "fields at its root")
	m.limit(size.fields, maxExpanded, "fields, with its fragments written out")
	m.limit(size.introspection, maxIntrospection, "introspections")
	return size
}

// set measures a selection set that stands in so many inline fragments of its field. The validator compares the fields
// of an inline fragment among each other, and again with those around it. After the first refusal there is nothing more
// to find out.
func (m *measurer) set(selections ast.SelectionSet, within int) extent {
	var size extent
	for _, selection := range selections {
		if m.err != nil {
			break
		}
		m.nodes++
		switch it := selection.(type) {
		case *ast.Field:
			size.beside(m.field(it, within))
		case *ast.InlineFragment:
			m.applied(it.Directives)
			size.beside(m.set(it.SelectionSet, within+1))
		case *ast.FragmentSpread:
			m.spreads++
			m.limit(m.spreads, maxSpreads, "fragment spreads")
			m.applied(it.Directives)
			size.beside(m.fragment(it.Name))
		}
	}
	return size
}

func (m *measurer) field(f *ast.Field, within int) extent {
	m.answers[f.Alias] += 1 + within
	if f.Alias != f.Name {
		m.aliases++
		m.limit(m.aliases, maxAliases, "aliases")
	}
	m.applied(f.Directives)
	m.arguments(f.Arguments)
	below := m.set(f.SelectionSet, 0)
	size := extent{depth: below.depth + 1, fields: below.fields + 1, roots: 1, introspection: below.introspection}
	if f.Name == "__schema" || f.Name == "__type" {
		size.introspection++
	}
	return size
}

// fragment is the extent of a fragment, found out once.
func (m *measurer) fragment(name string) extent {
	size, seen := m.extents[name]
	definition := m.fragments[name]
	switch {
	case definition == nil: // the validator says so
		return extent{}
	case seen && size == nil:
		m.fail(invalid("The fragments contain each other in a circle."))
		return extent{}
	case seen:
		return *size
	}
	m.extents[name] = nil
	m.applied(definition.Directives)
	m.limit(len(definition.VariableDefinition), 0, "variables of a fragment")
	found := m.set(definition.SelectionSet, 0)
	m.extents[name] = &found
	return found
}

// applied looks at the directives of one node.
func (m *measurer) applied(directives ast.DirectiveList) {
	m.limit(len(directives), maxDirectivesOn, "directives in one place")
	m.directives += len(directives)
	m.limit(m.directives, maxDirectives, "directives")
	for _, d := range directives {
		m.nodes++
		if d.Name == "defer" { // an answer in parts has no transport here
			m.fail(invalid("@defer is not served. Leave it out."))
		}
		m.arguments(d.Arguments)
	}
}

func (m *measurer) arguments(list ast.ArgumentList) {
	m.limit(len(list), maxArguments, "arguments in one place")
	for _, a := range list {
		m.value(a.Value, 0)
	}
}

func (m *measurer) value(v *ast.Value, depth int) {
	if v == nil || m.err != nil {
		return
	}
	m.nodes++
	m.limit(depth, maxValueDepth, "levels in a value")
	m.limit(len(v.Children), maxListed, "entries in one list")
	for _, child := range v.Children {
		m.value(child.Value, depth+1)
	}
}
