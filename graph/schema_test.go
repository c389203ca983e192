package graph_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/graph/model"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/schema"
)

func loadSchema(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := schema.Files()
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, file := range files {
		sources = append(sources, &ast.Source{Name: file.Name, Input: file.Text})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// definitions are the schema's own types, by name.
func definitions(s *ast.Schema) []*ast.Definition {
	var own []*ast.Definition
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		if !s.Types[name].BuiltIn {
			own = append(own, s.Types[name])
		}
	}
	return own
}

// isOutput reports whether a field has the enum as its type.
func isOutput(s *ast.Schema, enum string) bool {
	for _, def := range definitions(s) {
		if def.Kind != ast.Object {
			continue
		}
		for _, field := range def.Fields {
			if field.Type.Name() == enum {
				return true
			}
		}
	}
	return false
}

func TestNoTypeIsUnbound(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("unbound"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("graph/unbound exists: bind its types in gqlgen.yml")
	}
}

func TestTheWholeSchemaIsOneDocument(t *testing.T) {
	t.Parallel()
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gqlparser.LoadSchema(&ast.Source{Name: "all", Input: sdl}); err != nil {
		t.Error(err)
	}
}

func TestEverythingIsDescribed(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	describe := func(what, description string) {
		if text := strings.TrimSpace(description); text == "" || !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "\".") {
			t.Errorf("%s is not described in a sentence: %q", what, description)
		}
	}
	for _, def := range definitions(s) {
		describe(def.Name, def.Description)
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			describe(def.Name+"."+field.Name, field.Description)
			for _, arg := range field.Arguments {
				describe(def.Name+"."+field.Name+"("+arg.Name+")", arg.Description)
			}
		}
		for _, value := range def.EnumValues {
			describe(def.Name+"."+value.Name, value.Description)
		}
	}
	for _, name := range []string{"requires", "personal", "nodeScope", "ownToken"} {
		directive := s.Directives[name]
		describe("@"+name, directive.Description)
		for _, arg := range directive.Arguments {
			describe("@"+name+"("+arg.Name+")", arg.Description)
		}
	}
}

func TestScalarsSayWhatSpecifiesThem(t *testing.T) {
	t.Parallel()
	for _, def := range definitions(loadSchema(t)) {
		if def.Kind == ast.Scalar && def.Directives.ForName("specifiedBy") == nil {
			t.Errorf("the scalar %s has no @specifiedBy", def.Name)
		}
	}
}

func TestEnumsOfAnswersHaveUnknown(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	for _, def := range definitions(s) {
		if def.Kind == ast.Enum && isOutput(s, def.Name) && def.EnumValues.ForName("UNKNOWN") == nil {
			t.Errorf("the enum %s has no UNKNOWN", def.Name)
		}
	}
}

func TestConnectionsAreAsRelayHasThem(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	want := func(def *ast.Definition, field, typ string) {
		if f := def.Fields.ForName(field); f == nil || f.Type.String() != typ {
			t.Errorf("%s.%s is not a %s", def.Name, field, typ)
		}
	}
	want(s.Types["PageInfo"], "hasNextPage", "Boolean!")
	want(s.Types["PageInfo"], "hasPreviousPage", "Boolean!")
	want(s.Types["PageInfo"], "startCursor", "String")
	want(s.Types["PageInfo"], "endCursor", "String")
	for _, def := range definitions(s) {
		if base, ok := strings.CutSuffix(def.Name, "Connection"); ok {
			want(def, "edges", "["+base+"Edge!]!")
			want(def, "pageInfo", "PageInfo!")
			want(s.Types[base+"Edge"], "node", base+"!")
			want(s.Types[base+"Edge"], "cursor", "String!")
		}
		for _, field := range def.Fields {
			if strings.HasSuffix(field.Type.Name(), "Connection") {
				wantPagingArguments(t, def.Name, field)
			}
		}
	}
}

func wantPagingArguments(t *testing.T, parent string, field *ast.FieldDefinition) {
	t.Helper()
	for name, typ := range map[string]string{"first": "Int", "after": "String", "last": "Int", "before": "String"} {
		arg := field.Arguments.ForName(name)
		if arg == nil || arg.Type.String() != typ {
			t.Errorf("%s.%s has no %s: %s", parent, field.Name, name, typ)
		} else if arg.DefaultValue != nil {
			t.Errorf("%s.%s(%s) has a default, which goes with no other of the four", parent, field.Name, name)
		}
	}
}

