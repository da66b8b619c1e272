package estimate_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/estimate"
	"scramblelab/internal/sharedtest"
)

func TestDecomposeCase(t *testing.T) {
	var d struct {
		Cases []struct {
			Groups  [][]float64
			Between float64 `json:"between_ss"`
			Within  float64 `json:"within_ss"`
			Eta2    float64
		}
	}
	sharedtest.Case(t, "utility_bivariate_small", &d)
	for _, tc := range d.Cases {
		var y []float64
		var g []int32
		for k, group := range tc.Groups {
			for _, v := range group {
				y, g = append(y, v), append(g, int32(k))
			}
		}
		if y == nil {
			continue
		}
		got, err := estimate.Decompose(append(y, math.NaN()), nil, []estimate.Grouping{{Name: "employer", Codes: append(g, 0)}}, estimate.Variance)
		if err != nil {
			t.Fatal(err)
		}
		n := float64(len(y))
		if b, w := got.Parts[0], got.Parts[1]; math.Abs(b.Value*n-tc.Between) > 1e-12 || math.Abs(w.Value*n-tc.Within) > 1e-12 || math.Abs(b.Share-tc.Eta2) > 1e-12 || b.Cells != len(tc.Groups) {
			t.Errorf("%+v, want sums of squares %v and %v", got, tc.Between, tc.Within)
		}
	}
}

// TestTheilByHand: 1, 3 in one employer, 4 in another; mean 8/3.
func TestTheilByHand(t *testing.T) {
	got, err := estimate.Decompose([]float64{1, 3, 4}, nil, []estimate.Grouping{{Name: "employer", Codes: []int32{0, 0, 1}}}, estimate.Theil)
	if err != nil {
		t.Fatal(err)
	}
	// Shares of income one half each: between ½ln(2/(8/3))+½ln(4/(8/3)); within
	// ½·(¼ln½+¾ln(3/2)).
	between := .5*math.Log(.75) + .5*math.Log(1.5)
	within := .5 * (.25*math.Log(.5) + .75*math.Log(1.5))
	if math.Abs(got.Parts[0].Value-between) > 1e-14 || math.Abs(got.Parts[1].Value-within) > 1e-14 {
		t.Errorf("%+v, want %v and %v", got, between, within)
	}
}

// TestPartsAddUp: whatever the data, parts are the total computed directly, are
// not negative, and shift or scale as the measure says.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "n")
		y := rapid.SliceOfN(rapid.Float64Range(.5, 1e3), n, n).Draw(t, "y")
		w := rapid.SliceOfN(rapid.Float64Range(.1, 5), n, n).Draw(t, "w")
		code := rapid.SliceOfN(rapid.Int32Range(0, 4), n, n)
		levels := []estimate.Grouping{{Name: "employer", Codes: code.Draw(t, "employer")}, {Name: "year", Codes: code.Draw(t, "year")}}
		m := rapid.SampledFrom([]estimate.Measure{estimate.Variance, estimate.Theil, estimate.LogMean}).Draw(t, "measure")
		got, err := estimate.Decompose(y, w, levels, m)
		if errors.Is(err, estimate.ErrNoVariation) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var mean, weights, total float64
		for i, v := range y {
			mean, weights = mean+w[i]*v, weights+w[i]
		}
		mean /= weights
		for i, v := range y {
			switch m {
			case estimate.Variance:
				total += w[i] * (v - mean) * (v - mean)
			case estimate.Theil:
				total += w[i] * v / mean * math.Log(v/mean)
			default:
				total += w[i] * math.Log(mean/v)
			}
		}
		total /= weights
		shares := 0.0
		for _, p := range got.Parts {
			if shares += p.Share; p.Value < -1e-12*total-1e-15 {
				t.Fatalf("%+v is negative", p)
			}
		}
		if math.Abs(got.Total-total) > 1e-9*(total+1e-6) || math.Abs(shares-1) > 1e-12 {
			t.Fatalf("total %v, want %v; shares sum to %v", got.Total, total, shares)
		}
	})
}

func TestDecomposeRefusals(t *testing.T) {
	one := []estimate.Grouping{{Name: "employer", Codes: []int32{0, 1}}}
	for name, f := range map[string]func() error{
		"measure":  func() error { _, err := estimate.Decompose([]float64{1, 2}, nil, one, "gini"); return err },
		"length":   func() error { _, err := estimate.Decompose([]float64{1}, nil, one, estimate.Variance); return err },
		"negative": func() error { _, err := estimate.Decompose([]float64{-1, 2}, nil, one, estimate.Theil); return err },
		"zero":     func() error { _, err := estimate.Decompose([]float64{0, 2}, nil, one, estimate.LogMean); return err },
		"flat":     func() error { _, err := estimate.Decompose([]float64{2, 2}, nil, one, estimate.Variance); return err },
		"empty": func() error {
			_, err := estimate.Decompose([]float64{math.NaN(), math.NaN()}, nil, one, estimate.Theil)
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}
