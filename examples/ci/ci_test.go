package ci

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The workflow is YAML with the steps it promises, and names what is there.
func TestWorkflow(t *testing.T) {
	b, err := os.ReadFile("github.yml")
	if err != nil {
		t.Fatal(err)
	}
	var w struct {
		On   map[string]any
		Jobs map[string]struct {
			Steps []struct{ Name, Uses, Run string }
		}
	}
	if err := yaml.Unmarshal(b, &w); err != nil {
		t.Fatal(err)
	}
	var run strings.Builder
	for _, s := range w.Jobs["benchmarks"].Steps {
		run.WriteString(s.Run)
	}
	for _, want := range []string{"bench benchmarks", "--format github", "GOAMD64=v1"} {
		if !strings.Contains(run.String(), want) {
			t.Errorf("no step runs %q", want)
		}
	}
	for _, path := range regexp.MustCompile(`\b(plans/[a-z-]+\.yaml|\./cmd/[a-z]+)`).FindAllString(run.String(), -1) {
		if _, err := os.Stat("../../" + path); err != nil {
			t.Error(err)
		}
	}
}

// The image is built from the Go version that the module asks for.
func TestContainerfile(t *testing.T) {
	b, err := os.ReadFile("Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if m == nil || !strings.Contains(string(b), "golang:"+string(m[1])+" ") {
		t.Errorf("the image is not built with Go %s", m[1])
	}
}
