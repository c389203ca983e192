package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/configuration.md instead of comparing it")

// TestConfigurationPage holds docs/configuration.md to the settings that there are.
func TestConfigurationPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "configuration.md")
	want := configurationPage()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the page is not what the settings say; run make docs\n%s", diff)
	}
}

const pageHead = `# Configuration

<!-- Made from the settings in internal/config by its tests. Change them there and run: make docs -->

Every setting is an environment variable. A file may set them too: ` + "`" + FileVariable + "`" + ` names it, and it holds lines of
` + "`NAME=value`, with `#`" + ` for comments. The environment goes before the file; a name in the file that is no setting is an
error. ` + "`creditgraph config`" + ` prints what is in force, secrets masked.

Without any provider's address the embedded sandbox stands in for all five. Naming one turns it off for all: a
deployment never mixes real and made-up data. A provider without an address or credentials is then NOT_CONFIGURED, and
the rest works.

`

// configurationPage is the text of docs/configuration.md.
func configurationPage() string {
	var page strings.Builder
	page.WriteString(pageHead)
	writeSection(&page, "The service", reflect.TypeFor[Config]())
	for i := range reflect.TypeFor[Config]().NumField() {
		field := reflect.TypeFor[Config]().Field(i)
		if _, embedded := field.Tag.Lookup("embed"); !embedded {
			continue
		}
		title := field.Name
		switch title {
		case "Calls":
			title = "Calls of providers"
		case "Sandbox":
			title = "The embedded sandbox"
		case "Tracing":
			title = "Traces"
		case "IdentityProvider":
			title = "An identity provider of your own"
		}
		writeSection(&page, title, field.Type)
	}
	return strings.TrimSuffix(page.String(), "\n")
}

// writeSection writes the settings that are fields of one struct.
func writeSection(page *strings.Builder, title string, of reflect.Type) {
	fmt.Fprintf(page, "## %s\n\n| variable | default | what it is |\n|---|---|---|\n", title)
	for i := range of.NumField() {
		field := of.Field(i)
		name := field.Tag.Get("env")
		if name == "" {
			continue
		}
		what := strings.ReplaceAll(field.Tag.Get("help"), "|", `\|`)
		if values := field.Tag.Get("enum"); values != "" {
			what += " One of " + strings.ReplaceAll(values, ",", ", ") + "."
		}
		if field.Type == reflect.TypeFor[Secret]() {
			what += " Secret."
		}
		value := ""
		if text := field.Tag.Get("default"); text != "" {
			value = "`" + text + "`"
		}
		fmt.Fprintf(page, "| `%s` | %s | %s |\n", name, value, what)
	}
	page.WriteString("\n")
}
