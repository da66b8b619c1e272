package study

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/metric"
)

// TestStagesAgree: what fidelity and attack measure on a release that was
// written before is what run measured while it made it.
func TestStagesAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("whole studies, stage by stage")
	}
	panel := fmt.Sprintf(panelSchema, panelFile().write(t))
	for _, test := range []struct{ name, why, yaml string }{
		{"built-in", "weights of a stratified draw", small},
		{"file", "a user's own data", panel},
		{"worker", "the escrow names no workers, the key draws them again", strings.Replace(panel, "records: 20", "records: 50, unit: worker", 1)},
		{"employer-year", "an escrow of pairs", strings.Replace(panel, "records: 20", "records: 40, unit: employer-year", 1)},
		{"merged and fresh", "serials of several employers, another each year", panel + "scramble: {keep: [], steps: [{method: merge-small-employers, minimum: 4, by: [group]}, {method: random-swap, bundle: [level], rate: 0.5, same: [year]}, {method: sample-workers, rate: 0.7}, {method: coarsen-counts, classes: [1, 3, 5, 10]}, {method: fresh-serials}]}\n"},
		{"whole workers", "rows that moved", panel + "scramble: {keep: [], steps: [{method: random-swap, bundle: [employer], rate: 0.5, same: [year]}]}\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			whole, out := studied(t, test.yaml, seeded(5), "")
			at := Opened{Release: filepath.Join(out, "release"), Escrow: out + ".escrow"}
			for prefix, stage := range map[string]Stage{"fidelity.": Fidelity, "attack.": Attack} {
				dir := filepath.Join(t.TempDir(), "measured")
				r, err := stage(t.Context(), parsed(t, test.yaml), at, Options{Out: dir, Seed: seeded(5)})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(values(whole, prefix), values(r, prefix)); diff != "" {
					t.Errorf("%s of the whole study (-) and of the stage alone (+):\n%s", prefix, diff)
				}
			}
		})
	}
}

// values are the top rows of the metrics whose names begin alike, but for the
// one that looks at the selection and at no release.
func values(r *metric.Report, prefix string) map[string]string {
	out := map[string]string{}
	for _, m := range r.Metrics {
		if strings.HasPrefix(m.Name, prefix) && m.Name != "attack.employer.path.head-count-only.unique" {
			out[m.Name] = fmt.Sprintf("%v [%v, %v] of %d, baseline %v", m.Value, m.Low, m.High, m.N, m.Baseline)
		}
	}
	return out
}

// TestEscrowOfAnotherRelease: two releases of the same plan and data differ in
// their keys alone, and numbers about somebody else's serials would be wrong.
func TestEscrowOfAnotherRelease(t *testing.T) {
	yaml := fmt.Sprintf(crossSchema, crossFile().write(t))
	_, one := studied(t, yaml, nil, "")
	_, two := studied(t, yaml, nil, "")
	for name, stage := range map[string]Stage{"fidelity": Fidelity, "attack": Attack} {
		dir := filepath.Join(t.TempDir(), "measured")
		_, err := stage(t.Context(), parsed(t, yaml), Opened{Release: filepath.Join(one, "release"), Escrow: two + ".escrow"}, Options{Out: dir})
		if err == nil || !strings.Contains(err.Error(), "name the escrow that was written beside this one") {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: %s was written", name, dir)
		}
	}
}
