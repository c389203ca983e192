package main

import (
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/creditgraph/creditgraph/schema"
)

func TestShapesAreValid(t *testing.T) {
	t.Parallel()
	sdl, err := schema.SDL()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []shape{summaryShape, tableShape, pageShape} {
		document, err := parser.ParseQuery(&ast.Source{Input: s.document})
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if errs := validator.ValidateWithRules(parsed, document, rules.NewDefaultRules()); len(errs) > 0 {
			t.Errorf("%s: %v", s.name, errs)
		}
	}
}

func TestAnswersAreComparedButForTheirMoments(t *testing.T) {
	t.Parallel()
	const told = `{"data":{"a":[{"asOf":"2026-01-01T00:00:00Z","n":1}]}}`
	for _, tc := range []struct {
		name, other string
		same        bool
	}{
		{"another moment and more around it", `{"extensions":{},"data":{"a":[{"n":1,"asOf":"2026-02-02T00:00:00Z"}]}}`, true},
		{"another value", `{"data":{"a":[{"asOf":"2026-01-01T00:00:00Z","n":2}]}}`, false},
		{"a field more", `{"data":{"a":[{"n":1,"m":null}]}}`, false},
		{"no JSON", `<html>`, false},
	} {
		if err := same([]byte(told), []byte(tc.other)); (err == nil) != tc.same {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestColdQuestionsAreAboutCustomersWhomNobodyAskedFor(t *testing.T) {
	t.Parallel()
	command := &compareCommand{Rounds: 3, Requests: 10}
	r := &run{command: command, next: pageCustomers}
	for i := range command.need() {
		r.ids, r.cursors = append(r.ids, "id "+strings.Repeat("i", i)), append(r.cursors, "cursor "+strings.Repeat("c", i))
	}
	seen := map[string]bool{}
	for _, m := range command.measurements() {
		for range command.Rounds {
			for _, q := range r.questions(m) {
				if !m.cold {
					continue
				}
				if key := q.id + q.after; key == "" || seen[key] {
					t.Fatalf("%s asks twice: %q", m.name(), key)
				} else {
					seen[key] = true
				}
			}
		}
	}
	if r.next > len(r.ids) {
		t.Errorf("%d customers are asked for, and there are %d", r.next, len(r.ids))
	}
}

func TestARowComparesPerRequest(t *testing.T) {
	t.Parallel()
	graph := figures{requests: 2, cpu: 6 * time.Millisecond, mallocs: 400, bytes: 4000, calls: 4, took: []time.Duration{time.Millisecond, 3 * time.Millisecond}}
	plain := figures{requests: 2, cpu: 2 * time.Millisecond, mallocs: 100, bytes: 1000, calls: 4, took: []time.Duration{time.Millisecond, time.Millisecond}}
	const want = "| x | 3.00 ms | 1.00 ms | **3.0** | 4.0 (200 / 50) | 4.0 | 2.0 / 2.0 | 3.0 / 1.0 | 3.0 / 1.0 |"
	if got := row("x", [2]figures{graph, plain}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
