package study

import (
	"testing"

	"scramblelab/internal/metric"
)

// Without a scramble subtraction shows what it seems to show; a swap with donors
// from outside the fragment makes part of it wrong, so that fewer workers are
// shown rightly; a fragment of everybody leaves nobody outside.
func TestSubtraction(t *testing.T) {
	const world = "data: {generate: {employers: 300, from: 2019, to: 2021}}\n"
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
	plain := known("release: {records: 100}\nscramble: {keep: [], steps: []}\n")
	swapped := known("release: {records: 100}\nscramble: {keep: [], steps: [{method: random-swap, unit: person-year, bundle: [level, field], rate: 0.6, same: [year], scope: across-employers}]}\n")
	if !plain.Value.Valid() || plain.Value <= 0 || swapped.Value >= plain.Value {
		t.Errorf("%v of the workers outside are shown rightly without a swap, %v with one: want some, and fewer", plain.Value, swapped.Value)
	}
	if all := known("release: {records: 3000}\n"); all.Value.Valid() || all.Reason == "" {
		t.Errorf("a fragment of everybody shows %v of those outside, want a reason why there is no number", all.Value)
	}
}
