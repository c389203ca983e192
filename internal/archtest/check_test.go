package archtest

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// pkg is one package with what the rules ask about. Paths are within the module; imports of other modules
// and of the standard library keep theirs.
type pkg struct {
	path      string
	name      string
	described bool     // it has a package comment
	inits     []string // files with an init function that nobody generated
	imports   []string // of the package itself
	tests     []string // of its test files alone
	own       map[string]bool
}

// check gives one sentence for each departure from the rules, in a fixed order.
func check(packages []pkg, table []rule) []string {
	var found []string
	for _, p := range packages {
		found = append(found, checkImports(p, table)...)
		found = append(found, checkStrangers(p)...)
		if !p.described {
			found = append(found, p.path+" has no package comment")
		}
		if slices.Contains(vague(), p.name) {
			found = append(found, fmt.Sprintf("%s: the name %q does not say what the package holds", p.path, p.name))
		}
		for _, file := range p.inits {
			found = append(found, file+" has an init function: make it a constructor, which a test can call")
		}
	}
	return append(found, checkRows(packages, table)...)
}

// checkImports compares a package's imports with its row.
func checkImports(p pkg, table []rule) []string {
	row := slices.IndexFunc(table, func(r rule) bool { return slices.Contains(r.of, p.path) })
	if row < 0 {
		return []string{p.path + " has no row in the table of imports"}
	}
	var found []string
	for _, name := range p.imports {
		switch {
		case p.own[name]:
			if name != p.path && !matches(table[row].may, name) {
				found = append(found, fmt.Sprintf("%s imports %s; it may import %s", p.path, name, allowed(table[row])))
			}
		case table[row].standardOnly && !isStandard(name):
			found = append(found, fmt.Sprintf("%s imports %s; it may import the standard library alone", p.path, name))
		}
	}
	return found
}

// checkStrangers looks at the imports of tests.
func checkStrangers(p pkg) []string {
	var found []string
	for _, pair := range strangers() {
		for _, name := range p.tests {
			if slices.Contains(pair[0], p.path) && slices.Contains(pair[1], name) {
				found = append(found, fmt.Sprintf("a test of %s imports %s: driver and twin are tested apart", p.path, name))
			}
		}
	}
	return found
}

// checkRows finds rows that name what is no longer there, and packages with two rows.
func checkRows(packages []pkg, table []rule) []string {
	var found []string
	rows := map[string]int{}
	for _, r := range table {
		for _, name := range r.of {
			rows[name]++
			if !slices.ContainsFunc(packages, func(p pkg) bool { return p.path == name }) {
				found = append(found, "the table of imports has a row for "+name+", which does not exist")
			}
			if rows[name] == 2 {
				found = append(found, "the table of imports has two rows for "+name)
			}
		}
	}
	return found
}

// matches reports whether one of the patterns stands for a path.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// allowed is a row for people: what it allows and why.
func allowed(r rule) string {
	list := cmp.Or(strings.Join(r.may, ", "), "nothing of ours")
	if r.because != "" {
		list += " (" + r.because + ")"
	}
	return list
}

// isStandard reports whether an import is of the standard library, whose paths begin without a dot.
func isStandard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".")
}
