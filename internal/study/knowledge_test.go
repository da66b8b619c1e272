package study

import (
	"context"
	"path/filepath"
	"testing"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/release"
)

// TestIntruderIsToldWhatIsPublic: a release of workers is a sample of every
// employer's staff, which the manifest says and the intruder uses; and a swap
// that leaves an employer's figures alone is no remedy.
func TestIntruderIsToldWhatIsPublic(t *testing.T) {
	if testing.Short() {
		t.Skip("three studies")
	}
	run := func(text string) (*metric.Report, release.Manifest) {
		t.Helper()
		p, err := plan.Parse("t.yaml", []byte("data: {generate: {employers: 300, from: 2013, to: 2017, world: productivity}}\nadversaries: [outsider, head-count-only]\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		seed, out := uint64(5), filepath.Join(t.TempDir(), "out")
		r, err := Run(context.Background(), p, Options{Out: out, Seed: &seed})
		if err != nil {
			t.Fatal(err)
		}
		m, err := release.ReadManifest(filepath.Join(out, "release"))
		if err != nil {
			t.Fatal(err)
		}
		return r, m
	}
	top1 := func(r *metric.Report, adversary string) metric.Row {
		m, ok := r.Metric("attack.employer.assignment." + adversary + ".top1")
		if !ok {
			t.Fatal("no such metric")
		}
		return m.Row
	}
	workers, manifest := run("release: {unit: worker, records: 3000}\n")
	if want := float64(workers.N["records"]) / float64(workers.N["selection"]); manifest.SampleShare != want {
		t.Errorf("sample_share is %v, want %v: the share of workers drawn", manifest.SampleShare, want)
	}
	if o, h := top1(workers, "outsider"), top1(workers, "head-count-only"); o.High < h.Low {
		t.Errorf("with workers sampled the outsider names %v, less than head counts alone: %v", o.Value, h.Value)
	}
	const levels = "scramble:\n  keep: []\n  steps:\n    - {method: random-swap, unit: row, bundle: [level, field], rate: 0.9, same: [year], scope: across-employers}\n"
	one, _ := run(levels)
	two, _ := run(levels + "    - {method: random-swap, unit: row, bundle: [wage], rate: 0.5, same: [year], scope: within-employer}\n")
	if a, b := top1(one, "outsider"), top1(two, "outsider"); b.High < a.Low {
		t.Errorf("a swap of wages inside employers took the outsider from %v to %v", a.Value, b.Value)
	}
}
