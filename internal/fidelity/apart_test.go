package fidelity

import (
	"context"
	"math"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// TestSubsampleEquivalentLaw: the figures of METHODS 3.1, law 6. A swap of one
// in four with β = 0.09 is an 83 % sample at 3,000 employers, whose estimate has
// a standard error of 0.05, and a 14 % sample at 90,000.
func TestSubsampleEquivalentLaw(t *testing.T) {
	bias := 0.25 * 0.09 / 0.05
	l := loss{squared: bias * bias}
	for _, tt := range []struct {
		employers, want float64
	}{{3000, 0.83}, {90000, 0.14}} {
		if got := l.equivalent(3000 / tt.employers); math.Abs(got-tt.want) > 0.01 {
			t.Errorf("at %v employers the swap is a sample of %.3f, want %v", tt.employers, got, tt.want)
		}
	}
	if got := (loss{}).equivalent(1); got != 1 {
		t.Errorf("no error at all is a sample of %v, want all", got)
	}
}

// TestSubsampleEquivalentIsWhatSamplesShow: samples without replacement of
// several fractions, 40 each, have the mean squared error that the law behind
// the equivalent says, within 30 % (a false alarm in fewer than 1 of 1000 runs,
// were seeds free).
func TestSubsampleEquivalentIsWhatSamplesShow(t *testing.T) {
	if testing.Short() {
		t.Skip("120 samples of a fragment")
	}
	w := small()
	s, err := newSetting(Input{Release: w.fragment, Fragment: w.fragment, Periods: true, Key: 1, Draws: 60, Level: 0.95})
	if err != nil {
		t.Fatal(err)
	}
	l := s.newLevelField()
	full := l.table(s.fragment, nil).shares()
	variance := 0.0
	var drawn [][]float64
	for _, d := range s.draws {
		drawn = append(drawn, l.table(s.fragment, d).shares())
	}
	for k := range full {
		_, sd := spread(len(drawn), func(i int) float64 { return drawn[i][k] })
		variance += sd * sd
	}
	for _, f := range []float64{0.3, 0.5, 0.8} {
		squared := 0.0
		const samples = 40
		for b := range samples {
			units := make([]int, s.units)
			for i := range units {
				units[i] = i
			}
			times := make([]float64, s.units)
			for _, u := range rng.Sample(rng.Sim(5).Stream(77, uint64(b)), units, int(f*float64(s.units))) {
				times[u] = 1
			}
			for k, x := range l.table(s.fragment, times).shares() {
				squared += (x - full[k]) * (x - full[k]) / samples
			}
		}
		want := variance * (1 - f) / f
		t.Logf("f = %v: samples err by %.3g, the law says %.3g", f, squared, want)
		if r := squared / want; !(r > 0.7 && r < 1.3) {
			t.Errorf("samples of %v err by %v squared, the law says %v", f, squared, want)
		}
	}
}

// TestWageRegressionPrediction: re-running the regression on the expected data
// predicts what swaps do to it (law 1): over 6 keys the mean of the released
// coefficients lies much nearer to the prediction than to the truth.
func TestWageRegressionPrediction(t *testing.T) {
	if testing.Short() {
		t.Skip("six scrambles of a generated population")
	}
	w := small()
	const keys, rate = 6, 0.4
	var released, predicted, truth []float64
	for k := range uint64(keys) {
		in := w.input(w.swapped(t, rate, 50+k))
		in.Draws, in.Level, in.Swap = 2, 0.95, &SwapLaw{Rate: rate, Strata: []string{linked.Year}, Bundle: []string{linked.Level, linked.Field}}
		s, err := newSetting(in)
		if err != nil {
			t.Fatal(err)
		}
		terms, err := s.wageTerms(context.Background(), s.newWageModel())
		if err != nil {
			t.Fatal(err)
		}
		if released == nil {
			released = make([]float64, len(terms))
			for _, x := range terms {
				if x.predicted == nil {
					t.Fatalf("%s has no prediction", x.name)
				}
				predicted, truth = append(predicted, x.predicted.Estimate), append(truth, x.fragment.Estimate)
			}
		}
		for i, x := range terms {
			released[i] += x.release.Estimate / keys
		}
	}
	toLaw, toTruth := 0.0, 0.0
	for i := range released {
		toLaw += math.Abs(released[i] - predicted[i])
		toTruth += math.Abs(released[i] - truth[i])
	}
	t.Logf("mean of %d keys lies %.3f from the prediction and %.3f from the truth", keys, toLaw/float64(len(released)), toTruth/float64(len(released)))
	if !(toLaw < toTruth/2) {
		t.Errorf("the prediction misses by %v, no better than the truth by %v", toLaw, toTruth)
	}
}
