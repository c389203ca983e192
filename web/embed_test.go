package web_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/web"
)

// mostBytes is how much a browser may have to fetch when everything of the explorer is used.
const mostBytes = 2_300_000

// manifest is what the build says of itself.
type manifest struct {
	Sources string
	Files   []string
}

func readManifest(t *testing.T) manifest {
	t.Helper()
	text, err := fs.ReadFile(web.Dist(), "manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Files) < 10 {
		t.Fatalf("the build has %d files: run make web", len(m.Files))
	}
	return m
}

// unpacked is a file of the build as a browser sees it.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	file, err := web.Dist().Open(name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	r, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(text)
}

// TestTheBuildIsOfTheseSources fails when somebody changed the explorer and did not build it.
func TestTheBuildIsOfTheseSources(t *testing.T) {
	t.Parallel()
	if got, want := readManifest(t).Sources, sourcesHash(t); got != want {
		t.Errorf("dist was built from other sources (%.12s, these are %.12s): run make web", got, want)
	}
}

// sourcesHash is what build-tools/sources.mjs computes.
func sourcesHash(t *testing.T) string {
	t.Helper()
	var names []string
	for _, part := range []string{
		"../examples/operations", "build-tools", "index.html", "operations", "package-lock.json", "package.json", "src", "tsconfig.json", "vite.config.ts",
	} {
		err := filepath.WalkDir(filepath.FromSlash(part), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				names = append(names, filepath.ToSlash(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names)
	var lines strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), name)
	}
	sum := sha256.Sum256([]byte(lines.String()))
	return hex.EncodeToString(sum[:])
}

// TestTheBuildIsWhole fails when files are missing, left over or broken.
func TestTheBuildIsWhole(t *testing.T) {
	t.Parallel()
	var got []string
	err := fs.WalkDir(web.Dist(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path != "manifest.json" {
			got = append(got, strings.TrimSuffix(path, ".gz"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := readManifest(t).Files
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the files are not those of the manifest: %s", diff)
	}
	for _, name := range want {
		if unpacked(t, name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
}

// TestTheExplorerIsSmall bounds what a browser fetches, packed as it is sent, when every part of the page is used.
func TestTheExplorerIsSmall(t *testing.T) {
	t.Parallel()
	total := int64(0)
	for _, name := range readManifest(t).Files {
		info, err := fs.Stat(web.Dist(), name+".gz")
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	t.Logf("%d bytes", total)
	if total > mostBytes {
		t.Errorf("the explorer has %d bytes, packed; at most %d are let go", total, mostBytes)
	}
}

// TestThePageNamesOwnFilesAlone holds the page to its policy: no script in the page itself, and nothing from elsewhere.
func TestThePageNamesOwnFilesAlone(t *testing.T) {
	t.Parallel()
	page := unpacked(t, "index.html")
	files := readManifest(t).Files
	named := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(named) < 3 {
		t.Errorf("the page names %d files", len(named))
	}
	for _, match := range named {
		if !slices.Contains(files, strings.TrimPrefix(match[1], "/")) {
			t.Errorf("the page names %s, which is not of the build", match[1])
		}
	}
	for _, script := range regexp.MustCompile(`(?is)<script([^>]*)>(.*?)</script>`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(script[1], "src=") || strings.TrimSpace(script[2]) != "" {
			t.Errorf("the page has a script of its own: %s", script[0])
		}
	}
	if match := regexp.MustCompile(`(?i)<[^>]*\son\w+=|javascript:`).FindString(page); match != "" {
		t.Errorf("the page has a script of its own: %s", match)
	}
	for _, part := range []string{`<html lang="en">`, "<title>", "<noscript>", `name="viewport"`} {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %s", part)
		}
	}
}

// TestLicencesComeAlong asks for those of the packages that carry the page.
func TestLicencesComeAlong(t *testing.T) {
	t.Parallel()
	text := unpacked(t, "LEGAL.txt")
	for _, name := range []string{"graphiql ", "monaco-editor ", "react ", "react-dom ", "graphql ", "graphql-ws ", "@xyflow/react ", "@graphiql/plugin-explorer "} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("LEGAL.txt does not name %s", name)
		}
	}
	if strings.Count(text, "Copyright") < 50 {
		t.Error("LEGAL.txt has few copyright notices")
	}
}

// TestNoRegistryIsNamed keeps addresses of package registries out of the lock file: everybody has their own.
func TestNoRegistryIsNamed(t *testing.T) {
	t.Parallel()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) || !strings.Contains(string(lock), `"integrity"`) {
		t.Error("package-lock.json names a registry, or no hashes")
	}
}
