package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/creditgraph/creditgraph/graph"
)

// block is a fenced block of a page, in a language.
var block = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// TestGuides holds the pages for users to the schema: their documents are valid and not too dear, their variables go with
// them, the errors table has each code, and what they point to is there.
func TestGuides(t *testing.T) {
	t.Parallel()
	g := newGuard(graph.NewExecutableSchema(graph.Config{}).Schema(), nil)
	for _, name := range []string{"mobile", "web", "analyst"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := readPage(t, filepath.Join("..", "..", "docs", "guides", name+".md"))
			if n := checkDocuments(t, g, page); n == 0 {
				t.Error("the page has no document")
			}
		})
	}
	for _, path := range []string{
		"docs/guides/mobile.md", "docs/guides/web.md", "docs/guides/analyst.md",
		"examples/typescript/README.md", "examples/go/README.md", "examples/curl/README.md", "tools/schema/README.md",
	} {
		checkLinks(t, filepath.Join("..", "..", path))
	}
	table := readPage(t, filepath.Join("..", "..", "docs", "guides", "web.md"))
	for _, code := range g.schema.Types["ErrorCode"].EnumValues {
		if !regexp.MustCompile(`(?m)^\|[^|]*\b` + code.Name + `\b[^|]*\|`).MatchString(table) {
			t.Errorf("the errors table lacks %s", code.Name)
		}
	}
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkDocuments validates the documents of a page, with the variables that follow them, and counts them.
func checkDocuments(t *testing.T, g *guard, page string) (documents int) {
	t.Helper()
	var doc *ast.QueryDocument
	for _, found := range block.FindAllStringSubmatch(page, -1) {
		switch language, text := found[1], found[2]; language {
		case "graphql":
			documents++
			var err error
			if doc, err = parser.ParseQuery(&ast.Source{Input: text}); err != nil {
				t.Fatal(err, text)
			}
			if errs := validator.ValidateWithRules(g.schema, doc, nil); len(errs) > 0 {
				t.Error(errs, text)
			}
			if _, err := g.price(doc, doc.Operations[0], nil); err != nil {
				t.Error(err, text)
			}
		case "json":
			var variables map[string]any
			if err := json.Unmarshal([]byte(text), &variables); err != nil || doc == nil {
				t.Fatal(err, text)
			}
			if _, err := validator.VariableValues(g.schema, doc.Operations[0], variables); err != nil {
				t.Error(err, text)
			}
		}
	}
	return documents
}

// link is one to a file beside the page, perhaps to a heading in it.
var link = regexp.MustCompile(`\]\(([^)#:]*)(?:#([a-z0-9-]+))?\)`)

// checkLinks wants what a page points to.
func checkLinks(t *testing.T, path string) {
	t.Helper()
	for _, found := range link.FindAllStringSubmatch(readPage(t, path), -1) {
		target := filepath.Join(filepath.Dir(path), found[1])
		if found[1] == "" {
			target = path
		}
		if _, err := os.Stat(target); err != nil {
			t.Errorf("%s points to what is not there: %v", path, err)
			continue
		}
		if heading := found[2]; heading != "" && !strings.Contains(headings(readPage(t, target)), "\n"+heading+"\n") {
			t.Errorf("%s points to %s#%s, which is not there", path, found[1], heading)
		}
	}
}

// headings are those of a page in the form that links have, each in a line.
func headings(page string) string {
	var list strings.Builder
	list.WriteString("\n")
	for _, found := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		list.WriteString(strings.ReplaceAll(strings.ToLower(found[1]), " ", "-") + "\n")
	}
	return list.String()
}
