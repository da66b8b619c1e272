//go:build unix

package population

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
)

// The cost of a population of 19 years by its number of employers: the skeleton
// alone, what a shard draws before its own blocks (the skeleton, and all purchases,
// which tell main suppliers from others), and a whole folder in Parquet. Rows are
// jobs, for the first two those that stand in the skeleton; CPU seconds are those
// of user and system together, which other work on the machine stretches less than
// the clock; peak-MB is the largest resident memory of the process (VmHWM). One
// round of each size is
//
//	go test ./internal/population -run '^$' -bench 'Skeleton|Shard|GenerateTo' -benchtime 1x
func BenchmarkSkeleton(b *testing.B) {
	atScale(b, func(b *testing.B, o Options) int {
		return drawnRows(b, o, func(*emitter) error { return nil })
	})
}

func BenchmarkShard(b *testing.B) {
	atScale(b, func(b *testing.B, o Options) int {
		return drawnRows(b, o, func(e *emitter) error { return e.prepareLinks(b.Context(), 0, 0) })
	})
}

func BenchmarkGenerateTo(b *testing.B) {
	atScale(b, func(b *testing.B, o Options) int {
		n, err := GenerateTo(b.Context(), filepath.Join(b.TempDir(), "pop"), o, Shard{}, WriteOptions{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		return n.Jobs
	})
}

// drawnRows draws a skeleton and what follows, and returns its rows of jobs.
func drawnRows(b *testing.B, o Options, follows func(e *emitter) error) int {
	s, err := drawAll(b.Context(), o.Normal(), nil)
	if err != nil {
		b.Fatal(err)
	}
	e, err := newEmitter(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	if err := follows(e); err != nil {
		b.Fatal(err)
	}
	return e.jobAt[len(e.employers)]
}

func atScale(b *testing.B, f func(b *testing.B, o Options) (rows int)) {
	for _, n := range []int{1000, 10000, 90000} { // ascending: where a peak cannot be reset it is the latest
		b.Run(fmt.Sprintf("employers=%d", n), func(b *testing.B) {
			debug.FreeOSMemory()                                          // of the size before
			_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200) // resets VmHWM
			rows, cpu := 0, cpuSeconds(b)
			for b.Loop() {
				rows += f(b, Options{Employers: n, Seed: 1})
			}
			cpu = cpuSeconds(b) - cpu
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(rows)/float64(b.N), "rows")
			b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
			b.ReportMetric(cpu/float64(rows)*1e9, "cpu-ns/row")
			if peak, ok := peakMegabytes(); ok {
				b.ReportMetric(peak, "peak-MB")
			}
		})
	}
}

// peakMegabytes is the largest resident memory that the process has had, ok false
// where the system does not tell.
func peakMegabytes() (peak float64, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscanf(rest, "%f kB", &peak)
	return peak * 1024 / 1e6, err == nil
}

// cpuSeconds is the processor time that this process has used.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
