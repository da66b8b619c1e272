package fidelity

import (
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

func TestPropensityNullCase(t *testing.T) {
	var c struct {
		Cases []struct {
			K, N1, N2 int
			Mean      float64 `json:"expected_mean"`
			SD        float64 `json:"expected_sd"`
		}
	}
	sharedtest.Case(t, "utility_pmse_null", &c)
	for _, tt := range c.Cases {
		mean, sd := PropensityNull(tt.K, tt.N1, tt.N2)
		near(t, "mean", metric.Number(mean), tt.Mean)
		near(t, "sd", metric.Number(sd), tt.SD)
	}
}

func TestPairPMSECase(t *testing.T) {
	var c struct {
		Expected []struct {
			Original  []float64 `json:"table_orig"`
			Synthetic []float64 `json:"table_syn"`
			PMSE      float64   `json:"pMSE"`
		}
	}
	sharedtest.Case(t, "utility_synthpop_table", &c)
	for _, tt := range c.Expected {
		near(t, "pMSE", metric.Number(pairPMSE(tt.Original, tt.Synthetic)), tt.PMSE)
	}
}

// TestTreeSeesWhatMarginsHide: two columns that always agree, and the same with
// one of them shuffled. Every one-way margin is as it was, and the tree places
// pairs of rows as theory says: of the shuffled file half the rows agree, so the
// best possible area is 0.75.
func TestTreeSeesWhatMarginsHide(t *testing.T) {
	const n = 4000
	a, b, unit := make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range a {
		a[i], unit[i] = int32(i%2), int32(i/10)
	}
	copy(b, a)
	rng.Shuffle(rng.Sim(3).Stream(1, 1), b)
	d := frame.MustDict("x", "y")
	file := func(b []int32) *frame.Frame {
		return frame.Must(frame.Codes("a", d, a), frame.Codes("b", d, b), frame.Ints("unit", unit))
	}
	r := compared(t, Files{Original: file(a), Released: file(b), Unit: "unit", Key: 1})
	if m := r.get(t, "fidelity.distribution.tv"); m.Value != 0 {
		t.Errorf("a shuffle moves a margin by %v", m.Value)
	}
	if m := r.get(t, "fidelity.propensity.auc"); math.Abs(float64(m.Value)-0.75) > 0.02 || math.Abs(float64(m.Baseline)-0.5) > 0.02 {
		t.Errorf("the tree's area is %v with a floor of %v, want 0.75 and 0.5", m.Value, m.Baseline)
	}
	// The agreeing cells hold all of the original and half of the release:
	// ½·(1+½)·(⅓-½)² + ½·½·(1-½)² = 1/12.
	if m := r.get(t, "fidelity.propensity.two-way-pmse"); math.Abs(float64(m.Value)-1.0/12) > 0.01 {
		t.Errorf("two-way pMSE is %v, want 1/12", m.Value)
	}
	same := compared(t, Files{Original: file(a), Released: file(a), Unit: "unit", Key: 1})
	if m := same.get(t, "fidelity.propensity.auc"); m.Value != 0.5 {
		t.Errorf("a file is told from itself with %v, want 0.5", m.Value)
	}
}
