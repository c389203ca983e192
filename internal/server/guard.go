package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	// maxKnownDocuments is the memory that documents found valid may take, in bytes, roughly.
	maxKnownDocuments = 32 << 20
	// nodeBytes is roughly what one node of a parsed document takes.
	nodeBytes = 400
)

// guard stands before the executor, for all transports alike. It looks at a document once, in time that grows
// with its length alone, before the validator (which compares fields with each other) and the executor (which
// expands fragments) come to see it. What it found is kept by the document's text.
type guard struct {
	schema  *ast.Schema
	known   *bounded[*document] // valid documents by their text
	texts   *bounded[string]    // of valid documents, by their hash
	sizes   *introspectionSizes
	trusted *TrustedDocuments // nil where any document may be sent
}

// document is one that was found valid, or is about to be.
type document struct {
	ast   *ast.QueryDocument
	shape *shape
	valid bool
}

func newGuard(schema *ast.Schema, trusted *TrustedDocuments) *guard {
	return &guard{
		schema: schema, sizes: newIntrospectionSizes(schema), trusted: trusted,
		known: newBounded[*document](maxKnownDocuments), texts: newBounded[string](maxPersistedTexts),
	}
}

// around has a transport's operations go by the guard first.
func (g *guard) around(inner graphql.Transport) graphql.Transport { return guardedTransport{inner, g} }

type guardedTransport struct {
	graphql.Transport
	guard *guard
}

// Do implements graphql.Transport.
func (t guardedTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	t.Transport.Do(w, r, guardedExecutor{exec, t.guard})
}

type guardedExecutor struct {
	graphql.GraphExecutor
	guard *guard
}

// CreateOperationContext implements graphql.GraphExecutor.
func (e guardedExecutor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	doc, cost, errs := e.guard.examine(ctx, params)
	if len(errs) > 0 {
		refused := &graphql.OperationContext{RawQuery: params.Query, OperationName: params.OperationName, RecoverFunc: graphql.DefaultRecover}
		rememberCost(refused, cost)
		return refused, errs
	}
	op, errs := e.GraphExecutor.CreateOperationContext(context.WithValue(ctx, documentKey{}, doc), params)
	if len(errs) == 0 {
		errs = checkVariables(e.guard.schema, op)
	}
	op.DisableIntrospection = false // examine has refused it to those who may not
	rememberCost(op, cost)
	return op, errs
}

// examine finds out whether an operation may go on to the executor, and what it costs.
func (g *guard) examine(ctx context.Context, params *graphql.RawParams) (*document, cost, gqlerror.List) {
	if err := g.resolve(params); err != nil {
		return nil, cost{}, told(err)
	}
	if err := checkText(params); err != nil {
		return nil, cost{}, told(err)
	}
	doc, errs := g.read(params.Query)
	if len(errs) > 0 {
		return nil, cost{}, errs
	}
	op := doc.ast.Operations.ForName(params.OperationName)
	if op == nil {
		return nil, cost{}, told(invalid("There is no such operation in the document. Name one of several in operationName."))
	}
	if err := g.mayRun(ctx, doc, op, params.Query); err != nil {
		return nil, cost{}, told(err)
	}
	asked, err := g.price(doc.ast, op, params.Variables)
	if err != nil {
		return nil, asked, told(err)
	}
	if !doc.valid {
		if errs := g.validate(ctx, doc.ast, params.Query); len(errs) > 0 {
			return nil, asked, errs
		}
		doc.valid = true
		g.known.add(params.Query, doc, len(params.Query)+nodeBytes*doc.shape.nodes)
	}
	g.persist(params)
	return doc, asked, nil
}

// read finds a known document, or parses one and measures it.
func (g *guard) read(text string) (*document, gqlerror.List) {
	if doc, ok := g.known.get(text); ok {
		return doc, nil
	}
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxQueryTokens)
	if err != nil {
		return nil, gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
	}
	if len(parsed.Operations) == 0 {
		return nil, told(invalid("The document has no operation. Send a query, a mutation or a subscription."))
	}
	measured, err := measure(parsed)
	if err != nil {
		return nil, told(err)
	}
	return &document{ast: parsed, shape: measured}, nil
}

