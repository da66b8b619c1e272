package study

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
)

// What a lab measures in memory is what a run writes: the same numbers to the
// last bit, under the same number for a key.
func TestLabMeasuresWhatARunWrites(t *testing.T) {
	ctx := context.Background()
	p, err := plan.Parse("small.yaml", []byte("data: {generate: {employers: 150, from: 2014, to: 2018}}\nattack: {targets: 200}\nrelease: {records: 120}"))
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(5)
	want, err := Run(ctx, p, Options{Out: filepath.Join(t.TempDir(), "out"), Seed: &seed})
	if err != nil {
		t.Fatal(err)
	}
	pol, err := loadPolicy(p.Gates)
	if err != nil {
		t.Fatal(err)
	}
	lab, err := OpenLab(ctx, p, seed, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := lab.Measure(ctx, p, pol, seed)
	if err != nil {
		t.Fatal(err)
	}
	only := map[string]bool{"attack.employer.path.head-count-only.unique": true} // needs no release
	var run []metric.Metric
	for _, m := range want.Metrics {
		if !only[m.Name] {
			run = append(run, m)
		}
	}
	if diff := cmp.Diff(run, got.Metrics); diff != "" {
		t.Errorf("metrics (-run +lab):\n%s", diff)
	}
	if diff := cmp.Diff(want.Gates, got.Gates); diff != "" {
		t.Errorf("gates (-run +lab):\n%s", diff)
	}
	if other, err := lab.Measure(ctx, p, pol, seed+1); err != nil || cmp.Equal(other.Metrics, got.Metrics) {
		t.Errorf("another key measures the same (%v)", err)
	}
}
