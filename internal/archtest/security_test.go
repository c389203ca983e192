package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest   = regexp.MustCompile(`\[((?:Test|Fuzz)\w+)\]\(\.\./([\w/]+)\)`)
	namedModule = regexp.MustCompile(`(?m)^\| ([\w.-]+\.[a-z]+/[\w./-]+) \| (v[\w.-]+) \|`)
)

// TestTheSecurityPageIsTrue holds docs/security.md to the tests and the versions that it names.
func TestTheSecurityPageIsTrue(t *testing.T) {
	t.Parallel()
	page := readText(t, "docs", "security.md")
	threats := between(t, page, "| threat |", "## What is not covered")
	for line := range strings.Lines(threats) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| threat") && !namedTest.MatchString(line) {
			t.Errorf("no test holds %.60s…", line)
		}
	}
	tests := namedTest.FindAllStringSubmatch(page, -1)
	if loose := len(regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(page, -1)); loose != len(tests) || loose < 50 {
		t.Errorf("%d tests are named, %d of them with their folder", loose, len(tests))
	}
	declared := map[string]string{}
	for _, test := range tests {
		name, folder := test[1], test[2]
		if _, read := declared[folder]; !read {
			declared[folder] = testsIn(t, folder)
		}
		if !strings.Contains(declared[folder], "\nfunc "+name+"(") {
			t.Errorf("%s has no test %s", folder, name)
		}
	}
	pinned := readText(t, "go.mod")
	modules := namedModule.FindAllStringSubmatch(page, -1)
	if len(modules) < 10 {
		t.Errorf("only %d modules are named", len(modules))
	}
	for _, module := range modules {
		if !strings.Contains(pinned, module[1]+" "+module[2]+"\n") && !strings.Contains(pinned, module[1]+" "+module[2]+" //") {
			t.Errorf("go.mod does not ask for %s %s", module[1], module[2])
		}
	}
}

// testsIn is the text of a folder's tests.
func testsIn(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func readText(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// between is the part of a text from one mark to another.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, from)
	part, _, ends := strings.Cut(rest, to)
	if !found || !ends {
		t.Fatalf("there is nothing between %q and %q", from, to)
	}
	return part
}
