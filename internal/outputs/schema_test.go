package outputs

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"scramblelab/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the files under schemas/")

// TestSchemas: the schemas that are shipped say what the types say.
func TestSchemas(t *testing.T) {
	report, err := schema.For[Report](schema.Options{
		Title: "outputs report.json", Open: true,
		Description: "What scramble outputs found in files that shall leave the building, version 1. Confidential. Readers ignore unknown keys.",
	})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := schema.For[Rules](schema.Options{
		Title: "rules file", YAML: true,
		Description: "What the files of an output check are and what is asked of them. Read strictly: unknown keys are errors.",
	})
	if err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string][]byte{"outputs.schema.json": report, "rules.schema.json": rules} {
		path := "../../schemas/" + file
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v; run go test ./internal/outputs -update", err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s is not what the types say; if that is meant, run go test ./internal/outputs -update (-want +got):\n%s", file, d)
		}
	}
	// A report that the program writes keeps to its schema.
	w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
	r, err := w.run("out", "counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Encode(&b); err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(report, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if err := resolved.Validate(v); err != nil {
		t.Error(err)
	}
}
