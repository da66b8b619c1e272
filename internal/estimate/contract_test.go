package estimate_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/estimate"
)

// TestEveryNumberOrAReason: whatever the data, OLS does not panic, and a
// coefficient has all its numbers, in order, or says why not.
func TestEveryNumberOrAReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		value := rapid.OneOf(rapid.Map(rapid.IntRange(-2, 2), func(i int) float64 { return float64(i) }),
			rapid.Float64Range(-1e6, 1e6), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), 0.1, 1e12}))
		code := rapid.Int32Range(-1, 4)
		s := estimate.Spec{Y: rapid.SliceOfN(value, n, n).Draw(t, "y"), KeepResiduals: true}
		for j := range rapid.IntRange(0, 3).Draw(t, "k") {
			s.X = append(s.X, rapid.SliceOfN(value, n, n).Draw(t, "x"))
			s.Names = append(s.Names, fmt.Sprint("x", j))
		}
		for range rapid.IntRange(0, 3).Draw(t, "sets") {
			s.Absorb = append(s.Absorb, rapid.SliceOfN(code, n, n).Draw(t, "set"))
		}
		if rapid.Bool().Draw(t, "clustered") {
			s.Cluster = rapid.SliceOfN(code, n, n).Draw(t, "cluster")
		}
		if rapid.Bool().Draw(t, "weighted") {
			s.Weights = rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 0.3, math.NaN()}), n, n).Draw(t, "weights")
		}
		f, err := estimate.OLS(ctx, s)
		if errors.Is(err, estimate.ErrNoRows) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.N+f.LeftOut.Missing+f.LeftOut.Unweighted+f.LeftOut.Singletons != n || len(f.Residuals) != n {
			t.Fatalf("%d rows used, %+v left out of %d", f.N, f.LeftOut, n)
		}
		for _, c := range f.Coef {
			finite := true
			for _, v := range []float64{c.Estimate, c.StdErr, c.T, c.P, c.Low, c.High} {
				finite = finite && !math.IsNaN(v) && !math.IsInf(v, 0)
			}
			if finite != (c.Reason == "") || finite && !(c.Low <= c.Estimate && c.Estimate <= c.High && c.StdErr > 0) {
				t.Fatalf("%+v", c)
			}
			if c.Dropped != math.IsNaN(c.Estimate) {
				t.Fatalf("%+v: dropped and estimated", c)
			}
		}
	})
}
