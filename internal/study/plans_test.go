package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/audit"
	"scramblelab/internal/escrow"
	"scramblelab/internal/metric"
	"scramblelab/internal/release"
)

// sound checks what holds of every study that ended without an error: a report
// that reads back and is valid, a release that opens, and an audit that finds
// nothing.
func sound(t *testing.T, r *metric.Report, out string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(out, "internal", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := metric.Decode(b)
	if err != nil {
		t.Fatalf("report.json: %v", err)
	}
	if len(read.Gates) == 0 || len(read.Metrics) == 0 || len(read.Facts) != 6 || read.Passed() != r.Passed() {
		t.Errorf("report.json has %d metrics, %d gates, %d facts, passed %v", len(read.Metrics), len(read.Gates), len(read.Facts), read.Passed())
	}
	dir := filepath.Join(out, "release")
	rel, err := release.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if rel.Tables.Employers.Rows() == 0 || rel.Tables.Cells.Rows() == 0 {
		t.Errorf("the release has %d employers and %d cells", rel.Tables.Employers.Rows(), rel.Tables.Cells.Rows())
	}
	e, err := escrow.Load(out + ".escrow")
	if err != nil {
		t.Fatal(err)
	}
	findings, err := audit.Release(t.Context(), dir, audit.Options{Escrow: e, Tool: Tool()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Severity == audit.Fail {
			t.Errorf("audit: %s: %s", f.Check, f.Detail)
		}
	}
}

// TestPlans runs whole studies of plans that differ from the built-in one, each
// in what other stages take for granted.
func TestPlans(t *testing.T) {
	scramble := func(steps string) string {
		return small + "scramble: {keep: [], steps: [" + steps + "]}\n"
	}
	const swap = "{method: random-swap, bundle: [level, field], rate: 0.2, same: [year, group]}"
	tests := []struct{ name, why, yaml string }{
		{"built-in", "the default, on a small population", small},
		{"no steps", "publishing alone is a plan too", scramble("")},
		{"donors fragment", "the permutation acts on the fragment", small + "scramble: {donors: fragment}"},
		{"employer-year", "a record is one year, and no employer can be followed", small + "release: {unit: employer-year, records: 200}"},
		{"worker", "a record is one job; most employers have one or two", small + "release: {unit: worker, records: 500}"},
		{"fresh serials", "a serial for every year", scramble(swap + ", {method: fresh-serials}")},
		{"coarse counts", "head counts in classes", scramble(swap + ", {method: coarsen-counts, classes: [1, 3, 5, 10, 20, 50, 100, 250]}")},
		{"merged", "a serial stands for several employers", scramble("{method: merge-small-employers, minimum: 10, by: [group]}, " + swap)},
		{"sampled", "some workers are not counted", scramble(swap + ", {method: sample-workers, rate: 0.5}")},
		{"sampled twice", "shares multiply", scramble("{method: sample-workers, rate: 0.5}, {method: sample-workers, rate: 0.5}")},
		{"all remedies", "they compose", scramble("{method: merge-small-employers, minimum: 5, by: [group]}, " + swap + ", {method: sample-workers, rate: 0.8}, {method: coarsen-counts, classes: [1, 3, 5, 10]}, {method: fresh-serials}")},
		{"two swaps", "steps on one bundle compose", scramble(swap + ", " + swap)},
		{"two bundles", "wages move apart from diplomas", scramble(swap + ", {method: random-swap, bundle: [wage, fte], rate: 0.1, same: [year]}")},
		{"within", "colleagues exchange wages", scramble("{method: random-swap, bundle: [wage], rate: 0.5, same: [year], scope: within-employer}")},
		{"within all", "the released counts stay", scramble("{method: random-swap, bundle: [level, field], rate: 1, same: [year], scope: within-employer}")},
		{"one column", "a bundle of one", scramble("{method: random-swap, bundle: [level], rate: 0.3, same: [year]}")},
		{"independent", "a pairing for each column", scramble("{method: random-swap, bundle: [level, field], joint: false, rate: 0.3, same: [year]}")},
		{"person", "a whole career moves", scramble("{method: random-swap, unit: person, bundle: [level, field], rate: 0.3, same: [group]}")},
		{"rate 0", "a step that moves nobody", scramble("{method: random-swap, bundle: [level], rate: 0, same: [year]}")},
		{"rate 1", "everybody moves", scramble("{method: random-swap, bundle: [level, field], rate: 1, same: [year]}")},
		{"employer swap", "whole workers move to another employer", scramble("{method: random-swap, bundle: [employer], rate: 0.2, same: [year, group]}")},
		{"values", "numbers and categories are replaced", scramble(valueSteps)},
		{"jittered", "head counts carry noise", scramble(swap + ", {method: jitter-counts, variance: 2, reach: 3}")},
		{"rounded", "and are multiples of 3", scramble("{method: round-counts, base: 3}")},
		{"rounded to the nearest", "or of 5", scramble("{method: round-counts, base: 5, rounding: nearest}, {method: fresh-serials}")},
		{"small cells folded", "no cell under 4", scramble(swap + ", {method: suppress-cells, minimum: 4}")},
		{"sums", "wages move across employers, whose yearly sums stay within 2 %", small + "scramble: {keep: [[year, group, level], 'sum(wage) by [employer, year] within 2%', sum(fte) by employer], steps: [{method: rank-swap, bundle: [wage], rate: 1, window: 0.02, same: [year]}, {method: random-swap, bundle: [wage], rate: 0.1, same: [year]}]}\n"},
		{"employers sampled", "nobody is certain to be in the release", scramble(swap + ", {method: sample-employers, rate: 0.7}")},
		{"merged and sampled", "merged employers stay together", scramble("{method: merge-small-employers, minimum: 10, by: [group]}, {method: sample-employers, rate: 0.7}")},
		{"years sampled", "all years of an employer go together", small + "release: {unit: employer-year, records: 200}\nscramble: {keep: [], steps: [{method: sample-employers, rate: 0.7}]}\n"},
		{"regions", "employers exchange regions, and the release shows them", small + "release: {firm_columns: [group, region, sector, size_class]}\nscramble: {keep: [[year, group, level]], steps: [{method: random-swap, unit: employer-region, bundle: [region], rate: 0.5, same: [group]}, " + swap + "]}\n"},
		{"regions of the fragment", "", small + "release: {firm_columns: [group, region, sector]}\nscramble: {donors: fragment, steps: [{method: targeted-swap, unit: employer-region, bundle: [region], rate: 0.2, hierarchy: [region], risk: [sector, size_class], k: 2}]}\n"},
		{"recoded", "broader levels before anything else", scramble("{method: recode, column: level, file: shipped:level.csv, depth: 1}, " + swap)},
		{"sectors recoded", "a property of employers", small + "release: {firm_columns: [group, sector]}\nscramble: {keep: [], steps: [{method: recode, column: level, file: shipped:level.csv, depth: 2}]}\n"},
		{"quantile classes", "limits are rounded quantiles", small + "release: {classes: {wage: {quantiles: 10}, fte: {quantiles: 4}, age: {quantiles: 5}}}\n"},
		{"no firm columns", "nothing travels with the employer", small + "release: {firm_columns: []}"},
		{"no weights", "firm columns without the design", small + "release: {firm_columns: [group, event_year]}"},
		{"no strata", "a simple draw", small + "release: {stratify: []}"},
		{"count any", "every job of the year counts", small + "release: {count_on: any}"},
		{"count average", "staff by days", small + "release: {count_on: average}"},
		{"one year", "no panel at all", "data: {generate: {employers: 300, from: 2020, to: 2020}}\n"},
		{"one record", "the smallest fragment", small + "release: {records: 1}"},
		{"no adversaries", "nobody attacks", small + "adversaries: []"},
		{"head count only", "one intruder", small + "adversaries: [head-count-only]"},
	}
	slow := map[string]bool{"values": true, "sums": true, "built-in": true, "no steps": true, "all remedies": true, "worker": true} // all but these only with time
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && !slow[tt.name] {
				t.Skip("one of many plans")
			}
			t.Parallel()
			r, out := studied(t, tt.yaml, seeded(1), "")
			sound(t, r, out)
		})
	}
}

