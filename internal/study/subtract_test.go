package study

import (
	"testing"

	"scramblelab/internal/metric"
)

// Without a scramble subtraction shows what it seems to show; a swap with donors
// from outside the fragment makes part of it wrong, so that fewer workers are
// shown rightly; classes of head counts cannot be subtracted.
func TestSubtraction(t *testing.T) {
	if testing.Short() {
		t.Skip("whole studies")
	}
	const world = "data: {generate: {employers: 150, from: 2020, to: 2021}}\n"
	known := func(yaml string) metric.Metric {
		r, _ := studied(t, world+yaml, seeded(3), "")
		for _, m := range r.Metrics {
			if m.Name == "attack.file.subtraction.researcher.small-cells" {
				return m
			}
		}
		t.Fatal("the report lacks the subtraction of the fragment")
		return metric.Metric{}
	}
	plain := known("release: {records: 50}\nscramble: {keep: [], steps: []}\n")
	swapped := known("release: {records: 50}\nscramble: {keep: [], steps: [{method: random-swap, unit: person-year, bundle: [level, field], rate: 0.6, same: [year], scope: across-employers}]}\n")
	classes := known("release: {records: 50}\nscramble: {keep: [], steps: [{method: coarsen-counts, classes: [1, 3, 10]}]}\n")
	if classes.Value.Valid() || classes.Reason == "" {
		t.Errorf("classes of head counts show %v of those outside, want a reason why there is no number", classes.Value)
	}
	if !plain.Value.Valid() || plain.Value <= 0 || swapped.Value >= plain.Value {
		t.Errorf("%v of the workers outside are shown rightly without a swap, %v with one: want some, and fewer", plain.Value, swapped.Value)
	}
}
