package study

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/audit"
	"scramblelab/internal/escrow"
	"scramblelab/internal/plan"
)

// found is the finding of one check.
func found(t *testing.T, fs []audit.Finding, check string) audit.Finding {
	t.Helper()
	i := slices.IndexFunc(fs, func(f audit.Finding) bool { return f.Check == check })
	if i < 0 {
		t.Fatalf("no check %s in %+v", check, fs)
	}
	return fs[i]
}

// TestProof: a release is proved from the permutations of its escrow and from
// its key, whatever the unit, the steps and the donors.
func TestProof(t *testing.T) {
	if testing.Short() {
		t.Skip("releases and their proofs")
	}
	data := panelFile().write(t)
	step := func(s string) string {
		return fmt.Sprintf(panelSchema, data) + "scramble: {keep: [], steps: [" + s + "]}\n"
	}
	tests := []struct {
		name, yaml  string
		permutation audit.Severity
	}{
		{"default", fmt.Sprintf(panelSchema, data), audit.Pass},
		{"no step", step(""), audit.Pass},
		{"two steps", step("{method: random-swap, bundle: [level, field], rate: 0.4, same: [year]}, {method: rank-swap, bundle: [wage], rate: 0.5, window: 0.1, same: [year]}"), audit.Pass},
		{"apart", step("{method: random-swap, bundle: [level, field], joint: false, rate: 0.4, same: [year]}"), audit.Pass},
		{"persons", step("{method: random-swap, unit: person, bundle: [level], rate: 0.4}"), audit.Pass},
		{"whole workers, then levels", step("{method: random-swap, unit: person, bundle: [employer], rate: 0.4}, {method: random-swap, bundle: [level], rate: 0.4, same: [year]}"), audit.Pass},
		{"merged and coarse", step("{method: merge-small-employers, minimum: 4}, {method: random-swap, bundle: [level], rate: 0.4, same: [year]}, {method: coarsen-counts, classes: [1, 3, 10]}"), audit.Pass},
		{"fresh serials, small cells", step("{method: random-swap, bundle: [level], rate: 0.4, same: [year]}, {method: fresh-serials}, {method: suppress-cells, minimum: 3}"), audit.Pass},
		{"fragment", strings.Replace(step("{method: random-swap, bundle: [level], rate: 0.4, same: [year]}"), "keep: []", "donors: fragment, keep: []", 1), audit.Pass},
		{"employer-years", strings.Replace(step("{method: random-swap, bundle: [level], rate: 0.4, same: [year]}"), "records: 20", "records: 20, unit: employer-year", 1), audit.Pass},
		{"employers sampled", step("{method: sample-employers, rate: 0.5}, {method: random-swap, bundle: [level], rate: 0.4, same: [year]}"), audit.Pass},
		{"properties of employers", step("{method: random-swap, unit: employer-region, bundle: [sector], rate: 0.8}, {method: random-swap, bundle: [level], rate: 0.4, same: [year, sector]}"), audit.Pass},
		{"properties of employers, fragment", strings.Replace(step("{method: random-swap, unit: employer-region, bundle: [sector, group], rate: 0.8}"), "keep: []", "donors: fragment, keep: []", 1), audit.Pass},
		{"workers", strings.Replace(step("{method: random-swap, bundle: [level], rate: 0.4, same: [year]}"), "records: 20", "records: 200, unit: worker", 1), audit.Skipped},
		{"sampled workers", step("{method: random-swap, bundle: [level], rate: 0.4, same: [year]}, {method: sample-workers, rate: 0.8}"), audit.Skipped},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parsed(t, tt.yaml)
			out := filepath.Join(t.TempDir(), "delivery")
			if _, err := Release(t.Context(), p, Options{Out: out}); err != nil {
				t.Fatal(err)
			}
			at := Opened{Release: out, Escrow: out + ".escrow"}
			fs, err := Audit(t.Context(), &p, at, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fs {
				if f.Severity == audit.Fail || f.Severity == audit.Warn {
					t.Errorf("%+v", f)
				}
			}
			if f := found(t, fs, "permutation"); f.Severity != tt.permutation {
				t.Errorf("%+v, want %s", f, tt.permutation)
			}
			if f := found(t, fs, "replay"); f.Severity != audit.Pass {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestProofFails: what was not made so is found, without naming a value; a
// release of another version is still checked by its permutations.
func TestProofFails(t *testing.T) {
	p := parsed(t, fmt.Sprintf(panelSchema, panelFile().write(t)))
	out := filepath.Join(t.TempDir(), "delivery")
	if _, err := Release(t.Context(), p, Options{Out: out, Format: "csv"}); err != nil {
		t.Fatal(err)
	}
	e, err := escrow.Load(out + ".escrow")
	if err != nil {
		t.Fatal(err)
	}
	proof := func(change func(e *escrow.Escrow)) []audit.Finding {
		t.Helper()
		altered := *e
		altered.Permutations = slices.Clone(e.Permutations)
		change(&altered)
		path := filepath.Join(t.TempDir(), "altered.escrow")
		if err := escrow.Save(path, &altered, escrow.Options{}); err != nil {
			t.Fatal(err)
		}
		fs, err := Audit(t.Context(), &p, Opened{Release: out, Escrow: path}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return fs
	}
	fs := proof(func(e *escrow.Escrow) { e.Tool = "scramblelab 0.0" })
	if a, b := found(t, fs, "permutation"), found(t, fs, "replay"); a.Severity != audit.Pass || b.Severity != audit.Pass {
		t.Errorf("an escrow of another version whose key still makes the release: %+v, %+v", a, b)
	}
	fs = proof(func(e *escrow.Escrow) { e.Tool, e.Key = "scramblelab 0.0", e.Key.Derive("another") })
	if a, b := found(t, fs, "permutation"), found(t, fs, "replay"); a.Severity != audit.Pass || b.Severity != audit.Skipped {
		t.Errorf("a version that cannot make it again: %+v, %+v", a, b)
	}
	fs = proof(func(e *escrow.Escrow) { e.Key = e.Key.Derive("another") })
	if a, b := found(t, fs, "permutation"), found(t, fs, "replay"); a.Severity != audit.Pass || b.Severity != audit.Fail {
		t.Errorf("another key: %+v, %+v", a, b)
	}
	fs = proof(func(e *escrow.Escrow) { e.Permutations = e.Permutations[:0] })
	if f := found(t, fs, "permutation"); f.Severity != audit.Fail || !strings.Contains(f.Detail, "rows") {
		t.Errorf("no permutations: %+v", f)
	}
	fs = proof(func(e *escrow.Escrow) {
		e.Serials = slices.Clone(e.Serials)
		e.Serials[0], e.Serials[1] = e.Serials[1], e.Serials[0]
	})
	if f := found(t, fs, "permutation"); f.Severity != audit.Fail {
		t.Errorf("exchanged serials: %+v", f)
	}
	other := parsed(t, fmt.Sprintf(panelSchema, panelFile().write(t))+"project: {purpose: another}\n")
	fs, err = Audit(t.Context(), &other, Opened{Release: out, Escrow: out + ".escrow"}, Options{})
	if f := found(t, fs, "plan"); err != nil || f.Severity != audit.Fail {
		t.Errorf("another plan: %+v, %v", f, err)
	}
	b, err := os.ReadFile(p.Data.Jobs)
	if err == nil {
		err = os.WriteFile(p.Data.Jobs, []byte(strings.Replace(string(b), ",S1,", ",S2,", 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	fs, err = Audit(t.Context(), &p, Opened{Release: out, Escrow: out + ".escrow"}, Options{})
	if f := found(t, fs, "plan"); err != nil || f.Severity != audit.Fail || !strings.Contains(f.Detail, "other data") {
		t.Errorf("other data: %+v, %v", f, err)
	}
	if _, err := Audit(t.Context(), &plan.Plan{}, Opened{Release: out}, Options{}); err == nil {
		t.Error("a proof without the escrow")
	}
}
