package tally_test

import (
	"fmt"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
	"scramblelab/internal/tally"
)

// BenchmarkCount is a frequency count of five keys, of 12 x 15 x 9 x 20 x 6
// categories.
func BenchmarkCount(b *testing.B) {
	for _, rows := range []int{1e5, 1e6, 5e6} {
		s := rng.Sim(1).Stream(1, 0)
		var cols []frame.Column
		var names []string
		for k, size := range []int{12, 15, 9, 20, 6} {
			v := make([]int32, rows)
			for i := range v {
				v[i] = int32(s.IntN(size))
			}
			names = append(names, fmt.Sprintf("k%d", k))
			cols = append(cols, frame.Ints(names[k], v))
		}
		f := frame.Must(cols...)
		b.Run(fmt.Sprintf("rows=%.0e", float64(rows)), func(b *testing.B) {
			for b.Loop() {
				if _, err := tally.Count(b.Context(), f, names, tally.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
