package study

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/policy"
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
		if !only[m.Name] && !strings.HasPrefix(m.Name, "attack.employer.information.") { // explains, and decides nothing
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

// Plans of one lab may recode differently: each sees the data that it recodes.
func TestLabRecodesForEachPlan(t *testing.T) {
	ctx := context.Background()
	const yaml = "data: {generate: {employers: 60, from: 2016, to: 2017}}\nattack: {targets: 20}\nrelease: {records: 40}\nadversaries: [head-count-only]\nscramble: {keep: [], steps: ["
	plain := parsed(t, yaml+"]}")
	broad := parsed(t, yaml+"{method: recode, column: level, file: shipped:level.csv, depth: 2}]}")
	measured := func(base, p plan.Plan) []metric.Metric {
		lab, err := OpenLab(ctx, base, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := lab.Measure(ctx, p, policy.Policy{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return r.Metrics
	}
	for _, p := range []plan.Plan{plain, broad} {
		if diff := cmp.Diff(measured(p, p), measured(broad, p)); diff != "" {
			t.Errorf("in a lab of another plan (-own +other):\n%s", diff)
		}
	}
	if cmp.Equal(measured(plain, plain), measured(plain, broad)) {
		t.Error("recoding changes nothing")
	}
}