func TestNodesAreFoundByTheirKind(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	kinds := []lending.NodeKind{
		lending.CustomerNode, lending.LoanNode, lending.PaymentNode, lending.ScoreNode, lending.ReportNode,
		lending.SupplierNode, lending.DocumentNode, lending.WebhookNode, lending.OperationNode,
		lending.EventNode, lending.ProviderNode,
	}
	var want, got []string
	for _, kind := range kinds {
		want = append(want, string(kind))
	}
	for _, def := range s.GetPossibleTypes(s.Types["Node"]) {
		got = append(got, def.Name)
		scope := ""
		if directive := def.Directives.ForName("nodeScope"); directive != nil {
			scope = directive.Arguments.ForName("scope").Value.Raw
		}
		if needs := model.NodeScope(lending.NodeKind(def.Name)).EnumValue(); needs != scope {
			t.Errorf("%s says @nodeScope(scope: %s) and the code asks for %q", def.Name, scope, needs)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the types that are nodes differ from the kinds of nodes (-want +got):\n%s", diff)
	}
	for _, def := range definitions(s) {
		if def.Kind == ast.Object && def.Fields.ForName("id") != nil && !slices.Contains(def.Interfaces, "Node") {
			t.Errorf("%s has an id and is no Node", def.Name)
		}
	}
}

func TestScopesOfTheSchemaAreThoseOfTokens(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, scope := range model.Scopes() {
		want = append(want, scope.EnumValue())
	}
	for _, value := range loadSchema(t).Types["Scope"].EnumValues {
		got = append(got, value.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-tokens +schema):\n%s", diff)
	}
}

func TestEveryRootFieldNeedsAScope(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	free := []string{"node", "nodes", "viewer", "providers", "providerHealth"} // the first two ask by the type of what is found
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		for _, field := range root.Fields {
			needs := field.Directives.ForName("requires") != nil
			if strings.HasPrefix(field.Name, "__") || slices.Contains(free, field.Name) {
				continue
			}
			if !needs {
				t.Errorf("%s.%s is open to every token", root.Name, field.Name)
			}
		}
	}
}

func TestMutationsHaveOneInputAndAPayload(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	for _, field := range s.Mutation.Fields {
		title := strings.ToUpper(field.Name[:1]) + field.Name[1:]
		if len(field.Arguments) != 1 || field.Arguments[0].Name != "input" || field.Arguments[0].Type.String() != title+"Input!" {
			t.Errorf("%s does not take one input: %sInput!", field.Name, title)
		}
		if field.Type.String() != title+"Payload!" {
			t.Errorf("%s does not give a %sPayload!", field.Name, title)
			continue
		}
		for _, part := range s.Types[title+"Payload"].Fields {
			list := part.Name == "userErrors" || part.Name == "warnings"
			if list != part.Type.NonNull {
				t.Errorf("%sPayload.%s is a %s", title, part.Name, part.Type)
			}
		}
	}
}

func TestPersonalIdentifiersAreMarked(t *testing.T) {
	t.Parallel()
	s := loadSchema(t)
	for _, name := range []string{"Identity.externalId", "Identification.number", "CreditReport.bvn", "Supplier.taxId", "CreditLine.applyUrl", "PayInvoicePayload.redirectUrl", "Document.url"} {
		parent, field, _ := strings.Cut(name, ".")
		if s.Types[parent].Fields.ForName(field).Directives.ForName("personal") == nil {
			t.Errorf("%s is not marked @personal", name)
		}
	}
	for _, def := range definitions(s) {
		if def.Kind != ast.Object {
			continue
		}
		for _, field := range def.Fields {
			word := strings.ToLower(field.Name)
			named := slices.Contains([]string{"bvn", "nin", "pan", "otp", "phone", "mobile", "email"}, word)
			if (named || strings.HasSuffix(word, "accountnumber")) && field.Directives.ForName("personal") == nil {
				t.Errorf("%s.%s is not marked @personal", def.Name, field.Name)
			}
		}
	}
}