const valueSteps = "{method: top-code, column: wage, above: 100000, replace: mean}, {method: noise, column: wage, sd: 0.02, kind: multiplicative, zero_sum: true, by: [year, group]}, " +
	"{method: noise, column: fte, sd: 0.02, most: 1}, {method: pram, column: field, stay: 0.8, by: [year]}, {method: microaggregate, columns: [age], k: 3, by: [employer, year]}"

// TestMasksAreReplayed: a release made with steps that draw noise is made again
// from its escrow, its report says what they did, and the intruder reads noisy
// values both ways.
func TestMasksAreReplayed(t *testing.T) {
	if testing.Short() {
		t.Skip("releases and their proofs")
	}
	for name, steps := range map[string]string{
		"jitter":   valueSteps + ", {method: jitter-counts, variance: 2, reach: 3}",
		"suppress": "{method: suppress-cells, minimum: 4}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			yaml := small + "scramble: {keep: [], steps: [" + steps + "]}\n"
			r, out := studied(t, yaml, seeded(1), "")
			sound(t, r, out)
			at := Opened{Release: filepath.Join(out, "release"), Escrow: out + ".escrow"}
			again, err := Attack(t.Context(), parsed(t, yaml), at, Options{Out: filepath.Join(t.TempDir(), "attack"), Seed: seeded(1)})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"swap.step-1.touched"}
			if name == "jitter" {
				want = append(want, "swap.step-6.vanished", "swap.step-6.total-shift", "swap.step-2.variance-ratio", "swap.step-4.changed")
			}
			for _, n := range want {
				if !slices.ContainsFunc(r.Metrics, func(m metric.Metric) bool { return m.Name == n }) {
					t.Errorf("the report has no %s", n)
				}
			}
			both := 0
			for _, m := range again.Metrics {
				if strings.Contains(m.Method, "read in two ways") {
					both++
				}
			}
			if (both > 0) != (name == "jitter") {
				t.Errorf("%d metrics come from two readings", both)
			}
		})
	}
}

