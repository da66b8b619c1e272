//go:build unix

package population

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"

	"scramblelab/internal/progress"
)

// The cost of a population of 19 years by its number of employers: the skeleton
// alone, and a whole folder in Parquet. Rows are jobs; CPU seconds are those of
// user and system together, which other work on the machine stretches less than
// the clock; peak-MB is the memory held from the system at the steps of the
// progress bar. One round of the largest size is
//
//	go test ./internal/population -run '^$' -bench 'Skeleton|GenerateTo' -benchtime 1x
func BenchmarkSkeleton(b *testing.B) {
	atScale(b, func(b *testing.B, o Options, tell progress.Func) int {
		s, err := drawAll(context.Background(), o.Normal(), tell)
		if err != nil {
			b.Fatal(err)
		}
		rows := 0
		for _, spells := range s.spells {
			for _, sp := range spells {
				lo, hi := s.yearsOf(sp)
				rows += hi - lo + 1
			}
		}
		return rows
	})
}

func BenchmarkGenerateTo(b *testing.B) {
	atScale(b, func(b *testing.B, o Options, tell progress.Func) int {
		n, err := GenerateTo(context.Background(), filepath.Join(b.TempDir(), "pop"), o, Shard{}, WriteOptions{}, tell)
		if err != nil {
			b.Fatal(err)
		}
		return n.Jobs
	})
}

func atScale(b *testing.B, f func(b *testing.B, o Options, tell progress.Func) (rows int)) {
	for _, n := range []int{1000, 10000, 90000} {
		b.Run(fmt.Sprintf("employers=%d", n), func(b *testing.B) {
			var mu sync.Mutex
			peak := uint64(0)
			memory := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
			tell := func(string, int, int) {
				mu.Lock()
				defer mu.Unlock()
				metrics.Read(memory)
				peak = max(peak, memory[0].Value.Uint64()-memory[1].Value.Uint64())
			}
			debug.FreeOSMemory() // of the size before
			rows, cpu := 0, cpuSeconds(b)
			for b.Loop() {
				rows += f(b, Options{Employers: n, Seed: 1}, tell)
			}
			cpu = cpuSeconds(b) - cpu
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(rows)/float64(b.N), "rows")
			b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
			b.ReportMetric(cpu/float64(rows)*1e9, "cpu-ns/row")
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
		})
	}
}

// cpuSeconds is the processor time that this process has used.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
