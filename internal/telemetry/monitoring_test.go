package telemetry

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// readDoc is a file under docs.
func readDoc(t *testing.T, path ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "docs"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var metricName = regexp.MustCompile(`\b(?:creditgraph|go|process)_[a-z_]+\b`)

// wantKnown checks that each metric of an expression stands in docs/metrics.md.
func wantKnown(t *testing.T, page, where, expr string) {
	t.Helper()
	names := metricName.FindAllString(expr, -1)
	if len(names) == 0 {
		t.Errorf("%s asks for no metric of ours: %s", where, expr)
	}
	for _, name := range names {
		plain := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"), "_sum")
		if !strings.Contains(page, "| `"+name+"` |") && !strings.Contains(page, "| `"+plain+"` | histogram |") {
			t.Errorf("%s asks for %s, which there is not", where, name)
		}
	}
}

// rule is one alert.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// TestAlertsAreTrue holds the alerts to the metrics, the conditions and the runbook.
func TestAlertsAreTrue(t *testing.T) {
	t.Parallel()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions(readDoc(t, "monitoring", "alerts.yaml"), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	page, runbook, alerts := string(readDoc(t, "metrics.md")), string(readDoc(t, "runbook.md")), map[string]bool{}
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			alerts[r.Alert] = true
			wantKnown(t, page, "the alert "+r.Alert, r.Expr)
			if r.For == "" || r.Annotations["summary"] == "" || r.Labels["severity"] == "" || r.Annotations["runbook"] != "docs/runbook.md#"+r.Alert {
				t.Errorf("%s lacks something: %+v", r.Alert, r)
			}
			if !strings.Contains(runbook, "\n## "+r.Alert+"\n") {
				t.Errorf("the runbook has no section %s", r.Alert)
			}
		}
	}
	for _, c := range Conditions() {
		if !alerts[string(c)] {
			t.Errorf("no alert tells of %s", c)
		}
	}
	for _, section := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(runbook, -1) {
		if !alerts[section[1]] {
			t.Errorf("the runbook's section %s belongs to no alert", section[1])
		}
	}
	for _, name := range metricName.FindAllString(runbook, -1) {
		wantKnown(t, page, "the runbook", name)
	}
}

// TestTheDashboardIsTrue holds the dashboard to the metrics.
func TestTheDashboardIsTrue(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(readDoc(t, "monitoring", "grafana-dashboard.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	page, ids := string(readDoc(t, "metrics.md")), map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("the panel %q is empty, or there are two of it", p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			wantKnown(t, page, "the panel "+p.Title, target.Expr)
		}
	}
	if len(ids) < 20 {
		t.Errorf("only %d panels", len(ids))
	}
}
