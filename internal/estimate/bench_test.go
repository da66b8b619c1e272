package estimate_test

import (
	"fmt"
	"testing"

	"scramblelab/internal/estimate"
)

// BenchmarkOLS: 20 regressors, one absorbed effect, clusters of 25 rows in
// random order.
func BenchmarkOLS(b *testing.B) {
	for _, n := range []int{1_000_000, 5_000_000} {
		b.Run(fmt.Sprintf("rows=%.0e", float64(n)), func(b *testing.B) {
			if testing.Short() {
				b.Skip("large")
			}
			s := problem(1, n, 1, n/25)
			s.Weights = nil
			for j := 1; j < 20; j++ {
				x := make([]float64, n)
				for i := range x {
					x[i] = s.X[0][(i*(2*j+1)+j)%n]
				}
				s.X, s.Names = append(s.X, x), append(s.Names, fmt.Sprintf("x%d", j))
			}
			s.Absorb = [][]int32{s.Cluster}
			b.ResetTimer()
			for b.Loop() {
				if _, err := estimate.OLS(ctx, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
