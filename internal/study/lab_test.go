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
	if testing.Short() {
		t.Skip("whole studies")
	}
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

// A search screens: it measures less, and what it measures is the same.
func TestScreenJudgesAsMeasureDoes(t *testing.T) {
	if testing.Short() {
		t.Skip("whole studies")
	}
	ctx := context.Background()
	p := parsed(t, "data: {generate: {employers: 100, from: 2014, to: 2017}}\nattack: {targets: 100}\nrelease: {records: 80}")
	lab, err := OpenLab(ctx, p, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, gates := range []string{
		"{metric: 'attack.employer.assignment.*.top1', max: 0.1}, {metric: fidelity.did.overlap, min: 0.3}, {metric: fidelity.margins.level-field-tv, max: 0.1}",
		"{metric: attack.file.k-anonymity.prosecutor.k, min: 3}, {metric: fidelity.cells.share-exact, min: 0.5}",
		"{metric: attack.employer.assignment.outsider.top1, group: years=2, max: 0.1}, {metric: fidelity.wages.conditional-ks, max: 0.1}",
		"{metric: 'attack.*', max: 1, if_missing: skip}, {metric: 'fidelity.heads.*', group: 'years=*', min: 0.1}, {metric: attack.employer.phase-two.on-site.top1, max: 0.5}",
	} {
		pol, err := policy.Parse("p", []byte("gates: ["+gates+"]"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := lab.Measure(ctx, p, pol, 4)
		if err != nil {
			t.Fatal(err)
		}
		got, err := lab.Screen(ctx, p, pol, 4, []string{"fidelity.regression.wage-overlap"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Gates, got.Gates); diff != "" {
			t.Errorf("%s (-measure +screen):\n%s", gates, diff)
		}
		if a, _ := want.Metric("fidelity.regression.wage-overlap"); true {
			if b, ok := got.Metric(a.Name); !ok || !cmp.Equal(a, b) {
				t.Errorf("%s: %s is %v, want %v", gates, a.Name, b.Value, a.Value)
			}
		}
	}
}
