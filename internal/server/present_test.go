package server_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// errorKinds are all the kinds of errors, read from where they are declared: one that is added is looked at too.
func errorKinds(t *testing.T) []lending.ErrorKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../lending/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []lending.ErrorKind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Kind") {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			word, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, lending.ErrorKind(word))
		}
		return true
	})
	if len(kinds) < 20 {
		t.Fatalf("only %d kinds were found", len(kinds))
	}
	return kinds
}

func TestNoKindOfErrorTellsOurInside(t *testing.T) {
	t.Parallel()
	inside := errors.New(`pq: relation "loans" at 10.0.0.7:5432 secret-9f {"provider":"body"} goroutine 7 [running] /src/store.go:12`)
	for _, kind := range errorKinds(t) {
		for how, wrap := range map[string]func(error) error{
			"plain":   func(err error) error { return err },
			"wrapped": func(err error) error { return fmt.Errorf("secret-9f while listing: %w", err) },
			"joined":  func(err error) error { return errors.Join(inside, err) },
		} {
			t.Run(string(kind)+" "+how, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				b.records.listLoans = func() error {
					return wrap(&lending.Error{Kind: kind, Provider: lending.Kredete, Outcome: lending.NotExecuted, Err: inside})
				}
				got := b.ask(listLoans, nil)
				if got.code() != string(kind) {
					t.Fatalf("answered %s", got.text)
				}
				for _, word := range []string{"secret-9f", "pq:", "10.0.0.7", "relation", "goroutine", ".go", "body"} {
					if strings.Contains(got.text, word) {
						t.Errorf("%q is told: %s", word, got.text)
					}
				}
				told := got.Errors[0]
				if told.Message == "" || told.Extensions["requestId"] != got.header.Get("X-Request-Id") || told.Extensions["retryable"] == nil || told.Extensions["outcome"] == nil {
					t.Errorf("something is missing: %s", got.text)
				}
			})
		}
	}
}
