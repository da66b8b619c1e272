package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"scramblelab/internal/metric"
	"scramblelab/internal/schema"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
)

var update = flag.Bool("update", false, "rewrite the files under schemas/")

// reportOptions describe report.json, version 1.
func reportOptions() schema.Options {
	texts := func(values ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: values} }
	return schema.Options{
		Title: "report.json",
		Description: "What scramble measured on one release, and the verdict, version 1. It compares with " +
			"confidential originals and is itself confidential. Readers ignore unknown keys.",
		Open: true,
		Types: map[reflect.Type]*jsonschema.Schema{
			reflect.TypeFor[metric.Number]():    {Types: []string{"number", "null"}},
			reflect.TypeFor[metric.Direction](): texts(string(metric.Lower), string(metric.Higher), string(metric.Neither)),
		},
	}
}

// golden compares a generated schema with the one that is shipped.
func golden[T any](t *testing.T, file string, o schema.Options) *jsonschema.Resolved {
	t.Helper()
	got, err := schema.For[T](o)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run go test ./internal/schema -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the types say; if that is meant, run go test ./internal/schema -update (-want +got):\n%s", file, diff)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(want, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReport(t *testing.T) {
	report := golden[metric.Report](t, "../../schemas/report.schema.json", reportOptions())

	r := metric.Report{Version: metric.Version, N: map[string]int64{"employers": 1}, Metrics: []metric.Metric{{
		Name: "attack.employer.nearest.outsider.top1", Row: metric.Missing("", "no periods"), Better: metric.Lower,
		By: []metric.Row{{Group: "size 1-4", Value: 0.5, Low: 0, High: 1}},
	}}, Gates: []metric.Gate{{Metric: "swap.rate", Margin: metric.None}}}
	var b bytes.Buffer
	if err := r.Encode(&b); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	tests := []struct {
		name, why string
		old, new  string // replaced in the good report
		ok        bool
	}{
		{"written by the program", "", "", "", true},
		{"unknown key", "readers ignore unknown keys", `"tool":`, `"later": 1, "tool":`, true},
		{"unknown key in a metric", "", `"name":`, `"later": 1, "name":`, true},
		{"null value", "an absent number", `"low": 0,`, `"low": null,`, true},
		{"text for a number", "", `"low": 0,`, `"low": "0",`, false},
		{"unknown direction", "", `"better": "lower"`, `"better": "up"`, false},
		{"a share of a person", "counts are whole", `"employers": 1`, `"employers": 1.5`, false},
		{"no version", "", `"version": 1,`, ``, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			if tt.old != "" && text == good {
				t.Fatalf("the report has no %q", tt.old)
			}
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			if err := report.Validate(v); (err == nil) != tt.ok {
				t.Errorf("valid is %v (%v), want %v: %s\n%s", err == nil, err, tt.ok, tt.why, text)
			}
		})
	}
}

func TestStrictByDefault(t *testing.T) {
	type step struct {
		Rate float64 `json:"rate"`
	}
	type plan struct {
		Steps []step         `json:"steps"`
		Free  map[string]any `json:"free,omitempty"`
	}
	s, err := schema.Of[plan](schema.Options{Title: "plan"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, ok := range map[string]bool{
		`{"steps": [{"rate": 0.2}]}`:             true,
		`{"steps": [], "free": {"x": [1, "a"]}}`: true,
		`{"steps": [{"rat": 0.2}]}`:              false,
		`{"steps": [], "stps": []}`:              false,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := r.Validate(v); (err == nil) != ok {
			t.Errorf("%s: valid is %v (%v), want %v", text, err == nil, err, ok)
		}
	}
}

type step struct {
	Method string   `yaml:"method" jsonschema:"the method's name"`
	Rate   float64  `yaml:"rate"`
	Same   []string `yaml:"same,omitempty"`
}

type policy struct {
	Gates   map[string]*step `yaml:"gates"`
	Steps   []step           `yaml:"steps"`
	Width   width            `yaml:"width"`
	Skipped int              `yaml:"-"`
}

type width float64 // in YAML a number or the word "auto"

func TestYAML(t *testing.T) {
	s, err := schema.Of[policy](schema.Options{Title: "policy", YAML: true, Types: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[width](): {OneOf: []*jsonschema.Schema{{Type: "number"}, {Enum: []any{"auto"}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Properties["steps"].Items.Properties["method"].Description; got != "the method's name" {
		t.Errorf("the description of a key is %q", got)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text, why string
		ok        bool
	}{
		{`{}`, "every key has a default", true},
		{`{"steps": [{"rate": 0.2}, {"same": ["year"]}]}`, "keys are those of the yaml tags", true},
		{`{"gates": {"a": {"method": "swap"}, "b": null}}`, "maps and pointers", true},
		{`{"width": "auto"}`, "a type with a schema of its own", true},
		{`{"width": "wide"}`, "", false},
		{`{"steps": [{"Rate": 0.2}]}`, "a field's name is no key", false},
		{`{"steps": [{"rat": 0.2}]}`, "a misspelt key", false},
		{`{"Skipped": 1}`, "what yaml skips is no key", false},
	}
	for _, tt := range tests {
		var v any
		if err := json.Unmarshal([]byte(tt.text), &v); err != nil {
			t.Fatal(err)
		}
		if err := r.Validate(v); (err == nil) != tt.ok {
			t.Errorf("%s: valid is %v (%v), want %v: %s", tt.text, err == nil, err, tt.ok, tt.why)
		}
	}

	type untagged struct{ A int }
	if _, err := schema.Of[untagged](schema.Options{YAML: true}); err == nil || !strings.Contains(err.Error(), "untagged.A") {
		t.Errorf("a field without a yaml key gives %v, want an error that names it", err)
	}
	type tree struct {
		Below []tree `yaml:"below"`
	}
	if _, err := schema.Of[tree](schema.Options{YAML: true}); err == nil || !strings.Contains(err.Error(), "holds itself") {
		t.Errorf("a type that holds itself gives %v, want an error", err)
	}
}

func TestRefusesWhatJSONCannotHold(t *testing.T) {
	if _, err := schema.For[struct{ F func() }](schema.Options{Title: "x.json"}); err == nil || !strings.Contains(err.Error(), "x.json") {
		t.Errorf("error is %v, want one that names the format", err)
	}
}