// TestPlansOnFiles does the same on files as users have them, each without
// something that a study could take for granted.
func TestPlansOnFiles(t *testing.T) {
	panel, cross := panelFile(), crossFile()
	without := func(schema string, columns ...string) string {
		var kept []string
		for _, line := range strings.Split(schema, "\n") {
			name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			keep := true
			for _, c := range columns {
				keep = keep && name != c
			}
			if keep {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\n")
	}
	tests := []struct {
		name, why, schema string
		file              table
		more              string
	}{
		{"panel", "workers over years", panelSchema, panel, ""},
		{"cross-section", "one period, rows for workers", crossSchema, cross, ""},
		{"no wage", "there is no wage bill", without(panelSchema, "pay"), panel, ""},
		{"no fte", "", without(panelSchema, "part"), panel, ""},
		{"no field", "cells are levels", without(panelSchema, "study"), panel, ""},
		{"no age", "", without(panelSchema, "years"), panel, ""},
		{"no group", "partners agree on the sector", without(panelSchema, "arm"), panel, ""},
		{"no group, no sector", "and then on the year alone", without(panelSchema, "arm", "branch"), panel, ""},
		{"level alone", "an employer and a level is the least there is", without(crossSchema, "occupation", "age", "earnings", "share", "sector"), cross, ""},
		{"cross-section without wage", "", without(crossSchema, "earnings"), cross, ""},
		{"cross-section, no steps", "", crossSchema, cross, "scramble: {keep: [], steps: []}\n"},
		{"fragment", "donors from 20 employers", panelSchema, panel, "scramble: {donors: fragment}\n"},
		{"employer-year", "", strings.Replace(panelSchema, "records: 20", "records: 20, unit: employer-year", 1), panel, ""},
		{"worker", "", strings.Replace(panelSchema, "records: 20", "records: 50, unit: worker", 1), panel, ""},
		{"worker, no identifier", "a record is a row", strings.Replace(crossSchema, "records: 20", "records: 50, unit: worker", 1), cross, ""},
		{"remedies", "", panelSchema, panel, "scramble: {keep: [], steps: [{method: merge-small-employers, minimum: 4, by: [group]}, {method: random-swap, bundle: [level], rate: 0.5, same: [year]}, {method: sample-workers, rate: 0.7}, {method: coarsen-counts, classes: [1, 3, 5, 10]}, {method: fresh-serials}]}\n"},
		{"noiseless public file", "exact knowledge", panelSchema, panel, "attack: {public: {noise: 0}}\n"},
		{"nothing public", "an intruder who knows nothing", panelSchema, panel, "attack: {public: {columns: []}}\n"},
		{"all records", "the fragment is the selection", strings.Replace(panelSchema, "records: 20", "records: 60", 1), panel, ""},
	}
	quick := map[string]bool{"panel": true, "cross-section": true, "level alone": true}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && !quick[tt.name] {
				t.Skip("one of many plans")
			}
			t.Parallel()
			r, out := studied(t, fmt.Sprintf(tt.schema, tt.file.write(t))+tt.more, seeded(1), "csv")
			sound(t, r, out)
		})
	}
}

// TestCancelledStudyLeavesNothing stops a study before each of its steps.
func TestCancelledStudyLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	stages := 0
	for _, stop := range []string{"data", "scramble", "publish", "release", "attack", "fidelity", "report"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Run(ctx, parsed(t, small), Options{Out: filepath.Join(dir, "a", "out"), Seed: seeded(1), Progress: func(stage string, _, _ int) {
			if stage == stop {
				stages++
				cancel()
			}
		}})
		cancel()
		if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
			t.Errorf("stopped at %s: error %v, want one of a cancelled context", stop, err)
		}
		if got := tree(t, dir); len(got) > 0 {
			t.Errorf("stopped at %s: %d files are left", stop, len(got))
		}
	}
	if stages < 7 {
		t.Errorf("only %d of 7 stages were reached", stages)
	}
}
