package calibration

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is written is read back, from the built-in file and from changed figures.
func TestYAMLReadsBack(t *testing.T) {
	if got, want := string(Belgium().YAML()), string(BelgiumYAML()); got != want {
		t.Error("the figures of the built-in file are not written as that file")
	}
	changed := *Belgium()
	changed.Wage.Minimum2021 = 20001
	for _, f := range []*Figures{Belgium(), &changed} {
		got, err := Parse("copy.yaml", f.YAML())
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != f.Digest() {
			t.Errorf("another digest after writing and reading: %s", cmp.Diff(string(f.encode()), string(got.encode())))
		}
	}
	if changed.Digest() == Belgium().Digest() {
		t.Error("changed figures have the same digest")
	}
}