// mayRun refuses operations that are not for this asker, or not for anybody here.
func (g *guard) mayRun(ctx context.Context, doc *document, op *ast.OperationDefinition, text string) error {
	if g.trusted != nil && !g.trusted.has(doc.ast, op, text) {
		return &lending.Error{Kind: lending.KindForbidden, Outcome: lending.NotExecuted, Message: "Only the operations of this service's manifest are answered here."}
	}
	if doc.shape.introspects[op] && !mayExplore(ctx) {
		return &lending.Error{
			Kind: lending.KindForbidden, Outcome: lending.NotExecuted,
			Message: fmt.Sprintf("Introspection needs the scope %s or %s.", auth.ReadEvents, auth.Operate),
		}
	}
	return nil
}

// mayExplore reports whether who asks may see the schema, by introspection and in hints of the validator: analysts
// and operators, who write queries by hand. Programs have theirs written already.
func mayExplore(ctx context.Context) bool {
	p := auth.From(ctx)
	return p.May(auth.ReadEvents) || p.May(auth.Operate)
}

// maxHinted is the longest text of errors that are told again with hints: a hint is searched for by comparing what
// was sent with every name of the schema, letter by letter.
const maxHinted = 1000

// validate checks a measured document against the schema. Those who may explore are told what they may have meant.
func (g *guard) validate(ctx context.Context, doc *ast.QueryDocument, text string) gqlerror.List {
	errs := validator.ValidateWithRules(g.schema, doc, validationRules(false))
	length := 0
	for _, err := range errs {
		length += len(err.Message)
	}
	if len(errs) == 0 || length > maxHinted || !mayExplore(ctx) {
		return errs
	}
	again, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxQueryTokens)
	if err != nil {
		return errs
	}
	return validator.ValidateWithRules(g.schema, again, validationRules(true))
}

// validationRules are the specification's, with hints or without.
func validationRules(hints bool) *rules.Rules {
	all := rules.NewDefaultRules()
	all.AddRule("IntsHave32Bits", intsHave32Bits)
	if hints {
		return all
	}
	for with, without := range map[string]core.Rule{
		rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		all.ReplaceRule(with, without.RuleFunc)
	}
	return all
}

// checkText refuses what no document or variable of ours can hold.
func checkText(params *graphql.RawParams) error {
	switch {
	case params.Query == "":
		return invalid("Send the query.")
	case len(params.Query) > maxQueryText:
		return tooMuch("The document is longer than %d KB.", maxQueryText>>10)
	case !utf8.ValidString(params.Query):
		return invalid("The document is not UTF-8.")
	case strings.ContainsRune(params.Query, 0):
		return invalid("The document has a NUL character.")
	case len(params.OperationName) > maxNameLength:
		return invalid("The operation's name is too long.")
	}
	return checkValues(params.Variables)
}

// documentKey carries a document from the guard to the executor.
type documentKey struct{}

// handedOver is the executor's cache of documents: it has the one that the guard found valid, and so the executor
// never parses or validates one itself.
type handedOver struct{}

var _ graphql.Cache[*ast.QueryDocument] = handedOver{}

// Get implements graphql.Cache.
func (handedOver) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	doc, ok := ctx.Value(documentKey{}).(*document)
	if !ok {
		return nil, false
	}
	return doc.ast, true
}

// Add implements graphql.Cache. The guard has kept the document already.
func (handedOver) Add(context.Context, string, *ast.QueryDocument) {}

// invalid is an error of what was sent.
func invalid(format string, args ...any) error {
	return &lending.Error{Kind: lending.KindValidation, Outcome: lending.NotExecuted, Message: fmt.Sprintf(format, args...)}
}

// tooMuch is an error of a document that is larger, in one way or another, than documents may be.
func tooMuch(format string, args ...any) error {
	return &lending.Error{Kind: lending.KindComplexityLimit, Outcome: lending.NotExecuted, Message: fmt.Sprintf(format, args...)}
}

// told is an error in the shape in which the executor returns them.
func told(err error) gqlerror.List {
	shown := &gqlerror.Error{Message: err.Error(), Err: err}
	if errors.Is(err, errNotPersisted) {
		shown.Extensions = map[string]any{"code": persistedQueryNotFound}
	}
	return gqlerror.List{shown}
}
