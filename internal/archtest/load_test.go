package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// load reads all packages of the module in root. It parses the files itself instead of asking the go tool,
// so that files behind build tags count, that code which does not compile yet can be judged, and that the
// cache of test results notices a change.
func load(root, module string) ([]pkg, error) {
	files, err := sources(root)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	byPath := map[string]*pkg{}
	for _, file := range files {
		name := filepath.ToSlash(filepath.Dir(file))
		if byPath[name] == nil {
			byPath[name] = &pkg{path: name, own: own}
		}
		if err := byPath[name].read(root, file, module); err != nil {
			return nil, err
		}
	}
	var list []pkg
	for _, name := range slices.Sorted(maps.Keys(byPath)) {
		if byPath[name].name != "" { // else there are only tests
			own[name] = true
			list = append(list, *byPath[name])
		}
	}
	return list, nil
}

// sources lists the Go files of the module, without what git ignores: that is somebody's scratch.
func sources(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		switch {
		case path == root:
		case entry.IsDir() && isModule(path): // an example, with a go.mod of its own
			return filepath.SkipDir
		case strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"), name == "testdata", name == "node_modules":
			if entry.IsDir() {
				return filepath.SkipDir
			}
		case !entry.IsDir() && filepath.Ext(name) == ".go":
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			files = append(files, relative)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return unignored(root, files), nil
}

// isModule reports whether a folder begins another module.
func isModule(path string) bool {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}

// unignored drops the files that git ignores. Where there is no git, or no repository, none is ignored.
func unignored(root string, files []string) []string {
	command := exec.Command("git", "-C", root, "check-ignore", "--stdin")
	command.Stdin = strings.NewReader(strings.Join(files, "\n"))
	out, err := command.Output()
	if err != nil {
		return files // git also ends with an error when it ignores none of them
	}
	ignored := strings.Split(string(out), "\n")
	return slices.DeleteFunc(files, func(file string) bool { return slices.Contains(ignored, file) })
}

// read adds one file to its package.
func (p *pkg) read(root, file, module string) error {
	source, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	test := strings.HasSuffix(file, "_test.go")
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		name = strings.TrimPrefix(name, module+"/")
		if test {
			p.tests = append(p.tests, name)
		} else if !slices.Contains(p.imports, name) {
			p.imports = append(p.imports, name)
		}
	}
	if test {
		return nil
	}
	p.name = parsed.Name.Name
	p.described = p.described || parsed.Doc != nil && strings.HasPrefix(parsed.Doc.Text(), opening(p.name, p.path))
	if !ast.IsGenerated(parsed) && p.path != "migrations" && slices.ContainsFunc(parsed.Decls, isInit) {
		p.inits = append(p.inits, filepath.ToSlash(file))
	}
	return nil
}

// opening is how godoc wants a package's comment to begin.
func opening(name, path string) string {
	if name == "main" {
		return "Command " + filepath.Base(path) + " "
	}
	return "Package " + name + " "
}

func isInit(declaration ast.Decl) bool {
	function, ok := declaration.(*ast.FuncDecl)
	return ok && function.Recv == nil && function.Name.Name == "init"
}
