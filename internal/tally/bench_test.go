package tally_test

import (
	"fmt"
	"syscall"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
	"scramblelab/internal/tally"
)

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkCount is a frequency count of five keys, of 12 x 15 x 9 x 20 x 6
// categories.
func BenchmarkCount(b *testing.B) {
	for _, rows := range []int{1e5, 1e6, 5e6, 4e7} {
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
			cpu := cpuSeconds()
			for b.Loop() {
				if _, err := tally.Count(b.Context(), f, names, tally.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds()-cpu)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
