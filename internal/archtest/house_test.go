package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/creditgraph/creditgraph"

// root is the module's folder, seen from this package.
var root = filepath.Join("..", "..")

func TestTheHouseKeepsItsRules(t *testing.T) {
	t.Parallel()
	packages, err := load(root, module)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 20 {
		t.Fatalf("only %d packages were found", len(packages))
	}
	for _, problem := range check(packages, rules()) {
		t.Error(problem)
	}
}

func TestFoldersThatMustNotComeToBe(t *testing.T) {
	t.Parallel()
	for folder, meaning := range absent() {
		if _, err := os.Stat(filepath.Join(root, folder)); !os.IsNotExist(err) {
			t.Errorf("%s: %s", folder, meaning)
		}
	}
}

func TestEveryDepartureIsFound(t *testing.T) {
	t.Parallel()
	own := map[string]bool{"a": true, "b": true, "c": true, lending: true, port + "/carbon": true, "internal/sandbox/carbon": true}
	good := func(change func(*pkg)) pkg {
		p := pkg{path: "a", name: "a", described: true, imports: []string{"fmt", "b"}, own: own}
		change(&p)
		return p
	}
	for _, tc := range []struct {
		name   string
		change func(*pkg)
		row    rule
		want   []string
	}{
		{
			name: "nothing is wrong", change: func(*pkg) {}, row: rule{of: []string{"a"}, may: []string{"b"}},
		},
		{
			name: "an import beside the table", change: func(p *pkg) { p.imports = []string{"b", "c"} },
			row: rule{of: []string{"a"}, may: []string{"b"}}, want: []string{"a imports c; it may import b"},
		},
		{
			name: "an import beside a row with a reason", change: func(p *pkg) { p.imports = []string{"c"} },
			row:  rule{of: []string{"a"}, may: []string{"b"}, because: "b is shared"},
			want: []string{"a imports c; it may import b (b is shared)"},
		},
		{
			name: "any import where none is allowed", change: func(*pkg) {},
			row: rule{of: []string{"a"}}, want: []string{"a imports b; it may import nothing of ours"},
		},
		{
			name: "a third-party module in the domain", change: func(p *pkg) { p.imports = []string{"fmt", "github.com/x/y"} },
			row:  rule{of: []string{"a"}, standardOnly: true},
			want: []string{"a imports github.com/x/y; it may import the standard library alone"},
		},
		{
			name: "a package that the table does not know", change: func(*pkg) {}, row: rule{},
			want: []string{"a has no row in the table of imports"},
		},
		{
			name: "a row that no package has", change: func(*pkg) {}, row: rule{of: []string{"a", "gone"}, may: []string{"b"}},
			want: []string{"the table of imports has a row for gone, which does not exist"},
		},
		{
			name: "two rows for one package", change: func(*pkg) {}, row: rule{of: []string{"a", "a"}, may: []string{"b"}},
			want: []string{"the table of imports has two rows for a"},
		},
		{
			name: "no package comment", change: func(p *pkg) { p.described = false },
			row: rule{of: []string{"a"}, may: []string{"b"}}, want: []string{"a has no package comment"},
		},
		{
			name: "a name that says nothing", change: func(p *pkg) { p.name = "util" },
			row:  rule{of: []string{"a"}, may: []string{"b"}},
			want: []string{`a: the name "util" does not say what the package holds`},
		},
		{
			name: "an init function", change: func(p *pkg) { p.inits = []string{"a/a.go"} },
			row:  rule{of: []string{"a"}, may: []string{"b"}},
			want: []string{"a/a.go has an init function: make it a constructor, which a test can call"},
		},
		{
			name: "a driver's test that meets the twin",
			change: func(p *pkg) {
				p.path, p.imports, p.tests = port+"/carbon", nil, []string{"internal/sandbox/carbon"}
			},
			row:  rule{of: []string{port + "/carbon"}},
			want: []string{"a test of internal/provider/carbon imports internal/sandbox/carbon: driver and twin are tested apart"},
		},
		{
			name: "a twin's test that meets the driver",
			change: func(p *pkg) {
				p.path, p.imports, p.tests = "internal/sandbox/carbon", nil, []string{port + "/carbon"}
			},
			row:  rule{of: []string{"internal/sandbox/carbon"}},
			want: []string{"a test of internal/sandbox/carbon imports internal/provider/carbon: driver and twin are tested apart"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, check([]pkg{good(tc.change)}, []rule{tc.row})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAStarStandsForOneStep(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"internal/store": true, "internal/store/storetest": false, "graph": false} {
		if got := matches([]string{"internal/*"}, name); got != want {
			t.Errorf("internal/* matches %s: %t, want %t", name, got, want)
		}
	}
}

func TestPackagesAreReadAsTheyStand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/a.go":            "// Package a is described.\npackage a\n\nimport (\n\t\"fmt\"\n\t\"example.org/m/b\"\n)\n\nfunc init() { fmt.Println(b.B) }\n",
		"a/a_test.go":       "package a\n\nimport \"testing\"\n\nfunc init() {}\n",
		"a/generated.go":    "// Code generated by something. DO NOT EDIT.\n\npackage a\n\nfunc init() {}\n",
		"a/testdata/bad.go": "not Go",
		"b/b.go":            "//go:build never\n\n// something about b\npackage b\n\nconst B = 1\n",
		"c/only_test.go":    "package c\n",
		"cmd/run/main.go":   "// Command run runs.\npackage main\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	packages, err := load(dir, "example.org/m")
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]bool{"a": true, "b": true, "cmd/run": true}
	want := []pkg{
		{path: "a", name: "a", described: true, inits: []string{"a/a.go"}, imports: []string{"fmt", "b"}, tests: []string{"testing"}, own: own},
		{path: "b", name: "b", own: own},
		{path: "cmd/run", name: "main", described: true, own: own},
	}
	if diff := cmp.Diff(want, packages, cmp.AllowUnexported(pkg{})); diff != "" {
		t.Error(diff)
	}
}

func TestAFileThatIsNotGoIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "broken.go"), []byte("not Go"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := load(dir, "example.org/m"); err == nil || !strings.Contains(err.Error(), "broken.go") {
		t.Errorf("got %v; want an error that names broken.go", err)
	}
}
